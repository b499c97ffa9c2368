"""One emulated Sonarr or Radarr: joins its parts and offers the control side its handles. It has no logins, only a key."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from aiohttp import web

from playhead.sandbox.arr.commands import Commands
from playhead.sandbox.arr.connections import Connections
from playhead.sandbox.arr.dialect import Dialect
from playhead.sandbox.arr.disk import SIZE, Disk
from playhead.sandbox.arr.history import History
from playhead.sandbox.arr.library import Library
from playhead.sandbox.arr.names import read_quality
from playhead.sandbox.arr.orders import Acts
from playhead.sandbox.arr.routes import API, Reads
from playhead.sandbox.arr.shelf import Holder, Part, Shelf, world_path
from playhead.sandbox.arr.web import Route, Site
from playhead.sandbox.arr.windows import keep_paths, show_paths
from playhead.sandbox.clock import SkewedClock
from playhead.sandbox.folders import root_of, shown
from playhead.sandbox.lines import Lines
from playhead.sandbox.quirks import check_quirks, read_delays
from playhead.sandbox.server import SandboxUser, StateRow, Told, count_told
from playhead.sandbox.times import to_epoch
from playhead.sandbox.world import World, WorldLibrary, WorldServer

DELAYS: Mapping[str, float] = MappingProxyType({"command_s": 0.0})
QUIRKS = frozenset({"no_files"})


class ArrServer:
    """The server. Quirk ``no_files``: what it holds has no file at the start. Delay ``command_s``: how long a command takes."""

    def __init__(self, world: World, spec: WorldServer, clock: SkewedClock, dialect: Dialect) -> None:
        check_quirks(spec, QUIRKS)
        self.name = spec.name
        self.kind = spec.kind
        self.version = spec.version or dialect.version
        self.clock = clock
        self.dialect = dialect
        self.key = hashlib.md5(f"{spec.kind}/{spec.name}".encode(), usedforsecurity=False).hexdigest()
        self._lines: Lines[Any] = Lines()
        libraries = [each for each in spec.libraries if each.kind == dialect.library] or [
            _make_library(dialect)
        ]
        roots = {root_of(each): each.folder for each in libraries}
        roots |= {root_of(more): more.folder for each in libraries for more in each.more}
        self._write_paths = show_paths if any(shown(root) != root for root in roots) else keep_paths
        self.connections = Connections(dialect, self.version, spec.webhooks, self._write_paths)
        self.library = Library(
            dialect,
            Shelf(world, spec, dialect.library),
            Disk(roots),
            History(dialect.history),
            self.connections,
            clock.now,
        )
        self._fill(world, spec)
        self.reads = Reads(self.library, clock.now())
        delay = read_delays(spec, DELAYS)["command_s"]
        self.commands = Commands(self.library, clock.agenda, delay)
        self._acts = Acts(self.library, self.connections)

    def extra_routes(self) -> list[Route]:
        """Routes that only this program has."""
        return []

    @property
    def admin_token(self) -> str:
        """The API key."""
        return self.key

    def make_app(self) -> web.Application:
        """The application that serves the API."""
        routes = [
            *self.extra_routes(),
            *self.connections.routes(API),
            *self.commands.routes(API),
            *self.reads.routes(),
        ]
        app = Site(
            routes, self.key, self.version, self._write_paths, problem_kind=self.dialect.problem_kind
        ).application()
        app.on_cleanup.append(self.connections.posts.close)
        return app

    def users(self) -> list[SandboxUser]:
        """None: there is only the key."""
        return []

    def state_rows(self, user: str) -> list[StateRow]:
        """No watch state. Raises KeyError."""
        raise KeyError(f"{self.name} keeps no state of users")

    def told(self) -> Told:
        """What was posted."""
        return count_told(self._lines, self.connections.posts)

    def crash(self) -> None:
        """The process was killed: what waited to be posted is gone."""
        self.connections.posts.drop()

    def act(self, user: str, item: str, act: str, *, at: float | None, args: dict[str, Any]) -> None:
        """Do what a person or a download would do. Raises KeyError and ValueError as the promise says."""
        self._acts.do(item, act, args)

    def _fill(self, world: World, spec: WorldServer) -> None:
        """What the world says that it holds: named shows with all episodes, named episodes alone, all or no files."""
        shelf, named = self.library.shelf, None if spec.items == "all" else set(spec.items)
        root = next(iter(self.library.disk.roots))
        for item in world.items:
            if item.type == "episode" or not shelf.is_ours(item):
                continue
            leaves = {leaf.id for leaf in shelf.episodes.get(item.id, [])} | {item.id}
            if named is not None and not leaves & named:
                continue
            holder = shelf.add(item, root, to_epoch(item.added_at) or self.clock.now())
            for part in holder.parts:
                if named is None or item.id in named or part.item.id in named:
                    self._give_file(holder, part, spec)

    def _give_file(self, holder: Holder, part: Part, spec: WorldServer) -> None:
        if spec.quirks.get("no_files") or part.file is not None:
            return
        quality = "WEBDL-1080p"
        name = self.dialect.name_file(holder, [part], quality, self.library.naming)
        relative = world_path(part.item) or f"{name}.mkv"
        path = f"{holder.path}/{relative}"
        disk, root = self.library.disk, self.library.disk.root_of(holder.path)
        if root is not None and disk.roots[root] is None:
            disk.put(path, SIZE)
        elif not disk.exists(path):
            return
        at = to_epoch(part.item.added_at) or self.clock.now()
        part.file = self.library.shelf.make_file(relative, disk.size(path), at, read_quality(relative))


def _make_library(dialect: Dialect) -> WorldLibrary:
    root = "/data/movies" if dialect.library == "movies" else "/data/shows"
    return WorldLibrary(title="Root", kind="movies" if dialect.library == "movies" else "shows", root=root)
