"""What the control side promises holds on every kind and version of emulated server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest

from playhead.sandbox.generate import LATEST, generate_world
from playhead.sandbox.run import SandboxHandle, run_world
from playhead.sandbox.server import StateRow
from playhead.sandbox.world import World

KINDS = ("plex", "jellyfin:10.11.11", "jellyfin:12.0.0", "emby:4.8.11.0", "emby:4.9.5.0")
LATER = LATEST + 86400


@pytest.fixture(params=KINDS)
def made(request: pytest.FixtureRequest) -> Iterator[tuple[World, SandboxHandle]]:
    """A generated world with one server; acts need no socket."""
    world = generate_world(400, seed=5, servers=[request.param])
    yield world, SandboxHandle(world)


def rows_of(box: SandboxHandle, user: str) -> dict[str, StateRow]:
    """By item; of two copies the one that says more."""
    [server] = box.servers.values()
    found: dict[str, StateRow] = {}
    for row in server.state_rows(user):
        kept = found.get(row.item)
        if kept is None or (row.watched, row.position_s) > (kept.watched, kept.position_s):
            found[row.item] = row
    return found


def act(box: SandboxHandle, name: str, item: str = "", **args: Any) -> None:
    [server] = box.servers.values()
    server.act("bob", item, name, at=LATER, args=args)


def test_the_start_is_what_the_world_says(made: tuple[World, SandboxHandle]) -> None:
    """Every state of an item that the server holds, for both users; nothing else is watched."""
    world, box = made
    for user in world.servers[0].users:
        rows = rows_of(box, user.name)
        told = {state.item: state for state in user.state if state.item in rows}
        assert len(told) > 20
        for item, state in told.items():
            row = rows[item]
            assert (row.watched, round(row.position_s)) == (state.watched, round(state.position_s)), item
        assert {item for item, row in rows.items() if row.watched} <= {
            i for i, s in told.items() if s.watched
        }


def untouched(world: World, box: SandboxHandle) -> str:
    """A movie that bob never touched and that stands there once, as it is."""
    placed = {placement.item for placement in world.servers[0].placements}
    rows = rows_of(box, "bob")
    return next(
        item.id
        for item in world.items
        if item.type == "movie"
        and item.id not in placed
        and item.id in rows
        and rows[item.id].last_played is None
    )


def test_play_stop_mark_and_unmark(made: tuple[World, SandboxHandle]) -> None:
    """Watched at that time; stopped in the middle; watched by hand; not any more. Alice is not concerned."""
    world, box = made
    item, others = untouched(world, box), rows_of(box, "alice")
    act(box, "play", item)
    row = rows_of(box, "bob")[item]
    assert (row.watched, row.plays, row.position_s, row.last_played) == (True, 1, 0, LATER)
    act(box, "unmark", item)
    row = rows_of(box, "bob")[item]
    assert (row.watched, row.plays, row.position_s) == (False, 0, 0)
    act(box, "stop", item, position_s=1200)
    row = rows_of(box, "bob")[item]
    assert (row.watched, row.position_s) == (False, 1200)
    act(box, "mark", item)
    row = rows_of(box, "bob")[item]
    assert (row.watched, row.position_s) == (True, 0)
    assert rows_of(box, "alice") == others


def test_removed_and_added_again(made: tuple[World, SandboxHandle]) -> None:
    """Gone from the rows, and back; an item with ids has its state again."""
    world, box = made
    item = untouched(world, box)
    act(box, "play", item)
    act(box, "remove", item)
    assert item not in rows_of(box, "bob")
    act(box, "add", item)
    assert item in rows_of(box, "bob")


def test_mistakes_name_what_there_is(made: tuple[World, SandboxHandle]) -> None:
    """Unknown acts are a ValueError, unknown items and users a KeyError."""
    _, box = made
    [server] = box.servers.values()
    with pytest.raises(ValueError, match="play"):
        act(box, "fly", "m1")
    with pytest.raises(KeyError):
        act(box, "play", "nothing")
    with pytest.raises(KeyError):
        server.state_rows("nobody")


def test_users_have_ids_and_tokens_of_their_own(made: tuple[World, SandboxHandle]) -> None:
    """Names as in the world, no token twice."""
    _, box = made
    [server] = box.servers.values()
    users = server.users()
    assert [user.name for user in users] == ["alice", "bob"]
    assert len({user.id for user in users}) == len({user.token for user in users}) == 2


@pytest.mark.parametrize("kind", KINDS)
async def test_every_kind_is_counted_and_can_fail(kind: str) -> None:
    """A request is counted by its route; a fault answers in its place."""
    async with run_world(generate_world(40, servers=[kind])) as box, aiohttp.ClientSession() as http:
        [name] = box.servers
        path = "/identity" if kind == "plex" else "/System/Info/Public"
        async with http.get(box.url(name) + path) as response:
            assert response.status == 200
        await http.post(f"{box.control_url}/_sandbox/faults", json={"kind": "server_error", "count": 1})
        async with http.get(box.url(name) + path) as response:
            assert response.status == 500
        assert box.counters[name].report()["statuses"] == {"200": 1, "500": 1}
        assert box.counters[name].routes == {f"GET {path}": 2}
