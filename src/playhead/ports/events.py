"""What a server tells by itself: by webhook, socket or proxy. A hint whose item is then read from the server.

An event never carries a state into the merge: it says whose item is to be read, and soon. Nothing in it is trusted beyond
that; what cannot be placed is counted and kept, never guessed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from enum import StrEnum
from typing import Literal, Protocol, runtime_checkable

import msgspec

Source = Literal["webhook", "socket", "proxy", "poll"]


class Heard(StrEnum):
    """What an event is about, as far as the hub acts differently on it."""

    playing = "playing"  # playback goes on: the position moves
    stopped = "stopped"  # playback ended or paused: watched or a resume point may have changed
    marked = "marked"  # watched or unwatched, by hand or by the server
    rated = "rated"  # rating or favourite
    state = "state"  # something of an account's item changed, not told what
    library = "library"  # items came, changed or went
    scan = "scan"  # a scan of a library began or ended; ``name`` tells which
    missed = "missed"  # a line was down: what happened meanwhile must be read
    test = "test"  # somebody tries whether it arrives
    other = "other"  # known not to concern the hub, or not known at all


SCAN_BEGAN, SCAN_ENDED = "scan.began", "scan.ended"  # names of a ``scan`` event, the same for all servers


class Event(msgspec.Struct, frozen=True):
    """One thing that one server told.

    ``name`` is the server's own word, for counts and logs. ``native_ids`` are the items to read, () = not told. ``user_id``
    and ``user_name`` are the server's own; both None = whoever the connection's account is, or nobody (library). ``server_id``
    is who says so, where it is told: another server than the connection's is not ours. ``session`` finds the user where the
    event does not name one (Plex sockets). ``at`` is epoch seconds on the server's clock, of ``missed`` on the hub's: when the
    line last told something; ``position_s`` seconds. Both are for
    display and folding only. ``caller`` stands for the token with which somebody asked for it at a proxy (``ports.callers``).
    ``library_id`` is the library that was scanned, None = all of them or not told.
    """

    source: Source
    what: Heard
    name: str
    native_ids: tuple[str, ...] = ()
    user_id: str | None = None
    user_name: str | None = None
    server_id: str | None = None
    session: str | None = None
    at: int | None = None
    position_s: int | None = None
    caller: str | None = None
    library_id: str | None = None


class ReadsWebhooks(Protocol):
    """An adapter's ``webhook`` module. Pure."""

    def __call__(self, body: bytes, headers: Mapping[str, str]) -> tuple[Event, ...]:
        """The events in one webhook's body, () for none. Header names are lower case. Raises BadAnswer where the body is
        not what this kind of server sends (broken multipart, broken JSON, another shape)."""
        ...


@runtime_checkable
class RegistersWebhooks(Protocol):
    """A backend that can tell its server where to post. Every other entry there stays as it is.

    Where that is not possible (no right, no subscription, no plugin), Refused says in its hint what a person does instead.
    Addresses hold secrets: they stand in no message.
    """

    async def list_webhooks(self) -> list[str]:
        """The addresses to which the server posts now, those of others included."""
        ...

    async def register_webhook(self, url: str) -> None:
        """Have the server post to ``url`` what the hub can use; nothing happens where it does so already."""
        ...

    async def remove_webhook(self, url: str) -> None:
        """Have it post there no more; nothing happens where it does not."""
        ...


@runtime_checkable
class Listens(Protocol):
    """A backend with a line on which its server tells what happens."""

    def listen(self) -> AsyncIterator[Event]:
        """Open the line and yield events until it breaks; a line on which nothing proves life is broken.

        The first event of each line is ``missed``. Raises Unauthorized, Unreachable, BadAnswer, Interrupted; the caller opens
        it again.
        """
        ...
