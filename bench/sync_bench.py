"""``bin/bench sync``: a watched Plex library is brought to an empty Jellyfin, then a pass with nothing to do.

The servers are emulated in a process of their own; what is measured is the whole ``playhead sync`` process, start-up,
reading, planning and storing included. Requests are counted by the servers.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from playhead.sandbox.world import World, WorldItem, WorldLibrary, WorldServer, WorldState, WorldUser

MARKS = 72_000
MOVIE_SHARE = 36
EPISODES_A_SHOW = 50
PLAYED_FROM = 1_600_000_000
PEER = "best peer, same job: 320 CPU s first, 183 CPU s idle"


def make_world(marks: int) -> World:
    """``marks`` items, all watched at different times on the Plex server, none on the Jellyfin server."""
    movies = marks // MOVIE_SHARE
    items = [
        WorldItem(
            id=f"m{n}",
            type="movie",
            title=f"Movie {n}",
            year=1950 + n % 70,
            ids={"imdb": f"tt{n + 1:07}", "tmdb": str(n + 1)},
        )
        for n in range(movies)
    ]
    shows = -(-(marks - movies) // EPISODES_A_SHOW)
    items += [
        WorldItem(id=f"s{n}", type="show", title=f"Show {n}", year=1990 + n % 30, ids={"tvdb": str(n + 1)})
        for n in range(shows)
    ]
    items += [
        WorldItem(
            id=f"e{n}",
            type="episode",
            title=f"Episode {n}",
            show=f"s{n // EPISODES_A_SHOW}",
            season=n % EPISODES_A_SHOW // 10 + 1,
            episode=n % 10 + 1,
            ids={"tvdb": str(1_000_000 + n)},
        )
        for n in range(marks - movies)
    ]
    leaves = [item for item in items if item.type != "show"]
    played = [
        WorldState(item=item.id, watched=True, plays=1, last_played=PLAYED_FROM + n * 60)
        for n, item in enumerate(leaves)
    ]
    libraries = [
        WorldLibrary(title="Movies", kind="movies", root="/media/movies"),
        WorldLibrary(title="Shows", kind="shows", root="/media/shows"),
    ]
    return World(
        items=items,
        servers=[
            WorldServer(
                name="plex", kind="plex", users=[WorldUser(name="alice", state=played)], libraries=libraries
            ),
            WorldServer(
                name="jellyfin",
                kind="jellyfin",
                users=[WorldUser(name="alice", admin=True)],
                libraries=libraries,
            ),
        ],
    )


def run_playhead(home: Path, *args: str) -> tuple[dict[str, Any], dict[str, float]]:
    """Run one command to its end; its JSON and what the process cost."""
    started = time.perf_counter()
    done = subprocess.Popen(
        [sys.executable, "-m", "playhead", "--home", str(home), *args], stdout=subprocess.PIPE, text=True
    )
    out = done.stdout.read() if done.stdout else ""
    _, status, usage = os.wait4(done.pid, 0)
    wall = time.perf_counter() - started
    if os.waitstatus_to_exitcode(status) != 0:
        raise SystemExit(f"playhead {' '.join(args)} ended with {os.waitstatus_to_exitcode(status)}")
    figures = {"wall_s": wall, "cpu_s": usage.ru_utime + usage.ru_stime, "rss_mb": usage.ru_maxrss / 1024}
    return json.loads(out) if out.strip() else {}, figures


def count_requests(control: str) -> int:
    """Requests that the servers have answered since the counters were last reset, which this does."""
    with urllib.request.urlopen(f"{control}/_sandbox/requests") as answer:
        counted = json.load(answer)
    urllib.request.urlopen(urllib.request.Request(f"{control}/_sandbox/requests", method="DELETE")).close()
    return sum(server["total"] for server in counted["servers"].values())


def main() -> None:
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(prog="bin/bench sync", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the size")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the figures as one flat JSON object")
    options = parser.parse_args()
    marks = MARKS // 10 if options.quick else MARKS
    console = Console(stderr=bool(options.json and str(options.json) == "-"))
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(Path(folder), marks, console)
    show(console, figures)
    if options.json:
        text = json.dumps(figures) + "\n"
        print(text, end="") if str(options.json) == "-" else options.json.write_text(text)  # noqa: T201


def measure(folder: Path, marks: int, console: Console) -> dict[str, float]:
    """Start the servers, connect, sync, sync again."""
    world = folder / "world.json"
    world.write_bytes(msgspec.json.encode(make_world(marks)))
    servers = subprocess.Popen(
        [sys.executable, "-m", "playhead", "sandbox", "--world", str(world), "--json"],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        with console.status(f"Making two servers with {marks:,} items ..."):
            start = json.loads(servers.stdout.readline() if servers.stdout else "{}")
            home = folder / "home"
            for server in start["servers"]:
                user = server["users"][0]
                token = user["token"] if server["kind"] == "plex" else server["admin_token"]
                run_playhead(
                    home, "connect", server["kind"], "--name", server["name"], "--url", server["url"], "--token", token,
                    "--user", user["name"], "--person", "alice", "--yes", "--json",
                )  # fmt: skip
            count_requests(start["control"])
        first, cost = run_playhead(home, "sync", "--json")
        requests = count_requests(start["control"])
        idle, idle_cost = run_playhead(home, "sync", "--json")
        idle_requests = count_requests(start["control"])
    finally:
        servers.terminate()
        servers.wait(30)
    if first["written"] != marks or idle["planned"]:
        raise SystemExit(f"not in agreement: {first} then {idle}")
    figures: dict[str, float] = {"marks": marks, "requests": requests, **cost}
    figures |= {f"idle_{name}": value for name, value in idle_cost.items() if name != "rss_mb"}
    return figures | {"idle_requests": idle_requests, "idle_rss_mb": idle_cost["rss_mb"]}


def show(console: Console, figures: dict[str, float]) -> None:
    """The table."""
    cores, machine = os.cpu_count(), platform.machine()
    table = Table(
        title=f"sync: {figures['marks']:,} marks from Plex to an empty Jellyfin",
        caption=f"{cores} cores, {machine}, Python {platform.python_version()}; servers emulated on the same cores. {PEER}",
    )
    for column in ("pass", "requests", "per mark", "wall s", "CPU s", "peak MB"):
        table.add_column(column, justify="left" if column == "pass" else "right")
    for name, prefix in (("first", ""), ("nothing to do", "idle_")):
        table.add_row(
            name,
            f"{figures[prefix + 'requests']:,.0f}",
            f"{figures[prefix + 'requests'] / figures['marks']:.3f}",
            f"{figures[prefix + 'wall_s']:.1f}",
            f"{figures[prefix + 'cpu_s']:.1f}",
            f"{figures[prefix + 'rss_mb']:.0f}",
        )
    console.print(table)


if __name__ == "__main__":
    main()
