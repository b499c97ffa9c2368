"""The routes of an emulated Emby that scan, and the scan's task. Source: facts B3 and 1.2; what they answer by the document."""

from __future__ import annotations

import math
import posixpath

import msgspec

from playhead.sandbox.emby.app import NOTHING, Call, Reply, Route, route
from playhead.sandbox.emby.query import EmbyError
from playhead.sandbox.emby.scanning import TASK_ID, Scans
from playhead.sandbox.folders import taken


class Update(msgspec.Struct):
    """One reported path; in what way it changed makes no difference."""

    path: str | None = None


class ScanRoutes:
    """Handlers. Scans of everything are for admins (403 *assumed*)."""

    def __init__(self, scans: Scans) -> None:
        self._scans = scans

    def routes(self) -> list[Route]:
        """All of them."""
        running = "/scheduledtasks/running/{id}"
        nothing = [
            route("POST", f"/library/{what}/{event}", lambda call: NOTHING)
            for what in ("series", "movies")
            for event in ("added", "updated")
        ]
        return [
            route("POST", "/library/refresh", self.refresh_all),
            route("POST", "/library/media/updated", self.report),
            route("POST", "/items/{id}/refresh", self.refresh),
            route("GET", "/system/configuration", self.configuration),
            route("GET", "/scheduledtasks", self.tasks),
            route("GET", "/scheduledtasks/{id}", self.task),
            route("POST", running, self.run),
            route("DELETE", running, self.stop),
            route("POST", f"{running}/delete", self.stop),
            *nothing,
        ]

    def refresh_all(self, call: Call) -> Reply:
        _only_admin(call)
        self._scans.start()
        return NOTHING

    def report(self, call: Call) -> Reply:
        """Paths outside every library come to nothing; names of members are taken in any case."""
        body = call.json(dict)
        updates = next((value for name, value in body.items() if name.lower() == "updates"), None)
        paths = [_path_of(update) for update in updates or []]
        for path in paths:
            self._scans.monitor.report(posixpath.normpath(taken(path)))
        return NOTHING

    def refresh(self, call: Call) -> Reply:
        """A scan of a library, or of what lies below a folder; of a film or an episode its file."""
        _only_admin(call)
        number, catalogue = call.path["id"], self._scans.catalogue
        shelf = catalogue.shelf_of(number)
        if shelf is not None:
            self._scans.scan(shelf)
            return NOTHING
        node = catalogue.nodes.get(number)
        if node is None:
            raise EmbyError(404, f"Item {number} was not found.")
        self._scans.scan(node.shelf, node.path)
        return NOTHING

    def configuration(self, call: Call) -> Reply:
        """Of the server's settings the one that speaks of scans."""
        _only_admin(call)
        return Reply({"LibraryMonitorDelaySeconds": math.ceil(self._scans.monitor_s)})

    def tasks(self, call: Call) -> Reply:
        _only_admin(call)
        return Reply([self._scans.describe_task()])

    def task(self, call: Call) -> Reply:
        _known(call)
        return Reply(self._scans.describe_task())

    def run(self, call: Call) -> Reply:
        _known(call)
        self._scans.start()
        return NOTHING

    def stop(self, call: Call) -> Reply:
        _known(call)
        self._scans.stop()
        return NOTHING


def _path_of(update: object) -> str:
    members = update if isinstance(update, dict) else {}
    path = next((value for name, value in members.items() if str(name).lower() == "path"), None)
    if not isinstance(path, str) or not path:
        raise EmbyError(400, "Value cannot be null. (Parameter 'path')")
    return path


def _known(call: Call) -> None:
    _only_admin(call)
    if call.path["id"] != TASK_ID:
        raise EmbyError(404, "Task not found")


def _only_admin(call: Call) -> None:
    if call.caller is not None and not call.caller.admin:
        raise EmbyError(403, "User is not authorized to access this resource.")
