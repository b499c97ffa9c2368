"""An emulated Sonarr and Radarr with the same happenings on each, and the net of each over HTTP."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from playhead.adapters._arr.poll import ArrNet
from playhead.adapters.radarr.net import RadarrNet
from playhead.adapters.radarr.settings import RadarrSettings
from playhead.adapters.sonarr.net import SonarrNet
from playhead.adapters.sonarr.settings import SonarrSettings
from playhead.ports.arrivals import Arrival, Caught
from playhead.sandbox.faults import FaultOrder
from playhead.sandbox.run import SandboxHandle, run_world
from playhead.sandbox.world import World, WorldItem, WorldLibrary, WorldServer

KINDS = ("sonarr", "radarr")
COUNT = 12


def make_world(url: str = "", roots: tuple[str, str] = ("/tv", "/movies")) -> World:
    """Twelve shows of two episodes and twelve movies; the items ``new`` have no file yet."""
    items: list[WorldItem] = []
    for number in range(1, COUNT + 1):
        ids = {"tvdb": str(7000 + number)}
        items.append(WorldItem(id=f"s{number}", type="show", title=f"Show {number}", year=2020, ids=ids))
        for episode, name in ((1, "a"), (2, "new")):
            ids = {"tvdb": str(90_000 + 10 * number + episode)}
            leaf = WorldItem(id=f"s{number}{name}", type="episode", title=f"Part {episode}", ids=ids)
            leaf.show, leaf.season, leaf.episode = f"s{number}", 1, episode
            items.append(leaf)
        for name in ("a", "new"):
            ids = {"tmdb": str(100 * number + len(name))}
            items.append(
                WorldItem(
                    id=f"m{number}{name}", type="movie", title=f"Film {number} {name}", year=2021, ids=ids
                )
            )
    held = [item.id for item in items if item.id.endswith("a")]
    hooks = [url] if url else []
    libraries = [
        WorldLibrary(title="TV", kind="shows", root=roots[0]),
        WorldLibrary(title="Movies", kind="movies", root=roots[1]),
    ]
    servers = [
        WorldServer(name=kind, kind=kind, items=held, libraries=libraries, webhooks=hooks)  # type: ignore[arg-type]
        for kind in KINDS
    ]
    return World(items=items, servers=servers)


class Rig:
    """One of the two, with its net and what the net remembers."""

    def __init__(self, box: SandboxHandle, kind: str) -> None:
        self.box, self.kind = box, kind
        self.server: Any = box.server(kind)
        self.memory: bytes | None = None
        self.net = self.make_net()
        self._letter = "s" if kind == "sonarr" else "m"

    def make_net(self, key: str | None = None, url: str | None = None, timeout_s: float = 10.0) -> ArrNet:
        secret, address = key or self.server.admin_token, url or self.box.url(self.kind)
        if self.kind == "sonarr":
            return SonarrNet(SonarrSettings(url=address, timeout_s=timeout_s), secret)
        return RadarrNet(RadarrSettings(url=address, timeout_s=timeout_s), secret)

    def item(self, number: int, name: str = "a") -> str:
        return f"{self._letter}{number}{name}"

    def act(self, act: str, item: str = "", **args: Any) -> None:
        self.server.act("", item, act, at=None, args=args)

    def rescan(self, number: int) -> None:
        self.act("rescan", self.item(number))

    async def look(self, *, sweep: bool = False) -> Caught:
        caught = await self.net.catch_up(self.memory, now=time.time(), sweep=sweep)
        self.memory = caught.memory
        return caught

    async def told(self, *, sweep: bool = False) -> list[Arrival]:
        return list((await self.look(sweep=sweep)).arrivals)

    def fault(self, kind: str, route: str = "*", count: int | None = 1, **params: Any) -> None:
        self.box.faults.add(FaultOrder(kind=kind, server=self.kind, route=route, count=count, params=params))

    @property
    def requests(self) -> int:
        return self.box.counters[self.kind].routes.total()


@asynccontextmanager
async def run_rig(
    kind: str, url: str = "", roots: tuple[str, str] = ("/tv", "/movies")
) -> AsyncIterator[Rig]:
    """Running."""
    async with run_world(make_world(url, roots)) as box:
        rig = Rig(box, kind)
        try:
            yield rig
        finally:
            await rig.net.close()
