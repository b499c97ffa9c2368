"""What is new on the servers, kept so that each item is told once: what was ever seen, and the additions among it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

import msgspec

from playhead.domain.news.addition import Addition
from playhead.domain.news.judging import Word
from playhead.domain.news.sighting import Sighting


class Shelf(msgspec.Struct, frozen=True):
    """A library that was looked at. ``floor`` is when its newest item was added as it was first seen, ``high`` the same as it was
    last looked through; both are the server's clock, None = not told. ``complete``: all that was there at first is known.
    ``looked_at`` is when the last look that came to its end began, on the hub's clock."""

    floor: int | None = None
    high: int | None = None
    complete: bool = False
    looked_at: float | None = None


class Shown(msgspec.Struct, frozen=True):
    """An addition on one of the servers that have it; ``number`` grows with each."""

    number: int
    connection: str
    library_id: str
    library: str
    addition: Addition


class Additions(Protocol):
    """Every call is on disk when it returns, and is there whole or not at all. Raises StoreError."""

    def load_shelf(self, connection: str, library_id: str) -> Shelf | None:
        """What is known of a library; None for one that was never seen."""
        ...

    def open_shelf(self, connection: str, library_id: str, floor: int | None) -> Shelf:
        """Note a library that is seen for the first time."""
        ...

    def forget_shelves(self) -> None:
        """Nobody wants to know: when somebody does, every library is seen for the first time again."""
        ...

    def find_known(self, connection: str, native_ids: Collection[str]) -> set[str]:
        """Those of a server's ids that were seen before."""
        ...

    def learn(self, sightings: Sequence[Sighting], now: float) -> None:
        """Keep what was there at first sight; nothing of it is told."""
        ...

    def end_first_sight(self, connection: str, library_id: str, high: int | None, began_at: float) -> None:
        """All that was there is known."""
        ...

    def end_look(self, connection: str, library_id: str, began_at: float) -> None:
        """A look is over, and all of it is kept."""
        ...

    def take(
        self,
        connection: str,
        library_id: str,
        library: str,
        sightings: Sequence[Sighting],
        now: float,
        *,
        high: int | None = None,
        sure: bool = False,
        words: Mapping[str, Word] | None = None,
    ) -> list[Addition]:
        """Judge what was seen, in order, and keep it; gives what is new. ``high`` None = as it was."""
        ...

    def list_shown(self, after: int, limit: int) -> list[Shown]:
        """Additions with their servers, in the order in which they were seen."""
        ...

    def newest_shown(self) -> int:
        """The number of the last; 0 = none."""
        ...
