"""Scans of a Jellyfin that answers by a script: what is asked, and what its answers prove; ids against the tapes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from playhead.adapters._mediabrowser.scanning import NEWEST, PAGE
from playhead.adapters._mediabrowser.tests.scripted import Script
from playhead.adapters.jellyfin.path_ids import FOLDERS, LEAVES, make_ids
from playhead.adapters.jellyfin.tests.scripted import USER, connect
from playhead.ports.errors import NotFound, Unauthorized
from playhead.ports.scans import EmptiesTrash, Scans
from tests.truth import truth_path

FOLDERS_ROUTE = "GET /Library/VirtualFolders"
TV, FILMS, MIXED = "a656b907eb3a73532e40e44b968d0225", "f137a2dd21bbc1b99aa5c0f6bf02a805", "c" * 32
LIBRARIES = [
    {
        "ItemId": TV,
        "Name": "Serien",
        "CollectionType": "tvshows",
        "Locations": ["/tv", "/tv2/"],
        "RefreshStatus": "Idle",
    },
    {
        "ItemId": FILMS,
        "Name": "Movies",
        "CollectionType": "movies",
        "Locations": [r"D:\Films"],
        "RefreshStatus": "Active",
    },
    {"ItemId": MIXED, "Name": "Mixed", "Locations": ["/mixed"]},
    {"Name": "half made", "Locations": ["/new"]},
]
EPISODE = "/tv/Show/Season 1/Show - S01E02-E03.mkv"


def id_of(path: str, kind: str) -> str:
    return make_ids(path, [kind])[0]


def folder(path: str, kind: str) -> dict[str, Any]:
    return {"Id": id_of(path, kind), "Type": kind.rpartition(".")[2], "Path": path, "IsFolder": True}


def episode(path: str = EPISODE, **more: Any) -> dict[str, Any]:
    return {
        "Id": id_of(path, "TV.Episode"),
        "Type": "Episode",
        "Name": "Second",
        "Path": path,
        "SeriesId": "5" * 32,
        "SeriesName": "Show",
        "ParentIndexNumber": 1,
        "IndexNumber": 2,
        "IndexNumberEnd": 3,
        "ProviderIds": {"Tvdb": "349232"},
        "DateCreated": "2020-01-02T03:04:05.1234567Z",
        **more,
    }


def listed(*items: Any) -> dict[str, Any]:
    return {"Items": list(items), "TotalRecordCount": len(items), "StartIndex": 0}


def answer_folders(script: Script) -> None:
    script.answer(FOLDERS_ROUTE, LIBRARIES)


async def test_libraries_are_told_with_what_runs_there() -> None:
    """The task of a whole scan counts for all, by its key; its last end is the mark only where it was not cancelled."""
    ended = {"EndTimeUtc": "2026-11-21T09:05:41.88Z", "Status": "Completed"}
    task = {"Key": "RefreshLibrary", "Name": "Bibliothek", "State": "Idle", "LastExecutionResult": ended}
    async with connect() as (script, backend):
        assert isinstance(backend, Scans)
        assert not isinstance(backend, EmptiesTrash)
        answer_folders(script)
        script.answer("GET /ScheduledTasks", [{"Key": "Other", "State": "Running"}, task])
        script.answer("GET /ScheduledTasks", [{**task, "State": "Running"}])
        script.answer(
            "GET /ScheduledTasks", [{**task, "LastExecutionResult": {**ended, "Status": "Cancelled"}}]
        )
        script.answer("GET /ScheduledTasks", status=403)
        shows, films, mixed = await backend.list_scanned()
        assert (shows.title, shows.kind, shows.folders) == ("Serien", "shows", ("/tv", "/tv2/"))
        assert (shows.scanning, films.scanning, mixed.scanning) == (False, True, False)
        assert shows.mark == "2026-11-21T09:05:41.88Z"
        assert (films.kind, mixed.kind) == ("movies", "other")
        assert all(library.scanning for library in await backend.list_scanned())
        assert {library.mark for library in await backend.list_scanned()} == {""}
        shows, films, mixed = await backend.list_scanned()
        assert (shows.scanning, films.scanning, mixed.scanning, shows.mark) == (False, True, None, "")


@pytest.mark.parametrize(
    ("path", "known", "means"),
    [
        (EPISODE, [folder("/tv/Show/Season 1", "TV.Season"), folder("/tv/Show", "TV.Series")], "folder"),
        ("/tv/Show/Season 1/", [folder("/tv/Show/Season 1", "TV.Season")], "folder"),
        (EPISODE, [folder("/tv", "Folder"), folder("/tv/Show", "TV.Series")], "nearest folder"),
        ("/tv/New/a.mkv", [folder("/tv", "Folder")], "nearest folder"),
        ("/tv/a.mkv", [folder("/tv", "Folder")], "folder"),
        ("/tv", [folder("/tv", "Folder")], "folder"),
    ],
)
async def test_the_nearest_folder_that_is_known_is_refreshed(
    path: str, known: list[dict[str, Any]], means: str
) -> None:
    """Three requests: is the library there, which folder is known, refresh it with the mode that gives new items names."""
    async with connect() as (script, backend):
        answer_folders(script)
        script.answer("GET /Items", listed(*known, {"Id": "0" * 32, "Path": "/tv/Show/Season 1"}))
        nearest = max(known, key=lambda each: len(each["Path"]))
        script.answer(f"POST /Items/{nearest['Id']}/Refresh", status=204)
        begun = await backend.begin_scan(TV, path)
        assert (begun.means, begun.covers, begun.shows_within_s) == (means, nearest["Path"], 0.0)
        assert script.requests() == [FOLDERS_ROUTE, "GET /Items", f"POST /Items/{nearest['Id']}/Refresh"]
        asked = script.last("GET /Items")
        assert asked.query["EnableUserData"] == "false"
        assert "userId" not in asked.query
        assert len(asked.raw_url) < 8000
        refreshed = script.last(f"POST /Items/{nearest['Id']}/Refresh")
        assert refreshed.query == {"MetadataRefreshMode": "Default", "ImageRefreshMode": "Default"}


async def test_a_windows_path_is_known_in_the_servers_spelling() -> None:
    """The library's folder as it is written there, whatever strokes and case came. Its only folder is refreshed by the library's
    own id, as a tape shows it."""
    async with connect() as (script, backend):
        answer_folders(script)
        script.answer("GET /Items", listed(folder(r"D:\Films", "Folder")))
        script.answer(f"POST /Items/{FILMS}/Refresh", status=204)
        begun = await backend.begin_scan(FILMS, "d:/films/New (2020)/New.mkv")
        assert begun.covers == r"D:\Films"
        assert id_of(r"D:\Films\New (2020)", "Folder") in script.last("GET /Items").query["Ids"]


async def test_where_no_folder_is_known_the_monitor_is_told() -> None:
    """It waits as long as the server's setting says; where that cannot be read, a minute."""
    async with connect() as (script, backend):
        answer_folders(script)
        script.answer(
            "GET /Items", listed({"Id": "0" * 32, "Type": "UserRootFolder", "Path": "/config/root"})
        )
        script.answer("GET /System/Configuration", {"LibraryMonitorDelay": 12, "Other": "x"})
        script.answer("POST /Library/Media/Updated", status=204)
        begun = await backend.begin_scan(TV, EPISODE)
        assert (begun.means, begun.covers, begun.shows_within_s) == ("path", "/tv/Show/Season 1", 12.0)
        assert script.last("POST /Library/Media/Updated").json == {
            "Updates": [{"Path": EPISODE, "UpdateType": "Created"}]
        }
        script.asked.clear()
        await backend.begin_scan(TV, EPISODE)
        assert "GET /System/Configuration" not in script.requests()
    async with connect() as (script, backend):
        answer_folders(script)
        script.answer("GET /Items", listed())
        script.answer("GET /System/Configuration", status=403)
        script.answer("POST /Library/Media/Updated", status=204)
        assert (await backend.begin_scan(TV, EPISODE)).shows_within_s == 60.0


async def test_a_whole_library_is_refreshed_by_its_own_id() -> None:
    """And not by the scan of everything, which cancels the one that runs."""
    async with connect() as (script, backend):
        answer_folders(script)
        script.answer(f"POST /Items/{TV}/Refresh", status=204)
        assert (await backend.begin_scan(TV, None)).covers is None
        assert script.requests() == [FOLDERS_ROUTE, f"POST /Items/{TV}/Refresh"]


@pytest.mark.parametrize(("library", "path"), [("9" * 32, None), (TV, "/films/a.mkv"), (TV, "/tv/../x")])
async def test_what_the_server_would_silently_ignore_is_refused(library: str, path: str | None) -> None:
    """A library that is gone and a path that it does not hold; nothing is asked for."""
    async with connect() as (script, backend):
        answer_folders(script)
        with pytest.raises(NotFound):
            await backend.begin_scan(library, path)
        assert script.requests() == [FOLDERS_ROUTE]


async def test_a_plain_users_token_is_told_what_it_takes() -> None:
    """In every step that the server refuses."""
    async with connect() as (script, backend):
        script.answer(FOLDERS_ROUTE, status=403)
        for asking in (backend.list_scanned(), backend.begin_scan(TV, None)):
            with pytest.raises(Unauthorized, match="does not let this token") as caught:
                await asking
            assert "playhead connect jellyfin" in caught.value.hint


async def test_a_file_is_found_by_one_request() -> None:
    """By the id that its path has; only what names that path itself is taken."""
    async with connect() as (script, backend):
        answer_folders(script)
        await backend.list_scanned()
        script.asked.clear()
        root = {"Id": "0" * 32, "Type": "CollectionFolder", "Path": EPISODE}
        script.answer("GET /Items", listed(root, "nonsense", episode()))
        (item,) = await backend.find_files(TV, [EPISODE])
        assert script.requests() == ["GET /Items"]
        assert (item.season, item.episode, item.episode_end, item.show_title) == (1, 2, 3, "Show")
        assert (item.claims, item.added_at, item.files) == (("tvdb:episode:349232",), 1577934245, (EPISODE,))
        assert item.poster == f"/Items/{'5' * 32}/Images/Primary"


async def test_a_second_version_that_is_new_is_found_by_its_film() -> None:
    """Lists leave the versions out; the film names their files where it is asked for them."""
    first, second = "/mixed/Film/Film - A.mkv", "/mixed/Film/Film - B.mkv"
    film = {
        "Id": "7" * 32,
        "Type": "Movie",
        "Path": first,
        "MediaSources": [{"Path": first}, {"Path": second}],
    }
    async with connect() as (script, backend):
        answer_folders(script)
        script.answer("GET /Items", listed())
        script.answer("GET /Items", listed(film))
        (item,) = await backend.find_files(MIXED, [second])
        assert (item.native_id, item.files, item.kind) == ("7" * 32, (first, second), "movie")
        newest = script.last("GET /Items").query
        assert (newest["Limit"], newest["SortOrder"]) == (str(NEWEST), "Descending")
        assert "MediaSources" in newest["Fields"]


@pytest.mark.parametrize(
    ("version", "route"), [("12.0.0", "GET /Items/{}"), ("10.8.13", "GET /Users/" + USER + "/Items/{}")]
)
async def test_an_old_files_further_version_is_found_when_looked_for_thoroughly(
    version: str, route: str
) -> None:
    """By its own route, which knows it; a look that is not thorough costs two requests."""
    path = r"D:\Films\Film\Film - B.mkv"
    video = {"Id": id_of(path, "Video"), "Type": "Video", "Path": path, "Name": "Film"}
    async with connect(version=version) as (script, backend):
        answer_folders(script)
        await backend.list_scanned()
        script.asked.clear()
        script.answer("GET /Items", listed())
        script.answer(route.format(video["Id"]), video)
        assert await backend.find_files(FILMS, [path]) == []
        assert script.requests() == ["GET /Items"] * 2
        (item,) = await backend.find_files(FILMS, [path], thorough=True)
        assert (item.native_id, item.kind) == (video["Id"], "other")


async def test_the_whole_list_is_read_only_when_that_is_wished() -> None:
    """In large pages, and no further than needed."""
    odd = episode("/tv/odd.mkv", Id="8" * 32)
    page = [episode(f"/tv/{number}.mkv") for number in range(PAGE)]
    async with connect() as (script, backend):
        answer_folders(script)
        for body in (listed(), listed(), listed(*page), listed(odd)):
            script.answer("GET /Items", body)
        (item,) = await backend.find_files(TV, ["/tv/odd.mkv"], thorough=True)
        assert item.native_id == "8" * 32
        assert script.last("GET /Items").query["StartIndex"] == str(PAGE)


async def test_where_ids_settle_it_no_whole_list_is_read() -> None:
    """The library's own items have the ids of their paths, so a path whose id nobody has is nobody's: a deletion is proved by
    few requests."""
    async with connect() as (script, backend):
        answer_folders(script)
        await backend.list_scanned()
        script.asked.clear()
        script.answer("GET /Items", listed())
        script.answer("GET /Items", listed(episode("/tv/other.mkv"), episode("/tv/more.mkv")))
        assert await backend.find_files(TV, [EPISODE], thorough=True) == []
        assert script.requests("GET").count("GET /Items") == 2


@pytest.mark.parametrize(
    ("library", "path", "rows"),
    [
        (TV, EPISODE, [episode("/tv/other.mkv"), episode("/tv/odd.mkv", Id="8" * 32)]),
        (TV, EPISODE, []),
        (
            FILMS,
            r"D:\Films\a.mkv",
            [{**episode(r"D:\Films\b.mkv"), "Id": id_of(r"D:\Films\b.mkv", "Movies.Movie")}],
        ),
    ],
)
async def test_where_ids_do_not_settle_it_the_whole_list_is_read(
    library: str, path: str, rows: list[dict[str, Any]]
) -> None:
    """One item has another id, there is none to judge by, or the case of a path does not count."""
    async with connect() as (script, backend):
        answer_folders(script)
        await backend.list_scanned()
        script.asked.clear()
        script.answer("GET /Items", listed())
        script.answer("GET /Items", listed(*rows))
        assert await backend.find_files(library, [path], thorough=True) == []
        assert script.requests("GET").count("GET /Items") == 3


async def test_many_files_are_asked_for_in_batches_that_fit_an_address() -> None:
    """Ten episodes are one request; a thousand fit none."""
    async with connect() as (script, backend):
        answer_folders(script)
        await backend.list_scanned()
        script.asked.clear()
        script.answer("GET /Items", listed())
        await backend.find_files(TV, [f"/tv/Show/{number}.mkv" for number in range(10)])
        assert len(script.requests()) == 2
        await backend.find_files(TV, [f"/tv/Show/{number}.mkv" for number in range(1000)])
        assert max(len(asked.raw_url) for asked in script.asked) < 8000


async def test_what_was_added_last_comes_in_order() -> None:
    """Of the library's kind; what has no file is left out."""
    async with connect() as (script, backend):
        answer_folders(script)
        script.answer("GET /Items", listed(episode(), episode("/tv/b.mkv", LocationType="Virtual")))
        newest = await backend.list_newest(TV, 5, start=10)
        assert [item.files for item in newest] == [(EPISODE,)]
        asked = script.last("GET /Items").query
        assert (asked["IncludeItemTypes"], asked["StartIndex"], asked["Limit"]) == ("Episode", "10", "5")
        assert await backend.list_newest(TV, 0) == []


async def test_what_was_saved_since_a_moment_is_asked_for_by_that() -> None:
    """In UTC, as the server reads it; nothing is asked where nothing is wanted."""
    async with connect() as (script, backend):
        answer_folders(script)
        await backend.list_scanned()
        script.asked.clear()
        script.answer("GET /Items", listed(episode()))
        (item,) = await backend.list_saved_since(TV, 1577934245, 50, start=50)
        assert item.files == (EPISODE,)
        asked = script.last("GET /Items").query
        assert (asked["MinDateLastSaved"], asked["StartIndex"]) == ("2020-01-02T03:04:05Z", "50")
        assert await backend.list_saved_since(TV, 1577934245, 0) == []
        assert len(script.requests()) == 1


@pytest.mark.parametrize("version", ["12.0.0", "10.11.11"])
def test_every_taped_item_has_the_id_that_its_path_gives(version: str) -> None:
    """Films and their versions, episodes, seasons, series; and the folder of a library, which frames name."""
    classes = {"Movie": "Movies.Movie", "Video": "Video", "Episode": "TV.Episode"}
    classes |= {"Season": "TV.Season", "Series": "TV.Series", "Folder": "Folder"}
    found: dict[str, tuple[str, str]] = {}
    texts = [
        path.read_text() for path in truth_path("recorded", "jellyfin", f"{version}-real").glob("*.json")
    ]

    def collect(value: Any) -> None:
        if isinstance(value, dict):
            if value.get("Type") in classes and value.get("Path") and value.get("Id"):
                found[value["Id"]] = (value["Type"], value["Path"])
            for each in value.values():
                collect(each)
        elif isinstance(value, list):
            for each in value:
                collect(each)

    for text in texts:
        collect(json.loads(text))
    assert {kind for kind, _ in found.values()} >= {"Movie", "Episode", "Season", "Series"}
    for item_id, (kind, path) in found.items():
        assert make_ids(path, [classes[kind]])[0] == item_id, path
    root = (
        next(path for kind, path in found.values() if kind == "Movie").rpartition("/movies/")[0] + "/movies"
    )
    assert any(id_of(root, "Folder") in text for text in texts)


def test_a_server_without_case_is_asked_for_both_spellings() -> None:
    """And one whose paths have no capitals for one."""
    assert len(make_ids("/tv/Show", FOLDERS)) == 2 * len(FOLDERS)
    assert len(make_ids("/tv/show", LEAVES["shows"])) == len(LEAVES["shows"])


def test_accents_are_asked_for_in_either_form() -> None:
    """A disk of a Mac spells them in two letters."""
    one, two = (set(make_ids(path, ["Folder"])) for path in ("/tv/caf\u00e9", "/tv/cafe\u0301"))
    assert one == two
    assert len(one) == 2
