"""Jobs that have libraries updated: what arrived, and for each connection and library how far its scan and its proof are.

All paths but a part's ``server_path``, ``folder``, ``target`` and ``proofs`` are the hub's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Protocol

import msgspec


class PartState(StrEnum):
    """Where a part of a job stands."""

    waiting = "waiting"  # quiet time, library busy, server down, anchor missing: the message says which
    scanning = "scanning"  # the server was asked
    proving = "proving"  # the item is looked for
    widened = "widened"  # it did not appear, and more is scanned
    proved = "proved"  # an item has the file
    gone = "gone"  # no item has the file any more
    scanned = "scanned"  # the scan ended; there was no path to prove
    not_found = "not found"  # no scan made an item of it
    still_there = "still there"  # no scan made the item go
    no_library = "no library"  # no library of this connection holds the path
    failed = "failed"  # the server refused, or was away for too long


OPEN = frozenset((PartState.waiting, PartState.scanning, PartState.proving, PartState.widened))
_WORST_FIRST = (
    PartState.failed,
    PartState.not_found,
    PartState.still_there,
    PartState.proved,
    PartState.gone,
    PartState.scanned,
)


class Arrived(msgspec.Struct, frozen=True):
    """One path that came, or went."""

    path: str
    gone: bool = False


class NewJob(msgspec.Struct, frozen=True):
    """What was asked for. ``libraries`` are scanned whole, by title or id, and ``names`` are files to be proved there whose place
    nobody knows. ``connections`` () = all; ``key`` tells that two reports are of one thing; ``hurry``: no quiet time. ``word`` is
    what the sender said of its files (arrived, upgraded, renamed), "" = nothing."""

    source: str
    name: str = ""
    arrived: tuple[Arrived, ...] = ()
    libraries: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    connections: tuple[str, ...] = ()
    key: str = ""
    hurry: bool = False
    word: str = ""


class FoundItem(msgspec.Struct, frozen=True):
    """What a server made of a file."""

    native_id: str
    title: str
    kind: str = ""
    files: tuple[str, ...] = ()
    claims: tuple[str, ...] = ()


class JobPart(msgspec.Struct, frozen=True):
    """One path of a job on one connection, and once its libraries are known in one of them. Times are epoch seconds of the hub.

    ``path`` "" = the library ``library`` whole; ``folder`` is the library's; ``target`` what is scanned, None = the library.
    ``proofs`` are files that must be items (or no more), a bare name where the place is not known.
    """

    job_id: int
    connection: str
    path: str
    known_at: float
    due_at: float
    id: int = 0
    gone: bool = False
    hurry: bool = False
    library: str = ""
    library_id: str = ""
    folder: str = ""
    server_path: str = ""
    target: str | None = None
    means: str = ""
    state: PartState = PartState.waiting
    width: int = 0
    looks: int = 0
    attempts: int = 0
    waits_since: float | None = None
    begun_at: float | None = None
    look_until: float = 0.0
    seen_scanning: bool = False
    scan_ended: bool = False
    mark: str = ""
    message: str = ""
    proofs: tuple[str, ...] = ()
    items: tuple[FoundItem, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether something is still to be done."""
        return self.state in OPEN


class Job(msgspec.Struct, frozen=True):
    """A job with its parts."""

    id: int
    new: NewJob
    made_at: float
    ended_at: float | None
    parts: tuple[JobPart, ...] = ()

    @property
    def state(self) -> PartState:
        """One word for all: the furthest while it goes on, then what a person must know first."""
        states = {part.state for part in self.parts}
        if going := states & OPEN:
            return next(
                state
                for state in (PartState.widened, PartState.proving, PartState.scanning, PartState.waiting)
                if state in going
            )
        return next((state for state in _WORST_FIRST if state in states), PartState.no_library)


class LibraryJobs(Protocol):
    """One process takes parts; any may add jobs and look."""

    def add(self, job: NewJob, connections: Sequence[str], now: float, due_at: float) -> int:
        """Store a job with a part for each of its paths on each connection; it survives a killed process and power cut once this
        returns. Gives its number; that of the earlier one where its ``key`` came within minutes with the same paths."""

    def withdraw(self, keys: Sequence[str]) -> None:
        """Forget jobs of these keys of which nothing was begun."""

    def take(self, connection: str, now: float, limit: int) -> list[JobPart]:
        """A connection's open parts that are due, the oldest first; the same again until they are saved with another time."""

    def save(self, parts: Sequence[JobPart], now: float) -> None:
        """Store how far parts are, new ones (id 0) too, all or none; a job without an open part has ended."""

    def load(self, job_id: int) -> Job | None:
        """A job with its parts; None where there is none, or none any more."""

    def list_newest(self, limit: int) -> list[Job]:
        """The newest jobs, the newest first."""

    def next_due(self, connection: str) -> float | None:
        """When the next open part of a connection is due; None where none is open."""

    def count(self) -> Mapping[tuple[str, str], int]:
        """How many parts there are, by connection and state; those that ended are counted for ever."""

    def note_root(self, path: str) -> None:
        """A folder was seen with something in it."""

    def list_roots(self) -> list[str]:
        """All of them."""

    def knows_root(self, path: str) -> bool:
        """Whether it ever was."""
