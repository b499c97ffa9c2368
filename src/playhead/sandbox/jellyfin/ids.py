"""How Jellyfin makes ids: GUIDs that are hashes of a type and a path. Knows no item and no server."""

from __future__ import annotations

import hashlib
import re
from functools import cache

EMPTY_GUID = "0" * 32
PLACEHOLDER_GUID = "0" * 31 + "1"  # 10.11 keeps the user data of removed items under this id

_ENTITIES = "MediaBrowser.Controller.Entities."
_CLASSES = {
    "Movie": _ENTITIES + "Movies.Movie",
    "Video": _ENTITIES + "Video",
    "Episode": _ENTITIES + "TV.Episode",
    "Series": _ENTITIES + "TV.Series",
    "Season": _ENTITIES + "TV.Season",
    "Folder": _ENTITIES + "Folder",
    "CollectionFolder": _ENTITIES + "CollectionFolder",
    "UserRootFolder": _ENTITIES + "UserRootFolder",
    "AggregateFolder": _ENTITIES + "AggregateFolder",
    "Genre": _ENTITIES + "Genre",
    "ManualPlaylistsFolder": "Emby.Server.Implementations.Playlists.PlaylistsFolder",
}
_HEX = re.compile(r"[0-9a-fA-F]{32}\Z")
_DASHED = re.compile(r"\{?([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})\}?\Z")


def md5_guid(text: str) -> str:
    """The GUID that the server makes of a text: MD5 over UTF-16, printed as 32 hex digits."""
    digest = hashlib.md5(text.encode("utf-16-le"), usedforsecurity=False).digest()
    return (digest[3::-1] + digest[5:3:-1] + digest[7:5:-1] + digest[8:]).hex()  # as .NET orders a GUID


def item_guid(kind: str, path: str) -> str:
    """The id of an item of a type at a path: a renamed file is another item."""
    return md5_guid(_CLASSES[kind] + path)


@cache
def display_guid(kind: str) -> str:
    """``DisplayPreferencesId`` of a type that shares its view settings."""
    return md5_guid(_CLASSES[kind])


def parse_guid(text: str) -> str | None:
    """32 lower-case hex digits of a GUID in one of the forms that the server reads, else None."""
    if _HEX.match(text):
        return text.lower()
    match = _DASHED.match(text)
    return match[1].replace("-", "").lower() if match else None


def dashed(guid: str) -> str:
    """A GUID with its dashes, the form in which it stands in user data keys."""
    return f"{guid[:8]}-{guid[8:12]}-{guid[12:16]}-{guid[16:20]}-{guid[20:]}"
