"""Rows on their way into the database, by table, and the driver-level statements that take them.

Knows the columns, nothing of what the rows mean.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence
from itertools import chain
from typing import Any, NamedTuple

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

Row = tuple[Any, ...]

# The driver asks its adapters about each None and each bool, which costs seven times an integer. SQLite stores NaN as NULL.
_NULL = float("nan")
_PLAIN: dict[Any, Any] = {None: _NULL, False: 0, True: 1}
_ASKED_ABOUT = frozenset({bool, type(None)})

IN_AT_ONCE = 1_000
ROWS_AT_ONCE = 50  # in one INSERT: a fourth cheaper than one by one; more gain nothing

_NEW_ITEM = "INSERT INTO item (id, kind, title, year, show_id, season, episode) VALUES (?,?,?,?,?,?,?)"
ALSO_NUMBER = (
    "INSERT INTO also_number (show_id, season, episode, item_id) VALUES (?,?,?,?)"
    " ON CONFLICT (show_id, season, episode) DO UPDATE SET item_id=excluded.item_id"
)
_ALSO_TITLE = (
    "INSERT INTO also_title (item_id, title) SELECT i.id, ? FROM item i WHERE i.id=? AND i.title<>?"
    " ON CONFLICT DO NOTHING"
)
_NEW_CLAIM = "INSERT INTO claim (value, item_id) VALUES (?,?) ON CONFLICT DO NOTHING"
REF_COLUMNS = (
    "id, connection_id, native_id, library_id, item_id, is_show, year, show_ref, season, episode, span, runtime_s,"
    " state_key, media_key, files, claims, matched_by, meta_fp, first_run"
)
_NEW_REF = f"INSERT INTO ref ({REF_COLUMNS}) VALUES ({','.join('?' * 19)})"
# Movies and episodes: the bulk of a first import. What is the same for a whole page stands in the statement.
_LEAF_COLUMNS = (
    "id, native_id, item_id, year, show_ref, season, episode, span, runtime_s, state_key, media_key, files, claims,"
    " matched_by, meta_fp"
)
_LEAF_WIDTH = _LEAF_COLUMNS.count(",") + 1
_LEAF_NULLABLE = frozenset({"year", "show_ref", "season", "episode", "runtime_s", "state_key", "media_key"})
_CHANGED_REF = (
    "UPDATE ref SET library_id=?, year=?, show_ref=?, season=?, episode=?, span=?, runtime_s=?, state_key=?,"
    " media_key=coalesce(?, media_key), files=?, claims=?, matched_by=?, meta_fp=? WHERE id=?"
)
_SAID = (
    "watched",
    "plays",
    "last_played",
    "position_s",
    "rating",
    "favourite",
    "unplayed",
    "run_id",
    "read_at",
)
_NEWER = "state.read_at > excluded.read_at"  # heard, or written by the hub, after the page was asked for
_STATE = (
    "INSERT INTO state (account_id, ref_id, watched, plays, last_played, position_s, rating, favourite, unplayed,"
    " fp, run_id, read_at) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)"
    " ON CONFLICT (account_id, ref_id) DO UPDATE SET "
    + ", ".join(f"{name}=CASE WHEN {_NEWER} THEN state.{name} ELSE excluded.{name} END" for name in _SAID)
    # what the page says of it is compared anew on the next read
    + f", fp=CASE WHEN {_NEWER} THEN 0 ELSE excluded.fp END, read_before=CASE WHEN {_NEWER} THEN state.read_before"
    # the same reading stored again does not say that the one before it stood until now
    " WHEN state.watched IS NOT DISTINCT FROM excluded.watched"
    " AND state.plays IS NOT DISTINCT FROM excluded.plays"
    " AND state.last_played IS NOT DISTINCT FROM excluded.last_played"
    " AND state.position_s IS NOT DISTINCT FROM excluded.position_s"
    " THEN coalesce(state.read_before, state.read_at) ELSE state.read_at END"
)
RESET_BASE = (
    "UPDATE state SET b_watched=NULL, b_plays=NULL, b_last_played=NULL, b_position_s=NULL, b_at=NULL"
    " WHERE account_id=? AND ref_id=?"
)
_PAGE = (
    "INSERT INTO page (account_id, request_key, body_hash, total, returned, refs) VALUES (?,?,?,?,?,?)"
    " ON CONFLICT (account_id, request_key) DO UPDATE SET body_hash=excluded.body_hash, total=excluded.total,"
    " returned=excluded.returned, refs=excluded.refs"
)


class Leaves(NamedTuple):
    """New refs of one page, by columns, as ``_LEAF_COLUMNS`` has them."""

    connection: int
    library: int
    run: int
    columns: tuple[Sequence[Any], ...]


class Rows:
    """Buffers. ``touched`` and ``unsettled`` hold items, the others rows in the order of their statements."""

    def __init__(self) -> None:
        self.items: list[Row] = []
        self.also_numbers: list[Row] = []
        self.claims: list[Row] = []
        self.refs: list[Row] = []
        self.leaves: list[Leaves] = []  # new refs of movies and episodes
        self.changed_refs: list[Row] = []
        self.returned_refs: list[Row] = []  # first_run, ref
        self.runtimes: list[Row] = []  # runtime_s, ref
        self.titles: list[Row] = []  # title, year, item
        self.also_titles: list[Row] = []  # title, item, title
        self.dropped_spans: list[Row] = []
        self.spans: list[Row] = []
        self.states: list[Row] = []
        self.resets: list[Row] = []  # account, ref
        self.voids: list[Row] = []  # account, pattern of request keys
        self.pages: list[Row] = []
        self.touched: set[int] = set()
        self.unsettled: set[int] = set()

    def __len__(self) -> int:
        rows = (self.refs, self.states, self.changed_refs, self.claims, self.runtimes)
        return sum(map(len, rows)) + sum(len(page.columns[0]) for page in self.leaves)

    def call(self, item: int, title: str) -> None:
        """Note that a connection calls a movie or a show so; kept where that is another title than the item's."""
        if title:
            self.also_titles.append((title, item, title))

    def is_empty(self) -> bool:
        """Whether nothing waits."""
        return not any(vars(self).values())

    def write(self, connection: Connection) -> None:
        """Send everything and empty the buffers; the caller commits. Raises SQLAlchemy's DBAPIError, as all else does."""
        try:
            self._write(connection)
        except sqlite3.Error as error:
            raise DBAPIError("write", None, error) from error

    def _write(self, connection: Connection) -> None:
        for page in self.leaves:
            _send_leaves(connection, page)
        self.leaves.clear()
        for statement, rows in (
            (_NEW_ITEM, self.items),
            (ALSO_NUMBER, self.also_numbers),
            (_NEW_CLAIM, self.claims),
            (_NEW_REF, self.refs),
            (_CHANGED_REF, self.changed_refs),
            ("UPDATE ref SET gone_at=NULL, first_run=? WHERE id=?", self.returned_refs),
            ("UPDATE ref SET runtime_s=? WHERE id=?", self.runtimes),
            (
                "UPDATE item SET title=?, year=? WHERE id=? AND (SELECT count(*) FROM ref WHERE item_id=item.id) = 1",
                self.titles,
            ),
            (_ALSO_TITLE, self.also_titles),
            ("DELETE FROM ref_span WHERE ref_id=?", self.dropped_spans),
            ("INSERT INTO ref_span (ref_id, item_id) VALUES (?,?) ON CONFLICT DO NOTHING", self.spans),
            (_STATE, self.states),
            (RESET_BASE, self.resets),
            ("UPDATE page SET body_hash=0 WHERE account_id=? AND request_key LIKE ?", self.voids),
            (_PAGE, self.pages),
        ):
            if rows:
                _send(connection, statement, rows)
                rows.clear()
        for table, items in (("touched", self.touched), ("unsettled", self.unsettled)):
            if items:
                insert = f"INSERT INTO {table} (item_id) VALUES (?) ON CONFLICT DO NOTHING"
                _send(connection, insert, as_rows(sorted(items)))
                items.clear()


def _send_leaves(connection: Connection, page: Leaves) -> None:
    marks = f"({page.connection},{page.library},{page.run},0,{','.join('?' * _LEAF_WIDTH)})"
    head = f"INSERT INTO ref (connection_id, library_id, first_run, is_show, {_LEAF_COLUMNS}) VALUES "
    execute = connection.connection.cursor().execute
    columns = [
        [_NULL if value is None else value for value in column] if name in _LEAF_NULLABLE else column
        for name, column in zip(_LEAF_COLUMNS.split(", "), page.columns, strict=True)
    ]
    values, step = [*chain.from_iterable(zip(*columns, strict=True))], ROWS_AT_ONCE * _LEAF_WIDTH
    several = head + ",".join([marks] * ROWS_AT_ONCE)
    for start in range(0, len(values), step):
        bundle = values[start : start + step]
        rows = len(bundle) // _LEAF_WIDTH
        execute(several if rows == ROWS_AT_ONCE else head + ",".join([marks] * rows), bundle)


def _send(connection: Connection, statement: str, rows: list[Row]) -> None:
    """Execute for all rows; an INSERT takes as many at a time as pay."""
    cursor = connection.connection.cursor()  # below SQLAlchemy: its part would cost more than SQLite's
    head, values, tail = statement.partition(" VALUES ")
    whole = len(rows) - len(rows) % ROWS_AT_ONCE if values else 0
    if whole:
        marks, end = tail[: tail.index(")") + 1], tail[tail.index(")") + 1 :]
        several = f"{head} VALUES {','.join([marks] * ROWS_AT_ONCE)}{end}"
        for start in range(0, whole, ROWS_AT_ONCE):
            bundle = list(chain.from_iterable(rows[start : start + ROWS_AT_ONCE]))
            if not _ASKED_ABOUT.isdisjoint(map(type, bundle)):
                bundle = [_PLAIN.get(value, value) for value in bundle]
            cursor.execute(several, bundle)
    if whole < len(rows):
        cursor.executemany(statement, rows[whole:])


def fetch_in(connection: Connection, select: str, values: Collection[Any], *, tail: str = "") -> list[Any]:
    """Rows of ``select ... IN`` for any number of values, asked in bundles."""
    wanted = list(values)
    found: list[Any] = []
    for start in range(0, len(wanted), IN_AT_ONCE):
        bundle = wanted[start : start + IN_AT_ONCE]
        marks = ",".join("?" * len(bundle))
        found += connection.exec_driver_sql(f"{select} ({marks}){tail}", tuple(bundle)).fetchall()
    return found


def as_rows(values: Sequence[Any]) -> list[Row]:
    """Single values as rows."""
    return [(value,) for value in values]
