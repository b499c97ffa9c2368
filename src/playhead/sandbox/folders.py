"""A library's real folder on this machine, and the path under which a server sees it: Windows and UNC forms included.

Inside the emulators paths are written with slashes (``D:/TV``, ``//nas/tv``); ``shown`` and ``taken`` stand where they go
out and come in. Knows files and names, no item and no server.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from playhead.sandbox.filenames import is_video
from playhead.sandbox.world import WorldFolder, WorldItem, WorldLibrary

_WINDOWS = re.compile(r"(?:[A-Za-z]:|\\)\\")
_WINDOWS_INSIDE = re.compile(r"(?:[A-Za-z]:|/)/")
_SKIPPED = frozenset({"@eadir", "#recycle", "lost+found", "$recycle.bin"})


class VideoFile(msgspec.Struct, frozen=True):
    """A file that lies there: ``path`` as the server sees it, ``below`` the folder; ``stamp`` is another for other content."""

    path: str
    below: str
    size: int
    stamp: int


class RealFolder:
    """A folder that a server sees as ``root``. Not ``mounted``: the share is gone; ``emptied``: an empty folder stands there."""

    def __init__(self, folder: str, root: str) -> None:
        self.folder = Path(folder).expanduser().resolve()
        self.root = root
        self.mounted = True
        self.emptied = False

    @property
    def present(self) -> bool:
        """Whether the server finds anything at its root."""
        return self.emptied or (self.mounted and self.folder.is_dir())

    @property
    def bare(self) -> bool:
        """Whether nothing at all lies there: the folder is missing, or empty."""
        return self.emptied or not self.present or not any(self.folder.iterdir())

    def has_folder(self, path: str) -> bool:
        """Whether a folder lies at a path that the server names."""
        below = path[len(self.root) :].strip("/")
        if not self.present or not is_below(path, self.root):
            return False
        return not below or (not self.emptied and (self.folder / below).is_dir())

    def exists(self, path: str) -> bool:
        """Whether a file or folder lies there."""
        return (
            self.mounted and not self.emptied and (self.folder / path[len(self.root) :].strip("/")).exists()
        )

    def videos(self, path: str | None = None) -> dict[str, VideoFile]:
        """The video files at and below a path (None: all), by their paths; links are followed."""
        start = self.folder / (path or self.root)[len(self.root) :].strip("/")
        if not self.mounted or self.emptied:
            return {}
        found = [start] if start.is_file() else _walk(start)
        files = [self._describe(file) for file in sorted(found) if is_video(file.name)]
        return {file.path: file for file in files if file is not None}

    def _describe(self, file: Path) -> VideoFile | None:
        below = file.relative_to(self.folder).as_posix()
        try:
            told = file.stat()
        except OSError:  # a link that leads nowhere, or gone meanwhile
            return None
        return VideoFile(f"{self.root}/{below}", below, told.st_size, told.st_mtime_ns ^ told.st_size)


class RealFolders:
    """All real folders of a library; false where it has none."""

    def __init__(self, library: WorldLibrary) -> None:
        main = [] if library.folder is None else [RealFolder(library.folder, root_of(library))]
        self.all = main + [RealFolder(each.folder, root_of(each)) for each in library.more]

    def __bool__(self) -> bool:
        return bool(self.all)

    @property
    def roots(self) -> list[str]:
        """The folders' paths as the server sees them."""
        return [each.root for each in self.all]

    def at(self, path: str) -> RealFolder | None:
        """The folder in which a path lies."""
        return next((each for each in self.all if is_below(path, each.root)), None)

    def look(
        self, path: str | None, is_there: Callable[[RealFolder, str], bool]
    ) -> tuple[dict[str, VideoFile], list[str]]:
        """The files at and below a path, None: in all folders; and where it was looked: at what ``is_there``."""
        places = self.roots if path is None else [path]
        found: dict[str, VideoFile] = {}
        looked = []
        for place in places:
            folder = self.at(place)
            if folder is not None and is_there(folder, place):
                found |= folder.videos(place)
                looked.append(place)
        return found, looked

    def describe(self) -> str:
        """Where they lie on this machine."""
        return ", ".join(str(each.folder) for each in self.all)


def _walk(start: Path) -> list[Path]:
    found: list[Path] = []
    seen: set[tuple[int, int]] = set()
    for folder, names, files in os.walk(start, followlinks=True):
        told = os.stat(folder)
        if (told.st_dev, told.st_ino) in seen:
            names.clear()
            continue
        seen.add((told.st_dev, told.st_ino))
        names[:] = [name for name in names if not name.startswith(".") and name.lower() not in _SKIPPED]
        found += [Path(folder, name) for name in files]
    return found


def root_of(library: WorldLibrary | WorldFolder) -> str:
    """A folder as its server sees it, in the inner form."""
    root = library.root or str(Path(library.folder or "").expanduser().resolve())
    return taken(root).rstrip("/") or "/"


def is_only_a_name(item: WorldItem, libraries: Sequence[WorldLibrary]) -> bool:
    """Whether a server with real folders has no library for an item, which then only says what a file may be."""
    kind = "movies" if item.type == "movie" else "shows"
    return any(each.folder or each.more for each in libraries) and all(
        each.kind != kind for each in libraries
    )


def is_below(path: str, root: str) -> bool:
    """Whether a path is the root or lies below it."""
    return path == root or path.startswith(root.rstrip("/") + "/")


def is_absolute(path: str) -> bool:
    """Whether a path in the inner form begins at a root or a drive."""
    return path.startswith("/") or _WINDOWS_INSIDE.match(path) is not None


def shown(path: str) -> str:
    """A path as the server writes it."""
    return path.replace("/", "\\") if _WINDOWS_INSIDE.match(path) else path


def taken(path: str) -> str:
    """A path that a client wrote, in the inner form."""
    return path.replace("\\", "/") if _WINDOWS.match(path) else path
