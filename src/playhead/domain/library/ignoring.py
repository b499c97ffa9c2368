"""Which names in a library's folders mean nothing: downloads that are not whole, what systems leave behind, samples.

Names alone are judged, of files and folders alike. What is in a folder that is ignored is ignored as well.
"""

from __future__ import annotations

import re

_ENDS = (
    ".part",
    ".partial",
    ".crdownload",
    ".download",
    ".!qb",
    ".!ut",
    ".!bt",
    ".bc!",
    ".bts",
    ".jc!",
    ".!sync",
    ".dtapart",
    ".td",
    ".xltd",
    ".aria2",
    ".filepart",
    ".opdownload",
    ".unfinished",
    ".incomplete",
    ".tmp",
    ".temp",
    ".swp",
    "~",
)
_FOLDERS = frozenset(
    (
        "@eadir",
        "#recycle",
        "#snapshot",
        "@recycle",
        "@recently-snapshot",
        "$recycle.bin",
        "system volume information",
        "lost+found",
        "network trash folder",
        "thumbs.db",
        "desktop.ini",
    )
)
_SAMPLE = re.compile(r"(?:^|.*[^a-z0-9])sample(?:\.[a-z0-9]{2,4})?\Z|sample-.*", re.I)
_UNFINISHED = re.compile(r"_unpack_.*|_failed_.*|__(?:admin|unpack)__.*", re.I)  # SABnzbd's working folders
_EXTRAS = frozenset(
    (
        "backdrops",
        "behind the scenes",
        "clips",
        "deleted scenes",
        "extras",
        "featurettes",
        "interviews",
        "other",
        "samples",
        "scenes",
        "shorts",
        "theme-music",
        "trailers",
    )
)
_EXTRA = re.compile(
    r"(?:.*[-._])?(?:trailer|sample)|.*-(?:behindthescenes|clip|deleted|deletedscene|extra|featurette|interview|other|scene|short)",
    re.I,
)


def is_ignored(name: str) -> bool:
    """Whether a file or folder of this name is passed over."""
    if name.startswith((".", "~$")):
        return True
    lower = name.lower()
    if lower.endswith(_ENDS) or lower in _FOLDERS:
        return True
    return bool(_UNFINISHED.match(name)) or ("sample" in lower and bool(_SAMPLE.match(name)))


def is_ignored_below(root: str, path: str) -> bool:
    """Whether any part of a path below a folder is passed over."""
    return any(is_ignored(part) for part in path[len(root) :].split("/") if part)


def makes_no_item(root: str, path: str) -> bool:
    """Whether servers make no movie and no episode of a file below a library's folder: what is ignored, and extras, by the names
    that Plex and Jellyfin document. A show or a film may be called like a folder of extras."""
    *folders, name = [part for part in path[len(root) :].split("/") if part] or [""]
    if any(is_ignored(part) for part in (*folders, name)) or any(f.lower() in _EXTRAS for f in folders[1:]):
        return True
    return _EXTRA.fullmatch(name.rpartition(".")[0]) is not None
