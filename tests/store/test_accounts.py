"""Who an account belongs to, and what follows when that changes."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import delete, insert, select

from playhead.store.accounts import begin_anew, ensure_account, load_unbegun, take_over
from playhead.store.database import Database, open_database
from playhead.store.linking import Link, link_connections
from playhead.store.schema import account, change, connection, item, page, person, ref, run, state, touched


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


def fill(database: Database, own: int) -> None:
    """A watched film with a resume point that was read for an account, and agreed on."""
    with database.write() as rows:
        rows.execute(insert(run).values(id=3, kind="import", account_id=own, started_at=1, status="complete"))
        rows.execute(insert(item).values(id=5, kind="movie", title="Alien"))
        rows.execute(
            insert(ref).values(
                id=7, connection_id=1, native_id="x", library_id=1, item_id=5, is_show=False, meta_fp=1, first_run=1
            )
        )  # fmt: skip
        rows.execute(
            insert(state).values(
                account_id=own, ref_id=7, watched=True, plays=2, position_s=300, run_id=3, read_at=1, b_watched=False
            )
        )  # fmt: skip


def bases(database: Database) -> tuple[object, ...]:
    with database.read() as rows:
        return tuple(rows.execute(select(state.c.b_watched, state.c.b_plays, state.c.b_position_s)).one())


def test_what_a_login_shows_of_its_former_person_is_known_once_it_was_read_again(tmp_path: Path) -> None:
    """Until then it takes no part; then all of it is base, so that only what happens after is news. Back to the first person,
    the same holds."""
    database = open_database(tmp_path)
    own = link(database, "alice")
    fill(database, own)
    assert load_unbegun(database) == frozenset()
    for who in ("bob", "alice"):
        link(database, who)
        assert load_unbegun(database) == {own}
        assert bases(database) == (None, None, None)
        begin_anew(database, [own + 1], 20)
        assert load_unbegun(database) == {own}, "another account was read"
        with database.write() as rows:
            rows.execute(delete(touched))
        begin_anew(database, [own], 20)
        assert load_unbegun(database) == frozenset()
        assert bases(database) == (True, 2, 300)
        with database.read() as rows:
            assert rows.execute(select(touched.c.item_id)).scalars().all() == [5]
        link(database, who)
        assert load_unbegun(database) == frozenset(), "the same person again changes nothing"
    database.close()


def test_what_a_login_shows_can_be_declared_its_new_persons_own(tmp_path: Path) -> None:
    """Then it is a first contact."""
    database = open_database(tmp_path)
    own = link(database, "alice")
    fill(database, own)
    link(database, "bob")
    take_over(database, own)
    assert load_unbegun(database) == frozenset()
    assert bases(database) == (None, None, None)
    database.close()


def a_link(name: str, user: str, who: str, server: str = "s") -> Link:
    return Link(name, "emby", server, user, user, who)


def test_a_connection_with_several_logins_is_one_row(tmp_path: Path) -> None:
    """Also after it was renamed, after its logins changed places, and where a login was a connection of its own before."""
    database = open_database(tmp_path)
    alice, bob = link_connections(database, [a_link("A", "1", "alice"), a_link("A", "2", "bob")], 9)
    assert alice.key.connection_id == bob.key.connection_id
    for links in (
        [a_link("Den", "2", "bob"), a_link("Den", "1", "alice")],
        [a_link("Den", "1", "alice"), a_link("Other", "9", "bob", server="t"), a_link("Den", "3", "carol")],
        [a_link("Den", "4", "dora")],
        [a_link("Den", "2", "bob"), a_link("Spare", "1", "alice")],
    ):
        found = link_connections(database, links, 9)
        assert {one.key.connection_id for one in found if one.link.connection == "Den"} == {
            alice.key.connection_id
        }
    (spare,) = (one for one in found if one.link.connection == "Spare")
    again = link_connections(database, [a_link("Den", "2", "bob"), a_link("Den", "1", "alice")], 9)
    assert spare.key.connection_id != alice.key.connection_id
    assert [one.key.account_id for one in again] == [bob.key.account_id, alice.key.account_id]
    database.close()


def test_two_connections_to_one_server_may_swap_their_names(tmp_path: Path) -> None:
    """The rows follow the logins."""
    database = open_database(tmp_path)
    before = link_connections(database, [a_link("A", "1", "alice"), a_link("B", "2", "bob")], 9)
    after = link_connections(database, [a_link("A", "2", "bob"), a_link("B", "1", "alice")], 9)
    assert [one.key.account_id for one in after] == [one.key.account_id for one in reversed(before)]
    with database.read() as rows:
        assert sorted(rows.execute(select(connection.c.name)).scalars()) == ["A", "B"]
    database.close()


@pytest.mark.parametrize("linked", [True, False])
def test_lists_of_a_login_that_is_linked_no_more_say_nothing(tmp_path: Path, linked: bool) -> None:
    """What only it was shown to have must be able to go."""
    database = open_database(tmp_path)
    both = [a_link("A", "1", "alice"), a_link("A", "2", "bob")]
    bob = link_connections(database, both, 9)[1].key.account_id
    with database.write() as rows:
        rows.execute(
            insert(page).values(account_id=bob, request_key="k", body_hash=1, returned=1, refs=b"1234")
        )
    link_connections(database, both if linked else both[:1], 9)
    with database.read() as rows:
        assert len(rows.execute(select(page.c.request_key)).all()) == int(linked)
    database.close()


def test_a_login_that_is_linked_again_is_looked_at_whole(tmp_path: Path) -> None:
    """What its person has and what it showed, once; its bases are as they were."""
    database = open_database(tmp_path)
    alice, bob = a_link("A", "1", "alice"), a_link("A", "2", "bob")
    own = link_connections(database, [alice, bob], 9)[1].key.account_id
    fill(database, own)
    before = bases(database)
    for links, items in (([alice], []), ([alice, bob], [5]), ([alice, bob], [])):
        with database.write() as rows:
            rows.execute(delete(touched))
        link_connections(database, links, 9)
        with database.read() as rows:
            assert rows.execute(select(touched.c.item_id)).scalars().all() == items
    assert bases(database) == before
    database.close()
