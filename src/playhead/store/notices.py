"""What is to be told and what was, in the file of the additions, so that nothing lies between the two."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence

import msgspec

from playhead.domain.news.addition import Addition
from playhead.ports.notices import ONCE, Notice, Queue, Trouble
from playhead.store.own_file import OwnFile

DAY_S = 86_400.0
KEEP_S = 90 * DAY_S
_ADD = "INSERT INTO notice (rule, made_at, due_at, body) VALUES (?, ?, ?, ?)"


class _Body(msgspec.Struct):
    """What of a notice is in no column; its additions are found by the queue."""

    failed: tuple[Trouble, ...] = ()
    recovered: tuple[Trouble, ...] = ()
    done: tuple[str, ...] = ()


class SqlNoticeBook:
    """Meets ``ports.notices.NoticeBook``."""

    def __init__(self, file: OwnFile) -> None:
        self._file = file
        self._encode = msgspec.msgpack.Encoder().encode
        self._bodies = msgspec.msgpack.Decoder(_Body)
        self._additions = msgspec.msgpack.Decoder(Addition)

    def find_heard(self, rule: str) -> int:
        """The last that a rule heard of; a rule that is new begins with what comes from now on."""
        with self._file.write() as write:
            sql = "INSERT OR IGNORE INTO rule SELECT ?, coalesce(max(number), 0) FROM shown"
            write.execute(sql, (rule,))
            return int(write.execute("SELECT heard FROM rule WHERE name = ?", (rule,)).fetchone()[0])

    def keep_rules(self, names: Collection[str]) -> None:
        """Forget the others, with what waited for them."""
        known = {
            row[0]
            for row in self._file.read(
                "SELECT name FROM rule UNION SELECT rule FROM notice WHERE sent_at IS NULL"
            )
        }
        others = [(name,) for name in known - set(names)]
        if not others:
            return
        with self._file.write() as write:
            write.executemany("DELETE FROM rule WHERE name = ?", others)
            write.executemany("DELETE FROM queued WHERE rule = ? AND notice IS NULL", others)
            write.executemany("DELETE FROM notice WHERE rule = ? AND sent_at IS NULL", others)

    def hear(self, rule: str, additions: Collection[int], upto: int, now: float) -> None:
        """Queue additions for a rule, each once for ever, and note how far it heard."""
        with self._file.write() as write:
            sql = "INSERT OR IGNORE INTO queued (rule, addition, at) VALUES (?, ?, ?)"
            write.executemany(sql, [(rule, number, now) for number in sorted(additions)])
            write.execute("UPDATE rule SET heard = ? WHERE name = ?", (upto, rule))

    def look(self, rule: str, now: float) -> Queue:
        """How its queue stands."""
        sql = "SELECT count(*), min(at), max(at) FROM queued WHERE rule = ? AND notice IS NULL"
        count, first, last = self._file.read(sql, rule)[0]
        sent = self._file.read(
            "SELECT count(*) FROM notice WHERE rule = ? AND sent_at > ?", rule, now - DAY_S
        )
        waiting = self._file.read("SELECT count(*) FROM notice WHERE rule = ? AND sent_at IS NULL", rule)
        return Queue(count, first or 0.0, last or 0.0, sent[0][0], waiting[0][0] > 0)

    def make_notice(self, rule: str, now: float) -> None:
        """Make one notice of all that waits."""
        with self._file.write() as write:
            number = write.execute(_ADD, (rule, now, now, self._encode(_Body()))).lastrowid
            sql = "UPDATE queued SET notice = ? WHERE rule = ? AND notice IS NULL"
            if write.execute(sql, (number, rule)).rowcount == 0:
                write.execute("DELETE FROM notice WHERE id = ?", (number,))
            write.execute("DELETE FROM notice WHERE sent_at < ?", (now - KEEP_S,))

    def tell_troubles(self, rules: Sequence[str], current: Sequence[Trouble], now: float) -> None:
        """Make notices of what fails and of what recovered, each once."""
        with self._file.write() as write:
            before = {
                key: (since, Trouble(key, text, hint), told_at)
                for key, since, text, hint, told_at in write.execute("SELECT * FROM trouble")
            }
            failed: list[Trouble] = []
            for each in current:
                since, _, told_at = before.get(each.key, (now, each, None))
                ripe = bool(rules) and told_at is None and now - since >= each.after_s
                failed += [each] if ripe else []
                row = (each.key, since, each.text, each.hint, now if ripe else told_at)
                if before.get(each.key) != (since, Trouble(*each_of(each)), row[4]):
                    write.execute("INSERT OR REPLACE INTO trouble VALUES (?, ?, ?, ?, ?)", row)
            over = before.keys() - {each.key for each in current}
            recovered = [
                before[key][1]
                for key in sorted(over)
                if before[key][2] is not None and not key.startswith(ONCE)
            ]
            write.executemany("DELETE FROM trouble WHERE key = ?", [(key,) for key in over])
            if failed or recovered:
                body = self._encode(_Body(tuple(failed), tuple(recovered)))
                write.executemany(_ADD, [(rule, now, now, body) for rule in rules])

    def list_open(self, now: float) -> list[Notice]:
        """Notices to be sent now, the oldest first."""
        sql = "SELECT id, rule, made_at, attempts, body FROM notice WHERE sent_at IS NULL AND due_at <= ? ORDER BY id"
        return [self._notice(*row) for row in self._file.read(sql, now)]

    def next_due(self) -> float | None:
        """When the next notice that could not be sent is due."""
        due = self._file.read("SELECT min(due_at) FROM notice WHERE sent_at IS NULL")[0][0]
        return None if due is None else float(due)

    def note_sent(self, notice: int, target: str) -> None:
        """A target has it."""
        with self._file.write() as write:
            body = self._bodies.decode(_find_body(write, notice))
            done = tuple(dict.fromkeys((*body.done, target)))
            changed = self._encode(msgspec.structs.replace(body, done=done))
            write.execute("UPDATE notice SET body = ? WHERE id = ?", (changed, notice))

    def end(self, notice: int, now: float) -> None:
        """All targets have it."""
        with self._file.write() as write:
            write.execute("UPDATE notice SET sent_at = ?, error = '' WHERE id = ?", (now, notice))

    def postpone(self, notice: int, due_at: float, error: str) -> None:
        """It is tried again later."""
        with self._file.write() as write:
            sql = "UPDATE notice SET attempts = attempts + 1, due_at = ?, error = ? WHERE id = ?"
            write.execute(sql, (due_at, error, notice))

    def list_errors(self) -> dict[str, str]:
        """Why the open notices of rules could not be sent."""
        sql = "SELECT rule, error FROM notice WHERE sent_at IS NULL AND error <> '' ORDER BY id"
        return dict(self._file.read(sql))

    def _notice(self, number: int, rule: str, made_at: float, attempts: int, body: bytes) -> Notice:
        sql = """SELECT addition, body FROM queued JOIN addition ON addition.id = queued.addition
            WHERE rule = ? AND notice = ? ORDER BY addition"""
        additions = [
            msgspec.structs.replace(self._additions.decode(each), id=key)
            for key, each in self._file.read(sql, rule, number)
        ]
        more = self._bodies.decode(body)
        return Notice(
            number, rule, made_at, attempts, tuple(additions), more.failed, more.recovered, more.done
        )


def each_of(trouble: Trouble) -> tuple[str, str, str]:
    """What of a trouble is kept."""
    return trouble.key, trouble.text, trouble.hint


def _find_body(write: sqlite3.Connection, notice: int) -> bytes:
    row = write.execute("SELECT body FROM notice WHERE id = ?", (notice,)).fetchone()
    return bytes(row[0])
