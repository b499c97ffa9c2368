"""What happened, as both programs keep it: records, pages of them, and all since a date.

Source: recorded answers; facts, library-updates-and-links.md 0 (sorts, sizes, numbers of kinds).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec


def write_time(at: float) -> str:
    """``2026-11-21T10:16:05Z``."""
    return datetime.fromtimestamp(int(at), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def write_fine_time(at: float) -> str:
    """With fractions, as posts have it."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Record(msgspec.Struct, eq=False):
    """One record. ``data`` values are texts or null, whatever they stand for."""

    id: int
    holder: int
    part: int
    kind: str
    title: str
    at: float
    quality: dict[str, Any]
    data: dict[str, str | None]
    download: str | None = None


class History:
    """The records, newest last. ``numbers`` are the kinds as queries name them."""

    def __init__(self, numbers: Mapping[str, int]) -> None:
        self.numbers = numbers
        self.records: list[Record] = []
        self._next = 1

    def add(self, record: Record) -> None:
        """Keep a record; it gets its number here."""
        record.id = self._next
        self._next += 1
        self.records.append(record)

    def forget(self, holder: int) -> None:
        """A series or movie that was taken off takes its records with it (*assumed*)."""
        self.records = [record for record in self.records if record.holder != holder]

    def since(self, at: float | None, kinds: set[int]) -> list[Record]:
        """Oldest first; without a date all."""
        return [each for each in self._of(kinds) if at is None or each.at >= at]

    def page(self, start: int, size: int, *, ascending: bool, kinds: set[int]) -> tuple[int, list[Record]]:
        """How many there are, and those of a page, by date and number."""
        found = sorted(self._of(kinds), key=lambda each: (int(each.at), each.id), reverse=not ascending)
        return len(found), found[start : start + size]

    def _of(self, kinds: set[int]) -> list[Record]:
        return [each for each in self.records if not kinds or self.numbers.get(each.kind) in kinds]
