"""Reads single folders from the disk: their time, and the names in them. Knows no table and keeps nothing."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import msgspec

from playhead.domain.library.ignoring import is_ignored

READERS = 4  # a share answers several at once; a disk of one's own needs one
FOLDERS_A_TURN = 64
UNSURE_FOR_NS = (
    3_000_000_000  # a folder that changed just now may change again within the same tick of its disk's clock
)
DEEPEST = 60


class Listing(msgspec.Struct, frozen=True):
    """A folder that changed. ``mtime_ns`` 0 = its time says nothing yet; ``files`` and ``folders`` map names to inodes."""

    path: str
    mtime_ns: int = 0
    device: int = 0
    files: dict[str, int] = {}
    folders: dict[str, int] = {}
    gone: bool = False
    error: str = ""


def read_folder(path: str, known_mtime_ns: int) -> Listing | None:
    """What is in a folder now; None where its time is the known one."""
    try:
        told = os.stat(path)
        if told.st_mtime_ns == known_mtime_ns:
            return None
        files: dict[str, int] = {}
        folders: dict[str, int] = {}
        with os.scandir(path) as entries:
            for entry in entries:
                if is_ignored(entry.name):
                    continue
                into = folders if _is_folder(entry) else files
                into[entry.name] = entry.inode()
    except (FileNotFoundError, NotADirectoryError):
        return Listing(path, gone=True)
    except OSError as error:
        return Listing(path, error=error.strerror or str(error))
    settled = told.st_mtime_ns < time.time_ns() - UNSURE_FOR_NS
    return Listing(path, told.st_mtime_ns if settled else 0, told.st_dev, files, folders)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Links to folders are followed, but never into a folder that holds them."""
    if not entry.is_symlink():
        return entry.is_dir(follow_symlinks=False)
    try:
        if not entry.is_dir():
            return False
        target = os.path.realpath(entry.path)
    except OSError:
        return False
    holder = os.path.realpath(os.path.dirname(entry.path))
    return not (holder + "/").startswith(target.rstrip("/") + "/") and entry.path.count("/") < DEEPEST


def read_folders(folders: Sequence[tuple[str, int]], *, readers: int = READERS) -> Iterator[Listing]:
    """The listings of those folders, given with their known times, that changed."""
    turns = [folders[start : start + FOLDERS_A_TURN] for start in range(0, len(folders), FOLDERS_A_TURN)]
    if len(turns) < 2:
        yield from (each for turn in turns for each in _read_turn(turn))
        return
    with ThreadPoolExecutor(readers, thread_name_prefix="folders") as pool:
        under_way = deque(pool.submit(_read_turn, turn) for turn in turns[: 2 * readers])
        for turn in [
            *turns[2 * readers :],
            *[()] * len(under_way),
        ]:  # never far ahead of whoever takes them in
            yield from under_way.popleft().result()
            if turn:
                under_way.append(pool.submit(_read_turn, turn))


def _read_turn(folders: Sequence[tuple[str, int]]) -> list[Listing]:
    found = (read_folder(path, mtime_ns) for path, mtime_ns in folders)
    return [each for each in found if each is not None]
