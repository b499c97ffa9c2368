"""Brings the settings' connections and the database together: who is who, also after a rename.

A connection is known by its server and user, not by its name. Another server under an old name is another connection: the
old one keeps its rows under a name of its own.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, select, update

from playhead.store.account_read import AccountKey
from playhead.store.accounts import ensure_account
from playhead.store.database import Database
from playhead.store.schema import account, connection


class Link(msgspec.Struct, frozen=True):
    """A connection as the settings have it."""

    connection: str
    kind: str
    server_id: str
    user_id: str
    user: str
    person: str


class Linked(msgspec.Struct, frozen=True):
    """The ids that a connection of the settings has in the database."""

    link: Link
    key: AccountKey
    person_id: int


def link_connections(database: Database, links: Sequence[Link], now: int) -> list[Linked]:
    """Find or make the rows of all connections, in their order."""
    if not _are_linked(database, links):
        with database.write() as rows:
            _give_names(rows, links)
        for link in links:
            ensure_account(
                database,
                person_name=link.person,
                connection_name=link.connection,
                kind=link.kind,
                server_id=link.server_id,
                user_id=link.user_id,
                user_name=link.user,
                now=now,
            )
    return _load(database, links)


def _are_linked(database: Database, links: Sequence[Link]) -> bool:
    with database.read() as rows:
        rows_found = rows.exec_driver_sql(
            "SELECT c.name, c.kind, c.server_id, a.user_id, a.name, p.name FROM connection c"
            " JOIN account a ON a.connection_id = c.id JOIN person p ON p.id = a.person_id"
        )
        found = {tuple(row) for row in rows_found}
    return all(msgspec.structs.astuple(link) in found for link in links)


def _give_names(rows: Connection, links: Sequence[Link]) -> None:
    """Put every name onto the rows that it belongs to now."""
    known = rows.execute(
        select(
            connection.c.id, connection.c.name, connection.c.kind, connection.c.server_id, account.c.user_id
        ).join(account, account.c.connection_id == connection.c.id)
    ).all()
    owners = {(row.kind, row.server_id, row.user_id): row.id for row in known}
    wanted = {link.connection: owners.get((link.kind, link.server_id, link.user_id)) for link in links}
    for row in known:
        if row.name in wanted and wanted[row.name] != row.id:
            _rename(rows, row.id, f"{row.name} (before, {row.id})")
    for name, owner in wanted.items():
        if owner is not None:
            _rename(rows, owner, name)


def _rename(rows: Connection, connection_id: int, name: str) -> None:
    rows.execute(update(connection).where(connection.c.id == connection_id).values(name=name))


def _load(database: Database, links: Sequence[Link]) -> list[Linked]:
    with database.read() as rows:
        found = rows.execute(
            select(
                account.c.id,
                account.c.connection_id,
                account.c.person_id,
                account.c.user_id,
                connection.c.name,
            ).join(connection, connection.c.id == account.c.connection_id)
        ).all()
    linked = []
    for link in links:
        own = next(row for row in found if (row.name, row.user_id) == (link.connection, link.user_id))
        siblings = tuple(row.id for row in found if row.connection_id == own.connection_id)
        key = AccountKey(own.id, own.connection_id, link.connection, siblings)
        linked.append(Linked(link, key, own.person_id))
    return linked
