"""The database of an installation: opened, brought to the current schema, and read or written in transactions.

Holds the engine's settings. Knows no table. ``read`` gives a consistent snapshot; ``write`` takes the write lock at its
start, so that a transaction never fails halfway because another process wrote first.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.exc import DatabaseError, OperationalError

from playhead.ports.errors import PlayheadError
from playhead.store.migrations import HEAD
from playhead.store.schema import metadata

FILE_NAME = "playhead.db"
BUSY_TIMEOUT_MS = 30_000
CACHE_KB = 3_000


class StoreError(PlayheadError):
    """The database cannot be used."""

    code = "store"


class Database:
    """One database. Connections come from the engine's pool; close the database at the end of the process."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one moment of the database."""
        with self.engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self, *, durable: bool = False) -> Iterator[Connection]:
        """One write transaction, committed at the end, rolled back on an error.

        ``durable``: on disk before this returns (the outbox); otherwise a power cut may take the newest transactions,
        never a part of one. A killed process loses nothing that was committed either way.
        """
        with self.connect_writer(durable=durable) as connection:
            connection.begin()
            yield connection
            connection.commit()

    @contextmanager
    def connect_writer(self, *, durable: bool = False) -> Iterator[Connection]:
        """A connection whose transactions take the write lock when they begin; the caller begins and commits."""
        with self.engine.connect() as connection:
            if connection.dialect.name == "sqlite":
                level = "FULL" if durable else "NORMAL"
                _driver(connection).execute(f"PRAGMA synchronous={level}")
            yield connection.execution_options(playhead_write=True)

    def close(self) -> None:
        """Close all pooled connections."""
        self.engine.dispose()


def open_database(url_or_home: str | Path) -> Database:
    """Open the database of a home folder (``HOME/playhead.db``) or at an URL, and migrate it if it is older.

    Raises StoreError when it is newer than this program or not a database.
    """
    engine = create_engine(_make_url(url_or_home), max_overflow=-1)  # who waited for one would keep the loop
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    database = Database(engine)
    try:
        _migrate(database)
    except OperationalError as error:
        raise StoreError(
            f"The database cannot be opened: {error.orig}.", hint="Is the folder writable?"
        ) from error
    except DatabaseError as error:
        raise StoreError(
            f"This is not a database of Playhead: {error.orig}.", hint="Choose another --home."
        ) from error
    return database


def _make_url(url_or_home: str | Path) -> str:
    if isinstance(url_or_home, str) and "://" in url_or_home:
        return url_or_home
    home = Path(url_or_home)
    home.mkdir(parents=True, exist_ok=True)
    return f"sqlite:///{home / FILE_NAME}"


def _prepare_sqlite(raw: sqlite3.Connection, _record: Any) -> None:
    raw.isolation_level = None  # transactions begin where we say, see _begin_sqlite
    for pragma in (
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        "page_size=8192",
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "foreign_keys=ON",
        f"cache_size=-{CACHE_KB}",
        "wal_autocheckpoint=1000",
    ):
        raw.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    writing = connection.get_execution_options().get("playhead_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def _driver(connection: Connection) -> Any:
    return connection.connection.driver_connection


def _read_revision(connection: Connection) -> str | None:
    if not connection.dialect.has_table(connection, "alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _migrate(database: Database) -> None:
    with database.read() as connection:
        if _read_revision(connection) == HEAD:
            return
    with database.write(durable=True) as connection:  # others wait at the write lock and then find it done
        if _read_revision(connection) == HEAD:
            return
        if not inspect(connection).get_table_names():
            _create(connection)
            return
        from playhead.store.migrations.upgrade import upgrade_to_head

        upgrade_to_head(connection)


def _create(connection: Connection) -> None:
    """Make the newest tables at once; a test proves that the migrations lead to the same. Alembic is big."""
    metadata.create_all(connection)
    connection.exec_driver_sql("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)")
    connection.exec_driver_sql("INSERT INTO alembic_version VALUES (?)", (HEAD,))
