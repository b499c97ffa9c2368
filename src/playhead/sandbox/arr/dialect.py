"""In what an emulated Sonarr and Radarr differ: words, shapes, kinds of posts. A promise; each keeps it in its folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from playhead.sandbox.arr.shelf import File, Holder, Part


class Dialect(Protocol):
    """The words of one program."""

    app: str  # Sonarr
    library: str  # movies or shows: which of the world's libraries it minds
    version: str  # unless the world says another
    holder: str  # series: in routes, posts and as seriesId
    file: str  # episodeFile: in posts and routes (lower case there)
    world_id: str  # tvdb: by which lists are filtered
    rename_setting: str
    flags: tuple[str, ...]  # switches of a connection
    history: Mapping[str, int]  # kinds of records by number
    imported: str  # those that are written
    deleted: str
    renamed: str
    commands: frozenset[str]
    unsaid: frozenset[str]  # members of a holder that editors and nested answers leave out
    problem_kind: str  # content type of the web framework's errors

    def write_status(self, started: float) -> dict[str, Any]:
        """``system/status``."""
        ...

    def write_naming(self) -> dict[str, Any]:
        """``config/naming`` as it is first."""
        ...

    def write_holder(self, holder: Holder, root: str) -> dict[str, Any]:
        """A series or a movie."""
        ...

    def write_file(self, holder: Holder, file: File) -> dict[str, Any]:
        """A file of it."""
        ...

    def check_naming(self, fields: dict[str, Any]) -> list[dict[str, Any]]:
        """The broken rules of new formats; may put values into their usual form. Raises Fail."""
        ...

    def name_file(
        self, holder: Holder, parts: Sequence[Part], quality: str, naming: Mapping[str, Any]
    ) -> str:
        """Where a file belongs below the holder's folder, by the formats; without an ending."""
        ...

    def post_holder(self, holder: Holder, tags: Sequence[str]) -> dict[str, Any]:
        """What posts say of it."""
        ...

    def post_remote(self, holder: Holder) -> dict[str, Any]:
        """What posts of grabs and imports say besides (``remoteMovie``)."""
        ...

    def post_parts(self, parts: Sequence[Part], holder: Holder) -> dict[str, Any]:
        """What posts say of episodes; nothing of a movie."""
        ...

    def post_file(self, holder: Holder, file: File) -> dict[str, Any]:
        """What posts say of a file."""
        ...

    def post_release(self, files: int) -> dict[str, Any]:
        """``release`` of an import by hand."""
        ...

    def post_test(self) -> dict[str, Any]:
        """The body of a test."""
        ...
