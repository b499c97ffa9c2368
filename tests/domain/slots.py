"""Readings, slots and passes of the merge, short to write."""

from __future__ import annotations

from typing import Any

from playhead.domain.reconcile.model import Agreed, Base, Policy, Slot, Verdict, WantedWrite
from playhead.domain.reconcile.resolve import Resolution, resolve
from playhead.domain.reconcile.writes import Reasons, plan_writes
from playhead.domain.state.reading import State

NOW = 1_700_000_000
DAY = 86_400
RUNTIME = 6_000
POLICY = Policy()
REASONS = Reasons("watched", "watched there", "stopped", "stopped there")
SEEN = Agreed(watched=True, plays=1, watched_at=NOW - 9 * DAY, watched_from=1)
KNOWN = Base(True, 1, NOW - 9 * DAY, 0)


def said(
    watched: bool | None = False, plays: int | None = 0, at: int | None = None, position: int | None = 0
) -> State:
    return State(watched, plays, at, position)


def slot(account: int, reading: State, base: Base | None = None, **more: Any) -> Slot:
    values = {"runtime_s": RUNTIME, "read_at": NOW, "read_before": NOW - DAY, "takes_date": True} | more
    return Slot(account, account, f"server {account}", reading, base, **values)


def unplayed(account: int, base: Base = KNOWN, **more: Any) -> Slot:
    """A slot in the form of a person's un-play, confirmed."""
    return slot(account, said(), base, unplayed=True, **({"verdict": Verdict.confirmed} | more))


def merge(agreed: Agreed, *slots: Slot, decided_at: int | None = None) -> Resolution:
    return resolve(agreed, slots, now=NOW, policy=POLICY, decided_at=decided_at)


def writes(one: Slot, agreed: Agreed, *, moved: bool = False, together: bool = True) -> list[WantedWrite]:
    return plan_writes(one, agreed, REASONS, moved=moved, siblings_watched=together, policy=POLICY)


def rules(result: Resolution) -> list[str]:
    return [decision.rule for decision in result.decisions]
