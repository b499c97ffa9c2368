"""Where events wait, durably, from the moment that the sender gets its answer until the hub has acted on them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from enum import StrEnum
from typing import Protocol

import msgspec

from playhead.ports.events import Event


class Fate(StrEnum):
    """What became of an event."""

    done = "done"  # its item was read, and what followed from it was queued
    nothing = "nothing"  # understood, and of no concern
    unmatched = "unmatched"  # of an account that nobody is linked to: kept for a person
    unknown = "unknown"  # of an item or a kind that could not be placed
    failed = "failed"  # the server could not be asked; tried again


class NewEvent(msgspec.Struct, frozen=True):
    """An event as it came in. ``received_at`` is epoch seconds with fractions, on the hub's clock."""

    connection_id: int
    event: Event
    received_at: float


class WaitingEvent(msgspec.Struct, frozen=True):
    """The same, as it waits. ``attempts`` counts the times that it failed."""

    id: int
    connection_id: int
    event: Event
    received_at: float
    attempts: int = 0


class Ended(msgspec.Struct, frozen=True):
    """An event's fate. ``again_at``: when a failed one is due again. ``event`` replaces what is kept of it: one whose caller
    is known now."""

    id: int
    fate: Fate
    message: str = ""
    again_at: float | None = None
    event: Event | None = None


class Inbox(Protocol):
    """One process puts, one takes."""

    def put(self, events: Sequence[NewEvent]) -> None:
        """Store them all in one transaction; they survive a killed process and a power cut once this returns."""

    def take(self, limit: int, now: float, but_not: Collection[int] = ()) -> list[WaitingEvent]:
        """Of each connection, but not of these, the oldest that are due, in the order in which they came; the same again until
        they are ended."""

    def end(self, ended: Sequence[Ended], now: float) -> None:
        """Note their fate; what is over is forgotten after a while, unmatched events are kept."""

    def take_up(self, connection_id: int, is_known: Callable[[Event], bool]) -> int:
        """Have a connection's unmatched events wait again whose login is somebody's now; gives how many."""

    def count_waiting(self) -> int:
        """How many wait."""

    def count_fates(self) -> Mapping[tuple[str, str, str], int]:
        """How many events came, ever, by source, the server's own name, and fate."""
