"""Who may send events here, and what is done with what they send: read by the backend's own parser, then stored.

Holds the connections' secrets in memory. Knows no HTTP: ``faces.webhooks`` speaks it.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
import time
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from playhead.ports.events import Event, ReadsWebhooks
from playhead.ports.inbox import NewEvent
from playhead.runtime.group_commit import GroupCommit

READ_IN_THREAD = 64 * 1024  # bytes; a larger body takes milliseconds to read, in which others wait


class Receiver(msgspec.Struct, frozen=True):
    """A connection that takes webhooks. ``secret`` stands in its address."""

    connection: str
    kind: str
    connection_id: int
    secret: str
    read: ReadsWebhooks


class Reception:
    """Finds the receiver that an address means, and puts what came for it into the inbox."""

    def __init__(self, group: GroupCommit) -> None:
        self._group = group
        self._by_name: dict[str, Receiver] = {}
        self._nobody = secrets.token_urlsafe(24)  # compared with where there is nothing to compare with

    def open_for(self, receivers: Iterable[Receiver]) -> None:
        """From now on these and no others."""
        self._by_name = {receiver.connection.casefold(): receiver for receiver in receivers}

    def find(self, connection: str, secret: str) -> Receiver | None:
        """The receiver of that name, if the secret is its own. Takes as long for a wrong name as for a wrong secret."""
        receiver = self._by_name.get(connection.casefold())
        matches = _same(secret, receiver.secret if receiver else self._nobody)
        return receiver if matches else None

    def find_by_key(self, kind: str, key: str) -> Receiver | None:
        """The receiver of a backend's kind whose secret the key is: WatchState's addresses name no connection."""
        found = None
        for receiver in self._by_name.values():
            if _same(key, receiver.secret) and receiver.kind == kind.casefold():
                found = receiver
        return found

    async def put(self, events: Sequence[NewEvent]) -> None:
        """Store events that were heard elsewhere. Raises InboxFull, and what the inbox raises."""
        await self._group.put(events)

    async def close(self) -> None:
        """Wait until what was put is stored."""
        await self._group.close()

    async def take_in(self, receiver: Receiver, body: bytes, headers: Mapping[str, str]) -> tuple[Event, ...]:
        """Store the events of one body; they are on disk when this returns. Raises BadAnswer where the backend's servers do
        not send such a thing, InboxFull, and what the inbox raises."""
        received_at = time.time()
        if len(body) > READ_IN_THREAD:
            events = await asyncio.to_thread(receiver.read, body, headers)
        else:
            events = receiver.read(body, headers)
        await self._group.put([NewEvent(receiver.connection_id, event, received_at) for event in events])
        return events


def _same(given: str, secret: str) -> bool:
    return hmac.compare_digest(given.encode(), secret.encode())
