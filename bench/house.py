"""A house to measure in: emulated servers in one process, a hub in another, a home folder, and persons who do things.

Everything goes the way a person's does: the command line, the servers' own addresses, and the sandbox's control side for what
happens on a server.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec

from bench.import_bench import TOKEN
from bench.ports import find_port
from playhead.sandbox.world import World

QUIET = {"sync": "", "full": "", "at_start": False}
LONGEST_S = 60.0


def start(*arguments: str, log: Path | None = None) -> subprocess.Popen[str]:
    """Start Playhead as a process of its own; ``log`` takes what it says on stderr."""
    with (log or Path(os.devnull)).open("a") as sink:
        return subprocess.Popen(
            [sys.executable, "-m", "playhead", *arguments],
            stdout=subprocess.PIPE,
            stderr=sink,
            env={**os.environ, **TOKEN},
            text=True,
        )


def playhead(*arguments: str) -> str:
    """Run a command to its end and give what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "playhead", *arguments],
        capture_output=True,
        env={**os.environ, **TOKEN},
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"playhead {' '.join(arguments[:2])} ended with {done.returncode}: {done.stderr}")
    return done.stdout


def until(holds: Callable[[], bool], what: str, longest_s: float = LONGEST_S) -> None:
    """Wait until it holds; end the program where it never does."""
    end = time.monotonic() + longest_s
    while not holds():
        if time.monotonic() > end:
            sys.exit(f"never: {what}")
        time.sleep(0.02)


def ask(url: str, method: str = "GET", body: Any = None) -> Any:
    """One request with JSON on both sides."""
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(
        url, data=data, method=method, headers={"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request) as answer:
        return json.loads(answer.read() or b"null")


class House:
    """Servers and a hub in ``folder``; leaving the block ends what was started."""

    def __init__(self, folder: Path, world: World) -> None:
        self.home = folder / "home"
        self.log = folder / "serve.log"
        self.url = ""
        self._hub: subprocess.Popen[str] | None = None
        place = folder / "world.json"
        place.write_bytes(msgspec.json.encode(world))
        self._servers = start("sandbox", "--world", str(place), "--json")
        assert self._servers.stdout is not None
        self.told: dict[str, Any] = json.loads(self._servers.stdout.readline())
        self.control = str(self.told["control"])
        self.servers: dict[str, dict[str, Any]] = {each["name"]: each for each in self.told["servers"]}

    def __enter__(self) -> House:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in (self._hub, self._servers):
            if process is not None and process.poll() is None:
                process.terminate()
                process.wait(LONGEST_S)

    def token(self, server: str, user: str) -> str:
        """The token of a login on a server."""
        return str(next(each["token"] for each in self.servers[server]["users"] if each["name"] == user))

    # -- the person at the command line

    def run(self, *arguments: str) -> str:
        """A command on this house's home."""
        return playhead(*arguments, "--home", str(self.home))

    def connect(self, name: str, *more: str, user: str = "alice", own_token: bool = False) -> None:
        """Connect a server for ``user``: with its API key where the kind has one, unless ``own_token``."""
        server = self.servers[name]
        key = own_token or server["kind"] == "plex"
        extra = ["--plex-tv-url", self.told["plextv"]] if server["kind"] == "plex" else []
        self.run(
            "connect", server["kind"], "--name", name, "--url", server["url"], "--user", user, "--person", user,
            "--token", self.token(name, user) if key else server["admin_token"], "--yes", *extra, *more,
        )  # fmt: skip

    def set_schedule(self, schedule: dict[str, Any]) -> None:
        """What ``serve`` runs by itself."""
        with (self.home / "playhead.yaml").open("a") as settings:
            settings.write(f"schedule: {json.dumps(schedule)}\n")

    def serve(self, *arguments: str, lines: bool = True) -> None:
        """Start the hub and wait until it works, and where ``lines``, until every line is open."""
        port = self.url.rpartition(":")[2] or str(find_port())
        self._hub = start(
            "serve", "--port", port, "--json", "-v", "--home", str(self.home), *arguments, log=self.log
        )
        assert self._hub.stdout is not None
        line = self._hub.stdout.readline()
        if not line:
            sys.exit(f"serve did not start: {self.log.read_text()[-2000:]}")
        self.url = str(json.loads(line)["url"])
        until(lambda: self.is_ready(lines=lines), f"a hub that is ready\n{self.log}")

    def is_ready(self, *, lines: bool) -> bool:
        """Whether it says that it works, and where ``lines``, that every line is open."""
        with suppress(OSError):
            told = ask(f"{self.url}/readyz")
            return not lines or all(state == "open" for state in told["listeners"].values())
        return False

    def kill_hub(self) -> None:
        """``kill -9``."""
        assert self._hub is not None
        self._hub.kill()
        self._hub.wait(LONGEST_S)

    # -- what happens

    def act(self, *acts: dict[str, Any]) -> None:
        """What persons do on servers, in order."""
        ask(f"{self.control}/_sandbox/act", "POST", list(acts))

    def kill_server(self, name: str, down_s: float) -> None:
        """``kill -9``; it is up again after so many seconds, with what it had stored."""
        ask(f"{self.control}/_sandbox/kill", "POST", {"server": name, "down_s": down_s})

    def states(self, server: str, user: str) -> dict[str, dict[str, Any]]:
        """A login's state of every item, by item."""
        rows = ask(f"{self.control}/_sandbox/state?server={server}&user={user}")
        return {row["item"]: row for row in rows}

    def state(self, server: str, user: str, item: str) -> dict[str, Any]:
        """The same of one item."""
        return dict(ask(f"{self.control}/_sandbox/state?server={server}&user={user}&item={item}")[0])

    def counts(self) -> dict[str, float]:
        """The hub's figures as ``/metrics`` has them, by line without the value."""
        with urllib.request.urlopen(f"{self.url}/metrics") as answer:
            rows: Iterable[str] = answer.read().decode().splitlines()
        return {
            name: float(value)
            for name, _, value in (row.rpartition(" ") for row in rows if not row.startswith("#"))
        }

    def is_idle(self) -> bool:
        """Nothing waits in the inbox, and no run goes on."""
        try:
            told = ask(f"{self.url}/readyz")
            return self.counts().get("playhead_inbox_waiting") == 0 and not told["runs"].get("running")
        except OSError:
            return False
