"""What the hub may ask of the disks that it sees itself. All paths are the hub's; a disk that does not answer is not there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

import msgspec


class Disk(Protocol):
    """Looks, and changes nothing."""

    async def look(self, path: str) -> Literal["file", "folder", "empty", "absent"]:
        """What is there; "empty" is a folder with nothing in it."""

    async def list_videos(self, folder: str, limit: int) -> list[str]:
        """Video files anywhere below a folder, as far as the limit."""

    async def count_folders(self, folder: str, limit: int) -> int:
        """How many folders there are, itself and all below, as far as the limit; 0 where it cannot be seen."""


class Search(msgspec.Struct, frozen=True):
    """What became of looking for a name: the paths that have it, and the folders in which it was looked for."""

    paths: tuple[str, ...]
    looked_in: tuple[str, ...]


class FindsFiles(Protocol):
    """Knows where files and folders of a name are, below the folders of the libraries."""

    async def find(self, name: str, folders: Sequence[str]) -> Search:
        """All paths below these folders whose last part is ``name``; ``looked_in`` are those of the folders that can be seen."""
