"""Where all accounts' pages meet on their way into the database: buffers, new ids, the matching index.

One writer for a whole import. Rows wait in buffers and go out in transactions of thousands, always whole pages. Holds the
hot path's SQL for items, claims, refs, states and pages; decides nothing about reads or matches.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from contextlib import ExitStack

from sqlalchemy import Connection, Index
from sqlalchemy.schema import CreateIndex, DropIndex

from playhead.domain.identity.match import ClaimIndex, pack_number
from playhead.store.database import Database
from playhead.store.rows import Rows, fetch_in
from playhead.store.schema import BUILT_LAST

FLUSH_ROWS = 10_000
LOAD_ALL_FROM = 2_000  # so many new refs make it worth loading every claim


def finish_load(database: Database) -> None:
    """Build the indexes that a killed first load left out; for who reads nothing but looks things up."""
    with database.read() as rows:
        if not _find_missing(rows):
            return
    with database.write() as rows:
        for index in _find_missing(rows):
            rows.execute(CreateIndex(index, if_not_exists=True))


def _find_missing(rows: Connection) -> list[Index]:
    there = {row[0] for row in rows.exec_driver_sql("SELECT name FROM sqlite_master WHERE type='index'")}
    return [index for index in BUILT_LAST if index.name not in there]


class Ingest:
    """Buffers and ids of one import. Close it at the end; what was not flushed is lost, by whole pages."""

    def __init__(self, database: Database) -> None:
        self._stack = ExitStack()
        self.connection: Connection = self._stack.enter_context(database.connect_writer())
        self.rows = Rows()
        self.index = ClaimIndex()
        self.pages_read = 0  # pages that were decoded
        self._whole = False  # the index knows every claim
        self._looked_up = 0
        self._version: object = None
        self._next_item = self._next_ref = 0
        self._bare = False  # indexes are missing, for the length of a first load
        self._prepare_load()

    def close(self) -> None:
        """Give the connection back."""
        if self.connection.in_transaction():
            self.connection.rollback()
        self.build_indexes()
        self._stack.close()

    def _prepare_load(self) -> None:
        """Drop the indexes of an empty database; build those that a killed first load left out."""
        rows = self.begin()
        empty = not rows.exec_driver_sql("SELECT EXISTS (SELECT 1 FROM ref)").scalar()
        if empty:
            for index in BUILT_LAST:
                rows.execute(DropIndex(index, if_exists=True))
        self._bare = empty or bool(_find_missing(rows))
        self.connection.commit()
        if not empty:
            self.build_indexes()

    def build_indexes(self) -> None:
        """Build what a first load left out; before anything is looked up."""
        if not self._bare:
            return
        self._bare = False
        rows = self.begin()
        for index in BUILT_LAST:
            rows.execute(CreateIndex(index, if_not_exists=True))
        self.connection.commit()

    def begin(self) -> Connection:
        """The write transaction, begun if none is open. Notices what other processes wrote meanwhile."""
        if not self.connection.in_transaction():
            self.connection.begin()
            version = self.connection.exec_driver_sql("PRAGMA data_version").scalar()
            if version != self._version:
                self._version = version
                self._refresh()
        return self.connection

    def _refresh(self) -> None:
        row = self.connection.exec_driver_sql(
            "SELECT (SELECT coalesce(max(id), 0) FROM item), (SELECT coalesce(max(id), 0) FROM ref),"
            " (SELECT coalesce(max(item_id), 0) FROM unsettled)"
        ).one()
        self._next_item = max(self._next_item, row[0] + 1, row[2] + 1)
        self._next_ref = max(self._next_ref, row[1] + 1)
        self.forget_index()
        self._whole = not row[0]

    def forget_index(self) -> None:
        """Drop the matching index; it is filled again when something new has to be matched."""
        self.index = ClaimIndex()
        self._whole = False
        self._looked_up = 0

    @property
    def next_item(self) -> int:
        """The id that the next item gets."""
        return self._next_item

    def make_item(
        self, kind: str, title: str, year: int | None, number: tuple[int, int | None, int | None]
    ) -> None:
        """Buffer an item under ``next_item``. ``number``: show item, season, episode; show 0 = none."""
        self.rows.items.append((self._next_item, kind, title, year, number[0] or None, number[1], number[2]))
        self._next_item += 1

    def take_refs(self, count: int) -> int:
        """The first of so many new ref ids; they only grow, so that a ref above a watermark is new."""
        first = self._next_ref
        self._next_ref += count
        return first

    @property
    def ref_limit(self) -> int:
        """One above the highest ref id given out."""
        return self._next_ref

    def flush(self) -> None:
        """Write and commit what is buffered."""
        if self.rows.is_empty():
            if self.connection.in_transaction():
                self.connection.commit()
            return
        self.rows.write(self.begin())
        self.connection.commit()

    def end_page(self) -> None:
        """Give the write lock back; write and commit once enough pages wait.

        While there are no indexes to keep every page is written at once: that costs nothing more, and memory that is
        used again at once is faster than fresh memory.
        """
        if len(self.rows) >= (1 if self._bare else FLUSH_ROWS):
            self.flush()
        elif self.connection.in_transaction():
            self.connection.commit()

    @property
    def knows_all(self) -> bool:
        """Whether the index holds every claim, so that nothing needs to be prepared. Takes the write lock."""
        self.begin()
        return self._whole

    def prepare_index(self, claims: Iterable[str], shows: Iterable[int], refs: int) -> None:
        """Make the index know everything that so many new refs with these claims and show items can meet."""
        self.begin()
        if self._whole:
            return
        self.build_indexes()
        self._looked_up += refs
        self.rows.write(self.connection)
        if self._looked_up >= LOAD_ALL_FROM:
            self._load_all()
        else:
            self._load_some(set(claims), set(shows))

    def _load_all(self) -> None:
        self.index = index = ClaimIndex()
        for value, item in self.connection.exec_driver_sql("SELECT value, item_id FROM claim"):
            index.load_claim(value, item)
        self._load_numbers("WHERE show_id IS NOT NULL", ())
        for item, show, season, episode in self.connection.exec_driver_sql(
            "SELECT item_id, show_id, season, episode FROM also_number"
        ):
            index.load_number(item, pack_number(show, season, episode))
        for couple in self.connection.exec_driver_sql("SELECT item_id, other_id FROM conflict"):
            for item in couple:
                index.load_contested(item)
        self._load_years("", ())
        self._whole = True

    def _load_some(self, claims: set[str], shows: set[int]) -> None:
        found = fetch_in(self.connection, "SELECT value, item_id FROM claim WHERE value IN", claims)
        numbered = fetch_in(
            self.connection, "SELECT id, show_id, season, episode FROM item WHERE show_id IN", shows
        )
        numbered += fetch_in(
            self.connection,
            "SELECT item_id, show_id, season, episode FROM also_number WHERE show_id IN",
            shows,
        )
        for row in numbered:
            self.index.load_number(row[0], pack_number(row[1], row[2], row[3]))
        items = {row[1] for row in found} | {row[0] for row in numbered}
        self.index.forget_masks(items)
        for column in ("item_id", "other_id"):
            select = f"SELECT {column} FROM conflict WHERE {column} IN"
            for row in fetch_in(self.connection, select, items):
                self.index.load_contested(row[0])
        for value, item in fetch_in(
            self.connection, "SELECT value, item_id FROM claim WHERE item_id IN", items
        ):
            self.index.load_claim(value, item)
        rows = fetch_in(self.connection, "SELECT id, show_id, season, episode FROM item WHERE id IN", items)
        for row in rows:
            self.index.load_number(row[0], pack_number(row[1] or 0, row[2], row[3]))
        found = fetch_in(
            self.connection,
            "SELECT item_id, min(year), max(year) FROM ref WHERE show_ref IS NULL AND NOT is_show AND year > 0"
            " AND item_id IN",
            items,
            tail=" GROUP BY item_id",
        )
        for row in found:
            self.index.load_years(row[0], row[1], row[2])

    def _load_numbers(self, where: str, values: Sequence[int]) -> None:
        rows = self.connection.exec_driver_sql(
            f"SELECT id, show_id, season, episode FROM item {where}", tuple(values)
        )
        for item, show, season, episode in rows:
            self.index.load_number(item, pack_number(show, season, episode))

    def _load_years(self, where: str, values: Sequence[int]) -> None:
        rows = self.connection.exec_driver_sql(
            "SELECT item_id, min(year), max(year) FROM ref WHERE show_ref IS NULL AND NOT is_show AND year > 0"
            f" {where} GROUP BY item_id",
            tuple(values),
        )
        for item, first, last in rows:
            self.index.load_years(item, first, last)

    def reset_bases(self, account_ids: Sequence[int], refs: Iterable[int]) -> None:
        """Forget what accounts and hub agreed on for refs that hold something else now."""
        self.rows.resets.extend((account, ref) for ref in refs for account in account_ids)

    def pack_refs(self, refs: Sequence[int]) -> bytes:
        """Ref ids as they stand in a page row."""
        return array("I", refs).tobytes()
