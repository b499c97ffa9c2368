"""``playhead serve`` as a process of its own, with the demo's servers around it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest

from playhead.faces.cli.demo_world import EMBY, JELLYFIN, PERSON, PLEX
from playhead.ports.inbox import WaitingEvent
from playhead.sandbox.run import SandboxHandle
from playhead.store.inbox import SqlInbox
from tests.faces.conftest import Cli, Ran

LONGEST_S = 60.0
QUIET = "schedule:\n  sync: ''\n  full: ''\n  at_start: false\n"


def until(holds: Callable[[], Any], what: str) -> Any:
    """Wait until it holds and give it."""
    end = time.monotonic() + LONGEST_S
    while not (found := holds()):
        assert time.monotonic() < end, f"never: {what}"
        time.sleep(0.02)
    return found


class Hub:
    """A hub that runs, and what it logged."""

    def __init__(self, home: Path, *arguments: str) -> None:
        self.log_path = home.parent / "serve.log"
        with self.log_path.open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "playhead", "serve", "--port", "0", "--json", *arguments],
                env=os.environ | {"PLAYHEAD_HOME": str(home)},
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.log
        self.told: dict[str, Any] = json.loads(line)
        self.url = str(self.told["url"])

    @property
    def log(self) -> str:
        return self.log_path.read_text()

    def ask(self, path: str) -> tuple[int, Any]:
        try:
            with urllib.request.urlopen(self.url + path) as answer:
                return answer.status, json.load(answer)
        except HTTPError as error:
            return error.code, json.load(error)
        except ConnectionError as error:
            raise AssertionError(f"{path}: {error!r}; exit code {self.process.poll()}\n{self.log}") from error

    def be_ready(self) -> dict[str, Any]:
        """Wait for it, and give what /readyz says."""
        until(lambda: self.ask("/readyz")[0] == 200, f"ready\n{self.log}")
        return dict(self.ask("/readyz")[1])

    def end(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(LONGEST_S)


def refuse(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Try to start a hub that may not come up."""
    return subprocess.run(
        [sys.executable, "-m", "playhead", "serve", *arguments],
        env=os.environ | {"PLAYHEAD_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
        check=False,
    )


Start = Callable[..., Hub]


@pytest.fixture
def start(home: Path) -> Iterator[Start]:
    """Starts hubs on the test's home; those still up at the end are killed."""
    hubs: list[Hub] = []

    def start(*arguments: str) -> Hub:
        hubs.append(Hub(home, *arguments))
        return hubs[-1]

    yield start
    for hub in hubs:
        hub.process.kill()
        hub.process.wait()


@pytest.fixture
def box(world: SandboxHandle, connect: Callable[..., Ran], cli: Cli, home: Path) -> SandboxHandle:
    """All three servers connected and in agreement, no runs by schedule."""
    for name in (PLEX, JELLYFIN, EMBY):
        assert connect(world, name).code == 0
    assert cli("sync").code == 0
    with (home / "playhead.yaml").open("a") as settings:
        settings.write(QUIET)
    return world


def hooks(cli: Cli, *arguments: str) -> dict[str, str]:
    ran = cli("webhooks", "list", "--json", *arguments)
    assert ran.code == 0, ran.err
    return {each["connection"]: each["url"] for each in ran.json}


def post(url: str, payload: dict[str, Any]) -> int:
    request = urllib.request.Request(
        url, data=json.dumps(payload).encode(), headers={"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request) as answer:
            return int(answer.status)
    except HTTPError as error:
        return error.code


class Emby:
    """The demo's Emby as its own webhooks speak of it."""

    def __init__(self, box: SandboxHandle) -> None:
        self.box = box
        spec = next(each for each in box.start_line()["servers"] if each["name"] == EMBY)
        self.user = next(each for each in spec["users"] if each["name"] == PERSON)
        self.server_id = self.get("/emby/System/Info/Public")["Id"]

    def get(self, path: str) -> Any:
        request = urllib.request.Request(
            self.box.url(EMBY) + path, headers={"X-Emby-Token": self.box.token(EMBY, PERSON)}
        )
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def ids(self) -> list[str]:
        """Native ids of all movies and episodes."""
        path = f"/emby/Users/{self.user['id']}/Items?Recursive=true&IncludeItemTypes=Movie,Episode"
        return [each["Id"] for each in self.get(path)["Items"]]

    def marked(self, native_id: str, *, stranger: str | None = None) -> dict[str, Any]:
        """What it posts when the person, or a stranger, marks an item."""
        return {
            "Event": "item.markplayed",
            "User": {"Id": stranger or self.user["id"], "Name": stranger or PERSON},
            "Item": {"Id": native_id, "Type": "Movie"},
            "Server": {"Id": self.server_id},
        }


def shared_unwatched(box: SandboxHandle) -> str:
    """An item of all three servers that nobody has watched."""
    rows = {
        name: {row.item: row for row in box.server(name).state_rows(PERSON)}
        for name in (PLEX, JELLYFIN, EMBY)
    }
    return next(
        item for item in rows[EMBY] if all(item in each and not each[item].watched for each in rows.values())
    )


def is_watched(box: SandboxHandle, server: str, item: str) -> bool:
    return any(row.watched for row in box.server(server).state_rows(PERSON) if row.item == item)


def fates(hub: Hub) -> dict[str, int]:
    """Counts of webhooks' events by fate, as /metrics has them, and of all that wait as ``waiting``."""
    with urllib.request.urlopen(hub.url + "/metrics") as answer:
        text = answer.read().decode()
    found: dict[str, int] = {}
    for fate, count in re.findall(
        r'^playhead_events_total\{fate="(\w+)".*source="webhook"\} (\d+)', text, re.MULTILINE
    ):
        found[fate] = found.get(fate, 0) + int(count)
    waiting = re.search(r"^playhead_inbox_waiting (\d+)", text, re.MULTILINE)
    assert waiting
    return found | {"waiting": int(waiting[1])}


def test_a_mark_on_one_server_is_written_to_the_others(cli: Cli, box: SandboxHandle, start: Start) -> None:
    """Told by a webhook, read from the server, written within moments; an event of a stranger is kept apart."""
    hub = start()
    hub.be_ready()
    emby, item = Emby(box), shared_unwatched(box)
    url = hooks(cli)[EMBY]
    box.server(EMBY).act(PERSON, item, "mark", at=None, args={})
    for native_id in emby.ids():
        assert post(url, emby.marked(native_id)) == 202
    assert post(url, emby.marked("1", stranger="somebody-else")) == 202
    until(lambda: is_watched(box, PLEX, item) and is_watched(box, JELLYFIN, item), hub.log)
    until(lambda: fates(hub)["waiting"] == 0, hub.log)
    assert fates(hub)["unmatched"] == 1
    assert fates(hub)["done"] == len(emby.ids())
    assert url.rpartition("/")[2] not in hub.log


@pytest.mark.parametrize("server", [PLEX, JELLYFIN, EMBY])
def test_a_mark_is_heard_without_any_webhook(box: SandboxHandle, start: Start, server: str) -> None:
    """By the line to the server alone, whichever it is."""
    hub = start()
    lines = until(
        lambda: hub.be_ready()["listeners"] == dict.fromkeys((PLEX, JELLYFIN, EMBY), "open"), hub.log
    )
    assert lines
    until(lambda: not (runs := hub.ask("/readyz")[1]["runs"])["running"] and runs["last"], hub.log)
    item = shared_unwatched(box)
    box.server(server).act(PERSON, item, "mark", at=None, args={})
    others = {PLEX, JELLYFIN, EMBY} - {server}
    until(lambda: all(is_watched(box, other, item) for other in others), hub.log)


def test_a_line_can_be_switched_off(cli: Cli, box: SandboxHandle, start: Start) -> None:
    """For one connection; the others keep theirs."""
    assert cli("connections", "set", EMBY, "--no-listen").code == 0
    hub = start()
    until(lambda: set(hub.be_ready()["listeners"].values()) == {"open"}, hub.log)
    assert set(hub.be_ready()["listeners"]) == {PLEX, JELLYFIN}


def test_events_outlive_a_killed_hub(cli: Cli, box: SandboxHandle, start: Start, home: Path) -> None:
    """Every one whose sender was told 202 comes to its end once, in the next process."""
    hub = start()
    hub.be_ready()
    emby, item = Emby(box), shared_unwatched(box)
    url = hooks(cli)[EMBY]
    box.server(EMBY).act(PERSON, item, "mark", at=None, args={})
    sent = 0
    for native_id in emby.ids() * 3:
        sent += post(url, emby.marked(native_id)) == 202
    hub.end(signal.SIGKILL)
    assert sent == len(emby.ids()) * 3
    again = start()
    again.be_ready()
    until(lambda: fates(again)["waiting"] == 0, again.log)
    assert sum(fates(again).values()) == sent
    assert is_watched(box, PLEX, item) and is_watched(box, JELLYFIN, item)
    assert again.end() == 0


def test_a_server_that_is_down_delays_its_events_only(
    cli: Cli, box: SandboxHandle, start: Start, home: Path
) -> None:
    """The hub starts, says so, keeps the event, and goes on with the others' events."""
    settings = (home / "playhead.yaml").read_text()
    emby, address = Emby(box), box.url(EMBY)
    (home / "playhead.yaml").write_text(settings.replace(address, "http://127.0.0.1:9"))
    hub = start()
    hub.be_ready()
    assert post(hooks(cli)[EMBY], emby.marked(emby.ids()[0])) == 202
    failed = until(
        lambda: [each for each in look(home) if each.attempts and each.event.source == "webhook"], hub.log
    )
    assert len(failed) == 1
    (home / "playhead.yaml").write_text(settings)
    until(lambda: "the settings changed" in hub.log, hub.log)
    until(lambda: fates(hub)["waiting"] == 0, hub.log)
    assert fates(hub)["done"] == 1


def look(home: Path) -> list[WaitingEvent]:
    """What waits, seen from beside."""
    inbox = SqlInbox(home / "inbox.db")
    try:
        return inbox.take(100, 9e9)
    finally:
        inbox.close()


def test_a_second_hub_says_so_and_ends(cli: Cli, start: Start, home: Path) -> None:
    """With exit code 1, where the other one is, and what to do; commands go on working beside the first."""
    hub = start()
    ran = refuse(home, "--port", "0")
    assert ran.returncode == 1
    assert hub.url in ran.stderr and "Stop that one first" in ran.stderr
    assert cli("connections").code == 0
    assert hub.end() == 0
    assert not (home / "serving.json").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_cleanly(start: Start, number: int) -> None:
    """Exit code 0, at once, and the next one can start."""
    hub = start()
    assert hub.ask("/healthz") == (200, {"status": "alive"})
    began = time.monotonic()
    assert hub.end(number) == 0
    assert time.monotonic() - began < 30
    assert "Traceback" not in hub.log
    assert start().end() == 0


def test_a_port_that_is_taken_is_named(start: Start, home: Path) -> None:
    """One line with what to try."""
    port = start().url.rpartition(":")[2]
    ran = refuse(home.parent / "other", "--port", port)
    assert ran.returncode == 1
    assert f"Port {port} on 127.0.0.1 cannot be opened" in ran.stderr


def test_a_wrong_schedule_is_told_at_once(home: Path) -> None:
    """Before anything is announced."""
    home.mkdir()
    (home / "playhead.yaml").write_text("version: 1\nschedule: {sync: '61 * * * *'}\n")
    ran = refuse(home, "--port", "0")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "61 * * * *" in ran.stderr


def test_what_is_connected_while_it_runs_takes_part(
    cli: Cli, world: SandboxHandle, connect: Callable[..., Ran], start: Start
) -> None:
    """An empty hub is up; a connection made beside it takes webhooks, and is read by the schedule's first run."""
    hub = start()
    assert hub.be_ready()["runs"]["last"] is None
    assert connect(world, EMBY).code == 0
    emby, url = Emby(world), hooks(cli)[EMBY]
    until(lambda: post(url, emby.marked("1")) == 202, hub.log)
    last = until(lambda: hub.ask("/readyz")[1]["runs"].get("last"), hub.log)
    assert (last["connections"], last["exit"]) == ([EMBY], 0)
    assert cli("connections", "remove", EMBY, "--yes").code == 0
    until(lambda: post(url, emby.marked("1")) == 404, hub.log)


def test_addresses_are_told_for_where_the_hub_is_reached(
    cli: Cli, box: SandboxHandle, start: Start, home: Path
) -> None:
    """As given, as set, as the running one was told, else where it listens; the secrets stay the same, and are each its own."""
    first = hooks(cli)
    assert set(first) == {PLEX, JELLYFIN, EMBY}
    assert first[PLEX].startswith("http://127.0.0.1:7529/webhooks/Plex/")
    assert len({url.rpartition("/")[2] for url in first.values()}) == 3
    hub = start()
    assert hooks(cli)[PLEX] == first[PLEX].replace("http://127.0.0.1:7529", hub.url)
    hub.end()
    start("--base-url", "https://hub.example.org/")
    assert hooks(cli)[PLEX] == first[PLEX].replace("http://127.0.0.1:7529", "https://hub.example.org")
    with (home / "playhead.yaml").open("a") as settings:
        settings.write("serve:\n  base_url: https://set.example.org\n")
    assert hooks(cli)[PLEX].startswith("https://set.example.org/webhooks/")
    assert hooks(cli, "--base-url", "http://10.0.0.2:7529")[PLEX].startswith("http://10.0.0.2:7529/webhooks/")
    assert cli("connections", "set", PLEX, "--no-read").code == 0
    assert set(hooks(cli)) == {JELLYFIN, EMBY}


def test_a_connection_that_comes_again_has_another_secret(
    cli: Cli, world: SandboxHandle, connect: Callable[..., Ran]
) -> None:
    """Who knew the old address can send no more."""
    assert connect(world, EMBY).code == 0
    before = hooks(cli)[EMBY]
    assert cli("connections", "remove", EMBY, "--yes").code == 0
    assert hooks(cli) == {}
    assert connect(world, EMBY).code == 0
    assert hooks(cli)[EMBY] != before


def test_other_commands_load_nothing_of_the_server(home: Path) -> None:
    """What listens is big; only serve pays for it."""
    code = (
        "import sys; from playhead.faces.cli import main; main(['webhooks', 'list', '--json']); main(['status']);"
        "print(*(n for n in ('litestar', 'uvicorn', 'apscheduler', 'prometheus_client') if n in sys.modules))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PLAYHEAD_HOME": str(home)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.splitlines()[-1] == ""
