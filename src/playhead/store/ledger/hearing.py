"""Single readings that an event asked for: stored where they differ, and their items marked to be looked at."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import nullcontext

from sqlalchemy import RowMapping, bindparam, text

from playhead.ports.backend import Entry
from playhead.ports.ledger import Taken
from playhead.store.fingerprints import is_blank
from playhead.store.ledger.work import IN_LIMIT, Work, chunked

_SAID = "watched, plays, last_played, position_s, rating, favourite, unplayed"


class Hearing(Work):
    """The part of the ledger that takes in what was heard between two reads."""

    def hear(self, account_id: int, entries: Sequence[Entry], now: int) -> Taken:
        """Store direct readings by native id. What the account's connection does not list, or lists with another file than
        the one read, is left to the next read."""
        refs = {
            row["native_id"]: row
            for row in self._rows_in(
                """SELECT r.native_id, r.id, r.item_id, r.media_key, s.fp, s.ref_id AS has_state, s.read_at, s.watched,
                  s.plays, s.last_played, s.position_s, s.rating, s.favourite, s.unplayed
                FROM ref r LEFT JOIN state s ON s.ref_id = r.id AND s.account_id = :account
                WHERE r.connection_id = (SELECT connection_id FROM account WHERE id = :account)
                  AND r.gone_at IS NULL AND r.native_id IN :natives""",
                "natives",
                [entry.native_id for entry in entries],
                account=account_id,
            )
        }
        unknown: list[str] = []
        changed: list[tuple[int, Entry]] = []
        for entry in entries:
            row = refs.get(entry.native_id)
            if row is None or (entry.media_key and row["media_key"] and entry.media_key != row["media_key"]):
                unknown.append(entry.native_id)
            elif row["has_state"] is None:
                if not is_blank(entry):
                    changed.append((row["id"], entry))
            elif not _says_the_same(row, entry):
                changed.append((row["id"], entry))
        self._store(account_id, changed, now)
        self._touch([ref for ref, _ in changed])
        return Taken(len(changed), tuple(unknown))

    def count_tries(self, account_id: int, native_ids: Collection[str]) -> dict[str, int]:
        """How often each of these was written to, as far as it was; -1 while it is being written."""
        statement = text(
            """SELECT r.native_id, sum(c.attempts) AS tries, max(CASE c.state WHEN 'leased' THEN 1 ELSE 0 END) AS leased
            FROM ref r JOIN change c ON c.account_id = :account AND c.ref_id = r.id
            WHERE r.connection_id = (SELECT connection_id FROM account WHERE id = :account)
              AND r.native_id IN :natives GROUP BY r.native_id"""
        ).bindparams(bindparam("natives", expanding=True))
        found: dict[str, int] = {}
        with nullcontext(self._open) if self._open is not None else self._database.read() as connection:
            for part in chunked(native_ids, IN_LIMIT):
                rows = connection.execute(statement, {"account": account_id, "natives": part}).mappings()
                found |= {row["native_id"]: -1 if row["leased"] else row["tries"] for row in rows}
        return found

    def count_watched(self, account_id: int) -> int:
        """How many movies and episodes the account was last seen to have watched."""
        statement = text(
            "SELECT count(*) FROM state s JOIN ref r ON r.id = s.ref_id"
            " WHERE s.account_id = :account AND s.watched AND r.gone_at IS NULL"
        )
        with self._database.read() as connection:
            return int(connection.execute(statement, {"account": account_id}).scalar_one())

    def list_watched(self, account_id: int) -> frozenset[str]:
        """The native ids of what the account was last seen to have watched."""
        statement = text(
            "SELECT r.native_id FROM state s JOIN ref r ON r.id = s.ref_id"
            " WHERE s.account_id = :account AND s.watched AND r.gone_at IS NULL"
        )
        with self._database.read() as connection:
            return frozenset(connection.execute(statement, {"account": account_id}).scalars())

    def count_removed_since(self, since: int) -> dict[tuple[int, int], int]:
        """Items that an account's un-plays made unwatched since then, by (person, account)."""
        rows = self._rows(
            "SELECT person_id, account_id, count(DISTINCT item_id) AS n FROM decision"
            " WHERE cause = 'unplayed' AND at >= :since AND account_id IS NOT NULL GROUP BY person_id, account_id",
            since=since,
        )
        return {(row["person_id"], row["account_id"]): row["n"] for row in rows}

    def _store(self, account_id: int, changed: Sequence[tuple[int, Entry]], now: int) -> None:
        """``fp`` 0: the next read compares anew, whatever the page's hash."""
        self._run_many(
            f"""INSERT INTO state (account_id, ref_id, {_SAID}, fp, run_id, read_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0,
              coalesce((SELECT max(id) FROM run WHERE account_id = ? AND kind = 'import' AND status = 'complete'), 0), ?)
            ON CONFLICT (account_id, ref_id) DO UPDATE SET
              watched = excluded.watched, plays = excluded.plays, last_played = excluded.last_played,
              position_s = excluded.position_s, rating = excluded.rating, favourite = excluded.favourite,
              unplayed = excluded.unplayed, fp = 0, read_before = state.read_at, read_at = excluded.read_at""",
            [
                (
                    account_id,
                    ref,
                    entry.watched,
                    entry.plays,
                    entry.last_played,
                    entry.position_s,
                    entry.rating,
                    entry.favourite,
                    entry.unplayed,
                    account_id,
                    now,
                )
                for ref, entry in changed
            ],
        )

    def _touch(self, refs: Sequence[int]) -> None:
        self._run_in(
            "INSERT INTO touched (item_id) SELECT item_id FROM ref WHERE id IN :refs"
            " UNION SELECT item_id FROM ref_span WHERE ref_id IN :refs ON CONFLICT DO NOTHING",
            "refs",
            refs,
        )


def _says_the_same(row: RowMapping, entry: Entry) -> bool:
    said = tuple(row[name] for name in _SAID.split(", "))
    now = (
        entry.watched, entry.plays, entry.last_played, entry.position_s, entry.rating, entry.favourite, entry.unplayed,
    )  # fmt: skip
    return said == now
