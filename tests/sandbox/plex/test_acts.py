"""What a person does on the emulated Plex or to its files, and what becomes of keys, guids and state."""

from __future__ import annotations

from typing import Any

import pytest

from playhead.sandbox.run import SandboxHandle
from playhead.sandbox.server import StateRow
from tests.sandbox.plex.conftest import Client
from tests.sandbox.plex.worlds import E1, HOME, MATRIX, NOW


def act(
    box: SandboxHandle, name: str, item: str = "", user: str = "alice", at: float | None = None, **args: Any
) -> None:
    box.server("plex").act(user, item, name, at=at, args=args)


def row(box: SandboxHandle, item: str, user: str = "alice") -> StateRow | None:
    rows = {r.item: r for r in box.server("plex").state_rows(user)}
    return rows.get(item)


def test_state_rows_say_what_the_world_said(box: SandboxHandle) -> None:
    """Each movie and episode that the account may see, once."""
    rows = {r.item: r for r in box.server("plex").state_rows("alice")}
    assert set(rows) == {"matrix", "legacy", "home", "e1", "e2", "e3", "e4", "old1"}
    assert rows["legacy"] == StateRow(
        item="legacy",
        watched=True,
        plays=2,
        last_played=1_690_000_000,
        position_s=0,
        rating=7.5,
        favourite=False,
    )
    assert (rows["e4"].watched, rows["e4"].position_s, rows["e4"].last_played) == (False, 300, 1_690_000_100)
    assert {r.item for r in box.server("plex").state_rows("kid")} == {"matrix", "legacy", "home"}


def test_play_stop_mark_unmark_rate(box: SandboxHandle) -> None:
    """Each at its time; a stop past 90 % is a play; a stop under a minute is nothing."""
    act(box, "play", "matrix", at=1_600_000_000)
    assert row(box, "matrix") == StateRow(
        item="matrix",
        watched=True,
        plays=1,
        last_played=1_600_000_000,
        position_s=0,
        rating=None,
        favourite=False,
    )
    act(box, "stop", "matrix", at=1_600_100_000, position_s=900)
    found = row(box, "matrix")
    assert found and (found.watched, found.position_s, found.last_played) == (True, 900, 1_600_100_000)
    act(box, "stop", "home", position_s=590)
    found = row(box, "home")
    assert found and (found.plays, found.position_s) == (1, 0)
    act(box, "stop", "e1", position_s=30)
    found = row(box, "e1")
    assert found and not found.watched and found.position_s == 0 and found.last_played is None
    act(box, "mark", "e1", user="bob")
    act(box, "rate", "e1", user="bob", rating=9)
    found = row(box, "e1", "bob")
    assert found and (found.plays, found.last_played, found.rating) == (1, NOW, 9)
    act(box, "unmark", "e1", user="bob")
    act(box, "rate", "e1", user="bob")
    found = row(box, "e1", "bob")
    assert found and (found.watched, found.last_played, found.rating) == (False, None, None)


def test_a_skewed_server_stamps_its_own_clock(box: SandboxHandle) -> None:
    """The same moment has another date on a server whose clock is off."""
    box.clocks["plex"].skew_s = 3600
    act(box, "play", "matrix", at=1_600_000_000)
    found = row(box, "matrix")
    assert found and found.last_played == 1_600_003_600


async def test_removed_and_added_again_has_its_state_under_a_new_key(
    box: SandboxHandle, alice: Client
) -> None:
    """State hangs on the guid; the rating key is new and the old one 404."""
    act(box, "play", "e1", at=NOW)
    act(box, "remove", "e1")
    assert row(box, "e1") is None
    assert (await alice.ask(f"/library/metadata/{E1}")).status == 404
    act(box, "add", "e1", at=NOW + 5)
    found = row(box, "e1")
    assert found and found.watched
    listed = (await alice.container("/library/sections/3/all", "type=4&sort=addedAt:desc"))["Metadata"]
    assert (listed[0]["title"], listed[0]["addedAt"]) == ("Part 1", NOW + 5)
    assert int(listed[0]["ratingKey"]) != E1


def test_a_local_item_loses_its_state(box: SandboxHandle) -> None:
    """Its guid is its key, which is never given again."""
    act(box, "play", "home", at=NOW)
    act(box, "remove", "home")
    act(box, "add", "home", at=NOW)
    found = row(box, "home")
    assert found and not found.watched


async def test_history_keeps_rows_of_deleted_items_without_keys(box: SandboxHandle, alice: Client) -> None:
    """Title and date stay, key and ratingKey go."""
    act(box, "play", "e1", at=NOW)
    act(box, "remove", "e1")
    rows = (await alice.container("/status/sessions/history/all", "sort=viewedAt:desc"))["Metadata"]
    assert (rows[0]["title"], "ratingKey" in rows[0], "key" in rows[0]) == ("Part 1", False, False)


async def test_a_replaced_and_a_moved_file_are_the_same_item(box: SandboxHandle, alice: Client) -> None:
    """Key, guid and state stay; path, media id and length change."""
    act(box, "play", "matrix", at=NOW)
    before = await alice.entry(MATRIX)
    act(box, "replace_file", "matrix", library="Movies", duration_s=9000, at=NOW + 9)
    after = await alice.entry(MATRIX)
    assert (after["guid"], after["viewCount"], after["duration"]) == (before["guid"], 1, 9_000_000)
    assert after["Media"][0]["id"] != before["Media"][0]["id"]
    assert after["Media"][0]["Part"][0]["file"] != before["Media"][0]["Part"][0]["file"]
    act(box, "move_file", "matrix", library="Movies", file="Elsewhere/matrix.mkv")
    moved = await alice.entry(MATRIX)
    assert moved["Media"][0]["Part"][0]["file"] == "/data/movies/Elsewhere/matrix.mkv"


async def test_libraries_are_renamed_removed_and_restored(box: SandboxHandle, alice: Client) -> None:
    """A removed library's items are gone; restored they have new keys and, but for local ones, their state."""
    act(box, "play", "matrix", at=NOW)
    act(box, "play", "home", at=NOW)
    act(box, "rename_library", library="Movies", title="Films")
    act(box, "remove_library", library="4K")
    sections = (await alice.container("/library/sections"))["Directory"]
    assert [s["title"] for s in sections] == ["Films", "Shows"]
    act(box, "remove_library", library="Films")
    assert row(box, "matrix") is None
    assert (await alice.ask(f"/library/metadata/{MATRIX}")).status == 404
    act(box, "restore_library", library="Films")
    matrix, home = row(box, "matrix"), row(box, "home")
    assert matrix and home and (matrix.watched, home.watched) == (True, False)
    assert (await alice.ask(f"/library/metadata/{HOME}")).status == 404


async def test_a_recreated_user_is_another_one(box: SandboxHandle, bob: Client) -> None:
    """Another id and token, no state; the old token is refused. The owner stays."""
    act(box, "play", "matrix", user="bob", at=NOW)
    before = next(user for user in box.server("plex").users() if user.name == "bob")
    act(box, "recreate_user", user="bob")
    after = next(user for user in box.server("plex").users() if user.name == "bob")
    assert before.id != after.id
    assert (await bob.ask("/library/sections")).status == 401
    found = row(box, "matrix", "bob")
    assert found and not found.watched
    act(box, "delete_user", user="bob")
    assert [user.name for user in box.server("plex").users()] == ["alice", "kid"]
    with pytest.raises(ValueError, match="owner"):
        act(box, "delete_user")


@pytest.mark.parametrize(
    ("name", "item", "args", "error", "word"),
    [
        ("fly", "matrix", {}, ValueError, "play, start, stop"),
        ("favourite", "matrix", {}, ValueError, "no favourites"),
        ("stop", "matrix", {}, ValueError, "position_s"),
        ("stop", "show", {"position_s": 90}, ValueError, "movie or an episode"),
        ("rate", "matrix", {"rating": 11}, ValueError, "0 to 10"),
        ("play", "nothing", {}, KeyError, "does not hold"),
        ("play", "matrix", {"library": "Shows"}, KeyError, "library"),
        ("add", "nothing", {}, KeyError, "in the world"),
        ("rename_library", "", {"library": "Movies"}, ValueError, "title"),
        ("remove_library", "", {"library": "Music"}, KeyError, "Movies, 4K, Shows"),
        ("restore_library", "", {}, ValueError, "library"),
    ],
)
def test_acts_that_make_no_sense(
    box: SandboxHandle, name: str, item: str, args: dict[str, Any], error: type[Exception], word: str
) -> None:
    """Each is refused with what is wrong or what there is."""
    with pytest.raises(error, match=word):
        act(box, name, item, **args)


def test_an_unknown_user_is_told_who_exists(box: SandboxHandle) -> None:
    """Names, account ids and plex.tv ids are known, others not."""
    assert box.server("plex").state_rows("1") == box.server("plex").state_rows("alice")
    with pytest.raises(KeyError, match="alice, bob, kid"):
        box.server("plex").state_rows("zoe")
