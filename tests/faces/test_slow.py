"""``serve`` beside a server that takes its time: the others get what happens at once, and a killed hub doubles nothing."""

from __future__ import annotations

import json
import signal
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from playhead.sandbox.run import SandboxHandle, run_world_in_thread
from tests.faces.conftest import Cli
from tests.faces.test_serve import QUIET, Hub, until
from tests.journeys.journey import movie, server, world

Start = Callable[..., Hub]
FILMS = tuple(f"m{number}" for number in range(50))
NAMES = ("plex", "jellyfin", "emby")


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
def box(cli: Cli, home: Path) -> Iterator[SandboxHandle]:
    """Three servers with fifty films, in agreement, no runs by schedule."""
    with run_world_in_thread(world([movie(film) for film in FILMS], *map(server, NAMES))) as running:
        for name in NAMES:
            more = ["--plex-tv-url", running.extra_urls["plextv"]] if name == "plex" else []
            place = ["--url", running.url(name), "--token", running.token(name, "alice"), "--person", "alice"]
            ran = cli("connect", name, "--name", name, *place, "--yes", *more)
            assert ran.code == 0, ran.err
        assert cli("sync").code == 0
        with (home / "playhead.yaml").open("a") as settings:
            settings.write(QUIET)
        yield running


def delay_writes(box: SandboxHandle, name: str, seconds: float) -> None:
    """Each write there is answered so much later."""
    for route in ("POST *", "DELETE *"):
        order: dict[str, Any] = {
            "kind": "delay",
            "server": name,
            "route": route,
            "params": {"seconds": seconds},
        }
        request = urllib.request.Request(
            box.control_url + "/_sandbox/faults",
            json.dumps(order).encode(),
            {"Content-Type": "application/json"},
        )
        urllib.request.urlopen(request).close()


def plays(box: SandboxHandle, name: str) -> dict[str, int]:
    """How often each watched film was played."""
    return {row.item: row.plays for row in box.server(name).state_rows("alice") if row.watched}


def be_ready(hub: Hub) -> None:
    until(lambda: hub.be_ready()["listeners"] == dict.fromkeys(NAMES, "open"), hub.log)
    until(lambda: not (runs := hub.ask("/readyz")[1]["runs"])["running"] and runs["last"], hub.log)


def test_a_server_that_takes_three_seconds_for_each_write_delays_no_other(
    box: SandboxHandle, start: Start
) -> None:
    """All fifty marks have arrived at the fast server before the slow one has taken a quarter of them."""
    delay_writes(box, "emby", 3.0)
    hub = start()
    be_ready(hub)
    for film in FILMS:
        box.server("plex").act("alice", film, "mark", at=None, args={})
    until(lambda: len(plays(box, "jellyfin")) == len(FILMS), hub.log)
    assert len(plays(box, "emby")) < len(FILMS) / 4
    until(lambda: len(plays(box, "emby")) == len(FILMS), hub.log)
    assert set(plays(box, "emby").values()) == set(plays(box, "jellyfin").values()) == {1}


def test_a_hub_that_is_killed_while_it_waits_for_a_server_writes_the_rest_once(
    box: SandboxHandle, start: Start
) -> None:
    """What was sent is looked at before it is sent again; the next process goes on by itself, with no event and no run."""
    delay_writes(box, "emby", 2.0)
    hub = start()
    be_ready(hub)
    for film in FILMS[:12]:
        box.server("plex").act("alice", film, "mark", at=None, args={})
    until(lambda: len(plays(box, "jellyfin")) == 12, hub.log)
    hub.end(signal.SIGKILL)
    assert len(plays(box, "emby")) < 12
    again = start()
    until(lambda: len(plays(box, "emby")) == 12, again.log)
    assert set(plays(box, "emby").values()) == {1}
    assert again.end() == 0
