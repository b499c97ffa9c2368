"""What records of the history say: which files arrived, were renamed, were deleted. Pure.

A file that holds several episodes has a record for each. Source: recorded answers (Sonarr 09, Radarr 03); facts 1.5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime

from playhead.adapters._arr.answers import HistoryRow
from playhead.adapters._arr.memory import KeptHolder
from playhead.adapters._arr.paths import place_file
from playhead.adapters._arr.posts import MISSING, UPGRADE, make_key
from playhead.adapters._arr.products import Product
from playhead.ports.arrivals import Arrival, What

FindHolder = Callable[[int], KeptHolder | None]


def read_date(text: str) -> float:
    """Epoch seconds; 0 for what is no date."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return 0.0
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def holder_of(row: HistoryRow) -> int:
    """The number of the series or movie."""
    return row.seriesId or row.movieId


def read_records(rows: Iterable[HistoryRow], product: Product, find: FindHolder) -> list[Arrival]:
    """What these records say, oldest first, each thing once."""
    past = Past(product, find)
    told: dict[str, Arrival] = {}
    for row in sorted(rows, key=lambda row: row.id):
        for arrival in past.read(row):
            told.setdefault(arrival.key, arrival)
    halves = {arrival.key: arrival for arrival in past.list_halves()}
    return [*told.values(), *halves.values()]


class Past:
    """Reads records in their order: an upgrade is a deletion and then an import of the same episodes."""

    def __init__(self, product: Product, find: FindHolder) -> None:
        assert product.routes is not None
        self._product = product
        self._words = product.routes
        self._find = find
        self._given_way: dict[tuple[int, int], list[HistoryRow]] = {}

    def read(self, row: HistoryRow) -> Iterator[Arrival]:
        """What one record says; an upgrade's first half waits for the second."""
        if row.eventType in self._words.imported:
            yield from self._read_import(row)
        elif row.eventType in self._words.renamed:
            old, new = _path(row.told("sourcePath")), _path(row.told("path"))
            if new:
                yield self._tell("renamed", row, new, before=(old,) if old else ())
        elif row.eventType in self._words.deleted:
            reason = (row.told("reason") or "").lower()
            if reason == UPGRADE:
                self._given_way.setdefault((holder_of(row), row.episodeId), []).append(row)
            elif path := _path(row.sourceTitle):
                yield self._tell("deleted", row, path, missing=reason in MISSING)

    def list_halves(self) -> Iterator[Arrival]:
        """Deletions whose import was not among the records."""
        for rows in self._given_way.values():
            for row in rows:
                if path := _path(row.sourceTitle):
                    yield self._tell("deleted", row, path, half=True)

    def _read_import(self, row: HistoryRow) -> Iterator[Arrival]:
        path = _path(row.told("importedPath"))
        gone = self._given_way.pop((holder_of(row), row.episodeId), [])
        before = tuple(old for each in gone if (old := _path(each.sourceTitle)) and old != path)
        if path:
            number = row.told("fileId") or ""
            what: What = "upgraded" if gone else "arrived"
            yield self._tell(
                what, row, path, before=before, number=int(number) if number.isdecimal() else None
            )

    def _tell(
        self,
        what: What,
        row: HistoryRow,
        path: str,
        *,
        before: tuple[str, ...] = (),
        number: int | None = None,
        half: bool = False,
        missing: bool = False,
    ) -> Arrival:
        holder = self._find(holder_of(row))
        source = self._product.source
        return Arrival(
            what,
            (path,),
            holder.path if holder else "",
            holder.title if holder else "",
            source,
            row.eventType,
            claims=holder.claims if holder else (),
            half=half,
            key=make_key(source, what, number, path, *before if what == "renamed" else ()),
            before=before,
            missing=missing,
        )


def _path(text: str | None) -> str | None:
    """A path that stands for itself and leads nowhere else."""
    return place_file("", None, text)
