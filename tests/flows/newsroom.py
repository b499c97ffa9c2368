"""Servers in memory for tests of what is new: libraries whose newest come first, as the port promises."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from playhead.domain.library.mapping import MappedFolder, PathMap
from playhead.flows.find_additions import NewsLane
from playhead.ports.errors import Unreachable
from playhead.ports.scans import FileItem, ScanBegun, ScannedLibrary
from playhead.store.additions import STEPS, SqlAdditions
from playhead.store.own_file import OwnFile


class FakeServer:
    """Meets ``Scans`` with libraries in memory. ``breaks_after`` so many pages it is out of reach, once."""

    def __init__(self, *libraries: ScannedLibrary) -> None:
        self.libraries = {library.id: library for library in libraries or (library("1", "Shows"),)}
        self.items: dict[str, FileItem] = {}
        self.breaks_after: int | None = None
        self.pages = 0
        self.saved_at: dict[str, float] = {}
        self.now: Callable[[], float] = lambda: 0.0

    def put(self, *items: FileItem) -> None:
        """Have these, in the place of those with the same ids."""
        self.items.update((item.native_id, item) for item in items)
        self.saved_at.update((item.native_id, self.now()) for item in items)

    async def list_saved_since(
        self, library_id: str, since: int, count: int, start: int = 0
    ) -> list[FileItem]:
        """As a Jellyfin does whose dates are the files'."""
        there = [item for item in self.items.values() if item.library_id == library_id]
        return [item for item in there if self.saved_at[item.native_id] >= since][start : start + count]

    async def list_scanned(self) -> list[ScannedLibrary]:
        return list(self.libraries.values())

    async def begin_scan(self, library_id: str, path: str | None) -> ScanBegun:
        return ScanBegun("library")

    async def find_files(
        self, library_id: str, paths: Sequence[str], *, thorough: bool = False
    ) -> list[FileItem]:
        return [item for item in self.items.values() if set(item.files) & set(paths)]

    async def list_newest(self, library_id: str, count: int, start: int = 0) -> list[FileItem]:
        await asyncio.sleep(0)
        if self.breaks_after is not None:
            self.breaks_after -= 1
            if self.breaks_after < 0:
                self.breaks_after = None
                raise Unreachable("The server is out of reach.", hint="Is it on?")
        self.pages += 1
        there = [item for item in self.items.values() if item.library_id == library_id]
        newest = sorted(there, key=lambda item: (-(item.added_at or 0), item.native_id))
        return newest[start : start + count]


def library(library_id: str, title: str, **more: Any) -> ScannedLibrary:
    return ScannedLibrary(library_id, title, "shows", (f"/srv/{title}",), **more)


def episode(number: int, added_at: int | None, **more: Any) -> FileItem:
    """Severance, season 2, as Plex might show it."""
    fields: dict[str, Any] = {
        "native_id": str(100 + number),
        "library_id": "1",
        "kind": "episode",
        "files": (f"/srv/Shows/Severance/S02E{number:02}.1080p.web.mkv",),
        "title": f"Part {number}",
        "show_title": "Severance",
        "season": 2,
        "episode": number,
        "claims": (f"tvdb:episode:{9000 + number}",),
        "added_at": added_at,
    }
    return FileItem(**{**fields, **more})


class Newsroom:
    """The store and any number of servers, with a clock that is set by hand."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "news.db"
        self.now = 1_000_000.0
        self.open()

    def open(self) -> None:
        """As a new process does."""
        self.file = OwnFile(self._path, STEPS)
        self.additions = SqlAdditions(self.file)

    def restart(self) -> None:
        self.file.close()
        self.open()

    def lane(
        self, name: str, server: FakeServer, folder: str = "", *, additions: Any = None, **more: Any
    ) -> NewsLane:
        """``folder``: what the server calls ``/hub``; "" = nothing is mapped."""
        paths = PathMap([MappedFolder(folder, "/hub")] if folder else [])
        return NewsLane(name, server, additions or self.additions, lambda: self.now, paths, **more)

    def told(self) -> list[tuple[str, str]]:
        """What was ever told: what it is, and its title."""
        shown = {each.addition.id: each.addition for each in self.additions.list_shown(0, 100_000)}
        return sorted((each.what, each.title) for each in shown.values())


def change(item: FileItem, **fields: Any) -> FileItem:
    return msgspec.structs.replace(item, **fields)
