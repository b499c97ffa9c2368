"""Brings the settings' connections and the database together: who is who, also after a rename.

A connection is known by its server and its logins, not by its name. Another server under an old name is another connection: the
old one keeps its rows under a name of its own.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, select, update

from playhead.store.account_read import AccountKey
from playhead.store.accounts import ensure_account, note_absence
from playhead.store.database import Database
from playhead.store.schema import account, connection


class Link(msgspec.Struct, frozen=True):
    """A login of a connection as the settings have it, and whose it is; a connection has one or several. ``user_id`` tells it
    from the others: the native id, and for one that several persons share whose part it is."""

    connection: str
    kind: str
    server_id: str
    user_id: str
    user: str
    person: str


class Linked(msgspec.Struct, frozen=True):
    """The ids that a login of the settings has in the database."""

    link: Link
    key: AccountKey
    person_id: int


def link_connections(database: Database, links: Sequence[Link], now: int) -> list[Linked]:
    """Find or make the rows of all logins, in their order. ``links`` are all that there are."""
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
    linked = _load(database, links)
    note_absence(database, [each.key.account_id for each in linked])
    return linked


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
        ).outerjoin(account, account.c.connection_id == connection.c.id)
    ).all()
    wanted = _find_rows([(row.id, row.name, row.kind, row.server_id, row.user_id) for row in known], links)
    for id, name in sorted({(row.id, row.name) for row in known}):
        if any(link.connection == name for link in links) and wanted.get(name) != id:
            _rename(rows, id, f"{name} (before, {id})")
    for name, id in wanted.items():
        _rename(rows, id, name)


def _find_rows(
    known: Sequence[tuple[int, str, str, str, str | None]], links: Sequence[Link]
) -> dict[str, int]:
    """Which row (id, name, kind, server, user) each connection's name belongs to: one that has the name and one of its
    logins, else one with one of its logins, else one that has the name and is of that server. No row has two names."""
    wanted: dict[str, int] = {}
    for by_name, by_login in ((True, True), (False, True), (True, False)):
        for link in links:
            if link.connection in wanted:
                continue
            for id, name, kind, server_id, user_id in known:
                if (
                    (kind, server_id) == (link.kind, link.server_id)
                    and id not in wanted.values()
                    and (name == link.connection or not by_name)
                    and (user_id == link.user_id or not by_login)
                ):
                    wanted[link.connection] = id
                    break
    return wanted


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
