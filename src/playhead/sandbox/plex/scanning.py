"""Scans of an emulated Plex: they take time on the sandbox's clock, are told as they go, and find what lies in real folders.

A section is scanned once at a time, what is asked meanwhile comes after it; several sections are scanned at once. New items
are there at once under the name of their file, without ids; after ``metadata_s`` they are matched. Source: facts, api-plex.md
6 and 9, library-updates-and-links.md 1.2. *Assumed*: how long it takes, the queue, that each scan moves ``scannedAt``, that a
scan of a path empties the trash as well where the server does so by itself, the item without ids.
"""

from __future__ import annotations

import posixpath
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from playhead.sandbox.agenda import Entry
from playhead.sandbox.folders import is_below, shown
from playhead.sandbox.plex.catalogue import Node, Section
from playhead.sandbox.plex.findings import Shelves
from playhead.sandbox.plex.notifications import CREATED, DELETED, PROCESSED
from playhead.sandbox.plex.wording import say

if TYPE_CHECKING:
    from playhead.sandbox.plex.core import PlexCore

STEPS = {1: "queued", 2: "loading", 3: "loading", 4: "processing"}
"""States of a timeline entry between created and processed, with the state of the metadata (*assumed* words)."""


class Scan:
    """One scan of a section, or of the folder ``path`` in it."""

    def __init__(self, section: Section, path: str | None) -> None:
        self.section = section
        self.key = section.key
        self.path = path
        self.uuid = str(uuid.uuid4())
        self.progress = 0
        self.entries: list[Entry] = []


class Pending:
    """What a new item will be once it is matched."""

    def __init__(self, node: Node) -> None:
        self.guid, self.ids, self.title = node.guid, node.ids, node.title


class Scans:
    """All scans of one server. ``empties_trash``: by itself, after each scan."""

    def __init__(self, core: PlexCore, delays: Mapping[str, float], quirks: Mapping[str, Any]) -> None:
        self._core = core
        self._scan_s, self._metadata_s = delays["scan_s"], delays["metadata_s"]
        self.empties_trash = bool(quirks.get("empties_trash"))
        self._misses = bool(quirks.get("misses_new_folder"))
        self._missed: set[tuple[int, str]] = set()
        self._shelves = Shelves(core.catalogue, core.builder)
        self._queues: dict[int, list[Scan]] = {}
        self._pending: dict[Node, Pending] = {}

    def read_all(self) -> None:
        """At the start, what lies in the real folders is known and matched."""
        for section in self._core.catalogue.sections:
            made = self._shelves.compare(section, None, self._core.now()).made
            for node in made:
                item = self._core.builder.items.get(node.world or "")
                node.added = node.updated = self._core.builder.when_added(item)
            section.changed = 0

    def is_running(self, section: Section) -> bool:
        """Whether a scan of the section is under way."""
        return bool(self._queues.get(section.key))

    def start(self, section: Section, path: str | None = None) -> None:
        """Ask for a scan; of a path outside the section nothing comes."""
        if path is not None and not any(is_below(path, root) for root in section.roots):
            return
        wanted = None if [path] == section.roots else path
        queue = self._queues.setdefault(section.key, [])
        if any(scan.path == wanted for scan in queue[1:]):
            return
        queue.append(Scan(section, wanted))
        if len(queue) == 1:
            self._begin(queue[0])

    def cancel(self, section: Section) -> None:
        """End what is under way and forget what waits; nothing is found."""
        for scan in self._queues.pop(section.key, [])[:1]:
            for entry in scan.entries:
                entry.cancel()
            self._tell(scan, "ended")

    def cancel_activity(self, number: str) -> bool:
        """The same, by the activity's id; False where there is none."""
        running = [queue[0].section for queue in self._queues.values() if queue and queue[0].uuid == number]
        for section in running:
            self.cancel(section)
        return bool(running)

    def forget(self) -> None:
        """The process was killed: what was under way is gone, what was not matched yet is matched at the start."""
        for queue in self._queues.values():
            for entry in queue[0].entries if queue else ():
                entry.cancel()
        self._queues.clear()
        for node in list(self._pending):
            self._match(node)

    def empty_trash(self, section: Section) -> None:
        """Drop items whose files are gone."""
        core = self._core
        gone = self._shelves.empty_trash(section)
        for node in gone:
            if node.guid.startswith("local://"):
                core.state.forget_guid(node.guid)
        core.notifications.items(gone, DELETED, "deleted")

    def activities(self) -> list[dict[str, Any]]:
        """What is under way, as ``/activities`` lists it."""
        return [self._describe(queue[0]) for queue in self._queues.values() if queue]

    # -- one scan

    def _begin(self, scan: Scan) -> None:
        agenda = self._core.agenda
        self._tell(scan, "started")
        self._say_status(say(self._core.language, "started", scan.section.title))
        scan.entries = [
            agenda.after(self._scan_s / 2, lambda: self._go_on(scan)),
            agenda.after(self._scan_s, lambda: self._finish(scan)),
        ]

    def _go_on(self, scan: Scan) -> None:
        scan.progress = 50
        self._tell(scan, "updated")

    def _finish(self, scan: Scan) -> None:
        core, section, now = self._core, scan.section, self._core.now()
        if section.present and not self._overlooks(scan):
            findings = self._shelves.compare(section, scan.path, now)
            section.scanned = now
            self._take(findings.made)
            core.notifications.items(findings.changed, PROCESSED)
            if self.empties_trash:
                self.empty_trash(section)
        scan.progress = 100
        self._tell(scan, "ended")
        queue = self._queues.get(scan.key, [scan])
        queue.remove(scan)
        if queue:
            self._begin(queue[0])
            return
        self._queues.pop(scan.key, None)
        self._say_status(say(core.language, "complete"))

    def _overlooks(self, scan: Scan) -> bool:
        """Some servers miss a folder that is new to them, once (facts 1.2)."""
        if not self._misses or scan.path is None or self._shelves.known_below(scan.section, scan.path):
            return False
        place = (scan.section.key, scan.path)
        again = place in self._missed
        self._missed.add(place)
        return not again

    def _take(self, made: list[Node]) -> None:
        """New items are there, under the names of their files; what they are is known later."""
        core = self._core
        for node in made:
            self._pending[node] = Pending(node)
            core.catalogue.change_guid(node, f"local://{node.key}")
            node.ids = {}
            if node.files:
                node.title = posixpath.splitext(posixpath.basename(node.files[0]))[0]
        core.notifications.items(made, CREATED, "created")
        if made:
            core.agenda.after(self._metadata_s, lambda: self._match_all(made))

    def _match_all(self, made: list[Node]) -> None:
        there = [node for node in made if self._core.catalogue.nodes.get(node.key) is node]
        for state, word in STEPS.items():
            self._core.notifications.items(there, state, word)
        for node in there:
            self._match(node)
        self._core.notifications.items(there, PROCESSED)
        self._core.webhooks.new_items([node for node in there if not node.children])

    def _match(self, node: Node) -> None:
        known = self._pending.pop(node, None)
        if known is None or self._core.catalogue.nodes.get(node.key) is not node:
            return
        node.ids, node.title = known.ids, known.title
        self._core.catalogue.change_guid(node, known.guid)
        for leaf in node.leaves():
            leaf.forget_text()

    # -- what is told

    def _tell(self, scan: Scan, event: str) -> None:
        activity = self._describe(scan)
        self._core.notifications.announce(
            "activity", {"event": event, "uuid": scan.uuid, "Activity": activity}
        )

    def _describe(self, scan: Scan) -> dict[str, Any]:
        return {
            "uuid": scan.uuid,
            "type": "library.update.section",
            "cancellable": True,
            "userID": 1,
            "title": say(self._core.language, "activity", scan.section.title),
            "subtitle": posixpath.basename(shown(scan.path or "")),
            "progress": scan.progress,
            "Context": {"librarySectionID": str(scan.section.key)},
        }

    def _say_status(self, title: str) -> None:
        told = {"title": title, "description": "", "notificationName": "LIBRARY_UPDATE"}
        self._core.notifications.announce("status", told)
