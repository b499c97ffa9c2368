"""Where the files lie: in memory, or below a real folder of this machine. A root can be taken offline, as a share that is gone.

Paths are the server's own. Knows names and sizes, no series and no movie.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator, Mapping
from pathlib import Path

VIDEO_ENDINGS = frozenset(
    {".mkv", ".mp4", ".avi", ".m4v", ".ts", ".wmv", ".mov", ".mpg", ".webm", ".m2ts", ".strm"}
)
SIZE = 13_103_738


def is_video(path: str) -> bool:
    """Whether it is taken for a video: by its ending, not with names that begin so (facts 0.5)."""
    name = posixpath.basename(path)
    return posixpath.splitext(name)[1].lower() in VIDEO_ENDINGS and not name.startswith(("._", ".unmanic"))


class Disk:
    """All that the server sees. ``roots`` are its root folders, each with the real folder behind it or None."""

    def __init__(self, roots: Mapping[str, str | None]) -> None:
        self.roots = {
            root: Path(real).expanduser().resolve() if real else None for root, real in roots.items()
        }
        self.offline: set[str] = set()
        self._files: dict[str, int] = {}
        self._links: set[str] = set()  # known links whose target is gone

    def root_of(self, path: str) -> str | None:
        """The root folder in which a path lies."""
        return next((root for root in self.roots if path == root or path.startswith(f"{root}/")), None)

    def is_present(self, root: str) -> bool:
        """Whether the root folder is there."""
        real = self.roots.get(root)
        return root not in self.offline and (real is None or real.is_dir())

    def is_empty(self, root: str) -> bool:
        """Whether nothing lies in the root folder."""
        real = self.roots.get(root)
        if real is not None:
            return not any(real.iterdir())
        return not any(path.startswith(f"{root}/") for path in self._files)

    def exists(self, path: str) -> bool:
        """Whether a file lies there whose content can be read."""
        real = self._real(path)
        if real is not None:
            return self._reachable(path) and real.exists()
        return self._reachable(path) and path in self._files and path not in self._links

    def is_broken_link(self, path: str) -> bool:
        """Whether a link lies there that leads nowhere."""
        real = self._real(path)
        if real is not None:
            return self._reachable(path) and os.path.lexists(real) and not real.exists()
        return path in self._links

    def break_link(self, path: str) -> None:
        """In memory: what lies there was a link, and what it led to is gone."""
        self._links.add(path)

    def has_folder(self, folder: str) -> bool:
        """Whether a folder is there; in memory those that hold a file."""
        real = self._real(folder)
        if real is not None:
            return self._reachable(folder) and real.is_dir()
        return self._reachable(folder) and any(path.startswith(f"{folder}/") for path in self._files)

    def size(self, path: str) -> int:
        """Bytes of a file."""
        real = self._real(path)
        return real.stat().st_size if real is not None else self._files[path]

    def put(self, path: str, size: int) -> None:
        """Have a file lie there, with its folders."""
        real = self._real(path)
        if real is None:
            self._files[path] = size
            self._links.discard(path)
            return
        real.parent.mkdir(parents=True, exist_ok=True)
        if real.is_symlink():
            real.unlink()
        with real.open("wb") as file:
            file.truncate(size)

    def move(self, old: str, new: str) -> None:
        """Move a file."""
        real, target = self._real(old), self._real(new)
        if real is not None and target is not None:
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(real, target)
            return
        size = self.size(old)
        self.remove(old)
        self.put(new, size)

    def remove(self, path: str) -> None:
        """Have nothing lie there."""
        real = self._real(path)
        if real is not None:
            real.unlink(missing_ok=True)
        self._files.pop(path, None)
        self._links.discard(path)

    def move_folder(self, old: str, new: str) -> None:
        """Move a folder with all that is in it."""
        real, target = self._real(old), self._real(new)
        if real is not None and target is not None and real.is_dir():
            target.parent.mkdir(parents=True, exist_ok=True)
            real.rename(target)
        for path in [path for path in self._files if path.startswith(f"{old}/")]:
            self._files[new + path[len(old) :]] = self._files.pop(path)

    def videos(self, folder: str) -> list[str]:
        """The video files at or below a path, links that lead nowhere included."""
        return sorted(path for path in self._walk(folder) if is_video(path))

    def folders(self, root: str) -> list[str]:
        """The names of the folders in a root folder."""
        real = self.roots.get(root)
        if not self.is_present(root):
            return []
        if real is not None:
            return sorted(each.name for each in real.iterdir() if each.is_dir())
        below = (path[len(root) + 1 :] for path in self._files if path.startswith(f"{root}/"))
        return sorted({path.split("/")[0] for path in below if "/" in path})

    def _walk(self, folder: str) -> Iterator[str]:
        real = self._real(folder)
        if not self._reachable(folder):
            return
        if real is None:
            yield from (path for path in self._files if path == folder or path.startswith(f"{folder}/"))
        elif real.is_file():
            yield folder
        else:
            for place, _, names in os.walk(real, followlinks=True):
                below = Path(place).relative_to(real).as_posix()
                yield from (posixpath.normpath(f"{folder}/{below}/{name}") for name in names)

    def _reachable(self, path: str) -> bool:
        root = self.root_of(path)
        return root is None or self.is_present(root)

    def _real(self, path: str) -> Path | None:
        """Where it lies on this machine; what lies in no root is real where all roots are (downloads)."""
        root = self.root_of(path)
        if root is None:
            return Path(path) if self.roots and all(self.roots.values()) else None
        real = self.roots[root]
        return None if real is None else real / path[len(root) :].strip("/")
