"""The index of file names on SQLite: kept by comparing folders, never by walking all of them again.

A file of its own beside the database: it can be made anew from the disks at any time. A root, or a disk mounted below one, that
is not there keeps its entries. What came is marked untold until somebody has taken notice of it.
"""

from __future__ import annotations

import os
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from threading import Lock, RLock
from typing import Literal

from playhead.ports.file_index import Compared, FileChange, Progress, Root
from playhead.store.file_names import (
    BELOW,
    ONE_FILE,
    FileNames,
    below,
    join,
    make_key,
    name_file,
    signed,
    told,
)
from playhead.store.folder_reading import Listing, read_folder, read_folders

FILE_NAME = "files.db"
BUSY_TIMEOUT_MS = 10_000
LISTINGS_A_TRANSACTION = 1_000
CACHE_KB = 16_000  # of who writes: the index by key is written all over
VERSION = 1

_TABLES = """
    CREATE TABLE root (path BLOB PRIMARY KEY, whole INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
    CREATE TABLE folder (
        id INTEGER PRIMARY KEY, path BLOB NOT NULL UNIQUE, parent_id INTEGER, key INTEGER NOT NULL,
        inode INTEGER NOT NULL, mtime_ns INTEGER NOT NULL DEFAULT -1, device INTEGER NOT NULL DEFAULT 0
    );
    CREATE INDEX folder_parent ON folder (parent_id);
    CREATE INDEX folder_key ON folder (key);
    CREATE TABLE file (
        id INTEGER PRIMARY KEY, folder_id INTEGER NOT NULL, name BLOB NOT NULL, key INTEGER NOT NULL, inode INTEGER NOT NULL,
        untold INTEGER
    );
    CREATE INDEX file_folder ON file (folder_id);
    CREATE INDEX file_key ON file (key);
    CREATE INDEX file_untold ON file (untold) WHERE untold IS NOT NULL;
"""
_HOLDS = """SELECT 1 FROM folder WHERE path = :path AND (EXISTS (SELECT 1 FROM folder AS inner WHERE inner.parent_id = folder.id)
    OR EXISTS (SELECT 1 FROM file WHERE folder_id = folder.id))"""


Hear = Callable[[Sequence[FileChange]], None]


class _Look:
    """What one look at a root brings together."""

    def __init__(self, told: Sequence[str]) -> None:
        self.told = told
        self.folders = self.files = 0
        self.changes: list[FileChange] = []
        self.away: list[str] = []
        self.unreadable: list[tuple[str, str]] = []

    def add(
        self,
        what: Literal["came", "went", "replaced"],
        found: Iterable[tuple[str, int]],
        *,
        is_folder: bool = False,
    ) -> None:
        self.changes += [FileChange(what, path, inode, is_folder) for path, inode in found]

    def tells(self, folder: str) -> bool:
        """Whether what changed in a folder is told."""
        return any(is_below(folder, root) for root in self.told)


class SqlFileIndex(FileNames):
    """Meets ``ports.file_index.FileIndex``. Raises StoreError where its file cannot be used."""

    def __init__(self, path: Path) -> None:
        self._writing = RLock()
        self._looking: defaultdict[str, Lock] = defaultdict(
            Lock
        )  # two looks at a root would tell each other's half
        self._anchors: dict[str, tuple[str, ...]] = {}
        self._ears: list[tuple[str, Hear]] = []
        with told(path):
            self._writer = _open(path)
            self._writer.execute(f"PRAGMA cache_size=-{CACHE_KB}")
            super().__init__(path, _connect(path))

    def close(self) -> None:
        """Close the file; nothing is called after it."""
        with self._writing, self._reading:
            self._writer.close()
            self._reader.close()

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Cursor]:
        with self._writing, told(self.path):
            cursor = self._writer.cursor()
            cursor.execute("BEGIN IMMEDIATE")
            try:
                yield cursor
            except BaseException:
                cursor.execute("ROLLBACK")
                raise
            cursor.execute("COMMIT")

    def keep_roots(self, roots: Sequence[Root]) -> None:
        """These and no others are known from now on; what is below others is forgotten."""
        self._anchors = {clean(root.path): root.anchors for root in roots}
        with self._write() as cursor:
            known = {os.fsdecode(path) for (path,) in cursor.execute("SELECT path FROM root")}
            for path in known - set(self._anchors):
                cursor.execute("DELETE FROM root WHERE path = ?", (os.fsencode(path),))
                if not any(is_below(each, path) or is_below(path, each) for each in self._anchors):
                    drop_folder(cursor, path)
            for path in set(self._anchors) - known:
                cursor.execute("INSERT INTO root (path) VALUES (?)", (os.fsencode(path),))
                add_folders(cursor, None, [(path, 0)])

    def compare(self, root: str, on_progress: Progress | None = None) -> Compared:
        """Look at a root by its folders' times, read those that changed, and go on with a first look that was broken off."""
        root = clean(root)
        with self._looking[root]:
            return self._compare(root, on_progress)

    def _compare(self, root: str, on_progress: Progress | None) -> Compared:
        if not self._is_there(root):
            return Compared(away=(root,))
        with self.reading() as cursor:
            query = f"SELECT path, mtime_ns FROM folder WHERE {BELOW} ORDER BY path"
            known = [(os.fsdecode(path), mtime) for path, mtime in cursor.execute(query, below(root))]
        compared = self._take_in(root, known, on_progress)
        if not compared.away:
            with self._write() as cursor:
                cursor.execute("UPDATE root SET whole = 1 WHERE path = ?", (os.fsencode(root),))
        return compared

    def compare_folders(self, root: str, folders: Sequence[str]) -> Compared:
        """The same for single folders below a root, whatever their times say; what is new below them is read, too."""
        root = clean(root)
        with self._looking[root]:
            if not self._is_there(root):
                return Compared(away=(root,))
            return self._take_in(root, [(path, -1) for path in self._find_known(folders)], None)

    def _find_known(self, folders: Sequence[str]) -> list[str]:
        """The folders, or of those that are not known the next one above that is."""
        known: dict[str, None] = {}
        with self.reading() as cursor:
            for folder in folders:
                while len(folder) > 1:
                    if cursor.execute(
                        "SELECT 1 FROM folder WHERE path = ?", (os.fsencode(folder),)
                    ).fetchone():
                        known[folder] = None
                        break
                    folder = os.path.dirname(folder)
        return list(known)

    def _is_there(self, root: str) -> bool:
        """Whether the root can be believed: an empty folder where there were files is a mount point without its disk."""
        if not all(os.path.lexists(anchor) for anchor in self._anchors.get(root, ())):
            return False
        listing = read_folder(root, -1)
        if listing is None or listing.gone or listing.error:
            return False
        if listing.files or listing.folders:
            return True
        with self.reading() as cursor:
            return cursor.execute(_HOLDS, {"path": os.fsencode(root)}).fetchone() is None

    def _take_in(self, root: str, known: list[tuple[str, int]], on_progress: Progress | None) -> Compared:
        """Read what changed, round by round: the folders that a round brings are the next one's."""
        look, heard = _Look(self._list_told()), 0
        while known:
            fresh: list[tuple[str, int]] = []
            listings = read_folders(known)
            while batch := list(islice(listings, LISTINGS_A_TRANSACTION)):
                with self._write() as cursor:
                    for listing in batch:
                        fresh += [(path, -1) for path in self._apply(cursor, listing, look)]
                self._spread(look.changes[heard:])
                heard = len(look.changes)
                if on_progress is not None:
                    on_progress(look.folders, look.files)
            known = fresh
        return Compared(tuple(look.changes), tuple(look.away), tuple(look.unreadable), look.folders)

    def _list_told(self) -> list[str]:
        """The roots below which changes are told: not at first sight, nor where a disk was mounted meanwhile on what was an
        empty folder."""
        with self.reading() as cursor:
            query = "SELECT root.path, device FROM root JOIN folder ON folder.path = root.path WHERE whole"
            found = cursor.execute(query).fetchall()
            held = {path for path, _ in found if cursor.execute(_HOLDS, {"path": path}).fetchone()}
        return [os.fsdecode(path) for path, device in found if path in held or device == _find_device(path)]

    def _spread(self, changes: Sequence[FileChange]) -> None:
        for root, hear in list(self._ears):
            if mine := [each for each in changes if is_below(each.path, root)]:
                hear(mine)

    def listen(self, root: str, hear: Hear) -> Callable[[], None]:
        """Have all changes below a root told, whoever looked, in the thread of that look; gives what ends it."""
        ear = (clean(root), hear)
        self._ears.append(ear)
        return lambda: self._ears.remove(ear)

    def _apply(self, cursor: sqlite3.Cursor, listing: Listing, look: _Look) -> list[str]:
        """Write one folder's listing down; the paths of folders in it that are to be read next."""
        look.folders += 1
        look.files += len(listing.files)
        if listing.error:
            look.unreadable.append((listing.path, listing.error))
        query = "SELECT id, mtime_ns, device FROM folder WHERE path = ?"
        row = cursor.execute(query, (os.fsencode(listing.path),)).fetchone()
        if row is None or listing.error or listing.gone:
            return []  # that it is gone, the folder above it tells
        folder_id, mtime_ns, device = row
        if device not in (0, listing.device) and not listing.files and not listing.folders:
            look.away.append(listing.path)  # a mount point without its disk
            return []
        query = "UPDATE folder SET mtime_ns = ?, device = ? WHERE id = ?"
        cursor.execute(query, (listing.mtime_ns, signed(listing.device), folder_id))
        first = mtime_ns == -1
        self._apply_files(cursor, folder_id, listing, look, first=first)
        return self._apply_folders(cursor, folder_id, listing, look, first=first)

    def _apply_files(
        self, cursor: sqlite3.Cursor, folder_id: int, listing: Listing, look: _Look, *, first: bool
    ) -> None:
        now = {name: signed(inode) for name, inode in listing.files.items()}
        before: dict[str, tuple[int, int]] = {}
        if not first:
            query = "SELECT name, id, inode FROM file WHERE folder_id = ?"
            before = {
                os.fsdecode(name): (id_, inode) for name, id_, inode in cursor.execute(query, (folder_id,))
            }
        came = [name for name in now if name not in before]
        went = [name for name in before if name not in now]
        other = [name for name, inode in now.items() if name in before and before[name][1] != inode]
        tells = look.tells(listing.path)
        untold = 1 if tells else None
        cursor.executemany(
            "INSERT INTO file (folder_id, name, key, inode, untold) VALUES (?, ?, ?, ?, ?)",
            [(folder_id, os.fsencode(name), make_key(name), now[name], untold) for name in came],
        )
        if went:
            cursor.executemany("DELETE FROM file WHERE id = ?", [(before[name][0],) for name in went])
        if other:
            query = "UPDATE file SET inode = ?, untold = ? WHERE id = ?"
            cursor.executemany(query, [(now[name], untold, before[name][0]) for name in other])
        if tells:
            look.add("went", ((join(listing.path, name), before[name][1]) for name in went))
            look.add("replaced", ((join(listing.path, name), now[name]) for name in other))
            look.add("came", ((join(listing.path, name), now[name]) for name in came))

    def _apply_folders(
        self, cursor: sqlite3.Cursor, folder_id: int, listing: Listing, look: _Look, *, first: bool
    ) -> list[str]:
        now = {join(listing.path, name): signed(inode) for name, inode in listing.folders.items()}
        before: dict[str, int] = {}
        if not first:
            query = "SELECT path, inode FROM folder WHERE parent_id = ?"
            before = {os.fsdecode(path): inode for path, inode in cursor.execute(query, (folder_id,))}
        went = [(path, inode) for path, inode in before.items() if path not in now]
        changed = [(path, inode) for path, inode in now.items() if before.get(path) != inode]
        for path, _ in went:
            drop_folder(cursor, path)
        add_folders(cursor, folder_id, changed)
        if look.tells(listing.path):
            look.add("went", went, is_folder=True)
            look.add("came", (each for each in changed if each[0] not in before), is_folder=True)
        return [path for path, _ in changed]

    def mark_untold(self, path: str) -> None:
        """A known file has changed and is to be told again."""
        with self._write() as cursor:
            cursor.execute(f"UPDATE file SET untold = 1 WHERE id = (SELECT id {ONE_FILE})", name_file(path))

    def mark_told(self, paths: Sequence[str]) -> None:
        """Somebody has taken notice of them."""
        with self._write() as cursor:
            query = f"UPDATE file SET untold = NULL WHERE id = (SELECT id {ONE_FILE})"
            cursor.executemany(query, [name_file(path) for path in paths])


def _find_device(path: bytes) -> int:
    try:
        return signed(os.stat(path).st_dev)
    except OSError:
        return -1


def is_below(path: str, folder: str) -> bool:
    """Whether a path is a folder or lies in it."""
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def clean(path: str) -> str:
    """A folder's path without a slash at its end."""
    return path.rstrip("/") or "/"


def add_folders(cursor: sqlite3.Cursor, parent_id: int | None, folders: Iterable[tuple[str, int]]) -> None:
    """Add folders that are to be read; of those that are known only the inode may be new."""
    cursor.executemany(
        """INSERT INTO folder (path, parent_id, key, inode) VALUES (?, ?, ?, ?) ON CONFLICT (path) DO UPDATE
        SET parent_id = coalesce(excluded.parent_id, parent_id), inode = excluded.inode""",
        [(os.fsencode(path), parent_id, make_key(os.path.basename(path)), inode) for path, inode in folders],
    )


def drop_folder(cursor: sqlite3.Cursor, path: str) -> None:
    """Forget a folder and all below it."""
    cursor.execute(f"DELETE FROM file WHERE folder_id IN (SELECT id FROM folder WHERE {BELOW})", below(path))
    cursor.execute(f"DELETE FROM folder WHERE {BELOW}", below(path))


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    for pragma in (
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "temp_store=MEMORY",
    ):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def _open(path: Path) -> sqlite3.Connection:
    """A connection to a file of this version; one of another version is made anew, for the disks know it all."""
    connection = _connect(path)
    if connection.execute("PRAGMA user_version").fetchone()[0] != VERSION:
        connection.close()
        for end in ("", "-wal", "-shm"):
            path.with_name(path.name + end).unlink(missing_ok=True)
        connection = _connect(path)
        connection.executescript(f"BEGIN IMMEDIATE; {_TABLES} PRAGMA user_version={VERSION}; COMMIT;")
    return connection
