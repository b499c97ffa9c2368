"""Notices: what is to be told to people, what a target must promise, and the book of what was told."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import msgspec

from playhead.domain.news.addition import Addition
from playhead.ports.errors import PlayheadError


class TargetRefused(PlayheadError):
    """A target did not take a notice, or not for all; no message holds its address. ``taken`` are those behind it that have it
    now, by ``name_target``."""

    code = "target-refused"

    def __init__(self, message: str, *, hint: str = "", taken: Sequence[str] = ()) -> None:
        super().__init__(message, hint=hint)
        self.taken = tuple(taken)


def name_target(address: str) -> str:
    """What stands for an address where it may not stand itself."""
    return hashlib.sha256(address.encode()).hexdigest()[:16]


class Picture(msgspec.Struct, frozen=True):
    """A picture that goes with a notice, under a name that its HTML refers to."""

    name: str
    media_type: str
    data: bytes


class Words(msgspec.Struct, frozen=True):
    """A notice in words; ``html`` "" = plain text alone."""

    subject: str
    text: str
    html: str = ""


class Message(msgspec.Struct, frozen=True):
    """What a target gets. ``key`` is the same when it is sent again, for targets that know a message again; ``done`` are those
    that have it, by ``name_target``."""

    words: Words
    pictures: tuple[Picture, ...] = ()
    key: str = ""
    done: tuple[str, ...] = ()


class Sends(Protocol):
    """A way to targets."""

    def check(self, address: str) -> None:
        """Raises UsageError where an address is none that it knows. Sends nothing."""
        ...

    async def send(self, address: str, message: Message) -> None:
        """Give a target a message. Raises TargetRefused where it did not take it, or may not have."""
        ...


class Renders(Protocol):
    """Templates."""

    def render(self, template: str, view: Mapping[str, Any]) -> Words:
        """The words of a notice. Raises UsageError where there is no such template, or where it is wrong."""
        ...


@runtime_checkable
class ShowsPosters(Protocol):
    """A backend that gives the pictures of its items."""

    async def fetch_poster(self, path: str) -> Picture | None:
        """The picture at a ``FileItem.poster``, small; None where there is none. Raises BackendError."""
        ...


ONCE = "once "


class Trouble(msgspec.Struct, frozen=True):
    """Something that fails now. ``key`` is the same while it is the same trouble; it is told once it has lasted ``after_s``.
    A key that begins with ``ONCE`` is of something that merely happened: no end of it is told."""

    key: str
    text: str
    hint: str = ""
    after_s: float = 0.0


class Notice(msgspec.Struct, frozen=True):
    """One notice of one rule: additions, or what failed and what recovered. ``done`` are the targets that have it."""

    id: int
    rule: str
    made_at: float
    attempts: int = 0
    additions: tuple[Addition, ...] = ()
    failed: tuple[Trouble, ...] = ()
    recovered: tuple[Trouble, ...] = ()
    done: tuple[str, ...] = ()


class Queue(msgspec.Struct, frozen=True):
    """What of a rule waits to be told: how many, since when, the newest of when, and how many notices it sent in the last day."""

    count: int
    first_at: float
    last_at: float
    sent: int
    has_open: bool


class NoticeBook(Protocol):
    """What is to be told and what was. Every call is on disk when it returns. Raises StoreError."""

    def find_heard(self, rule: str) -> int:
        """The number of the last ``Shown`` that a rule heard of; a rule that is new begins with what comes from now on."""
        ...

    def keep_rules(self, names: Collection[str]) -> None:
        """Forget the others, with what waited for them: one of the same name begins anew."""
        ...

    def hear(self, rule: str, additions: Collection[int], upto: int, now: float) -> None:
        """Queue additions for a rule, each once for ever, and note how far it heard."""
        ...

    def look(self, rule: str, now: float) -> Queue:
        """How its queue stands."""
        ...

    def make_notice(self, rule: str, now: float) -> None:
        """Make one notice of all that waits."""
        ...

    def tell_troubles(self, rules: Sequence[str], current: Sequence[Trouble], now: float) -> None:
        """Compare what fails now with what failed before, and make a notice for each of the rules of what has lasted long enough,
        and of what recovered of it; each once. Without a rule nothing counts as told."""
        ...

    def list_open(self, now: float) -> list[Notice]:
        """Notices to be sent now."""
        ...

    def next_due(self) -> float | None:
        """When the next notice that could not be sent is due."""
        ...

    def note_sent(self, notice: int, target: str) -> None:
        """A target has it."""
        ...

    def end(self, notice: int, now: float) -> None:
        """All targets have it."""
        ...

    def postpone(self, notice: int, due_at: float, error: str) -> None:
        """It is tried again later."""
        ...

    def list_errors(self) -> dict[str, str]:
        """Why the open notices of rules could not be sent; rules without an error are left out."""
        ...
