"""Persons, connections and accounts: found by name or native id, made when they are met first."""

from __future__ import annotations

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects.sqlite import insert

from playhead.store.account_read import AccountKey
from playhead.store.database import Database
from playhead.store.schema import account, change, connection, person, ref, state, touched

OPEN_STATES = ("queued", "leased", "failed", "refused", "missing")


def ensure_account(
    database: Database,
    *,
    person_name: str,
    connection_name: str,
    kind: str,
    server_id: str,
    user_id: str,
    user_name: str,
    now: int,
) -> AccountKey:
    """The account's ids, its person, connection and itself made where they are new; names are brought up to date."""
    with database.write() as rows:
        rows.execute(insert(person).values(name=person_name, created_at=now).on_conflict_do_nothing())
        person_id = rows.execute(select(person.c.id).where(person.c.name == person_name)).scalar_one()
        rows.execute(
            insert(connection)
            .values(name=connection_name, kind=kind, server_id=server_id, created_at=now)
            .on_conflict_do_nothing()
        )
        connection_id = rows.execute(
            select(connection.c.id).where(connection.c.name == connection_name)
        ).scalar_one()
        _start_anew_for(rows, connection_id, user_id, person_id, now)
        found = insert(account).values(
            person_id=person_id, connection_id=connection_id, user_id=user_id, name=user_name
        )
        rows.execute(
            found.on_conflict_do_update(
                index_elements=["connection_id", "user_id"],
                set_={"person_id": person_id, "name": user_name},
            )
        )
    return load_account(database, connection_id, user_id)


def _start_anew_for(rows: Connection, connection_id: int, user_id: str, person_id: int, now: int) -> None:
    """An account that is another person's from now on has agreed on nothing with that person, and owes nothing."""
    known = rows.execute(
        select(account.c.id, account.c.person_id).where(
            account.c.connection_id == connection_id, account.c.user_id == user_id
        )
    ).one_or_none()
    if known is None or known.person_id == person_id:
        return
    rows.execute(
        update(state)
        .where(state.c.account_id == known.id)
        .values(b_watched=None, b_plays=None, b_last_played=None, b_position_s=None, b_at=None)
    )
    rows.execute(
        update(change)
        .where(change.c.account_id == known.id, change.c.state.in_(OPEN_STATES))
        .values(state="dropped", ended_at=now, message="The account is another person's now.")
    )
    items = (
        select(ref.c.item_id)
        .distinct()
        .join(state, state.c.ref_id == ref.c.id)
        .where(state.c.account_id == known.id)
    )
    rows.execute(insert(touched).from_select(["item_id"], items).on_conflict_do_nothing())


def load_account(database: Database, connection_id: int, user_id: str) -> AccountKey:
    """An account that exists."""
    with database.read() as rows:
        name = rows.execute(select(connection.c.name).where(connection.c.id == connection_id)).scalar_one()
        found = rows.execute(
            select(account.c.id, account.c.user_id).where(account.c.connection_id == connection_id)
        ).all()
    own = next(row.id for row in found if row.user_id == user_id)
    return AccountKey(own, connection_id, name, tuple(row.id for row in found))
