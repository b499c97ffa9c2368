"""What is new on a connection: told once, and nothing told that only looks new."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from playhead.flows.find_additions import look, take_proved
from playhead.ports.errors import Unreachable

from .newsroom import FakeServer, Newsroom, change, episode, library


@pytest.fixture
def room(tmp_path: Path) -> Newsroom:
    return Newsroom(tmp_path)


async def test_what_was_there_at_first_sight_is_not_told(room: Newsroom) -> None:
    """Nothing of a library's first look; what comes later is."""
    server = FakeServer()
    server.put(*(episode(n, 100 + n) for n in range(1, 8)))
    lane = room.lane("Plex", server, page=3, first_page=2)
    assert await look(lane) == []
    server.put(episode(8, 500))
    assert [each.title for each in await look(lane)] == ["Part 8"]
    assert await look(lane) == []


async def test_more_than_a_page_at_once_is_told_whole(room: Newsroom) -> None:
    """PlexLib looked at 50 and lost the rest."""
    server = FakeServer()
    server.put(episode(1, 100))
    lane = room.lane("Plex", server)
    await look(lane)
    server.put(*(episode(n, 1000 + n) for n in range(2, 180)))
    assert len(await look(lane)) == 178


async def test_a_new_library_is_seen_before_it_tells(room: Newsroom) -> None:
    """While it is being scanned for the first time nothing is concluded from it."""
    server = FakeServer()
    lane = room.lane("Plex", server)
    await look(lane)
    server.libraries["2"] = library("2", "Films", scanning=True)
    server.put(episode(1, 100, library_id="2"))
    assert await look(lane) == []
    server.put(episode(2, 101, library_id="2"))
    server.libraries["2"] = library("2", "Films", scanning=False)
    assert await look(lane) == []
    server.put(episode(3, 200, library_id="2"))
    assert [each.library for each in await look(lane)] == ["Films"]


async def test_a_deletion_makes_nothing_new(room: Newsroom) -> None:
    """An older item that comes within the newest because others went was known."""
    server = FakeServer()
    server.put(*(episode(n, n) for n in range(1, 20)))
    lane = room.lane("Plex", server, page=3)
    await look(lane)
    for number in range(12, 20):
        del server.items[str(100 + number)]
    assert await look(lane) == []


@pytest.mark.parametrize("folder", ["", "/srv"])
async def test_a_move_a_rename_and_a_rematch_are_not_told(room: Newsroom, folder: str) -> None:
    """Another id and another path, or another id and other claims: the item is the same."""
    server = FakeServer()
    old = episode(1, 100)
    server.put(old)
    lane = room.lane("Jellyfin", server, folder)
    await look(lane)
    server.items.clear()
    moved = change(old, native_id="moved", files=("/srv/Other/S02E01.1080p.web.mkv",), added_at=900)
    server.put(moved)
    assert await look(lane) == []
    server.items.clear()
    renamed = change(moved, native_id="renamed", files=("/srv/Other/Severance - 2x01.mkv",), claims=())
    server.put(change(renamed, added_at=901))
    assert await look(lane) == []
    server.items.clear()
    server.put(change(renamed, native_id="rematched", claims=("tvdb:episode:1",), show_title="Severed"))
    assert await look(lane) == []


async def test_a_better_file_is_an_upgrade_once(room: Newsroom) -> None:
    """By its name where nobody said so; on the server that had the item before."""
    server = FakeServer()
    server.put(episode(1, 100))
    lane = room.lane("Plex", server)
    await look(lane)
    better = episode(1, 100, files=("/srv/Shows/Severance/S02E01.2160p.bluray.mkv",))
    server.put(better)
    assert [each.what for each in await look(lane)] == ["upgraded"]
    server.put(change(better, native_id="other"))
    assert await look(lane) == []


async def test_the_word_of_who_put_it_there_goes_first(room: Newsroom) -> None:
    """An upgrade of the same quality (a repack) is one; a rename whose name says more is none."""
    server = FakeServer()
    server.put(episode(1, 100), episode(2, 100))
    lane = room.lane("Plex", server, "/srv")
    await look(lane)
    repack, renamed = "Shows/Severance/S02E01.1080p.web.repack.mkv", "Shows/Severance/S02E02.2160p.bluray.mkv"
    server.put(episode(1, 100, files=(f"/srv/{repack}",)), episode(2, 100, files=(f"/srv/{renamed}",)))
    shows = library("1", "Shows")
    words = {f"/hub/{repack}": "upgraded", f"/hub/{renamed}": "renamed"}
    found = await take_proved(lane, shows, [f"/srv/{repack}", f"/srv/{renamed}"], words)  # type: ignore[arg-type]
    assert [(each.what, each.title) for each in found] == [("upgraded", "Part 1")]
    assert await take_proved(lane, shows, [f"/srv/{repack}"], words) == []  # type: ignore[arg-type]


async def test_a_proved_file_with_an_old_date_is_told(room: Newsroom) -> None:
    """Jellyfin may give an item its file's date: a look does not find it, the proof of its arrival does."""
    server = FakeServer()
    server.put(episode(1, 1000))
    lane = room.lane("Jellyfin", server)
    await look(lane)
    old = episode(2, 5)
    server.put(old)
    assert await look(lane) == []
    server.items.pop(old.native_id)
    aged = episode(3, 6)
    server.put(aged)
    assert [each.title for each in await take_proved(lane, library("1", "Shows"), aged.files)] == ["Part 3"]


async def test_what_a_server_stored_lately_is_told_whatever_its_dates(room: Newsroom) -> None:
    """An old date, and a better file of an old item; what was merely read again is not."""
    server = FakeServer()
    server.now = lambda: room.now
    server.put(*(episode(n, 1000 + n) for n in range(1, 200)))
    room.now += 10_000
    lane = room.lane("Jellyfin", server, saved=server, first_page=20)
    await look(lane)
    room.now += 5000
    better = episode(3, 1003, files=("/srv/Shows/Severance/S02E03.2160p.bluray.mkv",))
    server.put(episode(500, 5), better, *(episode(n, 1000 + n, poster="/new") for n in range(10, 60)))
    assert {(each.what, each.title) for each in await look(lane)} == {
        ("new", "Part 500"),
        ("upgraded", "Part 3"),
    }
    assert await look(lane) == []


async def test_three_servers_make_one_addition(room: Newsroom) -> None:
    """By claims, by file under mapped folders, by show and numbers while a server has no claims yet."""
    plex, jellyfin, emby = FakeServer(), FakeServer(), FakeServer()
    lanes = [
        room.lane("Plex", plex, "/srv"), room.lane("Jellyfin", jellyfin), room.lane("Emby", emby, "/media")
    ]  # fmt: skip
    for lane in lanes:
        await look(lane)
    plex.put(episode(1, 900))
    jellyfin.put(episode(1, 901, native_id="aa", files=("/tv/Severance 2x01.mkv",), claims=()))
    named = "/media/Shows/Severance/S02E01.1080p.web.mkv"
    emby.put(episode(1, 902, native_id="7", files=(named,), claims=(), show_title=None))
    assert [len(await look(lane)) for lane in lanes] == [1, 0, 0]
    places = [(each.addition.id, each.connection) for each in room.additions.list_shown(0, 10)]
    assert places == [(1, "Plex"), (1, "Jellyfin"), (1, "Emby")]


async def test_what_came_while_nobody_wanted_to_know_is_not_told(room: Newsroom) -> None:
    """Every library is seen for the first time again."""
    server = FakeServer()
    server.put(episode(1, 100))
    lane = room.lane("Plex", server)
    await look(lane)
    room.additions.forget_shelves()
    server.put(episode(2, 200))
    assert await look(lane) == []
    server.put(episode(3, 300))
    assert [each.title for each in await look(lane)] == ["Part 3"]


async def test_two_shows_of_one_name_are_two(room: Newsroom) -> None:
    """A source that knows both by different ids says so."""
    server = FakeServer()
    lane = room.lane("Plex", server)
    await look(lane)
    server.put(
        episode(1, 900, show_title="The Office", native_id="uk", files=("/srv/uk.mkv",), claims=("tvdb:episode:1",)),
        episode(1, 901, show_title="The Office", native_id="us", files=("/srv/us.mkv",), claims=("tvdb:episode:2",)),
    )  # fmt: skip
    assert len(await look(lane)) == 2


async def test_a_file_of_two_episodes(room: Newsroom) -> None:
    """Two items on Plex are both new though they share a file; one item on Jellyfin is the same as the two."""
    plex, jellyfin = FakeServer(), FakeServer()
    lanes = [room.lane("Plex", plex), room.lane("Jellyfin", jellyfin)]
    for lane in lanes:
        await look(lane)
    file = ("/srv/S02E01-E02.mkv",)
    plex.put(episode(1, 900, files=file), episode(2, 900, files=file))
    jellyfin.put(episode(1, 900, files=("/tv/S02E01-E02.mkv",), episode_end=2, claims=()))
    assert [len(await look(lane)) for lane in lanes] == [2, 0]


@pytest.mark.parametrize("pages", range(4))
async def test_a_look_that_breaks_off_loses_and_doubles_nothing(room: Newsroom, pages: int) -> None:
    """At its first time as later, after any page."""
    server = FakeServer()
    server.put(*(episode(n, n) for n in range(1, 9)))
    lane = room.lane("Plex", server, page=3, first_page=3)
    server.breaks_after = pages
    with pytest.raises(Unreachable):
        await look(lane)
    server.put(episode(50, 500))
    await look(lane)
    server.put(*(episode(n, 1000 + n) for n in range(60, 69)))
    server.breaks_after = pages
    with pytest.raises(Unreachable):
        await look(lane)
    room.restart()
    lane = room.lane("Plex", server, page=3, first_page=3)
    await look(lane)
    await look(lane)
    came = {f"Part {n}" for n in range(60, 69)} | ({"Part 50"} if pages else set())
    assert room.told() == sorted(("new", title) for title in came)


async def test_what_a_proof_took_hides_nothing_below_it(room: Newsroom) -> None:
    """A page that is known because its files were proved is not the end of a look."""
    server = FakeServer()
    server.put(episode(1, 100))
    lane = room.lane("Plex", server, page=2)
    await look(lane)
    server.put(episode(2, 200), episode(3, 300), episode(4, 400))
    proved = [*episode(3, 300).files, *episode(4, 400).files]
    assert len(await take_proved(lane, library("1", "Shows"), proved)) == 2
    assert [each.title for each in await look(lane)] == ["Part 2"]


async def test_two_looks_at_a_time_tell_once(room: Newsroom) -> None:
    """Whoever comes second finds it known."""
    server = FakeServer()
    lane = room.lane("Plex", server)
    await look(lane)
    server.put(*(episode(n, 900 + n) for n in range(1, 30)))
    first, second = await asyncio.gather(look(lane), look(lane))
    assert len(first) + len(second) == 29


async def test_what_has_no_file_is_nothing_that_came(room: Newsroom) -> None:
    """An episode that is merely listed, and one whose file is gone."""
    server = FakeServer()
    lane = room.lane("Jellyfin", server)
    await look(lane)
    server.put(episode(1, 900, files=()), episode(2, 901, available=False))
    assert await look(lane) == []
    server.put(episode(2, 901), episode(3, 902, kind="other", files=("/srv/Shows/Severance",)))
    assert [each.title for each in await look(lane)] == ["Part 2"]
