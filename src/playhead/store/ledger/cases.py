"""Loads what the merge looks at, and stores what it made of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec
from sqlalchemy import RowMapping

from playhead.domain.reconcile.model import Agreed, Slot, Verdict
from playhead.ports.backend import Entry
from playhead.ports.ledger import AccountRole, Case, Delivery, ItemLabel, Removal, Settlement
from playhead.store.ledger.rows import (
    NEVER_READ,
    CompleteRuns,
    decode_state,
    encode,
    facet_of,
    is_blank,
    is_fresh,
    make_slot,
    pick_one_per_state,
    read_agreed,
)
from playhead.store.ledger.sent import Sent
from playhead.store.ledger.touching import Touching

_AGREED = "watched, plays, watched_at, unwatched_at, watched_from, position_s, position_at, position_from, runtime_s"
_REFS = """
SELECT r.id, r.item_id AS first_item, {item} AS item_id, r.connection_id, r.native_id, r.runtime_s, r.span,
       r.first_run, r.state_key, f.account_id AS first_account
FROM ref r {join} LEFT JOIN run f ON f.id = r.first_run
WHERE {item} IN :items AND r.gone_at IS NULL"""
_REFS_DIRECT = _REFS.format(item="r.item_id", join="")
_REFS_SPAN = _REFS.format(item="s.item_id", join="JOIN ref_span s ON s.ref_id = r.id")

_WRITTEN = """
SELECT s.account_id, r.item_id, max(s.written_at) AS written_at FROM ref r JOIN state s ON s.ref_id = r.id
WHERE r.item_id IN :items AND s.written_at IS NOT NULL GROUP BY s.account_id, r.item_id"""

_REMOVALS = """
SELECT a.person_id, s.account_id, r.item_id, s.ref_id, r.native_id, r.media_key, s.read_at
FROM state s JOIN ref r ON r.id = s.ref_id JOIN account a ON a.id = s.account_id
WHERE s.unplayed AND s.watched IS NOT TRUE AND s.watched IS NOT NULL AND r.gone_at IS NULL
  AND (s.b_watched IS TRUE OR (s.b_watched IS NOT NULL AND s.b_position_s > 0))
  AND s.run_id <= (SELECT max(c.id) FROM run c
                   WHERE c.account_id = s.account_id AND c.kind = 'import' AND c.status = 'complete')
ORDER BY s.account_id, s.ref_id"""


class Cases(Touching, Sent):
    """The merge's side of the ledger."""

    def find_removals(self, roles: Mapping[int, AccountRole]) -> list[Removal]:
        """Slots that look like a removal, from a complete read taken after the hub's own last write there."""
        return [
            Removal(**row)
            for row in self._rows(_REMOVALS)
            if (role := roles.get(row["account_id"])) is not None and role.read
        ]

    def count_known(self) -> dict[int, int]:
        """For each person: agreed watched items and resume points."""
        rows = self._rows(
            "SELECT person_id, count(*) AS n FROM agreed WHERE watched OR position_s > 0 GROUP BY person_id"
        )
        return {row["person_id"]: row["n"] for row in rows}

    def load_cases(
        self,
        items: Sequence[int],
        roles: Mapping[int, AccountRole],
        verdicts: Mapping[tuple[int, int], Verdict],
    ) -> list[Case]:
        """Every person's case for each item that is not blank throughout."""
        refs = [*self._rows_in(_REFS_DIRECT, "items", items), *self._rows_in(_REFS_SPAN, "items", items)]
        states = self._load_states(roles, {row["id"] for row in refs})
        siblings = self._load_siblings([row for row in refs if row["span"] > 1])
        runs = self._load_complete_runs()
        sent = self.load_sent({row["id"] for row in refs})
        written_before = self._load_written_before(refs, runs)
        leased = self.load_leased()
        in_flight: set[tuple[int, int]] = set()
        by_connection: dict[int, list[AccountRole]] = defaultdict(list)
        for role in roles.values():
            by_connection[role.connection_id].append(role)
        slots: dict[tuple[int, int], list[Slot]] = defaultdict(list)
        for row in pick_one_per_state(refs, states):
            for role in by_connection.get(row["connection_id"], ()):
                if (role.account_id, row["id"]) in leased:
                    in_flight.add((role.person_id, row["item_id"]))
                    continue
                slot = make_slot(
                    row,
                    role,
                    states.get((role.account_id, row["id"])),
                    runs.get(role.account_id, NEVER_READ),
                    verdicts,
                    sent,
                    written_before,
                )
                slots[role.person_id, row["item_id"]].append(slot)
        return self._join_cases(items, slots, siblings, in_flight)

    def _join_cases(
        self,
        items: Sequence[int],
        slots: Mapping[tuple[int, int], list[Slot]],
        siblings: Mapping[int, tuple[int, ...]],
        in_flight: Collection[tuple[int, int]],
    ) -> list[Case]:
        rows = {(row["person_id"], row["item_id"]): row for row in self._agreed_rows(items)}
        cases: list[Case] = []
        for key in sorted({*slots, *in_flight}):
            own = slots.get(key, [])
            if key not in rows and key not in in_flight and all(is_blank(slot) for slot in own):
                continue
            own.sort(key=lambda slot: slot.key)
            near = {
                s.ref_id: tuple(i for i in siblings[s.ref_id] if i != key[1])
                for s in own
                if s.ref_id in siblings
            }
            agreed = read_agreed(rows[key]) if key in rows else Agreed()
            since = rows[key]["changed_at"] if key in rows else None
            cases.append(Case(*key, agreed, own, since, near, key in in_flight))
        return cases

    def _agreed_rows(self, items: Collection[int]) -> list[RowMapping]:
        return list(
            self._rows_in(
                f"SELECT person_id, item_id, {_AGREED}, changed_at FROM agreed WHERE item_id IN :items",
                "items",
                items,
            )
        )

    def load_agreed(self, person_id: int, items: Collection[int]) -> dict[int, Agreed]:
        """A person's agreed values of some items."""
        return {
            row["item_id"]: read_agreed(row)
            for row in self._agreed_rows(items)
            if row["person_id"] == person_id
        }

    def _load_states(
        self, accounts: Iterable[int], refs: Collection[int]
    ) -> dict[tuple[int, int], RowMapping]:
        found: dict[tuple[int, int], RowMapping] = {}
        for account in accounts:  # in the order of the primary key
            rows = self._rows_in(
                "SELECT * FROM state WHERE account_id = :account AND ref_id IN :refs",
                "refs",
                refs,
                account=account,
            )
            found |= {(account, row["ref_id"]): row for row in rows}
        return found

    def _load_written_before(
        self, refs: Sequence[RowMapping], runs: Mapping[int, CompleteRuns]
    ) -> dict[tuple[int, int], int]:
        """When the hub last wrote to an account's ids of an item, gone ones included, for items with an id that is new."""
        fresh = {row["item_id"] for row in refs if any(is_fresh(row, own) for own in runs.values())}
        rows = self._rows_in(_WRITTEN, "items", fresh) if fresh else []
        return {(row["account_id"], row["item_id"]): row["written_at"] for row in rows}

    def _load_siblings(self, refs: Sequence[RowMapping]) -> dict[int, tuple[int, ...]]:
        found: dict[int, list[int]] = {row["id"]: [row["first_item"]] for row in refs}
        for row in self._rows_in(
            "SELECT ref_id, item_id FROM ref_span WHERE ref_id IN :refs", "refs", list(found)
        ):
            found[row["ref_id"]].append(row["item_id"])
        return {ref: tuple(items) for ref, items in found.items()}

    def _load_complete_runs(self) -> dict[int, CompleteRuns]:
        rows = self._rows(
            "SELECT account_id, id, started_at FROM run WHERE kind = 'import' AND status = 'complete' ORDER BY id"
        )
        by_account: dict[int, list[RowMapping]] = defaultdict(list)
        for row in rows:
            by_account[row["account_id"]].append(row)
        return {
            account: CompleteRuns(tuple(r["id"] for r in own), tuple(r["started_at"] for r in own))
            for account, own in by_account.items()
        }

    def native_ids(self, refs: Collection[int]) -> dict[int, str]:
        """What the connections call these refs."""
        rows = self._rows_in("SELECT id, native_id FROM ref WHERE id IN :refs", "refs", refs)
        return {row["id"]: row["native_id"] for row in rows}

    def record_entries(self, account_id: int, entries: Mapping[int, Entry], now: int) -> None:
        """Store direct readings by ref id; a changed file drops the base. The next list read compares anew."""
        known = {
            row["id"]: row
            for row in self._rows_in("SELECT * FROM ref WHERE id IN :refs", "refs", list(entries))
        }
        for ref_id, entry in entries.items():
            ref = known[ref_id]
            replaced = bool(entry.media_key and ref["media_key"] and entry.media_key != ref["media_key"])
            self._store_reading(account_id, ref_id, entry, now, drop_base=replaced)
            if replaced:
                self._run("UPDATE ref SET media_key = :m WHERE id = :id", m=entry.media_key, id=ref_id)

    def _store_reading(
        self, account_id: int, ref_id: int, entry: Entry, now: int, *, drop_base: bool
    ) -> None:
        base = (
            ", b_watched = NULL, b_plays = NULL, b_last_played = NULL, b_position_s = NULL"
            if drop_base
            else ""
        )
        self._run(
            f"""INSERT INTO state (account_id, ref_id, watched, plays, last_played, position_s, rating, favourite,
                                   unplayed, fp, run_id, read_at)
            VALUES (:account, :ref, :watched, :plays, :last_played, :position_s, :rating, :favourite, :unplayed, 0,
                    (SELECT coalesce(max(id), 0) FROM run WHERE account_id = :account), :now)
            ON CONFLICT (account_id, ref_id) DO UPDATE SET
              watched = excluded.watched, plays = excluded.plays, last_played = excluded.last_played,
              position_s = excluded.position_s, rating = excluded.rating, favourite = excluded.favourite,
              unplayed = excluded.unplayed, fp = 0, read_at = excluded.read_at{base}""",
            account=account_id,
            ref=ref_id,
            watched=entry.watched,
            plays=entry.plays,
            last_played=entry.last_played,
            position_s=entry.position_s,
            rating=entry.rating,
            favourite=entry.favourite,
            unplayed=entry.unplayed,
            now=now,
        )

    def give_up(self, delivery: Delivery, entry: Entry, now: int) -> None:
        """Take a delivery back, as nothing was sent; store what the item says and mark it to be looked at again."""
        self._run_in(
            "UPDATE change SET state = 'superseded', ended_at = :now, attempts = attempts - 1, leased_until = NULL,"
            " message = 'The item had changed before it was written.' WHERE id IN :ids",
            "ids",
            delivery.change_ids,
            now=now,
        )
        self._run(
            "UPDATE state SET written_at = :at WHERE account_id = :account AND ref_id = :ref",
            at=delivery.written_at,
            account=delivery.account_id,
            ref=delivery.ref_id,
        )
        self.record_entries(delivery.account_id, {delivery.ref_id: entry}, now)
        self._run(
            "INSERT INTO touched (item_id) SELECT item_id FROM ref WHERE id = :ref"
            " UNION SELECT item_id FROM ref_span WHERE ref_id = :ref ON CONFLICT DO NOTHING",
            ref=delivery.ref_id,
        )

    def settle(self, settlement: Settlement, now: int) -> int:
        """Store a batch: agreed values, bases, decisions, changes. Returns the number of changes queued."""
        self._store_agreed(settlement, now)
        self._store_bases(settlement, now)
        self._store_decisions(settlement, now)
        queued = self._queue(settlement, now)
        self._run_in("DELETE FROM touched WHERE item_id IN :items", "items", settlement.settled)
        return queued

    def _store_agreed(self, settlement: Settlement, now: int) -> None:
        self._run_many(
            f"""INSERT INTO agreed (person_id, item_id, {_AGREED}, changed_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (person_id, item_id) DO UPDATE SET {_set_all(_AGREED)}, changed_at = excluded.changed_at""",
            [
                (person, item, *msgspec.structs.astuple(value), now)
                for person, item, value in settlement.agreed
            ],
        )

    def _store_bases(self, settlement: Settlement, now: int) -> None:
        times = settlement.base_times
        rows = [
            (*msgspec.structs.astuple(base), times.get(key, now), *key)
            for key, base in settlement.bases.items()
        ]
        self._run_many(
            """UPDATE state SET b_watched = ?, b_plays = ?, b_last_played = ?, b_position_s = ?, b_at = ?
            WHERE account_id = ? AND ref_id = ?""",
            rows,
        )

    def _store_decisions(self, settlement: Settlement, now: int) -> None:
        self._run_many(
            """INSERT INTO decision (at, person_id, item_id, account_id, facet, old, new, reason, cause)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)""",
            [
                (
                    now,
                    person,
                    item,
                    d.account_id,
                    d.facet,
                    encode(facet_of(before, d.facet)),
                    encode(facet_of(after, d.facet)),
                    d.reason,
                    d.rule,
                )
                for person, item, before, after, d in settlement.decisions
            ],
        )

    def _queue(self, settlement: Settlement, now: int) -> int:
        wanted = {(w.slot.account_id, w.slot.ref_id, w.facet): (p, i, w) for p, i, w in settlement.writes}
        for row in self._open_changes(settlement.refs):
            key = (row["account_id"], row["ref_id"], row["facet"])
            if key in wanted and decode_state(row["new"]) == wanted[key][2].new:
                del wanted[key]
            else:
                self._run(
                    "UPDATE change SET state = 'superseded', ended_at = :now WHERE id = :id",
                    now=now,
                    id=row["id"],
                )
        self._run_many(
            """INSERT INTO change (person_id, account_id, ref_id, item_id, facet, old, new, reason, cause, state, attempts,
                                   due_at, planned_at, message) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'queued', 0, ?, ?, '')""",
            [
                (
                    person,
                    w.slot.account_id,
                    w.slot.ref_id,
                    item,
                    w.facet,
                    encode(w.old),
                    encode(w.new),
                    w.reason,
                    w.rule,
                    now,
                    now,
                )
                for person, item, w in wanted.values()
            ],
        )
        return len(wanted)

    def _open_changes(self, slots: Collection[tuple[int, int]]) -> list[RowMapping]:
        open_states = "state IN ('queued', 'leased', 'failed', 'missing', 'refused')"
        if not slots or not self._value(f"SELECT EXISTS (SELECT 1 FROM change WHERE {open_states})"):
            return []
        rows = self._rows_in(
            f"SELECT id, account_id, ref_id, facet, new FROM change WHERE {open_states} AND ref_id IN :refs",
            "refs",
            {ref for _, ref in slots},
        )
        return [row for row in rows if (row["account_id"], row["ref_id"]) in slots]

    def label(self, items: Collection[int]) -> dict[int, ItemLabel]:
        """Items as a person knows them, with their claims."""
        claims: dict[int, list[str]] = defaultdict(list)
        for row in self._rows_in(
            "SELECT item_id, value FROM claim WHERE item_id IN :items ORDER BY value", "items", items
        ):
            claims[row["item_id"]].append(row["value"])
        rows = self._rows_in(
            """SELECT i.*, s.title AS show FROM item i LEFT JOIN item s ON s.id = i.show_id WHERE i.id IN :items""",
            "items",
            items,
        )
        return {
            row["id"]: ItemLabel(
                row["kind"],
                row["title"],
                row["year"],
                row["show"],
                row["season"],
                row["episode"],
                tuple(claims[row["id"]]),
            )
            for row in rows
        }


def _set_all(columns: str) -> str:
    return ", ".join(f"{name} = excluded.{name}" for name in columns.split(", "))
