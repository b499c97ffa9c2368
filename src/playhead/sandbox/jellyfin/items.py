"""The entities of a server as objects: items in their tree and libraries. They change nothing by themselves."""

from __future__ import annotations

from collections.abc import Iterator

from playhead.sandbox.jellyfin.disk import DiskFile
from playhead.sandbox.jellyfin.ids import dashed, display_guid

LEAVES = frozenset({"Movie", "Episode", "Video"})


class Item:
    """One entity of the server. ``ready`` False: found, not yet read."""

    __slots__ = (
        "children", "collection", "created", "display_id", "episode", "episode_end", "file", "fragments", "id",
        "ids", "is_folder", "keys", "leaf_count", "library", "name", "order", "parent", "path",
        "primary", "ready", "runtime", "season", "seasons", "series", "sort_name", "stamp", "type", "unlinked",
        "versions", "world", "year", "identified", "version",
    )  # fmt: skip

    def __init__(self, kind: str, guid: str, name: str, path: str, created: int) -> None:
        self.id = guid
        self.type = kind
        self.name = name
        self.path = path
        self.created = created
        self.is_folder = kind not in LEAVES
        self.sort_name = name.lower()
        self.parent: Item | None = None
        self.library: Library | None = None
        self.children: dict[str, Item] = {}
        self.series: Item | None = None
        self.season: int | None = None
        self.seasons: dict[int, Item] = {}  # of a series, by number
        self.episode: int | None = None
        self.episode_end: int | None = None
        self.ids: dict[str, str] = {}
        self.identified = False
        self.year: int | None = None
        self.runtime: int | None = None
        self.primary: Item | None = None
        self.unlinked = False  # of a series: its children are not found yet
        self.versions: list[Item] = []
        self.version = ""
        self.collection: str | None = None
        self.file: DiskFile | None = None
        self.stamp = -1
        self.ready = True
        self.world: tuple[str, ...] = ()
        self.keys: tuple[str, ...] = (dashed(guid),)
        self.leaf_count = 0
        self.order = 0
        self.display_id = display_guid(kind)
        self.fragments: dict[object, bytes] = {}

    def above(self) -> Iterator[Item]:
        """The folders that count this leaf: season, series, physical folder."""
        folder = self.parent
        while folder is not None and folder.type != "CollectionFolder":
            yield folder
            folder = folder.parent

    def inside(self) -> dict[str, Item]:
        """The children as the server finds them: none in a series that is not linked to them yet (facts A8, 2)."""
        show = self if self.type == "Series" else self.series
        return {} if show is not None and show.unlinked else self.children

    def known_leaves(self) -> int:
        """How many films and episodes the server finds below a folder."""
        show = self if self.type == "Series" else self.series
        return 0 if show is not None and show.unlinked else self.leaf_count


class Library:
    """A virtual folder. ``roots`` are its physical folders' items by path."""

    def __init__(self, name: str, collection: str | None, paths: list[str], folder: Item) -> None:
        self.name = name
        self.collection = collection
        self.paths = paths
        self.folder = folder
        self.roots: dict[str, Item] = {}
        self.options: dict[str, object] = {}
