"""The files below a server's library folders, with what an NFO beside them says. Knows nothing of what a server made of them.

A scan compares this with the catalogue; acts and tests change it. Paths are POSIX text as the server sees them.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import Literal

import msgspec

from playhead.sandbox.folders import is_only_a_name
from playhead.sandbox.jellyfin import ticks
from playhead.sandbox.jellyfin.ids import parse_guid
from playhead.sandbox.world import Placement, World, WorldItem, WorldLibrary, WorldServer

_UNFIT = re.compile(r'[/\\:*?"<>|]')


class Nfo(msgspec.Struct, frozen=True):
    """What is known of a work: numbers are set for episodes. ``ids`` by source, as the server names them."""

    title: str
    year: int | None = None
    ids: dict[str, str] = {}
    season: int | None = None
    episode: int | None = None
    episode_end: int | None = None


class DiskFile(msgspec.Struct):
    """One video file. ``nfo`` None: nothing beside it, only its name speaks. ``world`` are the items that it holds."""

    path: str
    kind: Literal["movie", "episode"]
    nfo: Nfo
    duration_ticks: int
    created: int  # ticks
    show: str | None = None  # the show's folder
    season: int | None = None
    episode: int | None = None
    episode_end: int | None = None
    version_of: str | None = None  # path of the file of which this is another version
    world: tuple[str, ...] = ()
    native_id: str | None = None
    stamp: int = 0  # goes up when the file or its NFO is another one
    size: int = 119_662


class Disk:
    """Files and show folders by path. ``away`` are roots that are not mounted or empty at the moment."""

    def __init__(self) -> None:
        self.files: dict[str, DiskFile] = {}
        self.shows: dict[str, Nfo] = {}
        self.show_worlds: dict[str, str] = {}
        self.show_native: dict[str, str] = {}
        self.away: set[str] = set()

    def below(self, root: str) -> Iterator[DiskFile]:
        """The files below a folder, or the file itself; nothing while a root above is away."""
        if any(is_below(root, gone) for gone in self.away):
            return
        if root in self.files:
            yield self.files[root]
        prefix = root.rstrip("/") + "/"
        for path, file in self.files.items():
            if path.startswith(prefix) and not any(is_below(path, gone) for gone in self.away):
                yield file

    def put(self, file: DiskFile) -> None:
        """Write a file; one at the same path is replaced."""
        old = self.files.get(file.path)
        file.stamp = old.stamp + 1 if old else file.stamp
        self.files[file.path] = file

    def remove(self, path: str) -> DiskFile:
        """Delete a file. Raises KeyError."""
        return self.files.pop(path)

    def rename(self, old: str, new: str) -> None:
        """Rename a file or a folder with all that is below it. Raises KeyError where nothing is at ``old``."""
        moved = [path for path in self.files if path == old or path.startswith(old.rstrip("/") + "/")]
        if not moved:
            raise KeyError(old)
        for path in moved:
            file = self.files.pop(path)
            file.path = _moved(path, old, new)
            file.show = _moved(file.show, old, new) if file.show else None
            file.version_of = _moved(file.version_of, old, new) if file.version_of else None
            file.native_id = None
            self.files[file.path] = file
        for path in [path for path in self.shows if is_below(path, old)]:
            self.shows[_moved(path, old, new)] = self.shows.pop(path)
            if path in self.show_worlds:
                self.show_worlds[_moved(path, old, new)] = self.show_worlds.pop(path)

    def rewrite(self, path: str, nfo: Nfo) -> None:
        """Another NFO beside a file or in a show's folder. Raises KeyError."""
        if path in self.shows:
            self.shows[path] = nfo
            return
        self.files[path].nfo = nfo
        self.files[path].stamp += 1


def is_below(path: str, root: str) -> bool:
    """Whether a path is a folder or file or lies below it."""
    return path == root or path.startswith(root.rstrip("/") + "/")


def _moved(path: str, old: str, new: str) -> str:
    return new + path[len(old) :] if is_below(path, old) else path


def build_disk(world: World, server: WorldServer, libraries: list[WorldLibrary], now: int) -> Disk:
    """The disk of a server: its share of the world's items laid out in its libraries."""
    return _Builder(world, server, libraries, now).build()


class _Builder:
    def __init__(self, world: World, server: WorldServer, libraries: list[WorldLibrary], now: int) -> None:
        self.items = {item.id: item for item in world.items}
        self.order = world.items
        self.server = server
        self.libraries = libraries
        self.now = now
        self.disk = Disk()
        self.folders: dict[str, str] = {}  # by show: the name of its folder where the world says nothing
        self.numbers = {
            (item.show, item.season, item.episode): item.id for item in world.items if item.type == "episode"
        }

    def build(self) -> Disk:
        placements: dict[str, list[Placement]] = {}
        for placement in self.server.placements:
            placements.setdefault(placement.item, []).append(placement)
        swallowed = self._swallowed(placements)
        wanted = None if self.server.items == "all" else frozenset(self.server.items)
        for item in self.order:
            held = wanted is None or item.id in wanted or item.show in wanted
            if item.type == "show" or item.id in swallowed or not held:
                continue
            if is_only_a_name(item, self.libraries):
                continue
            for placement in placements.get(item.id) or [Placement(item=item.id)]:
                self._place(item, placement)
        return self.disk

    def _swallowed(self, placements: dict[str, list[Placement]]) -> set[str]:
        return {
            covered
            for listed in placements.values()
            for placement in listed
            for covered in self._covered(self.items[placement.item], placement)[1:]
        }

    def _covered(self, item: WorldItem, placement: Placement) -> list[str]:
        found = [item.id]
        for step in range(1, placement.with_next + 1):
            number = (item.episode or 0) + step
            following = self.numbers.get((item.show, item.season, number))
            if following is not None:
                found.append(following)
        return found

    def _place(self, item: WorldItem, placement: Placement) -> None:
        library = self._library(item, placement)
        if library.folder is not None or library.more:
            return  # what lies there is what is there
        season = item.season if placement.season is None else placement.season
        episode = item.episode if placement.episode is None else placement.episode
        covered = self._covered(item, placement)
        end = episode + placement.with_next if episode is not None and placement.with_next else None
        ids = item.ids if placement.ids is None else placement.ids
        nfo = Nfo(
            title=placement.title or item.title,
            year=item.year if placement.year is None else placement.year,
            ids={} if placement.numbers_only else server_ids(ids),
            season=season,
            episode=episode,
            episode_end=end,
        )
        path = f"{library.root}/{placement.file or item.file or self._make_name(item, nfo)}"
        file = DiskFile(
            path=path,
            kind="movie" if item.type == "movie" else "episode",
            nfo=nfo,
            duration_ticks=round((placement.duration_s or item.duration_s) * ticks.PER_SECOND),
            created=self.now if item.added_at is None else ticks.from_world(item.added_at),
            show=self._show_folder(item, path, library) if item.type == "episode" else None,
            season=season,
            episode=episode,
            episode_end=end,
            world=tuple(covered),
            native_id=as_guid(placement.native_id) if placement.native_id else None,
        )
        if path in self.disk.files:
            stem, extension = posixpath.splitext(path)
            file.path = path = f"{stem} [{fit_name(item.id)}]{extension}"  # another item of the same name
        self.disk.put(file)
        for number in range(2, placement.versions + 1):
            stem, extension = posixpath.splitext(path)
            other = f"{stem} - Version {number}{extension}"
            self.disk.put(msgspec.structs.replace(file, path=other, version_of=path, native_id=None))

    def _library(self, item: WorldItem, placement: Placement) -> WorldLibrary:
        kind = "movies" if item.type == "movie" else "shows"
        for library in self.libraries:
            if library.kind == kind and placement.library in (None, library.title):
                return library
        raise ValueError(f"{self.server.name}: no {kind} library {placement.library or ''} for {item.id}")

    def _make_name(self, item: WorldItem, nfo: Nfo) -> str:
        if item.type == "movie":
            name = with_year(nfo.title, nfo.year)
            return f"{name}/{name}.mkv"
        show = self.items[item.show] if item.show else item
        folder = "Specials" if nfo.season == 0 else f"Season {nfo.season or 0:02d}"
        end = f"-E{nfo.episode_end:02d}" if nfo.episode_end else ""
        number = f"S{nfo.season or 0:02d}E{nfo.episode or 0:02d}{end}"
        base = self._folder_name(show)
        return f"{base}/{folder}/{fit_name(show.title)} - {number} - {fit_name(nfo.title)}.mkv"

    def _folder_name(self, show: WorldItem) -> str:
        name = self.folders.get(show.id)
        if name is None:
            name = with_year(show.title, show.year)
            if name in self.folders.values():
                name = f"{name} [{fit_name(show.id)}]"
            self.folders[show.id] = name
        return name

    def _show_folder(self, item: WorldItem, path: str, library: WorldLibrary) -> str:
        folder = f"{library.root}/{path[len(library.root) + 1 :].split('/')[0]}"
        show = self.items.get(item.show or "")
        if folder not in self.disk.shows and show is not None:
            placed = next((p for p in self.server.placements if p.item == show.id), Placement(item=show.id))
            ids = show.ids if placed.ids is None else placed.ids
            year = placed.year or show.year
            self.disk.shows[folder] = Nfo(title=placed.title or show.title, year=year, ids=server_ids(ids))
            self.disk.show_worlds[folder] = show.id
            if placed.native_id is not None:
                self.disk.show_native[folder] = as_guid(placed.native_id)
        return folder


_NAMES = {
    "imdb": "Imdb",
    "tmdb": "Tmdb",
    "tvdb": "Tvdb",
    "tvmaze": "TvMaze",
    "tvrage": "TvRage",
    "anidb": "AniDB",
}


def server_ids(ids: dict[str, str]) -> dict[str, str]:
    """Ids by source under the names that the server gives the sources."""
    return {_NAMES.get(source.lower(), source): str(value) for source, value in ids.items()}


def as_guid(text: str) -> str:
    """An id that a world fixes. Raises ValueError for what cannot be an id on this kind of server."""
    guid = parse_guid(text)
    if guid is None:
        raise ValueError(f"{text!r} is no id of a Jellyfin server: write 32 hexadecimal digits.")
    return guid


def fit_name(title: str) -> str:
    """A title as part of a file name."""
    return _UNFIT.sub("", title).strip() or "Untitled"


def with_year(title: str, year: int | None) -> str:
    """``Title (1999)``, the usual name of a film's or show's folder."""
    return f"{fit_name(title)} ({year})" if year else fit_name(title)
