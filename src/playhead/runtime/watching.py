"""Watches folders and tells what arrived in them, was replaced, renamed or deleted, each when it is whole.

Events only say where to look, and polling looks without them; the index of file names tells the differences, also those of the
time when nobody watched. A folder that is not there is waited for.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

import msgspec

from playhead.kit.log import Log
from playhead.ports.arrivals import Arrival
from playhead.ports.file_index import Compared, FileChange, FileIndex
from playhead.runtime.folder_events import FolderEvents, Hint
from playhead.runtime.settling import Look, Settling

log = Log(__name__)

AWAY_AGAIN_S = 5.0
BROKEN_AGAIN_S = 10.0
COMPARE_EVERY_S = 900.0  # with events, too: no queue is trusted for ever
NO_EVENTS_POLLING_S = 60.0


class WatchedFolder(msgspec.Struct, frozen=True):
    """A folder to watch. ``polling_s`` None = by the kernel's events; ``settle_s``: so long a file must not have grown."""

    folder: str
    polling_s: float | None = None
    settle_s: float = 5.0


class _Away(Exception):
    """The folder is not there."""


class _NoEvents(Exception):
    """The kernel has none to give, or no more of them (``fs.inotify.max_user_watches``)."""


class FolderWatch:
    """One watched folder. ``tell`` has taken notice when it returns; what it was not told comes again after a restart."""

    def __init__(
        self,
        watched: WatchedFolder,
        index: FileIndex,
        tell: Callable[[Arrival], Awaitable[None]],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.state = "starting"
        self._folder = watched.folder.rstrip("/") or "/"
        self._polling_s = watched.polling_s
        self._index, self._tell, self._clock = index, tell, clock
        self._settling = Settling(watched.settle_s)
        self._look_every_s = min(max(watched.settle_s / 4, 0.05), 0.5)
        self._events: FolderEvents | None = None
        self._said: set[str] = set()
        self._news: deque[FileChange] = deque()
        self._woken = asyncio.Event()

    @property
    def folder(self) -> str:
        """The folder, without a slash at its end."""
        return self._folder

    async def run(self) -> None:
        """Watch until cancelled; whatever goes wrong is told and tried again."""
        loop = asyncio.get_running_loop()

        def hear(changes: Sequence[FileChange]) -> None:
            self._news.extend(changes)
            loop.call_soon_threadsafe(self._woken.set)

        stop = self._index.listen(self._folder, hear)
        try:
            while True:
                await self._watch_once()
        finally:
            stop()

    async def _watch_once(self) -> None:
        """Watch until something goes wrong, and wait a moment then."""
        try:
            untold = await asyncio.to_thread(self._index.list_untold, self._folder)
            self._settling.expect(untold, self._clock())
            await self._watch()
        except _Away:
            self._enter(f"{self._folder} is not there: what arrives in it waits")
            await asyncio.sleep(AWAY_AGAIN_S)
        except _NoEvents as error:
            self._polling_s = NO_EVENTS_POLLING_S
            log.warning("no events here: the folder is polled", folder=self._folder, error=str(error))
        except Exception as error:  # noqa: BLE001 - told in the log and in the state, and tried again
            self._enter(f"{self._folder} cannot be watched: {error}")
            await asyncio.sleep(BROKEN_AGAIN_S)
        finally:
            if self._events is not None:
                await self._events.close()
                self._events = None

    def _enter(self, state: str) -> None:
        if state != self.state:
            log.info("watched folder", folder=self._folder, state=state)
        self.state = state

    async def _watch(self) -> None:
        every_s = self._polling_s or COMPARE_EVERY_S
        if self._polling_s is None:
            self._open_events()
        await self._compare()
        if self._events is not None:
            await self._listen_to(await asyncio.to_thread(self._index.list_folders, self._folder))
            self._events.begin()
            await self._compare()  # what was made between the look and the first event
        self._enter("watching" if self._events is not None else f"looking every {every_s:g} s")
        compared_at = self._clock()
        while True:
            hint = await self._wait(compared_at + every_s)
            if hint.lost or self._clock() >= compared_at + every_s:
                await self._compare()
                compared_at = self._clock()
            elif hint.folders:
                await self._compare(sorted(hint.folders))
            if new := await self._take_news():  # somebody else looked
                await self._compare(new)
            await self._note_closed(hint.closed)
            if not self._settling.is_idle():
                await self._tell_ready()

    def _open_events(self) -> None:
        try:
            self._events = FolderEvents(self._folder, self._woken.set)
            listening = self._events.add([self._folder])
        except (ImportError, OSError) as error:
            raise _NoEvents(error) from error
        if not listening:
            raise _Away

    async def _wait(self, compare_at: float) -> Hint:
        """Until something is heard, files are to be looked at again, or it is time to compare."""
        for_s = max(compare_at - self._clock(), 0.0)
        if not self._settling.is_idle():
            for_s = min(for_s, self._look_every_s)
        with suppress(TimeoutError):
            async with asyncio.timeout(for_s):
                await self._woken.wait()
        self._woken.clear()
        return await self._events.take() if self._events is not None else Hint()

    async def _compare(self, folders: Sequence[str] | None = None) -> None:
        """Look at folders, None = all, and at those that are new since the events began, until no more are."""
        while folders is None or folders:
            if folders is None:
                compared = await asyncio.to_thread(self._index.compare, self._folder)
            else:
                compared = await asyncio.to_thread(self._index.compare_folders, self._folder, folders)
            self._say_unreadable(compared)
            if self._folder in compared.away:
                raise _Away
            folders = await self._take_news()

    async def _take_news(self) -> list[str]:
        """Take in what any look at these folders found; gives the new folders that are listened to from now on."""
        changes = [self._news.popleft() for _ in range(len(self._news))]
        if not changes:
            return []
        known = self._settling.take(changes, self._clock())
        await asyncio.to_thread(self._index.mark_told, known)
        gone = [each.path for each in changes if each.is_folder and each.what == "went"]
        new = [each.path for each in changes if each.is_folder and each.what == "came"]
        return await self._listen_to(new, gone)

    async def _listen_to(self, new: Sequence[str], gone: Sequence[str] = ()) -> list[str]:
        """Follow folders that came and went; those that were not listened to before."""
        if self._events is None:
            return []
        for path in gone:
            self._events.drop(path)
        try:
            return await asyncio.to_thread(self._events.add, new)
        except OSError as error:
            raise _NoEvents(error) from error

    def _say_unreadable(self, compared: Compared) -> None:
        for path, error in compared.unreadable:
            if path not in self._said:
                self._said.add(path)
                log.warning("a folder cannot be read", folder=path, error=error)

    async def _note_closed(self, paths: set[str]) -> None:
        """A known file that was written anew is told again."""
        waiting = set(self._settling.list_pending())
        for path in sorted(paths):
            if path in waiting:
                self._settling.note_closed(path, self._clock())
            elif await asyncio.to_thread(self._index.knows, path):
                await asyncio.to_thread(self._index.mark_untold, path)
                self._settling.note_closed(path, self._clock())

    async def _tell_ready(self) -> None:
        looks = await asyncio.to_thread(_look_at, self._settling.list_pending())
        for arrival in self._settling.tell(looks, self._clock()):
            log.info("arrival", what=arrival.what, folder=arrival.folder, files=len(arrival.paths))
            await self._tell(arrival)
            await asyncio.to_thread(self._index.mark_told, arrival.paths)


def _look_at(paths: Sequence[str]) -> dict[str, Look | None]:
    looks: dict[str, Look | None] = {}
    for path in paths:
        try:
            told = os.stat(path)
            looks[path] = (told.st_size, told.st_mtime_ns)
        except OSError:
            looks[path] = None
    return looks
