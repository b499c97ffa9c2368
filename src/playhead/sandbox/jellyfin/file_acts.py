"""What happens to a server's files and libraries, by the names of the world's items: the disk changes, then a scan runs.

A file's path is its id: another name is a new item (facts A3). ``half_read_s`` lets lists show a new item half read for
so long, the moment in which a list read makes the server's lists lie.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from playhead.sandbox.folders import root_of, taken
from playhead.sandbox.jellyfin import ticks
from playhead.sandbox.jellyfin.disk import DiskFile
from playhead.sandbox.library_args import REAL, read_folder, read_new_library, read_place
from playhead.sandbox.world import Placement, WorldLibrary

if TYPE_CHECKING:
    from playhead.sandbox.jellyfin.emulator import JellyfinServer
    from playhead.sandbox.jellyfin.items import Library

Args = dict[str, Any]
_PLACEMENT = frozenset(Placement.__struct_fields__) - {"item"}
_SCANNED_ALONE = 4


class FileActs:
    """Acts on the files and libraries of one server."""

    def __init__(self, server: JellyfinServer) -> None:
        self.server = server
        self._removed: dict[str, list[DiskFile]] = {}
        self._of_files: dict[str, Callable[[str, Args], list[str]]] = {
            "add": self._add,
            "remove": self._remove,
            "replace_file": self._replace_file,
            "move_file": self._move_file,
        }
        self._of_libraries: dict[str, Callable[[str, Args], None]] = {
            "add_library": self._add_library,
            "rename_library": self._rename_library,
            "move_library": self._move_library,
            "remove_library": self._remove_library,
            "restore_library": self._restore_library,
            "unmount": lambda item, args: self._mount(item, args, mounted=False),
            "mount": lambda item, args: self._mount(item, args, mounted=True),
            "add_folder": self._add_folder,
            "remove_folder": self._remove_folder,
        }
        self.known = (*self._of_files, *self._of_libraries)

    def do(self, item: str, act: str, args: Args) -> None:
        """Carry out an act. Raises KeyError for what does not exist, ValueError for what makes no sense."""
        if act in self._of_libraries:
            self._of_libraries[act](item, args)
            return
        paths = self._of_files[act](item, args)
        if len(paths) > _SCANNED_ALONE:
            paths = [posixpath.commonpath(paths)]
        self.server.scan(paths, half_read_s=float(args.get("half_read_s", 0)))

    # --- files

    def _files(self, item: str, args: Args) -> list[DiskFile]:
        library = args.get("library")
        shows = {path for path, world in self.server.disk.show_worlds.items() if world == item}
        found = []
        for file in self.server.disk.files.values():
            if item in file.world or file.show in shows:
                home = self.server.catalogue.library_of(file.path)
                if library is None or (home is not None and home.name == library):
                    found.append(file)
        if not found:
            raise KeyError(f"no file of {item!r} on {self.server.name}")
        for file in found:
            self._refuse_real(file.path)
        return found

    def _refuse_real(self, path: str) -> None:
        library = self.server.catalogue.library_of(path)
        real = None if library is None else self.server.mirror.real(library.paths[0])
        if library is not None and real is not None:
            raise ValueError(REAL.format(library.name, real.folder))

    def _remove(self, item: str, args: Args) -> list[str]:
        """The files go; ``add`` brings them back under the same paths."""
        files = self._files(item, args)
        self._removed[item] = [self.server.disk.remove(file.path) for file in files]
        return [file.path for file in files]

    def _add(self, item: str, args: Args) -> list[str]:
        """Files that were removed come back, or an item of the world arrives; a placement's fields say how."""
        given = {name: args[name] for name in _PLACEMENT & args.keys()}
        home = self.server.home_of(item, args.get("library"))
        if home is not None:
            self._refuse_real(home)
        files = None if given else self._removed.pop(item, None)
        if files is None:
            files = self.server.new_files(item, given)
        for file in files:
            self.server.disk.put(file)
        return [file.path for file in files]

    def _replace_file(self, item: str, args: Args) -> list[str]:
        """Another file of the item: at ``file``, with ``same_path`` under its name, with another ``extension`` or name."""
        paths = []
        for file in self._files(item, args):
            stem, ending = posixpath.splitext(file.path)
            default = f"{stem} - new{ending}"
            if args.get("same_path"):
                default = file.path
            elif "extension" in args:
                default = f"{stem}.{str(args['extension']).lstrip('.')}"
            paths += self._change(file, args.get("file") or default, args)
        return paths

    def _move_file(self, item: str, args: Args) -> list[str]:
        """A file moves to ``file``, or into ``folder``."""
        paths = []
        for file in self._files(item, args):
            folder = str(args.get("folder") or "Moved")
            paths += self._change(file, args.get("file") or f"{folder}/{posixpath.basename(file.path)}", args)
        return paths

    def _change(self, file: DiskFile, path: str, args: Args) -> list[str]:
        old, library = file.path, self.server.catalogue.library_of(file.path)
        if library is None:
            raise ValueError(f"{old} lies in no library.")
        new = path if path.startswith("/") else f"{library.paths[0]}/{path}"
        if "duration_s" in args:
            file.duration_ticks = round(float(args["duration_s"]) * ticks.PER_SECOND)
        file.size += 1
        file.stamp += 1
        if new != old:
            self.server.disk.rename(old, new)
        return [old, new]

    # --- libraries

    def _library_name(self, item: str, args: Args) -> str:
        name = str(args.get("library") or item)
        if name in self.server.catalogue.libraries:
            return name
        library = self.server.acts.find(item).library
        if library is None:
            raise KeyError(f"no library {name!r} on {self.server.name}")
        return library.name

    def _add_library(self, item: str, args: Args) -> None:
        """A library is made and scanned as a person's click in the dashboard does it."""
        library = read_new_library(args)
        self.server.add_library(msgspec.structs.replace(library, root=root_of(library)))
        self.server.library_task.start()

    def _move_library(self, item: str, args: Args) -> None:
        """Another folder: its items are others, since a path makes an id (facts A3)."""
        server, name = self.server, self._library_name(item, args)
        library = server.catalogue.libraries[name]
        place = read_place(
            args,
            WorldLibrary(title=name, kind=_kind_of(library), native_id=library.folder.id),
        )
        place = msgspec.structs.replace(place, root=root_of(place))
        old = library.paths[0]
        if place.folder is None and any(server.disk.below(old)):
            server.disk.rename(old, place.root)
        server.catalogue.remove_library(name)
        for path in library.paths:
            server.mirror.forget(path)
        server.add_library(place)
        server.library_task.start()

    def _add_folder(self, item: str, args: Args) -> None:
        """One more folder; everything is scanned."""
        library = self.server.catalogue.libraries[self._library_name(item, args)]
        real = read_folder(args)
        self.server.mirror.add_root(library.name, _kind_of(library), real)
        self.server.catalogue.add_root(library, real.root)
        self.server.library_task.start()

    def _remove_folder(self, item: str, args: Args) -> None:
        """A folder less: its items go at once."""
        library = self.server.catalogue.libraries[self._library_name(item, args)]
        path = taken(str(args.get("root") or "")).rstrip("/")
        if path not in library.paths or len(library.paths) == 1:
            raise ValueError(f'"remove_folder" needs "root", one of several: {", ".join(library.paths)}')
        self.server.mirror.forget(path)
        self.server.catalogue.remove_root(library, path)

    def _mount(self, item: str, args: Args, *, mounted: bool) -> None:
        """The share of a library is gone or back; the next scan sees it. Missing or empty is the same here (A8, 7)."""
        for path in self.server.catalogue.libraries[self._library_name(item, args)].paths:
            if args.get("root") and taken(str(args["root"])).rstrip("/") != path:
                continue
            real = self.server.mirror.real(path)
            if real is not None:
                real.mounted = mounted
            if mounted:
                self.server.disk.away.discard(path)
            else:
                self.server.disk.away.add(path)

    def _rename_library(self, item: str, args: Args) -> None:
        """``library`` gets the ``title``; its own id changes, its items stay the same."""
        title = args.get("title") or args.get("name")
        if not title:
            raise ValueError('"rename_library" needs "title": the new title')
        self.server.catalogue.rename_library(self._library_name(item, args), str(title))

    def _remove_library(self, item: str, args: Args) -> None:
        name = self._library_name(item, args)
        self.server.lost_libraries[name] = self.server.catalogue.remove_library(name)

    def _restore_library(self, item: str, args: Args) -> None:
        """The library is made again and scanned: the same ids and the same state (facts A3, Gone and back)."""
        name = str(args.get("library") or item)
        if name not in self.server.lost_libraries:
            raise KeyError(f"no library {name!r} was removed from {self.server.name}")
        lost = self.server.lost_libraries.pop(name)
        made = self.server.catalogue.add_library(name, lost.collection, lost.paths, lost.folder.id)
        made.options = lost.options
        self.server.scan()


def _kind_of(library: Library) -> Literal["movies", "shows"]:
    return "movies" if library.collection == "movies" else "shows"
