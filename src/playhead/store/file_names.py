"""Reads the index of file names: where a name is, what was told to nobody yet, how much is known. Writes nothing.

Names are kept as the system gives them and looked for by a hash of their plain form (accents composed, case folded).
"""

from __future__ import annotations

import os
import sqlite3
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock

import xxhash

from playhead.ports.file_index import RootState
from playhead.store.database import StoreError

BELOW = "(path = :path OR path > :low AND path < :high)"
_SPELLED = """SELECT folder.path, file.name FROM file JOIN folder ON folder.id = file.folder_id WHERE file.key = ?
    UNION ALL SELECT path, NULL FROM folder WHERE key = ?"""
_UNTOLD = f"""SELECT folder.path, file.name FROM file JOIN folder ON folder.id = file.folder_id
    WHERE file.untold IS NOT NULL AND {BELOW} ORDER BY file.untold, file.id"""
ONE_FILE = "FROM file WHERE name = :name AND folder_id = (SELECT id FROM folder WHERE path = :folder)"


def make_key(name: str) -> int:
    """A number that is the same for two spellings of a name."""
    plain = fold_name(name)
    return signed(xxhash.xxh3_64_intdigest(os.fsencode(plain)))


def fold_name(name: str) -> str:
    """The plain form of a name: accents composed, case folded."""
    if name.isascii():
        return name.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def signed(number: int) -> int:
    """64 bits as SQLite has them."""
    return number - (1 << 64) if number >> 63 else number


def below(path: str) -> dict[str, bytes]:
    """The arguments of ``BELOW``: a folder and all paths that begin with it and a slash."""
    raw = os.fsencode(path)
    start = raw.rstrip(b"/")
    return {"path": raw, "low": start + b"/", "high": start + b"0"}


def name_file(path: str) -> dict[str, bytes]:
    """The arguments of ``ONE_FILE``."""
    folder, _, name = path.rpartition("/")
    return {"folder": os.fsencode(folder or "/"), "name": os.fsencode(name)}


def join(folder: str, name: str) -> str:
    """The path of a name in a folder."""
    return f"{folder.rstrip('/')}/{name}"


class FileNames:
    """What can be asked of the index, from any thread. Raises StoreError where its file cannot be read."""

    def __init__(self, path: Path, reader: sqlite3.Connection) -> None:
        self.path = path
        self._reader, self._reading = reader, RLock()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Cursor]:
        """A cursor that nobody else uses meanwhile."""
        with self._reading, told(self.path):
            yield self._reader.cursor()

    def find(self, name: str, limit: int = 50) -> list[str]:
        """Paths of files and folders with that name, or that end of a path, accents written either way; those of the same
        upper and lower case where there are any."""
        parts = [part for part in name.replace("\\", "/").split("/") if part]
        if not parts:
            return []
        key = make_key(parts[-1])
        with self.reading() as cursor:
            rows = cursor.execute(_SPELLED, (key, key)).fetchall()
        paths = [
            os.fsdecode(path) if name is None else join(*map(os.fsdecode, (path, name)))
            for path, name in rows
        ]
        end = "/" + "/".join(parts)
        alike = [path for path in paths if fold_name(path).endswith(fold_name(end))]
        same = [path for path in alike if _compose(path).endswith(_compose(end))]
        return sorted(same or alike)[:limit]

    def knows(self, path: str) -> bool:
        """Whether a file of that path is known."""
        with self.reading() as cursor:
            return cursor.execute(f"SELECT 1 {ONE_FILE}", name_file(path)).fetchone() is not None

    def list_untold(self, root: str) -> list[str]:
        """Files that came or changed and have not been told yet."""
        with self.reading() as cursor:
            return [join(*map(os.fsdecode, row)) for row in cursor.execute(_UNTOLD, below(root))]

    def list_folders(self, root: str) -> list[str]:
        """Every known folder below a root and itself."""
        with self.reading() as cursor:
            query = f"SELECT path FROM folder WHERE {BELOW} ORDER BY path"
            return [os.fsdecode(path) for (path,) in cursor.execute(query, below(root))]

    def list_states(self) -> list[RootState]:
        """How much is known of each root."""
        with self.reading() as cursor:
            roots = cursor.execute("SELECT path, whole FROM root ORDER BY path").fetchall()
            count = f"""SELECT (SELECT count(*) FROM folder WHERE {BELOW}),
                (SELECT count(*) FROM file WHERE folder_id IN (SELECT id FROM folder WHERE {BELOW}))"""
            found = [(os.fsdecode(path), whole) for path, whole in roots]
            counts = [cursor.execute(count, below(path)).fetchone() for path, _ in found]
        return [
            RootState(path, files, folders, bool(whole))
            for (path, whole), (folders, files) in zip(found, counts, strict=True)
        ]


def _compose(text: str) -> str:
    return text if text.isascii() else unicodedata.normalize("NFC", text)


@contextmanager
def told(path: Path) -> Iterator[None]:
    """SQLite's errors, in words."""
    try:
        yield
    except sqlite3.Error as error:
        raise StoreError(
            f"The index of file names {path} cannot be used ({error}).",
            hint="Is the disk full or the home folder read-only? The file can be removed: it is made anew.",
        ) from error
