"""The control side's acts on an emulated Jellyfin do what a person or a disk would do, as HTTP then shows it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from playhead.sandbox.server import StateRow
from tests.sandbox.jellyfin.conftest import NOW, PLAYED_AT, Run, Talk, make_world

VERSIONS = ("12.0.0", "10.11.11")
SEEN = StateRow("luna", True, 3, PLAYED_AT, 0.0, 8.0, True)


@pytest.fixture(params=VERSIONS)
async def talk(request: pytest.FixtureRequest, run_jellyfin: Run) -> AsyncIterator[Talk]:
    async with run_jellyfin(make_world(str(request.param))) as running:
        yield running


def act(talk: Talk, item: str, name: str, at: float | None = None, user: str = "ann", **args: Any) -> None:
    talk.server.act(user, item, name, at=at, args=args)


def row(talk: Talk, item: str) -> StateRow:
    (found,) = [r for r in talk.server.state_rows("ann") if r.item == item]
    return found


async def test_acts_of_watching(talk: Talk) -> None:
    """play, stop, mark, unmark, rate and favourite leave the state that they name, at the time given."""
    act(talk, "matrix", "stop", at=NOW - 50, position_s=1800)
    assert row(talk, "matrix") == StateRow("matrix", False, 1, int(NOW) - 50, 1800.0, None, False)
    act(talk, "matrix", "play", at=NOW - 10)
    assert row(talk, "matrix") == StateRow("matrix", True, 2, int(NOW) - 10, 0.0, None, False)
    act(talk, "matrix", "rate", rating=7.5)
    act(talk, "matrix", "favourite")
    act(talk, "matrix", "unmark")
    assert row(talk, "matrix") == StateRow("matrix", False, 0, None, 0.0, 7.5, True)
    act(talk, "matrix", "mark", at=NOW)
    act(talk, "matrix", "unfavourite")
    assert row(talk, "matrix") == StateRow("matrix", True, 1, int(NOW), 0.0, 7.5, False)


async def test_a_film_that_is_merely_started(talk: Talk) -> None:
    """10.11 says Played false, with a count and a date that no un-play has; 12 keeps it played."""
    act(talk, "luna", "start", at=NOW)
    data = await talk.data("luna")
    assert data["Played"] is (talk.server.version == "12.0.0")
    assert (data["PlayCount"], "LastPlayedDate" in data) == (4, True)


async def test_rows_of_a_file_with_two_episodes(talk: Talk) -> None:
    """Both world items have a row, and say the same; other versions of a film have none."""
    act(talk, "bebop3", "mark", at=NOW)
    assert row(talk, "bebop2").watched and row(talk, "bebop3").watched
    items = sorted(r.item for r in talk.server.state_rows("ann"))
    assert items == ["bebop1", "bebop2", "bebop3", "bebop4", "home", "luna", "matrix"]
    assert sorted(r.item for r in talk.server.state_rows("kid")) == ["home", "luna", "matrix"]


async def test_removed_and_put_back(talk: Talk) -> None:
    """The item answers 404 and has no row; put back it has its id and its state."""
    before = talk.id_of("luna")
    act(talk, "luna", "remove")
    assert (await talk.ask("GET", f"/Items/{before}", userId=talk.user)).status == 404
    assert "luna" not in {r.item for r in talk.server.state_rows("ann")}
    act(talk, "luna", "add")
    assert (talk.id_of("luna"), row(talk, "luna")) == (before, SEEN)


async def test_a_moved_file_is_a_new_item_with_its_state(talk: Talk) -> None:
    """Another path is another id; state follows by provider id, and a film without ids loses it."""
    old = talk.id_of("luna")
    act(talk, "luna", "move_file", file="Shorts/La Luna.mkv")
    assert talk.id_of("luna") != old
    assert row(talk, "luna") == SEEN
    act(talk, "home", "mark", at=NOW)
    act(talk, "home", "move_file")
    assert not row(talk, "home").watched


async def test_a_list_read_at_the_wrong_moment_makes_lists_lie(talk: Talk) -> None:
    """Lists keep the new item unplayed until a restart; 12's UserData route tells the truth, 10.11's does not."""
    act(talk, "bebop1", "mark", at=NOW)
    act(talk, "bebop1", "move_file", file="Cowboy Bebop (1998)/Season 01/One.mkv", half_read_s=5)
    lists = {"userId": talk.user, "recursive": "true", "includeItemTypes": "Episode"}
    new = talk.id_of("bebop1")
    early = {item["Id"]: item for item in (await talk.ask("GET", "/Items", **lists)).body["Items"]}
    assert "RunTimeTicks" not in early[new]
    talk.clock.freeze(NOW + 6)
    late = {item["Id"]: item for item in (await talk.ask("GET", "/Items", **lists)).body["Items"]}
    assert late[new]["RunTimeTicks"] and late[new]["UserData"]["Played"] is False
    route = (await talk.ask("GET", f"/UserItems/{new}/UserData", userId=talk.user)).body
    assert route["Played"] is (talk.server.version == "12.0.0")
    played = (await talk.ask("GET", "/Items", filters="IsPlayed", **lists)).body
    assert new in {item["Id"] for item in played["Items"]}
    act(talk, "", "restart")
    assert (await talk.data("bebop1"))["Played"] is True


async def test_a_partial_write_after_that_destroys_the_state_on_10_11(run_jellyfin: Run) -> None:
    """The lying cache is written back whole: the true state is gone for good (facts A8, 4)."""
    async with run_jellyfin(make_world("10.11.11")) as talk:
        act(talk, "luna", "move_file", file="Shorts/La Luna.mkv", half_read_s=5)
        await talk.ask("GET", "/Items", userId=talk.user, recursive="true", includeItemTypes="Movie")
        talk.clock.freeze(NOW + 6)
        body = {"PlaybackPositionTicks": 0}
        await talk.ask("POST", f"/UserItems/{talk.id_of('luna')}/UserData", json=body, userId=talk.user)
        assert row(talk, "luna") == StateRow("luna", False, 0, None, 0.0, None, False)


async def test_a_replaced_file(talk: Talk) -> None:
    """Under the same name the item stays and has its new length; another extension is another item with the state."""
    old = talk.id_of("luna")
    act(talk, "luna", "replace_file", same_path=True, duration_s=480)
    item = (await talk.ask("GET", f"/Items/{old}", userId=talk.user)).body
    assert item["RunTimeTicks"] == 4_800_000_000
    act(talk, "luna", "replace_file", extension="mp4")
    assert talk.id_of("luna") != old
    assert row(talk, "luna") == SEEN


async def test_an_item_of_the_world_arrives(talk: Talk) -> None:
    """What the server did not hold at first is there after ``add``; a placement's fields are taken."""
    act(talk, "lost", "add", title="There Now")
    found = await talk.ask("GET", "/Items", userId=talk.user, recursive="true", searchTerm="there now")
    assert [item["Id"] for item in found.body["Items"]] == [talk.id_of("lost")]


async def test_libraries_go_and_come_back(talk: Talk) -> None:
    """Renamed, removed and restored: the items keep ids and state, and are gone in between."""
    before = talk.id_of("luna")
    act(talk, "", "rename_library", library="Movies", title="Films")
    folders = (await talk.ask("GET", "/Library/VirtualFolders")).body
    assert {folder["Name"] for folder in folders} == {"Films", "Shows"}
    assert talk.id_of("luna") == before
    act(talk, "", "remove_library", library="Films")
    assert (await talk.ask("GET", f"/Items/{before}", userId=talk.user)).status == 404
    act(talk, "", "restore_library", library="Films")
    assert (talk.id_of("luna"), row(talk, "luna")) == (before, SEEN)


async def test_a_recreated_user(talk: Talk) -> None:
    """Another id and token and no rows; the old token and routes are dead."""
    old, token = talk.user, talk.token
    act(talk, "", "recreate_user", user="ann")
    ann = next(user for user in talk.server.users() if user.name == "ann")
    assert ann.id != old and ann.token != token
    assert (await talk.ask("GET", "/Users/Me")).status == 401
    assert not any(r.watched for r in talk.server.state_rows("ann"))
    assert (await talk.ask("GET", f"/Users/{old}", token=ann.token)).status == 404


async def test_acts_that_cannot_be(talk: Talk) -> None:
    """What does not exist is a KeyError; an act that nobody knows a ValueError that names the known ones."""
    with pytest.raises(KeyError):
        act(talk, "nothing", "mark")
    with pytest.raises(KeyError):
        act(talk, "luna", "mark", user="nobody")
    with pytest.raises(ValueError, match="use one of"):
        act(talk, "luna", "dance")
    with pytest.raises(ValueError, match="rating"):
        act(talk, "luna", "rate", rating=11)


async def test_a_revoked_token_is_refused_and_another_is_there(talk: Talk) -> None:
    """All of a user's; without a user the API keys."""
    old = next(user.token for user in talk.server.users() if user.name == "ann")
    key = talk.server.admin_token
    act(talk, "", "revoke_token")
    act(talk, "", "revoke_token", user="")
    new = next(user.token for user in talk.server.users() if user.name == "ann")
    for token, status in ((old, 401), (key, 401), (new, 200), (talk.server.admin_token, 200)):
        assert (await talk.ask("GET", "/Users", token=token)).status == status


async def test_quick_connect_can_be_switched_off(talk: Talk) -> None:
    """It says so, and refuses codes."""
    act(talk, "", "quick_connect", enabled=False)
    assert (await talk.ask("GET", "/QuickConnect/Enabled")).body is False
    assert (await talk.ask("POST", "/QuickConnect/Initiate", token="")).status == 401
    act(talk, "", "quick_connect", enabled=True)
    assert (await talk.ask("POST", "/QuickConnect/Initiate", token="")).status == 200


async def test_a_code_is_entered_within_ten_minutes(talk: Talk) -> None:
    """Then nobody knows it any more."""
    first = (await talk.ask("POST", "/QuickConnect/Initiate", token="")).body
    act(talk, "", "enter_code", code=first["Code"])
    asked = await talk.ask("GET", "/QuickConnect/Connect", secret=first["Secret"])
    assert (asked.status, asked.body["Authenticated"]) == (200, True)
    second = (await talk.ask("POST", "/QuickConnect/Initiate", token="")).body
    talk.clock.advance(601)
    assert (await talk.ask("GET", "/QuickConnect/Connect", secret=second["Secret"])).status == 404
    with pytest.raises(KeyError):
        act(talk, "", "enter_code", code=second["Code"])
