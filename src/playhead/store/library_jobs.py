"""Jobs that have libraries updated, on SQLite, in a file of their own beside the database.

Written by whoever hears of a file, worked on by one process; every write is on disk when its call returns. ``user_version``
counts the steps that made the tables. What has ended is forgotten after some weeks.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import msgspec

from playhead.ports.library_jobs import Job, JobPart, NewJob
from playhead.ports.senders import SenderMemory
from playhead.store.own_file import OwnFile

SWEEP_EVERY_S = 3600
SAME_WITHIN_S = 600

_STEPS = (
    """
    CREATE TABLE job (
        id INTEGER PRIMARY KEY AUTOINCREMENT, made_at REAL NOT NULL, ended_at REAL, key TEXT NOT NULL, body BLOB NOT NULL
    );
    CREATE INDEX job_ended ON job (ended_at) WHERE ended_at IS NOT NULL;
    CREATE INDEX job_key ON job (key) WHERE key <> '';
    CREATE TABLE part (
        id INTEGER PRIMARY KEY, job_id INTEGER NOT NULL REFERENCES job (id) ON DELETE CASCADE, connection TEXT NOT NULL,
        open INTEGER NOT NULL, due_at REAL NOT NULL, state TEXT NOT NULL, body BLOB NOT NULL
    );
    CREATE INDEX part_due ON part (connection, due_at) WHERE open;
    CREATE INDEX part_job ON part (job_id);
    CREATE TABLE tally (
        connection TEXT NOT NULL, state TEXT NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (connection, state)
    ) WITHOUT ROWID;
    CREATE TABLE root (path TEXT PRIMARY KEY) WITHOUT ROWID;
    """,
    """
    CREATE TABLE sender (name TEXT PRIMARY KEY, body BLOB NOT NULL);
    """,
)
_ADD_PART = "INSERT INTO part (job_id, connection, open, due_at, state, body) VALUES (?, ?, ?, ?, ?, ?)"
_SAVE_PART = "UPDATE part SET open = ?, due_at = ?, state = ?, body = ? WHERE id = ? AND open"
_TAKE = "SELECT id, body FROM part WHERE connection = ? AND open AND due_at <= ? ORDER BY id LIMIT ?"
_END = """UPDATE job SET ended_at = ? WHERE id = ? AND ended_at IS NULL
    AND NOT EXISTS (SELECT 1 FROM part WHERE part.job_id = job.id AND part.open)"""
_WITHDRAW = """DELETE FROM job WHERE key = ? AND ended_at IS NULL
    AND NOT EXISTS (SELECT 1 FROM part WHERE part.job_id = job.id AND part.state <> 'waiting')"""
_KEEP_SENDER = "INSERT INTO sender VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET body = excluded.body"
_COUNT = """INSERT INTO tally VALUES (?, ?, ?)
    ON CONFLICT (connection, state) DO UPDATE SET count = count + excluded.count"""


class SqlLibraryJobs:
    """Meets ``ports.library_jobs.LibraryJobs`` and ``ports.senders.KeepsSenders``. Raises StoreError where it cannot be used."""

    def __init__(self, path: Path, *, keep_s: float = 30 * 24 * 3600.0) -> None:
        self._file = OwnFile(path, _STEPS)
        self._read, self._write = self._file.read, self._file.write
        self.keep_s = keep_s  # may be set anew at any time
        self._encoder = msgspec.msgpack.Encoder()
        self._jobs, self._parts = msgspec.msgpack.Decoder(NewJob), msgspec.msgpack.Decoder(JobPart)
        self._senders = msgspec.msgpack.Decoder(SenderMemory)
        self._swept_at = 0.0

    def add(self, job: NewJob, connections: Sequence[str], now: float, due_at: float) -> int:
        """Store a job with its parts; gives its number, that of the earlier one where it was reported before."""
        paths = [(each.path, each.gone, "") for each in job.arrived]
        paths += [("", False, library) for library in job.libraries]
        with self._write() as connection:
            if (earlier := self._find_same(connection, job, now)) is not None:
                return earlier
            made = connection.execute(
                "INSERT INTO job (made_at, key, body) VALUES (?, ?, ?)",
                (now, job.key, self._encoder.encode(job)),
            )
            job_id = int(made.lastrowid or 0)
            for name in connections:
                for path, gone, library in paths:
                    part = JobPart(
                        job_id, name, path, now, due_at, gone=gone, library=library, hurry=job.hurry,
                        proofs=job.names if library else (),
                    )  # fmt: skip
                    connection.execute(_ADD_PART, self._row(part))
            connection.execute(_END, (now, job_id))
            self._sweep(connection, now)
        return job_id

    def withdraw(self, keys: Sequence[str]) -> None:
        """Forget jobs of which nothing was begun."""
        if keys:
            with self._write() as connection:
                connection.executemany(_WITHDRAW, [(key,) for key in keys])

    def take(self, connection: str, now: float, limit: int) -> list[JobPart]:
        """A connection's open parts that are due, the oldest first."""
        return [self._part(row) for row in self._read(_TAKE, connection, now, limit)]

    def save(self, parts: Sequence[JobPart], now: float) -> None:
        """Store how far parts are; one that has ended stays as it ended."""
        if not parts:
            return
        over: Counter[tuple[str, str]] = Counter()
        with self._write() as connection:
            for part in parts:
                job_id, name, is_open, due_at, state, body = self._row(part)
                if part.id:
                    row = (is_open, due_at, state, body, part.id)
                    changed = connection.execute(_SAVE_PART, row).rowcount
                else:
                    changed = connection.execute(
                        _ADD_PART, (job_id, name, is_open, due_at, state, body)
                    ).rowcount
                if changed and not part.is_open:
                    over[part.connection, str(part.state)] += 1
            connection.executemany(_COUNT, [(*key, count) for key, count in over.items()])
            connection.executemany(_END, [(now, job_id) for job_id in {part.job_id for part in parts}])

    def load(self, job_id: int) -> Job | None:
        """A job with its parts; None where there is none."""
        rows = self._read("SELECT id, made_at, ended_at, body FROM job WHERE id = ?", job_id)
        return self._job(rows[0]) if rows else None

    def list_newest(self, limit: int) -> list[Job]:
        """The newest jobs, the newest first."""
        sql = "SELECT id, made_at, ended_at, body FROM job ORDER BY id DESC LIMIT ?"
        return [self._job(row) for row in self._read(sql, limit)]

    def next_due(self, connection: str) -> float | None:
        """When the next open part of a connection is due."""
        due = self._read("SELECT min(due_at) FROM part WHERE connection = ? AND open", connection)[0][0]
        return None if due is None else float(due)

    def count(self) -> Mapping[tuple[str, str], int]:
        """How many parts there are, by connection and state."""
        rows = self._read("SELECT connection, state, count FROM tally")
        rows += self._read("SELECT connection, state, count(*) FROM part WHERE open GROUP BY 1, 2")
        return {(connection, state): count for connection, state, count in rows}

    def note_root(self, path: str) -> None:
        """A folder was seen with something in it."""
        if not self.knows_root(path):
            with self._write() as connection:
                connection.execute("INSERT OR IGNORE INTO root VALUES (?)", (path,))

    def list_roots(self) -> list[str]:
        """All of them."""
        return [path for (path,) in self._read("SELECT path FROM root ORDER BY path")]

    def knows_root(self, path: str) -> bool:
        """Whether it ever was."""
        return bool(self._read("SELECT 1 FROM root WHERE path = ?", path))

    def load_sender(self, name: str) -> SenderMemory | None:
        """What is remembered of a sender; None where nothing is, or where it is of another form."""
        rows = self._read("SELECT body FROM sender WHERE name = ?", name)
        try:
            return self._senders.decode(rows[0][0]) if rows else None
        except msgspec.DecodeError:
            return None

    def save_sender(self, name: str, memory: SenderMemory) -> None:
        """Remember it, in the place of what was."""
        with self._write() as connection:
            connection.execute(_KEEP_SENDER, (name, self._encoder.encode(memory)))

    def forget_senders(self, but: Collection[str]) -> None:
        """Forget all but these."""
        gone = {str(name) for (name,) in self._read("SELECT name FROM sender")} - set(but)
        if gone:
            with self._write() as connection:
                connection.executemany("DELETE FROM sender WHERE name = ?", [(name,) for name in gone])

    def check_writable(self) -> None:
        """Write and take it back. Raises StoreError."""
        self._file.check_writable()

    def close(self) -> None:
        """Close the file; what was stored stays."""
        self._file.close()

    def _row(self, part: JobPart) -> tuple[int, str, bool, float, str, bytes]:
        body = self._encoder.encode(part)
        return part.job_id, part.connection, part.is_open, part.due_at, str(part.state), body

    def _part(self, row: Sequence[object]) -> JobPart:
        part_id, body = row
        assert isinstance(part_id, int) and isinstance(body, bytes)
        return msgspec.structs.replace(self._parts.decode(body), id=part_id)

    def _job(self, row: Sequence[object]) -> Job:
        job_id, made_at, ended_at, body = row
        assert isinstance(job_id, int) and isinstance(made_at, float) and isinstance(body, bytes)
        parts = self._read("SELECT id, body FROM part WHERE job_id = ? ORDER BY id", job_id)
        ended = float(ended_at) if isinstance(ended_at, float) else None
        return Job(job_id, self._jobs.decode(body), made_at, ended, tuple(self._part(each) for each in parts))

    def _find_same(self, connection: sqlite3.Connection, job: NewJob, now: float) -> int | None:
        if not job.key:
            return None
        sql = "SELECT id, body FROM job WHERE key = ? AND made_at > ? ORDER BY id DESC"
        for job_id, body in connection.execute(sql, (job.key, now - SAME_WITHIN_S)):
            if set(job.arrived) <= set(self._jobs.decode(body).arrived):
                return int(job_id)
        return None

    def _sweep(self, connection: sqlite3.Connection, now: float) -> None:
        if now - self._swept_at >= SWEEP_EVERY_S:
            connection.execute("DELETE FROM job WHERE ended_at < ?", (now - self.keep_s,))
            self._swept_at = now
