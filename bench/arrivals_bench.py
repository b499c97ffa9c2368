"""``bin/bench arrivals``: a thousand episodes arrive in a minute in forty folders, on three servers, while things break.

One server is away for half of it, and the hub is killed with ``kill -9`` in between. Each file is put into a real folder and told
to the hub by autoscan's address, again until the hub has stored it. In the end every file must be an item on every server.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import quote

from rich.console import Console
from rich.table import Table

from bench.house import QUIET, House, ask, until
from bench.measure import describe_machine
from playhead.sandbox.world import World, WorldLibrary, WorldServer, WorldUser

FILES, QUICK_FILES = 1_000, 120
FOLDERS = 40
OVER_S, QUICK_OVER_S = 60.0, 10.0
SERVERS = {"plex": "/data", "jellyfin": "/media", "emby": "\\\\nas\\video"}
PLEX_SCAN_S = 1.0
AWAY = "jellyfin"
SETTLE_WITHIN_S = 900.0
SCANS = ("refresh", "media/updated")


def main() -> None:
    """Start everything, let files arrive, judge, print."""
    parser = argparse.ArgumentParser(prog="bin/bench arrivals", description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_FILES} files instead of {FILES:,}")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the figures as one flat object")
    options = parser.parse_args()
    files, over_s = (QUICK_FILES, QUICK_OVER_S) if options.quick else (FILES, OVER_S)
    with tempfile.TemporaryDirectory(prefix="playhead-bench-") as folder:
        figures = run_arrivals(Path(folder), files, over_s)
    show(figures)
    if options.json:
        options.json.write_text(json.dumps(figures) + "\n")


def run_arrivals(
    folder: Path,
    files: int,
    over_s: float,
    servers: tuple[str, ...] = tuple(SERVERS),
    plex_scan_s: float = PLEX_SCAN_S,
) -> dict[str, float]:
    """The figures: what arrived, scans by server, what is lost, and how long the proofs took."""
    media = folder / "media"
    (media / "tv" / "Old Show").mkdir(parents=True)
    (media / "tv" / "Old Show" / "Old Show S01E01.mkv").touch()
    with House(folder, make_world(media, servers, plex_scan_s)) as house:
        for name in servers:
            house.connect(name)
            house.run("connections", "set", name, "--path", f"{SERVERS[name]}={media}")
        house.set_schedule(QUIET)
        house.serve(lines=False)
        key = json.loads(house.run("api-key", "show", "--json"))["key"]
        began = time.monotonic()
        numbers = let_arrive(house, media, files, over_s, key, away=AWAY if AWAY in servers else "")
        until(lambda: count_open(house) == 0, "no part is open any more", SETTLE_WITHIN_S)
        took_s = time.monotonic() - began
        return judge(house, servers, numbers, files) | {"settled_s": round(took_s, 1)}


def make_world(media: Path, servers: tuple[str, ...], plex_scan_s: float) -> World:
    """Servers that see one real folder, each under a path of its own."""
    stroke = {name: "\\" if root.startswith("\\") else "/" for name, root in SERVERS.items()}
    return World(
        items=[],
        servers=[
            WorldServer(
                name=name,
                kind=name,  # type: ignore[arg-type]
                users=[WorldUser(name="alice", admin=True)],
                libraries=[
                    WorldLibrary(
                        title="Shows",
                        kind="shows",
                        folder=str(media / "tv"),
                        root=f"{SERVERS[name]}{stroke[name]}tv",
                    )
                ],
                delays={"plex": {"scan_s": plex_scan_s}, "emby": {"monitor_s": 5.0}}.get(name, {}),
            )
            for name in servers
        ],
    )


def let_arrive(house: House, media: Path, files: int, over_s: float, key: str, *, away: str) -> list[int]:
    """Put the files one by one and tell of each; in the first half a server is away, in the middle the hub is killed."""
    numbers: list[int] = []
    began = time.monotonic()
    for place in range(files):
        time.sleep(max(0.0, began + place * over_s / files - time.monotonic()))
        if place == files // 10 and away:
            house.kill_server(away, over_s / 2)
        if place == files // 2:
            house.kill_hub()
            house.serve(lines=False)
        show_number, episode = place % FOLDERS, place // FOLDERS
        file = (
            media
            / "tv"
            / f"Show {show_number}"
            / "Season 01"
            / f"Show {show_number} S01E{episode + 1:03}.mkv"
        )
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
        numbers.append(tell(house, str(file), key))
    return numbers


def tell(house: House, path: str, key: str) -> int:
    """Post until the hub has stored it; gives the job's number."""
    end = time.monotonic() + SETTLE_WITHIN_S
    while True:
        request = urllib.request.Request(
            f"{house.url}/triggers/manual?dir={quote(path)}", method="POST", headers={"X-Api-Key": key}
        )
        try:
            with urllib.request.urlopen(request) as answer:
                return int(json.load(answer)["id"])
        except (OSError, urllib.error.HTTPError):
            if time.monotonic() > end:
                raise
            time.sleep(0.2)


def count_open(house: House) -> float:
    """Parts that wait for their proof; many while the hub does not answer."""
    try:
        return sum(
            value for name, value in house.counts().items() if name.startswith("playhead_scan_parts_open")
        )
    except OSError:
        return float("inf")


def judge(house: House, servers: tuple[str, ...], numbers: list[int], files: int) -> dict[str, float]:
    """Lost: files that are no item of a server in the hub's own record, by path."""
    jobs: list[dict[str, Any]] = json.loads(house.run("scans", "--limit", "10000", "--json"))
    figures: dict[str, float] = {"files": files, "jobs": len(set(numbers))}
    for name in servers:
        parts = [part for job in jobs for part in job["parts"] if part["connection"] == name]
        proved = {part["path"] for part in parts if part["state"] == "proved"}
        counted = ask(f"{house.control}/_sandbox/requests?server={name}")["servers"][name]
        figures[f"{name}_scans"] = sum(
            count
            for route, count in counted["routes"].items()
            if any(word in route.lower() for word in SCANS)
        )
        figures[f"{name}_requests"] = counted["total"]
        figures[f"{name}_lost"] = files - len(proved)
    waits = [job["ended_at"] - job["made_at"] for job in jobs if job["ended_at"]]
    figures["proof_p50_s"] = round(statistics.median(waits), 2)
    figures["proof_longest_s"] = round(max(waits), 2)
    return figures


def show(figures: dict[str, float]) -> None:
    """The table."""
    table = Table(
        title="arrivals", caption=describe_machine() + "; servers, hub and sender on the same cores"
    )
    table.add_column("figure")
    table.add_column("", justify="right")
    for name, value in figures.items():
        table.add_row(name, f"{value:,}")
    Console().print(table)


if __name__ == "__main__":
    main()
