"""The index of file names and the watched folders, joined with the jobs that they lead to.

Belongs to the libraries' worker: its thread and its event loop. ``finds`` answers where a name is; ``run`` keeps the index
current and has what arrives in watched folders scanned.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from playhead.domain.library.mapping import PathMap
from playhead.flows.take_arrivals import plan_arrivals
from playhead.kit.log import Log
from playhead.library_settings import WatchSettings
from playhead.ports.arrivals import Arrival
from playhead.ports.errors import PlayheadError
from playhead.ports.file_index import Root
from playhead.ports.library_jobs import NewJob
from playhead.runtime.home import Home
from playhead.runtime.indexed_files import IndexedFiles
from playhead.runtime.watching import FolderWatch, WatchedFolder
from playhead.store.file_index import SqlFileIndex

log = Log(__name__)


class WatchedFiles:
    """One state of the settings. ``put`` stores a job; close it at the end."""

    def __init__(self, home: Home, watches: list[WatchSettings], put: Callable[[NewJob], int]) -> None:
        self._index = SqlFileIndex(home.files)
        self._put = put
        roots = [Root(each.folder, tuple(each.anchors)) for each in watches]
        self.finds = IndexedFiles(self._index, roots)
        self._watches = [
            FolderWatch(WatchedFolder(each.folder, each.polling, each.settle_s), self._index, self._take)
            for each in watches
        ]

    async def run(self) -> None:
        """Watch until cancelled."""
        await asyncio.gather(self._begin(), *(watch.run() for watch in self._watches))

    async def note(self, job: NewJob) -> None:
        """Let the index know of what a job tells."""
        try:
            await self.finds.note([each.path for each in job.arrived])
        except PlayheadError as error:
            log.warning("the index of file names is behind", error=str(error))

    async def _begin(self) -> None:
        try:
            await self.finds.begin()
        except PlayheadError as error:
            log.warning("the index of file names is behind", error=str(error))

    def describe(self) -> dict[str, str]:
        """For ``/readyz``: how it stands with each watched folder."""
        return {watch.folder: watch.state for watch in self._watches}

    def close(self) -> None:
        """Close the index."""
        self._index.close()

    async def _take(self, arrival: Arrival) -> None:
        for job in plan_arrivals([arrival], PathMap([])):
            await asyncio.to_thread(self._put, job)
