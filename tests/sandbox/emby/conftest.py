"""A small world on one emulated Emby, and a client that keeps every exchange for the judges."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import aiohttp
import msgspec
import pytest

from playhead.sandbox.emby.emulator import EmbyServer
from playhead.sandbox.run import run_world
from playhead.sandbox.world import (
    Placement,
    World,
    WorldItem,
    WorldLibrary,
    WorldServer,
    WorldState,
    WorldUser,
)

NOW = 1_788_912_167  # 2026-09-09T00:02:47Z, when the playback answers were recorded
ANNA, BEN = "b9ea5322ce7342a283da085981dc454d", "00000000000000000000000000000be2"


class Exchange(msgspec.Struct):
    """One request and its answer."""

    method: str
    path: str
    query: dict[str, str]
    status: int
    content_type: str | None
    raw: bytes

    @property
    def body(self) -> Any:
        return msgspec.json.decode(self.raw)

    @property
    def text(self) -> str:
        return self.raw.decode()


class Talk:
    """A client of one emulated server with one token."""

    def __init__(self, http: aiohttp.ClientSession, url: str, server: EmbyServer) -> None:
        self.http, self.url, self.server = http, url, server
        self.token: str | None = next(user.token for user in server.users() if user.name == "anna")
        self.seen: list[Exchange] = []

    async def ask(
        self, method: str, path: str, json: Any = None, headers: dict[str, str] | None = None, **query: str
    ) -> Exchange:
        sent = {"X-Emby-Token": self.token} if self.token else {}
        sent |= headers or {}
        async with self.http.request(
            method, self.url + path, params=query, json=json, headers=sent
        ) as response:
            kind = response.headers.get("Content-Type") if await response.read() else None
            seen = Exchange(method, path, query, response.status, kind, await response.read())
        self.seen.append(seen)
        return seen

    async def get(self, path: str, **query: str) -> Any:
        """The decoded body of a GET that must succeed."""
        answer = await self.ask("GET", path, **query)
        assert answer.status == 200, answer
        return answer.body

    async def data(self, item: str, user: str = ANNA) -> dict[str, Any]:
        """User data as the item route tells it."""
        body = await self.get(f"/emby/Users/{user}/Items/{item}")
        return dict(body["UserData"])

    def id_of(self, world_id: str, nth: int = 0) -> str:
        """The native id of a world item."""
        return self.server.catalogue.by_world[world_id][nth].id


def make_world(version: str = "4.9.5.0", **quirks: bool) -> World:
    """Three movies (one in two libraries, one without ids), a show of two seasons with a double episode."""
    items = [
        WorldItem(
            id="matrix", type="movie", title="The Matrix", year=1999, ids={"imdb": "tt0133093", "tmdb": "603"}
        ),
        WorldItem(
            id="luna", type="movie", title="La Luna", year=2011, ids={"imdb": "tt1957945"}, duration_s=600
        ),
        WorldItem(id="home", type="movie", title="Home Cut", duration_s=600),
        WorldItem(id="bebop", type="show", title="Cowboy Bebop", year=1998, ids={"tvdb": "76885"}),
        *(
            WorldItem(
                id=f"bebop{n}",
                type="episode",
                title=f"Session {n}",
                show="bebop",
                season=1 if n < 5 else 2,
                episode=n if n < 5 else n - 4,
                ids={"tvdb": f"30000{n}"},
                duration_s=1500,
            )
            for n in range(1, 7)
        ),
    ]
    server = WorldServer(
        name="Attic",
        kind="emby",
        version=version,
        users=[
            WorldUser(
                name="anna",
                id=ANNA,
                password="secret",
                admin=True,
                state=[WorldState(item="bebop1", watched=True, plays=3, last_played=1_700_000_000)],
            ),
            WorldUser(name="ben", id=BEN, libraries=["Movies"]),
        ],
        libraries=[
            WorldLibrary(title="Movies", kind="movies", root="/media/movies"),
            WorldLibrary(title="Shows", kind="shows", root="/media/shows"),
            WorldLibrary(title="Kids", kind="movies", root="/media/kids"),
        ],
        placements=[
            Placement(item="matrix", versions=2),
            Placement(item="luna"),
            Placement(item="luna", library="Kids"),
            Placement(item="bebop2", with_next=1),
        ],
        quirks=dict(quirks),
    )
    return World(items=items, servers=[server], now=NOW)


Run = Callable[..., AbstractAsyncContextManager[Talk]]


@pytest.fixture
def run_emby() -> Run:
    """Run a world's only server with the clock standing still."""

    @asynccontextmanager
    async def run(world: World) -> AsyncIterator[Talk]:
        async with run_world(world) as box, aiohttp.ClientSession() as http:
            box.clock.freeze(NOW)
            name = world.servers[0].name
            server = box.server(name)
            assert isinstance(server, EmbyServer)
            yield Talk(http, box.url(name), server)

    return run


@pytest.fixture
async def talk(run_emby: Run) -> AsyncIterator[Talk]:
    async with run_emby(make_world()) as running:
        yield running
