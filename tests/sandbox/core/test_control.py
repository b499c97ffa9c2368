"""The control side: state, acts, clock, counters, and errors that say what is allowed."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
import pytest

from playhead.sandbox.counters import name_route
from playhead.sandbox.run import SandboxHandle, run_world, run_world_in_thread
from playhead.sandbox.world import World
from tests.sandbox.core.tiny import TinyServer


async def test_state_is_a_list_of_rows(box: SandboxHandle, http: aiohttp.ClientSession) -> None:
    """Each row has the world's item id and the seven facts."""
    async with http.get(f"{box.control_url}/_sandbox/state?server=a&user=alice") as response:
        rows = await response.json()
    row = {
        "item": "m1",
        "watched": True,
        "plays": 1,
        "last_played": 5,
        "position_s": 0.0,
        "rating": None,
        "favourite": False,
    }
    assert rows == [row]


async def test_acts_reach_the_server_in_order(box: SandboxHandle, http: aiohttp.ClientSession) -> None:
    """One act or a list; times as epoch or text; everything else goes on as args."""
    acts = [
        {
            "server": "a",
            "user": "alice",
            "item": "m1",
            "act": "play",
            "at": "2023-11-14T22:13:20Z",
            "position_s": 3,
        },
        {"server": "a", "user": "alice", "item": "m1", "act": "play"},
    ]
    async with http.post(f"{box.control_url}/_sandbox/act", json=acts) as response:
        assert await response.json() == {"done": 2}
    server: Any = box.server("a")
    assert server.acts == [
        ("alice", "m1", "play", 1_700_000_000.0, {"position_s": 3}),
        ("alice", "m1", "play", None, {}),
    ]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "word"),
    [
        ("GET", "state?server=zz&user=alice", None, 404, "a, b"),
        ("GET", "state?server=a", None, 400, "user"),
        ("GET", "state?server=a&user=nobody", None, 404, "alice"),
        ("POST", "act", {"server": "a", "user": "alice", "item": "m1", "act": "fly"}, 400, "play"),
        ("POST", "act", {"server": "a"}, 400, "mark"),
        (
            "POST",
            "act",
            [{"server": "a", "user": "alice", "item": "m1", "act": "play", "at": "noon"}, 3],
            400,
            "noon",
        ),
        ("POST", "clock", {"at": "noon"}, 400, "epoch"),
        ("POST", "clock", {"server": "zz", "skew_s": 3}, 404, "a, b"),
        ("POST", "clock", {"server": "a"}, 400, "skew_s"),
        ("POST", "clock", {"speed": 3}, 400, "speed"),
        ("GET", "nothing", None, 404, "Not Found"),
        ("PUT", "clock", None, 405, "Method Not Allowed"),
    ],
)
async def test_mistakes_are_explained(
    box: SandboxHandle, http: aiohttp.ClientSession, method: str, path: str, body: Any, status: int, word: str
) -> None:
    """A 4xx with an error that says what is wrong and what is allowed."""
    async with http.request(method, f"{box.control_url}/_sandbox/{path}", json=body) as response:
        assert response.status == status
        assert word in (await response.json())["error"]


async def test_the_date_header_follows_the_servers_clock(
    box: SandboxHandle, http: aiohttp.ClientSession
) -> None:
    """Frozen at a time, server b's skew of an hour shows, and both move with the clock; 404s carry it as well."""
    async with http.post(f"{box.control_url}/_sandbox/clock", json={"freeze": 1_700_000_000}) as response:
        assert await response.json() == {
            "now": 1_700_000_000,
            "frozen": True,
            "skew_s": {"a": 0.0, "b": 3600},
        }
    assert await date_of(http, box.url("a") + "/things/1") == 1_700_000_000
    assert await date_of(http, box.url("b") + "/no/route") == 1_700_003_600
    await http.post(f"{box.control_url}/_sandbox/clock", json={"advance_s": 60})
    await http.post(f"{box.control_url}/_sandbox/clock", json={"server": "a", "skew_s": -60})
    assert await date_of(http, box.url("a") + "/things/1") == 1_700_000_000


async def date_of(http: aiohttp.ClientSession, url: str) -> float:
    async with http.get(url) as response:
        return parsedate_to_datetime(response.headers["Date"]).timestamp()


async def test_the_clock_runs_on(box: SandboxHandle, http: aiohttp.ClientSession) -> None:
    """``run`` after a stop goes on from where it stood; ``at`` jumps."""
    await http.post(f"{box.control_url}/_sandbox/clock", json={"freeze": 100})
    async with http.post(f"{box.control_url}/_sandbox/clock", json={"run": True}) as response:
        told = await response.json()
    assert (told["frozen"], 100 <= told["now"] < 160) == (False, True)
    await http.post(f"{box.control_url}/_sandbox/clock", json={"at": "2030-01-01"})
    assert box.clock.now() >= 1_893_456_000


async def test_requests_are_counted_by_server_and_route(
    box: SandboxHandle, http: aiohttp.ClientSession
) -> None:
    """Ids fold into one route; DELETE starts anew; servers do not mix."""
    for number in range(3):
        await http.get(f"{box.url('a')}/things/{number}")
    await http.post(box.url("b") + "/write")
    async with http.get(f"{box.control_url}/_sandbox/requests") as response:
        told = (await response.json())["servers"]
    assert told["a"] == {
        "total": 3,
        "routes": {"GET /things/{id}": 3},
        "statuses": {"200": 3},
        "peak_at_once": 1,
    }
    assert told["b"]["routes"] == {"POST /write": 1}
    await http.delete(f"{box.control_url}/_sandbox/requests?server=a")
    async with http.get(f"{box.control_url}/_sandbox/requests?server=a") as response:
        assert (await response.json())["servers"] == {
            "a": {"total": 0, "routes": {}, "statuses": {}, "peak_at_once": 0}
        }


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/library/metadata/1,2,3/children", "GET /library/metadata/{id}/children"),
        ("/Users/0123456789abcdef0123456789abcdef/Items", "GET /Users/{id}/Items"),
        ("/UserItems/f137a2dd-21bb-c1b9-9aa5-c0f6bf02a805/UserData", "GET /UserItems/{id}/UserData"),
        ("/:/scrobble", "GET /:/scrobble"),
    ],
)
def test_routes_are_named_without_ids(path: str, route: str) -> None:
    """Digits, lists of digits, hex ids and GUIDs are ids; words are not."""
    assert name_route("GET", path) == route


def test_two_servers_of_one_name_are_refused(world: World) -> None:
    """Names tell servers apart everywhere."""
    doubled = World(items=[], servers=[world.servers[0], world.servers[0]])
    refused = pytest.raises(ValueError, match="two servers are named 'a'")
    with refused, run_world_in_thread(doubled, factories={"emby": TinyServer}):
        pass


async def test_a_kind_without_emulator_is_refused(world: World) -> None:
    """The error names the module that would be looked for."""
    world.servers[0].kind = "kodi"  # type: ignore[assignment]
    with pytest.raises(ValueError, match="playhead.sandbox.kodi.emulator"):
        async with run_world(world):
            pass
