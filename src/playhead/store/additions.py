"""What was ever seen on the servers, and what of it was new, in an SQLite file of its own.

Of its own because it is written by whoever looks, at any time, while an import holds the database; and because it can be
thrown away: then everything is seen for the first time again. Keys are kept as 64-bit numbers, two dozen bytes each.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec
import xxhash

from playhead.domain.news.addition import Addition
from playhead.domain.news.judging import KnownItem, Word, find_item, judge, keep
from playhead.domain.news.sighting import Keys, Sighting, make_keys
from playhead.ports.additions import Shelf, Shown
from playhead.store.own_file import OwnFile

STEPS = (
    """
    CREATE TABLE shelf (
        connection TEXT NOT NULL, library_id TEXT NOT NULL, floor INTEGER, high INTEGER, complete INTEGER NOT NULL DEFAULT 0,
        looked_at REAL,
        PRIMARY KEY (connection, library_id)
    ) WITHOUT ROWID;
    CREATE TABLE seen (key INTEGER PRIMARY KEY, item INTEGER NOT NULL);
    CREATE TABLE item (id INTEGER PRIMARY KEY, body BLOB NOT NULL);
    CREATE TABLE addition (id INTEGER PRIMARY KEY AUTOINCREMENT, body BLOB NOT NULL);
    CREATE TABLE shown (
        number INTEGER PRIMARY KEY AUTOINCREMENT, addition INTEGER NOT NULL, connection TEXT NOT NULL, library_id TEXT NOT NULL,
        library TEXT NOT NULL, UNIQUE (addition, connection, library_id)
    );
    CREATE TABLE rule (name TEXT PRIMARY KEY, heard INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE queued (
        rule TEXT NOT NULL, addition INTEGER NOT NULL, at REAL NOT NULL, notice INTEGER, PRIMARY KEY (rule, addition)
    ) WITHOUT ROWID;
    CREATE INDEX queued_open ON queued (rule, at) WHERE notice IS NULL;
    CREATE TABLE notice (
        id INTEGER PRIMARY KEY AUTOINCREMENT, rule TEXT NOT NULL, made_at REAL NOT NULL, sent_at REAL, due_at REAL NOT NULL,
        attempts INTEGER NOT NULL DEFAULT 0, error TEXT NOT NULL DEFAULT '', body BLOB NOT NULL
    );
    CREATE INDEX notice_open ON notice (rule) WHERE sent_at IS NULL;
    CREATE INDEX notice_sent ON notice (rule, sent_at);
    CREATE TABLE trouble (
        key TEXT PRIMARY KEY, since REAL NOT NULL, text TEXT NOT NULL, hint TEXT NOT NULL, told_at REAL
    ) WITHOUT ROWID;
    """,
)
_AT_ONCE = 500


class SqlAdditions:
    """Meets ``ports.additions.Additions``."""

    def __init__(self, file: OwnFile) -> None:
        self._file = file
        self._encode = msgspec.msgpack.Encoder().encode
        self._items = msgspec.msgpack.Decoder(KnownItem)
        self._additions = msgspec.msgpack.Decoder(Addition)

    def load_shelf(self, connection: str, library_id: str) -> Shelf | None:
        """What is known of a library; None for one that was never seen."""
        sql = "SELECT floor, high, complete, looked_at FROM shelf WHERE connection = ? AND library_id = ?"
        rows = self._file.read(sql, connection, library_id)
        return Shelf(rows[0][0], rows[0][1], bool(rows[0][2]), rows[0][3]) if rows else None

    def open_shelf(self, connection: str, library_id: str, floor: int | None) -> Shelf:
        """Note a library that is seen for the first time."""
        with self._file.write() as write:
            sql = "INSERT OR IGNORE INTO shelf (connection, library_id, floor) VALUES (?, ?, ?)"
            write.execute(sql, (connection, library_id, floor))
        shelf = self.load_shelf(connection, library_id)
        assert shelf is not None
        return shelf

    def forget_shelves(self) -> None:
        """Every library is seen for the first time again; what was seen stays known."""
        with self._file.write() as write:
            write.execute("DELETE FROM shelf")

    def find_known(self, connection: str, native_ids: Collection[str]) -> set[str]:
        """Those of a server's ids that were seen before."""
        by_hash = {_hash(f"ref {connection}\n{native_id}"): native_id for native_id in native_ids}
        with self._file.write() as write:
            return {by_hash[key] for key in _load_seen(write, by_hash)}

    def learn(self, sightings: Sequence[Sighting], now: float) -> None:
        """Keep what was there at first sight; nothing of it is told."""
        with self._file.write() as write:
            for sighting in sightings:
                keys = make_keys(sighting)
                known, items = self._look_up(write, keys)
                item = find_item(sighting, keys, known, items, now)
                self._keep(write, item, keep(items.get(item or 0), sighting, None, now), keys)

    def end_first_sight(self, connection: str, library_id: str, high: int | None, began_at: float) -> None:
        """All that was there is known."""
        with self._file.write() as write:
            sql = "UPDATE shelf SET complete = 1, high = ?, looked_at = ? WHERE connection = ? AND library_id = ?"
            write.execute(sql, (high, began_at, connection, library_id))

    def end_look(self, connection: str, library_id: str, began_at: float) -> None:
        """A look is over, and all of it is kept."""
        with self._file.write() as write:
            sql = "UPDATE shelf SET looked_at = ? WHERE connection = ? AND library_id = ?"
            write.execute(sql, (began_at, connection, library_id))

    def take(
        self,
        connection: str,
        library_id: str,
        library: str,
        sightings: Sequence[Sighting],
        now: float,
        *,
        high: int | None = None,
        sure: bool = False,
        words: Mapping[str, Word] | None = None,
    ) -> list[Addition]:
        """Judge what was seen, in order, and keep it; gives what is new. ``high`` None = as it was."""
        found: list[Addition] = []
        with self._file.write() as write:
            sql = "SELECT floor FROM shelf WHERE connection = ? AND library_id = ?"
            floor = next((row[0] for row in write.execute(sql, (connection, library_id))), None)
            for sighting in sightings:
                addition = self._take_one(write, sighting, library, floor, sure, words or {}, now)
                found += [addition] if addition else []
            if high is not None:
                sql = "UPDATE shelf SET high = max(coalesce(high, ?1), ?1) WHERE connection = ?2 AND library_id = ?3"
                write.execute(sql, (high, connection, library_id))
        return found

    def list_shown(self, after: int, limit: int) -> list[Shown]:
        """Additions with their servers, in the order in which they were seen."""
        sql = """SELECT number, connection, library_id, library, addition, body FROM shown
            JOIN addition ON addition.id = shown.addition WHERE number > ? ORDER BY number LIMIT ?"""
        return [
            Shown(number, connection, library_id, library, self._decode(addition, body))
            for number, connection, library_id, library, addition, body in self._file.read(sql, after, limit)
        ]

    def newest_shown(self) -> int:
        """The number of the last; 0 = none."""
        return int(self._file.read("SELECT coalesce(max(number), 0) FROM shown")[0][0])

    def _take_one(
        self, write: sqlite3.Connection, sighting: Sighting, library: str, floor: int | None, sure: bool,
        words: Mapping[str, Word], now: float,
    ) -> Addition | None:  # fmt: skip
        keys = make_keys(sighting)
        known, items = self._look_up(write, keys)
        judged = judge(sighting, keys, known, items, floor=floor, sure=sure, words=words, now=now)
        before = items.get(judged.item) if judged.item is not None else None
        kept = keep(before, sighting, judged.what, now)
        addition = None
        if judged.what is not None:
            addition = self._add(write, _describe(sighting, library, judged.what, now))
            kept = msgspec.structs.replace(kept, addition=addition.id)
        if kept.addition and (before is None or addition or sighting.connection not in before.connections):
            sql = (
                "INSERT OR IGNORE INTO shown (addition, connection, library_id, library) VALUES (?, ?, ?, ?)"
            )
            write.execute(sql, (kept.addition, sighting.connection, sighting.library_id, library))
        if kept != before or len(known) < len(keys.list_all()):
            self._keep(write, judged.item, kept, keys)
        return addition

    def _add(self, write: sqlite3.Connection, addition: Addition) -> Addition:
        number = write.execute("INSERT INTO addition (body) VALUES (?)", (self._encode(addition),)).lastrowid
        return msgspec.structs.replace(addition, id=int(number or 0))

    def _decode(self, number: int, body: bytes) -> Addition:
        return msgspec.structs.replace(self._additions.decode(body), id=number)

    def _look_up(self, write: sqlite3.Connection, keys: Keys) -> tuple[dict[str, int], dict[int, KnownItem]]:
        hashed = {_hash(key): key for key in keys.list_all()}
        known = {hashed[number]: item for number, item in _load_seen(write, hashed).items()}
        items: dict[int, KnownItem] = {}
        for item in set(known.values()):
            for (body,) in write.execute("SELECT body FROM item WHERE id = ?", (item,)):
                items[item] = self._items.decode(body)
        return known, items

    def _keep(self, write: sqlite3.Connection, number: int | None, item: KnownItem, keys: Keys) -> None:
        """Keys that lead elsewhere stay with whom they lead to."""
        body = self._encode(item)
        if number is None:
            number = write.execute("INSERT INTO item (body) VALUES (?)", (body,)).lastrowid
        else:
            write.execute("UPDATE item SET body = ? WHERE id = ?", (body, number))
        rows = [(_hash(key), number) for key in keys.list_all()]
        write.executemany("INSERT OR IGNORE INTO seen VALUES (?, ?)", rows)


def _describe(sighting: Sighting, library: str, what: str, now: float) -> Addition:
    fields = {
        name: getattr(sighting, name)
        for name in Addition.__struct_fields__
        if name in Sighting.__struct_fields__
    }
    return msgspec.convert({**fields, "id": 0, "what": what, "library": library, "found_at": now}, Addition)


def _load_seen(write: sqlite3.Connection, keys: Iterable[int]) -> dict[int, int]:
    found: dict[int, int] = {}
    numbers = list(keys)
    for start in range(0, len(numbers), _AT_ONCE):
        part = numbers[start : start + _AT_ONCE]
        sql = f"SELECT key, item FROM seen WHERE key IN ({','.join('?' * len(part))})"
        found.update(write.execute(sql, part))
    return found


def _hash(key: str) -> int:
    """Signed, as SQLite has them."""
    number = xxhash.xxh3_64_intdigest(key.encode("utf-8", "surrogatepass"))
    return number - (1 << 64) if number >= 1 << 63 else number
