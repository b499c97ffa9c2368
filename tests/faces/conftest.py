"""A home folder, the command line in this process, and emulated servers to point it at."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from playhead.faces.cli import main
from playhead.faces.cli.demo_world import EMBY, JELLYFIN, PERSON, PLEX, make_demo_world
from playhead.sandbox.run import SandboxHandle, run_world_in_thread
from playhead.sandbox.world import World


class Ran:
    """What a command left behind."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code = code
        self.out = out
        self.err = err

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]


Cli = Callable[..., Ran]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def cli(home: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    """``cli("plan", "--json")`` on the test's own home."""
    monkeypatch.setenv("PLAYHEAD_HOME", str(home))
    monkeypatch.delenv("PLAYHEAD_COMMAND", raising=False)

    def run(*arguments: str) -> Ran:
        capfd.readouterr()
        code = main([str(argument) for argument in arguments])
        captured = capfd.readouterr()
        return Ran(code, captured.out, captured.err)

    return run


@pytest.fixture
def world() -> Iterator[SandboxHandle]:
    """The demo's three servers, new for each test."""
    with run_world_in_thread(make_demo_world(time.time())) as box:
        yield box


@pytest.fixture
def only_emby(world_of_emby: World) -> Iterator[SandboxHandle]:
    """One server is enough where connecting itself is looked at."""
    with run_world_in_thread(world_of_emby) as box:
        yield box


@pytest.fixture
def world_of_emby() -> World:
    made = make_demo_world(time.time())
    made.servers = [server for server in made.servers if server.name == EMBY]
    return made


@pytest.fixture
def connect(cli: Cli) -> Callable[..., Ran]:
    """``connect(world, "Emby")``: connect one of the demo's servers under its own name."""

    def run(world: SandboxHandle, name: str, *more: str) -> Ran:
        kind = {PLEX: "plex", JELLYFIN: "jellyfin", EMBY: "emby"}[name]
        extra = [*more]
        if kind == "plex" and "plextv" in world.extra_urls:
            extra += ["--plex-tv-url", world.extra_urls["plextv"]]
        url, token = world.url(name), world.token(name, PERSON)
        return cli("connect", kind, "--name", name, "--url", url, "--token", token, "--yes", *extra)

    return run


@pytest.fixture
def box(world: SandboxHandle, connect: Callable[..., Ran]) -> SandboxHandle:
    """All three servers connected."""
    for name in (PLEX, JELLYFIN, EMBY):
        ran = connect(world, name)
        assert ran.code == 0, ran.err
    return world
