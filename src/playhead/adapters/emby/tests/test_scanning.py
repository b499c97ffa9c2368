"""Scans of an Emby that answers by a script: what is asked, and what its answers prove."""

from __future__ import annotations

from typing import Any

import pytest

from playhead.adapters._mediabrowser.scanning import PAGE
from playhead.adapters._mediabrowser.tests.scripted import Script
from playhead.adapters.emby.scanning import FEW, MANY
from playhead.adapters.emby.tests.test_requests import connect
from playhead.ports.errors import NotFound, TokenRefused, Unauthorized
from playhead.ports.scans import Scans

USERS = "GET /emby/Users/Query"
FOLDERS = "GET /emby/Library/VirtualFolders/Query"
ITEMS = "GET /emby/Items"
LIBRARIES = [
    {"ItemId": "3", "Name": "TV", "CollectionType": "tvshows", "Locations": ["/tv"], "RefreshStatus": "Idle"},
    {"ItemId": "4", "Name": "Films", "CollectionType": "movies", "Locations": [r"\\nas\films"]},
]
FILE = "/tv/Tom & Jerry #1/S01E01 + é.mkv"


def row(path: str = FILE, item_id: str = "77", **more: Any) -> dict[str, Any]:
    return {
        "Id": item_id,
        "Type": "Episode",
        "Path": path,
        "SeriesId": "5",
        "ParentIndexNumber": 1,
        "IndexNumber": 1,
    } | more


def listed(*items: Any) -> dict[str, Any]:
    return {"Items": list(items), "TotalRecordCount": len(items)}


def answer_folders(script: Script) -> None:
    script.answer(USERS, listed())
    script.answer(FOLDERS, listed(*LIBRARIES))


async def test_a_path_is_reported_to_the_monitor() -> None:
    """In the library's spelling; it waits as long as the setting says, which is read once."""
    async with connect() as (script, backend):
        assert isinstance(backend, Scans)
        answer_folders(script)
        script.answer("GET /emby/System/Configuration", {"LibraryMonitorDelaySeconds": 90})
        script.answer("POST /emby/Library/Media/Updated", status=204)
        begun = await backend.begin_scan("4", r"\\NAS\Films\New\New.mkv")
        assert (begun.means, begun.covers, begun.shows_within_s) == ("path", r"\\nas\films\New", 90.0)
        assert script.last("POST /emby/Library/Media/Updated").json == {
            "Updates": [{"Path": r"\\nas\films\New\New.mkv", "UpdateType": "Created"}]
        }
        script.asked.clear()
        await backend.begin_scan("3", "/tv/Show")
        assert script.requests() == [FOLDERS, "POST /emby/Library/Media/Updated"]


async def test_a_whole_library_is_refreshed() -> None:
    """As Emby's own button does it."""
    async with connect() as (script, backend):
        answer_folders(script)
        script.answer("POST /emby/Items/3/Refresh", status=204)
        assert (await backend.begin_scan("3", None)).covers is None
        assert script.last("POST /emby/Items/3/Refresh").query["Recursive"] == "true"


@pytest.mark.parametrize(("library", "path"), [("9", None), ("3", "/films/a.mkv")])
async def test_what_the_server_would_silently_ignore_is_refused(library: str, path: str | None) -> None:
    """A library that is gone, and a path that it does not hold."""
    async with connect() as (script, backend):
        answer_folders(script)
        with pytest.raises(NotFound):
            await backend.begin_scan(library, path)
        assert script.requests() == [USERS, FOLDERS]


async def test_a_plain_users_token_is_told_what_it_takes() -> None:
    """Emby lets it report paths, but sees to it that only administrators list the users; that is asked once."""
    async with connect() as (script, backend):
        script.answer(FOLDERS, listed(*LIBRARIES))
        script.answer(USERS, status=403)
        for asking in (backend.list_scanned(), backend.begin_scan("3", None)):
            with pytest.raises(Unauthorized, match="does not let this token") as caught:
                await asking
            assert "playhead connect emby" in caught.value.hint


async def test_a_token_that_is_no_longer_taken_is_said_to_be_so() -> None:
    """Whoever renews tokens goes by that; a refusal of the scan alone is another thing."""
    async with connect() as (script, backend):
        script.answer(USERS, status=401)
        script.answer(USERS, listed())
        script.answer(FOLDERS, listed(*LIBRARIES))
        script.answer("POST /emby/Items/3/Refresh", status=401)
        with pytest.raises(TokenRefused):
            await backend.list_scanned()
        with pytest.raises(Unauthorized, match="does not let this token"):
            await backend.begin_scan("3", None)


async def test_an_old_servers_libraries_are_read_by_the_older_route() -> None:
    """Before 4.8; a task that is not told leaves the mark empty."""
    async with connect() as (script, backend):
        script.answer("GET /emby/Users", [])
        script.answer("GET /emby/Library/VirtualFolders", LIBRARIES)
        shows, films = await backend.list_scanned()
        assert (shows.id, shows.kind, shows.scanning, shows.mark) == ("3", "shows", False, "")
        assert (films.kind, films.scanning) == ("movies", None)


async def test_a_file_is_found_by_the_filter_for_paths() -> None:
    """One request, without anybody's state; signs with a meaning in addresses arrive as they are."""
    async with connect() as (script, backend):
        answer_folders(script)
        await backend.list_scanned()
        script.asked.clear()
        script.answer(ITEMS, listed(row()))
        (item,) = await backend.find_files("3", [FILE])
        asked = script.last(ITEMS).query
        assert (asked["Path"], asked["ParentId"], asked["EnableUserData"]) == (FILE, "3", "false")
        assert script.requests() == [ITEMS]
        assert (item.native_id, item.files, item.poster) == ("77", (FILE,), "/emby/Items/5/Images/Primary")


async def test_a_filter_that_is_none_is_noticed() -> None:
    """What does not name the path proves nothing; then the newest are looked through."""
    async with connect() as (script, backend):
        answer_folders(script)
        script.answer(ITEMS, listed(row("/tv/other.mkv", "1")))
        script.answer(ITEMS, listed(row("/tv/other.mkv", "1"), row()))
        (item,) = await backend.find_files("3", [FILE])
        assert item.native_id == "77"
        assert "Path" not in script.last(ITEMS).query


async def test_many_files_are_looked_for_among_the_newest_first() -> None:
    """Ten new episodes are one request; the filter is asked only for those that were not there."""
    paths = [f"/tv/{number}.mkv" for number in range(FEW + 7)]
    async with connect() as (script, backend):
        answer_folders(script)
        await backend.list_scanned()
        script.asked.clear()
        script.answer(ITEMS, listed(*(row(path, path) for path in paths[:-1])))
        script.answer(ITEMS, listed())
        assert len(await backend.find_files("3", paths)) == len(paths) - 1
        assert script.requests() == [ITEMS, ITEMS]
        assert script.last(ITEMS).query["Path"] == paths[-1]


async def test_the_whole_list_is_read_only_when_that_is_wished() -> None:
    """Where the filter is none and the file is old."""
    page = [row(f"/tv/{number}.mkv", str(number)) for number in range(PAGE)]
    async with connect() as (script, backend):
        answer_folders(script)
        await backend.list_scanned()
        script.asked.clear()
        for body in (listed(page[0]), listed(*page[:100]), listed(*page), listed(row())):
            script.answer(ITEMS, body)
        (item,) = await backend.find_files("3", [FILE], thorough=True)
        assert item.native_id == "77"
        assert len(script.requests()) == 4


@pytest.mark.parametrize(
    ("library", "path", "walks"),
    [("3", "/tv/a.mkv", False), ("3", "/tv/\u00e9.mkv", True), ("4", r"\\nas\films\a.mkv", True)],
)
async def test_where_the_filter_settles_it_no_whole_list_is_read(
    library: str, path: str, walks: bool
) -> None:
    """Nothing came for an episode whose path has one spelling alone; a film may be a version of another."""
    async with connect() as (script, backend):
        answer_folders(script)
        await backend.list_scanned()
        script.asked.clear()
        script.answer(ITEMS, listed())
        assert await backend.find_files(library, [path], thorough=True) == []
        assert len(script.requests()) == (2 if walks else 1)
        assert ("MediaSources" in script.last(ITEMS).query["Fields"]) is walks


async def test_of_very_many_files_some_are_asked_for_by_the_filter() -> None:
    """Each look for others, so that none is left out for good; a thorough one asks for all."""
    async with connect() as (script, backend):
        assert isinstance(backend, Scans)
        answer_folders(script)
        script.answer(ITEMS, listed())
        files = [f"/tv/Show/S01E{number:03}.mkv" for number in range(4 * MANY)]
        asked: set[str] = set()
        for _ in range(60):
            script.asked.clear()
            assert await backend.find_files("3", files) == []
            paths = [each.query["Path"] for each in script.asked if "Path" in each.query]
            assert len(paths) == MANY
            asked |= set(paths)
        assert asked == set(files)
        script.asked.clear()
        await backend.find_files("3", files, thorough=True)
        assert len([each for each in script.asked if "Path" in each.query]) == len(files)
