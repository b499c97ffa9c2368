"""Folders as a server sees them, and the same folders as the hub calls them. Pure text, no disk is looked at.

Paths of two servers can be compared only as hub paths; a path under no mapped folder has none.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec


class MappedFolder(msgspec.Struct, frozen=True):
    """One folder, in the server's words and in the hub's."""

    server: str
    hub: str


class PathMap:
    """The mapped folders of one connection; the longest that fits wins."""

    def __init__(self, folders: Iterable[MappedFolder]) -> None:
        plain = [(_clean(folder.server), _clean(folder.hub)) for folder in folders]
        self._folders = sorted(plain, key=lambda couple: -len(couple[0]))

    def __bool__(self) -> bool:
        return bool(self._folders)

    @property
    def folders(self) -> tuple[tuple[str, str], ...]:
        """The folders as (server, hub), in the order in which they are tried."""
        return tuple(self._folders)

    def to_hub(self, path: str) -> str | None:
        """The hub's path of a server's path; None where no mapped folder holds it. Upper and lower case differ."""
        clean = path.replace("\\", "/")
        for server, hub in self._folders:
            if clean == server or clean.startswith(server + "/"):
                return hub + clean[len(server) :]
        return None


def _clean(folder: str) -> str:
    return folder.replace("\\", "/").rstrip("/")
