"""Scans of an emulated Emby over real folders; the maker's document judges every exchange, the rest is assumed."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from playhead.sandbox.emby.emulator import EmbyServer
from playhead.sandbox.run import SandboxHandle, run_world
from playhead.sandbox.world import World, WorldItem, WorldLibrary, WorldServer, WorldState, WorldUser
from tests.judges.openapi import TOLERANCES, check
from tests.sandbox.ear import listen, wait_until
from tests.sandbox.emby.conftest import NOW, Talk
from tests.truth import truth_path

SHOW = "The Show (2008)"
FIRST = f"{SHOW}/Season 01/The Show - S01E01.mkv"
FILM = "The Matrix (1999)/The Matrix (1999).mkv"
SPECS = {"4.8.11.0": "emby-openapi_v3-4.8.11.0.json", "4.9.5.0": "emby-openapi_v3-4.9.0.41-beta.json"}
ITEMS = [
    WorldItem(id="matrix", type="movie", title="The Matrix", year=1999, ids={"tmdb": "603"}),
    WorldItem(id="show", type="show", title="The Show", year=2008, ids={"tvdb": "81189"}),
    *(
        WorldItem(
            id=f"e{n}",
            type="episode",
            title=f"Part {n}",
            show="show",
            season=1,
            episode=n,
            ids={"tvdb": f"90{n}"},
        )
        for n in range(1, 4)
    ),
]
QUICK = {"monitor_s": 0.0, "scan_s": 0.0, "library_s": 0.0}


def put(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


class Stage:
    """A server that sees ``films`` as /media/movies and ``shows`` as /media/tv."""

    def __init__(self, talk: Talk, box: SandboxHandle, films: Path, shows: Path) -> None:
        self.talk = talk
        self.clock = box.clock
        self.films = films
        self.shows = shows

    async def items(self) -> dict[str, dict[str, Any]]:
        asked = {"Recursive": "true", "IncludeItemTypes": "Movie,Episode", "Fields": "Path,ProviderIds"}
        return {each["Path"]: each for each in (await self.talk.get("/Items", **asked))["Items"]}

    async def report(self, *paths: str) -> None:
        body = {"Updates": [{"Path": path, "UpdateType": "Created"} for path in paths]}
        assert (await self.talk.ask("POST", "/Library/Media/Updated", json=body)).status == 204

    async def scan(self) -> None:
        assert (await self.talk.ask("POST", "/Library/Refresh")).status == 204

    def act(self, what: str, item: str = "", **args: Any) -> None:
        self.talk.server.act("", item, what, at=None, args=args)


@asynccontextmanager
async def stage(
    tmp_path: Path,
    version: str = "4.9.5.0",
    *,
    delays: dict[str, float] | None = None,
    tv: str = "/media/tv",
    webhooks: tuple[str, ...] = (),
) -> AsyncIterator[Stage]:
    films, shows = tmp_path / "films", tmp_path / "shows"
    put(films, FILM)
    put(shows, FIRST)
    server = WorldServer(
        name="Attic",
        kind="emby",
        version=version,
        users=[
            WorldUser(name="anna", admin=True, state=[WorldState(item="matrix", watched=True)]),
            WorldUser(name="ben"),
        ],
        libraries=[
            WorldLibrary(title="Movies", kind="movies", folder=str(films), root="/media/movies"),
            WorldLibrary(title="Shows", kind="shows", folder=str(shows), root=tv),
        ],
        delays=QUICK if delays is None else delays,
        webhooks=list(webhooks),
    )
    async with (
        run_world(World(items=ITEMS, servers=[server], now=NOW)) as box,
        aiohttp.ClientSession() as http,
    ):
        box.clock.freeze(NOW)
        emulated = box.server("Attic")
        assert isinstance(emulated, EmbyServer)
        talk = Talk(http, box.url("Attic"), emulated)
        yield Stage(talk, box, films, shows)
        judge(talk, version)


def judge(talk: Talk, version: str) -> None:
    """Every exchange goes by the maker's document of that version, where the truth is there."""
    try:
        spec = truth_path("specs", SPECS[version])
    except pytest.skip.Exception:
        return
    for seen in talk.seen:
        path = seen.path.removeprefix("/emby")
        wrong = check(
            spec,
            seen.method,
            path,
            seen.query,
            seen.status,
            seen.content_type,
            seen.raw,
            tolerances=TOLERANCES,
        )
        assert [text for text in wrong if "status " not in text] == []


@pytest.mark.parametrize("version", list(SPECS))
async def test_at_the_start_a_library_holds_what_lies_in_its_folder(tmp_path: Path, version: str) -> None:
    """With the world's ids and state; libraries tell the server's own paths."""
    async with stage(tmp_path, version) as at:
        items = await at.items()
        assert set(items) == {f"/media/movies/{FILM}", f"/media/tv/{FIRST}"}
        assert items[f"/media/movies/{FILM}"]["ProviderIds"] == {"Tmdb": "603"}
        [row] = [row for row in at.talk.server.state_rows("anna") if row.item == "matrix"]
        assert row.watched
        folders = await at.talk.get("/Library/SelectableMediaFolders")
        assert [each["SubFolders"][0]["Path"] for each in folders] == ["/media/movies", "/media/tv"]
        queried = (await at.talk.get("/Library/VirtualFolders/Query"))["Items"]
        assert [each["Locations"] for each in queried] == [["/media/movies"], ["/media/tv"]]


async def test_a_reported_path_is_looked_at_after_a_quiet_time(tmp_path: Path) -> None:
    """A minute after the last report; a new season, a new show and a film are all found, a foreign path is nothing."""
    async with stage(tmp_path, delays={}) as at:
        names = [f"{SHOW}/Season 02/The Show - S02E01.mkv", "New Show/Season 01/New Show - S01E01.mkv"]
        put(at.shows, *names)
        put(at.films, "New One (2024) {tmdb-9}/New One.mkv")
        await at.report(*(f"/media/tv/{name}" for name in names), "/elsewhere/x.mkv")
        await at.report("/media/movies/New One (2024) {tmdb-9}/New One.mkv")
        at.clock.advance(59)
        assert len(await at.items()) == 2
        at.clock.advance(1)
        items = await at.items()
        assert {f"/media/tv/{name}" for name in names} < set(items)
        assert items["/media/movies/New One (2024) {tmdb-9}/New One.mkv"]["ProviderIds"] == {"Tmdb": "9"}


async def test_odd_reports_are_answered(tmp_path: Path) -> None:
    """Names in any case; a path that is missing is a mistake."""
    async with stage(tmp_path) as at:
        put(at.shows, f"{SHOW}/Season 01/The Show - S01E02.mkv")
        body = {"updates": [{"path": f"/media/tv/{SHOW}/Season 01/The Show - S01E02.mkv"}]}
        assert (await at.talk.ask("POST", "/Library/Media/Updated", json=body)).status == 204
        assert len(await at.items()) == 3
        assert (await at.talk.ask("POST", "/Library/Media/Updated", json={})).status == 204
        wrong = {"Updates": [{"Path": None}]}
        assert (await at.talk.ask("POST", "/Library/Media/Updated", json=wrong)).status == 400


async def test_an_item_is_found_by_the_path_of_its_file(tmp_path: Path) -> None:
    """``Path=`` in the server's own form, Windows included."""
    async with stage(tmp_path, tv="\\\\nas\\TV") as at:
        path = "\\\\nas\\TV\\" + FIRST.replace("/", "\\")
        found = await at.talk.get("/Items", Recursive="true", Path=path, Fields="Path,MediaSources")
        assert [each["Path"] for each in found["Items"]] == [path]
        assert found["Items"][0]["MediaSources"][0]["Path"] == path
        assert (await at.talk.get("/Items", Recursive="true", Path="\\\\nas\\TV\\no.mkv"))["Items"] == []


@pytest.mark.parametrize("what", ["season", "series", "library"])
async def test_a_refresh_of_a_folder_is_at_once(tmp_path: Path, what: str) -> None:
    """New and gone files below it; what lies elsewhere stays unseen."""
    async with stage(tmp_path) as at:
        [episode] = at.talk.server.catalogue.by_world["e1"]
        assert episode.series is not None and episode.season is not None
        number = {"season": episode.season.id, "series": episode.series.id}.get(what, episode.shelf.view_id)
        put(at.shows, f"{SHOW}/Season 01/The Show - S01E02-E03.mkv")
        put(at.films, "Other (2020).mkv")
        modes = {"Recursive": "true", "MetadataRefreshMode": "Default", "ImageRefreshMode": "Default"}
        assert (await at.talk.ask("POST", f"/Items/{number}/Refresh", **modes)).status == 204
        assert len(await at.items()) == 3
        [double] = at.talk.server.catalogue.by_world["e3"]
        assert (double.world, double.index, double.index_end) == (("e2", "e3"), 2, 3)
        (at.shows / FIRST).unlink()
        await at.talk.ask("POST", f"/Items/{number}/Refresh", **modes)
        assert f"/media/tv/{FIRST}" not in await at.items()
        assert (await at.talk.ask("POST", "/Items/999999/Refresh")).status == 404


async def test_a_scan_of_everything_takes_time_and_can_be_followed(tmp_path: Path) -> None:
    """The task and the libraries say so; asked again it begins anew; it can be ended."""
    async with stage(tmp_path, delays={"scan_s": 10}) as at:
        put(at.films, "Other (2020).mkv")
        await at.scan()
        at.clock.advance(5)
        [task] = await at.talk.get("/ScheduledTasks")
        assert (task["State"], task["CurrentProgressPercentage"]) == ("Running", 50)
        folders = (await at.talk.get("/Library/VirtualFolders/Query"))["Items"]
        assert {each["RefreshStatus"] for each in folders} == {"Active"}
        await at.scan()
        at.clock.advance(9)
        assert len(await at.items()) == 2
        assert (await at.talk.ask("DELETE", f"/ScheduledTasks/Running/{task['Id']}")).status == 204
        assert (await at.talk.get(f"/ScheduledTasks/{task['Id']}"))["LastExecutionResult"][
            "Status"
        ] == "Cancelled"
        assert (await at.talk.ask("POST", f"/ScheduledTasks/Running/{task['Id']}")).status == 204
        at.clock.advance(10)
        assert len(await at.items()) == 3
        assert (await at.talk.get(f"/ScheduledTasks/{task['Id']}"))["State"] == "Idle"
        assert (await at.talk.ask("GET", "/ScheduledTasks/nope")).status == 404


async def test_only_admins_scan_everything(tmp_path: Path) -> None:
    """Others may report paths."""
    async with stage(tmp_path) as at:
        at.talk.token = next(user.token for user in at.talk.server.users() if user.name == "ben")
        assert (await at.talk.ask("POST", "/Library/Refresh")).status == 403
        assert (await at.talk.ask("GET", "/ScheduledTasks")).status == 403
        await at.report("/media/tv")


async def test_what_came_and_went_is_told(tmp_path: Path) -> None:
    """``LibraryChanged`` with ids, ``library.new`` and ``library.deleted`` with paths, titles in the server's language."""
    async with listen() as ear, stage(tmp_path, webhooks=(f"{ear.url}/hook",)) as at:
        url = f"{at.talk.url}/embywebsocket?api_key={at.talk.token}"
        async with at.talk.http.ws_connect(url) as socket:
            await wait_until(lambda: at.talk.server.told().lines == 1)
            put(at.films, "New One (2024).mkv")
            (at.shows / FIRST).unlink()
            at.act("set_language", language="de")
            old = (await at.items())[f"/media/tv/{FIRST}"]["Id"]
            await at.scan()
            frame = await socket.receive_json(timeout=30)
            new = (await at.items())["/media/movies/New One (2024).mkv"]["Id"]
            assert frame["MessageType"] == "LibraryChanged"
            assert frame["Data"]["ItemsAdded"] == [new]
            assert old in frame["Data"]["ItemsRemoved"]
            (at.films / "New One (2024).mkv").write_bytes(b"more")
            await at.scan()
            frame = await socket.receive_json(timeout=30)
            assert (frame["Data"]["ItemsAdded"], frame["Data"]["ItemsUpdated"]) == ([], [new])
        await wait_until(lambda: len(ear.posts) == 2)
        told = [post.json() for post in ear.posts]
        assert {each["Event"]: each["Item"]["Path"] for each in told} == {
            "library.new": "/media/movies/New One (2024).mkv",
            "library.deleted": f"/media/tv/{FIRST}",
        }
        assert {each["Title"].split()[0] for each in told} == {"Neu", "The"}


@pytest.mark.parametrize("how", ["unmounted", "missing", "empty"])
async def test_a_library_folder_that_is_away_leaves_all_as_it_is(tmp_path: Path, how: str) -> None:
    """Until it is back with a file less."""
    async with stage(tmp_path) as at:
        if how == "unmounted":
            at.act("unmount", library="Movies", empty=True)
        else:
            shutil.move(at.films, tmp_path / "kept")
            if how == "empty":
                at.films.mkdir()
        await at.scan()
        assert len(await at.items()) == 2
        at.act("mount", library="Movies")
        shutil.rmtree(at.films, ignore_errors=True)
        put(at.films, "Other (2020).mkv")
        await at.scan()
        assert set(await at.items()) == {"/media/movies/Other (2020).mkv", f"/media/tv/{FIRST}"}


async def test_versions_and_upgrades(tmp_path: Path) -> None:
    """A second file in the folder is a version; a file in place of another is a new item with the old state."""
    async with stage(tmp_path) as at:
        put(at.films, "The Matrix (1999)/The Matrix (1999) - 4k.mkv")
        await at.scan()
        [film] = at.talk.server.catalogue.by_world["matrix"]
        assert film.versions == ("/media/movies/The Matrix (1999)/The Matrix (1999) - 4k.mkv",)
        (at.films / "The Matrix (1999)/The Matrix (1999) - 4k.mkv").unlink()
        await at.scan()
        assert film.versions == ()
        (at.films / FILM).rename(at.films / "The Matrix (1999)/Better.mkv")
        await at.scan()
        [new] = at.talk.server.catalogue.by_world["matrix"]
        assert new.id != film.id
        assert (await at.talk.data(new.id, at.talk.server.users()[0].id))["Played"] is True


async def test_libraries_are_made_moved_removed_and_restored(tmp_path: Path) -> None:
    """With real folders, and one without."""
    async with stage(tmp_path) as at:
        put(tmp_path / "more", "Sintel (2010)/Sintel (2010).mkv")
        at.act("add_library", title="More", kind="movies", folder=str(tmp_path / "more"))
        assert f"{tmp_path}/more/Sintel (2010)/Sintel (2010).mkv" in await at.items()
        at.act("move_library", library="More", folder=str(tmp_path / "more"), root="E:\\")
        assert "E:\\Sintel (2010)\\Sintel (2010).mkv" in await at.items()
        at.act("remove_library", library="More")
        assert len(await at.items()) == 2
        at.act("restore_library", library="More")
        assert "E:\\Sintel (2010)\\Sintel (2010).mkv" in await at.items()
        at.act("add_library", title="Invented", kind="movies", root="/invented")
        at.act("add", "matrix", library="Invented")
        at.act("move_library", library="Invented", root="/elsewhere")
        assert "/elsewhere/The Matrix (1999)/The Matrix (1999).mkv" in await at.items()
        with pytest.raises(ValueError, match="already"):
            at.act("add_library", title="More", kind="movies", root="/x")
        with pytest.raises(ValueError, match="does not speak"):
            at.act("set_language", language="tlh")
        for what, item in (("remove", "e1"), ("add", "e2"), ("replace_file", "e1"), ("move_file", "e1")):
            with pytest.raises(ValueError, match="real folder: change the files"):
                at.act(what, item)


async def test_a_library_of_several_folders(tmp_path: Path) -> None:
    """Each is a location; one of them away leaves its items alone; one that is taken away takes its items."""
    async with stage(tmp_path) as at:
        put(tmp_path / "more", "Sintel (2010)/Sintel (2010).mkv")
        at.act("add_folder", library="Movies", folder=str(tmp_path / "more"), root="/more")
        [films, _] = await at.talk.get("/Library/SelectableMediaFolders")
        assert [each["Path"] for each in films["SubFolders"]] == ["/media/movies", "/more"]
        put(tmp_path / "more", "Other (2011).mkv")
        await at.report("/more/Other (2011).mkv")
        assert len(await at.items()) == 4
        at.act("unmount", library="Movies", root="/more")
        await at.scan()
        assert len(await at.items()) == 4
        at.act("remove_library", library="Movies")
        at.act("restore_library", library="Movies")
        assert len(await at.items()) == 4
        at.act("remove_folder", library="Movies", root="/more")
        assert len(await at.items()) == 2
        with pytest.raises(ValueError, match="one of several"):
            at.act("remove_folder", library="Movies", root="/media/movies")


async def test_a_killed_server_forgets_its_scan_and_its_waits(tmp_path: Path) -> None:
    """Nothing comes of what was asked before."""
    async with stage(tmp_path, delays={"scan_s": 10, "monitor_s": 10}) as at:
        put(at.films, "Other (2020).mkv")
        await at.report("/media/movies")
        await at.scan()
        at.talk.server.crash()
        at.clock.advance(60)
        assert len(await at.items()) == 2
