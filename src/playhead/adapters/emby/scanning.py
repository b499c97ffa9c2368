"""Scans of an Emby server's libraries by its file monitor, and the proof that a file became an item by its filter for paths.

Source: facts, library-updates-and-links.md 1.2 and api-jellyfin-emby.md B2 and B3; the maker's documents 4.8 and 4.9.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from unicodedata import normalize

import msgspec

from playhead.adapters._mediabrowser.scanning import NEWEST, PAGE, WITH_VERSIONS, MediaScans, Search
from playhead.adapters._mediabrowser.wire import ShelvedItem, VirtualFolder
from playhead.adapters.emby.client import PREFIX, EmbyClient, read_newer_or_older, read_rows
from playhead.adapters.emby.wire import Rows
from playhead.domain.library.places import is_windows
from playhead.ports.scans import FileItem, ScanBegun

FEW = 3  # paths that are asked for one by one; more are looked for among the newest first
MANY = 30  # of which not each is asked for at each look: one request each would keep the others waiting
MATCHES = 20  # an Emby that does not know the filter sends everything
READS_AT_ONCE = 4

_PAGE = msgspec.json.Decoder(Rows[VirtualFolder], strict=False)
_FOLDERS = msgspec.json.Decoder(list[VirtualFolder], strict=False)


class EmbyScans(MediaScans):
    """What ``Scans`` promises."""

    prefix = PREFIX
    product = "emby"
    delay_name = "LibraryMonitorDelaySeconds"

    def __init__(self, client: EmbyClient) -> None:
        super().__init__(client.http)
        self._may_scan = False

    async def read_folders(self) -> list[VirtualFolder]:
        """``/Library/VirtualFolders/Query``, before 4.8 without its last word."""
        await self._check_right()
        answer = await read_newer_or_older(
            self.ask, "/Library/VirtualFolders/Query", "/Library/VirtualFolders"
        )
        return read_rows(_PAGE, _FOLDERS, answer, self.title, "the library folders")

    async def _check_right(self) -> None:
        """Emby's document lets any user read libraries and report paths, but only administrators list the users: asked once."""
        if self._may_scan:
            return
        await read_newer_or_older(lambda path: self.ask(path, {"Limit": 0}), "/Users/Query", "/Users")
        self._may_scan = True

    async def begin_scan(self, library_id: str, path: str | None) -> ScanBegun:
        """A path is reported to the monitor; a whole library is refreshed as Emby's own button does it (*assumed*)."""
        library = await self.find_library(library_id)
        if path is None:
            await self.refresh(library.id, Recursive="true")
            return ScanBegun("library")
        return await self.report(self.find_way(library, path))

    async def find_files(
        self, library_id: str, paths: Sequence[str], *, thorough: bool = False
    ) -> list[FileItem]:
        """By the filter for paths; many at once first among the newest, and all where the filter proves to be none. A thorough
        look reads the whole list with all versions, where the filter does not settle it. Of very many paths a look that is not
        thorough asks for some by the filter, each time for others."""
        kind = await self.find_kind(library_id)
        search = Search(self, library_id, paths)
        looked = len(search.open) > FEW
        if looked:
            size = min(len(search.open) + NEWEST, PAGE)
            search.take(await self.read_newest(library_id, 0, size, WITH_VERSIONS))
        asked = tuple(search.open.values())
        if len(asked) > MANY and not thorough:
            asked = tuple(random.sample(asked, MANY))
        filtered = await self._read_paths(library_id, asked)
        honest = not search.take(filtered)
        if search.open and not honest and not looked:
            search.take(await self.read_newest(library_id, 0, NEWEST, WITH_VERSIONS))
        settled = honest and kind == "shows" and not any(_is_spelled_variously(path) for path in asked)
        if thorough and search.open and not settled:
            async for items in self.walk(library_id, WITH_VERSIONS):
                search.take(items)
                if not search.open:
                    break
        return list(search.found.values())

    async def _read_paths(self, library_id: str, paths: Sequence[str]) -> list[ShelvedItem]:
        gate = asyncio.Semaphore(READS_AT_ONCE)

        async def read(path: str) -> list[ShelvedItem]:
            async with gate:
                return await self.read({"ParentId": library_id, "Path": path, "Limit": MATCHES})

        found = await asyncio.gather(*(read(path) for path in paths))
        return [item for items in found for item in items]


def _is_spelled_variously(path: str) -> bool:
    """Whether the server may know the same place under other letters."""
    return is_windows(path) or normalize("NFC", path) != normalize("NFD", path)
