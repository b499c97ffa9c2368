"""Scans of a Plex server's libraries, and the proof that a file became an item: by what came last, Plex finds nothing by path.

Decides which requests that takes; knows no other server's paths. Source: facts, library-updates-and-links.md 1.2 and
api-plex.md 2 and 6.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Literal

import msgspec

from playhead.domain.library.places import find_home, is_file, key
from playhead.kit.decoding import decode_json, decode_members
from playhead.ports.errors import BadAnswer, NotFound, Unauthorized
from playhead.ports.scans import FileItem, ScanBegun, ScannedLibrary

from . import wire
from .client import PlexClient
from .translate import NEEDED, translate_entries

NEWEST = 100  # looked through for a file, by each of the two orders
PAGE = 1000  # of a whole list
_ORDERS = (
    "addedAt:desc",
    "updatedAt:desc",
)  # a new item; an old one with a new file (*assumed*: that moves updatedAt)
_KINDS: dict[str | None, Literal["movies", "shows", "music", "photos"]] = {
    "movie": "movies",
    "show": "shows",
    "artist": "music",
    "photo": "photos",
}
_LEAVES = {"movie": 1, "show": 4, "artist": 10, "photo": 13}
_PAGE = msgspec.json.Decoder(wire.RawPage, strict=False)
_ITEM = msgspec.json.Decoder(wire.ShelvedItem, strict=False)


class PlexScans:
    """What ``Scans`` and ``EmptiesTrash`` promise. Remembers what kind of leaves each library has, no more."""

    def __init__(self, client: PlexClient) -> None:
        self._client = client
        self._leaves: dict[str, int] = {}

    async def list_scanned(self) -> list[ScannedLibrary]:
        """All that the account may see; a shared account sees some, and may scan none."""
        sections = await self._client.fetch_sections()
        self._leaves = {str(each.key): _LEAVES[each.type] for each in sections if each.type in _LEAVES}
        return [_read_section(section) for section in sections]

    async def begin_scan(self, library_id: str, path: str | None) -> ScanBegun:
        """Of a folder: of the folder that holds it where the path is a file's. Of two that are asked for while one goes on, the
        second may come to nothing: so users of other programs tell (rivenmedia/riven#873, itsToggle/plex_debrid#308)."""
        library = await self._find_library(library_id)
        folder = None if path is None else self._find_folder(library, path)
        with self._owners_alone():
            await self._client.scan_section(library.id, folder)
        return ScanBegun("library" if folder is None else "folder", folder, alone=True)

    def _find_folder(self, library: ScannedLibrary, path: str) -> str:
        """A path elsewhere Plex accepts and does nothing with (facts, api-plex.md 6)."""
        way = find_home(path, library.folders)
        if not way:
            raise NotFound(
                f"{path} is in no folder of {library.title} on {self._client.title}.",
                hint=f"Its folders there: {', '.join(library.folders)}. Does the path have to be mapped?",
            )
        return way[1] if len(way) > 1 and is_file(path) else way[0]

    async def find_files(
        self, library_id: str, paths: Sequence[str], *, thorough: bool = False
    ) -> list[FileItem]:
        """Among the last added, then the last changed, then among all if that is wished."""
        leaf = await self._find_leaf(library_id)
        search = _Search(library_id, paths)
        for order in _ORDERS if leaf is not None else ():
            if search.open:
                last = search.take(await self._read(library_id, leaf, order, 0, NEWEST))
                if last:  # a file of several episodes is several items: the next page may begin with another
                    search.take(await self._read(library_id, leaf, order, NEWEST, NEWEST))
        if thorough and search.open and leaf is not None:
            async for items in self._walk(library_id, leaf):
                search.take(items)
        return list(search.found.values())

    async def list_newest(self, library_id: str, count: int, start: int = 0) -> list[FileItem]:
        """By Plex's own date of adding, which an upgraded file does not move."""
        leaf = await self._find_leaf(library_id)
        items = await self._read(library_id, leaf, _ORDERS[0], start, count) if count > 0 else []
        return [_translate(item, library_id) for item in items]

    async def empty_trash(self, library_id: str) -> None:
        """Of one library. Raises NotFound where there is none: Plex might say so as well."""
        library = await self._find_library(library_id)
        with self._owners_alone():
            await self._client.empty_trash(library.id)

    async def _find_library(self, library_id: str) -> ScannedLibrary:
        for library in await self.list_scanned():
            if library.id == library_id:
                return library
        raise NotFound(
            f"{self._client.title} has no library {library_id}.",
            hint="It was removed there; see `playhead connections` for the ones it has.",
        )

    async def _find_leaf(self, library_id: str) -> int | None:
        """None where it has no leaves that are known."""
        if library_id not in self._leaves:
            await self._find_library(library_id)
        return self._leaves.get(library_id)

    async def _walk(self, library_id: str, leaf: int) -> AsyncIterator[list[wire.ShelvedItem]]:
        """The whole list; a server that does not page sends everything at once."""
        start = 0
        while True:
            items = await self._read(library_id, leaf, "id:asc,addedAt:asc", start, PAGE)
            yield items
            if len(items) != PAGE:
                return
            start += PAGE

    async def _read(
        self, library_id: str, leaf: int | None, order: str, start: int, size: int
    ) -> list[wire.ShelvedItem]:
        if leaf is None:
            return []
        answer = await self._client.fetch_shelf(library_id, leaf, order, start, size)
        try:
            rows = decode_json(_PAGE, answer.body).MediaContainer.Metadata or []
        except msgspec.DecodeError as error:
            raise BadAnswer(
                f"{self._client.title} sent a list that cannot be read ({str(error)[:120]}).",
                hint="It is read again when the scan is looked at next.",
            ) from error
        return [item for row in rows if (item := _decode(row)) is not None and item.ratingKey]

    @contextmanager
    def _owners_alone(self) -> Iterator[None]:
        try:
            yield
        except Unauthorized as error:
            raise Unauthorized(
                f"{self._client.title} lets only its owner have libraries scanned.",
                hint="Connect it with the owner's token: `playhead connect plex`.",
            ) from error


class _Search:
    """Paths that are looked for in one library, and the items that were found for them."""

    def __init__(self, library_id: str, paths: Iterable[str]) -> None:
        self._library_id = library_id
        self._wanted = {key(path) for path in paths}
        self.open = set(self._wanted)
        self.found: dict[str, FileItem] = {}

    def take(self, items: list[wire.ShelvedItem]) -> bool:
        """Keep what is looked for; whether the last of a full page was such."""
        fits = False
        for item in items:
            held = {key(file) for file in _files_of(item)} & self._wanted
            fits = bool(held)
            if held:
                self.open -= held
                self.found[str(item.ratingKey)] = _translate(item, self._library_id)
        return fits and len(items) >= NEWEST


def _decode(row: msgspec.Raw) -> wire.ShelvedItem | None:
    """None for what cannot be read: it is no proof of anything. Junk dates of adding are known (negative ones, and beyond all
    bounds) and are no reason to overlook a file."""
    try:
        return _ITEM.decode(row)
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass
    try:
        return decode_members(wire.ShelvedItem, bytes(row), NEEDED)
    except msgspec.DecodeError:
        return None


def _read_section(section: wire.Section) -> ScannedLibrary:
    return ScannedLibrary(
        id=str(section.key),
        title=section.title or str(section.key),
        kind=_KINDS.get(section.type, "other"),
        folders=tuple(folder.path for folder in section.Location or () if folder.path),
        scanning=section.refreshing,
        mark="" if section.scannedAt is None else str(section.scannedAt),
    )


def _files_of(item: wire.ShelvedItem) -> list[str]:
    return [part.file for version in item.Media or () for part in version.Part or () if part.file]


def _translate(item: wire.ShelvedItem, library_id: str) -> FileItem:
    entry = next(iter(translate_entries([item], [])), None)
    return FileItem(
        native_id=str(item.ratingKey),
        library_id=library_id,
        kind="other" if entry is None else entry.kind,
        files=tuple(dict.fromkeys(_files_of(item))),
        title=item.title or "",
        year=item.year,
        show_title=item.grandparentTitle,
        show_id=None if item.grandparentRatingKey is None else str(item.grandparentRatingKey),
        season=None if entry is None else entry.season,
        episode=None if entry is None else entry.episode,
        claims=() if entry is None else entry.claims,
        added_at=item.addedAt,
        available=item.deletedAt is None,
        poster=item.grandparentThumb or item.thumb or "",
    )
