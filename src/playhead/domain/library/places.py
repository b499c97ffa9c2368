"""Paths as text: which folder holds which, above which is what, and what looks like a file. No disk is looked at.

A path keeps the form in which it was given; ``key`` is for comparing. Windows' drives and shares know no upper and lower case,
and mean the same with either stroke; a name may be written with composed or with separate accents.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

import msgspec

_WINDOWS = re.compile(r"[A-Za-z]:(?:[\\/]|$)|\\\\[^\\/]|//[^/]")
_VIDEO = re.compile(
    r"3g[2p]|asf|avi|divx|dvr-ms|evo|f4v|flv|iso|m2[tv]|m2ts|m4v|mk3d|mkv|mov|mp4|mpe?g|mts|nuv|og[mv]|qt|rm|rmvb|strm|ts|"
    r"vob|webm|wmv|wtv|xvid"
)
_BESIDE = re.compile(
    r"aac|ac3|aiff|alac|ape|ass|cb[rz]|cue|dts|epub|flac|gif|idx|jpe?g|m4[ab]|mk[as]|mobi|mp3|nfo|ogg|opus|pdf|png|smi|srt|ssa|"
    r"su[bp]|tbn|txt|vtt|wav|webp|wma|wv|xml"
)


class Held(msgspec.Struct, frozen=True):
    """A library that holds a path, and the one of its folders that does; several libraries may."""

    library_id: str
    title: str
    folder: str


class LibraryFolders(msgspec.Struct, frozen=True):
    """A library as far as paths are concerned."""

    id: str
    title: str
    folders: tuple[str, ...]


def is_windows(path: str) -> bool:
    """Whether a path is in Windows' form: a drive or a share."""
    return _WINDOWS.match(path) is not None


def tidy(path: str) -> str:
    """The path without strokes at its end or doubled ones within; its form stays."""
    plain = path.replace("\\", "/") if is_windows(path) else path
    lead = "//" if is_windows(path) and plain.startswith("//") else "/" if plain.startswith("/") else ""
    tidied = lead + "/".join(part for part in plain.split("/") if part not in ("", "."))
    if re.fullmatch("[A-Za-z]:", tidied):
        tidied += "/"
    return tidied.replace("/", "\\") if is_windows(path) and "\\" in path else tidied


def key(path: str, *, ignore_case: bool = False) -> str:
    """What two paths of one place have in common; "" and "/" alike are the root."""
    plain = unicodedata.normalize("NFC", tidy(path).replace("\\", "/") if is_windows(path) else tidy(path))
    return (plain.casefold() if ignore_case or is_windows(path) else plain).rstrip("/")


def holds(folder: str, path: str) -> bool:
    """Whether a path is a folder's own or lies below it."""
    above, below = key(folder), key(path)
    return below == above or below.startswith(above + "/")


def parent(path: str) -> str:
    """The folder that a path lies in; a root is its own."""
    tidied = tidy(path)
    if re.fullmatch(r"[A-Za-z]:[\\/]?|[\\/]{2}[^\\/]+", tidied):
        return tidied
    stroke = "\\" if "\\" in tidied and is_windows(tidied) else "/"
    above, _, _ = tidied.rpartition(stroke)
    if re.fullmatch(r"[A-Za-z]:", above):
        return above + stroke
    if not above:
        return stroke if tidied.startswith(stroke) else tidied
    return above


def base_name(path: str) -> str:
    """The last part of a path, in either form."""
    return re.split(r"[\\/]", path.rstrip("\\/"))[-1]


def is_video(path: str) -> bool:
    """Whether a name is a video file's."""
    return _VIDEO.fullmatch(_suffix(path)) is not None


def is_file(path: str) -> bool:
    """Whether a path looks like a file that a media library may hold; everything else is taken for a folder."""
    return not path.endswith(("/", "\\")) and (is_video(path) or _BESIDE.fullmatch(_suffix(path)) is not None)


def _suffix(path: str) -> str:
    _, dot, suffix = base_name(path).rpartition(".")
    return suffix.casefold() if dot else ""


def climb(path: str, folder: str) -> tuple[str, ...]:
    """A path and every folder above it up to ``folder``, innermost first, in the spelling and strokes of ``folder``; () where it
    does not lie there or steps back on its way."""
    steps, trunk = (_split(each) for each in (path, folder))
    if not folder or not holds(folder, path) or ".." in steps:
        return ()
    top = tidy(folder)
    stroke = "\\" if is_windows(top) and "/" not in top else "/"
    names = steps[len(trunk) :]
    inner = (stroke.join((top.rstrip(stroke), *names[:count])) for count in range(len(names), 0, -1))
    return (*inner, top)


def find_home(path: str, folders: Iterable[str]) -> tuple[str, ...]:
    """``climb`` from a path to the nearest of the folders that hold it; () where none does."""
    return min((way for folder in folders if (way := climb(path, folder))), key=len, default=())


def _split(path: str) -> list[str]:
    return [step for step in re.split(r"[\\/]" if is_windows(path) else "/", tidy(path)) if step]


def find_held(path: str, libraries: Iterable[LibraryFolders]) -> list[Held]:
    """All libraries that hold a path, each with its nearest folder, the nearest first; their order does not matter."""
    if ".." in _split(path):
        return []
    found = []
    for library in libraries:
        fitting = [folder for folder in library.folders if folder and holds(folder, path)]
        if fitting:
            found.append(
                Held(library.id, library.title, max(fitting, key=lambda each: (len(key(each)), each)))
            )
    return sorted(found, key=lambda each: (-len(key(each.folder)), each.title, each.library_id))
