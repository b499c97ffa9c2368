"""Who may send events here, and what is done with what they send: read by the backend's own parser, then stored.

Holds the connections' secrets in memory. Knows no HTTP: ``faces.webhooks`` speaks it.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
import time
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from playhead.kit.log import Log
from playhead.ports.callers import Credential, Proxied, ReadsProxied
from playhead.ports.errors import NotFound
from playhead.ports.events import Event, Heard, ReadsWebhooks
from playhead.ports.inbox import NewEvent
from playhead.runtime.group_commit import GroupCommit

log = Log(__name__)

READ_IN_THREAD = 64 * 1024  # bytes; a larger body takes milliseconds to read, in which others wait

NoteCaller = Callable[[int, Credential], str | None]
"""Gives what stands for a caller of a connection (its id) in an event."""


class Receiver(msgspec.Struct, frozen=True):
    """A connection that takes webhooks. ``secret`` stands in its address; ``read_proxied`` where it takes what a proxy noted,
    ``hosts`` are the names of that proxy, lower case."""

    connection: str
    kind: str
    connection_id: int
    secret: str
    read: ReadsWebhooks
    read_proxied: ReadsProxied | None = None
    hosts: frozenset[str] = frozenset()


class Reception:
    """Finds the receiver that an address means, and puts what came for it into the inbox."""

    def __init__(self, group: GroupCommit, note_caller: NoteCaller | None = None) -> None:
        self._group = group
        self._note_caller = note_caller
        self._cluster_token = ""
        self._own_client = ""
        self._by_name: dict[str, Receiver] = {}
        self._nobody = secrets.token_urlsafe(24)  # compared with where there is nothing to compare with

    def open_for(
        self, receivers: Iterable[Receiver], *, cluster_token: str = "", own_client: str = ""
    ) -> None:
        """From now on these and no others. ``cluster_token`` opens the address of Plex Cluster's manager, "" = nothing does;
        requests of the app ``own_client`` are the hub's own."""
        self._cluster_token, self._own_client = cluster_token, own_client
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

    def find_cluster(self, token: str) -> list[Receiver]:
        """The receivers behind the address of Plex Cluster's manager, if the token is its own."""
        matches = _same(token, self._cluster_token or self._nobody)
        return [each for each in self._by_name.values() if matches and each.read_proxied]

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

    async def take_in_proxied(self, receivers: Sequence[Receiver], body: bytes) -> tuple[Event, ...]:
        """The same for the lines of a proxy, which are never refused one by one; where several receivers are given, the line's
        host says whose it is. Raises NotFound where no line is anybody's, InboxFull, and what the inbox raises."""
        received_at = time.time()
        read = next(each.read_proxied for each in receivers if each.read_proxied)
        lines = await asyncio.to_thread(read, body) if len(body) > READ_IN_THREAD else read(body)
        new, strangers = list[NewEvent](), set[str]()
        for line in lines:
            receiver = receivers[0] if len(receivers) == 1 else _find_by_host(receivers, line.host)
            if receiver is None:
                strangers.add(line.host)
            else:
                event = self._name_caller(receiver, line)
                new.append(NewEvent(receiver.connection_id, event, received_at))
        if strangers:
            log.warning("a proxy that no connection has", hosts=sorted(strangers)[:5])
        if strangers and not new:
            raise NotFound(
                "No connection has that proxy.",
                hint="Name it: playhead connections set NAME --proxy-host HOST:PORT",
            )
        await self._group.put(new)
        return tuple(each.event for each in new)

    def _name_caller(self, receiver: Receiver, line: Proxied) -> Event:
        if self._own_client and line.credential.client == self._own_client:
            return msgspec.structs.replace(line.event, what=Heard.other, name="proxy.own")
        if line.event.what is Heard.other or self._note_caller is None:
            return line.event
        caller = self._note_caller(receiver.connection_id, line.credential)
        return msgspec.structs.replace(line.event, caller=caller)


def _find_by_host(receivers: Sequence[Receiver], host: str) -> Receiver | None:
    """By name and port, else by the name alone where that means one."""
    host = host.casefold()
    if found := [each for each in receivers if host in each.hosts]:
        return found[0] if len(found) == 1 else None
    bare = host.partition(":")[0]
    found = [each for each in receivers if any(bare == known.partition(":")[0] for known in each.hosts)]
    return found[0] if len(found) == 1 else None


def _same(given: str, secret: str) -> bool:
    return hmac.compare_digest(given.encode(), secret.encode())
