"""What the hub sees on its own disks. A share that hangs keeps nobody waiting: it counts as not there."""

from __future__ import annotations

import asyncio
import os
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Literal, TypeVar

from playhead.domain.library.places import base_name, is_video
from playhead.ports.disk import Search

LOOK_WITHIN_S = 5.0
WALK_WITHIN_S = 60.0
MOST_FOUND = 50

There = Literal["file", "folder", "empty", "absent"]
_T = TypeVar("_T")


class OwnDisk:
    """Meets ``ports.disk.Disk`` and ``FindsFiles``; names are looked for by walking."""

    async def look(self, path: str) -> There:
        """What is there."""
        return await _within(LOOK_WITHIN_S, lambda: _look(path), "absent")

    async def list_videos(self, folder: str, limit: int) -> list[str]:
        """Video files anywhere below a folder, as far as the limit."""
        return await _within(WALK_WITHIN_S, lambda: _list_videos(folder, limit), [])

    async def count_folders(self, folder: str, limit: int) -> int:
        """Folders, itself and all below, as far as the limit."""
        return await _within(LOOK_WITHIN_S, lambda: _count_folders(folder, limit), limit)

    async def find(self, name: str, folders: Sequence[str]) -> Search:
        """All paths below these folders whose last part is ``name``, accents written either way."""
        seen = [folder for folder in folders if await self.look(folder) in ("folder", "empty")]
        nothing: list[str] = []
        found = await _within(WALK_WITHIN_S, lambda: _find(name, seen), nothing)
        return Search(tuple(found), tuple(seen))


async def _within(seconds: float, work: Callable[[], _T], otherwise: _T) -> _T:
    """Run in a thread; what takes too long goes on there alone."""
    try:
        return await asyncio.wait_for(asyncio.to_thread(work), seconds)
    except (TimeoutError, OSError, ValueError):
        return otherwise


def _look(path: str) -> There:
    if not os.path.isabs(path) or not os.path.exists(path):
        return "absent"
    if not os.path.isdir(path):
        return "file"
    with os.scandir(path) as entries:
        return "folder" if next(entries, None) is not None else "empty"


def _walk(folder: str) -> Iterator[os.DirEntry[str]]:
    """All files and folders below, in order; what may not be read is passed over, and links to folders are not followed."""
    try:
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda each: each.name)
    except OSError:
        return
    for entry in entries:
        yield entry
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(entry.path)


def _list_videos(folder: str, limit: int) -> list[str]:
    files: list[str] = []
    for entry in _walk(folder):
        if is_video(entry.name) and not entry.name.startswith(".") and entry.is_file():
            files.append(entry.path)
            if len(files) >= limit:
                break
    return files


def _count_folders(folder: str, limit: int) -> int:
    """Links to folders are not followed."""
    if not os.path.isdir(folder):
        return 0
    count, below = 0, [folder]
    while below and count < limit:
        count += 1
        with suppress(OSError), os.scandir(below.pop()) as entries:
            below += [each.path for each in entries if each.is_dir(follow_symlinks=False)]
    return count


def _find(name: str, folders: Sequence[str]) -> list[str]:
    wanted = unicodedata.normalize("NFC", base_name(name))
    found: dict[str, None] = {}
    for folder in folders:
        for entry in _walk(folder):
            if unicodedata.normalize("NFC", entry.name) == wanted:
                found[entry.path] = None
                if len(found) >= MOST_FOUND:
                    return list(found)
    return list(found)
