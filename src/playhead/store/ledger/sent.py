"""Writes of unknown fate: what went out without a receipt."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from sqlalchemy import RowMapping

from playhead.domain.state.reading import State
from playhead.store.ledger.rows import decode_state
from playhead.store.ledger.work import Work

_SENT = "state IN ('leased', 'failed', 'superseded') AND attempts > 0"


class Sent(Work):
    """What both the merge and the delivery must know of earlier tries."""

    def load_leased(self) -> set[tuple[int, int]]:
        """The slots (account, ref) that are being written now."""
        rows = self._rows("SELECT account_id, ref_id FROM change WHERE state = 'leased'")
        return {(row["account_id"], row["ref_id"]) for row in rows}

    def load_sent(self, refs: Collection[int]) -> dict[tuple[int, int], tuple[State, int]]:
        """What the newest writes wished for that went out and of which no receipt says that they took effect, and how many
        such tries there were: 1, or 2 for more."""
        newest: dict[tuple[int, int], State] = {}
        tries: dict[tuple[int, int], set[tuple[int, int]]] = defaultdict(set)
        for row in self._unanswered(refs):
            key = row["account_id"], row["ref_id"]
            newest[key] = decode_state(row["new"])
            tries[key].add((row["planned_at"], row["attempts"]))
        return {
            key: (state, 1 if len(tries[key]) == 1 and max(tries[key])[1] == 1 else 2)
            for key, state in newest.items()
        }

    def _unanswered(self, refs: Collection[int]) -> list[RowMapping]:
        if not self._value(f"SELECT EXISTS (SELECT 1 FROM change WHERE {_SENT})"):
            return []
        rows = self._rows_in(
            f"""SELECT account_id, ref_id, new, attempts, planned_at FROM change c
            WHERE {_SENT} AND ref_id IN :refs AND NOT EXISTS (
              SELECT 1 FROM change d WHERE d.account_id = c.account_id AND d.ref_id = c.ref_id AND d.state = 'done'
              AND d.id > c.id) ORDER BY id""",
            "refs",
            refs,
        )
        return list(rows)
