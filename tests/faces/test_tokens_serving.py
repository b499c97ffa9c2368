"""A hub that is up while a token stops working: one message, no storm, the others go on, and it is whole again afterwards."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from playhead.faces.cli.demo_world import EMBY, JELLYFIN, PERSON, PLEX
from playhead.sandbox.run import SandboxHandle, run_world_in_thread
from playhead.sandbox.world import WorldUser
from tests.faces.conftest import Cli
from tests.faces.test_serve import QUIET, Start, box, start, until
from tests.journeys.journey import movie, server, world

__all__ = ["box", "start"]

COMMAND = "Sign in again: playhead connections set Plex --sign-in"


def do(box: SandboxHandle, server: str, user: str, item: str, act: str) -> None:
    """By the control side: the servers live in another thread."""
    order = {"server": server, "user": user, "item": item, "act": act}
    request = urllib.request.Request(f"{box.control_url}/_sandbox/act", data=json.dumps(order).encode())
    urllib.request.urlopen(request).close()


def is_watched(box: SandboxHandle, name: str, item: str) -> bool:
    return any(row.watched for row in box.server(name).state_rows(PERSON) if row.item == item)


@pytest.fixture
def unseen(box: SandboxHandle) -> list[str]:
    """Items that all three servers have and nobody has watched."""
    have = [{row.item for row in box.server(name).state_rows(PERSON)} for name in (PLEX, JELLYFIN, EMBY)]
    found = sorted(set.intersection(*have))
    return [item for item in found if not any(is_watched(box, name, item) for name in (PLEX, JELLYFIN, EMBY))]


def test_a_refused_token_is_told_once_and_the_others_go_on(
    box: SandboxHandle, start: Start, cli: Cli, unseen: list[str]
) -> None:
    """A mark on Jellyfin reaches Emby; Plex is asked a few times, however much happens; with a new token it gets all of it."""
    hub = start()
    hub.be_ready()
    for name in (PLEX, JELLYFIN):
        until(lambda name=name: hub.ask("/readyz")[1]["listeners"][name] == "open", f"the line to {name}")  # type: ignore[misc]
    until(lambda: box.server(PLEX).told().lines, "the line as Plex sees it")
    for act in ("revoke_token", "cut_sockets"):
        do(box, PLEX, PERSON, "", act)
    until(lambda: COMMAND in hub.log, f"the message\n{hub.log}")
    box.counters[PLEX].reset()
    for item in unseen[:3]:
        do(box, JELLYFIN, PERSON, item, "mark")
        until(lambda item=item: is_watched(box, EMBY, item), f"{item} on Emby\n{hub.log}")  # type: ignore[misc]
    assert box.counters[PLEX].report()["statuses"].get("401", 0) <= 2
    assert hub.log.count(COMMAND) == 1, hub.log
    assert COMMAND in cli("status").out
    token = box.token(PLEX, PERSON)
    assert cli("connections", "set", PLEX, "--token", token).code == 0
    until(lambda: hub.ask("/readyz")[1]["listeners"].get(PLEX) == "open", f"the line again\n{hub.log}")
    assert cli("sync").code == 0
    assert all(is_watched(box, PLEX, item) for item in unseen[:3])
    assert token not in hub.log
    assert COMMAND not in cli("status").out


@pytest.fixture
def house(cli: Cli, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SandboxHandle]:
    """Alice owns both servers, bob is her friend on Plex and has signed in on Emby; in agreement, no runs by schedule."""
    monkeypatch.setenv("WORD", "bobs-own-word")
    users = [WorldUser(name="alice", admin=True), WorldUser(name="bob", password="bobs-own-word")]
    made = world([movie("a"), movie("b")], server("plex", users=users), server("emby", users=users))
    with run_world_in_thread(made) as running:
        for name in ("plex", "emby"):
            place = ["--url", running.url(name), "--token", running.token(name, "alice"), "--name", name]
            more = ["--plex-tv-url", running.extra_urls["plextv"]] if name == "plex" else []
            who = ["--user", "alice", "--person", "alice", "--yes"]
            assert cli("connect", name, *place, *who, *more).code == 0
        for words in (["add", "bob"], ["link", "bob", "plex", "bob"]):
            assert cli("people", *words).code == 0
        assert cli("people", "link", "bob", "emby", "bob", "--password", "env:WORD").code == 0
        assert cli("sync").code == 0
        with (home / "playhead.yaml").open("a") as settings:
            settings.write(QUIET)
        yield running


def test_a_hub_that_is_up_renews_a_token_by_itself(house: SandboxHandle, start: Start, cli: Cli) -> None:
    """What bob marks on Emby arrives at Plex although his token there was refused a moment ago; nobody is asked for anything, and
    the settings stay as they are."""
    hub = start()
    hub.be_ready()
    until(lambda: hub.ask("/readyz")[1]["listeners"].get("emby (bob)") == "open", "bob's line to Emby")
    do(house, "plex", "bob", "", "revoke_token")
    do(house, "emby", "bob", "b", "mark")

    def arrived() -> bool:
        return any(row.watched for row in house.server("plex").state_rows("bob") if row.item == "b")

    until(arrived, f"the mark at Plex\n{hub.log}")
    assert not any(row.watched for row in house.server("plex").state_rows("alice"))
    assert hub.log.count("signed in again") == 1
    assert "the settings changed" not in hub.log
    assert house.token("plex", "bob") not in hub.log
    assert cli("status", "--json").json["refused"] == []
