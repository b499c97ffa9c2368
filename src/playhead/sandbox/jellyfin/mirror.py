"""Brings a server's disk in line with the real folders of its libraries, before a scan compares it with the catalogue.

A file is what its name says: an item of the world with its ids, or one made of the name. Knows files, no catalogue. *Assumed*:
a file is as old as the scan that finds it; one whose name has no numbers is left out of a library of shows.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable

import msgspec

from playhead.sandbox.folders import RealFolder, RealFolders, VideoFile, is_below
from playhead.sandbox.jellyfin import ticks
from playhead.sandbox.jellyfin.disk import Disk, DiskFile, Nfo, as_guid, fit_name, server_ids
from playhead.sandbox.known import KnownItems
from playhead.sandbox.world import Placement, WorldItem, WorldLibrary


class Root(msgspec.Struct, eq=False):
    """A library's folder, and what each file in it was when it was last looked at."""

    title: str
    kind: str
    real: RealFolder
    stamps: dict[str, int] = {}
    films: dict[tuple[str, tuple[str, ...]], str] = {}  # by folder and items: the first of its versions


class Mirror:
    """The real folders of one server. ``now`` is in ticks."""

    def __init__(
        self, disk: Disk, known: KnownItems, placements: Iterable[Placement], now: Callable[[], int]
    ) -> None:
        self._disk = disk
        self._known = known
        self._placements: dict[str, list[Placement]] = {}
        for placement in placements:
            self._placements.setdefault(placement.item, []).append(placement)
        self._now = now
        self.roots: dict[str, Root] = {}

    def add(self, library: WorldLibrary, reals: RealFolders) -> None:
        """A library is made; without a real folder the disk alone says what is there."""
        for real in reals.all:
            self.add_root(library.title, library.kind, real)

    def add_root(self, title: str, kind: str, real: RealFolder) -> None:
        """A library gets one more real folder."""
        self.roots[real.root] = Root(title, kind, real)

    def forget(self, path: str) -> None:
        """A library's folder is no longer one: its files are none of the server's."""
        self.roots.pop(path, None)
        for file in [file for file in self._disk.files if is_below(file, path)]:
            self._disk.remove(file)

    def real(self, path: str) -> RealFolder | None:
        """The real folder that stands at a library's path."""
        root = self.roots.get(path)
        return None if root is None else root.real

    def sync(self, paths: Iterable[str] | None = None) -> None:
        """Look at what lies at and below some paths, None: everywhere."""
        wanted = None if paths is None else list(paths)
        for path, root in self.roots.items():
            if root.real.bare:
                self._disk.away.add(path)
                continue
            self._disk.away.discard(path)
            for below in [path] if wanted is None else wanted:
                if is_below(path, below) or is_below(below, path):
                    self._look(root, max(path, below, key=len))

    def _look(self, root: Root, path: str) -> None:
        found = root.real.videos(path)
        for gone in [file for file in root.stamps if is_below(file, path) and file not in found]:
            del root.stamps[gone]
            self._disk.files.pop(gone, None)
        for file in found.values():
            stamp = root.stamps.get(file.path)
            if stamp is None:
                self._take_in(root, file)
            elif stamp != file.stamp and file.path in self._disk.files:
                self._disk.files[file.path].stamp += 1
                self._disk.files[file.path].size = file.size
            root.stamps[file.path] = file.stamp

    def _take_in(self, root: Root, file: VideoFile) -> None:
        items = self._known.items_in(file.below, root.kind)
        if not items:
            return
        first, placement = items[0], self._placement(items[0], root)
        many = len(items) > 1
        nfo = self._describe(first, placement)
        made = DiskFile(
            path=file.path,
            kind="movie" if first.type == "movie" else "episode",
            nfo=msgspec.structs.replace(nfo, episode_end=items[-1].episode) if many else nfo,
            duration_ticks=round((placement.duration_s or first.duration_s) * ticks.PER_SECOND),
            created=self._now() if first.added_at is None else ticks.from_world(first.added_at),
            season=nfo.season,
            episode=nfo.episode,
            episode_end=items[-1].episode if many else None,
            world=tuple(item.id for item in items),
            native_id=as_guid(placement.native_id) if placement.native_id else None,
            size=file.size,
        )
        if made.kind == "movie":
            made.version_of = self._other_version(root, made)
        else:
            made.show = self._show(root, file, self._known.items[first.show or ""])
        self._disk.put(made)

    def _placement(self, item: WorldItem, root: Root) -> Placement:
        told = self._placements.get(item.id, ())
        return next((each for each in told if each.library in (None, root.title)), Placement(item=item.id))

    def _describe(self, item: WorldItem, placement: Placement) -> Nfo:
        ids = item.ids if placement.ids is None else placement.ids
        return Nfo(
            title=placement.title or item.title,
            year=placement.year or item.year,
            ids={} if placement.numbers_only else server_ids(ids),
            season=item.season if placement.season is None else placement.season,
            episode=item.episode if placement.episode is None else placement.episode,
        )

    def _other_version(self, root: Root, file: DiskFile) -> str | None:
        """The film of which a file in the same folder is another version."""
        place = (posixpath.dirname(file.path), file.world)
        other = self._disk.files.get(root.films.get(place, ""))
        if other is None or place[0] == root.real.root:
            root.films[place] = file.path
            return None
        return other.path

    def _show(self, root: Root, file: VideoFile, show: WorldItem) -> str:
        name = file.below.split("/")[0] if "/" in file.below else fit_name(show.title)
        folder = f"{root.real.root}/{name}"
        if folder not in self._disk.shows:
            placement = self._placement(show, root)
            self._disk.shows[folder] = msgspec.structs.replace(
                self._describe(show, placement), season=None, episode=None
            )
            self._disk.show_worlds[folder] = show.id
            if placement.native_id is not None:
                self._disk.show_native[folder] = as_guid(placement.native_id)
        return folder
