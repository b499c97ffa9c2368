"""Scans of a Jellyfin server's libraries, and the proof that a file became an item. Both go by the ids that paths have there.

Decides between a refresh of the nearest known folder, which shows a file in half a second, and a report to the file monitor,
which waits a minute. Source: facts, api-jellyfin-emby.md A5; tapes 14, 15, 26.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from playhead.adapters._mediabrowser.decode import NEEDED, decode_answer
from playhead.adapters._mediabrowser.scanning import NEWEST, WITH_VERSIONS, MediaScans, Search, choose_folder
from playhead.adapters._mediabrowser.wire import ShelvedItem, VirtualFolder
from playhead.adapters.jellyfin.client import IDS_PER_REQUEST, JellyfinClient
from playhead.adapters.jellyfin.path_ids import FOLDERS, LEAVES, make_ids
from playhead.domain.library.places import is_windows, key
from playhead.ports.errors import NotFound
from playhead.ports.scans import FileItem, ScanBegun

_FOLDERS = msgspec.json.Decoder(list[VirtualFolder], strict=False)
_ITEM = msgspec.json.Decoder(ShelvedItem, strict=False)


class JellyfinScans(MediaScans):
    """What ``Scans`` promises."""

    product = "jellyfin"
    delay_name = "LibraryMonitorDelay"

    def __init__(self, client: JellyfinClient) -> None:
        super().__init__(client.http)
        self._client = client

    async def read_folders(self) -> list[VirtualFolder]:
        """``/Library/VirtualFolders``."""
        answer = await self.ask("/Library/VirtualFolders")
        return decode_answer(_FOLDERS, answer.body, self.title, "the library folders")

    async def begin_scan(self, library_id: str, path: str | None) -> ScanBegun:
        """By the nearest folder that the server knows, a library's own folder at the latest."""
        library = await self.find_library(library_id)
        if path is None:
            await self.refresh(library.id)
            return ScanBegun("library")
        way = self.find_way(library, path)
        found = await self._find_folder(way)
        if found is None:
            return await self.report(way)
        folder_id, covers = found
        alone = covers == way[-1] and len(library.folders) == 1
        await self.refresh(library.id if alone else folder_id)
        return ScanBegun("folder" if covers == choose_folder(way) else "nearest folder", covers)

    async def _find_folder(self, way: Sequence[str]) -> tuple[str, str] | None:
        """Id and path of the innermost folder on the way that is an item."""
        ids = [item_id for place in way for item_id in make_ids(place, FOLDERS)][:IDS_PER_REQUEST]
        known = {key(item.Path): item.Id for item in await self._read_ids(ids) if item.Path}
        return next(((known[key(place)], place) for place in way if key(place) in known), None)

    async def _read_ids(self, ids: Sequence[str]) -> list[ShelvedItem]:
        """Without what was not asked for: where no id is known the server answers with its root."""
        found: list[ShelvedItem] = []
        for start in range(0, len(ids), IDS_PER_REQUEST):
            batch = ids[start : start + IDS_PER_REQUEST]
            items = await self.read({"Ids": ",".join(batch)})
            found += [item for item in items if item.Id in batch]
        return found

    async def find_files(
        self, library_id: str, paths: Sequence[str], *, thorough: bool = False
    ) -> list[FileItem]:
        """By id, then among the newest with all their versions; thoroughly as a further version of a film, then among all, where
        the ids do not settle it."""
        search = Search(self, library_id, paths)
        classes = LEAVES[await self.find_kind(library_id)]
        search.take(
            await self._read_ids([each for path in search.open.values() for each in make_ids(path, classes)])
        )
        if not search.open:
            return list(search.found.values())
        newest = await self.read_newest(library_id, 0, NEWEST, WITH_VERSIONS)
        search.take(newest)
        if thorough:
            for path in tuple(search.open.values()):
                search.take(
                    [item for each in make_ids(path, classes) if (item := await self._read_single(each))]
                )
        if thorough and search.open and not _settles(newest, classes, search.open.values()):
            async for items in self.walk(library_id):
                search.take(items)
                if not search.open:
                    break
        return list(search.found.values())

    async def _read_single(self, item_id: str) -> ShelvedItem | None:
        """Lists leave out the further versions of a film; their own route does not (tape 05)."""
        user = await self._client.user_id()
        try:
            if await self._client.has_user_data_route():
                answer = await self.ask(f"/Items/{item_id}", {"userId": user})
            else:
                answer = await self.ask(f"/Users/{user}/Items/{item_id}")
        except NotFound:
            return None
        return decode_answer(_ITEM, answer.body, self.title, "an item", NEEDED)


def _settles(items: Sequence[ShelvedItem], classes: Sequence[str], paths: Iterable[str]) -> bool:
    """Whether an id to which nothing answers proves that nothing is there: the library's own items have the ids of their
    paths, and the case of paths counts."""
    told = [item for item in items if item.Path]
    fits = all(item.Id in make_ids(item.Path or "", classes) for item in told)
    return bool(told) and fits and not any(is_windows(path) for path in paths)
