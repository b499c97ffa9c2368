"""What the net remembers between two looks: where the history was, and which files each series or movie had. Pure."""

from __future__ import annotations

import msgspec

from playhead.adapters._arr.answers import FileRow, HolderRow
from playhead.adapters._arr.paths import is_below, trim_folder
from playhead.ports.arrivals import Arrival


class KeptFile(msgspec.Struct, array_like=True):
    """A file: its number there, and its bytes. 0 and -1 where only the history told of it."""

    number: int = 0
    size: int = -1


class KeptHolder(msgspec.Struct, array_like=True):
    """A series or movie with its files by their paths below its folder. ``count`` and ``size`` are its statistics when its files
    were read; a count of -1: they were never read."""

    path: str
    title: str
    claims: tuple[str, ...]
    count: int
    size: int
    files: dict[str, KeptFile]


class Memory(msgspec.Struct):
    """``last_id`` and ``last_at`` (epoch seconds on the sender's clock) are the newest record of the history that was told;
    ``swept``: the holders were looked at once."""

    last_id: int = 0
    last_at: float = 0.0
    swept: bool = False
    holders: dict[int, KeptHolder] = {}


def load_memory(kept: bytes) -> Memory | None:
    """None where it is of another form: the next look begins anew."""
    try:
        return msgspec.json.decode(kept, type=Memory)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def count_files(row: HolderRow) -> tuple[int, int]:
    """How many files, and their bytes."""
    told = row.statistics
    if told is None:
        return (0, 0) if row.movieFile is None else (1, row.movieFile.size)
    return told.episodeFileCount + told.movieFileCount, told.sizeOnDisk


def keep_files(rows: list[FileRow], folder: str) -> dict[str, KeptFile]:
    """Files as they are remembered; those whose place is not told are left out."""
    found = {}
    for row in rows:
        relative = row.relativePath or cut_folder(row.path or "", folder)
        if relative:
            found[relative] = KeptFile(row.id, row.size)
    return found


def cut_folder(path: str, folder: str) -> str | None:
    """A path below a folder, without it; None where it lies elsewhere."""
    if not folder or not path or not is_below(path, folder):
        return None
    return path[len(trim_folder(folder)) :].lstrip("\\/") or None


def note_arrival(holder: KeptHolder, arrival: Arrival) -> None:
    """Remember what the history told, so that comparing does not tell it again."""
    for path in (*arrival.before, *(arrival.paths if arrival.what == "deleted" else ())):
        holder.files.pop(cut_folder(path, holder.path) or "", None)
    for path in arrival.paths if arrival.what != "deleted" else ():
        relative = cut_folder(path, holder.path)
        if relative:
            holder.files[relative] = KeptFile()
