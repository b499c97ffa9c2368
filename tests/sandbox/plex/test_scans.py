"""Scans of an emulated Plex over a real folder: what is found, what is told meanwhile, what becomes of what is gone."""

from __future__ import annotations

import shutil
from pathlib import Path

import aiohttp
import msgspec
import pytest

from tests.sandbox.ear import listen, wait_until
from tests.sandbox.plex.conftest import Client
from tests.sandbox.plex.stage import NOW, put, stage
from tests.truth import truth_path


async def test_at_the_start_a_library_holds_what_lies_in_its_folder(
    tmp_path: Path, session: aiohttp.ClientSession
) -> None:
    """With the ids, the title and the state of the world's item; what has no file is not there."""
    async with stage(tmp_path, session) as at:
        [matrix] = (await at.client.container("/library/sections/1/all", "includeGuids=1"))["Metadata"]
        assert (matrix["title"], matrix["viewCount"], matrix["Guid"]) == (
            "The Matrix",
            1,
            [{"id": "tmdb://603"}],
        )
        assert await at.files(2, "type=4") == ["/data/tv/The Show (2008)/Season 01/The Show - S01E01.mkv"]
        assert (await at.section("Films"))["Location"][0]["path"] == str(at.films)


async def test_a_scan_of_a_folder_takes_its_time_and_finds_the_file(
    tmp_path: Path, session: aiohttp.ClientSession
) -> None:
    """``refreshing`` meanwhile; then the item is there, first without ids; the section's times have moved."""
    async with stage(tmp_path, session) as at:
        before = await at.section("Shows")
        put(at.shows, "The Show (2008)/Season 01/The Show - S01E02.mkv")
        await at.scan(2, "/data/tv/The Show (2008)/Season 01", wait_s=1)
        assert (await at.section("Shows"))["refreshing"] is True
        assert (await at.section("Films"))["refreshing"] is False
        assert await at.titles(2, "type=4") == ["Part 1"]
        at.box.clock.advance(1)
        after = await at.section("Shows")
        assert after["refreshing"] is False
        assert all(after[name] > before[name] for name in ("scannedAt", "updatedAt", "contentChangedAt"))
        newest = "type=4&sort=addedAt:desc&includeGuids=1"
        [entry, _] = (await at.client.container("/library/sections/2/all", newest))["Metadata"]
        assert (entry["title"], entry["guid"].split(":")[0], "Guid" in entry) == (
            "The Show - S01E02",
            "local",
            False,
        )
        at.box.clock.advance(1)
        [entry, _] = (await at.client.container("/library/sections/2/all", newest))["Metadata"]
        assert (entry["title"], entry["Guid"]) == ("Part 2", [{"id": "tvdb://902"}])
        assert entry["addedAt"] == NOW + 2


async def test_everything_is_told_in_order(tmp_path: Path, session: aiohttp.ClientSession) -> None:
    """Activities, the status, and the states 0 to 5 of each new item; the activity has the recorded one's fields."""
    async with stage(tmp_path, session) as at:
        put(at.films, "New One (2024)/New One (2024).mkv")
        await at.scan(1)
        told = await at.heard(11)
        kinds = [each["type"] for each in told]
        first = ["activity", "status", "activity", "timeline", "activity", "status"]
        assert kinds == [*first, *["timeline"] * 5]
        activities = [each["ActivityNotification"][0] for each in told if each["type"] == "activity"]
        assert [each["event"] for each in activities] == ["started", "updated", "ended"]
        assert len({each["uuid"] for each in activities}) == 1
        titles = [each["StatusNotification"][0]["title"] for each in told if each["type"] == "status"]
        assert titles == ['Scanning the "Films" section', "Library scan complete"]
        entries = [each["TimelineEntry"][0] for each in told if each["type"] == "timeline"]
        assert [entry["state"] for entry in entries] == [0, 1, 2, 3, 4, 5]
        assert {entry["type"] for entry in entries} == {1}
        recorded = msgspec.json.decode(truth_path("events", "plex", "websocket-activity.1.json").read_bytes())
        real = recorded["NotificationContainer"]["ActivityNotification"][0]
        assert real.keys() == activities[1].keys()
        assert real["Activity"].keys() == activities[1]["Activity"].keys()
        assert (real["Activity"]["type"], real["Activity"]["title"].split()[0]) == (
            "library.update.section",
            "Scanning",
        )


async def test_titles_are_in_the_servers_language_and_types_are_not(
    tmp_path: Path, session: aiohttp.ClientSession
) -> None:
    """As set at the start, and as changed later."""
    async with stage(tmp_path, session, language="fr") as at:
        at.act("set_language", language="de")
        await at.scan(1)
        told = await at.heard(5)
        assert told[0]["ActivityNotification"][0]["Activity"]["type"] == "library.update.section"
        assert told[0]["ActivityNotification"][0]["Activity"]["title"] == "Films wird durchsucht"
        assert told[-1]["StatusNotification"][0]["notificationName"] == "LIBRARY_UPDATE"
        with pytest.raises(ValueError, match="does not speak"):
            at.act("set_language", language="tlh")


async def test_activities_list_what_runs_and_two_sections_run_at_once(
    tmp_path: Path, session: aiohttp.ClientSession
) -> None:
    """By the maker's document; ``DELETE`` ends one and nothing is found."""
    async with stage(tmp_path, session) as at:
        put(at.films, "New One (2024).mkv")
        put(at.shows, "New Show/S01E01.mkv")
        await at.scan(1, wait_s=0)
        await at.scan(2, wait_s=1)
        running = (await at.client.container("/activities"))["Activity"]
        assert [each["Context"]["librarySectionID"] for each in running] == ["1", "2"]
        assert [each["progress"] for each in running] == [50, 50]
        gone = await at.client.ask("/library/sections/1/refresh", method="DELETE")
        assert gone.status == 200
        also = await at.client.ask(f"/activities/{running[1]['uuid']}", method="DELETE")
        assert also.status == 200
        at.box.clock.advance(10)
        assert (await at.client.container("/activities"))["size"] == 0
        assert await at.titles(1) == ["The Matrix"]
        assert await at.titles(2) == ["The Show"]
        assert (await at.client.ask("/activities/nope", method="DELETE")).status == 404


async def test_what_is_asked_while_a_section_is_scanned_comes_after_it(
    tmp_path: Path, session: aiohttp.ClientSession
) -> None:
    """A file that came too late for the first is found by the second; equal wishes are one."""
    async with stage(tmp_path, session) as at:
        await at.scan(1, wait_s=1)
        for _ in range(3):
            await at.scan(1, wait_s=0)
        at.box.clock.advance(1)
        put(at.films, "Late (2024).mkv")
        assert await at.titles(1) == ["The Matrix"]
        at.box.clock.advance(5)
        assert await at.titles(1) == ["Late", "The Matrix"]
        events = [e["ActivityNotification"][0]["event"] for e in await at.heard(9) if e["type"] == "activity"]
        assert events == ["started", "updated", "ended"] * 2


@pytest.mark.parametrize("path", ["/elsewhere/tv", "/data/tvs", "/data/tv/No Such Folder", "relative"])
async def test_a_path_where_nothing_is_is_accepted_and_nothing_happens(
    tmp_path: Path, session: aiohttp.ClientSession, path: str
) -> None:
    """200, and the new file elsewhere stays unseen."""
    async with stage(tmp_path, session) as at:
        put(at.shows, "The Show (2008)/Season 01/The Show - S01E02.mkv")
        await at.scan(2, path)
        assert await at.titles(2, "type=4") == ["Part 1"]


@pytest.mark.parametrize(("version", "status"), [("1.43.3", 404), ("1.32.5", 200)])
async def test_only_get_scans_on_newer_servers(
    tmp_path: Path, session: aiohttp.ClientSession, version: str, status: int
) -> None:
    """From 1.32.7 on POST and PUT are gone, whatever the maker's document says."""
    async with stage(tmp_path, session, version=version) as at:
        url = f"{at.box.url('plex')}/library/sections/1/refresh?X-Plex-Token={at.client.token}"
        for method in ("POST", "PUT"):
            async with session.request(method, url) as answer:
                assert answer.status == status


async def test_others_than_the_owner_may_not_scan(tmp_path: Path, session: aiohttp.ClientSession) -> None:
    """403, and 404 for a section that nobody knows."""
    async with stage(tmp_path, session) as at:
        kid = Client(session, at.box.url("plex"), at.box.token("plex", "kid"))
        assert (await kid.ask("/library/sections/1/refresh")).status == 403
        assert (await at.client.ask("/library/sections/99/refresh")).status == 404


async def test_windows_paths_go_out_and_come_in(tmp_path: Path, session: aiohttp.ClientSession) -> None:
    """Location, file and the path of a scan, in the server's own form."""
    async with stage(tmp_path, session, root="\\\\nas\\video\\TV") as at:
        put(at.shows, "The Show (2008)/Season 02/The Show - S02E01 - Späti & Co #1.mkv")
        await at.scan(2, "\\\\nas\\video\\TV\\The Show (2008)")
        assert (await at.section("Shows"))["Location"][0]["path"] == "\\\\nas\\video\\TV"
        assert (await at.files(2, "type=4"))[-1] == (
            "\\\\nas\\video\\TV\\The Show (2008)\\Season 02\\The Show - S02E01 - Späti & Co #1.mkv"
        )


async def test_a_new_folder_can_be_missed_once(tmp_path: Path, session: aiohttp.ClientSession) -> None:
    """The second scan of it finds it; so does one of the whole section at once."""
    async with stage(tmp_path, session, misses_new_folder=True) as at:
        put(at.shows, "Fresh (2024)/Season 01/Fresh - S01E01.mkv")
        await at.scan(2, "/data/tv/Fresh (2024)")
        assert await at.titles(2) == ["The Show"]
        await at.scan(2, "/data/tv/Fresh (2024)")
        assert await at.titles(2) == ["Fresh", "The Show"]
        put(at.shows, "Other (2024)/Season 01/Other - S01E01.mkv")
        await at.scan(2)
        assert await at.titles(2) == ["Fresh", "Other", "The Show"]


async def test_an_upgrade_keeps_the_item_and_its_state(
    tmp_path: Path, session: aiohttp.ClientSession
) -> None:
    """The same key, another file; nothing is told as new, nothing as deleted."""
    async with stage(tmp_path, session) as at:
        [old] = (await at.client.container("/library/sections/1/all"))["Metadata"]
        (at.films / "The Matrix (1999)/The Matrix (1999).mkv").unlink()
        put(at.films, "The Matrix (1999)/The Matrix (1999) 2160p.mkv")
        await at.scan(1)
        [new] = (await at.client.container("/library/sections/1/all"))["Metadata"]
        assert (new["ratingKey"], new["viewCount"], new["addedAt"]) == (old["ratingKey"], 1, old["addedAt"])
        assert await at.files(1) == [f"{at.films}/The Matrix (1999)/The Matrix (1999) 2160p.mkv"]
        states = [e["TimelineEntry"][0]["state"] for e in await at.heard(6) if e["type"] == "timeline"]
        assert set(states) == {5}


async def test_a_file_of_two_episodes_is_two_items(tmp_path: Path, session: aiohttp.ClientSession) -> None:
    """Each with the same file."""
    async with stage(tmp_path, session) as at:
        put(at.shows, "The Show (2008)/Season 01/The Show - S01E02-E03.mkv")
        await at.scan(2)
        assert await at.titles(2, "type=4") == ["Part 1", "Part 2", "Part 3"]
        files = await at.files(2, "type=4")
        assert files[1] == files[2] == "/data/tv/The Show (2008)/Season 01/The Show - S01E02-E03.mkv"


async def test_what_is_gone_stays_until_the_trash_is_emptied(
    tmp_path: Path, session: aiohttp.ClientSession
) -> None:
    """``deletedAt``, ``exists`` false; then state 9 and 404. A file that comes back is the item of before."""
    async with stage(tmp_path, session) as at:
        [matrix] = (await at.client.container("/library/sections/1/all"))["Metadata"]
        key, path = matrix["ratingKey"], at.films / "The Matrix (1999)"
        shutil.move(path, tmp_path / "kept")
        await at.scan(1)
        entry = (await at.client.container(f"/library/metadata/{key}", "checkFiles=1"))["Metadata"][0]
        assert entry["deletedAt"] == NOW + 2
        assert entry["Media"][0]["Part"][0]["exists"] is False
        assert await at.titles(1, "trash=1") == ["The Matrix"]
        shutil.move(tmp_path / "kept", path)
        await at.scan(1)
        entry = (await at.client.container(f"/library/metadata/{key}", "checkFiles=1"))["Metadata"][0]
        assert "deletedAt" not in entry
        assert entry["Media"][0]["Part"][0]["exists"] is True
        shutil.rmtree(path)
        await at.scan(1)
        assert (await at.client.ask("/library/sections/1/emptyTrash", method="PUT")).status == 200
        assert (await at.client.ask(f"/library/metadata/{key}")).status == 404
        last = (await at.heard(19))[-1]["TimelineEntry"][0]
        assert (last["itemID"], last["state"], last["metadataState"]) == (key, 9, "deleted")


async def test_some_servers_empty_the_trash_by_themselves(
    tmp_path: Path, session: aiohttp.ClientSession
) -> None:
    """After the scan; the setting says so."""
    async with stage(tmp_path, session, empties_trash=True) as at:
        shutil.rmtree(at.films / "The Matrix (1999)")
        await at.scan(1)
        assert await at.titles(1) == []
        settings = (await at.client.container("/:/prefs"))["Setting"]
        assert [each["value"] for each in settings if each["id"] == "autoEmptyTrash"] == [True]


@pytest.mark.parametrize("empty", [False, True])
async def test_a_share_that_is_away_is_no_deletion_unless_an_empty_folder_stays(
    tmp_path: Path, session: aiohttp.ClientSession, empty: bool
) -> None:
    """The emptied trash then takes the items with it; back again, they are new ones with the old state."""
    async with stage(tmp_path, session) as at:
        at.act("unmount", library="Films", empty=empty)
        await at.scan(1)
        assert await at.titles(1) == ["The Matrix"]
        assert await at.titles(1, "trash=1") == (["The Matrix"] if empty else [])
        await at.client.ask("/library/sections/1/emptyTrash", method="PUT")
        assert await at.titles(1) == ([] if empty else ["The Matrix"])
        at.act("mount", library="Films")
        await at.scan(1)
        [back] = (await at.client.container("/library/sections/1/all"))["Metadata"]
        assert (back["title"], back["viewCount"]) == ("The Matrix", 1)


async def test_libraries_are_made_and_moved(tmp_path: Path, session: aiohttp.ClientSession) -> None:
    """A new one is scanned at once; in another folder the items keep their keys."""
    async with stage(tmp_path, session) as at:
        put(tmp_path / "more", "Extra (2020).mkv")
        at.act("add_library", title="More", kind="movies", folder=str(tmp_path / "more"), root="M:\\")
        at.box.clock.advance(10)
        more = await at.section("More")
        assert more["Location"][0]["path"] == "M:"
        [extra] = (await at.client.container(f"/library/sections/{more['key']}/all"))["Metadata"]
        shutil.copytree(tmp_path / "more", tmp_path / "other")
        at.act("move_library", library="More", folder=str(tmp_path / "other"))
        at.box.clock.advance(10)
        [moved] = (await at.client.container(f"/library/sections/{more['key']}/all"))["Metadata"]
        assert moved["ratingKey"] == extra["ratingKey"]
        assert moved["Media"][0]["Part"][0]["file"] == f"{tmp_path}/other/Extra (2020).mkv"
        with pytest.raises(ValueError, match="already"):
            at.act("add_library", title="More", kind="movies", root="/x")
        with pytest.raises(ValueError, match="needs"):
            at.act("add_library", title="Odd", kind="songs", root="/x")


async def test_a_library_of_several_folders(tmp_path: Path, session: aiohttp.ClientSession) -> None:
    """Each is a Location; one of them away leaves its items alone; one that is taken away takes its items to the trash."""
    async with stage(tmp_path, session) as at:
        put(tmp_path / "more", "The Matrix (1999).mkv", "Extra (2020).mkv")
        at.act("add_folder", library="Films", folder=str(tmp_path / "more"), root="/more")
        at.box.clock.advance(10)
        locations = (await at.section("Films"))["Location"]
        assert [each["path"] for each in locations] == [str(at.films), "/more"]
        assert len({each["id"] for each in locations}) == 2
        assert sorted(await at.titles(1)) == ["Extra", "The Matrix"]
        put(tmp_path / "more", "Other (2021).mkv")
        await at.scan(1, "/more")
        assert len(await at.titles(1)) == 3
        at.act("unmount", library="Films", root="/more")
        await at.scan(1)
        assert await at.titles(1, "trash=1") == []
        at.act("mount", library="Films", root="/more")
        at.act("remove_folder", library="Films", root="/more")
        at.box.clock.advance(10)
        assert sorted(await at.titles(1, "trash=1")) == ["Extra", "Other"]
        for args in ({"root": "/nope"}, {"root": str(at.films)}):
            with pytest.raises(ValueError, match="one of several"):
                at.act("remove_folder", library="Films", **args)
        with pytest.raises(ValueError, match="needs"):
            at.act("add_folder", library="Films")


async def test_acts_on_files_are_refused_where_the_folder_is_real(
    tmp_path: Path, session: aiohttp.ClientSession
) -> None:
    """The message says what to do instead."""
    async with stage(tmp_path, session) as at:
        for what, item in (
            ("remove", "matrix"),
            ("replace_file", "matrix"),
            ("move_file", "e1"),
            ("add", "away"),
        ):
            with pytest.raises(ValueError, match="real folder: change the files"):
                at.box.server("plex").act("", item, what, at=None, args={})


async def test_webhooks_tell_many_new_episodes_as_their_show(
    tmp_path: Path, session: aiohttp.ClientSession
) -> None:
    """One post for sixty episodes, one for a film; the fifty newest are in recentlyAdded."""
    async with listen() as ear, stage(tmp_path, session, webhooks=[f"{ear.url}/hook"]) as at:
        put(at.films, "New One (2024).mkv")
        put(at.shows, *(f"Long (2024)/Season 01/Long - S01E{n:02d}.mkv" for n in range(1, 61)))
        await at.scan(1)
        await at.scan(2)
        await wait_until(lambda: len(ear.posts) == 2)
        told = [post.json("payload") for post in ear.posts]
        assert [each["event"] for each in told] == ["library.new"] * 2
        assert [each["Metadata"]["title"] for each in told] == ["New One", "Long"]
        recent = (await at.client.container("/library/recentlyAdded", "type=4"))["Metadata"]
        assert (len(recent), {entry["grandparentTitle"] for entry in recent}) == (50, {"Long"})


async def test_a_killed_server_forgets_its_scan(tmp_path: Path, session: aiohttp.ClientSession) -> None:
    """Nothing is under way afterwards, and the next scan finds the file."""
    async with stage(tmp_path, session) as at:
        put(at.films, "New One (2024).mkv")
        await at.scan(1, wait_s=1)
        at.box.server("plex").crash()
        at.box.clock.advance(10)
        assert await at.titles(1) == ["The Matrix"]
        await at.scan(1)
        assert await at.titles(1) == ["The Matrix", "New One"]


async def test_a_refreshed_item_is_told_as_processed_and_nothing_is_new(
    tmp_path: Path, session: aiohttp.ClientSession
) -> None:
    """An activity of its own type, then state 5; ``addedAt`` stays."""
    async with stage(tmp_path, session) as at:
        [old] = (await at.client.container("/library/sections/1/all"))["Metadata"]
        at.box.clock.advance(60)
        await at.client.ask(f"/library/metadata/{old['ratingKey']}/refresh", method="PUT")
        [new] = (await at.client.container("/library/sections/1/all"))["Metadata"]
        assert (new["addedAt"], new["updatedAt"]) == (old["addedAt"], NOW + 60)
        activity, timeline = await at.heard(2)
        assert activity["ActivityNotification"][0]["Activity"]["type"] == "library.update.item.metadata"
        assert timeline["TimelineEntry"][0]["state"] == 5
