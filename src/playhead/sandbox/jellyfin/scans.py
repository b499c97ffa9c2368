"""When a Jellyfin server scans: the task that scans all libraries, and the watch over paths that were reported. Facts: A5.

A report waits until ``LibraryMonitorDelay`` has passed without another one below or beside it; then the nearest folder that the
server knows is scanned. The task takes time, another request ends it and begins anew. Times are the sandbox clock's.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

import msgspec

from playhead.sandbox.agenda import Entry
from playhead.sandbox.folders import is_below
from playhead.sandbox.quiet import QuietPaths, keep_outermost

if TYPE_CHECKING:
    from playhead.sandbox.jellyfin.emulator import JellyfinServer
    from playhead.sandbox.jellyfin.items import Library


class Run(msgspec.Struct, frozen=True):
    """One run of the task that is over. Times are ticks."""

    started: int
    ended: int
    status: str


class LibraryTask:
    """The task that scans all libraries."""

    def __init__(self, server: JellyfinServer, scan_s: float) -> None:
        self.last: Run | None = None
        self._server = server
        self._scan_s = scan_s
        self._entry: Entry | None = None
        self._started = 0
        self._began = 0.0

    @property
    def running(self) -> bool:
        return self._entry is not None

    @property
    def progress(self) -> float:
        """Percent of the time that it takes."""
        passed = self._server.agenda.elapsed() - self._began
        return min(100.0, 100.0 * passed / self._scan_s) if self._scan_s else 0.0

    def start(self) -> None:
        """Scan everything; a run that is under way is ended."""
        self.stop()
        self._started, self._began = self._server.now(), self._server.agenda.elapsed()
        if not self._scan_s:
            self._finish()
            return
        self._entry = self._server.agenda.after(self._scan_s, self._finish)

    def stop(self) -> bool:
        """End it; False where it does not run."""
        if self._entry is None:
            return False
        self._entry.cancel()
        self._end("Cancelled")
        return True

    def status_of(self, library: Library) -> dict[str, object]:
        """How a library stands: the libraries are scanned one after the other, the newest first."""
        libraries = list(reversed(self._server.catalogue.libraries.values()))
        share = 100.0 / max(len(libraries), 1)
        done = self.progress - share * libraries.index(library)
        if not self.running or not 0 <= done < share:
            return {"RefreshStatus": "Idle"}
        return {"RefreshProgress": int(100 * done / share), "RefreshStatus": "Active"}

    def _finish(self) -> None:
        self._end("Completed")
        self._server.scan()

    def _end(self, status: str) -> None:
        self._entry = None
        self.last = Run(self._started, self._server.now(), status)


class Monitor:
    """The watch over reported paths. ``monitor_s`` None: as the configuration says."""

    def __init__(self, server: JellyfinServer, monitor_s: float | None) -> None:
        self._server = server
        self._monitor_s = monitor_s
        self._paths = QuietPaths(server.agenda, self._delay, self._look)
        self.report = self._paths.report
        self.forget = self._paths.forget

    def _delay(self) -> float:
        if self._monitor_s is not None:
            return self._monitor_s
        return float(self._server.configuration.get("LibraryMonitorDelay", 60))

    def _look(self, reported: set[str]) -> None:
        """Scan what is nearest; where nothing lies in a library, nothing comes of it."""
        server = self._server
        server.mirror.sync(reported)
        known = {folder for path in reported if (folder := self._nearest(path)) is not None}
        if known:
            server.scan(keep_outermost(known))

    def _nearest(self, path: str) -> str | None:
        """The nearest folder or file that the server knows, and that is still there."""
        catalogue, disk = self._server.catalogue, self._server.disk
        if catalogue.library_of(path) is None and not any(
            is_below(root, path) for each in catalogue.libraries.values() for root in each.paths
        ):
            return None
        roots = {root for each in catalogue.libraries.values() for root in each.paths}
        while path not in ("", "/"):
            item = catalogue.by_path.get(path)
            if path in roots or (item is not None and any(disk.below(path))):
                return path
            path = posixpath.dirname(path)
        return None
