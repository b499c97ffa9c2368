"""Persons, connections and accounts: found by name or native id, made when they are met first."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, Select, delete, select, update
from sqlalchemy.dialects.sqlite import insert

from playhead.store.account_read import AccountKey
from playhead.store.database import Database
from playhead.store.schema import (
    account,
    agreed,
    change,
    connection,
    fact,
    page,
    person,
    ref,
    run,
    state,
    touched,
)

OPEN_STATES = ("queued", "leased", "failed", "refused", "missing")
_NO_BASE = {"b_watched": None, "b_plays": None, "b_last_played": None, "b_position_s": None, "b_at": None}
_AWAY = "away:"  # a fact for each account that is linked no more
_UNBEGUN = "unbegun:"  # a fact for each account that was another person's and was not read since


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
    """The account's ids, its person, connection and itself made where they are new; names are brought up to date. A person who
    was removed comes back by one of their own logins alone: without is a namesake."""
    with database.write() as rows:
        rows.execute(
            insert(connection)
            .values(name=connection_name, kind=kind, server_id=server_id, created_at=now)
            .on_conflict_do_nothing()
        )
        connection_id = rows.execute(
            select(connection.c.id).where(connection.c.name == connection_name)
        ).scalar_one()
        person_id = _find_person(rows, person_name, connection_id, user_id)
        if person_id is None:
            made = insert(person).values(name=person_name, created_at=now).returning(person.c.id)
            person_id = rows.execute(made).scalar_one()
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


def _find_person(rows: Connection, name: str, connection_id: int, user_id: str) -> int | None:
    """The row of that name, upper and lower case alike; else that of one who was removed and had this very login, a part of a
    shared one apart. It gets the name as it is spelled now."""
    known = rows.execute(select(person.c.id, person.c.name).order_by(person.c.id)).all()
    found = next((row for row in known if row.name == name), None)
    found = found or next((row for row in known if row.name.casefold() == name.casefold()), None)
    if found is None and not user_id.endswith(f" of {name.casefold()}"):
        had = select(account.c.person_id).where(
            account.c.connection_id == connection_id, account.c.user_id == user_id
        )
        former = rows.execute(had).scalar_one_or_none()
        found = next(
            (
                r
                for r in known
                if r.id == former and r.name.casefold() == _name_removed(name, r.id).casefold()
            ),
            None,
        )
    if found is not None and found.name != name:
        rows.execute(update(person).where(person.c.id == found.id).values(name=name))
    return found.id if found is not None else None


def _name_removed(name: str, person_id: int) -> str:
    return f"{name} (before, {person_id})"


def retire_person(database: Database, name: str) -> None:
    """A person who was removed does not give their name, and what is agreed under it, to another of that name."""
    with database.write() as rows:
        for row in rows.execute(select(person.c.id, person.c.name)).all():
            if row.name.casefold() == name.casefold():
                rows.execute(
                    update(person).where(person.c.id == row.id).values(name=_name_removed(row.name, row.id))
                )


def _start_anew_for(rows: Connection, connection_id: int, user_id: str, person_id: int, now: int) -> None:
    """An account that is another person's from now on has agreed on nothing with that person, and owes nothing. What it shows
    is the former one's: once read again it counts as known, and only what happens after that is news."""
    known = rows.execute(
        select(account.c.id, account.c.person_id).where(
            account.c.connection_id == connection_id, account.c.user_id == user_id
        )
    ).one_or_none()
    if known is None or known.person_id == person_id:
        return
    rows.execute(update(state).where(state.c.account_id == known.id).values(**_NO_BASE, written_at=None))
    rows.execute(
        update(change)
        .where(
            change.c.account_id == known.id,
            change.c.state.in_(OPEN_STATES) | ((change.c.state == "superseded") & (change.c.attempts > 0)),
        )
        .values(state="dropped", ended_at=now, message="The account is another person's now.")
    )
    rows.execute(insert(touched).from_select(["item_id"], _items_of(known.id)).on_conflict_do_nothing())
    if rows.execute(select(run.c.id).where(run.c.account_id == known.id).limit(1)).first() is not None:
        rows.execute(
            insert(fact).values(name=f"{_UNBEGUN}{known.id}", value=str(now)).on_conflict_do_nothing()
        )


def load_unbegun(database: Database) -> frozenset[int]:
    """The accounts that were another person's before and were not read since."""
    with database.read() as rows:
        found = rows.execute(select(fact.c.name).where(fact.c.name.startswith(_UNBEGUN))).scalars()
        return frozenset(int(name.removeprefix(_UNBEGUN)) for name in found)


def begin_anew(database: Database, read: Collection[int], now: int) -> None:
    """Take what these accounts show, which were read completely, as known, where they were another person's before."""
    for one in load_unbegun(database) & frozenset(read):
        with database.write() as rows:
            rows.execute(
                update(state)
                .where(state.c.account_id == one, state.c.watched.is_not(None))
                .values(
                    b_watched=state.c.watched,
                    b_plays=state.c.plays,
                    b_last_played=state.c.last_played,
                    b_position_s=state.c.position_s,
                    b_at=now,
                )
            )
            _touch_for(rows, one)
            rows.execute(delete(fact).where(fact.c.name == f"{_UNBEGUN}{one}"))


def take_over(database: Database, account_id: int) -> None:
    """What the account shows is this person's own after all: first contact, which only ever adds."""
    with database.write() as rows:
        rows.execute(update(state).where(state.c.account_id == account_id).values(**_NO_BASE))
        _touch_for(rows, account_id)
        rows.execute(delete(fact).where(fact.c.name == f"{_UNBEGUN}{account_id}"))


def _touch_for(rows: Connection, account_id: int) -> None:
    """Mark what the account shows and what its person has, to be looked at."""
    person_id = select(account.c.person_id).where(account.c.id == account_id).scalar_subquery()
    for items in (_items_of(account_id), select(agreed.c.item_id).where(agreed.c.person_id == person_id)):
        rows.execute(insert(touched).from_select(["item_id"], items).on_conflict_do_nothing())


def _items_of(account_id: int) -> Select[tuple[int]]:
    return (
        select(ref.c.item_id)
        .distinct()
        .join(state, state.c.ref_id == ref.c.id)
        .where(state.c.account_id == account_id)
    )


def note_absence(database: Database, linked: Collection[int]) -> None:
    """Note which accounts are linked no more, and which are again. What the former have listed is forgotten, as it says nothing
    of what their server holds; of the latter everything is looked at, as persons went on without them."""
    with database.read() as rows:
        known = set(rows.execute(select(account.c.id)).scalars())
        names = rows.execute(select(fact.c.name).where(fact.c.name.startswith(_AWAY))).scalars()
        away = {int(name.removeprefix(_AWAY)) for name in names}
    gone, back = known - set(linked) - away, away & set(linked)
    if not (gone or back):
        return
    with database.write() as rows:
        rows.execute(delete(page).where(page.c.account_id.in_(gone)))
        for one in gone:
            rows.execute(insert(fact).values(name=f"{_AWAY}{one}", value="").on_conflict_do_nothing())
        for one in back:
            _touch_for(rows, one)
            rows.execute(delete(fact).where(fact.c.name == f"{_AWAY}{one}"))


def load_account(database: Database, connection_id: int, user_id: str) -> AccountKey:
    """An account that exists."""
    with database.read() as rows:
        name = rows.execute(select(connection.c.name).where(connection.c.id == connection_id)).scalar_one()
        found = rows.execute(
            select(account.c.id, account.c.user_id).where(account.c.connection_id == connection_id)
        ).all()
    own = next(row.id for row in found if row.user_id == user_id)
    return AccountKey(own, connection_id, name, tuple(row.id for row in found))
