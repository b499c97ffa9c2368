"""A small world of one Jellyfin server, and a client that remembers what was said."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, NamedTuple

import msgspec
import pytest
from aiohttp.test_utils import TestClient, TestServer
from yarl import URL

from playhead.sandbox.clock import Clock, SkewedClock
from playhead.sandbox.jellyfin.emulator import JellyfinServer, make_server
from playhead.sandbox.world import Placement, World, WorldItem, WorldServer, WorldState, WorldUser

NOW = 1_790_000_000.0
PLAYED_AT = 1_600_000_000


class Seen(NamedTuple):
    """One request and its answer."""

    method: str
    url: URL
    status: int
    content_type: str | None
    raw: bytes

    @property
    def body(self) -> Any:
        return msgspec.json.decode(self.raw) if self.raw else None


class Talk:
    """Speaks to one emulated server as the user ``ann``; ``server`` is the emulator itself."""

    def __init__(self, server: JellyfinServer, client: TestClient[Any, Any], clock: Clock) -> None:
        self.server = server
        self.client = client
        self.clock = clock
        self.seen: list[Seen] = []
        self.token = server.users()[0].token
        self.user = server.users()[0].id

    def id_of(self, world_item: str) -> str:
        return self.server.acts.find(world_item).id

    async def ask(
        self, method: str, path: str, *, json: Any = None, token: str | None = None, **query: Any
    ) -> Seen:
        url = URL(path).with_query({name: str(value) for name, value in query.items()})
        device = 'Client="Test", Device="desk", DeviceId="test", Version="1"'
        secret = self.token if token is None else token
        headers = {"Authorization": f'MediaBrowser {device}, Token="{secret}"'}
        async with self.client.request(method, url, json=json, headers=headers) as answer:
            raw = await answer.read()
            seen = Seen(method, url, answer.status, answer.headers.get("Content-Type"), raw)
        self.seen.append(seen)
        return seen

    async def data(self, world_item: str) -> Any:
        """The user data of an item, from the item itself."""
        user = {"userId": self.user}
        return (await self.ask("GET", f"/Users/{self.user}/Items/{self.id_of(world_item)}", **user)).body[
            "UserData"
        ]


ITEMS = [
    WorldItem(
        id="matrix", type="movie", title="The Matrix", year=1999, ids={"imdb": "tt0133093", "tmdb": "603"}
    ),
    WorldItem(id="luna", type="movie", title="La Luna", year=2011, ids={"imdb": "tt1957945"}, duration_s=240),
    WorldItem(id="home", type="movie", title="Home Cut", duration_s=1200),
    WorldItem(id="bebop", type="show", title="Cowboy Bebop", year=1998, ids={"tvdb": "76885"}),
    WorldItem(id="lost", type="movie", title="Not There Yet", year=2020, ids={"tmdb": "1"}),
    *(
        WorldItem(
            id=f"bebop{n}",
            type="episode",
            show="bebop",
            season=1,
            episode=n,
            title=f"Session {n}",
            duration_s=1500,
        )
        for n in range(1, 5)
    ),
]


def make_world(version: str, **quirks: bool | int | str) -> World:
    """Three films and a show of four episodes; ``ann`` is an admin, ``kid`` sees films only."""
    state = [
        WorldState(item="luna", watched=True, plays=3, last_played=PLAYED_AT, rating=8.0, favourite=True)
    ]
    server = WorldServer(
        name="jelly",
        kind="jellyfin",
        version=version,
        users=[
            WorldUser(name="ann", admin=True, password="pw", state=state),
            WorldUser(name="kid", password="pw", libraries=["Movies"]),
        ],
        items=["matrix", "luna", "home", "bebop"],
        placements=[Placement(item="matrix", versions=2), Placement(item="bebop2", with_next=1)],
        quirks=dict(quirks),
        delays={"scan_s": 0},
    )
    return World(items=ITEMS, servers=[server])


Run = Callable[[World], AbstractAsyncContextManager[Talk]]


@pytest.fixture
def run_jellyfin() -> Run:
    """Starts the first server of a world on a frozen clock."""

    @asynccontextmanager
    async def run(world: World) -> AsyncIterator[Talk]:
        clock = Clock()
        clock.freeze(NOW)
        server = make_server(world, world.servers[0], SkewedClock(clock))
        assert isinstance(server, JellyfinServer)
        async with TestClient(TestServer(server.make_app())) as client:
            yield Talk(server, client, clock)

    return run
