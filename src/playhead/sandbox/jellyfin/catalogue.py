"""What the server knows of its libraries: items by id, their tree, and how a scan brings them in line with the disk.

Holds no user data: ``on_added``, ``on_removed`` and ``on_settled`` tell the store of it. An item that was just found is
half read (no numbers, ids or run time) until it is settled; normally that happens in the same moment.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Iterator

from playhead.sandbox.jellyfin.disk import Disk, DiskFile, Nfo, is_below
from playhead.sandbox.jellyfin.ids import dashed, item_guid
from playhead.sandbox.jellyfin.items import Item, Library
from playhead.sandbox.jellyfin.naming import movie_name, sort_name, version_name
from playhead.sandbox.jellyfin.rules import Rules

_UNREAD = -2
ROOT_PATH = "/var/lib/jellyfin/root/default"
PLAYLISTS_PATH = "/var/lib/jellyfin/data/playlists"


def _passed_on(series: Item) -> tuple[str, ...]:
    """The keys of a series that its episodes' keys are made of: its own GUID only where it has no other."""
    return series.keys[:-1] or series.keys


def _ignore(item: Item) -> None:
    """Nobody listens."""


class Catalogue:
    """All items of a server. ``revision`` goes up with every change; lists made of it are kept under it."""

    def __init__(self, disk: Disk, now: Callable[[], int], rules: Rules) -> None:
        self.disk = disk
        self.now = now
        self.items: dict[str, Item] = {}
        self.by_path: dict[str, Item] = {}
        self.by_world: dict[str, list[Item]] = {}
        self.libraries: dict[str, Library] = {}
        self.revision = 0
        self.on_added: Callable[[Item], None] = _ignore
        self.on_removed: Callable[[Item], None] = _ignore
        self.on_settled: Callable[[Item], None] = _ignore
        self.unsettled: list[Item] = []
        self.rules = rules
        self.started = False  # what the first scan finds is whole at once
        self._unlinked: list[Item] = []
        self._order = 0
        start = now()
        self.root = self._adopt(
            Item(
                "UserRootFolder",
                item_guid("UserRootFolder", "root\\default"),
                "Media Folders",
                ROOT_PATH,
                start,
            )
        )
        guid = item_guid("ManualPlaylistsFolder", "data\\playlists")
        self.playlists = self._adopt(Item("ManualPlaylistsFolder", guid, "Playlists", PLAYLISTS_PATH, start))
        self.playlists.collection = "playlists"

    # --- libraries

    def add_library(
        self, name: str, collection: str | None, paths: list[str], native_id: str | None = None
    ) -> Library:
        """Make a virtual folder; its items come with the next scan. Raises ValueError where the name is taken."""
        if name in self.libraries:
            raise ValueError(f"There is a library {name!r} already.")
        guid = native_id or item_guid("CollectionFolder", f"root\\default\\{name}")
        folder = self._adopt(Item("CollectionFolder", guid, name, f"{ROOT_PATH}/{name}", self.now()))
        folder.collection = collection
        folder.parent = self.root
        library = Library(name, collection, paths, folder)
        folder.library = library
        for path in paths:
            self._add_root(library, path)
        self.libraries[name] = library
        self.root.children[folder.id] = folder
        self.revision += 1
        return library

    def remove_library(self, name: str) -> Library:
        """Take a virtual folder and all its items out. Raises KeyError."""
        library = self.libraries.pop(name)
        for item in [item for item in self.items.values() if item.library is library and not item.is_folder]:
            if item.id in self.items:
                self._remove_leaf(item)
        for root in library.roots.values():
            self._forget(root)
        self.root.children.pop(library.folder.id)
        self._forget(library.folder)
        self.revision += 1
        return library

    def rename_library(self, name: str, new: str) -> None:
        """Give a library another name: its own id changes, the items below keep theirs. Raises KeyError."""
        library = self.libraries.pop(name)
        library.name = new
        folder = library.folder
        self._forget(folder)
        self.root.children.pop(folder.id)
        folder.name, folder.sort_name = new, new.lower()
        folder.id, folder.path = item_guid("CollectionFolder", f"root\\default\\{new}"), f"{ROOT_PATH}/{new}"
        folder.keys = (dashed(folder.id),)
        folder.fragments.clear()
        self.root.children[folder.id] = self._adopt(folder)
        self.libraries[new] = library
        self.revision += 1

    def library_of(self, path: str) -> Library | None:
        """The library below one of whose folders a path lies."""
        for library in self.libraries.values():
            if any(is_below(path, root) for root in library.paths):
                return library
        return None

    def add_root(self, library: Library, path: str) -> None:
        """A library gets one more folder; its items come with the next scan."""
        library.paths.append(path)
        self._add_root(library, path)
        self.revision += 1

    def remove_root(self, library: Library, path: str) -> None:
        """A folder and all its items go. Raises KeyError."""
        library.paths.remove(path)
        root = library.roots.pop(path)
        for item in [
            item for item in self.items.values() if is_below(item.path, path) and not item.is_folder
        ]:
            if item.id in self.items:
                self._remove_leaf(item)
        library.folder.children.pop(root.id)
        self._forget(root)
        self.revision += 1

    def _add_root(self, library: Library, path: str) -> None:
        root = Item("Folder", item_guid("Folder", path), posixpath.basename(path), path, self.now())
        root.parent = library.folder
        root.library = library
        library.roots[path] = self._adopt(root)
        library.folder.children[root.id] = root

    # --- scans

    def scan(self, paths: Iterable[str] | None = None, *, settle: bool = True, read: bool = True) -> None:
        """Bring the libraries, or what lies at and below some paths, in line with the disk. Without ``read`` what is new
        gets its numbers and its run time alone, until a scan that reads."""
        self._link()
        for library in list(self.libraries.values()):
            for root in library.paths:
                for path in [root] if paths is None else paths:
                    if is_below(root, path) or is_below(path, root):
                        self._scan_below(max(root, path, key=len))
        if settle:
            self.settle(read=read)

    def _link(self) -> None:
        """Each scan links the series that the one before found."""
        for series in self._unlinked:
            series.unlinked = False
            self.revision += 1
        self._unlinked.clear()

    def _scan_below(self, path: str) -> None:
        files = {file.path: file for file in self.disk.below(path)}
        if (
            not files
            and not self.rules.empty_root_empties
            and any(is_below(path, root) for root in self.disk.away)
        ):
            return
        known = {file: item for file, item in self._known_below(path) if not item.is_folder}
        for gone in [item for file, item in known.items() if file not in files]:
            if gone.id in self.items:  # other versions go with their film
                self._remove_leaf(gone)
        found = [file for file in files.values() if file.path not in known]
        for file in sorted(found, key=lambda file: (file.version_of is not None, file.path)):
            self._add_leaf(file)
        for file_path, item in known.items():
            if file_path in files and item.stamp != files[file_path].stamp:
                item.file = files[file_path]
                self.unsettled.append(item)

    def _known_below(self, path: str) -> Iterable[tuple[str, Item]]:
        prefix = path.rstrip("/") + "/"
        return [
            (known, item) for known, item in self.by_path.items() if known == path or known.startswith(prefix)
        ]

    def settle(self, *, read: bool = True) -> None:
        """Read what was found: numbers, ids, run time; the items are then whole."""
        waiting, self.unsettled = self.unsettled, []
        for item in waiting:
            if item.id in self.items:
                fresh = not item.ready or item.stamp == _UNREAD
                if read or fresh:
                    self._read(item)
                if fresh and not read:
                    self._leave_unread(item)
                self.on_settled(item)
        if waiting:
            self.revision += 1

    def refresh(self, item: Item) -> None:
        """Read the metadata of an item and of what is below it again (a full refresh)."""
        if item.type == "Series":
            self._read_series(item)
        for leaf in [item, *self.leaves_below(item)]:
            if leaf.file is not None:
                leaf.file = self.disk.files.get(leaf.path, leaf.file)
                self._read(leaf)
        self.revision += 1

    def leaves_below(self, folder: Item) -> Iterator[Item]:
        """The films and episodes below a folder, other versions left out."""
        for child in folder.inside().values():
            if child.is_folder:
                yield from self.leaves_below(child)
            else:
                yield child

    # --- single items

    def _add_leaf(self, file: DiskFile) -> None:
        library = self.library_of(file.path)
        if library is None:
            return
        primary = self.by_path.get(file.version_of) if file.version_of else None
        kind = "Episode" if file.kind == "episode" else self.rules.version_type if primary else "Movie"
        guid = file.native_id or item_guid(kind, file.path)
        item = Item(kind, guid, posixpath.splitext(posixpath.basename(file.path))[0], file.path, file.created)
        item.file, item.library, item.ready, item.world = file, library, False, file.world
        item.parent = self._season_of(file, library) if kind == "Episode" else self._root_of(file, library)
        if kind == "Episode" and item.parent is not None:
            item.series = item.parent.series
        else:
            item.name, item.year, item.ids = movie_name(file.path)
            item.ids = item.ids if self.rules.path_ids else {}
        self._adopt(item)
        if primary is not None:
            self._link_version(item, primary)
        elif item.parent is not None:
            item.parent.children[item.id] = item
            self._count(item, 1)
        for world in item.world:
            self.by_world.setdefault(world, []).append(item)
        self._set_keys(item)
        self.revision += 1
        self.unsettled.append(item)
        self.on_added(item)

    def _link_version(self, item: Item, primary: Item) -> None:
        item.primary = primary
        primary.versions.append(item)
        item.version = version_name(item.path)
        primary.version = version_name(primary.path)
        primary.fragments.clear()

    def _remove_leaf(self, item: Item) -> None:
        for other in list(item.versions):
            self._remove_leaf(other)
        self.on_removed(item)
        if item.primary is not None:
            item.primary.versions.remove(item)
            item.primary.fragments.clear()
        elif item.parent is not None:
            item.parent.children.pop(item.id)
            self._count(item, -1)
            self._drop_empty(item.parent)
        for world in item.world:
            self.by_world[world].remove(item)
        self._forget(item)
        self.revision += 1

    def _drop_empty(self, folder: Item) -> None:
        while folder.type in ("Season", "Series") and not folder.children:
            above = folder.parent
            self.on_removed(folder)
            self._forget(folder)
            if above is None:
                return
            above.children.pop(folder.id)
            if folder.type == "Season" and folder.season is not None:
                above.seasons.pop(folder.season, None)
            folder = above

    def _count(self, item: Item, by: int) -> None:
        for folder in item.above():
            folder.leaf_count += by
            folder.fragments.clear()

    def _root_of(self, file: DiskFile, library: Library) -> Item:
        return next(root for path, root in library.roots.items() if is_below(file.path, path))

    def _series_of(self, file: DiskFile, library: Library) -> Item:
        path = file.show or posixpath.dirname(posixpath.dirname(file.path))
        series = self.by_path.get(path)
        if series is None:
            guid = self.disk.show_native.get(path) or item_guid("Series", path)
            series = Item("Series", guid, posixpath.basename(path), path, self.now())
            series.parent, series.library = self._root_of(file, library), library
            series.parent.children[series.id] = series
            world = self.disk.show_worlds.get(path)
            if world is not None:
                series.world = (world,)
                self.by_world.setdefault(world, []).append(series)
            self._adopt(series)
            self._read_series(series)
            self.on_added(series)
            if self.started and self.rules.late_children and series.identified:
                series.unlinked = True
                self._unlinked.append(series)
        return series

    def _season_of(self, file: DiskFile, library: Library) -> Item:
        series = self._series_of(file, library)
        number = file.season if file.season is not None else 1
        season = series.seasons.get(number)
        if season is None:
            path = posixpath.dirname(file.path)
            if path == series.path:
                path = f"{series.path}/Season {number}"
            name = "Specials" if number == 0 else f"Season {number}"
            season = Item("Season", item_guid("Season", path), name, path, self.now())
            season.parent, season.series, season.library = series, series, library
            season.season = number
            season.sort_name = f"{number:04d}"
            series.children[season.id] = season
            series.seasons[number] = season
            self._adopt(season)
            self._set_keys(season)
            self.on_added(season)
        return season

    def _read_series(self, series: Item) -> None:
        nfo = self.disk.shows.get(series.path) or Nfo(title=series.name)
        series.name, series.year, series.ids = nfo.title, nfo.year, dict(nfo.ids)
        series.identified = bool(nfo.ids)
        series.sort_name = sort_name(series.name)
        self._set_keys(series)
        for item in (series, *series.seasons.values(), *self.leaves_below(series)):
            item.fragments.clear()

    def _read(self, item: Item) -> None:
        file = item.file
        assert file is not None
        nfo = file.nfo
        item.name, item.year, item.ids = nfo.title, nfo.year, dict(nfo.ids)
        item.identified = bool(nfo.ids)
        item.runtime = file.duration_ticks
        item.season, item.episode, item.episode_end = nfo.season, nfo.episode, nfo.episode_end
        if item.type == "Episode":
            item.sort_name = f"{item.season or 0:03d} - {item.episode or 0:04d} - {item.name}"
        else:
            item.sort_name = sort_name(item.name)
        item.stamp, item.ready = file.stamp, True
        item.fragments.clear()
        self._set_keys(item)

    def _leave_unread(self, item: Item) -> None:
        """Found by a refresh that reads no metadata: no ids, the name of the series or the folder (tape 26)."""
        if item.type == "Episode":
            item.name = item.series.name if item.series else item.name
        else:
            item.name, item.year, _ = movie_name(item.path)
        item.ids, item.identified, item.stamp = {}, False, _UNREAD
        self._set_keys(item)

    def _set_keys(self, item: Item) -> None:
        """Under which keys user data of an item is stored; the item's own GUID always comes last."""
        own = dashed(item.id)
        keys: list[str] = []
        if item.type in ("Movie", "Video"):
            keys = [item.ids[name] for name in ("Tmdb", "Imdb") if name in item.ids]
        elif item.type == "Series":
            keys = [item.ids[name] for name in ("Custom", "Tvdb", "Imdb") if name in item.ids]
        elif item.series is not None and item.type == "Season":
            keys = [f"{key}{item.season:03d}" for key in _passed_on(item.series)]
        elif item.series is not None and item.episode is not None:
            number = f"{item.season or 0:03d}{item.episode:03d}"
            keys = [f"{key}{number}" for key in _passed_on(item.series)]
        item.keys = (*keys, own)

    def _adopt(self, item: Item) -> Item:
        self._order += 1
        item.order = self._order
        self.items[item.id] = item
        self.by_path[item.path] = item
        return item

    def _forget(self, item: Item) -> None:
        self.items.pop(item.id, None)
        self.by_path.pop(item.path, None)
