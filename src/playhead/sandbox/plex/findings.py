"""Brings a section in line with its real folder: what is new, changed, gone, or back. Knows no time but ``now`` and no HTTP.

A new file of an item that is known is another version of it, so that an upgrade keeps its item. An item whose files are gone
stays in the lists with ``deletedAt`` until the trash is emptied. *Assumed*: a folder that does not exist is not looked at,
neither is a root that is not there; a version that is gone leaves at once where others remain.
"""

from __future__ import annotations

from itertools import islice
from typing import Any

import msgspec

from playhead.sandbox.folders import RealFolder, VideoFile, is_below
from playhead.sandbox.plex.building import Builder
from playhead.sandbox.plex.catalogue import Catalogue, Node, Section
from playhead.sandbox.world import WorldItem


class Findings(msgspec.Struct):
    """What a scan found: nodes made (parents before children) and nodes whose files are others."""

    made: list[Node] = []
    changed: list[Node] = []

    @property
    def any(self) -> bool:
        return bool(self.made or self.changed)


class Shelves:
    """Compares folders with a catalogue and takes in what differs."""

    def __init__(self, catalogue: Catalogue, builder: Builder) -> None:
        self._catalogue = catalogue
        self._builder = builder

    def known_below(self, section: Section, path: str) -> bool:
        """Whether anything at or below a path is known."""
        return any(is_below(file, path) for file in section.stamps)

    def compare(self, section: Section, path: str | None, now: int) -> Findings:
        """Take in what lies at and below a path, None: in the whole section."""
        findings = Findings()
        found, looked = section.reals.look(path, RealFolder.has_folder)
        if path is None and section.reals:
            looked += [
                known for known in section.stamps if not any(is_below(known, at) for at in section.roots)
            ]
        if not looked:
            return findings
        holding = self._index(section)
        for file in found.values():
            stamp = section.stamps.get(file.path)
            if stamp is None:
                self._take_in(section, file, now, findings, holding.get(file.path, []))
            elif stamp != file.stamp:
                findings.changed += _touch(holding.get(file.path, []), now)
            section.stamps[file.path] = file.stamp
        lost = [known for known in section.stamps if any(is_below(known, at) for at in looked)]
        for known in [each for each in lost if each not in found]:
            del section.stamps[known]
            findings.changed += _miss(holding.get(known, []), known, now)
        if findings.any:
            self._catalogue.revision += 1
            section.changed, section.updated = self._catalogue.revision, now
        return findings

    def empty_trash(self, section: Section) -> list[Node]:
        """Drop what was missed; returns all that went, shows and seasons with nothing left included."""
        before = dict(self._catalogue.nodes)
        for node in [node for node in before.values() if node.section is section and node.deleted]:
            self._catalogue.remove(node)
        return [node for key, node in before.items() if key not in self._catalogue.nodes]

    def _index(self, section: Section) -> dict[str, list[Node]]:
        holding: dict[str, list[Node]] = {}
        for node in self._catalogue.nodes.values():
            for path in node.files if node.section is section else ():
                holding.setdefault(path, []).append(node)
        return holding

    def _take_in(
        self, section: Section, file: VideoFile, now: int, findings: Findings, back: list[Node]
    ) -> None:
        for node in back:
            node.deleted = 0
        findings.changed += _touch(back, now)
        if back:
            return
        kind = "movies" if section.type == "movie" else "shows"
        for item in self._builder.known.items_in(file.below, kind):
            held = [n for n in self._catalogue.by_world.get(item.id, ()) if n.section is section]
            for node in held:
                node.files.append(file.path)
            findings.changed += _touch([node for node in held if not node.deleted], now)
            if not held:
                findings.made += self._place(item, section, file.path, now)
            elif held[0].deleted:
                held[0].files, held[0].deleted = [file.path], 0
                findings.changed += _touch(held, now)

    def _place(self, item: WorldItem, section: Section, path: str, now: int) -> list[Node]:
        nodes = self._catalogue.nodes
        before = len(nodes)
        self._builder.place_file(item, section, path, now)
        return list(islice(reversed(nodes.values()), len(nodes) - before))[::-1]


def _miss(nodes: list[Node], path: str, now: int) -> list[Node]:
    for node in nodes:
        if len(node.files) > 1:
            node.files.remove(path)
        else:
            node.deleted = now
    return _touch(nodes, now)


def _touch(nodes: list[Node], now: int) -> list[Node]:
    for node in nodes:
        node.updated = now
        node.forget_text()
    return nodes


def tell_presence(entry: bytes, node: Node) -> bytes:
    """An item's text as ``checkFiles=1`` asks for it: whether each of its files is there."""
    told: dict[str, Any] = msgspec.json.decode(entry)
    there = _are_there(node)
    for media, present in zip(told.get("Media", ()), there, strict=False):
        for part in media["Part"]:
            part |= {"accessible": present, "exists": present}
    return msgspec.json.encode(told)


def _are_there(node: Node) -> list[bool]:
    homes = [(path, node.section.reals.at(path)) for path in node.files]
    return [home is None or home.exists(path) for path, home in homes]
