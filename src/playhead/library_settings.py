"""What a person can set about the updating of libraries, as typed values: folders, scans, triggers. A part of the settings."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from playhead.domain.library.mapping import MappedFolder, check_expression


class LibraryChoice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which libraries take part, by title or native id. An empty ``include`` means all that are not excluded."""

    include: list[str] = []
    exclude: list[str] = []

    def takes(self, library_id: str, title: str) -> bool:
        """Whether the library takes part."""
        names = {library_id, title, title.casefold()}
        if any(name in names or name.casefold() in names for name in self.exclude):
            return False
        return not self.include or any(name in names or name.casefold() in names for name in self.include)


class PathMapping(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A folder as the server sees it, and the same folder as the hub calls it; or an expression for one direction."""

    server: Annotated[str, Meta(min_length=1)]
    hub: Annotated[str, Meta(min_length=1)]
    expression: Literal["", "server", "hub"] = ""
    ignore_case: bool = False

    @property
    def folder(self) -> MappedFolder:
        """The same for those who map."""
        return MappedFolder(self.server, self.hub, self.expression, self.ignore_case)


class ScanSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How libraries are updated; times in seconds."""

    quiet_s: Annotated[float, Meta(ge=0, le=3600)] = 1.0
    longest_quiet_s: Annotated[float, Meta(ge=0, le=3600)] = 10.0
    look_for_s: Annotated[float, Meta(ge=1, le=3600)] = 20.0
    busy_longest_s: Annotated[float, Meta(ge=1)] = 600.0
    appear_within_s: Annotated[float, Meta(ge=0, le=86_400)] = 300.0
    keep_days: Annotated[float, Meta(gt=0)] = 30.0


class TriggerSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which other programs' addresses are understood, each with the key; ``paths`` are folders as those programs see them."""

    plexlib: bool = True
    autoscan: bool = True
    arr: bool = True
    paths: list[PathMapping] = []


class WatchSettings(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """A folder, as the hub sees it, in which files arrive. ``polling`` None = by the system's events, else how often it is looked
    at, in seconds; ``settle_s``: a file that grew within so many seconds is not whole; ``anchors`` as of connections."""

    folder: Annotated[str, Meta(pattern=r"^/")]
    polling: Annotated[float, Meta(ge=1, le=86_400)] | None = None
    settle_s: Annotated[float, Meta(ge=0.1, le=3600)] = 5.0
    anchors: list[str] = []


def find_nested_watch(watches: list[WatchSettings]) -> int | None:
    """The place of the first watched folder that is another one or lies in it; None where there is none."""
    folders = [each.folder.rstrip("/") + "/" for each in watches]
    for place, folder in enumerate(folders):
        if any(other != place and folder.startswith(folders[other]) for other in range(len(folders))):
            return place
    return None


def find_wrong_expression(mappings: list[PathMapping]) -> tuple[int, str] | None:
    """The place of the first mapping whose expression is none, and why; None where all are well."""
    for place, mapping in enumerate(mappings):
        if why := check_expression(mapping.folder):
            return place, why
    return None


ALLOWED: dict[str, Any] = {
    "watch": "a list of entries with 'folder' and, where it is needed, 'polling' in seconds",
    "folder": "a folder as the hub sees it, such as /srv/tv",
    "polling": "a number of seconds from 1 on; nothing for the system's events",
    "settle_s": "a number of seconds from 0.1 on",
    "paths": "a list of entries with 'server' and 'hub'",
    "anchors": "a list of paths as the hub sees them",
    "expression": "'server' or 'hub': which side is a regular expression; '' for plain folders",
    "ignore_case": "true or false",
    "scan": "true or false",
    "plexlib": "true or false",
    "autoscan": "true or false",
    "arr": "true or false",
}
