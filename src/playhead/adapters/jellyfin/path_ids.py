"""The ids that Jellyfin gives to what lies at a path: a hash of the item's class and the path. Pure.

So an item or a folder is found by its path with one request, though the server has no such filter. Whatever comes back is held
against the path that it names itself: a wrong guess finds nothing. Source: facts, api-jellyfin-emby.md A3; every item of the
tapes of 10.11 and 12 has the id that comes out here. *Assumed* from its source: ids of music and pictures, and that a server
whose setting ``EnableCaseSensitiveItemIds`` is off takes the path in lower case.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable
from unicodedata import normalize

_ENTITIES = "MediaBrowser.Controller.Entities."
FOLDERS = ("TV.Season", "TV.Series", "Folder", "Audio.MusicAlbum", "Audio.MusicArtist", "PhotoAlbum")
LEAVES = {
    "movies": ("Movies.Movie", "Video"),
    "shows": ("TV.Episode", "Video"),
    "music": ("Audio.Audio",),
    "photos": ("Video", "Photo"),
    "other": (
        *("Movies.Movie", "TV.Episode", "Video", "MusicVideo"),
        *("Audio.Audio", "AudioBook", "Book"),
    ),
}


def make_ids(path: str, classes: Iterable[str]) -> list[str]:
    """The ids that an item of one of these classes at this path may have."""
    composed = (path, normalize("NFC", path), normalize("NFD", path))
    spellings = dict.fromkeys((*composed, *(each.lower() for each in composed)))
    return [_hash(f"{_ENTITIES}{name}{spelling}") for spelling in spellings for name in classes]


def _hash(text: str) -> str:
    digest = hashlib.md5(text.encode("utf-16-le", "surrogatepass"), usedforsecurity=False).digest()
    return uuid.UUID(bytes_le=digest).hex
