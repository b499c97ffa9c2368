"""An SQLite file of its own beside the database, for what one part of the hub keeps: steps that make its tables, short writes.

``user_version`` counts the steps that a file has seen. Every write is on disk when it ends.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import Any

from playhead.ports.errors import PlayheadError
from playhead.store.database import StoreError

BUSY_TIMEOUT_MS = 10_000
_PRAGMAS = (f"busy_timeout={BUSY_TIMEOUT_MS}", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON")


class OwnFile:
    """The file. Raises StoreError where it cannot be used, PlayheadError where another version wrote it.

    ``reads_beside``: reads need not wait for a write to end; inside one they do not see what it wrote so far.
    """

    def __init__(self, path: Path, steps: Sequence[str], *, reads_beside: bool = False) -> None:
        self._path = path
        self._lock = RLock()  # two calls never wait in SQLite's own, coarser way
        self._steps = len(steps)
        with tell_faults(path):
            self._connection = connect_to(path)
            self._take_steps(steps)
            self._reader = connect_to(path) if reads_beside else self._connection
        self._read_lock = RLock() if reads_beside else self._lock

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """What is written inside is there whole, or not at all."""
        with self._lock, tell_faults(self._path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def read(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        with self._read_lock, tell_faults(self._path):
            return self._reader.execute(sql, values).fetchall()

    def check_writable(self, sql: str = "", *values: object) -> None:
        """Write, this or else the version, and take it back. Raises StoreError where that cannot be."""
        with self._lock, tell_faults(self._path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                self._connection.execute(sql or f"PRAGMA user_version={self._steps}", values)
            finally:
                self._connection.execute("ROLLBACK")

    def close(self) -> None:
        """Close it; what was stored stays."""
        with self._lock, self._read_lock:
            self._reader.close()
            self._connection.close()

    def _take_steps(self, steps: Sequence[str]) -> None:
        with self.write() as connection:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version > len(steps):
                raise PlayheadError(
                    f"{self._path} was written by another version of Playhead.",
                    hint="Update Playhead, or choose another --home.",
                )
            for step in steps[version:]:
                for statement in filter(str.strip, step.split(";")):
                    connection.execute(statement)
            connection.execute(f"PRAGMA user_version={len(steps)}")


def connect_to(path: Path) -> sqlite3.Connection:
    """A connection to such a file, for any thread; nothing is begun by itself."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    return connection


@contextmanager
def tell_faults(path: Path) -> Iterator[None]:
    """The driver's errors in words that a person can act on."""
    try:
        yield
    except sqlite3.Error as error:
        raise StoreError(
            f"{path} cannot be used ({error}).", hint="Is the disk full or the home folder read-only?"
        ) from error
