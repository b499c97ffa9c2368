"""What scans on Jellyfin and Emby have in common: libraries with their folders, lists by the date of adding, and who may ask.

Every list is asked for without a user's state: on Jellyfin a list with state that is read in the moment when a renamed file
appears shows it unplayed until the server restarts (facts, api-jellyfin-emby.md A3). Must not know how either server finds a
file by its path.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Literal

import msgspec

from playhead.adapters._mediabrowser.dates import format_iso, parse_date
from playhead.adapters._mediabrowser.decode import NEEDED, decode_answer
from playhead.adapters._mediabrowser.listening import SCAN_TASK
from playhead.adapters._mediabrowser.translate import read_entries
from playhead.adapters._mediabrowser.wire import RawItems, ShelvedItem, TaskInfo, VirtualFolder
from playhead.domain.library.places import find_home, is_file, key
from playhead.kit.decoding import decode_members
from playhead.kit.http import Answer, Http
from playhead.ports.errors import NotFound, Refused, TokenRefused, Unauthorized
from playhead.ports.scans import FileItem, ScanBegun, ScannedLibrary

NEWEST = 100  # looked through for a file
PAGE = 2500  # of a whole list
FIELDS = "Path,ProviderIds,DateCreated,ProductionYear"
WITH_VERSIONS = f"{FIELDS},MediaSources"  # five times as dear
_Shelf = Literal["movies", "shows", "music", "photos", "other"]
_KINDS: dict[str, _Shelf] = {
    "movies": "movies",
    "tvshows": "shows",
    "music": "music",
    "homevideos": "photos",
    "photos": "photos",
}
_LEAVES: dict[_Shelf, str] = {
    "movies": "Movie",
    "shows": "Episode",
    "music": "Audio",
    "photos": "Video,Photo",
    "other": "Movie,Episode,Video,MusicVideo,Audio,AudioBook,Book",
}
_RAW = msgspec.json.Decoder(RawItems, strict=False)
_ITEM = msgspec.json.Decoder(ShelvedItem, strict=False)
_TASKS = msgspec.json.Decoder(list[TaskInfo], strict=False)
_CONFIGURATION = msgspec.json.Decoder(dict[str, object])

Params = dict[str, str | int]


class MediaScans(ABC):
    """The requests and answers of one server. Remembers of what kind each library is, and the server's delay, no more."""

    prefix = ""
    product = ""
    delay_name = ""  # of the setting that holds the delay, in seconds
    delay_s = 60.0  # where it cannot be read

    def __init__(self, http: Http) -> None:
        self._http = http
        self.title = http.title
        self._kinds: dict[str, _Shelf] = {}
        self._delay_s: float | None = None

    async def ask(self, path: str, params: Params | None = None) -> Answer:
        """GET."""
        return await self._http.read(self.prefix + path, params)

    async def tell(self, path: str, params: Params | None = None, json: object = None) -> None:
        """POST; raises Unauthorized with a hint where the token may not."""
        with self.administrators_alone(known=True):
            await self._http.write("POST", self.prefix + path, params, json=json)

    @abstractmethod
    async def read_folders(self) -> list[VirtualFolder]:
        """The libraries, for an administrator. Raises Unauthorized."""

    async def list_scanned(self) -> list[ScannedLibrary]:
        """Libraries of every kind. The scan of everything is a task with a last end; that of one folder leaves no mark."""
        with self.administrators_alone():
            folders = [folder for folder in await self.read_folders() if folder.ItemId]
        task = await self._read_task()
        libraries = [_read_library(folder, task) for folder in folders]
        self._kinds = {library.id: library.kind for library in libraries}
        return libraries

    async def _read_task(self) -> TaskInfo | None:
        """None where the server does not tell of it."""
        try:
            answer = await self.ask("/ScheduledTasks")
        except (NotFound, Refused, Unauthorized):
            return None
        tasks = decode_answer(_TASKS, answer.body, self.title, "its tasks")
        return next((task for task in tasks if task.Key == SCAN_TASK), None)

    async def find_library(self, library_id: str) -> ScannedLibrary:
        """The library as it is now. Raises NotFound, Unauthorized."""
        with self.administrators_alone():
            folders = await self.read_folders()
        for folder in folders:
            if folder.ItemId == library_id:
                library = _read_library(folder, None)
                self._kinds[library_id] = library.kind
                return library
        raise NotFound(
            f"{self.title} has no library {library_id}.",
            hint="It was removed there; see `playhead connections` for the ones it has.",
        )

    def find_way(self, library: ScannedLibrary, path: str) -> tuple[str, ...]:
        """A path and the folders above it in the library. Raises NotFound: the server would take any path and do nothing."""
        way = find_home(path, library.folders)
        if not way:
            raise NotFound(
                f"{path} is in no folder of {library.title} on {self.title}.",
                hint=f"Its folders there: {', '.join(library.folders)}. Does the path have to be mapped?",
            )
        return way

    async def find_kind(self, library_id: str) -> _Shelf:
        """Of what kind a library is; asked once."""
        if library_id not in self._kinds:
            await self.find_library(library_id)
        return self._kinds[library_id]

    async def refresh(self, item_id: str, **more: str) -> None:
        """Have a folder or a library read again with what is below; new items need the metadata mode, else they stay without
        names and ids (tape 26)."""
        params: Params = {"MetadataRefreshMode": "Default", "ImageRefreshMode": "Default", **more}
        await self.tell(f"/Items/{item_id}/Refresh", params)

    async def report(self, way: Sequence[str]) -> ScanBegun:
        """Tell the server's own file monitor of a path: it waits for quiet before it acts, and works with monitoring off."""
        delay_s = await self._read_delay()
        await self.tell(
            "/Library/Media/Updated", json={"Updates": [{"Path": way[0], "UpdateType": "Created"}]}
        )
        return ScanBegun("path", choose_folder(way), delay_s)

    async def _read_delay(self) -> float:
        if self._delay_s is None:
            self._delay_s = self.delay_s
            try:
                answer = await self.ask("/System/Configuration")
            except (NotFound, Refused, Unauthorized):
                return self._delay_s
            told = decode_answer(_CONFIGURATION, answer.body, self.title, "its settings").get(self.delay_name)
            if isinstance(told, int | float) and 0 <= told <= 86_400:
                self._delay_s = float(told)
        return self._delay_s

    async def read(self, params: Params) -> list[ShelvedItem]:
        """A list of items without anybody's state; rows that cannot be read are left out, they prove nothing."""
        plain: Params = {"Recursive": "true", "EnableImages": "false", "EnableUserData": "false"}
        answer = await self.ask(
            "/Items", {**plain, "EnableTotalRecordCount": "false", "Fields": FIELDS, **params}
        )
        rows = decode_answer(_RAW, answer.body, self.title, "a list").Items
        return [item for row in rows if (item := _decode(row)) is not None]

    async def read_newest(
        self, library_id: str, start: int, size: int, fields: str = FIELDS, **more: str
    ) -> list[ShelvedItem]:
        """The leaves of a library, those that were added last first."""
        order: Params = {"SortBy": "DateCreated,SortName", "SortOrder": "Descending"}
        leaves = _LEAVES[await self.find_kind(library_id)]
        return await self.read(
            {
                "ParentId": library_id,
                "IncludeItemTypes": leaves,
                **order,
                "StartIndex": start,
                "Limit": size,
                "Fields": fields,
                **more,
            }
        )

    async def walk(self, library_id: str, fields: str = FIELDS) -> AsyncIterator[list[ShelvedItem]]:
        """All leaves of a library in pages."""
        start = 0
        while True:
            items = await self.read_newest(library_id, start, PAGE, fields)
            yield items
            if len(items) < PAGE:
                return
            start += PAGE

    async def list_newest(self, library_id: str, count: int, start: int = 0) -> list[FileItem]:
        """By DateCreated, on Jellyfin the file's own date."""
        items = await self.read_newest(library_id, start, count) if count > 0 else []
        return [self.translate(item, library_id) for item in items if item.LocationType != "Virtual"]

    async def list_saved_since(
        self, library_id: str, since: int, count: int, start: int = 0
    ) -> list[FileItem]:
        """By DateLastSaved, which the server keeps for every item and never shows."""
        since_text = format_iso(max(since, 0)) or ""
        if count <= 0 or not since_text:
            return []
        items = await self.read_newest(library_id, start, count, MinDateLastSaved=since_text)
        return [self.translate(item, library_id) for item in items if item.LocationType != "Virtual"]

    def translate(self, item: ShelvedItem, library_id: str) -> FileItem:
        """An item in Playhead's words."""
        entry = next(iter(read_entries([item])), None)
        return FileItem(
            native_id=item.Id,
            library_id=library_id,
            kind="other" if entry is None else entry.kind,
            files=files_of(item),
            title=item.Name or "",
            year=item.ProductionYear or None,
            show_title=item.SeriesName,
            show_id=item.SeriesId,
            season=None if entry is None else entry.season,
            episode=None if entry is None else entry.episode,
            episode_end=None if entry is None else entry.episode_end,
            claims=() if entry is None else entry.claims,
            added_at=parse_date(item.DateCreated),
            poster=f"{self.prefix}/Items/{item.SeriesId or item.Id}/Images/Primary",
        )

    @contextmanager
    def administrators_alone(self, *, known: bool = False) -> Iterator[None]:
        """A plain user's token is told what is needed instead. ``known``: the server has just taken it for something else."""
        try:
            yield
        except Unauthorized as error:
            if isinstance(error, TokenRefused) and not known:
                raise
            raise Unauthorized(
                f"{self.title} does not let this token have libraries scanned.",
                hint="It takes an API key or an administrator's token: make an API key there, then "
                f"`playhead connect {self.product}` again.",
            ) from error


class Search:
    """Paths that are looked for, and the items that were found for them."""

    def __init__(self, scans: MediaScans, library_id: str, paths: Iterable[str]) -> None:
        self._scans = scans
        self._library_id = library_id
        self.open = {key(path): path for path in paths}
        self._wanted = frozenset(self.open)
        self.found: dict[str, FileItem] = {}

    def take(self, items: Iterable[ShelvedItem]) -> bool:
        """Keep what is looked for; whether there was anything else."""
        others = False
        for item in items:
            held = {key(file) for file in files_of(item)} & self._wanted
            others = others or not held
            if not held or item.LocationType == "Virtual":
                continue
            self.found[item.Id] = self._scans.translate(item, self._library_id)
            for each in held:
                self.open.pop(each, None)
        return others


def choose_folder(way: Sequence[str]) -> str:
    """The folder in which a path is noticed: itself, or the one above a file."""
    return way[1] if len(way) > 1 and is_file(way[0]) else way[0]


def files_of(item: ShelvedItem) -> tuple[str, ...]:
    """Paths of all versions, as far as they were asked for."""
    paths = [item.Path, *(source.Path for source in item.MediaSources or ())]
    return tuple(dict.fromkeys(path for path in paths if path))


def _decode(row: msgspec.Raw) -> ShelvedItem | None:
    try:
        return _ITEM.decode(row)
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass
    try:
        return decode_members(ShelvedItem, bytes(row), NEEDED)
    except msgspec.DecodeError:
        return None


def _read_library(folder: VirtualFolder, task: TaskInfo | None) -> ScannedLibrary:
    """Scanning where a scan of everything runs, or one of this library."""
    told = [state for state in (folder.RefreshStatus, task.State if task else None) if state is not None]
    last = task.LastExecutionResult if task is not None else None
    ended = last is not None and last.Status == "Completed"
    return ScannedLibrary(
        id=folder.ItemId or "",
        title=folder.Name or folder.ItemId or "",
        kind=_KINDS.get((folder.CollectionType or "").casefold(), "other"),
        folders=tuple(folder.Locations or ()),
        scanning=any(state != "Idle" for state in told) if told else None,
        mark=(last.EndTimeUtc or "") if last is not None and ended else "",
    )
