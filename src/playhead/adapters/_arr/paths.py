"""Paths as the sender writes them, of whatever system it runs on. Pure text: no disk of this machine is looked at."""

from __future__ import annotations

import re

_WINDOWS = re.compile(r"[A-Za-z]:|\\\\")


def is_windows(path: str) -> bool:
    """Whether a path is one of Windows, with a drive or a share."""
    return _WINDOWS.match(path) is not None


def is_absolute(path: str) -> bool:
    """Whether a path stands for itself."""
    return path.startswith("/") or is_windows(path)


def trim_folder(folder: str) -> str:
    """A folder without the separators at its end; a root stays one."""
    trimmed = folder.rstrip("\\/") if is_windows(folder) else folder.rstrip("/")
    return trimmed or folder


def join_path(folder: str, relative: str) -> str | None:
    """A file below a folder, with the folder's separators; None where the text leads elsewhere."""
    windows = is_windows(folder)
    text = relative.replace("/", "\\") if windows else relative
    separator = "\\" if windows else "/"
    parts = text.split(separator)
    if not relative or is_absolute(relative) or ".." in parts:
        return None
    return f"{trim_folder(folder).rstrip(separator)}{separator}{text.lstrip(separator)}"


def is_below(path: str, folder: str) -> bool:
    """Whether a path lies in a folder. Windows knows no upper and lower case, and either separator."""
    path, folder = trim_folder(path), trim_folder(folder)
    if is_windows(folder):
        path, folder = (text.replace("/", "\\").casefold() for text in (path, folder))
    separator = "\\" if is_windows(folder) else "/"
    return path == folder or path.startswith(folder.rstrip(separator) + separator)


def place_file(folder: str, relative: str | None, path: str | None) -> str | None:
    """Where a file lies: folder and relative path before its own path, which old versions fill with that of the download."""
    if folder and relative and (joined := join_path(folder, relative)):
        return joined
    if (
        path
        and is_absolute(path)
        and ".." not in re.split(r"[\\/]", path)
        and (not folder or is_below(path, folder))
    ):
        return path
    return None
