"""What it costs a Sonarr or Radarr of 503 series or movies to be asked, in requests."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from playhead.adapters.radarr.net import RadarrNet
from playhead.adapters.radarr.settings import RadarrSettings
from playhead.adapters.sonarr.net import SonarrNet
from playhead.adapters.sonarr.settings import SonarrSettings
from playhead.domain.library.mapping import PathMap
from playhead.flows.catch_up import CatchUp
from playhead.flows.take_arrivals import ArrivalDesk
from playhead.ports.arrivals import CatchesUp
from playhead.runtime.disk import OwnDisk
from playhead.sandbox.run import SandboxHandle, run_world
from playhead.sandbox.world import World, WorldItem, WorldServer
from playhead.store.library_jobs import SqlLibraryJobs

MANY = 503
HOUR_S = 3600.0


def make_world() -> World:
    items = []
    for number in range(MANY):
        items.append(
            WorldItem(id=f"s{number}", type="show", title=f"Show {number}", ids={"tvdb": str(number + 1)})
        )
        for name in "ab":
            leaf = WorldItem(id=f"s{number}{name}", type="episode", title=name, show=f"s{number}", season=1)
            leaf.episode = "ab".index(name) + 1
            items.append(leaf)
        items.append(WorldItem(id=f"m{number}a", type="movie", title=f"Film {number}", year=2020))
    items.append(WorldItem(id="m0b", type="movie", title="Film new", year=2020))
    held = [item.id for item in items if item.id.endswith("a")]
    servers: list[Any] = [WorldServer(name=kind, kind=kind, items=held) for kind in ("sonarr", "radarr")]  # type: ignore[arg-type]
    return World(items=items, servers=servers)


def make_net(box: SandboxHandle, kind: str) -> CatchesUp:
    server: Any = box.server(kind)
    if kind == "sonarr":
        return SonarrNet(SonarrSettings(url=box.url(kind)), server.admin_token)
    return RadarrNet(RadarrSettings(url=box.url(kind)), server.admin_token)


@pytest.mark.parametrize(("kind", "files"), [("sonarr", MANY), ("radarr", 0)])
async def test_a_look_is_one_request_and_a_sweep_a_few(kind: str, files: int, tmp_path: Path) -> None:
    """The first sweep alone asks a Sonarr for the files of each series; after that only for those of what changed."""
    async with run_world(make_world()) as box:
        jobs, net, counter = (
            SqlLibraryJobs(tmp_path / "library.db"),
            make_net(box, kind),
            box.counters[kind].routes,
        )
        desk = ArrivalDesk(jobs, OwnDisk(), lambda job, after_s: jobs.add(job, ["Den"], 0.0, after_s))
        asking = CatchUp("x", PathMap([]), HOUR_S, jobs, desk)
        now = time.time()

        async def count(at: float) -> int:
            before = counter.total()
            await asking.look(net, at)
            return int(counter.total() - before)

        assert await count(now) == 3 + files  # history, list, root folders
        assert await count(now + 60) == 1
        assert await count(now + HOUR_S) == 3
        server: Any = box.server(kind)
        server.act("", f"{kind[0].replace('r', 'm')}0b", "import", at=None, args={})
        assert await count(now + HOUR_S + 60) == (1 if kind == "sonarr" else 2)
        assert await count(now + 2 * HOUR_S) == (4 if kind == "sonarr" else 3)
        assert len(jobs.list_newest(10)) == 1
        await net.close()
