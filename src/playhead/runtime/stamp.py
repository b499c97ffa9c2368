"""Whether the settings file still is the one that was looked at last; cheap enough to be asked before every write."""

from __future__ import annotations

import os
from pathlib import Path


class Stamp:
    """``holds`` may be asked from any thread. Before anything was accepted it does not."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._accepted: tuple[int, int, int] | None = (-1, -1, -1)

    def holds(self) -> bool:
        """Whether the file is as it was when it was accepted."""
        return self.read() == self._accepted

    def accept(self, seen: tuple[int, int, int] | None) -> None:
        """What goes on follows from the file as it was when this was read."""
        self._accepted = seen

    def read(self) -> tuple[int, int, int] | None:
        """What changes with the file; None where there is none."""
        try:
            found = os.stat(self._path)
        except FileNotFoundError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino
