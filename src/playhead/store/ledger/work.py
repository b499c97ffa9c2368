"""The unit of work that all parts of the ledger share: one connection, one transaction at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, text

from playhead.store.database import Database

IN_LIMIT = 5_000  # values bound in one statement


class Work:
    """A session on the database. Statements are SQL text that SQLite and PostgreSQL both understand."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._open: Connection | None = None
        self._dry = False

    @contextmanager
    def session(self, *, dry: bool = False) -> Iterator[None]:
        """Open the unit of work; what was not committed is rolled back at its end."""
        with self._database.connect_writer(durable=True) as connection:
            self._open, self._dry = connection, dry
            try:
                yield
            finally:
                if connection.in_transaction():
                    connection.rollback()
                self._open = None

    def commit(self) -> None:
        """Make everything so far durable; a dry session keeps its transaction to the end instead."""
        connection = self._connection
        if not self._dry and connection.in_transaction():
            connection.commit()

    @property
    def _connection(self) -> Connection:
        if self._open is None:
            raise RuntimeError("the ledger is used outside of session()")
        return self._open

    def _rows(self, sql: str, **values: Any) -> Sequence[RowMapping]:
        return self._connection.execute(text(sql), values).mappings().all()

    def _rows_in(self, sql: str, name: str, keys: Iterable[Any], **values: Any) -> Iterator[RowMapping]:
        """Rows of a statement with ``IN :name``, for any number of keys."""
        statement = text(sql).bindparams(bindparam(name, expanding=True))
        for part in chunked(keys, IN_LIMIT):
            yield from self._connection.execute(statement, {name: part, **values}).mappings()

    def _run(self, sql: str, **values: Any) -> int:
        return self._connection.execute(text(sql), values).rowcount

    def _run_in(self, sql: str, name: str, keys: Iterable[Any], **values: Any) -> None:
        statement = text(sql).bindparams(bindparam(name, expanding=True))
        for part in chunked(keys, IN_LIMIT):
            self._connection.execute(statement, {name: part, **values})

    def _run_many(self, sql: str, rows: Sequence[tuple[Any, ...]]) -> None:
        """Driver-level executemany; ``?`` marks the values."""
        if rows:
            if self._connection.dialect.name != "sqlite":
                sql = sql.replace("?", "%s")
            self._connection.exec_driver_sql(sql, list(rows))

    def _value(self, sql: str, **values: Any) -> Any:
        return self._connection.execute(text(sql), values).scalar()


def chunked(keys: Iterable[Any], size: int) -> Iterator[list[Any]]:
    """Lists of up to ``size`` keys."""
    iterator = iter(keys)
    while part := list(islice(iterator, size)):
        yield part
