"""The store's side of the import: begins runs, hands out account reads that share one writer, settles matches.

One process imports at a time; ids are given out by this process while it does.
"""

from __future__ import annotations

import gc

from sqlalchemy import Connection

from playhead.store.account_read import AccountKey, StoreRead
from playhead.store.database import Database
from playhead.store.ingest import Ingest
from playhead.store.orphans import Fallbacks
from playhead.store.regroup import regroup_unsettled

FULL_READ_EVERY_S = 86_400
_RULES = "matching_rules"  # fact: the rules under which what is stored was matched


class Readings:
    """Implements ``ports.store.ReadingStore``; use as a context, at the end of which the writer is given back."""

    def __init__(self, database: Database, rules: Fallbacks | None = None) -> None:
        self._database = database
        self._rules = rules or Fallbacks()
        self._ingest: Ingest | None = None

    def __enter__(self) -> Readings:
        # Rows wait by the thousand: the collector would walk through all of them again and again, and find nothing.
        self._collects = gc.isenabled()
        gc.disable()
        return self

    def __exit__(self, *_: object) -> None:
        if self._collects:
            gc.enable()
        if self._ingest is not None:
            self._ingest.close()
            self._ingest = None

    def may_read_lean(self, connection_id: int, now: int) -> bool:
        """Whether a complete full read of the connection began less than a day ago."""
        with self._database.read() as rows:
            return bool(
                rows.exec_driver_sql(
                    "SELECT EXISTS (SELECT 1 FROM run JOIN account a ON a.id = run.account_id WHERE run.kind='import'"
                    " AND a.connection_id=? AND run.status='complete' AND NOT run.lean AND run.started_at>?)",
                    (connection_id, now - FULL_READ_EVERY_S),
                ).scalar()
            )

    def start_read(self, account_id: int, *, lean: bool, full: bool, now: int) -> StoreRead:
        """Begin a run. No page is skipped with ``full``, nor after a run that did not end well."""
        if self._ingest is None:
            self._ingest = Ingest(self._database)
        ingest = self._ingest
        ingest.flush()
        rows = ingest.begin()
        key = _load_key(rows, account_id)
        first = not rows.exec_driver_sql(
            "SELECT EXISTS (SELECT 1 FROM run WHERE kind='import' AND account_id=? AND status IN ('complete', 'shrunk'))",
            (account_id,),
        ).scalar()
        last = rows.exec_driver_sql(
            "SELECT status FROM run WHERE kind='import' AND account_id=? ORDER BY id DESC LIMIT 1",
            (account_id,),
        ).scalar()
        rows.exec_driver_sql(
            "UPDATE run SET status='failed', ended_at=?, message='The process ended before the read did.'"
            " WHERE kind='import' AND account_id=? AND status='running'",
            (now, account_id),
        )
        run_id = rows.exec_driver_sql(
            "INSERT INTO run (kind, account_id, started_at, status, items, changed, lean, message)"
            " VALUES ('import', ?, ?, 'running', 0, 0, ?, '') RETURNING id",
            (account_id, now, lean),
        ).scalar_one()
        ingest.flush()
        sound = last in ("complete", "shrunk")
        return StoreRead(ingest, key, run_id, lean=lean, full=full or not sound, first=first)

    def settle_matches(self, now: int) -> int:
        """Sort out the items whose refs agree with several items or contradict. Returns the number of items looked at."""
        news = False
        if self._ingest is not None:
            news = self._ingest.pages_read > 0
            self._ingest.forget_index()  # its memory is wanted
            self._ingest.close()
            self._ingest = None
        with self._database.write() as rows:
            changed = _note_rules(rows, self._rules)
            if (
                not (news or changed)
                and not rows.exec_driver_sql("SELECT EXISTS (SELECT 1 FROM unsettled)").scalar()
            ):
                return 0
            return regroup_unsettled(rows, now, self._rules)


def _note_rules(rows: Connection, rules: Fallbacks) -> bool:
    """Whether what is stored was matched under other rules; remembers these. A mapped folder or a switch of the
    settings changes them."""
    said = rules.describe()
    known = rows.exec_driver_sql("SELECT value FROM fact WHERE name=?", (_RULES,)).scalar()
    if known != said:
        rows.exec_driver_sql(
            "INSERT INTO fact (name, value) VALUES (?,?) ON CONFLICT (name) DO UPDATE SET value=excluded.value",
            (_RULES, said),
        )
    return bool(known != said)


def _load_key(rows: Connection, account_id: int) -> AccountKey:
    connection_id, name = rows.exec_driver_sql(
        "SELECT c.id, c.name FROM account a JOIN connection c ON c.id = a.connection_id WHERE a.id=?",
        (account_id,),
    ).one()
    found = rows.exec_driver_sql("SELECT id FROM account WHERE connection_id=? ORDER BY id", (connection_id,))
    return AccountKey(account_id, connection_id, name, tuple(row[0] for row in found))
