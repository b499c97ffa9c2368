"""``bin/bench sources``: a stop midway and a mark on each server, seen on the others by one source of events alone.

Webhooks, sockets, a proxy, or nothing but reads by schedule (each minute): for each the hub is started with everything else
switched off, and two persons do the same things at once on films of their own.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from bench.house import QUIET, House, until
from bench.measure import describe_machine
from bench.proxied import Proxy, list_keys, send
from bench.storm_bench import PERSONS, RUNTIME_S, SERVERS, make_world

SOURCES = ("webhooks", "sockets", "proxy", "polling")
POLLING = {"sync": "* * * * *", "full": "", "at_start": False}
LONGEST_S = {"polling": 150.0}
FILMS = 48
STOP_S = 1_234


class Seen(msgspec.Struct, frozen=True):
    """Milliseconds from what a person did until the last other server showed it."""

    source: str
    server: str
    what: str
    waited_ms: float


def main() -> None:
    """Go through the sources, print."""
    parser = argparse.ArgumentParser(prog="bin/bench sources", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="without polling, which takes minutes")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the figures as one flat object")
    options = parser.parse_args()
    seen: list[Seen] = []
    for source in SOURCES[: 3 if options.quick else None]:
        with tempfile.TemporaryDirectory(prefix="playhead-bench-") as folder:
            seen += measure(Path(folder), source, Console(stderr=True))
    show(seen)
    if options.json:
        flat = {f"{each.source}_{each.server}_{each.what}_ms": each.waited_ms for each in seen}
        options.json.write_text(json.dumps(flat) + "\n")


def measure(folder: Path, source: str, console: Console) -> list[Seen]:
    """What one source alone takes, for each server that has it."""
    with open_house(folder, source) as (house, proxy), console.status(f"By {source} alone ..."):
        servers = ("plex",) if source == "proxy" else SERVERS
        films = iter(range(FILMS // 2))
        return [
            Seen(source, server, what, round(do_and_wait(house, proxy, server, what, next(films), source), 1))
            for server in servers
            for what in ("stop", "watch")
        ]


@contextmanager
def open_house(folder: Path, source: str) -> Iterator[tuple[House, Proxy | None]]:
    """Alice and bob on three servers, and a hub that hears by one source."""
    with ExitStack() as stack:
        house = stack.enter_context(House(folder, make_world(FILMS)))
        for name in SERVERS:
            house.connect(name, own_token=name != "plex")
        house.run("people", "add", "bob")
        for name in SERVERS:
            token = ["--token", house.token(name, "bob")] if name != "plex" else []
            house.run("people", "link", "bob", name, "bob", "--yes", *token)
            if source != "sockets":
                house.run("connections", "set", name, "--no-listen")
        house.run("sync")
        house.set_schedule(POLLING if source == "polling" else QUIET)
        house.serve()
        if source == "webhooks":
            for name in SERVERS:
                house.run("webhooks", "register", name, "--base-url", house.url)
        proxy = Proxy(house, "plex") if source == "proxy" else None
        if proxy is not None:
            stack.callback(proxy.kill)
        yield house, proxy


def do_and_wait(house: House, proxy: Proxy | None, server: str, what: str, number: int, source: str) -> float:
    """Both persons at once, each on a film of their own; milliseconds until both are seen everywhere else."""
    films = {person: f"m{2 * number + place}" for place, person in enumerate(PERSONS)}
    keys = list_keys(house.servers["plex"]["url"], house.token("plex", "alice"))
    begun = time.perf_counter()
    for person, film in films.items():
        if proxy is not None:
            do_through(house, proxy, person, keys[f"Film {int(film[1:]):05}"], what)
        else:
            do_on(house, server, person, film, what)
    until(
        lambda: all(is_everywhere(house, person, film, what) for person, film in films.items()),
        f"a {what} on {server} by {source}; {house.log.read_text()[-3000:]}",
        LONGEST_S.get(source, 60.0),
    )
    waited = time.perf_counter() - begun
    for person, other in zip(PERSONS, reversed(PERSONS), strict=True):
        for each in SERVERS:
            row = house.state(each, person, films[other])
            if row["watched"] or row["position_s"]:
                raise SystemExit(f"{films[other]} is {other}'s, and {each} shows it for {person}")
    return waited * 1e3


def do_on(house: House, server: str, person: str, film: str, what: str) -> None:
    """A player on a server: it stops midway, or goes on to the end."""
    whose: dict[str, Any] = {"server": server, "user": person, "item": film, "device": f"{person}'s"}
    house.act(
        {**whose, "act": "play_start", "position_s": 60},
        {**whose, "act": "play_stop", "position_s": STOP_S if what == "stop" else RUNTIME_S - 30},
    )


def do_through(house: House, proxy: Proxy, person: str, key: str, what: str) -> None:
    """The same by a client's own requests at the proxy."""
    token = house.token("plex", person)
    if what == "watch":
        send(proxy.url, "scrobble", token, key=key)
        return
    place = {"ratingKey": key, "key": f"/library/metadata/{key}", "duration": RUNTIME_S * 1000}
    send(proxy.url, "timeline", token, **place, state="stopped", time=STOP_S * 1000)


def is_everywhere(house: House, person: str, film: str, what: str) -> bool:
    """Whether all servers show it."""
    rows = [house.state(server, person, film) for server in SERVERS]
    if what == "watch":
        return all(row["watched"] for row in rows)
    return all(not row["watched"] and abs(row["position_s"] - STOP_S) < 1.5 for row in rows)


def show(seen: list[Seen]) -> None:
    """The table: a row for each source and server."""
    table = Table(
        title="sources", caption=describe_machine() + "; two persons at once, ms to the last server"
    )
    for column in ("source alone", "on", "stopped midway", "watched"):
        table.add_column(column, justify="left" if column in ("source alone", "on") else "right")
    for source, server in dict.fromkeys((each.source, each.server) for each in seen):
        waits = {each.what: each.waited_ms for each in seen if (each.source, each.server) == (source, server)}
        table.add_row(source, server, f"{waits['stop']:,.0f}", f"{waits['watch']:,.0f}")
    Console().print(table)


if __name__ == "__main__":
    main()
