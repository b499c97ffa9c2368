"""What the server holds: series with their episodes, or movies, and the files of them. Holds and finds; decides nothing.

A movie is a holder with a single part. Numbers are given in the order of arrival and never twice.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

import msgspec

from playhead.sandbox.arr.names import clean_name
from playhead.sandbox.world import World, WorldItem, WorldServer


class File(msgspec.Struct, eq=False):
    """A file that the server knows."""

    id: int
    relative: str
    size: int
    added: float
    quality: str
    scene: str | None = None
    group: str | None = None


class Part(msgspec.Struct, eq=False):
    """An episode; a movie is its own only part."""

    id: int
    item: WorldItem
    file: File | None = None
    monitored: bool = True

    @property
    def season(self) -> int:
        return self.item.season or 0

    @property
    def number(self) -> int:
        return self.item.episode or 0


class Holder(msgspec.Struct, eq=False):
    """A series or a movie."""

    id: int
    item: WorldItem
    path: str
    added: float
    parts: list[Part]
    tags: list[int] = []
    monitored: bool = True

    @property
    def files(self) -> list[File]:
        """Its files, each once, in the order of their numbers."""
        found = {part.file.id: part.file for part in self.parts if part.file is not None}
        return [found[number] for number in sorted(found)]

    def parts_of(self, file: File) -> list[Part]:
        """What is in a file."""
        return [part for part in self.parts if part.file is file]

    def place(self, file: File) -> str:
        """Where a file lies."""
        return f"{self.path}/{file.relative}"


class Shelf:
    """All holders of a server."""

    def __init__(self, world: World, spec: WorldServer, kind: str) -> None:
        self.kind = kind  # of the library: movies or shows
        self.items = {item.id: item for item in world.items}
        self.episodes: dict[str, list[WorldItem]] = {}
        for item in world.items:
            if item.type == "episode" and item.show:
                self.episodes.setdefault(item.show, []).append(item)
        self.holders: dict[int, Holder] = {}
        self.next_file = 1
        self._next_holder = 1
        self._next_part = 1
        self._ids = spec.placements

    def is_ours(self, item: WorldItem) -> bool:
        """Whether the program minds such an item."""
        return (item.type == "movie") == (self.kind == "movies")

    def add(self, item: WorldItem, root: str, at: float) -> Holder:
        """Take up a series with all its episodes, or a movie. Nothing of it has a file."""
        leaves = [item] if item.type == "movie" else self.episodes.get(item.id, [])
        parts = []
        for leaf in sorted(leaves, key=lambda leaf: (leaf.season or 0, leaf.episode or 0)):
            parts.append(Part(self._next_part, leaf))
            self._next_part += 1
        holder = Holder(self._next_holder, item, f"{root}/{self.folder_name(item)}", at, parts)
        self.holders[holder.id] = holder
        self._next_holder += 1
        return holder

    def folder_name(self, item: WorldItem) -> str:
        """The folder as the world's files have it, else by the maker's default format."""
        leaf = item if item.type == "movie" else next(iter(self.episodes.get(item.id, [])), item)
        if leaf.file and "/" in leaf.file:
            return leaf.file.split("/")[0]
        year = f" ({item.year})" if item.type == "movie" and item.year else ""
        return clean_name(item.title).rstrip(".") + year

    def make_file(self, relative: str, size: int, at: float, quality: str) -> File:
        """A file with the next number, of nothing yet."""
        file = File(self.next_file, relative, size, at, quality)
        self.next_file += 1
        return file

    def find_holder(self, number: int) -> Holder:
        """Raises KeyError."""
        return self.holders[number]

    def find_world(self, item: str) -> tuple[Holder, Part | None]:
        """Holder and part of a world id; a show has no part. Raises KeyError."""
        for holder in self.holders.values():
            if holder.item.id == item and self.kind == "shows":
                return holder, None
            for part in holder.parts:
                if part.item.id == item:
                    return holder, part
        raise KeyError(f"no series or movie here holds {item!r}")

    def find_file(self, number: int) -> tuple[Holder, File]:
        """Raises KeyError."""
        for holder in self.holders.values():
            for file in holder.files:
                if file.id == number:
                    return holder, file
        raise KeyError(number)

    def parts(self) -> Iterator[tuple[Holder, Part]]:
        """All parts with their holders."""
        for holder in self.holders.values():
            for part in holder.parts:
                yield holder, part


def world_path(item: WorldItem) -> str | None:
    """A leaf's file below its holder's folder, as the world names it."""
    if not item.file or "/" not in item.file:
        return posixpath.basename(item.file) if item.file else None
    return item.file.split("/", 1)[1]
