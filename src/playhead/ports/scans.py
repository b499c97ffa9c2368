"""What a server must promise so that its libraries can be updated the moment that a file arrives, and the proof be had.

All paths are the server's own words: whoever asks has mapped them. A scan that was accepted proves nothing; only an item whose
file is that path does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol, runtime_checkable

import msgspec


class ScannedLibrary(msgspec.Struct, frozen=True):
    """A library with its folders, of whatever kind. ``scanning`` None = the server does not tell. ``mark`` changes when a
    scan of it has ended, as far as the server keeps that ("" = not told; Jellyfin and Emby keep it for scans of everything
    alone): a changed mark proves an end, an unchanged one nothing. Two marks can be compared for equality alone."""

    id: str
    title: str
    kind: Literal["movies", "shows", "music", "photos", "other"]
    folders: tuple[str, ...]
    scanning: bool | None = None
    mark: str = ""


class FileItem(msgspec.Struct, frozen=True):
    """What a server made of files. ``kind`` "other" is music and the like; ``added_at`` is epoch seconds on the server's clock
    and orders items of one server alone; ``claims`` are the item's own, normalised. ``poster`` is a path on the server."""

    native_id: str
    library_id: str
    kind: Literal["movie", "episode", "other"]
    files: tuple[str, ...]
    title: str = ""
    year: int | None = None
    show_title: str | None = None
    show_id: str | None = None
    season: int | None = None
    episode: int | None = None
    episode_end: int | None = None
    claims: tuple[str, ...] = ()
    added_at: int | None = None
    available: bool = True  # False: the server keeps it, its files are gone
    poster: str = ""


class ScanBegun(msgspec.Struct, frozen=True):
    """How a scan was asked for. ``means`` is a word for people (folder, nearest folder, path, library); ``shows_within_s`` how
    long the server may wait before it begins; ``covers`` the folder that is scanned, None = the whole library. ``alone``: the
    server may forget what is asked of this library before the scan has ended."""

    means: str
    covers: str | None = None
    shows_within_s: float = 0.0
    alone: bool = False


@runtime_checkable
class Scans(Protocol):
    """A backend whose token may have libraries scanned: an administrator's. Every method raises BackendError."""

    async def list_scanned(self) -> list[ScannedLibrary]:
        """All libraries as they are now, asked anew each time: a new library or folder is known without restart."""
        ...

    async def begin_scan(self, library_id: str, path: str | None) -> ScanBegun:
        """Have a folder or a file below a library's folders scanned by the fastest means, None = the whole library. What is gone
        from inside is noticed as well; a folder that is gone itself is noticed by a scan of its parent alone. Raises NotFound
        where the library is not there or does not hold the path, Unauthorized with a hint where the token may not."""
        ...

    async def find_files(
        self, library_id: str, paths: Sequence[str], *, thorough: bool = False
    ) -> list[FileItem]:
        """The items in a library whose files are among these paths. A request or two, so that it can be asked again until they
        appear; where a server knows no search by path, what came long ago may be missed. ``thorough`` reads the whole list
        then: once, before giving up, or to learn what an old path was."""
        ...

    async def list_newest(self, library_id: str, count: int, start: int = 0) -> list[FileItem]:
        """The movies, episodes and other leaves of a library that were added last, newest first."""
        ...


@runtime_checkable
class ListsSaved(Protocol):
    """A backend whose dates of adding may be the files' own: what came today can carry an old one and stand far back among the
    newest."""

    async def list_saved_since(
        self, library_id: str, since: int, count: int, start: int = 0
    ) -> list[FileItem]:
        """The leaves of which the server stored anything since then (epoch seconds on its clock): those that it found, those
        that it read again. Their order says nothing."""
        ...


@runtime_checkable
class EmptiesTrash(Protocol):
    """A backend that keeps items whose files are gone until it is told otherwise."""

    async def empty_trash(self, library_id: str) -> None:
        """Drop them for good."""
        ...
