"""``bin/bench storm``: two persons do thousands of things on three servers while everything is killed now and then.

Half of Plex's events come from a client behind a real nginx. The hub, each server and nginx with its deliverer are killed with
``kill -9``, lines are cut. In the end every server must show exactly what each person did, once, and a third login nothing new.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from bench.house import House
from bench.measure import describe_machine
from bench.proxied import Proxy, list_keys, send
from playhead.sandbox.world import World, WorldItem, WorldLibrary, WorldServer, WorldState, WorldUser

SERVERS = ("plex", "jellyfin", "emby")
PERSONS = ("alice", "bob")
EVENTS, QUICK_EVENTS = 10_000, 400
A_SECOND = 40
RUNTIME_S = 6_000
SETTLE_WITHIN_S = 600.0
SCHEDULE = {"sync": "* * * * *", "full": "", "at_start": True}
DOWN_S = 2.0


class Deed(msgspec.Struct, frozen=True):
    """One thing that a person does: watch a film, mark it, or stop in the middle (``position_s``)."""

    person: str
    server: str
    film: str
    what: str
    position_s: int = 0


def main() -> None:
    """Start everything, let it storm, judge, print."""
    parser = argparse.ArgumentParser(prog="bin/bench storm", description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_EVENTS} events instead of {EVENTS:,}")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the figures as one flat object")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="playhead-bench-") as folder:
        figures = run_storm(Path(folder), QUICK_EVENTS if options.quick else EVENTS, Console(stderr=True))
    show(figures)
    if options.json:
        options.json.write_text(json.dumps(figures) + "\n")


def run_storm(folder: Path, events: int, console: Console) -> dict[str, float]:
    """The figures of one storm."""
    deeds = list(plan_deeds(events))
    with House(folder, make_world(events // len(PERSONS))) as house:
        for name in SERVERS:
            house.connect(name, own_token=name != "plex")
        house.run("people", "add", "bob")
        for name in SERVERS:
            token = ["--token", house.token(name, "bob")] if name != "plex" else []
            house.run("people", "link", "bob", name, "bob", "--yes", *token)
        house.run("sync")
        house.set_schedule(SCHEDULE)
        house.serve()
        for name in ("jellyfin", "emby"):
            house.run("webhooks", "register", name, "--base-url", house.url)
        before = {server: house.states(server, "guest") for server in SERVERS}
        proxy = Proxy(house, "plex")
        try:
            killed = do_all(house, proxy, deeds, console)
            settled_s = wait_until_settled(house, deeds, console)
        finally:
            proxy.kill()
        figures = judge(house, deeds, before)
        return {"events": events, **killed, **figures, "settled_s": round(settled_s, 1)}


def make_world(films: int) -> World:
    """Three servers with the same films; the guest has watched some, the others nothing."""
    items = [
        WorldItem(
            id=f"m{n}",
            type="movie",
            title=f"Film {n:05}",
            year=1950 + n % 70,
            duration_s=RUNTIME_S,
            file=f"Film {n:05}.mkv",
            ids={"imdb": f"tt{n:07}"},
        )
        for n in range(films)
    ]
    seen = [
        WorldState(item=f"m{n}", watched=True, last_played=1_700_000_000)
        for n in range(0, films, films // 10 or 1)
    ]
    users = [WorldUser(name="alice", admin=True), WorldUser(name="bob"), WorldUser(name="guest", state=seen)]
    libraries = [WorldLibrary(title="Movies", kind="movies", root="/media/movies")]
    servers = [WorldServer(name=name, kind=name, users=users, libraries=libraries) for name in SERVERS]
    return World(items=items, servers=servers)


def plan_deeds(events: int) -> Iterator[Deed]:
    """Each person does one thing with each film, on some server."""
    for number in range(events):
        film, person = number // len(PERSONS), PERSONS[number % len(PERSONS)]
        server = SERVERS[(number * 7 + number // 5) % len(SERVERS)]
        what = ("watch", "stop", "mark", "stop")[number * 3 % 4 if number % 5 else 2]
        position = 600 + number % 4_000 if what == "stop" else 0
        yield Deed(person, server, f"m{film}", what, position)


# -- the storm


def do_all(house: House, proxy: Proxy, deeds: list[Deed], console: Console) -> dict[str, float]:
    """Do it at a steady rate, with disasters in between; returns how many of each there were."""
    keys = list_keys(house.servers["plex"]["url"], house.token("plex", "alice"))
    disasters = plan_disasters(house, proxy, len(deeds))
    down: dict[str, float] = {}
    late: list[Deed] = []
    begun = time.monotonic()
    with Progress(console=console) as progress:
        bar = progress.add_task("storm", total=len(deeds))
        for number, deed in enumerate(deeds):
            time.sleep(max(0.0, begun + number / A_SECOND - time.monotonic()))
            for what in disasters.pop(number, ()):
                down |= {server: time.monotonic() + DOWN_S + 0.5 for server in what()}
            if down.get(deed.server, 0.0) > time.monotonic():
                late.append(deed)  # nobody watches on a server that is down
            else:
                do(house, proxy, deed, keys, through=number % 2 == 0)
            progress.advance(bar)
        time.sleep(DOWN_S + 1)
        for deed in late:
            do(house, proxy, deed, keys, through=False)
    return {"hub_killed": 3, "servers_killed": 3, "nginx_killed": 2, "lines_cut": 6}


def plan_disasters(house: House, proxy: Proxy, events: int) -> dict[int, list[Callable[[], list[str]]]]:
    """What happens before which event. Each gives the servers that are down for a while."""

    def kill_hub() -> list[str]:
        house.kill_hub()
        house.serve(lines=False)
        return []

    def kill_proxy() -> list[str]:
        proxy.kill()
        proxy.start_nginx()
        proxy.start_deliverer()
        return []

    def kill(server: str) -> Callable[[], list[str]]:
        def run() -> list[str]:
            house.kill_server(server, DOWN_S)
            return [server]

        return run

    def cut() -> list[str]:
        house.act(*({"server": server, "act": "cut_sockets"} for server in SERVERS))
        return []

    plan = {10: kill_hub, 20: kill("plex"), 25: cut, 30: kill_proxy, 40: kill("jellyfin"), 50: kill_hub}
    plan |= {60: kill("emby"), 65: cut, 75: kill_proxy, 85: kill_hub}
    return {events * percent // 100: [what] for percent, what in plan.items()}


def do(house: House, proxy: Proxy, deed: Deed, keys: dict[str, str], *, through: bool) -> None:
    """One deed: behind nginx by a client's own requests, elsewhere by the sandbox's hand."""
    if deed.server == "plex" and through:
        token, key = house.token("plex", deed.person), keys[f"Film {int(deed.film[1:]):05}"]
        if deed.what == "stop":
            place = {"ratingKey": key, "key": f"/library/metadata/{key}", "duration": RUNTIME_S * 1000}
            send(proxy.url, "timeline", token, **place, state="stopped", time=deed.position_s * 1000)
        else:
            send(proxy.url, "scrobble", token, key=key)
        return
    whose: dict[str, Any] = {"server": deed.server, "user": deed.person, "item": deed.film}
    if deed.what == "mark":
        house.act({**whose, "act": "mark"})
    else:
        begin, end = (0, deed.position_s) if deed.what == "stop" else (60, RUNTIME_S - 30)
        device = f"{deed.person}'s"
        house.act(
            {**whose, "act": "play_start", "position_s": begin, "device": device},
            {**whose, "act": "play_stop", "position_s": end, "device": device},
        )


# -- the judgement


def wait_until_settled(house: House, deeds: list[Deed], console: Console) -> float:
    """Seconds until every server shows everything, or the longest that is waited."""
    begun = time.monotonic()
    with console.status("Waiting until all is in agreement ..."):
        while time.monotonic() - begun < SETTLE_WITHIN_S and count_lost(house, deeds):
            time.sleep(1)
    return time.monotonic() - begun


def count_lost(house: House, deeds: list[Deed]) -> int:
    """How many deeds some server does not show."""
    shown = {(server, person): house.states(server, person) for server in SERVERS for person in PERSONS}
    return sum(
        not all(shows(shown[server, deed.person][deed.film], deed) for server in SERVERS) for deed in deeds
    )


def shows(row: dict[str, Any], deed: Deed) -> bool:
    """Whether a server's state of a film is what the deed left."""
    if deed.what == "stop":
        return not row["watched"] and abs(row["position_s"] - deed.position_s) < 1.5
    return bool(row["watched"])


def judge(house: House, deeds: list[Deed], before: dict[str, dict[str, dict[str, Any]]]) -> dict[str, float]:
    """Lost, doubled, and of the wrong person: what a film shows that its own deed cannot have left, or a guest's film that
    changed."""
    rows = [(house.states(server, person), person) for server in SERVERS for person in PERSONS]
    mine = {(deed.person, deed.film): deed for deed in deeds}
    strange = sum(
        (row["watched"] and mine[person, film].what == "stop")
        or (row["position_s"] > 0 and mine[person, film].what != "stop")
        for states, person in rows
        for film, row in states.items()
    )
    guests = sum(
        row != before[server][film]
        for server in SERVERS
        for film, row in house.states(server, "guest").items()
    )
    return {
        "lost": count_lost(house, deeds),
        "doubled": sum(row["plays"] > 1 for states, _ in rows for row in states.values()),
        "wrong_person": strange + guests,
    }


def show(figures: dict[str, float]) -> None:
    """The table."""
    table = Table(title="storm", caption=describe_machine() + "; servers, hub and client on the same cores")
    table.add_column("figure")
    table.add_column("", justify="right")
    for name, value in figures.items():
        table.add_row(name, f"{value:,}")
    Console().print(table)


if __name__ == "__main__":
    main()
