"""Rows of the ledger's tables as values of the domain, and back."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import RowMapping

from playhead.domain.reconcile.model import Agreed, Base, Slot, Verdict
from playhead.domain.state.reading import BLANK, State
from playhead.ports.ledger import AccountRole

BLANK_BASE = Base(False, 0, None, 0)


def pick_one_per_state(
    refs: Sequence[RowMapping], states: Mapping[tuple[int, int], RowMapping]
) -> list[RowMapping]:
    """Refs of a connection that share one state are one slot: the one whose state is stored, else the first."""
    stored = {ref for _, ref in states}
    best: dict[tuple[Any, ...], RowMapping] = {}
    for row in sorted(refs, key=lambda r: (r["id"] not in stored, r["id"])):
        own = row["state_key"] if row["state_key"] is not None else row["id"]
        best.setdefault((row["connection_id"], own, row["item_id"]), row)
    return list(best.values())


class CompleteRuns(msgspec.Struct, frozen=True):
    """An account's complete reads, oldest first: run ids and when they began."""

    ids: tuple[int, ...] = ()
    started: tuple[int, ...] = ()

    def has_between(self, first: int, end: int) -> bool:
        """Whether a complete read was among the runs from ``first`` to before ``end``."""
        place = bisect_left(self.ids, end)
        return bool(place) and self.ids[place - 1] >= first

    def last_before(self, run_id: int) -> int | None:
        """When the newest complete read before that run began."""
        place = bisect_left(self.ids, run_id)
        return self.started[place - 1] if place else None


NEVER_READ = CompleteRuns()


def make_slot(
    ref: RowMapping,
    role: AccountRole,
    state: RowMapping | None,
    runs: CompleteRuns,
    verdicts: Mapping[tuple[int, int], Verdict],
    sent: Mapping[tuple[int, int], tuple[State, int]],
    written_before: Mapping[tuple[int, int], int],
) -> Slot:
    """The slot of one account and one ref; no stored state means blank where the account has listed the ref.
    ``written_before``: when the hub last wrote to an account's other ids of an item; a new id may show that write."""
    base, fresh = _find_base(ref, state, runs), is_fresh(ref, runs)
    written_at = state["written_at"] if state is not None else None
    if written_at is None and base is None and fresh:
        written_at = written_before.get((role.account_id, ref["item_id"]))
    tried = sent.get((role.account_id, ref["id"]), (None, 0))
    seen = state is not None or bool(runs.ids) or ref["first_account"] == role.account_id
    return Slot(
        account_id=role.account_id,
        ref_id=ref["id"],
        connection=role.connection,
        reading=read_state(state) if state is not None else (BLANK if seen else State()),
        base=base,
        base_at=state["b_at"] if state is not None else None,
        sent=tried[0],
        doubts=tried[1],
        unplayed=bool(state["unplayed"]) if state is not None else False,
        verdict=verdicts.get((role.account_id, ref["id"]), Verdict.open),
        read_at=state["read_at"] if state is not None else 0,
        read_before=_find_read_before(state, runs),
        written_at=written_at,
        skew_s=role.skew_s,
        runtime_s=ref["runtime_s"],
        span=ref["span"],
        silent=not role.read,
        fresh=fresh,
        writable=role.write,
        writes=role.writes,
        takes_date=role.takes_date,
    )


def is_fresh(ref: RowMapping, runs: CompleteRuns) -> bool:
    """Whether an id appeared after an account's first complete read."""
    return bool(runs.ids) and ref["first_run"] > runs.ids[0]


def _find_base(ref: RowMapping, state: RowMapping | None, runs: CompleteRuns) -> Base | None:
    base = read_base(state)
    if base is not None or state is None or state["read_before"] is not None:
        return base
    if runs.has_between(ref["first_run"], state["run_id"]):  # listed there, blank
        return BLANK_BASE
    return None


def _find_read_before(state: RowMapping | None, runs: CompleteRuns) -> int | None:
    """Unchanged readings are not stored again: the complete reads since then say the same."""
    if state is None:
        return None
    known = [t for t in (state["read_before"], runs.last_before(state["run_id"])) if t is not None]
    return max(known) if known else None


def read_state(row: RowMapping) -> State:
    """The newest reading of a row of ``state``."""
    return State(
        watched=None if row["watched"] is None else bool(row["watched"]),
        plays=row["plays"],
        last_played=row["last_played"],
        position_s=row["position_s"],
        rating=row["rating"],
        favourite=None if row["favourite"] is None else bool(row["favourite"]),
    )


def read_base(row: RowMapping | None) -> Base | None:
    """The base of a row of ``state``; None = there is none yet."""
    if row is None or row["b_watched"] is None:
        return None
    return Base(bool(row["b_watched"]), row["b_plays"], row["b_last_played"], row["b_position_s"])


def read_agreed(row: RowMapping) -> Agreed:
    """The value of a row of ``agreed``."""
    return Agreed(
        bool(row["watched"]),
        row["plays"],
        row["watched_at"],
        row["unwatched_at"],
        row["watched_from"],
        row["position_s"],
        row["position_at"],
        row["position_from"],
        row["runtime_s"],
    )


def is_blank(slot: Slot) -> bool:
    """Whether the slot says nothing that could matter."""
    reading = slot.reading
    return slot.base is None and not reading.watched and not reading.position_s


def facet_of(agreed: Agreed, facet: str) -> dict[str, Any]:
    """One facet of an agreed value, as the record of decisions keeps it."""
    if facet == "watched":
        return {"watched": agreed.watched, "at": agreed.watched_at}
    return {"position_s": agreed.position_s, "at": agreed.position_at}


def encode(value: Any) -> str:
    """A value as JSON text."""
    return msgspec.json.encode(value).decode()


def decode_state(text: str) -> State:
    """A state from its JSON text."""
    return msgspec.json.decode(text, type=State)
