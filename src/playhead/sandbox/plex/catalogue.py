"""What an emulated Plex holds: sections, movies, shows, seasons, episodes, their files and guids.

Knows the tree and how it changes; knows no watch state and no HTTP. ``revision`` moves with every change, so that
lists made from the tree can be kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from playhead.sandbox.folders import RealFolders
from playhead.sandbox.plex.guids import make_hex
from playhead.sandbox.world import WorldItem, WorldLibrary

TYPES = {"movie": 1, "show": 2, "season": 3, "episode": 4}
SECTION_TYPES = {"movies": "movie", "shows": "show"}


class Section:
    """A library. ``present`` False: it was removed and may come back. ``reals``: the folders that scans look at.

    ``stamps`` tells of each file of a real folder what it was at the last scan.
    """

    def __init__(self, key: int, title: str, kind: str, root: str, uuid: str, created: int) -> None:
        self.key = key
        self.title = title
        self.type = SECTION_TYPES[kind]
        self.root = root.rstrip("/")
        self.uuid = uuid
        self.created = created
        self.scanned = created
        self.updated = created
        self.changed = 0  # the catalogue's revision at the last change that a scan found
        self.present = True
        self.reals = RealFolders(WorldLibrary(title=title, kind="movies"))
        self.stamps: dict[str, int] = {}

    @property
    def roots(self) -> list[str]:
        """The section's folders as the server sees them."""
        return list(dict.fromkeys([self.root, *self.reals.roots]))

    @property
    def agent(self) -> str:
        return "tv.plex.agents.movie" if self.type == "movie" else "tv.plex.agents.series"


class Node:
    """A movie, show, season or episode. Times are epoch seconds, durations milliseconds; ``files`` are versions."""

    __slots__ = (
        "added",
        "children",
        "deleted",
        "duration",
        "files",
        "fragments",
        "guid",
        "guid_fragment",
        "ids",
        "index",
        "key",
        "kind",
        "parent",
        "section",
        "title",
        "updated",
        "world",
        "year",
    )

    def __init__(
        self, key: int, kind: str, section: Section, guid: str, title: str, world: str | None
    ) -> None:
        self.key = key
        self.kind = kind
        self.section = section
        self.guid = guid
        self.title = title
        self.world = world
        self.ids: dict[str, str] = {}
        self.year: int | None = None
        self.index: int | None = None
        self.parent: Node | None = None
        self.children: list[Node] = []
        self.files: list[str] = []
        self.duration = 0
        self.added = 0
        self.updated = 0
        self.deleted = 0  # when a scan missed its files; 0: they are there
        self.fragments: dict[Any, bytes] = {}
        self.guid_fragment: bytes | None = None

    @property
    def show(self) -> Node | None:
        """The show of a season or episode."""
        node = self.parent
        return node.parent if node is not None and self.kind == "episode" else node

    def leaves(self) -> Iterator[Node]:
        """Itself, or every movie or episode below it."""
        if self.kind in ("movie", "episode"):
            yield self
        for child in self.children:
            yield from child.leaves()

    def forget_text(self) -> None:
        """Drop what was rendered from it; it changed."""
        self.fragments = {}
        self.guid_fragment = None


class Catalogue:
    """All sections and nodes of a server."""

    def __init__(self, server_id: str, first_key: int) -> None:
        self.server_id = server_id
        self.sections: list[Section] = []
        self.nodes: dict[int, Node] = {}
        self.by_world: dict[str, list[Node]] = {}
        self.by_guid: dict[str, list[Node]] = {}
        self.revision = 0
        self._next_key = first_key
        self._next_section = 1

    def add_section(self, title: str, kind: str, root: str, native_id: str | None, now: int) -> Section:
        key = int(native_id) if native_id else self._next_section
        self._next_section = max(self._next_section, key) + 1
        uuid = make_hex(self.server_id, "section", key, length=32)
        dashed = "-".join((uuid[:8], uuid[8:12], uuid[12:16], uuid[16:20], uuid[20:]))
        section = Section(key, title, kind, root, dashed, now)
        self.sections.append(section)
        self.revision += 1
        return section

    def find_section(self, key: str) -> Section | None:
        return next((s for s in self.sections if s.present and str(s.key) == key), None)

    def present_sections(self) -> list[Section]:
        return [section for section in self.sections if section.present]

    def take_key(self, native_id: str | None = None) -> int:
        """The fixed key, or the next free one. Raises ValueError for a fixed key that is no number or taken."""
        if native_id is not None:
            if not native_id.isdigit() or int(native_id) in self.nodes:
                raise ValueError(
                    f"native_id {native_id!r} must be a number that no other item of the server has"
                )
            self._next_key = max(self._next_key, int(native_id) + 1)
            return int(native_id)
        while self._next_key in self.nodes:
            self._next_key += 1
        self._next_key += 1
        return self._next_key - 1

    def put(self, node: Node) -> None:
        """Take a node in, below its parent."""
        self.nodes[node.key] = node
        self.by_guid.setdefault(node.guid, []).append(node)
        if node.world is not None:
            self.by_world.setdefault(node.world, []).append(node)
        if node.parent is not None:
            node.parent.children.append(node)
            node.parent.children.sort(key=_place)
        self.revision += 1

    def remove(self, node: Node) -> None:
        """Take a node and all below it out; a season or show that holds nothing any more goes as well."""
        for child in list(node.children):
            self.remove(child)
        if self.nodes.pop(node.key, None) is None:
            return
        self.by_guid[node.guid].remove(node)
        if node.world is not None:
            self.by_world[node.world].remove(node)
        if node.parent is not None:
            node.parent.children.remove(node)
            if not node.parent.children:
                self.remove(node.parent)
        self.revision += 1

    def change_guid(self, node: Node, guid: str) -> None:
        self.by_guid[node.guid].remove(node)
        node.guid = guid
        self.by_guid.setdefault(guid, []).append(node)
        node.forget_text()
        self.revision += 1

    def was_used(self, native_id: str) -> bool:
        """Whether this key is, or was, an item's: keys are never given twice."""
        return native_id.isdigit() and int(native_id) < self._next_key

    def rekey(self, section: Section, now: int) -> None:
        """A library made anew: every item gets a new key and is added now."""
        section.key, section.created, section.scanned = self._next_section, now, now
        self._next_section += 1
        for node in [node for node in self.nodes.values() if node.section is section]:
            del self.nodes[node.key]
            local = node.guid == f"local://{node.key}"
            node.key = self.take_key()
            self.nodes[node.key] = node
            node.added = node.updated = now
            node.forget_text()
            if local:
                self.change_guid(node, f"local://{node.key}")
        self.revision += 1

    def find(self, key: str) -> Node | None:
        """A node by rating key, unless its section is gone."""
        node = self.nodes.get(int(key)) if key.isascii() and key.isdigit() else None
        return node if node is not None and node.section.present else None

    def of_type(self, kind: str, sections: Sequence[Section] | None = None) -> list[Node]:
        """All nodes of a type in the order of their keys, in some or all present sections."""
        chosen = {
            id(section) for section in (self.sections if sections is None else sections) if section.present
        }
        return [node for node in self.nodes.values() if node.kind == kind and id(node.section) in chosen]

    def world_nodes(self, item: str) -> list[Node]:
        """Where an item of the world stands, in present sections. Raises KeyError where it does not."""
        found = [node for node in self.by_world.get(item, ()) if node.section.present]
        if not found:
            raise KeyError(f"the server does not hold {item!r}")
        return found


def default_file(item: WorldItem, show: WorldItem | None, season: int, episode: int) -> str:
    """Where a file lies below its library's root when the world does not say."""
    if show is None:
        folder = f"{item.title} ({item.year})" if item.year else item.title
        return f"{folder}/{folder}.mkv"
    folder = f"{show.title} ({show.year})" if show.year else show.title
    return f"{folder}/Season {season:02d}/{show.title} - S{season:02d}E{episode:02d} - {item.title}.mkv"


def _place(node: Node) -> tuple[int, int]:
    return (node.index if node.index is not None else -1, node.key)
