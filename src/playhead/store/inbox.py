"""The inbox on SQLite: events wait here from the answer to their sender until the hub has acted on them.

A file of its own beside the database, so that an import's long transactions never make a sender wait. One process uses it, from
any thread; every write is on disk when its call returns.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from playhead.ports.events import Event
from playhead.ports.inbox import Ended, Fate, NewEvent, WaitingEvent
from playhead.store.own_file import OwnFile, connect_to, tell_faults

KEEP_ENDED_S = 7 * 24 * 3600
SWEEP_EVERY_S = 3600
KEPT_UNMATCHED = 100  # of each login, the newest: enough to see who plays there and what

_STEPS = (
    """
    CREATE TABLE event (
        id INTEGER PRIMARY KEY, connection_id INTEGER NOT NULL, received_at REAL NOT NULL, source TEXT NOT NULL,
        name TEXT NOT NULL, user TEXT NOT NULL, body BLOB NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,
        due_at REAL NOT NULL DEFAULT 0, fate TEXT, message TEXT NOT NULL DEFAULT '', ended_at REAL
    );
    CREATE INDEX event_waiting ON event (id) WHERE ended_at IS NULL;
    CREATE INDEX event_ended ON event (ended_at) WHERE ended_at IS NOT NULL;
    CREATE TABLE tally (
        source TEXT NOT NULL, name TEXT NOT NULL, fate TEXT NOT NULL, count INTEGER NOT NULL,
        PRIMARY KEY (source, name, fate)
    ) WITHOUT ROWID;
    """,
    """
    DROP INDEX event_waiting;
    CREATE INDEX event_waiting ON event (connection_id, due_at) WHERE ended_at IS NULL;
    """,
)
_PUT = "INSERT INTO event (connection_id, received_at, source, name, user, body) VALUES (?, ?, ?, ?, ?, ?)"
_NEXT_WAITING = "SELECT min(connection_id) FROM event WHERE ended_at IS NULL AND connection_id > ?"
_TAKE = """SELECT id, connection_id, body, received_at, attempts FROM event
    WHERE ended_at IS NULL AND connection_id = ? AND due_at <= ? ORDER BY due_at, id LIMIT ?"""
_FAIL = """UPDATE event SET attempts = attempts + 1, due_at = ?, fate = ?, message = ?
    WHERE id = ? AND ended_at IS NULL"""
_KEPT = """SELECT id, source, name, body FROM event
    WHERE connection_id = ? AND ended_at IS NOT NULL AND fate = 'unmatched'"""
_WAIT_AGAIN = "UPDATE event SET fate = NULL, message = '', ended_at = NULL, due_at = 0 WHERE id = ?"
_NAME = "UPDATE event SET user = ?, body = ? WHERE id = ? AND ended_at IS NULL"
_END = """UPDATE event SET fate = ?, message = ?, ended_at = ? WHERE id = ? AND ended_at IS NULL
    RETURNING source, name, fate"""
_COUNT = """INSERT INTO tally VALUES (?, ?, ?, ?)
    ON CONFLICT (source, name, fate) DO UPDATE SET count = count + excluded.count"""
_FORGET_ENDED = "DELETE FROM event WHERE ended_at < ? AND fate <> 'unmatched'"
_FORGET_UNMATCHED = """DELETE FROM event WHERE id IN (
    SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY connection_id, user ORDER BY id DESC) AS place
        FROM event WHERE ended_at IS NOT NULL AND fate = 'unmatched') WHERE place > ?)"""


_UNMATCHED = """SELECT connection_id, count(*), max(received_at), max(id) FROM event
    WHERE ended_at IS NOT NULL AND fate = 'unmatched' GROUP BY connection_id, user"""


class Unmatched(msgspec.Struct, frozen=True):
    """Kept events of one login that nobody is linked to; of each login the newest hundred or so are kept. ``last_at`` is epoch
    seconds on the hub's clock, ``name`` the server's own word for the newest."""

    connection_id: int
    user_id: str | None
    user_name: str | None
    count: int
    last_at: float
    name: str


def _name_user(event: Event) -> str:
    return event.user_id or event.user_name or ""


def read_unmatched(path: Path) -> list[Unmatched]:
    """What an inbox keeps of unknown logins, whether or not another process uses it; nothing where there is no inbox."""
    if not path.exists():
        return []
    decoder = msgspec.msgpack.Decoder(Event)
    with tell_faults(path), closing(connect_to(path)) as reader:
        found = []
        reader.execute("BEGIN")
        for connection_id, count, last_at, newest in reader.execute(_UNMATCHED).fetchall():
            (body,) = reader.execute("SELECT body FROM event WHERE id = ?", (newest,)).fetchone()
            event = decoder.decode(body)
            found.append(Unmatched(connection_id, event.user_id, event.user_name, count, last_at, event.name))
    return found


class SqlInbox:
    """Meets ``ports.inbox.Inbox``. Raises StoreError where the file cannot be used."""

    def __init__(self, path: Path) -> None:
        self._encoder, self._decoder = msgspec.msgpack.Encoder(), msgspec.msgpack.Decoder(Event)
        self._swept_at = 0.0
        self._file = OwnFile(path, _STEPS, reads_beside=True)

    def put(self, events: Sequence[NewEvent]) -> None:
        """Store them all in one transaction; they survive a killed process and a power cut once this returns."""
        rows = [
            (
                new.connection_id,
                new.received_at,
                new.event.source,
                new.event.name,
                _name_user(new.event),
                self._encoder.encode(new.event),
            )
            for new in events
        ]
        with self._file.write() as writer:
            writer.executemany(_PUT, rows)

    def take(self, limit: int, now: float, but_not: Collection[int] = ()) -> list[WaitingEvent]:
        """Of each connection, but not of these, the oldest that are due, in the order in which they came; the same again until
        they are ended."""
        rows: list[tuple[Any, ...]] = []
        connection = -1
        while (connection := self._file.read(_NEXT_WAITING, connection)[0][0]) is not None:
            if connection not in but_not:
                rows += self._file.read(_TAKE, connection, now, limit)
        return [
            WaitingEvent(id, connection, self._decoder.decode(body), received_at, attempts)
            for id, connection, body, received_at, attempts in sorted(rows)
        ]

    def end(self, ended: Sequence[Ended], now: float) -> None:
        """Note their fate. A failed one with ``again_at`` goes on waiting and is counted at its end; the others are counted,
        and forgotten after a week. Of unmatched events the newest of each login are kept until somebody is linked."""
        with self._file.write() as writer:
            over: Counter[tuple[str, str, str]] = Counter()
            for each in ended:
                if each.event is not None:
                    writer.execute(_NAME, (_name_user(each.event), self._encoder.encode(each.event), each.id))
                if each.fate is Fate.failed and each.again_at is not None:
                    writer.execute(_FAIL, (each.again_at, each.fate, each.message, each.id))
                else:
                    over.update(writer.execute(_END, (each.fate, each.message, now, each.id)).fetchall())
            writer.executemany(_COUNT, [(*key, count) for key, count in over.items()])
            if now - self._swept_at >= SWEEP_EVERY_S:
                writer.execute(_FORGET_ENDED, (now - KEEP_ENDED_S,))
                writer.execute(_FORGET_UNMATCHED, (KEPT_UNMATCHED,))
                self._swept_at = now

    def take_up(self, connection_id: int, is_known: Callable[[Event], bool]) -> int:
        """Have a connection's unmatched events wait again whose login is somebody's now; gives how many. They are counted anew
        at their end."""
        kept = self._file.read(_KEPT, connection_id)
        known = [
            (id, source, name) for id, source, name, body in kept if is_known(self._decoder.decode(body))
        ]
        if known:
            with self._file.write() as writer:
                writer.executemany(_WAIT_AGAIN, [(id,) for id, _, _ in known])
                writer.executemany(_COUNT, [(source, name, Fate.unmatched, -1) for _, source, name in known])
        return len(known)

    def count_waiting(self) -> int:
        """How many wait."""
        return int(self._file.read("SELECT count(*) FROM event WHERE ended_at IS NULL")[0][0])

    def count_fates(self) -> Mapping[tuple[str, str, str], int]:
        """How many events came to an end, ever, by source, the server's own name, and fate."""
        rows = self._file.read("SELECT source, name, fate, count FROM tally")
        return {(source, name, fate): count for source, name, fate, count in rows}

    def next_due(self) -> float | None:
        """When the next waiting event is due, epoch seconds; None where none waits."""
        due = self._file.read("SELECT min(due_at) FROM event WHERE ended_at IS NULL")[0][0]
        return None if due is None else float(due)

    def check_writable(self) -> None:
        """Write and take it back. Raises StoreError."""
        self._file.check_writable(_COUNT, "", "", "", 0)

    def close(self) -> None:
        """Close the file; what was put stays."""
        self._file.close()
