"""Hears from the kernel which folders below a root changed. It only says where to look: what happened there, a look tells.

Linux alone has inotify, and shares send nothing through it; elsewhere folders are compared from time to time.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from playhead.domain.library.ignoring import is_ignored

if TYPE_CHECKING:
    import asyncinotify

GATHER_S = 0.05


class Hint(msgspec.Struct):
    """Folders to look at; files that were closed after writing, or moved there. ``lost``: look at all of them."""

    folders: set[str] = msgspec.field(default_factory=set)
    closed: set[str] = msgspec.field(default_factory=set)
    lost: bool = False

    def __bool__(self) -> bool:
        return bool(self.folders or self.closed or self.lost)


class FolderEvents:
    """One root's events; ``wake`` is called when there are any. Raises OSError where the kernel has none, or no more of them."""

    def __init__(self, root: str, wake: Callable[[], None]) -> None:
        import asyncinotify  # elsewhere than on Linux it cannot be imported

        mask = asyncinotify.Mask
        self._root = root
        self._mask = (
            mask.CLOSE_WRITE | mask.CREATE | mask.DELETE | mask.MOVE | mask.DELETE_SELF | mask.MOVE_SELF
        )
        self._mask |= mask.ONLYDIR | mask.EXCL_UNLINK
        self._whole = mask.CLOSE_WRITE | mask.MOVED_TO
        self._lost = mask.Q_OVERFLOW | mask.UNMOUNT
        self._self = mask.DELETE_SELF | mask.MOVE_SELF
        self._folder, self._ignored = mask.ISDIR, mask.IGNORED
        self._inotify = asyncinotify.Inotify()
        self._watches: dict[str, Any] = {}
        self._hint = Hint()
        self._wake = wake
        self._reader: asyncio.Task[None] | None = None

    def add(self, folders: Iterable[str]) -> list[str]:
        """Listen to these folders, too; gives those that were not listened to before. One that is gone is passed over."""
        added = []
        for folder in folders:
            if folder in self._watches:
                continue
            try:
                watch = self._inotify.add_watch(folder, self._mask)
            except (FileNotFoundError, NotADirectoryError, PermissionError):
                continue
            watch.path = Path(folder)
            self._watches[folder] = watch
            added.append(folder)
        return added

    def drop(self, folder: str) -> None:
        """Listen no more to a folder that went, nor to those below it."""
        for path in [each for each in self._watches if each == folder or each.startswith(folder + "/")]:
            with suppress(OSError):
                self._inotify.rm_watch(self._watches[path])
            del self._watches[path]

    def begin(self) -> None:
        """Hear from now on; ``wake`` is called when there is something to take."""
        self._reader = asyncio.create_task(self._read())
        self._reader.add_done_callback(lambda _: self._wake())

    async def take(self) -> Hint:
        """What was heard since the last call. Raises what ended the hearing."""
        if self._reader is not None and self._reader.done():
            self._reader.result()
        if self._hint:
            await asyncio.sleep(GATHER_S)  # what belongs together comes together
        hint, self._hint = self._hint, Hint()
        return hint

    async def close(self) -> None:
        """Hear no more."""
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)
        self._inotify.close()

    async def _read(self) -> None:
        async for event in self._inotify:
            self._take(event)

    def _take(self, event: asyncinotify.Event) -> None:
        if event.mask & self._lost:
            self._hint.lost = True
        elif event.watch is None or event.mask & self._ignored:
            return
        elif event.mask & self._self:
            self._hint.lost |= os.fspath(event.watch.path) == self._root
        elif event.name is None or is_ignored(os.fspath(event.name)):
            return
        else:
            folder = os.fspath(event.watch.path)
            self._hint.folders.add(folder)
            if event.mask & self._whole and not event.mask & self._folder:
                self._hint.closed.add(os.path.join(folder, event.name))
        if self._hint:
            self._wake()
