"""A backend, its emulated server and a real folder that the server scans."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from playhead.ports.backend import Manifest
from playhead.ports.scans import FileItem, ScannedLibrary, Scans
from playhead.sandbox.world import World, WorldItem, WorldLibrary, WorldServer, WorldUser

from .rig import Rig, load_harness, open_rig
from .world import ANNA, BEN, NOW, PASSWORDS, SERVER

STEP_S = 5.0
LONGEST_S = 240.0  # of the sandbox's clock, until a scan that was asked for must have shown what there is
FIRST = "The Show (2008)/Season 01/The Show - S01E01.mkv"
SECOND = "The Show (2008)/Season 01/The Show - S01E02.mkv"
OTHER = "Another Show (2010)/Season 01/Another Show - S01E01.mkv"
FILM = "The Matrix (1999)/The Matrix (1999).mkv"
ITEMS = [
    WorldItem(
        id="matrix", type="movie", title="The Matrix", year=1999, ids={"tmdb": "603"}, added_at=NOW - 86_400
    ),
    WorldItem(id="show", type="show", title="The Show", year=2008, ids={"tvdb": "81189"}),
    *(
        WorldItem(
            id=f"e{number}",
            type="episode",
            title=f"Part {number}",
            show="show",
            season=1,
            episode=number,
            ids={"tvdb": f"90{number}"},
        )
        for number in (1, 2, 3)
    ),
]


class Place:
    """A running server, the scanning side of a backend, and the folders on this machine."""

    def __init__(self, rig: Rig, films: Path, shows: Path, root: str) -> None:
        self.rig = rig
        self.films, self.shows, self.root = films, shows, root
        backend = rig.connect()
        assert isinstance(backend, Scans)
        self.backend: Scans = backend

    def put(self, *names: str, below: Path | None = None) -> None:
        """Files that come now, by the sandbox's clock."""
        for name in names:
            path = (below or self.shows) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
            os.utime(path, (NOW, NOW))

    def named(self, name: str) -> str:
        """A file of the shows in the server's words."""
        stroke = "\\" if "\\" in self.root else "/"
        return self.root + stroke + name.replace("/", stroke) if name else self.root

    async def library(self, title: str) -> ScannedLibrary:
        return next(each for each in await self.backend.list_scanned() if each.title == title)

    async def settle(
        self, library: str, path: str, *, found: bool = True, thorough: bool = False
    ) -> list[FileItem]:
        """Let time pass until a file is an item, or is none any more."""
        passed = 0.0
        while True:
            items = await self.backend.find_files(library, [path], thorough=thorough)
            if any(item.available for item in items) is found:
                return items
            assert passed < LONGEST_S, f"{path} does not {'appear' if found else 'go'}"
            self.rig.box.clock.advance(STEP_S)
            passed += STEP_S
            await asyncio.sleep(0)


def scans_world(kind: str, version: str | None, films: Path, shows: Path, root: str) -> World:
    server = WorldServer(
        name=SERVER,
        kind=kind,  # type: ignore[arg-type]  # a dropped-in adapter names the emulator that it wants
        version=version,
        users=[
            WorldUser(name=ANNA, admin=True, password=PASSWORDS[ANNA]),
            WorldUser(name=BEN, password=PASSWORDS[BEN]),
        ],
        libraries=[
            WorldLibrary(title="Films", kind="movies", folder=str(films), root="/data/films"),
            WorldLibrary(title="Series", kind="shows", folder=str(shows), root=root),
        ],
    )
    return World(items=ITEMS, servers=[server], now=NOW)


@asynccontextmanager
async def open_place(
    manifest: Manifest, version: str | None, tmp_path: Path, root: str
) -> AsyncIterator[Place]:
    harness = load_harness(manifest)
    declared = getattr(harness, "REAL_FOLDERS", "the backend scans nothing")
    if declared is not True:
        pytest.skip(f"{manifest.name}: {declared}")
    films, shows = tmp_path / "films", tmp_path / "shows"
    for path in (films / FILM, shows / FIRST, shows / OTHER):
        path.parent.mkdir(parents=True)
        path.touch()
        os.utime(path, (NOW - 86_400, NOW - 86_400))
    async with open_rig(manifest, scans_world(harness.KIND, version, films, shows, root)) as rig:
        rig.box.clock.freeze(NOW)
        yield Place(rig, films, shows, root)
