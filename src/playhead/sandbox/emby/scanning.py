"""When an emulated Emby scans: the task that scans everything, the watch over reported paths, a refresh of a folder.

*Assumed*, as no recording shows it: the delays, that a refresh is at once, the task's progress, and that all of it goes as on
Jellyfin, which has the same ancestor. Knows no HTTP.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from typing import Any, Protocol

from playhead.sandbox.agenda import Agenda, Entry
from playhead.sandbox.emby.app import HasClock
from playhead.sandbox.emby.building import Builder
from playhead.sandbox.emby.catalogue import Catalogue, Node, Shelf, digest
from playhead.sandbox.emby.findings import Findings, Shelves
from playhead.sandbox.emby.userdata import iso_date
from playhead.sandbox.folders import is_below
from playhead.sandbox.quiet import QuietPaths, keep_outermost

TASK_ID = digest("task", "RefreshLibrary")


class TellsLibraryChanges(Protocol):
    """Sockets and webhooks."""

    def library_changed(
        self, added: list[Node], removed: list[Node], updated: list[Node] | None = None
    ) -> None:
        """Movies and episodes came, went or have other files."""


class Scans:
    """All scans of one server. ``delays``: monitor_s, scan_s."""

    def __init__(
        self,
        catalogue: Catalogue,
        builder: Builder,
        agenda: Agenda,
        clock: HasClock,
        delays: Mapping[str, float],
    ) -> None:
        self.catalogue = catalogue
        self.tellers: list[TellsLibraryChanges] = []
        self.monitor = QuietPaths(agenda, lambda: delays["monitor_s"], self._look)
        self._shelves = Shelves(catalogue, builder)
        self._agenda = agenda
        self._clock = clock
        self._scan_s = delays["scan_s"]
        self.monitor_s = delays["monitor_s"]
        self._entry: Entry | None = None
        self._started = 0.0
        self._last: dict[str, Any] | None = None

    def read_all(self) -> None:
        """At the start, what lies in the real folders is known."""
        for shelf in self.catalogue.shelves.values():
            self._shelves.compare(shelf, None, None, Findings())

    # -- what is scanned

    def scan(self, shelf: Shelf | None = None, path: str | None = None) -> None:
        """Look at everything, at a library, or at what lies at and below a path, and tell what changed."""
        findings = Findings()
        for each in list(self.catalogue.shelves.values()):
            if shelf is None or each is shelf:
                self._shelves.compare(each, path, int(self._clock.now()), findings)
        if findings.added or findings.removed or findings.updated:
            for teller in self.tellers:
                teller.library_changed(findings.added, findings.removed, findings.updated)

    def _look(self, reported: set[str]) -> None:
        for shelf in list(self.catalogue.shelves.values()):
            near = {near for path in reported if (near := self._nearest(shelf, path)) is not None}
            for path in keep_outermost(near):
                self.scan(shelf, path)

    def _nearest(self, shelf: Shelf, path: str) -> str | None:
        """The nearest folder that the server knows and that is still there; None where the path is another library's."""
        above = next((root for root in shelf.roots if is_below(root, path)), None)
        if above is not None:
            return above
        real = shelf.reals.at(path)
        if real is None:
            return None
        known = {
            node.path for node in self.catalogue.nodes.values() if node.shelf is shelf and node.is_folder
        }
        while path != real.root and not (path in known and real.has_folder(path)):
            path = posixpath.dirname(path)
        return path

    # -- the task

    @property
    def progress(self) -> float | None:
        """Percent of the scan of everything; None while it does not run."""
        if self._entry is None:
            return None
        return min(100.0, 100.0 * (self._agenda.elapsed() - self._started) / self._scan_s)

    def start(self) -> None:
        """Scan everything; a run that is under way is ended."""
        self.stop()
        self._started = self._agenda.elapsed()
        if self._scan_s:
            self._entry = self._agenda.after(self._scan_s, self._finish)
        else:
            self._finish()

    def stop(self) -> None:
        """End it."""
        if self._entry is not None:
            self._entry.cancel()
            self._end("Cancelled")

    def forget(self) -> None:
        """The process was killed."""
        self.stop()
        self.monitor.forget()

    def _finish(self) -> None:
        self._end("Completed")
        self.scan()

    def _end(self, status: str) -> None:
        now, self._entry = self._clock.now(), None
        begun = int(now - (self._agenda.elapsed() - self._started))
        self._last = {
            "StartTimeUtc": iso_date(begun),
            "EndTimeUtc": iso_date(int(now)),
            "Status": status,
            "Name": "Scan media library",
            "Key": "RefreshLibrary",
            "Id": TASK_ID,
        }

    def describe_task(self) -> dict[str, Any]:
        """TaskInfo of the scan."""
        progress = self.progress
        task: dict[str, Any] = {
            "Name": "Scan media library",
            "State": "Idle" if progress is None else "Running",
            "Id": TASK_ID,
            "Triggers": [{"Type": "IntervalTrigger", "IntervalTicks": 432_000_000_000}],
            "Description": "Scans your media library for new and updated files.",
            "Category": "Library",
            "IsHidden": False,
            "Key": "RefreshLibrary",
        }
        if progress is not None:
            task["CurrentProgressPercentage"] = progress
        if self._last is not None:
            task["LastExecutionResult"] = self._last
        return task
