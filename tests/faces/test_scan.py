"""``playhead scan`` on emulated servers with real folders: without a hub by itself, with one through it, until the proof."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from playhead.faces.cli.demo_world import EMBY, PERSON, PLEX
from playhead.sandbox.run import SandboxHandle, run_world_in_thread
from playhead.sandbox.world import World, WorldLibrary, WorldServer, WorldUser
from tests.faces.conftest import Cli, Ran
from tests.faces.test_serve import QUIET, Hub, until
from tests.faces.test_terminal import Terminal, terminal

EPISODE = "tv/Old Show/Season 01/Old Show - S01E01 - Pilot.mkv"
NEW = "tv/My Fancy Show/Season 07/My Fancy Show S07E22 Awesome Episode.mp4"


__all__ = ["terminal"]


@pytest.fixture
def media(tmp_path: Path) -> Path:
    media = tmp_path / "media"
    for file in (EPISODE, "movies/A Film (1999)/A Film (1999).mkv"):
        put(media / file)
    return media


def put(file: Path) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()
    return file


def shelve(media: Path, root: str) -> list[WorldLibrary]:
    stroke = "\\" if root.startswith("\\") else "/"
    return [
        WorldLibrary(
            title="Filme", kind="movies", folder=str(media / "movies"), root=f"{root}{stroke}movies"
        ),
        WorldLibrary(title="Serien", kind="shows", folder=str(media / "tv"), root=f"{root}{stroke}tv"),
    ]


@pytest.fixture
def shelves(media: Path) -> Iterator[SandboxHandle]:
    """A German Plex server that sees the folder as /data, and an Emby server that sees it as a share."""
    alice = [WorldUser(name=PERSON, admin=True)]
    servers = [
        WorldServer(
            name=PLEX, kind="plex", users=alice, libraries=shelve(media, "/data"),
            delays={"scan_s": 0.2}, quirks={"language": "de"},
        ),
        WorldServer(
            name=EMBY, kind="emby", users=alice, libraries=shelve(media, "\\\\nas\\video"),
            delays={"scan_s": 0.2, "monitor_s": 0.3},
        ),
    ]  # fmt: skip
    with run_world_in_thread(World(items=[], servers=servers)) as box:
        yield box


@pytest.fixture
def joined(
    shelves: SandboxHandle, connect: Callable[..., Ran], cli: Cli, media: Path, home: Path
) -> SandboxHandle:
    for name, root in ((PLEX, "/data"), (EMBY, "\\\\nas\\video")):
        ran = connect(shelves, name)
        assert ran.code == 0, ran.err
        assert cli("connections", "set", name, "--path", f"{root}={media}").code == 0
    with (home / "playhead.yaml").open("a") as settings:
        settings.write(QUIET)
    return shelves


def states(job: dict[str, Any]) -> dict[str, str]:
    return {part["connection"]: part["state"] for part in job["parts"] if part["state"] != "no library"}


def test_a_bare_file_name_is_found_scanned_and_proved_on_all_servers(
    joined: SandboxHandle, cli: Cli, media: Path
) -> None:
    """One folder scan each, though libraries have other names and servers other paths."""
    put(media / NEW)
    ran = cli("scan", "--file", Path(NEW).name, "--json")
    assert ran.code == 0, ran.err
    assert states(ran.json) == {PLEX: "proved", EMBY: "proved"}
    assert {part["library"] for part in ran.json["parts"]} == {"Serien"}
    [plex] = [part for part in ran.json["parts"] if part["connection"] == PLEX]
    assert plex["means"] == "folder" and plex["items"][0]["files"] == [f"/data/{NEW}"]
    listed = cli("scans", "--json").json
    assert [job["id"] for job in listed] == [ran.json["id"]]
    assert cli("scans", str(ran.json["id"])).code == 0


def test_a_deleted_file_is_proved_gone_and_the_trash_is_emptied_on_request_alone(
    joined: SandboxHandle, cli: Cli, media: Path
) -> None:
    """With its whole folder: the one above is scanned. Without the disk nothing is emptied."""
    put(media / "tv/Other/e S01E02.mkv")
    shutil.rmtree(media / "tv/Old Show")
    ran = cli("scan", "--path", str(media / EPISODE), "--gone", "--connection", PLEX, "--json")
    assert ran.code == 0 and states(ran.json) == {PLEX: "gone"}
    would = cli("scan", "--empty-trash", "Serien", "--dry-run", "--json").json
    assert {each["connection"]: each["outcome"] for each in would} == {
        PLEX: "would be emptied",
        EMBY: "keeps no trash",
    }
    shutil.rmtree(media / "tv")
    refused = cli("scan", "--empty-trash", "Serien")
    assert refused.code == 1 and "Nothing was emptied" in refused.err


def test_what_would_happen_is_said_step_by_step(joined: SandboxHandle, cli: Cli, media: Path) -> None:
    """The mapping, the library, the scans from the narrow to the wide; nothing is asked of a server."""
    put(media / NEW)
    ran = cli("scan", "--explain", str(media / NEW), "--json")
    plex, emby = ran.json
    assert plex["rules"][0]["rule"] == f"{media} = /data" and plex["here"] == "file"
    assert plex["places"][0]["scans"] == [
        f"/data/{Path(NEW).parent}",
        f"/data/{Path(NEW).parents[1]}",
        "all of Serien",
    ]
    assert emby["places"][0]["server_path"].startswith("\\\\nas\\video\\tv\\My Fancy Show\\Season 07")
    said = " ".join(cli("scan", "--explain", str(media / NEW)).out.split())
    assert f"is asked to scan /data/{Path(NEW).parent}; where nothing appears, /data/" in said
    strange = cli("scan", "--explain", "/elsewhere/a.mkv").out
    assert f"under another path? playhead connections set {PLEX} --path SERVER=HUB" in strange
    whole = cli("scan", "Serien", "--dry-run").out
    assert whole == f"All of Serien would be scanned, on {PLEX}, {EMBY} (--dry-run).\n"
    assert cli("scan", "--path", str(media / NEW), "--dry-run", "--json").json["dry_run"]
    assert cli("scans", "--json").json == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("Nothing",), "Filme, Serien on"),
        (("--path", "/elsewhere/x.mkv"), "/data/movies, /data/tv"),
        (("--file", "nothing.mkv"), "movies"),
    ],
)
def test_what_nobody_has_is_said_with_where_was_looked(
    joined: SandboxHandle, cli: Cli, arguments: tuple[str, ...], said: str
) -> None:
    """And is no success."""
    ran = cli("scan", *arguments)
    assert ran.code == 1 and said in ran.err


@pytest.mark.parametrize("arguments", [(), ("Filme", "--file", "x"), ("--path", "a", "--explain", "b")])
def test_one_thing_at_a_time(joined: SandboxHandle, cli: Cli, arguments: tuple[str, ...]) -> None:
    """Else it is not clear what is meant."""
    assert cli("scan", *arguments).code == 2


def test_without_a_connection_the_next_step_is_said(cli: Cli) -> None:
    """From an empty folder on."""
    assert "playhead connect" in cli("scan", "Filme").err
    assert cli("scans").out.startswith("Nothing was scanned yet")


def test_the_key_is_made_once_and_anew_on_request(cli: Cli) -> None:
    """Nothing else prints it."""
    first = cli("api-key", "show", "--json").json["key"]
    assert cli("api-key", "show").out.strip() == first
    assert cli("api-key", "new", "--dry-run").code == 0 and cli("api-key", "show").out.strip() == first
    assert cli("api-key", "new", "--json").json["key"] != first


def test_a_hub_that_runs_does_it_and_goes_on_after_a_kill(
    joined: SandboxHandle, cli: Cli, media: Path, home: Path
) -> None:
    """Stored, killed -9, started anew: every job comes to its proof; measures and readiness tell of it."""
    hub = Hub(home)
    try:
        hub.be_ready()
        put(media / NEW)
        through = cli("scan", "--path", str(media / NEW), "--json")
        assert through.code == 0 and set(states(through.json).values()) == {"proved"}, through.err
        numbers = []
        for episode in range(30, 36):
            file = put(media / f"tv/My Fancy Show/Season 07/My Fancy Show S07E{episode}.mkv")
            numbers.append(cli("scan", "--path", str(file), "--no-wait", "--json").json["id"])
        hub.process.kill()
        hub.process.wait()
        hub = Hub(home)
        hub.be_ready()

        def all_ended() -> bool:
            jobs = {job["id"]: job for job in cli("scans", "--json").json}
            return all(jobs[number]["ended"] for number in numbers)

        until(all_ended, "all ended")
        jobs = {job["id"]: job for job in cli("scans", "--json").json}
        assert all(set(states(jobs[number]).values()) == {"proved"} for number in numbers)
        assert hub.ask("/readyz")[1]["scans"] == {PLEX: "", EMBY: ""}
    finally:
        hub.end()


def test_a_whole_library_that_was_scanned_is_told_so(joined: SandboxHandle, cli: Cli) -> None:
    """Where no file is named, the line does not end in nothing."""
    ran = cli("scan", "Serien", "--connection", PLEX)
    assert ran.code == 0, ran.err
    [line] = ran.out.splitlines()
    assert line.startswith(f"scanned: {PLEX}, Serien: ")
    assert len(line) > len(f"scanned: {PLEX}, Serien: ")


def test_a_person_is_asked_before_the_trash_is_emptied(
    joined: SandboxHandle, terminal: Callable[..., Terminal]
) -> None:
    """It cannot be taken back; a script that asks for it means it."""
    screen = terminal("scan", "--empty-trash", "Serien")
    screen.wait_for("Drop for good")
    screen.type("n")
    assert screen.end() == 2, screen.shown
    assert "Nothing was changed." in screen.shown
