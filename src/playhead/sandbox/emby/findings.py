"""Brings a library in line with its real folder: what is new, changed, gone. Knows no time but ``now`` and no HTTP.

*Assumed*, after Emby's open ancestor: another path is another item; further files in a film's folder are versions of it; a root
that is missing or empty leaves all as it is.
"""

from __future__ import annotations

import posixpath
from itertools import islice

import msgspec

from playhead.sandbox.emby.building import Builder
from playhead.sandbox.emby.catalogue import Catalogue, Node, Shelf
from playhead.sandbox.folders import VideoFile, is_below
from playhead.sandbox.world import WorldItem


class Findings(msgspec.Struct):
    """Nodes that a scan made, took away, and whose files are others."""

    added: list[Node] = []
    removed: list[Node] = []
    updated: list[Node] = []


class Shelves:
    """Compares folders with a catalogue and takes in what differs."""

    def __init__(self, catalogue: Catalogue, builder: Builder) -> None:
        self._catalogue = catalogue
        self._builder = builder

    def compare(self, shelf: Shelf, path: str | None, now: int | None, findings: Findings) -> None:
        """Take in what lies at and below a path, None: in the whole library. ``now`` None: as old as the world says."""
        found, looked = shelf.reals.look(path, lambda folder, _: not folder.bare)
        if path is None and shelf.reals:
            looked += [each for each in shelf.stamps if not any(is_below(each, at) for at in shelf.roots)]
        if not looked:
            return
        holding = self._index(shelf)
        for known in [each for each in shelf.stamps if any(is_below(each, at) for at in looked)]:
            if known not in found:
                del shelf.stamps[known]
                self._lose(holding.get(known), known, findings)
        for file in found.values():
            stamp = shelf.stamps.get(file.path)
            shelf.stamps[file.path] = file.stamp
            if stamp is None:
                self._take_in(shelf, file, now, findings)
            elif stamp != file.stamp and (node := holding.get(file.path)) is not None:
                node.modified, node.size = now or node.modified, file.size
                findings.updated.append(node)
        self._catalogue.touch()

    def _index(self, shelf: Shelf) -> dict[str, Node]:
        nodes = [
            node for node in self._catalogue.nodes.values() if node.shelf is shelf and not node.is_folder
        ]
        return {path: node for node in nodes for path in (node.path, *node.versions)}

    def _lose(self, node: Node | None, path: str, findings: Findings) -> None:
        if node is None or node.id not in self._catalogue.nodes:
            return
        if path in node.versions:
            node.versions = tuple(each for each in node.versions if each != path)
            findings.updated.append(node)
            return
        self._catalogue.remove(node)
        line = [each for each in (node, node.season, node.series) if each is not None]
        findings.removed += [each for each in line if each.id not in self._catalogue.nodes]

    def _take_in(self, shelf: Shelf, file: VideoFile, now: int | None, findings: Findings) -> None:
        items = self._builder.known.items_in(file.below, shelf.kind)
        if not items:
            return
        film = self._same_film(shelf, file, items[0])
        if film is not None:
            film.versions = (*film.versions, file.path)
            findings.updated.append(film)
            return
        nodes = self._catalogue.nodes
        before = len(nodes)
        self._builder.place_file(items, shelf, file, now)
        findings.added += list(islice(reversed(nodes.values()), len(nodes) - before))[::-1]

    def _same_film(self, shelf: Shelf, file: VideoFile, item: WorldItem) -> Node | None:
        if item.type != "movie" or "/" not in file.below:
            return None
        folder = posixpath.dirname(file.path)
        for node in self._catalogue.by_world.get(item.id, ()):
            if node.shelf is shelf and posixpath.dirname(node.path) == folder:
                return node
        return None
