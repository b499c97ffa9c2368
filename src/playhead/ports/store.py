"""What the import flow needs from a store: pages in, and at the end a verdict on the whole read.

An ``AccountRead`` is one reading of one account. Pages are stored as they come, each with its hash in one transaction, so
that a process killed at any moment leaves what it had read and nothing half.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

import msgspec

from playhead.ports.backend import Entry, Library, Listing, PageContent, RawPage

ReadStatus = Literal["complete", "partial", "failed", "shrunk"]


class Tally(msgspec.Struct, frozen=True):
    """What one page added. ``fresh`` counts entries that this listing had not shown before, others of the page included."""

    returned: int
    fresh: int
    total: int | None
    dropped: tuple[str, ...] = ()


class Sweep(msgspec.Struct, frozen=True):
    """What a read covered, told at its end. ``covered`` maps native library ids to the kinds of list that were read to the
    end; ``listed`` are all libraries that the server named, None = it did not; ``left_out`` are excluded by settings."""

    covered: Mapping[str, frozenset[str]]
    listed: frozenset[str] | None
    left_out: frozenset[str] = frozenset()
    faults: tuple[str, ...] = ()
    failed: bool = False  # nothing could be read at all
    max_shrink_share: float = 0.2
    few: int = 5  # so many fewer entries are never called shrunk


class ReadResult(msgspec.Struct, frozen=True):
    """How one account's read ended. ``items`` movies and episodes listed, ``changed`` readings or refs that differ."""

    account_id: int
    connection: str
    status: ReadStatus
    items: int
    changed: int
    message: str = ""
    lean: bool = False
    notes: tuple[str, ...] = ()  # what a person should know although the read went well
    user: str = ""  # the login, where the caller knows it


class AccountRead(Protocol):
    """One reading of one account, under way. ``first``: none of this account has come to a good end yet."""

    first: bool

    def note_libraries(self, libraries: Sequence[Library]) -> None:
        """Remember ids and titles of the libraries."""

    def start_listing(self, listing: Listing) -> None:
        """Pages of this list follow; a list started again counts from nothing."""

    def skip_page(self, page: RawPage) -> Tally | None:
        """Count a page whose bytes are stored unchanged; None where it must be decoded."""

    def put_page(self, page: RawPage, content: PageContent, read_at: int) -> Tally:
        """Store what differs on a page, and its hash."""

    def take_unknown(self) -> list[str]:
        """Native ids that lean lists showed and that the store does not know; asked once."""

    def count_known(self, library_id: str) -> int:
        """Refs that the store holds in a library of this connection and that are not gone."""

    def put_entries(self, library_id: str, entries: Sequence[Entry], read_at: int) -> None:
        """Store entries that were read one by one."""

    def finish(self, sweep: Sweep, now: int) -> ReadResult:
        """Judge the read, mark what is gone where that is certain, close the run."""


class ReadingStore(Protocol):
    """Where readings go. One process reads at a time."""

    def may_read_lean(self, connection_id: int, now: int) -> bool:
        """Whether a complete full read of the connection is recent enough for a lean one."""

    def start_read(self, account_id: int, *, lean: bool, full: bool, now: int) -> AccountRead:
        """Begin a run. ``full``: no page is skipped."""

    def settle_matches(self, now: int) -> int:
        """Sort out the items whose refs agree with several items or contradict. Returns the number of items looked at."""
