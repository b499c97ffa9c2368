"""A hub in a folder for tests of the import: accounts on backends in memory, a clock that is set by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from playhead.flows.read import ReadRequest, read_accounts
from playhead.ports.backend import Capabilities
from playhead.ports.store import ReadResult
from playhead.store.accounts import ensure_account
from playhead.store.database import open_database
from playhead.store.orphans import Fallbacks
from playhead.store.readings import Readings

from .shelf import CAPABILITIES


class Hub:
    """Reads backends into a database of its own."""

    def __init__(self, home: Path) -> None:
        self.database = open_database(home)
        self.now = 1_000_000
        self.rules = Fallbacks()

    def request(
        self, connection: str, backend: Any, user: str = "u1", *, lean: bool = False, **settings: Any
    ) -> ReadRequest:
        key = ensure_account(
            self.database,
            person_name=user,
            connection_name=connection,
            kind="shelf",
            server_id=connection,
            user_id=user,
            user_name=user,
            now=self.now,
        )
        capabilities: Capabilities = msgspec.structs.replace(CAPABILITIES, lean_lists=lean)
        return ReadRequest(key.account_id, key.connection_id, connection, backend, capabilities, **settings)

    def read(self, *requests: ReadRequest, full: bool = False) -> list[ReadResult]:
        self.now += 100
        with Readings(self.database, self.rules) as store:
            return asyncio.run(read_accounts(requests, store, clock=lambda: self.now, full=full))

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with self.database.read() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(sql)]

    def groups(self) -> set[frozenset[str]]:
        """The items as sets of connection/native id, shows left out."""
        found: dict[int, set[str]] = {}
        for item, name, native in self.rows(
            "SELECT r.item_id, c.name, r.native_id FROM ref r JOIN connection c ON c.id = r.connection_id"
            " WHERE NOT r.is_show"
        ):
            found.setdefault(item, set()).add(f"{name}/{native}")
        return {frozenset(names) for names in found.values()}

    def touched(self) -> set[int]:
        return {row[0] for row in self.rows("SELECT item_id FROM touched")}

    def settle(self) -> None:
        """As reconcile does: nothing is left to look at."""
        with self.database.write() as connection:
            connection.exec_driver_sql("DELETE FROM touched")


def group(*names: str) -> frozenset[str]:
    return frozenset(names)


def groups(names: Iterable[str]) -> set[frozenset[str]]:
    """``"a/1 b/2"`` for each item."""
    return {frozenset(line.split()) for line in names}
