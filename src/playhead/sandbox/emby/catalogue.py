"""What an emulated Emby holds: libraries, movies, series, seasons, episodes, and the lists of them.

Knows the tree and how it changes; knows no user state and no HTTP. Ids are decimal strings that count up, as Emby's do
(recorded/emby/4.9.5.0): every library takes one for its view and one for its folder.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

import msgspec

from playhead.sandbox.folders import RealFolders

TICKS_PER_SECOND = 10_000_000
ROOT_ID = "1"
VIEWS_ROOT_ID = "2"
LEAF_TYPES = frozenset({"Movie", "Episode"})


class Shelf(msgspec.Struct, kw_only=True):
    """A library: the view that clients see and the folder behind it."""

    view_id: str
    folder_id: str
    guid: str
    title: str
    kind: str  # "movies" or "shows"
    root: str
    created: int
    reals: RealFolders  # the folders that scans look at
    stamps: dict[str, int] = {}  # of a real folder: each file as it was at the last scan

    @property
    def roots(self) -> list[str]:
        """The library's folders as the server sees them."""
        return list(dict.fromkeys([self.root, *self.reals.roots]))

    @property
    def collection_type(self) -> str:
        """Emby's word for the kind."""
        return "movies" if self.kind == "movies" else "tvshows"


class Node(msgspec.Struct, kw_only=True, eq=False):
    """A movie, series, season or episode on this server.

    ``world`` are the world ids it stands for, more than one where a file holds several episodes. ``state_key`` decides
    which user data it shares.
    """

    id: str
    type: str
    name: str
    sort_name: str
    shelf: Shelf
    parent_id: str
    path: str
    created: int
    modified: int
    state_key: str
    world: tuple[str, ...] = ()
    series: Node | None = None
    season: Node | None = None
    index: int | None = None
    index_end: int | None = None
    parent_index: int | None = None
    year: int | None = None
    provider_ids: dict[str, str] = {}
    runtime_ticks: int | None = None
    size: int = 0
    versions: tuple[str, ...] = ()
    children: list[Node] = []

    @property
    def is_folder(self) -> bool:
        return self.type not in LEAF_TYPES


def digest(*parts: object) -> str:
    """32 hex digits that stay the same for the same parts."""
    return hashlib.md5("\0".join(map(str, parts)).encode(), usedforsecurity=False).hexdigest()


class Catalogue:
    """The tree and its indexes. ``revision`` moves on with every change, so that lists made from it can be kept."""

    def __init__(self) -> None:
        self.shelves: dict[str, Shelf] = {}  # by view id
        self.nodes: dict[str, Node] = {}
        self.by_world: dict[str, list[Node]] = {}
        self.revision = 0
        self._counter = 2
        self._taken: set[str] = {ROOT_ID, VIEWS_ROOT_ID}

    def take_id(self, wished: str | None = None) -> str:
        """A new id; ids are never used twice, not even after a removal."""
        if wished is not None:
            if wished in self._taken:
                raise ValueError(f"the id {wished} is taken on this Emby server; native_id must be unique")
            self._taken.add(wished)
            return wished
        while True:
            self._counter += 1
            number = str(self._counter)
            if number not in self._taken:
                self._taken.add(number)
                return number

    def was_taken(self, native_id: str) -> bool:
        """Whether an id is or was in use."""
        return native_id in self._taken

    def add_shelf(self, shelf: Shelf) -> None:
        self.shelves[shelf.view_id] = shelf
        self.revision += 1

    def shelf_of(self, native_id: str) -> Shelf | None:
        """The library whose view or folder has this id."""
        for shelf in self.shelves.values():
            if native_id in (shelf.view_id, shelf.folder_id):
                return shelf
        return None

    def find_shelf(self, name: str) -> Shelf:
        """A library by title or id. Raises KeyError."""
        for shelf in self.shelves.values():
            if name in (shelf.title, shelf.view_id):
                return shelf
        raise KeyError(f"no library {name!r}")

    def add(self, node: Node) -> None:
        self.nodes[node.id] = node
        for parent in (node.series, node.season):
            if parent is not None:
                parent.children.append(node)
        for world_id in node.world:
            self.by_world.setdefault(world_id, []).append(node)
        self.revision += 1

    def remove(self, node: Node) -> None:
        """Take a node away, and the season and series that have nothing left."""
        del self.nodes[node.id]
        for world_id in node.world:
            rest = [other for other in self.by_world[world_id] if other is not node]
            if rest:
                self.by_world[world_id] = rest
            else:
                del self.by_world[world_id]
        for parent in (node.season, node.series):
            if parent is not None:
                parent.children = [child for child in parent.children if child is not node]
                if not any(child.type == "Episode" for child in parent.children) and parent.id in self.nodes:
                    self.remove(parent)
        self.revision += 1

    def rename(self, node: Node, new_id: str) -> None:
        """Give a node another id; what hangs below and beside it stays."""
        del self.nodes[node.id]
        node.id = new_id
        self.nodes[new_id] = node

    def touch(self) -> None:
        """Say that something in a node changed."""
        self.revision += 1

    def episodes(self, folder: Node) -> list[Node]:
        """The episodes below a series or season."""
        return [child for child in folder.children if child.type == "Episode"]

    def below(self, parent_id: str | None, *, recursive: bool, visible: frozenset[str]) -> Iterator[Node]:
        """Nodes below a parent (None: everything) in the libraries whose view ids are visible."""
        shelf = self.shelf_of(parent_id) if parent_id else None
        if parent_id and shelf is None and parent_id in self.nodes:
            yield from self._below_node(self.nodes[parent_id], recursive, visible)
            return
        if parent_id and shelf is None and parent_id not in (ROOT_ID, VIEWS_ROOT_ID):
            return
        for node in self.nodes.values():
            if node.shelf.view_id not in visible or (shelf is not None and node.shelf is not shelf):
                continue
            if recursive or (shelf is not None and node.parent_id == shelf.folder_id):
                yield node

    def _below_node(self, parent: Node, recursive: bool, visible: frozenset[str]) -> Iterable[Node]:
        if parent.shelf.view_id not in visible:
            return
        for child in parent.children:
            if recursive or child.parent_id == parent.id:
                yield child
