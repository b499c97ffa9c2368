"""A small world on one emulated Sonarr and one emulated Radarr, an ear for their posts, a client that keeps every exchange."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from playhead.sandbox.arr.server import ArrServer
from playhead.sandbox.run import SandboxHandle, run_world
from playhead.sandbox.world import World, WorldItem, WorldLibrary, WorldServer
from tests.sandbox.ear import Ear, listen

SHOW_IDS = {"tvdb": "371980", "imdb": "tt11280740", "tmdb": "95396"}


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


class Talk:
    """A client of one server, with its key."""

    def __init__(self, http: aiohttp.ClientSession, box: SandboxHandle, name: str) -> None:
        self.http, self.box, self.name = http, box, name
        self.server: Any = box.server(name)
        self.seen: list[Exchange] = []

    async def ask(self, method: str, path: str, json: Any = None, **query: str) -> Exchange:
        url = f"{self.box.url(self.name)}/api/v3{path}"
        headers = {"X-Api-Key": self.server.admin_token}
        async with self.http.request(method, url, json=json, headers=headers, params=query) as answer:
            kind = answer.headers.get("Content-Type")
            seen = Exchange(method, f"/api/v3{path}", query, answer.status, kind, await answer.read())
        self.seen.append(seen)
        return seen

    async def get(self, path: str, **query: str) -> Any:
        answer = await self.ask("GET", path, **query)
        assert answer.status == 200, answer
        return answer.body

    async def command(self, name: str, **body: Any) -> Any:
        """Start a command and wait until it ended."""
        number = (await self.ask("POST", "/command", {"name": name, **body})).body["id"]
        while (told := await self.get(f"/command/{number}"))["status"] in ("queued", "started"):
            pass
        return told

    def act(self, act: str, item: str = "", **args: Any) -> None:
        self.server.act("", item, act, at=None, args=args)

    @property
    def posts(self) -> Any:
        server: ArrServer = self.server
        return server.connections.posts


def make_world(ear: str, folder: Path | None = None) -> World:
    """A show of six episodes and a special, three movies; the last episode and movie have no file yet."""
    items = [
        WorldItem(id="show", type="show", title="Severance", year=2022, ids=SHOW_IDS),
        *(
            WorldItem(
                id=f"e{season}{number}",
                type="episode",
                title=f"Part {number}",
                show="show",
                season=season,
                episode=number,
                ids={"tvdb": f"90{season}{number}"},
            )
            for season, number in ((0, 1), (1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (2, 3))
        ),
        WorldItem(
            id="arrival",
            type="movie",
            title="Arrival",
            year=2016,
            ids={"tmdb": "329865", "imdb": "tt2543164"},
        ),
        WorldItem(id="alien", type="movie", title="Alien", year=1979, ids={"tmdb": "348"}),
        WorldItem(id="moon", type="movie", title="Moon", year=2009, ids={"tmdb": "17431"}),
    ]
    held = ["e01", "e11", "e12", "e13", "e21", "e22", "arrival", "alien"]
    shows = WorldLibrary(title="TV", kind="shows", root="/tv", folder=str(folder / "tv") if folder else None)
    movies = WorldLibrary(
        title="Movies", kind="movies", root="/movies", folder=str(folder / "movies") if folder else None
    )
    servers = [
        WorldServer(name="sonarr", kind="sonarr", libraries=[shows], items=held, webhooks=[f"{ear}/sonarr"]),
        WorldServer(name="radarr", kind="radarr", libraries=[movies], items=held, webhooks=[f"{ear}/radarr"]),
    ]
    return World(items=items, servers=servers)


@pytest.fixture
async def ear() -> AsyncIterator[Ear]:
    async with listen() as ear:
        yield ear


@pytest.fixture
async def box(ear: Ear) -> AsyncIterator[SandboxHandle]:
    async with run_world(make_world(ear.url)) as box:
        yield box


@pytest.fixture
async def sonarr(box: SandboxHandle) -> AsyncIterator[Talk]:
    async with aiohttp.ClientSession() as http:
        yield Talk(http, box, "sonarr")


@pytest.fixture
async def radarr(box: SandboxHandle) -> AsyncIterator[Talk]:
    async with aiohttp.ClientSession() as http:
        yield Talk(http, box, "radarr")
