"""``bin/bench events``: webhooks a second, their latency alone and beside an import, and a mark's way to the other server.

``serve`` runs as a process of its own, as a person runs it. Marks are made on an emulated Emby, which posts its own webhook to
the hub; they are seen when the emulated Jellyfin has taken the write. Everything shares the machine's cores.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from rich.console import Console
from rich.table import Table
from ruamel.yaml import YAML

from bench.house import LONGEST_S, QUIET, House, ask, playhead, start
from bench.import_bench import make_home
from bench.measure import describe_machine
from bench.servers import Nginx, find_nginx, record
from playhead.sandbox.world import World, WorldItem, WorldLibrary, WorldServer, WorldUser

EVENTS_A_SECOND = 20
SENDERS = 32
PACED_A_SECOND = 200


class Sizes(msgspec.Struct, frozen=True):
    """How much of each: webhooks as fast as they go, seconds of paced ones and of marks, scale of the import."""

    webhooks: int
    paced_s: int
    marks_s: int
    scale: float


WHOLE = Sizes(20_000, 20, 60, 1.0)
QUICK = Sizes(4_000, 5, 10, 0.1)


def main() -> None:
    """Start everything, measure, print."""
    parser = argparse.ArgumentParser(prog="bin/bench events", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the size")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the figures as one flat object")
    options = parser.parse_args()
    find_nginx()
    sizes = QUICK if options.quick else WHOLE
    console = Console(stderr=True)
    with tempfile.TemporaryDirectory(prefix="playhead-bench-") as folder:
        figures = measure(Path(folder), sizes, console)
    show(figures)
    if options.json:
        options.json.write_text(json.dumps(figures) + "\n")


def measure(folder: Path, sizes: Sizes, console: Console) -> dict[str, float]:
    """All figures, one part after another."""
    with House(folder, make_world(sizes.marks_s * EVENTS_A_SECOND)) as house:
        for name in house.servers:
            house.connect(name)
        house.run("sync")
        with console.status("Making the libraries that are imported beside it ..."):
            sites = record(folder, sizes.scale, lambda sites: import_once(make_home(folder / "asked", sites)))
        add_connections(house.home, make_home(folder / "other", sites))
        house.serve(lines=False)
        house.run("webhooks", "register", "emby", "--base-url", house.url)
        hooks = json.loads(house.run("webhooks", "list", "--json", "--base-url", house.url))
        hook = next(each["url"] for each in hooks if each["connection"] == "jellyfin")
        with console.status("Measuring ..."), Nginx(sites, folder):
            figures = asyncio.run(measure_marks(house, sizes.marks_s * EVENTS_A_SECOND))
            figures |= asyncio.run(measure_webhooks(hook, house.home, sizes))
    return figures


def make_world(items: int) -> World:
    """An Emby and a Jellyfin with the same films, nothing watched."""
    films = [
        WorldItem(
            id=f"m{n}",
            type="movie",
            title=f"Film {n:05}",
            year=1950 + n % 70,
            duration_s=6_000,
            file=f"Film {n:05}.mkv",
            ids={"imdb": f"tt{n:07}"},
        )
        for n in range(items)
    ]
    libraries = [WorldLibrary(title="Movies", kind="movies", root="/media/movies")]
    users = [WorldUser(name="alice", admin=True)]
    return World(
        items=films,
        servers=[
            WorldServer(name=kind, kind=kind, users=users, libraries=libraries)
            for kind in ("emby", "jellyfin")
        ],
    )


# -- beside it


def import_once(home: Path) -> None:
    """Twice, so that what a second import asks for is there as well."""
    for _ in range(2):
        playhead("import", "--home", str(home), "--json")


def add_connections(home: Path, other: Path) -> None:
    """Take over the connections of another home; nothing is run by schedule."""
    yaml = YAML(typ="safe", pure=True)
    settings = yaml.load((home / "playhead.yaml").read_text())
    settings["connections"] |= yaml.load((other / "playhead.yaml").read_text())["connections"]
    settings["schedule"] = QUIET
    (home / "playhead.yaml").write_text(json.dumps(settings))  # JSON is YAML


# -- a mark on its way


async def measure_marks(house: House, count: int) -> dict[str, float]:
    """Marks at a steady rate; the n-th write that the other server has taken is the n-th mark's."""
    before = await asyncio.to_thread(count_writes, house.control, "jellyfin")
    seen: list[float] = []
    watching = asyncio.create_task(watch_writes(house.control, "jellyfin", before, count, seen))
    sent: list[float] = []
    begun = time.perf_counter()
    for number in range(count):
        await asyncio.sleep(max(0.0, begun + number / EVENTS_A_SECOND - time.perf_counter()))
        sent.append(time.perf_counter())
        await asyncio.to_thread(
            house.act, {"server": "emby", "user": "alice", "item": f"m{number}", "act": "mark"}
        )
    with suppress(TimeoutError):
        await asyncio.wait_for(watching, LONGEST_S)
    rows = (await asyncio.to_thread(house.states, "jellyfin", "alice")).values()
    waits = sorted(there - gone for gone, there in zip(sent, seen, strict=False))
    return {
        "event_to_write_p50_ms": share(waits, 0.5),
        "event_to_write_p99_ms": share(waits, 0.99),
        "events": count,
        "lost": sum(not row["watched"] for row in rows),
        "doubled": sum(row["plays"] > 1 for row in rows),
    }


async def watch_writes(control: str, server: str, before: int, count: int, seen: list[float]) -> None:
    """Note when each write was first counted."""
    while len(seen) < count:
        counted = await asyncio.to_thread(count_writes, control, server)
        seen.extend([time.perf_counter()] * (counted - before - len(seen)))
        await asyncio.sleep(0.002)


def count_writes(control: str, server: str) -> int:
    """Requests that change something, as the server has counted them."""
    counted = ask(f"{control}/_sandbox/requests?server={server}")["servers"][server]["routes"]
    return sum(
        number for route, number in counted.items() if route.startswith("POST ") and "UserData" in route
    )


# -- webhooks alone


async def measure_webhooks(hook: str, home: Path, sizes: Sizes) -> dict[str, float]:
    """As fast as they go; then at a steady rate, alone and beside an import."""
    begun = time.perf_counter()
    await post_all(hook, sizes.webhooks, 0)
    rate = sizes.webhooks / (time.perf_counter() - begun)
    alone = await post_all(hook, sizes.paced_s * PACED_A_SECOND, PACED_A_SECOND)
    importing = start("import", "--home", str(home), "--json")
    beside: list[float] = []
    while importing.poll() is None:
        beside += await post_all(hook, PACED_A_SECOND // 2, PACED_A_SECOND)
    if importing.returncode:
        sys.exit(f"the import ended with {importing.returncode}")
    return {
        "webhook_per_s": rate,
        "webhook_p99_ms": share(sorted(alone), 0.99),
        "webhook_p99_ms_during_import": share(sorted(beside), 0.99),
        "webhooks_during_import": len(beside),
    }


async def post_all(hook: str, count: int, rate: int) -> list[float]:
    """Post over kept connections; seconds from when each was due to its answer. ``rate`` 0 = as fast as it goes."""
    place = urlsplit(hook)
    body = json.dumps(
        {"NotificationType": "UserDataSaved", "ItemId": "0" * 32, "UserId": "1" * 32, "ItemType": "Movie",
         "NotificationUsername": "stranger", "SaveReason": "TogglePlayed", "Overview": "x" * 1_500}
    ).encode()  # fmt: skip
    head = f"POST {place.path} HTTP/1.1\r\nhost: hub\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    request, numbers = head.encode() + body, iter(range(count))
    waits: list[float] = []
    begun = time.perf_counter()

    async def send() -> None:
        reader, writer = await asyncio.open_connection(place.hostname, place.port)
        for number in numbers:
            due = begun + number / rate if rate else time.perf_counter()
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            writer.write(request)
            answer = await reader.readuntil(b"\r\n\r\n")
            if not answer.startswith(b"HTTP/1.1 202"):
                sys.exit(f"a webhook was answered with {answer[:40]!r}")
            waits.append(time.perf_counter() - due)
        writer.close()

    await asyncio.gather(*(send() for _ in range(SENDERS)))
    return waits


def share(waits: list[float], part: float) -> float:
    """A quantile of sorted seconds, in milliseconds."""
    return round(waits[min(len(waits) - 1, int(len(waits) * part))] * 1e3, 1) if waits else float("nan")


def show(figures: dict[str, float]) -> None:
    """The table."""
    table = Table(
        title="events", caption=describe_machine() + "; servers, senders and import on the same cores"
    )
    table.add_column("figure")
    table.add_column("", justify="right")
    for name, value in figures.items():
        table.add_row(name, f"{value:,.1f}" if isinstance(value, float) else f"{value:,}")
    Console().print(table)


if __name__ == "__main__":
    main()
