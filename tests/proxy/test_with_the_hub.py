"""The whole way, with a hub that serves: also where the hub reaches a server through the proxy, and by Plex Cluster's address."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from bench.house import QUIET, House
from bench.proxied import Proxy, list_keys, send

from playhead.sandbox.world import World, WorldItem, WorldLibrary, WorldServer, WorldUser
from tests.proxy.rig import needs_nginx, run_deliverer, run_nginx, until

pytestmark = needs_nginx
TOKEN = "shared-by-manager-and-proxies"
FILMS = 4


def make_world() -> World:
    """Two Plex servers with the same films, nothing watched."""
    films = [
        WorldItem(
            id=f"m{n}",
            type="movie",
            title=f"Film {n}",
            year=2000 + n,
            duration_s=6000,
            ids={"imdb": f"tt{n + 1:07}"},
        )
        for n in range(FILMS)
    ]
    libraries = [WorldLibrary(title="Movies", kind="movies", root="/media/movies")]
    servers = [
        WorldServer(name=name, kind="plex", users=[WorldUser(name="alice")], libraries=libraries)
        for name in ("town", "cabin")
    ]
    return World(items=films, servers=servers)


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """Both connected, lines switched off, and a hub that is up."""
    monkeypatch.setenv("CLUSTER_MANAGER_TOKEN", TOKEN)
    with House(tmp_path, make_world()) as house:
        for name in ("town", "cabin"):
            house.connect(name)
            house.run("connections", "set", name, "--no-listen")
        house.run("sync")
        house.set_schedule(QUIET)
        house.serve()
        yield house


def plays(house: House, server: str, item: str) -> int:
    return int(house.state(server, "alice", item)["plays"])


def count(house: House, **labels: str) -> float:
    """Events of the hub by what is said of them."""
    wanted = [f'{name}="{value}"' for name, value in labels.items()]
    return sum(
        value
        for row, value in house.counts().items()
        if row.startswith("playhead_events_total{") and all(each in row for each in wanted)
    )


def knows(house: House, host: str) -> bool:
    """Whether the hub takes the lines of a proxy at Plex Cluster's address."""
    line = {"host": host, "uri": "/identity"}
    return requests.post(f"{house.url}/?token={TOKEN}", json=line, timeout=10).status_code == 202


def test_a_hub_that_reaches_a_server_through_its_proxy(house: House, tmp_path: Path) -> None:
    """Its reads leave no line, its writes are known to be its own: nothing goes round, and each mark counts once."""
    proxy = Proxy(house, "town")
    try:
        host = proxy.url.removeprefix("http://")
        house.run("connections", "set", "town", "--url", proxy.url, "--proxy-host", host)
        token = house.token("town", "alice")
        keys = list_keys(proxy.url, token)
        with run_nginx(tmp_path / "cabin", house.servers["cabin"]["url"]) as cabin:
            house.run("connections", "set", "cabin", "--proxy-host", f"127.0.0.1:{cabin.port}")
            until(lambda: knows(house, f"127.0.0.1:{cabin.port}"), "the hub has read its settings")
            with run_deliverer(cabin.spool, f"{house.url}/?token={TOKEN}"):
                send(proxy.url, "scrobble", token, key=keys["Film 0"])
                until(lambda: plays(house, "cabin", "m0"), "what was marked in town is marked at the cabin")
                cabin_token = house.token("cabin", "alice")
                send(cabin.url, "scrobble", cabin_token, key=list_keys(cabin.url, cabin_token)["Film 1"])
                until(lambda: plays(house, "town", "m1"), "and the other way, by Plex Cluster's address")
                until(lambda: count(house, name="proxy.own"), "its own write was noted and known")
                until(house.is_idle, "nothing goes round")
    finally:
        proxy.kill()
    assert [plays(house, server, item) for server in ("town", "cabin") for item in ("m0", "m1")] == [
        1,
        1,
        1,
        1,
    ]
    assert count(house, name="proxy.scrobble") == 2


def test_what_was_noted_while_the_hub_was_dead_arrives_when_it_is_back(house: House) -> None:
    """``kill -9`` of the hub: clients mark on, and later each mark is on the other server, once."""
    proxy = Proxy(house, "town")
    try:
        token = house.token("town", "alice")
        keys = list_keys(proxy.url, token)
        house.kill_hub()
        for number in range(FILMS):
            send(proxy.url, "scrobble", token, key=keys[f"Film {number}"])
        assert all(plays(house, "town", f"m{number}") == 1 for number in range(FILMS))
        assert not any(plays(house, "cabin", f"m{number}") for number in range(FILMS))
        house.serve()
        until(lambda: all(plays(house, "cabin", f"m{n}") for n in range(FILMS)), "all of it arrives")
    finally:
        proxy.kill()
    assert all(plays(house, "cabin", f"m{number}") == 1 for number in range(FILMS))
