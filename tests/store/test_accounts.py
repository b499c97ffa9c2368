"""Who an account belongs to, and what follows when that changes."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import insert, select

from playhead.store.accounts import ensure_account
from playhead.store.database import Database, open_database
from playhead.store.schema import account, change, item, person, ref, state, touched


def link(database: Database, who: str) -> int:
    return ensure_account(
        database,
        person_name=who,
        connection_name="Plex",
        kind="plex",
        server_id="s",
        user_id="1",
        user_name="owner",
        now=9,
    ).account_id


def test_another_persons_account_has_agreed_on_nothing(tmp_path: Path) -> None:
    """Its bases are forgotten, its open changes dropped, its items looked at again; the readings stay."""
    database = open_database(tmp_path)
    own = link(database, "alice")
    with database.write() as rows:
        rows.execute(insert(item).values(id=5, kind="movie", title="Alien"))
        rows.execute(
            insert(ref).values(
                id=7,
                connection_id=1,
                native_id="x",
                library_id=1,
                item_id=5,
                is_show=False,
                meta_fp=1,
                first_run=1,
            )
        )
        rows.execute(
            insert(state).values(
                account_id=own, ref_id=7, watched=True, run_id=1, read_at=1, b_watched=True, b_plays=1
            )
        )
        rows.execute(
            insert(change).values(
                person_id=1, account_id=own, ref_id=7, item_id=5, facet="watched", old="{}", new="{}", reason="", cause="",
                state="queued", due_at=0, planned_at=0,
            )
        )  # fmt: skip
    assert link(database, "alice") == own
    with database.read() as rows:
        assert rows.execute(select(state.c.b_watched)).scalar_one() is True, (
            "the same person again changes nothing"
        )
    assert link(database, "bob") == own
    with database.read() as rows:
        found = rows.execute(select(state.c.watched, state.c.b_watched, state.c.b_plays)).one()
        assert tuple(found) == (True, None, None)
        assert rows.execute(select(change.c.state)).scalar_one() == "dropped"
        assert rows.execute(select(touched.c.item_id)).scalar_one() == 5
        names = select(person.c.name).join(account, account.c.person_id == person.c.id)
        assert rows.execute(names).scalar_one() == "bob"
    database.close()
