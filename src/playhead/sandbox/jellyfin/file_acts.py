"""What happens to a server's files and libraries, by the names of the world's items: the disk changes, then a scan runs.

A file's path is its id: another name is a new item (facts A3). ``half_read_s`` lets lists show a new item half read for
so long, the moment in which a list read makes the server's lists lie.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from playhead.sandbox.jellyfin import ticks
from playhead.sandbox.jellyfin.disk import DiskFile
from playhead.sandbox.world import Placement

if TYPE_CHECKING:
    from playhead.sandbox.jellyfin.emulator import JellyfinServer

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
            "rename_library": self._rename_library,
            "remove_library": self._remove_library,
            "restore_library": self._restore_library,
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
        return found

    def _remove(self, item: str, args: Args) -> list[str]:
        """The files go; ``add`` brings them back under the same paths."""
        files = self._files(item, args)
        self._removed[item] = [self.server.disk.remove(file.path) for file in files]
        return [file.path for file in files]

    def _add(self, item: str, args: Args) -> list[str]:
        """Files that were removed come back, or an item of the world arrives; a placement's fields say how."""
        given = {name: args[name] for name in _PLACEMENT & args.keys()}
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
