"""The control side's acts on an emulated Emby do what a person or a disk would do, as HTTP then shows it."""

from __future__ import annotations

from typing import Any

import pytest

from playhead.sandbox.server import StateRow
from tests.sandbox.emby.conftest import ANNA, NOW, Run, Talk, make_world

U = f"/emby/Users/{ANNA}"


def act(talk: Talk, item: str, name: str, at: float | None = None, **args: Any) -> None:
    talk.server.act("anna", item, name, at=at, args=args)


def row(talk: Talk, item: str) -> StateRow:
    """The only state row of an item."""
    (found,) = [r for r in talk.server.state_rows("anna") if r.item == item]
    return found


async def test_acts_of_watching(talk: Talk) -> None:
    """play, stop, mark, unmark, rate and favourite leave the state that they name, at the time given."""
    act(talk, "matrix", "stop", at=NOW - 50, position_s=1800)
    assert row(talk, "matrix") == StateRow("matrix", False, 1, NOW - 50, 1800.0, None, False)
    act(talk, "matrix", "play", at=NOW - 10)
    assert row(talk, "matrix") == StateRow("matrix", True, 2, NOW - 10, 0.0, None, False)
    act(talk, "matrix", "rate", rating=7.5)
    act(talk, "matrix", "favourite")
    act(talk, "matrix", "unmark")
    assert row(talk, "matrix") == StateRow("matrix", False, 0, None, 0.0, 7.5, True)
    act(talk, "matrix", "mark", at=NOW)
    act(talk, "matrix", "unfavourite")
    assert row(talk, "matrix") == StateRow("matrix", True, 1, NOW, 0.0, 7.5, False)


async def test_every_leaf_has_a_row(talk: Talk) -> None:
    """Both world items of a double episode say the same; a film in two libraries has one state."""
    rows = talk.server.state_rows(ANNA)
    assert sorted(r.item for r in rows) == [
        "bebop1",
        "bebop2",
        "bebop3",
        "bebop4",
        "bebop5",
        "bebop6",
        "home",
        "luna",
        "matrix",
    ]
    act(talk, "bebop3", "mark", at=NOW)
    assert row(talk, "bebop2").watched and row(talk, "bebop3").watched


async def test_own_state_keeps_copies_apart(run_emby: Run) -> None:
    """The quirk gives each copy its own user data, and a row each."""
    async with run_emby(make_world(own_state=True)) as talk:
        await talk.ask("POST", f"{U}/PlayedItems/{talk.id_of('luna')}")
        assert sorted(r.watched for r in talk.server.state_rows("anna") if r.item == "luna") == [False, True]


@pytest.mark.parametrize("name", ["replace_file", "move_file"])
async def test_a_file_with_a_new_path_is_a_new_item(talk: Talk, name: str) -> None:
    """The id is new, the path too; the state goes with the external ids, and is lost without any."""
    for item in ("matrix", "home"):
        act(talk, item, "mark", at=NOW)
    before = {item: talk.id_of(item) for item in ("matrix", "home", "bebop1")}
    for item in before:
        act(talk, item, name)
    assert all(talk.id_of(item) != native for item, native in before.items())
    assert (row(talk, "matrix").watched, row(talk, "home").watched) == (True, False)
    assert (await talk.ask("GET", f"{U}/Items/{before['matrix']}")).status == 404
    episodes = await talk.get(f"/Shows/{talk.id_of('bebop')}/Episodes", UserId=ANNA)
    assert talk.id_of("bebop1") in [e["Id"] for e in episodes["Items"]]


async def test_a_file_replaced_in_place_keeps_the_item(talk: Talk) -> None:
    """With same_path only the file's tag, size and running time change."""
    native = talk.id_of("matrix")
    before = await talk.get(f"{U}/Items/{native}")
    act(talk, "matrix", "replace_file", at=NOW, same_path=True, duration_s=3000)
    after = await talk.get(f"{U}/Items/{native}")
    assert (after["Path"], after["RunTimeTicks"]) == (before["Path"], 30_000_000_000)
    assert after["Etag"] != before["Etag"]


async def test_removed_and_added_again(talk: Talk) -> None:
    """The last episode takes its season and series along; what comes back has new ids and the state of its external ids."""
    old = talk.id_of("bebop1")
    act(talk, "bebop", "remove")
    listed = await talk.get(f"{U}/Items", Recursive="true", IncludeItemTypes="Series,Season,Episode")
    assert listed["TotalRecordCount"] == 0
    with pytest.raises(KeyError):
        act(talk, "bebop1", "mark")
    act(talk, "bebop", "add", at=NOW)
    assert talk.id_of("bebop1") != old
    assert row(talk, "bebop1").watched
    latest = await talk.get(f"{U}/Items/Latest", Limit="1")
    assert latest[0]["Name"] == "Cowboy Bebop"


async def test_libraries_rename_vanish_and_return(talk: Talk) -> None:
    """A rename keeps the items; a vanished library takes its items, and brings them back under new ids."""
    act(talk, "", "rename_library", library="Movies", title="Films")
    views = await talk.get(f"{U}/Views")
    assert [v["Name"] for v in views["Items"]] == ["Films", "Kids", "Shows"]
    act(talk, "matrix", "mark", at=NOW)
    old = talk.id_of("matrix")
    act(talk, "", "remove_library", library="Films")
    assert [r.item for r in talk.server.state_rows("anna") if r.item in ("matrix", "home", "luna")] == [
        "luna"
    ]
    act(talk, "", "restore_library", library="Films")
    assert talk.id_of("matrix") != old
    assert row(talk, "matrix").watched
    found = await talk.get(f"{U}/Items", Ids=talk.id_of("matrix"), Fields="MediaSources,ProviderIds")
    assert found["Items"][0]["ProviderIds"] == {"Imdb": "tt0133093", "Tmdb": "603"}
    assert len(found["Items"][0]["MediaSources"]) == 2


async def test_a_play_in_two_acts_counts_once(talk: Talk) -> None:
    """start and a later stop are one play; a stop alone is a play of its own."""
    act(talk, "matrix", "start", at=NOW)
    act(talk, "matrix", "stop", at=NOW + 1800, position_s=1800)
    assert row(talk, "matrix") == StateRow("matrix", False, 1, NOW, 1800.0, None, False)
    act(talk, "matrix", "stop", at=NOW + 9000, position_s=2000)
    assert row(talk, "matrix").plays == 2


async def test_one_of_two_copies_is_removed(talk: Talk) -> None:
    """``library`` narrows an act to the copy there."""
    act(talk, "luna", "remove", library="Kids")
    assert [node.shelf.title for node in talk.server.catalogue.by_world["luna"]] == ["Movies"]


async def test_a_recreated_user_has_watched_nothing(talk: Talk) -> None:
    """Another id and token under the same name; the old token is refused."""
    act(talk, "", "recreate_user")
    assert (await talk.ask("GET", "/System/Info")).status == 401
    (anna,) = [user for user in talk.server.users() if user.name == "anna"]
    assert anna.id != ANNA
    assert not any(r.watched for r in talk.server.state_rows("anna"))
    talk.server.act("anna", "", "delete_user", at=None, args={})
    assert [user.name for user in talk.server.users()] == ["ben"]
    talk.server.act("anna", "", "recreate_user", at=None, args={})
    assert [user.name for user in talk.server.users()] == ["ben", "anna"]


async def test_a_revoked_token_is_refused_and_another_is_there(talk: Talk) -> None:
    """Of a user; without a user the API key."""
    key, old = talk.server.admin_token, talk.server.users()[0].token
    for user in ("anna", ""):
        talk.server.act(user, "", "revoke_token", at=None, args={})
    new = talk.server.users()[0].token
    for token, status in ((old, 401), (key, 401), (new, 200), (talk.server.admin_token, 200)):
        asked = await talk.ask("GET", "/System/Info", headers={"X-Emby-Token": token})
        assert asked.status == status


async def test_only_an_administrator_lists_the_users(talk: Talk) -> None:
    """As the maker's document says."""
    tokens = {user.name: user.token for user in talk.server.users()}
    for name, status in (("anna", 200), ("ben", 403)):
        asked = await talk.ask("GET", "/Users/Query", headers={"X-Emby-Token": tokens[name]})
        assert asked.status == status


async def test_senseless_acts_are_told(talk: Talk) -> None:
    """Unknown users, items, acts and libraries, and a stop without a position."""
    for name, item, kind in [
        ("mark", "nothing", KeyError),
        ("dance", "matrix", ValueError),
        ("stop", "matrix", ValueError),
        ("rename_library", "", ValueError),
        ("restore_library", "Movies", KeyError),
    ]:
        with pytest.raises(kind):
            act(talk, item, name)
    with pytest.raises(KeyError):
        talk.server.act("nobody", "matrix", "mark", at=None, args={})
