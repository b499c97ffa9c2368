"""Scans of a Plex server that answers by a script: what is asked, and what its answers prove."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from playhead.adapters.plex.adapter import PlexBackend
from playhead.adapters.plex.scanning import NEWEST, PAGE
from playhead.adapters.plex.settings import PlexSettings
from playhead.ports.errors import BadAnswer, NotFound, Unauthorized
from playhead.ports.scans import EmptiesTrash, Scans
from tests.truth import truth_path

SHOWS = {
    "key": "2",
    "type": "show",
    "title": "Sendungen",
    "refreshing": False,
    "scannedAt": 1700000000,
    "Location": [{"id": 1, "path": "/tv/"}, {"id": 2, "path": "/more tv"}],
}
WINDOWS = {"key": "3", "type": "movie", "title": "Films", "Location": [{"id": 3, "path": r"\\nas\films"}]}
MUSIC = {"key": "4", "type": "artist", "title": "Music", "Location": [{"id": 4, "path": "/music"}]}


def episode(key: int, file: str, *, added: int = 1, **more: Any) -> dict[str, Any]:
    """One row of a list."""
    return {
        "ratingKey": str(key),
        "type": "episode",
        "title": f"Part {key}",
        "grandparentTitle": "The Show",
        "grandparentRatingKey": "9",
        "grandparentThumb": "/library/metadata/9/thumb/1",
        "parentIndex": 1,
        "index": key,
        "addedAt": added,
        "Guid": [{"id": f"tvdb://{key}"}],
        "Media": [{"Part": [{"file": file}]}],
        **more,
    }


class Plex:
    """Libraries and one list for each order; every request is written down."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.sections: list[dict[str, Any]] = [SHOWS, WINDOWS, MUSIC]
        self.lists: dict[str, list[Any]] = {}
        self.refuse: int | None = None
        self.body: Any = None  # answered instead of a list
        self.scanned: list[str | None] = []

    async def handle(self, request: web.Request) -> web.Response:
        path = request.path
        self.asked.append(f"{request.method} {path}")
        if path == "/library/sections":
            return web.json_response({"MediaContainer": {"Directory": self.sections}})
        if path.endswith(("/refresh", "/emptyTrash")):
            self.scanned.append(request.query.get("path"))
            return web.Response(status=self.refuse or 200)
        if path.endswith("/all") and self.body is not None:
            return web.json_response(self.body)
        if path.endswith("/all"):
            rows = self.lists.get(request.query["sort"], [])
            start, size = (int(request.query[f"X-Plex-Container-{name}"]) for name in ("Start", "Size"))
            return web.json_response({"MediaContainer": {"Metadata": rows[start : start + size]}})
        return web.Response(status=404)


@pytest.fixture
async def place() -> AsyncIterator[tuple[Plex, PlexBackend]]:
    plex, app = Plex(), web.Application()
    app.router.add_route("*", "/{tail:.*}", plex.handle)
    async with TestServer(app) as server:
        url = str(server.make_url("/")).rstrip("/")
        backend = PlexBackend(PlexSettings(url=url, plex_tv_url=""), "token", "", client_id="hub")
        yield plex, backend
        await backend.close()


async def test_libraries_of_every_kind_are_told_with_what_their_server_says(
    place: tuple[Plex, PlexBackend],
) -> None:
    """Asked anew each time: a library that was added or renamed meanwhile is there. What is not told is not known."""
    plex, backend = place
    assert isinstance(backend, Scans)
    assert isinstance(backend, EmptiesTrash)
    shows, films, music = await backend.list_scanned()
    assert (shows.kind, shows.folders, shows.scanning, shows.mark) == (
        "shows",
        ("/tv/", "/more tv"),
        False,
        "1700000000",
    )
    assert (films.kind, films.scanning, films.mark) == ("movies", None, "")
    assert music.kind == "music"
    plex.sections = [{**SHOWS, "title": "Séries", "refreshing": True}]
    (renamed,) = await backend.list_scanned()
    assert (renamed.title, renamed.scanning) == ("Séries", True)


@pytest.mark.parametrize(
    ("library", "path", "scanned"),
    [
        ("2", "/tv/Tom & Jerry #1 + é ?/Season 1", "/tv/Tom & Jerry #1 + é ?/Season 1"),
        ("2", "/tv/Show/S01E01.mkv", "/tv/Show"),
        ("2", "/tv/S01E01.mkv", "/tv"),
        ("2", "/more tv/", "/more tv"),
        ("3", r"//NAS/Films/New (2020)/New.mkv", r"\\nas\films\New (2020)"),
        ("3", None, None),
    ],
)
async def test_a_folder_is_scanned_by_get_in_the_servers_own_words(
    place: tuple[Plex, PlexBackend], library: str, path: str | None, scanned: str | None
) -> None:
    """Two requests: is it there, and scan. Signs with a meaning in addresses arrive as they are."""
    plex, backend = place
    begun = await backend.begin_scan(library, path)
    assert plex.scanned == [scanned]
    assert (begun.covers, begun.means) == (scanned, "folder" if path else "library")
    assert plex.asked == ["GET /library/sections", f"GET /library/sections/{library}/refresh"]


@pytest.mark.parametrize(("library", "path"), [("7", None), ("2", "/films/a.mkv"), ("2", "/tv/../etc")])
async def test_what_the_server_would_silently_ignore_is_refused(
    place: tuple[Plex, PlexBackend], library: str, path: str | None
) -> None:
    """A library that is gone and a path that it does not hold; the message tells the folders."""
    plex, backend = place
    with pytest.raises(NotFound) as caught:
        await backend.begin_scan(library, path)
    assert path is None or "/more tv" in caught.value.hint
    assert plex.scanned == []


async def test_a_token_that_is_not_the_owners_is_told_so(place: tuple[Plex, PlexBackend]) -> None:
    """It sees libraries and may do nothing with them."""
    plex, backend = place
    plex.refuse = 403
    for asking in (backend.begin_scan("2", None), backend.empty_trash("2")):
        with pytest.raises(Unauthorized, match="only its owner") as caught:
            await asking
        assert "owner's token" in caught.value.hint


async def test_trash_is_emptied_in_one_library(place: tuple[Plex, PlexBackend]) -> None:
    """By PUT."""
    plex, backend = place
    await backend.empty_trash("2")
    assert plex.asked[-1] == "PUT /library/sections/2/emptyTrash"


async def test_a_new_file_is_found_by_one_request(place: tuple[Plex, PlexBackend]) -> None:
    """Both episodes of one file; the kind of the library is asked once."""
    plex, backend = place
    file = "/tv/Show/S01E01-E02.mkv"
    plex.lists["addedAt:desc"] = [episode(2, file, added=8), episode(1, file, added=8), episode(3, "/tv/x")]
    found = await backend.find_files("2", [file])
    assert [(item.native_id, item.season, item.episode) for item in found] == [("2", 1, 2), ("1", 1, 1)]
    first = found[0]
    assert first.files == (file,)
    assert (first.show_title, first.show_id, first.added_at) == ("The Show", "9", 8)
    assert (first.claims, first.poster) == (("tvdb:episode:2",), "/library/metadata/9/thumb/1")
    plex.asked.clear()
    await backend.find_files("2", [file])
    assert plex.asked == ["GET /library/sections/2/all"]


async def test_a_new_file_of_an_old_item_is_found_by_the_order_of_changes(
    place: tuple[Plex, PlexBackend],
) -> None:
    """An upgrade does not move the date of adding."""
    plex, backend = place
    plex.lists["addedAt:desc"] = [episode(3, "/tv/x")]
    plex.lists["updatedAt:desc"] = [episode(1, "/tv/Show/new.mkv")]
    (item,) = await backend.find_files("2", ["/tv/Show/new.mkv"])
    assert item.native_id == "1"


async def test_the_whole_list_is_read_only_when_that_is_wished(place: tuple[Plex, PlexBackend]) -> None:
    """Looking again and again costs two requests; a thorough look goes to the end of the list, once."""
    plex, backend = place
    await backend.list_scanned()
    rows = [episode(number, f"/tv/{number}.mkv") for number in range(PAGE + 5)]
    plex.lists = dict.fromkeys(("addedAt:desc", "updatedAt:desc"), rows[:NEWEST])
    plex.lists["id:asc,addedAt:asc"] = rows
    last = f"/tv/{PAGE + 4}.mkv"
    plex.asked.clear()
    assert await backend.find_files("2", [last]) == []
    assert len(plex.asked) == 2
    (item,) = await backend.find_files("2", [last, "/tv/none.mkv"], thorough=True)
    assert item.native_id == str(PAGE + 4)
    assert len(plex.asked) == 2 + 4


async def test_a_file_of_several_episodes_across_two_pages_is_whole(place: tuple[Plex, PlexBackend]) -> None:
    """Where the last row of a page is looked for, the next page is looked at too."""
    plex, backend = place
    rows = [episode(number, f"/tv/{number}.mkv") for number in range(NEWEST + 1)]
    rows[NEWEST - 1] = episode(501, "/tv/double.mkv")
    rows[NEWEST] = episode(502, "/tv/double.mkv")
    plex.lists["addedAt:desc"] = rows
    found = await backend.find_files("2", ["/tv/double.mkv"])
    assert [item.native_id for item in found] == ["501", "502"]


async def test_an_item_whose_files_are_gone_is_not_available(place: tuple[Plex, PlexBackend]) -> None:
    """Until the trash is emptied Plex keeps it."""
    plex, backend = place
    plex.lists["addedAt:desc"] = [episode(1, "/tv/a.mkv", deletedAt=1700000001)]
    (item,) = await backend.find_files("2", ["/tv/a.mkv"])
    assert not item.available


async def test_what_was_added_last_comes_in_pages(place: tuple[Plex, PlexBackend]) -> None:
    """Rows that cannot be read are left out; tracks are of another kind; none are asked for, none come."""
    plex, backend = place
    track = {
        "ratingKey": "5",
        "type": "track",
        "title": "Song",
        "Media": [{"Part": [{"file": "/music/a.flac"}]}],
    }
    plex.lists["addedAt:desc"] = [track, "nonsense", {"type": "track"}, {**track, "ratingKey": 6}]
    newest = await backend.list_newest("4", 3)
    assert [(item.native_id, item.kind, item.files) for item in newest] == [
        ("5", "other", ("/music/a.flac",))
    ]
    assert [item.native_id for item in await backend.list_newest("4", 3, start=3)] == ["6"]
    assert await backend.list_newest("4", 0) == []


async def test_a_list_that_is_none_says_so(place: tuple[Plex, PlexBackend]) -> None:
    """A proxy's answer is no proof that a file is not there."""
    plex, backend = place
    plex.body = {"MediaContainer": {"Metadata": {"a": 1}}}
    with pytest.raises(BadAnswer):
        await backend.find_files("2", ["/tv/a.mkv"])


async def test_every_recorded_movie_and_episode_with_files_is_found_by_them(
    place: tuple[Plex, PlexBackend],
) -> None:
    """Lists of a real 1.40."""
    plex, backend = place
    checked = 0
    for path in sorted(truth_path("recorded", "plex", "pms-1.40").glob("get-*.json")):
        recorded = json.loads(path.read_text())
        if not isinstance(recorded, dict):
            continue
        answer = recorded.get("response", recorded)
        container = (answer.get("MediaContainer") if isinstance(answer, dict) else None) or {}
        rows = [row for row in container.get("Metadata") or () if row.get("Media")][:NEWEST]
        files = {
            part["file"]
            for row in rows
            for medium in row["Media"]
            for part in medium.get("Part", ())
            if "file" in part
        }
        plex.lists["addedAt:desc"] = rows
        found = await backend.find_files("2", sorted(files))
        assert {file for item in found for file in item.files} == files, path.name
        assert all(item.added_at for item in found)
        checked += len(files)
    assert checked > 5


@pytest.mark.parametrize("junk", [-62135596800, 2**64, "soon"])
async def test_a_junk_date_hides_neither_libraries_nor_files(
    place: tuple[Plex, PlexBackend], junk: object
) -> None:
    """Dates before 1970 and beyond all bounds are known of real servers: what they stand beside is as it is."""
    plex, backend = place
    plex.sections = [{**SHOWS, "scannedAt": junk}, MUSIC]
    shows, _ = await backend.list_scanned()
    assert (shows.id, shows.mark) == ("2", "")
    plex.lists["addedAt:desc"] = [episode(7, "/tv/a.mkv", addedAt=junk)]
    (item,) = await backend.find_files("2", ["/tv/a.mkv"])
    assert (item.native_id, item.added_at) == ("7", None)
