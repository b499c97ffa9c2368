"""Scans of an emulated Jellyfin over real folders, judged by the tapes of real servers: what is found, when, and what is told."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.ear import listen, wait_until
from tests.sandbox.jellyfin.conftest import Run
from tests.sandbox.jellyfin.socket_tape import events_of
from tests.sandbox.jellyfin.stage import FIRST, SHOW, Stage, put, stage
from tests.sandbox.jellyfin.tape import VERSIONS, Tape, find_name
from tests.truth import truth_path


async def test_at_the_start_a_library_holds_what_lies_in_its_folder(
    run_jellyfin: Run, tmp_path: Path
) -> None:
    """With the world's ids and state; what has no file is not there."""
    async with stage(run_jellyfin, tmp_path) as at:
        items, film = await at.items(), "/media/movies/The Matrix (1999)/The Matrix (1999).mkv"
        assert set(items) == {film, f"/media/tv/{FIRST}"}
        assert (items[film]["Name"], items[film]["ProviderIds"]) == ("The Matrix", {"Tmdb": "603"})
        assert items[film]["UserData"]["Played"] is True


def carry_out(at: Stage, step: dict[str, Any]) -> None:
    """What the recorder did before a step of tape 14: ``new ...`` and ``removed ...`` in its note."""
    note, updates = step.get("note", ""), (step["request"].get("body") or {})
    paths = [
        str(each.get("Path") or each.get("path"))
        for each in updates.get("Updates") or updates.get("updates") or []
    ]
    if not paths:
        return
    path = at.local(paths[0])
    if "season folder removed" in note or "series folder removed" in note:
        shutil.rmtree(path)
    elif "removed" in note or note in ("no UpdateType", "clean-up"):
        targets = [path] if path.suffix == ".mkv" else sorted(path.rglob("*S02E03*"))
        for target in targets:
            target.unlink()
    elif (
        "new" in note
        or note in ("camelCase keys", "unknown UpdateType", "report 1, 2 s apart")
        or "first file" in note
    ):
        put(
            path.parent if path.suffix else path,
            path.name if path.suffix else "Breaking Bad - S02E03 - X.mkv",
        )


@pytest.mark.parametrize("version", VERSIONS)
async def test_every_report_of_the_tape_makes_files_come_and_go(
    run_jellyfin: Run, tmp_path: Path, version: str
) -> None:
    """Tape 14: file, season, series and library paths, new folders and series, camelCase, odd bodies."""
    seen = 0
    async with stage(run_jellyfin, tmp_path, version, delays={"monitor_s": 3.0}) as at:
        steps = Tape(version, find_name(version, "14")).steps
        for step, following in zip(steps, [*steps[1:], {}], strict=True):
            if "request" not in step or not isinstance(step["request"].get("body"), dict):
                continue
            if "token" in step.get("note", ""):
                continue
            text = json.dumps(step["request"]["body"]).replace("/mnt/media/", "/media/")
            step = {**step, "request": {**step["request"], "body": json.loads(text)}}
            before = await at.items()
            carry_out(at, step)
            answer = await at.talk.ask("POST", "/Library/Media/Updated", json=step["request"]["body"])
            assert answer.status == step["response"]["status"], step["note"]
            expected = following.get("note", "") if "request" not in following else ""
            if "2 s apart" in step.get("note", ""):
                at.talk.clock.advance(5 if "report 4" in step["note"] else 2)
            if not re.match(r"(visible|gone): yes", expected):
                continue
            assert await at.items() == before, step["note"]
            at.talk.clock.advance(3)
            added, removed = set(await at.items()) - set(before), set(before) - set(await at.items())
            assert (len(added), len(removed)) == ((1, 0) if expected.startswith("visible") else (0, 1)), step[
                "note"
            ]
            seen += 1
    assert seen == 15


async def test_the_quiet_time_begins_anew_with_each_report(run_jellyfin: Run, tmp_path: Path) -> None:
    """Tape 14, steps 28 to 35: four reports two seconds apart, three seconds of quiet, seen after nine."""
    async with stage(run_jellyfin, tmp_path, delays={"monitor_s": 3.0}) as at:
        path = f"/media/tv/{SHOW}/Season 02/Breaking Bad - S02E03.mkv"
        put(at.shows, path.removeprefix("/media/tv/"))
        for _ in range(4):
            await at.report(path)
            at.talk.clock.advance(2)
            assert path not in await at.items()
        at.talk.clock.advance(1)
        assert path in await at.items()


async def test_a_report_beside_another_waits_with_it(run_jellyfin: Run, tmp_path: Path) -> None:
    """Facts 1.2: siblings are one wait of their folder, which starts anew."""
    async with stage(run_jellyfin, tmp_path, delays={"monitor_s": 3.0}) as at:
        folder = f"/media/tv/{SHOW}/Season 02"
        names = [f"{folder}/Breaking Bad - S02E0{n}.mkv" for n in (2, 3)]
        for name in names:
            put(at.shows, name.removeprefix("/media/tv/"))
            await at.report(name)
            at.talk.clock.advance(2)
        assert len(await at.items()) == 2
        at.talk.clock.advance(1)
        assert set(names) < set(await at.items())


async def test_with_defaults_the_delays_are_those_of_the_tape(run_jellyfin: Run, tmp_path: Path) -> None:
    """Tape 11: visible a minute after the report, ``LibraryChanged`` half a minute later, with the season as grown."""
    events = events_of("12.0.0", "11")
    posted = next(e["t"] for e in events if e.get("note") == "POST /Library/Media/Updated")
    visible = next(e["t"] for e in events if "visible" in e.get("note", ""))
    changed = next(
        e
        for e in events
        if isinstance(e.get("data"), dict) and e["data"].get("MessageType") == "LibraryChanged"
    )
    async with stage(run_jellyfin, tmp_path, delays={}) as at:
        socket = await at.talk.client.ws_connect(f"/socket?ApiKey={at.talk.token}")
        name = f"{SHOW}/Season 02/Breaking Bad - S02E02.mkv"
        put(at.shows, name)
        await at.report(f"/media/tv/{name}")
        at.talk.clock.advance(40)
        await socket.send_json({"MessageType": "KeepAlive"})
        while (await socket.receive_json(timeout=30))["MessageType"] != "KeepAlive":
            pass
        at.talk.clock.advance(19)
        assert len(await at.items()) == 1 + 1
        at.talk.clock.advance(visible - posted - 59)
        assert f"/media/tv/{name}" in await at.items()
        at.talk.clock.advance(changed["t"] - visible)
        frame: dict[str, Any] = {"MessageType": ""}
        while frame["MessageType"] != "LibraryChanged":
            frame = await socket.receive_json(timeout=30)
        assert frame["Data"].keys() == changed["data"]["Data"].keys()
        item = (await at.items())[f"/media/tv/{name}"]
        assert frame["Data"]["ItemsAdded"] == [item["Id"]]
        assert len(frame["Data"]["ItemsUpdated"]) == len(changed["data"]["Data"]["ItemsUpdated"]) == 1


async def test_a_foreign_path_comes_to_nothing(run_jellyfin: Run, tmp_path: Path) -> None:
    """204, and a new file elsewhere stays unseen."""
    async with stage(run_jellyfin, tmp_path) as at:
        put(at.shows, f"{SHOW}/Season 02/Breaking Bad - S02E02.mkv")
        await at.report("/elsewhere/x.mkv", "relative/path.mkv", "C:\\TV\\x.mkv")
        assert len(await at.items()) == 2


@pytest.mark.parametrize("trial", ["season", "series", "series, new season", "library"])
async def test_a_refresh_of_a_known_folder_shows_the_file_at_once(
    run_jellyfin: Run, tmp_path: Path, trial: str
) -> None:
    """Tape 26: whatever the mode; with Default the ids are there."""
    data = json.loads(
        truth_path("recorded", "jellyfin", "12.0.0-real", f"{find_name('12.0.0', '26')}.json").read_bytes()
    )
    assert any(each["target"].startswith(trial.split(",")[0]) for each in data["trials"])
    async with stage(run_jellyfin, tmp_path) as at:
        episode = at.talk.server.acts.find("s2e1")
        assert episode.series is not None and episode.parent is not None
        assert episode.library is not None
        folder = {"season": episode.parent, "library": episode.library.folder}.get(trial, episode.series)
        name = (
            f"{SHOW}/Season 03/Breaking Bad - S03E01.mkv"
            if "new" in trial
            else f"{SHOW}/Season 02/X - S02E02.mkv"
        )
        put(at.shows, name)
        modes = {"metadataRefreshMode": "Default", "imageRefreshMode": "Default"}
        assert (await at.talk.ask("POST", f"/Items/{folder.id}/Refresh", **modes)).status == 204
        item = (await at.items())[f"/media/tv/{name}"]
        assert item["ProviderIds"] == ({} if "new" in trial else {"Tvdb": "902"})


@pytest.mark.parametrize("mode", [None, "None", "ValidationOnly"])
async def test_a_refresh_without_reading_leaves_new_items_without_ids(
    run_jellyfin: Run, tmp_path: Path, mode: str | None
) -> None:
    """Tape 26: no ids, the name of the series, and it stays so; what was known keeps its own. Default reads them."""
    async with stage(run_jellyfin, tmp_path) as at:
        series = at.talk.server.acts.find("s2e1").series
        assert series is not None
        name = f"{SHOW}/Season 02/Breaking Bad - S02E02.mkv"
        put(at.shows, name)
        for _ in range(2):
            query = {} if mode is None else {"metadataRefreshMode": mode}
            await at.talk.ask("POST", f"/Items/{series.id}/Refresh", **query)
            items = await at.items()
            assert (items[f"/media/tv/{name}"]["Name"], items[f"/media/tv/{name}"]["ProviderIds"]) == (
                "Breaking Bad",
                {},
            )
            assert items[f"/media/tv/{FIRST}"]["ProviderIds"] == {"Tvdb": "901"}
        await at.talk.ask("POST", f"/Items/{series.id}/Refresh", metadataRefreshMode="Default")
        assert (await at.items())[f"/media/tv/{name}"]["ProviderIds"] == {"Tvdb": "902"}


def kinds(task: dict[str, Any]) -> dict[str, type]:
    return {name: type(value) for name, value in task.items()}


async def test_a_scan_of_everything_takes_time_and_can_be_followed(run_jellyfin: Run, tmp_path: Path) -> None:
    """Tape 15: answered at once, nothing visible then; Running with its progress, then Completed; or Cancelled."""
    steps = Tape("12.0.0", find_name("12.0.0", "15")).steps
    running, done, cancelled = (steps[n]["response"]["body"] for n in (6, 8, 12))
    async with stage(run_jellyfin, tmp_path, delays={"scan_s": 10}) as at:
        put(at.films, "Sintel (2010)/Sintel (2010).mkv")
        assert (await at.task())["State"] == "Idle"
        assert (await at.talk.ask("POST", "/Library/Refresh")).status == 204
        assert len(await at.items()) == 2
        at.talk.clock.advance(4)
        task = await at.task()
        assert (task["State"], round(task["CurrentProgressPercentage"])) == ("Running", 40)
        folders = (await at.talk.ask("GET", "/Library/VirtualFolders")).body
        told = {each["Name"]: (each["RefreshStatus"], each.get("RefreshProgress")) for each in folders}
        assert told == {"Shows": ("Active", 80), "Movies": ("Idle", None)}
        at.talk.clock.advance(6)
        assert len(await at.items()) == 3
        task = await at.task()
        assert (task["State"], task["LastExecutionResult"]["Status"]) == ("Idle", "Completed")
        assert kinds(task) == kinds(done)
        path = f"/ScheduledTasks/Running/{task['Id']}"
        assert (await at.talk.ask("POST", path)).status == 204
        assert kinds(await at.task()).keys() == kinds(running).keys()
        assert (await at.talk.ask("DELETE", path)).status == steps[11]["response"]["status"]
        assert (await at.task())["LastExecutionResult"]["Status"] == cancelled["LastExecutionResult"][
            "Status"
        ]
        assert (await at.talk.ask("DELETE", path)).status == steps[15]["response"]["status"]


async def test_another_request_ends_a_scan_and_begins_anew(run_jellyfin: Run, tmp_path: Path) -> None:
    """Facts A5: a running scan is cancelled."""
    async with stage(run_jellyfin, tmp_path, delays={"scan_s": 10}) as at:
        put(at.films, "Sintel (2010)/Sintel (2010).mkv")
        await at.talk.ask("POST", "/Library/Refresh")
        at.talk.clock.advance(9)
        await at.talk.ask("POST", "/Library/Refresh")
        at.talk.clock.advance(9)
        assert len(await at.items()) == 2
        at.talk.clock.advance(1)
        assert len(await at.items()) == 3


async def test_a_renamed_file_is_another_item_and_an_upgrade_as_well(
    run_jellyfin: Run, tmp_path: Path
) -> None:
    """A path makes an id; the state hangs on the ids."""
    async with stage(run_jellyfin, tmp_path) as at:
        [old] = [item for path, item in (await at.items()).items() if "Matrix" in path]
        folder = at.films / "The Matrix (1999)"
        (folder / "The Matrix (1999).mkv").rename(folder / "The Matrix (1999) 2160p.mkv")
        await at.talk.ask("POST", "/Library/Refresh")
        [new] = [item for path, item in (await at.items()).items() if "Matrix" in path]
        assert new["Id"] != old["Id"]
        assert (new["ProviderIds"], new["UserData"]["Played"]) == ({"Tmdb": "603"}, True)


async def test_a_second_file_in_a_films_folder_is_another_version(run_jellyfin: Run, tmp_path: Path) -> None:
    """One film with two sources; a file of two episodes is one item."""
    async with stage(run_jellyfin, tmp_path) as at:
        put(at.films, "The Matrix (1999)/The Matrix (1999) - 4k.mkv")
        put(at.shows, f"{SHOW}/Season 02/Breaking Bad - S02E04-E05.mkv")
        await at.talk.ask("POST", "/Library/Refresh")
        items = await at.items()
        assert len([path for path in items if "Matrix" in path]) == 1
        double = items[f"/media/tv/{SHOW}/Season 02/Breaking Bad - S02E04-E05.mkv"]
        assert (double["IndexNumber"], double["IndexNumberEnd"]) == (4, 5)
        assert [each.id for each in at.talk.server.catalogue.by_world["s2e5"]] == [double["Id"]]


@pytest.mark.parametrize(("version", "kept"), [("12.0.0", 0), ("10.11.11", 1)])
@pytest.mark.parametrize("how", ["unmounted", "missing", "empty"])
async def test_a_library_folder_that_is_away_empties_12_and_not_10_11(
    run_jellyfin: Run, tmp_path: Path, version: str, kept: int, how: str
) -> None:
    """Facts A8, 7; back again the items have the same ids."""
    async with stage(run_jellyfin, tmp_path, version) as at:
        before = await at.items()
        if how == "unmounted":
            at.act("unmount", library="Movies")
        else:
            shutil.move(at.films, tmp_path / "kept")
            if how == "empty":
                at.films.mkdir()
        await at.talk.ask("POST", "/Library/Refresh")
        assert len([path for path in await at.items() if "movies" in path]) == kept
        if how == "unmounted":
            at.act("mount", library="Movies")
        else:
            shutil.rmtree(at.films, ignore_errors=True)
            shutil.move(tmp_path / "kept", at.films)
        await at.talk.ask("POST", "/Library/Refresh")
        assert {path: item["Id"] for path, item in (await at.items()).items()} == {
            path: item["Id"] for path, item in before.items()
        }


async def test_windows_paths_go_out_and_come_in(run_jellyfin: Run, tmp_path: Path) -> None:
    """Items, sources, libraries; a report in the server's form finds the file."""
    async with stage(run_jellyfin, tmp_path, tv="D:\\Media\\TV") as at:
        put(at.shows, f"{SHOW}/Season 02/Breaking Bad - S02E02.mkv")
        path = f"D:\\Media\\TV\\{SHOW}\\Season 02\\Breaking Bad - S02E02.mkv"
        await at.report(path)
        item = (await at.items())[path]
        whole = (await at.talk.ask("GET", f"/Items/{item['Id']}", userId=at.talk.user)).body
        assert whole["MediaSources"][0]["Path"] == path
        folders = (await at.talk.ask("GET", "/Library/VirtualFolders")).body
        assert ["D:\\Media\\TV"] in [each["Locations"] for each in folders]
        assert "D:\\Media\\TV" in (await at.talk.ask("GET", "/Library/PhysicalPaths")).body


async def test_libraries_are_made_moved_and_named_in_other_languages(
    run_jellyfin: Run, tmp_path: Path
) -> None:
    """A moved library's items have other ids; the task keeps its key in any language."""
    async with stage(run_jellyfin, tmp_path) as at:
        put(tmp_path / "more", "Sintel (2010)/Sintel (2010).mkv")
        at.act("add_library", title="More", kind="movies", folder=str(tmp_path / "more"))
        old = (await at.items())[f"{tmp_path}/more/Sintel (2010)/Sintel (2010).mkv"]
        at.act("move_library", library="More", folder=str(tmp_path / "more"), root="/other")
        items = await at.items()
        assert len(items) == 3
        assert items["/other/Sintel (2010)/Sintel (2010).mkv"]["Id"] != old["Id"]
        at.act("set_language", language="de")
        assert (await at.task())["Name"] == "Medienbibliothek scannen"
        with pytest.raises(ValueError, match="does not speak"):
            at.act("set_language", language="tlh")
        for what, item in (("remove", "matrix"), ("add", "s2e5"), ("replace_file", "s2e1")):
            with pytest.raises(ValueError, match="real folder: change the files"):
                at.talk.server.act("", item, what, at=None, args={})


@pytest.mark.parametrize(("version", "kept"), [("12.0.0", 0), ("10.11.11", 1)])
async def test_a_library_of_several_folders(
    run_jellyfin: Run, tmp_path: Path, version: str, kept: int
) -> None:
    """Each is a location; one of them away is as a library that is away; one taken away takes its items."""
    async with stage(run_jellyfin, tmp_path, version) as at:
        put(tmp_path / "more", "Sintel (2010)/Sintel (2010).mkv")
        at.act("add_folder", library="Movies", folder=str(tmp_path / "more"), root="/more")
        folders = (await at.talk.ask("GET", "/Library/VirtualFolders")).body
        assert ["/media/movies", "/more"] in [each["Locations"] for each in folders]
        assert "/more/Sintel (2010)/Sintel (2010).mkv" in await at.items()
        at.act("unmount", library="Movies", root="/more")
        await at.talk.ask("POST", "/Library/Refresh")
        assert len(await at.items()) == 2 + kept
        at.act("mount", library="Movies", root="/more")
        put(tmp_path / "more", "Other (2011)/Other (2011).mkv")
        await at.report("/more/Other (2011)/Other (2011).mkv")
        assert len(await at.items()) == 4
        at.act("remove_folder", library="Movies", root="/more")
        assert len(await at.items()) == 2
        with pytest.raises(ValueError, match="one of several"):
            at.act("remove_folder", library="Movies", root="/media/movies")


async def test_new_items_are_posted_from_the_queue(run_jellyfin: Run, tmp_path: Path) -> None:
    """Tape 22: each once after 90 s; an item without any id waits for ten runs."""
    async with (
        listen() as ear,
        stage(
            run_jellyfin, tmp_path, delays={"scan_s": 0, "monitor_s": 0}, webhooks=(f"{ear.url}/hook",)
        ) as at,
    ):
        put(at.films, "Sintel (2010)/Sintel (2010).mkv", "Home Cut/Home Cut.mkv")
        await at.talk.ask("POST", "/Library/Refresh")
        at.talk.clock.advance(90)
        await wait_until(lambda: not at.talk.server.plugin.posts.waiting)
        added = [post.json()["Name"] for post in ear.posts if "ItemAdded" in str(post.fields)]
        assert added == ["Sintel"]
        at.talk.clock.advance(900)
        await wait_until(lambda: not at.talk.server.plugin.posts.waiting)
        added = [post.json()["Name"] for post in ear.posts if "ItemAdded" in str(post.fields)]
        assert added == ["Sintel", "Home Cut"]


async def test_a_killed_server_forgets_its_scan_and_its_waits(run_jellyfin: Run, tmp_path: Path) -> None:
    """Nothing comes of what was asked before."""
    async with stage(run_jellyfin, tmp_path, delays={"scan_s": 10, "monitor_s": 10}) as at:
        put(at.shows, f"{SHOW}/Season 02/Breaking Bad - S02E02.mkv")
        await at.report("/media/tv")
        await at.talk.ask("POST", "/Library/Refresh")
        at.talk.server.crash()
        at.talk.clock.advance(60)
        assert len(await at.items()) == 2
