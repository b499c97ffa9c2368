"""A server over two real folders in which files come and go, for the tests of scans."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp

from playhead.sandbox.run import SandboxHandle, run_world
from playhead.sandbox.world import World, WorldItem, WorldLibrary, WorldServer, WorldState, WorldUser
from tests.sandbox.plex.conftest import Client

NOW = 1_700_000_000
ITEMS = [
    WorldItem(id="matrix", type="movie", title="The Matrix", year=1999, ids={"tmdb": "603"}),
    WorldItem(id="away", type="movie", title="Not Here", year=2000, ids={"tmdb": "1"}),
    WorldItem(id="show", type="show", title="The Show", year=2008, ids={"tvdb": "81189"}),
    *(
        WorldItem(
            id=f"e{n}", type="episode", title=f"Part {n}", show="show", season=1, episode=n, ids={"tvdb": f"90{n}"}
        )
        for n in (1, 2, 3)
    ),
]  # fmt: skip


def put(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


class Stage:
    """A running server over two real folders, its owner, and a socket that heard everything so far."""

    def __init__(self, box: SandboxHandle, client: Client, films: Path, shows: Path) -> None:
        self.box = box
        self.client = client
        self.films = films
        self.shows = shows
        self.socket: aiohttp.ClientWebSocketResponse | None = None

    def act(self, what: str, **args: Any) -> None:
        self.box.server("plex").act("", "", what, at=None, args=args)

    async def section(self, title: str) -> dict[str, Any]:
        listed = (await self.client.container("/library/sections"))["Directory"]
        return next(dict(each) for each in listed if each["title"] == title)

    async def scan(self, key: int, path: str | None = None, wait_s: float = 10.0) -> None:
        """Ask and let the time pass that it takes."""
        query = "" if path is None else f"path={quote(path)}"
        assert (await self.client.ask(f"/library/sections/{key}/refresh", query)).status == 200
        self.box.clock.advance(wait_s)

    async def titles(self, key: int, query: str = "") -> list[str]:
        listed = await self.client.container(f"/library/sections/{key}/all", query)
        return [entry["title"] for entry in listed.get("Metadata", [])]

    async def files(self, key: int, query: str = "") -> list[str]:
        listed = await self.client.container(f"/library/sections/{key}/all", query)
        return [m["Part"][0]["file"] for entry in listed.get("Metadata", []) for m in entry["Media"]]

    async def heard(self, count: int) -> list[dict[str, Any]]:
        """The next containers."""
        assert self.socket is not None
        return [(await self.socket.receive_json(timeout=30))["NotificationContainer"] for _ in range(count)]


@asynccontextmanager
async def stage(
    tmp_path: Path, session: aiohttp.ClientSession, *, root: str = "/data/tv", **quirks: Any
) -> AsyncIterator[Stage]:
    films, shows = tmp_path / "films", tmp_path / "shows"
    put(films, "The Matrix (1999)/The Matrix (1999).mkv")
    put(shows, "The Show (2008)/Season 01/The Show - S01E01.mkv")
    webhooks = quirks.pop("webhooks", [])
    version = quirks.pop("version", None)
    server = WorldServer(
        name="plex",
        kind="plex",
        version=version,
        users=[
            WorldUser(name="alice", state=[WorldState(item="matrix", watched=True, last_played=NOW - 9)]),
            WorldUser(name="kid", libraries=["Films"]),
        ],
        libraries=[
            WorldLibrary(title="Films", kind="movies", folder=str(films)),
            WorldLibrary(title="Shows", kind="shows", folder=str(shows), root=root),
        ],
        quirks=quirks,
        webhooks=webhooks,
    )
    async with run_world(World(items=ITEMS, servers=[server], now=NOW)) as box:
        box.clock.freeze(NOW)
        found = Stage(box, Client(session, box.url("plex"), box.token("plex", "alice")), films, shows)
        url = f"{box.url('plex')}/:/websockets/notifications?X-Plex-Token={box.token('plex', 'alice')}"
        async with session.ws_connect(url) as found.socket:
            yield found
