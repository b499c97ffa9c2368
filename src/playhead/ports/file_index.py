"""What is known of the files below some folders, and what changed since it was last looked at. All paths are the hub's own.

A folder that is not there keeps what is known of it: a disk that is away has lost no file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, Protocol

import msgspec


class Root(msgspec.Struct, frozen=True):
    """A folder that is known with all below it. Where one of its ``anchors`` is missing, it counts as not there."""

    path: str
    anchors: tuple[str, ...] = ()


class FileChange(msgspec.Struct, frozen=True):
    """One difference. ``inode`` tells that what came is what went elsewhere. What is in a folder that went is not told singly."""

    what: Literal["came", "went", "replaced"]
    path: str
    inode: int
    is_folder: bool = False


class Compared(msgspec.Struct, frozen=True):
    """The outcome of a look. ``away`` are roots, or disks mounted below one, that are not there; ``unreadable`` are folders with
    the system's own word."""

    changes: tuple[FileChange, ...] = ()
    away: tuple[str, ...] = ()
    unreadable: tuple[tuple[str, str], ...] = ()
    folders_read: int = 0


class RootState(msgspec.Struct, frozen=True):
    """How much is known of a root. ``whole``: all below it has been read once; until then no change is told."""

    path: str
    files: int
    folders: int
    whole: bool


Progress = Callable[[int, int], None]  # folders read, files found


class FileIndex(Protocol):
    """Keeps names; what was not told to anybody stays marked so over restarts. Calls block: use a thread."""

    def keep_roots(self, roots: Sequence[Root]) -> None:
        """These and no others are known from now on; what is below others is forgotten."""

    def compare(self, root: str, on_progress: Progress | None = None) -> Compared:
        """Look at a root by its folders' times, read those that changed, and go on with a first look that was broken off."""

    def compare_folders(self, root: str, folders: Sequence[str]) -> Compared:
        """The same for single folders below a root, whatever their times say; what is new below them is read, too."""

    def listen(self, root: str, hear: Callable[[Sequence[FileChange]], None]) -> Callable[[], None]:
        """Have all changes below a root told, whoever looked, in the thread of that look; gives what ends it."""

    def find(self, name: str, limit: int = 50) -> list[str]:
        """Paths of files and folders with that name, or that end of a path, accents written either way; those of the same
        upper and lower case where there are any."""

    def knows(self, path: str) -> bool:
        """Whether a file of that path is known."""

    def mark_untold(self, path: str) -> None:
        """A known file has changed and is to be told again."""

    def list_untold(self, root: str) -> list[str]:
        """Files that came or changed and have not been told yet."""

    def mark_told(self, paths: Sequence[str]) -> None:
        """Somebody has taken notice of them."""

    def list_folders(self, root: str) -> list[str]:
        """Every known folder below a root and itself."""

    def list_states(self) -> list[RootState]:
        """How much is known of each root."""
