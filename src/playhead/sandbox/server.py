"""What an emulated server is to the rest of the sandbox: the promise that core, control side and CLI rely on."""

from __future__ import annotations

from typing import Any, Protocol

import msgspec
from aiohttp import web

from playhead.sandbox.lines import Lines
from playhead.sandbox.posts import Posts


class SandboxUser(msgspec.Struct, frozen=True):
    """A login as the start line announces it."""

    id: str
    name: str
    token: str


class StateRow(msgspec.Struct, frozen=True):
    """One user's state of one item, in the world's words. Times are epoch seconds or null, positions seconds."""

    item: str
    watched: bool
    plays: int
    last_played: int | None
    position_s: float
    rating: float | None
    favourite: bool


class Told(msgspec.Struct, frozen=True):
    """What a server told by itself: open lines (sockets, streams), messages said on lines, webhooks by what became of them.

    ``refused`` are webhooks that would have left this machine.
    """

    lines: int = 0
    messages: int = 0
    webhooks_sent: int = 0
    webhooks_failed: int = 0
    webhooks_refused: int = 0
    webhooks_waiting: int = 0


def count_told(lines: Lines[Any], posts: Posts) -> Told:
    """The figures of a server's lines and posts."""
    return Told(
        lines=len(lines),
        messages=lines.said,
        webhooks_sent=posts.sent,
        webhooks_failed=posts.failed,
        webhooks_refused=posts.refused,
        webhooks_waiting=posts.waiting,
    )


class EmulatedServer(Protocol):
    """One emulated server: an aiohttp application and the control side's handles on its state."""

    name: str
    kind: str
    version: str

    @property
    def admin_token(self) -> str:
        """A token that may do everything."""

    def make_app(self) -> web.Application:
        """The application that serves the API; faults and counters are put around it by the core."""

    def users(self) -> list[SandboxUser]:
        """All logins."""

    def state_rows(self, user: str) -> list[StateRow]:
        """The user's (id or name) state of every item that the server holds for them. Raises KeyError."""

    def told(self) -> Told:
        """What the server told by itself so far."""

    def crash(self) -> None:
        """The process was killed: what waited to be posted and what it knew of sessions is gone; what was stored stays."""

    def act(self, user: str, item: str, act: str, *, at: float | None, args: dict[str, Any]) -> None:
        """Do what a person would do: play, stop, mark, unmark, rate, favourite, unfavourite, add, remove, replace_file,
        move_file, rename_library ... at a time (epoch seconds; None = now). ``args`` has ``position_s`` and the rest of the
        request. Raises KeyError for what does not exist, ValueError for an act that makes no sense there."""
