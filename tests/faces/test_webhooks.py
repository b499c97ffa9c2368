"""``playhead webhooks register`` and ``remove``: the servers are told, once, and what others set up there stays."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from playhead.faces.cli.demo_world import EMBY, JELLYFIN, PLEX
from playhead.runtime.exits import Exit
from playhead.sandbox.run import SandboxHandle
from playhead.wiring.webhooks import is_out_of_reach
from tests.faces.conftest import Cli, Ran

HUB = "http://127.0.0.1:7529"


@pytest.fixture
def connected(world: SandboxHandle, connect: Callable[..., Ran]) -> None:
    for name in (PLEX, JELLYFIN, EMBY):
        assert connect(world, name).code == 0


def states(ran: Ran) -> dict[str, Any]:
    return {each["connection"]: each["state"] for each in ran.json}


@pytest.mark.usefixtures("connected")
def test_servers_are_told_once_and_told_off(cli: Cli) -> None:
    names = (PLEX, JELLYFIN, EMBY)
    trial = cli("webhooks", "register", *names, "--base-url", HUB, "--dry-run", "--json")
    assert states(trial) == dict.fromkeys(names, "would register")
    first = cli("webhooks", "register", *names, "--base-url", HUB, "--json")
    assert (first.code, states(first)) == (Exit.done, dict.fromkeys(names, "registered"))
    again = cli("webhooks", "register", *names, "--base-url", HUB, "--json")
    assert states(again) == dict.fromkeys(names, "there already")
    gone = cli("webhooks", "remove", *names, "--base-url", HUB, "--json")
    assert states(gone) == dict.fromkeys(names, "removed")
    assert states(cli("webhooks", "remove", *names, "--base-url", HUB, "--json")) == dict.fromkeys(
        names, "not there"
    )


@pytest.mark.usefixtures("connected")
def test_an_address_that_a_server_cannot_reach_is_not_given_to_it(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("playhead.faces.cli.webhooks.is_out_of_reach", lambda own, other: True)
    ran = cli("webhooks", "register", EMBY, "--base-url", HUB)
    assert ran.code == Exit.partly
    assert "--base-url URL" in ran.out
    assert states(cli("webhooks", "remove", EMBY, "--base-url", HUB, "--json")) == {EMBY: "not there"}


def test_where_a_server_cannot_be_told_the_steps_are_printed(
    cli: Cli, world: SandboxHandle, connect: Callable[..., Ran], home: Path
) -> None:
    """A Plex that is asked nothing at plex.tv."""
    assert connect(world, PLEX).code == 0
    settings = home / "playhead.yaml"
    settings.write_text(re.sub(r"plex_tv_url: .*", "plex_tv_url: ''", settings.read_text()))
    ran = cli("webhooks", "register", PLEX, "--base-url", HUB)
    assert ran.code == Exit.partly
    assert f"{HUB}/webhooks/Plex/" in ran.out
    assert "plex.tv" in ran.out


def test_an_unknown_connection_is_told(cli: Cli, connected: None) -> None:
    ran = cli("webhooks", "register", "Nonsense")
    assert ran.code == Exit.usage
    assert "Nonsense" in ran.err


@pytest.mark.parametrize(
    ("own", "server", "cannot"),
    [
        ("http://127.0.0.1:7529", "http://10.0.0.5:32400", True),
        ("http://localhost:7529", "http://nas.local:8096", True),
        ("http://127.0.0.1:7529", "http://127.0.0.1:8096", False),
        ("http://[::1]:7529", "http://localhost:8096", False),
        ("http://10.0.0.2:7529", "http://10.0.0.5:32400", False),
    ],
)
def test_what_is_out_of_reach(own: str, server: str, cannot: bool) -> None:
    assert is_out_of_reach(own, server) is cannot
