"""What a person wants to see of the whole: how each account stands, and every item with what all accounts say.

Reads only. Items come in pages, so that any number of them needs little memory.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, text

from playhead.ports.errors import PlayheadError
from playhead.store.database import Database

ITEMS_AT_ONCE = 500

_ACCOUNTS = """
SELECT a.id AS account_id, c.name AS connection, p.name AS person, a.name AS account,
  (SELECT count(*) FROM ref r WHERE r.connection_id = c.id AND r.gone_at IS NULL AND NOT r.is_show) AS items,
  (SELECT count(*) FROM state s JOIN ref r ON r.id = s.ref_id
    WHERE s.account_id = a.id AND s.watched AND r.gone_at IS NULL) AS watched,
  (SELECT count(*) FROM state s JOIN ref r ON r.id = s.ref_id
    WHERE s.account_id = a.id AND s.position_s > 0 AND r.gone_at IS NULL) AS started,
  (SELECT count(*) FROM change x WHERE x.account_id = a.id AND x.state IN ('queued', 'leased', 'failed')) AS waiting
FROM account a JOIN connection c ON c.id = a.connection_id JOIN person p ON p.id = a.person_id
ORDER BY c.id, a.id"""
_TITLES = "SELECT DISTINCT title FROM library ORDER BY title"
_LAST_RUNS = """
SELECT account_id, status, started_at, ended_at, items, changed, message FROM run
WHERE id IN (SELECT max(id) FROM run WHERE kind = 'import' GROUP BY account_id)"""
_ITEMS = """
SELECT i.id, i.kind AS type, i.title, i.year, s.title AS show, i.season, i.episode
FROM item i LEFT JOIN item s ON s.id = i.show_id WHERE i.id > :after AND i.kind <> 'show' ORDER BY i.id LIMIT :limit"""
_ALSO_TITLES = """
SELECT i.id AS item_id, t.title FROM item i JOIN also_title t ON t.item_id IN (i.id, i.show_id) WHERE i.id IN :items
ORDER BY t.title"""
_CLAIMS = "SELECT item_id, value FROM claim WHERE item_id IN :items ORDER BY value"
_AGREED = """
SELECT x.item_id, p.name AS person, x.watched, x.plays, x.watched_at, x.position_s, x.position_at
FROM agreed x JOIN person p ON p.id = x.person_id WHERE x.item_id IN :items"""
_STATES = """
SELECT q.item_id, r.native_id, c.name AS connection, a.name AS account, p.name AS person,
  s.account_id IS NOT NULL AS stored, s.watched, s.plays, s.last_played, s.position_s, s.rating, s.favourite
FROM (SELECT id AS ref_id, item_id FROM ref WHERE item_id IN :items
      UNION SELECT ref_id, item_id FROM ref_span WHERE item_id IN :items) q
JOIN ref r ON r.id = q.ref_id JOIN connection c ON c.id = r.connection_id
JOIN account a ON a.connection_id = c.id JOIN person p ON p.id = a.person_id
LEFT JOIN state s ON s.account_id = a.id AND s.ref_id = r.id
WHERE r.gone_at IS NULL AND EXISTS (SELECT 1 FROM run u WHERE u.account_id = a.id)
ORDER BY q.item_id, c.id, a.id, stored DESC, r.id"""
_SAID = ("watched", "plays", "last_played", "position_s", "rating", "favourite")
_BLANK = {
    "watched": False,
    "plays": 0,
    "last_played": None,
    "position_s": 0,
    "rating": None,
    "favourite": None,
}


class Overview:
    """Questions about the whole database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def examine(self) -> str:
        """Check the database's integrity and give its version. Raises PlayheadError where it is damaged."""
        with self._database.read() as rows:
            if rows.dialect.name == "sqlite":
                found = rows.exec_driver_sql("PRAGMA quick_check(1)").scalar()
                if found != "ok":
                    raise PlayheadError(
                        f"The database is damaged: {found}.", hint="Restore it from a backup."
                    )
            return str(rows.exec_driver_sql("SELECT version_num FROM alembic_version").scalar())

    def list_accounts(self) -> list[dict[str, Any]]:
        """Every account with counts and its last read."""
        with self._database.read() as rows:
            runs = {row["account_id"]: row for row in rows.execute(text(_LAST_RUNS)).mappings()}
            return [_join_account(dict(row), runs) for row in rows.execute(text(_ACCOUNTS)).mappings()]

    def count_waiting(self) -> dict[str, int]:
        """What waits: queued and failing writes, open questions, open conflicts, agreed items."""
        with self._database.read() as rows:
            return {name: int(rows.execute(text(sql)).scalar() or 0) for name, sql in _COUNTS.items()}

    def list_library_titles(self) -> list[str]:
        """The names of all libraries that were ever read, each once."""
        with self._database.read() as rows:
            return [str(title) for title in rows.execute(text(_TITLES)).scalars()]

    def iterate_items(self) -> Iterator[dict[str, Any]]:
        """Every movie and episode with its claims and what each account says, by id."""
        with self._database.read() as rows:
            after = 0
            while True:
                page = rows.execute(text(_ITEMS), {"after": after, "limit": ITEMS_AT_ONCE}).mappings().all()
                if not page:
                    return
                after = page[-1]["id"]
                yield from _join_items(rows, page)


_COUNTS = {
    "queued": "SELECT count(*) FROM change WHERE state IN ('queued', 'leased', 'failed')",
    "stuck": "SELECT count(*) FROM change WHERE state IN ('failed', 'refused') AND attempts >= 3",
    "held": "SELECT count(*) FROM held WHERE answer IS NULL",
    "conflicts": "SELECT count(*) FROM conflict WHERE decision IS NULL",
    "items": "SELECT count(*) FROM item WHERE kind <> 'show'",
    "watched": "SELECT count(*) FROM agreed WHERE watched",
    "started": "SELECT count(*) FROM agreed WHERE position_s > 0",
}


def _join_account(row: dict[str, Any], runs: dict[int, RowMapping]) -> dict[str, Any]:
    run = runs.get(row.pop("account_id"))
    last = None
    if run is not None:
        last = {key: run[key] for key in ("status", "started_at", "ended_at", "items", "changed", "message")}
    return {**row, "last_read": last}


def _join_items(rows: Connection, page: Sequence[RowMapping]) -> Iterator[dict[str, Any]]:
    ids = [row["id"] for row in page]
    claims: dict[int, list[str]] = defaultdict(list)
    for row in _in(rows, _CLAIMS, ids):
        claims[row["item_id"]].append(row["value"])
    titles: dict[int, list[str]] = defaultdict(list)
    for row in _in(rows, _ALSO_TITLES, ids):
        titles[row["item_id"]].append(row["title"])
    agreed = {(row["item_id"], row["person"]): row for row in _in(rows, _AGREED, ids)}
    says: dict[int, dict[tuple[str, str], dict[str, Any]]] = defaultdict(dict)
    for row in _in(rows, _STATES, ids):
        known = says[row["item_id"]].setdefault((row["connection"], row["account"]), _say(row, agreed))
        known["refs"].append(row["native_id"])
    for row in page:
        yield {
            **row,
            "also_titles": titles[row["id"]],
            "claims": claims[row["id"]],
            "accounts": list(says[row["id"]].values()),
        }


def _say(row: RowMapping, agreed: dict[tuple[int, str], RowMapping]) -> dict[str, Any]:
    common = agreed.get((row["item_id"], row["person"]))
    value = None
    if common is not None:
        value = {key: common[key] for key in ("watched", "plays", "watched_at", "position_s", "position_at")}
        value["watched"] = bool(value["watched"])
    return {
        "connection": row["connection"],
        "account": row["account"],
        "person": row["person"],
        "refs": [],
        "says": {key: _as_bool(key, row[key]) for key in _SAID} if row["stored"] else dict(_BLANK),
        "agreed": value,
    }


def _as_bool(key: str, value: Any) -> Any:
    return bool(value) if key in ("watched", "favourite") and value is not None else value


def _in(rows: Connection, sql: str, items: list[int]) -> Sequence[RowMapping]:
    statement = text(sql).bindparams(bindparam("items", expanding=True))
    return rows.execute(statement, {"items": items}).mappings().all()
