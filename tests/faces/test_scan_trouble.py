"""What goes wrong in a house with real folders, step by step, through a hub that runs: a folder that a scan misses, a library
that is renamed and one that is added, a share that is away, a server that is down."""

from __future__ import annotations

import json
import os
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest

from playhead.faces.cli.demo_world import PERSON, PLEX
from playhead.sandbox.run import SandboxHandle, run_world_in_thread
from playhead.sandbox.world import World, WorldLibrary, WorldServer, WorldUser
from tests.faces.acting import ask
from tests.faces.conftest import Cli, Ran
from tests.faces.test_serve import QUIET, Hub

PACE = "scans: {quiet_s: 0.1, longest_quiet_s: 0.2, look_for_s: 2}\n"


@pytest.fixture
def media(tmp_path: Path) -> Path:
    media = tmp_path / "media"
    put(media / "tv/Old Show/Old Show S01E01.mkv")
    put(media / "anime/Old Anime/Old Anime S01E01.mkv")
    return media


def put(file: Path) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()
    return file


@pytest.fixture
def box(media: Path) -> Iterator[SandboxHandle]:
    """One German Plex server that misses new folders."""
    server = WorldServer(
        name=PLEX,
        kind="plex",
        users=[WorldUser(name=PERSON, admin=True)],
        libraries=[WorldLibrary(title="Serien", kind="shows", folder=str(media / "tv"))],
        delays={"scan_s": 0.2},
        quirks={"language": "de", "misses_new_folder": True},
    )
    with run_world_in_thread(World(items=[], servers=[server])) as box:
        yield box


class Running:
    """A hub that runs, and its API."""

    def __init__(self, hub: Hub, key: str) -> None:
        self.hub, self.key = hub, key

    def ask(self, path: str, body: dict[str, Any] | None = None) -> Any:
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self.hub.url + path, data, {"X-Api-Key": self.key})
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def scan(self, path: Path, *, gone: bool = False, wait: int = 60) -> dict[str, Any]:
        """Ask for a path and give its part when the job has ended."""
        told = self.ask("/api/v1/scans", {"paths": [str(path)], "gone": gone})
        return self.follow(told["id"], wait)

    def follow(self, number: int, wait: int = 60) -> dict[str, Any]:
        job = self.ask(f"/api/v1/scans/{number}?wait={wait}")
        [part] = job["parts"]
        return {**part, "id": number}


@pytest.fixture
def running(box: SandboxHandle, connect: Callable[..., Ran], cli: Cli, home: Path) -> Iterator[Running]:
    assert connect(box, PLEX).code == 0
    with (home / "playhead.yaml").open("a") as settings:
        settings.write(QUIET + PACE)
    hub = Hub(home)
    hub.be_ready()
    yield Running(hub, cli("api-key", "show").out.strip())
    hub.end()


def act(box: SandboxHandle, what: str, **more: Any) -> None:
    ask(box, "/_sandbox/act", [{"server": PLEX, "user": "", "item": "", "act": what, **more}])  # type: ignore[arg-type]


def test_a_new_folder_that_its_scan_misses_is_found_by_the_one_above(running: Running, media: Path) -> None:
    """The server made nothing of it at first."""
    part = running.scan(put(media / "tv/New Show/Season 01/New Show S01E01.mkv"))
    assert part["state"] == "proved" and part["library"] == "Serien"
    assert "scan widened" in running.hub.log


def test_a_library_that_is_renamed_or_added_meanwhile_is_known(
    running: Running, box: SandboxHandle, media: Path
) -> None:
    """Without a restart."""
    act(box, "rename_library", library="Serien", title="TV")
    act(box, "add_library", title="Anime", kind="shows", folder=str(media / "anime"))
    assert running.scan(put(media / "tv/Old Show/Old Show S01E02.mkv"))["library"] == "TV"
    part = running.scan(put(media / "anime/Old Anime/Old Anime S01E02.mkv"))
    assert (part["library"], part["state"]) == ("Anime", "proved")


def test_a_share_that_is_away_costs_no_item(running: Running, box: SandboxHandle, media: Path) -> None:
    """Its scans wait and say why, and go on when it is back; what is really gone goes then."""
    file = put(media / "tv/Old Show/Old Show S01E02.mkv")
    assert running.scan(file)["state"] == "proved"
    act(box, "unmount", library="Serien", empty=True)
    (media / "tv").rename(media / "elsewhere")
    (media / "tv").mkdir()
    waits = running.scan(file, gone=True, wait=3)
    assert waits["state"] == "waiting" and "is the disk mounted" in waits["message"]
    assert "is empty" in running.hub.ask("/readyz")[1]["scans"][PLEX]
    (media / "tv").rmdir()
    (media / "elsewhere").rename(media / "tv")
    act(box, "mount", library="Serien")
    assert running.follow(waits["id"])["state"] == "still there"
    file.unlink()
    assert running.scan(file, gone=True)["state"] == "gone"
    assert running.hub.log.count("scans wait") == 1 and running.hub.log.count("scans go on") == 1


def test_a_server_that_is_down_gets_its_scan_when_it_is_back(
    running: Running, box: SandboxHandle, media: Path
) -> None:
    """The job is taken, and waits."""
    file = put(media / "tv/Old Show/Old Show S01E03.mkv")
    ask(box, "/_sandbox/kill", {"server": PLEX, "down_s": 5})
    told = running.ask("/api/v1/scans", {"paths": [str(file)]})
    assert running.follow(told["id"], wait=1)["state"] == "waiting"
    assert running.follow(told["id"])["state"] == "proved"


def test_what_no_server_understands_is_said_in_the_end(running: Running, media: Path) -> None:
    """After the folder, the one above and the library."""
    part = running.scan(put(media / "tv/Old Show/no number.mkv"))
    assert part["state"] == "not found" and "all of Serien" in part["message"]


def test_another_key_opens_at_once_and_the_old_one_no_more(running: Running, cli: Cli) -> None:
    """Without a restart, and without a change of the settings; what is removed opens nothing either."""
    old = running.key
    running.key = cli("api-key", "new", "--json").json["key"]
    assert running.ask("/api/v1/scans") == []
    secrets = Path(os.environ["PLAYHEAD_HOME"]) / "secrets.json"
    kept = json.loads(secrets.read_text())
    del kept["secrets"]["api-key"]
    for key, change in ((old, None), (running.key, kept)):
        if change is not None:
            secrets.write_text(json.dumps(change))
        running.key = key
        with pytest.raises(HTTPError) as refused:
            running.ask("/api/v1/scans")
        assert refused.value.code == 401
    assert running.key not in running.hub.log
