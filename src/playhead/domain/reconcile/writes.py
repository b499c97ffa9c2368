"""Which slots must be told what, once the agreed value stands.

A slot is told when its base shows that it does not know yet, or when it lost what it knew in a way that no person caused.
Telling twice is impossible by construction: a base that equals the agreed value is silence.
"""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from playhead.domain.reconcile.model import Agreed, Base, Policy, Slot, Verdict, WantedWrite
from playhead.domain.reconcile.news import effective_position, is_undecided_removal, looks_removed
from playhead.domain.reconcile.resolve import tell
from playhead.domain.state.reading import State


class Reasons(msgspec.Struct, frozen=True):
    """Why the agreed value is what it is: rule and text for each facet, newest first."""

    watched_rule: str
    watched: str
    progress_rule: str
    progress: str


def plan_writes(
    slot: Slot, agreed: Agreed, reasons: Reasons, *, moved: bool, siblings_watched: bool, policy: Policy
) -> list[WantedWrite]:
    """The changes that one slot needs. ``moved``: a rewatch moved the date. ``siblings_watched``: all other items of a
    file that holds several have the agreed value that this write would give them."""
    if not slot.writable or is_undecided_removal(slot):
        return []
    watched = _want_watched(slot, agreed, reasons, moved, siblings_watched, policy)
    clears = (
        watched is not None and not agreed.watched
    )  # an un-play takes the position with it, on every kind
    progress = _want_progress(slot, agreed, reasons, clears, policy)
    return [w for w in (watched, progress) if w is not None]


def _want_watched(
    slot: Slot, agreed: Agreed, reasons: Reasons, moved: bool, siblings_watched: bool, policy: Policy
) -> WantedWrite | None:
    said, base = slot.reading.watched, slot.base
    if "watched" not in slot.writes or said is None:
        return None
    if said == agreed.watched:
        return _want_date(slot, agreed, reasons, policy) if moved else None
    if slot.span > 1 and not siblings_watched:
        return None
    if not agreed.watched:
        if base is None or agreed.unwatched_at is None:
            return None  # first contact only ever adds, and only a person's un-play ever takes away
        if slot.silent and not base.watched:
            return None  # watched there since, and nobody asked
        return _write(slot, "watched", reasons.watched_rule, reasons.watched, agreed, policy)
    if base is not None and base.watched:
        return _want_again(slot, agreed, base, reasons, policy)
    return _write(slot, "watched", reasons.watched_rule, reasons.watched, agreed, policy)


def _want_again(
    slot: Slot, agreed: Agreed, base: Base, reasons: Reasons, policy: Policy
) -> WantedWrite | None:
    """The account knew that it was watched and says otherwise: tell again, once for each such reading."""
    if looks_removed(slot):
        if slot.verdict is Verdict.confirmed:  # a person's un-play that a later play elsewhere overruled
            return _write(slot, "watched", reasons.watched_rule, reasons.watched, agreed, policy)
        rule = "kept"
    elif (slot.reading.plays, slot.reading.last_played) == (base.plays, base.last_played):
        return None
    else:
        rule = "restored"
    return _write(slot, "watched", rule, tell(rule, slot.connection), agreed, policy)


def _want_date(slot: Slot, agreed: Agreed, reasons: Reasons, policy: Policy) -> WantedWrite | None:
    if not slot.takes_date or slot.base is None or agreed.watched_at is None or not agreed.watched:
        return None
    said = slot.reading.last_played
    if said is not None and said - int(slot.skew_s) >= agreed.watched_at:
        return None
    return _write(slot, "watched", reasons.watched_rule, reasons.watched, agreed, policy)


def _want_progress(
    slot: Slot, agreed: Agreed, reasons: Reasons, clears: bool, policy: Policy
) -> WantedWrite | None:
    said = effective_position(slot.reading.position_s, slot.runtime_s, policy)
    if "progress" not in slot.writes or said is None or slot.span > 1:
        return None
    known = slot.base.position_s if slot.base is not None else None
    if agreed.position_s:
        if not fits(slot, agreed, policy):
            return None
        if clears:
            return _write(slot, "progress", reasons.progress_rule, reasons.progress, agreed, policy)
        if abs(said - agreed.position_s) <= policy.same_position_s:
            return None
        told = known is not None and abs(known - agreed.position_s) <= policy.same_position_s
        if told and not (slot.verdict is Verdict.dropped and looks_removed(slot)):
            return None
    elif not said or (slot.silent and not known):
        return None  # what the hub never heard of is not cleared
    return _write(slot, "progress", reasons.progress_rule, reasons.progress, agreed, policy)


def fits(slot: Slot, agreed: Agreed, policy: Policy) -> bool:
    """Whether the agreed position means the same moment in this slot's file."""
    if slot.account_id == agreed.position_from and slot.runtime_s == agreed.runtime_s:
        return True
    if slot.runtime_s is None or agreed.runtime_s is None:
        return False
    if abs(slot.runtime_s - agreed.runtime_s) > policy.max_runtime_difference_s:
        return False
    return bool(effective_position(agreed.position_s, slot.runtime_s, policy))


def _write(slot: Slot, facet: str, rule: str, reason: str, agreed: Agreed, policy: Policy) -> WantedWrite:
    return WantedWrite(slot, facet, rule, reason, slot.reading, target_state(slot, agreed, policy))


def target_state(slot: Slot, agreed: Agreed, policy: Policy) -> State:
    """The whole state that the slot shall have, with what is not ours to change as it stands there; its date on the
    server's own clock. A resume point that ends because of a play elsewhere is one play more here as well."""
    said = slot.reading
    position = agreed.position_s if slot.span == 1 and agreed.position_s and fits(slot, agreed, policy) else 0
    date = agreed.position_at if position else agreed.watched_at
    date = date + int(slot.skew_s) if date is not None else None
    if date is None and (agreed.watched or position):
        date = said.last_played  # stays, as nobody knows a better one
    finished = bool(said.watched and said.position_s and not position)
    return State(
        watched=agreed.watched,
        plays=max(agreed.plays, (said.plays or 0) + finished, 1) if agreed.watched else 0,
        last_played=date,
        position_s=position,
        rating=said.rating,
        favourite=said.favourite,
    )


def base_after_write(
    base: Base | None,
    target: State,
    after: State,
    policy: Policy,
    *,
    tries: Collection[int] = (),
    all_known: bool = True,
) -> Base | None:
    """The base once a write is done: what the server says now as far as it is what was wished for.

    The rest is what a person did there meanwhile; it stays news for the next read. ``tries`` are the times at which this
    write went out, on the server's clock: a date near them may be its stamp; where not ``all_known``, also one in between.
    """
    if after.watched is None or after.watched != target.watched:
        return base
    if _was_played_before(target, after, policy, tries, all_known=all_known):
        return base
    position = after.position_s
    if abs((position or 0) - (target.position_s or 0)) > policy.same_position_s:
        position = base.position_s if base is not None else 0
    return Base(after.watched, after.plays, after.last_played, position)


def _was_played_before(
    target: State, after: State, policy: Policy, tries: Collection[int], *, all_known: bool
) -> bool:
    """Whether the date beside "watched" is that of a person's play: newer than the one sent, and not stamped by the write.

    Beside a resume point the date is that of the stop.
    """
    said, sent = after.last_played, target.last_played
    if not after.watched or said is None or sent is None or said <= sent or not tries:
        return False
    if (after.position_s or 0) >= policy.min_position_s:
        return False
    spans = [(at, at) for at in tries] if all_known else [(min(tries), max(tries))]
    return not any(
        first - policy.stamp_window_s <= said <= last + policy.stamp_delay_s for first, last in spans
    )


def next_base(slot: Slot, agreed: Agreed, policy: Policy) -> Base | None:
    """The slot's base once this pass is done.

    What is to be written moves on the receipt alone; what was heard moves now, so that it is news only once.
    """
    base, said = slot.base, slot.reading
    if said.watched is None or is_undecided_removal(slot):
        return base
    if said.watched != agreed.watched and base is None and said.watched:
        return None  # first contact still to come to terms
    if looks_removed(slot) and agreed.watched and base is not None and base.watched:
        return Base(
            False, said.plays, said.last_played, 0
        )  # heard and overruled: it is told again, not heard again
    position = _heard_position(slot, agreed, policy)
    if said.watched != agreed.watched and base is not None:
        return Base(base.watched, base.plays, base.last_played, position)
    resuming = bool(effective_position(said.position_s, slot.runtime_s, policy))
    if said.watched and resuming and base is not None and base.watched:
        return Base(True, said.plays, base.last_played, position)  # the date is that of the stop
    return Base(said.watched, said.plays, said.last_played, position)


def _heard_position(slot: Slot, agreed: Agreed, policy: Policy) -> int | None:
    known = slot.base.position_s if slot.base is not None else None
    said = effective_position(slot.reading.position_s, slot.runtime_s, policy)
    if said is None or slot.silent:
        return known
    return known if agreed.position_s and not said and known is not None else said


def is_plain_mark(facets: frozenset[str], target: State, before: State) -> bool:
    """Whether a write only marks what had nothing to lose: it can destroy nothing, whatever a person did since the read."""
    return facets == {"watched"} and bool(target.watched) and not before.watched and not before.position_s
