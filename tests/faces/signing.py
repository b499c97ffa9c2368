"""Servers on which people sign in, and somebody who approves the codes that they are shown."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from playhead.flows import signing_in
from playhead.sandbox.faults import FaultOrder
from playhead.sandbox.run import SandboxHandle, run_world_in_thread
from playhead.sandbox.world import World, WorldServer, WorldUser
from tests.journeys.journey import movie, seen, server

KINDS = {"Jelly": "jellyfin", "Cabin": "emby"}
WORD = "correct horse battery"
CODE = re.compile(r"code=([0-9A-F]{25})|^  (\d{6})\s*$", re.MULTILINE)


@pytest.fixture
def box() -> Iterator[SandboxHandle]:
    """Alice owns Den, shares it with bob and kid, whom a PIN protects; bob owns Attic. All have logins on the other two."""
    people = [WorldUser(name="alice", admin=True, password=WORD), WorldUser(name="bob", password=WORD)]
    kid = WorldUser(name="kid", pin="1234", password=WORD)
    servers: list[WorldServer] = [
        server(
            "Den", sort="plex", users=[WorldUser(name="alice", state=[seen("a")]), WorldUser(name="bob"), kid]
        ),
        server("Attic", sort="plex", users=[WorldUser(name="bob", state=[seen("b")])]),
        server("Jelly", sort="jellyfin", users=[*people, kid]),
        server("Cabin", sort="emby", users=[*people, kid]),
    ]
    with run_world_in_thread(World(items=[movie("a"), movie("b")], servers=servers)) as running:
        yield running


class Friend:
    """Somebody who looks over the program's shoulder and enters the code that it shows."""

    def __init__(self, box: SandboxHandle, home: Path) -> None:
        self.box, self.home = box, home
        self.stop = threading.Event()

    def enter(self, shown: str, server: str, user: str) -> None:
        found = CODE.search(shown)
        assert found, shown
        self.box.server(server).act(user, "", "enter_code", at=None, args={"code": found[1] or found[2]})


@pytest.fixture
def approve(box: SandboxHandle, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """``approve("Den", "bob")``: the next code is entered by bob as soon as it is shown."""

    def set_up(server: str, user: str) -> None:
        wait = signing_in.wait_for_approval

        async def enter_first(sign_in: Any, shown: Any, tell: Any) -> None:
            box.server(server).act(user, "", "enter_code", at=None, args={"code": shown.code})
            await wait(sign_in, shown, tell)

        monkeypatch.setattr("playhead.faces.cli.signing_in.wait_for_approval", enter_first)

    return set_up


def plex(box: SandboxHandle, *more: str) -> list[str]:
    return ["connect", "plex", "--sign-in", "--plex-tv-url", box.extra_urls["plextv"], *more]


def kept_secrets(home: Path) -> list[bytes]:
    return [path.read_bytes() for path in home.rglob("*") if path.is_file()]


def assert_hidden(home: Path, *texts: str, secrets: list[str]) -> None:
    for secret in secrets:
        assert all(secret not in text for text in texts)
        assert all(secret.encode() not in content for content in kept_secrets(home))


# --- plex.tv


def type_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str) -> None:
    path = tmp_path / "typed"
    path.write_text(text)
    monkeypatch.setattr("sys.stdin", path.open())


def make_order(order: dict[str, Any]) -> FaultOrder:
    return msgspec.convert(order, FaultOrder)
