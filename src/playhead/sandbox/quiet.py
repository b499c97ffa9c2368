"""Paths that were reported and wait until it was quiet, as Jellyfin's and Emby's watch over files does. Knows no server.

A path below one that waits is looked at with it, a folder above takes its place, neighbours become one wait of their folder;
each report starts the wait anew (facts, library-updates-and-links.md 1.2).
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable

from playhead.sandbox.agenda import Agenda, Entry
from playhead.sandbox.folders import is_below


class Wait:
    """A path, and all that was reported at, below or beside it."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.reported = {path}
        self.entry: Entry | None = None


class QuietPaths:
    """``delay`` tells the seconds of quiet, ``look`` gets the paths afterwards; with 0 at once."""

    def __init__(self, agenda: Agenda, delay: Callable[[], float], look: Callable[[set[str]], None]) -> None:
        self._agenda = agenda
        self._delay = delay
        self._look = look
        self._waits: list[Wait] = []

    def report(self, path: str) -> None:
        """Something may have changed at a path."""
        wait, delay = self._fold(path), self._delay()
        if wait.entry is not None:
            wait.entry.cancel()
        if delay:
            wait.entry = self._agenda.after(delay, lambda: self._end(wait))
        else:
            self._end(wait)

    def forget(self) -> None:
        """The server went down: what waited is gone."""
        for wait in self._waits:
            if wait.entry is not None:
                wait.entry.cancel()
        self._waits.clear()

    def _fold(self, path: str) -> Wait:
        for wait in self._waits:
            above = posixpath.dirname(path)
            if is_below(wait.path, path):
                wait.path = path
            elif above == posixpath.dirname(wait.path):
                wait.path = above
            elif not is_below(path, wait.path):
                continue
            wait.reported.add(path)
            return wait
        self._waits.append(Wait(path))
        return self._waits[-1]

    def _end(self, wait: Wait) -> None:
        self._waits.remove(wait)
        self._look(wait.reported)


def keep_outermost(paths: set[str]) -> list[str]:
    """The paths without those that lie below another one."""
    return sorted(
        path for path in paths if not any(path != other and is_below(path, other) for other in paths)
    )
