"""Killing the process at any moment loses no write, doubles none, and the next run completes."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import shutil
import signal
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from bench.ports import find_port

from playhead.sandbox.generate import generate_world
from playhead.sandbox.run import SandboxHandle, run_world_in_thread
from playhead.sandbox.world import World

KILLS = 200
WORLDS = 20
ITEMS = 150
SERVERS = ("plex", "jellyfin:12.0.0", "jellyfin:10.11.11", "emby")

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(
    [
        "playhead.faces.cli.app",
        "playhead.wiring.hub",
        "playhead.store.ledger",
        "playhead.adapters.plex.adapter",
        "playhead.adapters.jellyfin.adapter",
        "playhead.adapters.emby.adapter",
    ]
)


def _run(home: str, arguments: list[str], out: str) -> None:
    """The command line in a child process; its output goes to a file."""
    os.environ["PLAYHEAD_HOME"] = home
    for number in (1, 2):
        os.dup2(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), number)
    from playhead.faces.cli import main

    os._exit(main(arguments))


def start(home: Path, *arguments: str) -> multiprocessing.process.BaseProcess:
    """Start a command; the caller waits for it or kills it."""
    out = home / "out.txt"
    process = _context.Process(target=_run, args=(str(home), list(arguments), str(out)))
    process.start()
    return process


def finish(home: Path, *arguments: str) -> None:
    """Run a command to its end, which must be a good one."""
    process = start(home, *arguments)
    process.join(120)
    text = (home / "out.txt").read_text() if (home / "out.txt").exists() else ""
    assert process.exitcode == 0, f"{arguments} ended with {process.exitcode}: {text[-3000:]}"


def make_world(seed: int, ports: list[int]) -> World:
    """The same world at the same addresses, however often it is started."""
    world = generate_world(ITEMS, seed=seed, servers=SERVERS)
    for spec, port in zip(world.servers, ports, strict=True):
        spec.port = port
    return world


@pytest.fixture(scope="module")
def ports() -> list[int]:
    """Free ports that stay the same for all worlds of this module, so that one prepared home fits them all."""
    return [find_port() for _ in SERVERS]


def connect_all(box: SandboxHandle, home: Path) -> None:
    """Connect every server of the world for alice."""
    home.mkdir()
    for spec in box.start_line()["servers"]:
        alice = next(user for user in spec["users"] if user["name"] == "alice")
        token = alice["token"] if spec["kind"] == "plex" else spec["admin_token"]
        finish(
            home, "connect", spec["kind"], "--name", spec["name"], "--url", spec["url"], "--token", token,
            "--user", "alice", "--person", "alice", "--yes",
        )  # fmt: skip


def read_states(box: SandboxHandle) -> dict[str, dict[str, Any]]:
    """Every user's state of every item on every server, the times that a server stamps itself left out."""
    states: dict[str, dict[str, Any]] = {}
    for server in box.servers:
        kind = box.server(server).kind
        for user in ("alice", "bob"):
            with urllib.request.urlopen(
                f"{box.control_url}/_sandbox/state?server={server}&user={user}"
            ) as answer:
                rows = json.load(answer)
            for row in rows:
                if kind == "plex":
                    row["last_played"] = row["last_played"] is not None
                states[f"{server}/{user}/{row['item']}"] = row
    return states


def kill_often(home: Path, moments: random.Random, kills: int, span_s: float) -> None:
    """Start import and sync again and again and kill each at a random moment, until so many were killed indeed.

    A run that came to its end was not killed and does not count; the next moment is drawn from a shorter span.
    """
    done = 0
    for _ in range(6 * kills):
        process = start(home, "import" if done % 5 == 1 else "sync", "--json")
        process.join(moments.uniform(0, span_s))
        if process.is_alive() and process.pid is not None:
            os.kill(process.pid, signal.SIGKILL)
        process.join(30)
        if process.exitcode == -signal.SIGKILL:
            done += 1
        else:
            span_s *= 0.8
        if done == kills:
            return
    raise AssertionError(f"only {done} of {kills} runs could be killed")


@pytest.mark.parametrize("seed", range(WORLDS))
def test_killed_anywhere_ends_like_undisturbed(seed: int, ports: list[int], tmp_path: Path) -> None:
    """A run killed again and again at random moments ends in the very state of a run that was left alone."""
    calm, killed = tmp_path / "calm", tmp_path / "killed"
    with run_world_in_thread(make_world(seed, ports)) as box:
        connect_all(box, calm)
        shutil.copytree(calm, killed)
        before = read_states(box)
        begun = time.perf_counter()
        finish(calm, "sync", "--json")
        duration = time.perf_counter() - begun
        undisturbed = read_states(box)
    assert undisturbed != before, "the world gave the sync nothing to do"
    with run_world_in_thread(make_world(seed, ports)) as box:
        kill_often(killed, random.Random(seed), KILLS // WORLDS, duration * 0.6)
        finish(killed, "sync", "--json")
        assert read_states(box) == undisturbed
        finish(killed, "sync", "--json")
        assert read_states(box) == undisturbed
