"""The outbox: changes leased to be written, results stored, and what waits for an item to appear."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

import msgspec
from sqlalchemy import RowMapping

from playhead.domain.reconcile.model import Agreed, Base
from playhead.domain.state.reading import State
from playhead.ports.backend import Outcome
from playhead.ports.ledger import AccountRole, Delivery, PendingRow, Result
from playhead.store.fingerprints import fingerprint_said
from playhead.store.ledger.rows import decode_state, read_base, read_state
from playhead.store.ledger.sent import Sent

_STATES = {
    Outcome.done: "done",
    Outcome.missing: "missing",
    Outcome.refused: "refused",
    Outcome.failed: "failed",
    Outcome.unsure: "failed",
}
_ENDED = ("done", "dropped")
_MAYBE = "maybe written"  # the message of a change whose lease ended without a receipt

_LEASABLE = """
SELECT c.id, c.account_id, c.ref_id, c.item_id, c.facet, c.old, c.new, c.attempts, c.message, r.native_id, i.kind,
       r.runtime_s, s.watched, s.plays, s.last_played, s.position_s, s.rating, s.favourite, s.read_at,
       s.b_watched, s.b_plays, s.b_last_played, s.b_position_s, s.written_at
FROM change c JOIN ref r ON r.id = c.ref_id JOIN item i ON i.id = c.item_id
JOIN account a ON a.id = c.account_id AND a.person_id = c.person_id
LEFT JOIN state s ON s.account_id = c.account_id AND s.ref_id = c.ref_id
WHERE c.state IN ({states}) AND c.ended_at IS NULL AND r.gone_at IS NULL
  AND c.due_at <= :due_before AND c.account_id = :account AND c.ref_id > :after
ORDER BY c.ref_id, c.id LIMIT :limit"""

_OPEN = "'queued', 'failed', 'refused', 'missing'"  # what a new pass tries
_FAILED = "'failed'"  # what is tried once more within a pass

_NO_REF = """
FROM agreed a
WHERE a.person_id = :person AND (a.watched OR a.position_s > 0) AND a.item_id NOT IN (
  SELECT r.item_id FROM ref r WHERE r.connection_id = :connection AND r.gone_at IS NULL
  UNION ALL
  SELECT p.item_id FROM ref_span p JOIN ref r ON r.id = p.ref_id
  WHERE r.connection_id = :connection AND r.gone_at IS NULL)"""


class Outbox(Sent):
    """The delivery's side of the ledger."""

    def lease(
        self,
        account_id: int,
        *,
        after_ref: int,
        limit: int,
        due_before: int,
        now: int,
        lease_s: int,
        again: bool = False,
    ) -> list[Delivery]:
        """Take the account's next due changes beyond a ref, one delivery for each slot; the time is noted before
        anything is sent."""
        rows = self._rows(
            _LEASABLE.format(states=_FAILED if again else _OPEN),
            due_before=due_before,
            account=account_id,
            after=after_ref,
            limit=limit,
        )
        if len(rows) == limit and rows[0]["ref_id"] != rows[-1]["ref_id"]:
            rows = [
                row for row in rows if row["ref_id"] != rows[-1]["ref_id"]
            ]  # its other facet may be cut off
        sent = self.load_sent({row["ref_id"] for row in rows})
        deliveries = [
            msgspec.structs.replace(d, doubts=sent[d.account_id, d.ref_id][1])
            if (d.account_id, d.ref_id) in sent
            else d
            for d in _group(rows)
        ]
        self._run_in(
            "UPDATE change SET state = 'leased', leased_until = :until, attempts = attempts + 1 WHERE id IN :ids",
            "ids",
            [change for d in deliveries for change in d.change_ids],
            until=now + lease_s,
        )
        self._note_writing(deliveries, now)
        return deliveries

    def _note_writing(self, deliveries: Sequence[Delivery], now: int) -> None:
        self._run_many(
            """INSERT INTO state (account_id, ref_id, watched, plays, position_s, unplayed, fp, run_id, read_at, written_at)
            VALUES (?, ?, ?, ?, ?, ?, 0, 0, ?, ?)
            ON CONFLICT (account_id, ref_id) DO UPDATE SET written_at = excluded.written_at""",
            [
                (
                    d.account_id,
                    d.ref_id,
                    d.before.watched,
                    d.before.plays,
                    d.before.position_s,
                    False,
                    now,
                    d.written_at
                    if (d.attempts or d.doubts) and d.written_at is not None
                    else now,  # of several tries the first
                )
                for d in deliveries
            ],
        )

    def list_leased(self) -> set[int]:
        """The accounts to which something is being written, or was when its writer was killed."""
        return {
            row["account_id"]
            for row in self._rows("SELECT DISTINCT account_id FROM change WHERE state = 'leased'")
        }

    def list_due(self, now: int) -> set[int]:
        """The accounts to which something is to be written now: not tried yet, or failed and due again."""
        rows = self._rows(
            "SELECT DISTINCT c.account_id FROM change c JOIN ref r ON r.id = c.ref_id WHERE r.gone_at IS NULL"
            " AND c.state IN ('queued', 'failed', 'refused') AND c.due_at <= :now",
            now=now,
        )
        return {row["account_id"] for row in rows}

    def release_stale_leases(self, account_id: int) -> int:
        """Free the leases of an account to which nobody writes any more; their writes may have happened."""
        return self._run(
            "UPDATE change SET state = 'failed', due_at = 0, message = :m"
            " WHERE state = 'leased' AND account_id = :account",
            m=_MAYBE,
            account=account_id,
        )

    def count_open(self, account_ids: Collection[int] | None = None) -> int:
        """Changes that wait to be written."""
        rows = self._rows(
            """SELECT c.account_id, count(*) AS n FROM change c JOIN ref r ON r.id = c.ref_id
            WHERE c.state IN ('queued', 'leased', 'failed', 'refused') AND r.gone_at IS NULL GROUP BY c.account_id"""
        )
        return sum(row["n"] for row in rows if account_ids is None or row["account_id"] in account_ids)

    def store_results(self, results: Sequence[Result], now: int) -> None:
        """Store receipts: the base and the reading move only where the write is done. A change that was dropped meanwhile, as its
        account is another person's now, stays dropped."""
        self._run_many(
            "UPDATE change SET state = ?, message = ?, due_at = ?, ended_at = ?, leased_until = NULL"
            " WHERE id = ? AND state <> 'dropped'",
            [
                (_state_of(r), r.message, r.due_at, now if _state_of(r) in _ENDED else None, change)
                for r in results
                for change in r.delivery.change_ids
            ],
        )
        done = [
            (r, r.after)
            for r in results
            if r.outcome in (Outcome.done, Outcome.refused) and r.after is not None
        ]
        self._run_many(
            """UPDATE state SET watched = ?, plays = ?, last_played = ?, position_s = ?, rating = ?, favourite = ?,
              unplayed = ?, fp = ?, read_before = read_at, read_at = ?, written_at = ?,
              b_watched = ?, b_plays = ?, b_last_played = ?, b_position_s = ?, b_at = coalesce(?, b_at)
            WHERE account_id = ? AND ref_id = ?""",
            [_moved_row(result, after, now) for result, after in done],
        )
        self._run_many(  # nothing was sent
            "UPDATE state SET written_at = ? WHERE account_id = ? AND ref_id = ?",
            [
                (r.delivery.written_at, r.delivery.account_id, r.delivery.ref_id)
                for r in results
                if r.outcome is Outcome.missing
            ],
        )
        self._forget_pages({r.delivery.account_id for r, _ in done})

    def _forget_pages(self, accounts: Collection[int]) -> None:
        """A page read before a write proves nothing after it, even with the same bytes."""
        self._run_in("UPDATE page SET body_hash = 0 WHERE account_id IN :accounts", "accounts", accounts)

    def count_pending(self, roles: Iterable[AccountRole]) -> int:
        """Agreed values that wait until a target has the item."""
        return sum(
            int(
                self._value(
                    f"SELECT count(*) {_NO_REF}", person=role.person_id, connection=role.connection_id
                )
            )
            for role in roles
            if role.write
        )

    def list_pending(self, roles: Iterable[AccountRole], limit: int | None = None) -> list[PendingRow]:
        """The same, with what is to be written."""
        found: list[PendingRow] = []
        for role in roles:
            if not role.write:
                continue
            rows = self._rows(
                f"SELECT a.item_id, a.watched, a.plays, a.watched_at, a.position_s, a.position_at {_NO_REF} "
                "ORDER BY a.item_id LIMIT :limit",
                person=role.person_id,
                connection=role.connection_id,
                limit=-1 if limit is None else limit,
            )
            for row in rows:
                agreed = Agreed(
                    watched=bool(row["watched"]),
                    plays=row["plays"],
                    watched_at=row["watched_at"],
                    position_s=row["position_s"],
                    position_at=row["position_at"],
                )
                found.append(PendingRow(role.account_id, row["item_id"], agreed))
        return found


def _state_of(result: Result) -> str:
    """The change's new state. What a server looked at and cannot do is dropped; a refused login is tried again."""
    if result.outcome is Outcome.refused and result.after is not None:
        return "dropped"
    return _STATES[result.outcome]


def _group(rows: Sequence[RowMapping]) -> list[Delivery]:
    slots: dict[tuple[int, int], list[RowMapping]] = defaultdict(list)
    for row in rows:
        slots[row["account_id"], row["ref_id"]].append(row)
    return [_make_delivery(own) for own in slots.values()]


def _make_delivery(rows: Sequence[RowMapping]) -> Delivery:
    newest = rows[-1]
    before = decode_state(newest["old"])
    if newest["read_at"] is not None:
        before = read_state(newest)
    target = decode_state(newest["new"])
    return Delivery(
        change_ids=tuple(row["id"] for row in rows),
        account_id=newest["account_id"],
        ref_id=newest["ref_id"],
        item_id=newest["item_id"],
        native_id=newest["native_id"],
        kind=newest["kind"],
        runtime_s=newest["runtime_s"],
        facets=frozenset(row["facet"] for row in rows),
        target=msgspec.structs.replace(target, rating=before.rating, favourite=before.favourite),
        before=before,
        attempts=max(row["attempts"] for row in rows),
        maybe_written=any(row["message"] == _MAYBE for row in rows),
        base=read_base(newest),
        written_at=newest["written_at"],
    )


def _moved_row(result: Result, after: State, now: int) -> tuple[object, ...]:
    before, slot = result.delivery.before, result.delivery
    rating = after.rating if after.rating is not None else before.rating
    favourite = after.favourite if after.favourite is not None else before.favourite
    reading = (after.watched, after.plays, after.last_played, after.position_s, rating, favourite, False)
    base = result.base
    told = base == Base(bool(after.watched), after.plays, after.last_played, after.position_s)
    fingerprint = (
        fingerprint_said(reading) if told else 0
    )  # what a person did there meanwhile is news for the next read
    columns = msgspec.structs.astuple(base) if base is not None else (None, None, None, None)
    return (*reading, fingerprint, now, now, *columns, now if told else None, slot.account_id, slot.ref_id)
