"""Finds what is news in a slot: a reading that differs from its base, in a form that may be believed.

Silence is the normal case. The date that a server stamps on the hub's own write is never news; what comes from a play is
never an un-play; what cannot be known is no news.
"""

from __future__ import annotations

import msgspec

from playhead.domain.reconcile.model import Agreed, Base, News, Policy, Slot, Verdict

BACK_MARGIN_S = 120  # less is a stamp that a server rounds, or a clock that is set


def trusted_time(slot: Slot, now: int, policy: Policy) -> int | None:
    """The reading's date on the hub's clock, or None where it cannot be a time of watching (absent, placeholder, future)."""
    said = slot.reading.last_played
    if said is None:
        return None
    at = said - int(slot.skew_s)
    return at if policy.earliest_date <= at <= now + policy.order_margin_s else None


def is_own_stamp(slot: Slot, policy: Policy) -> bool:
    """Whether the reading's date is the one that the server stamped on the hub's own write."""
    said = slot.reading.last_played
    return said is not None and is_stamp(said - int(slot.skew_s), slot.written_at, policy)


def is_stamp(date: int, written_at: int | None, policy: Policy) -> bool:
    """Whether a date may be the stamp of a write that went out then; both on one clock."""
    if written_at is None:
        return False
    return -policy.stamp_window_s <= date - written_at <= policy.stamp_delay_s


def _may_be_own_stamp(slot: Slot, policy: Policy) -> bool:
    """The same, as long as nobody knows which of several tries took effect: whatever came after the first of them. A server
    that takes dates has the one that was sent."""
    if slot.sent is None or slot.written_at is None or slot.reading.last_played is None:
        return False
    if slot.doubts < 2 or (slot.takes_date and slot.sent.last_played is not None):
        return is_own_stamp(slot, policy)
    return slot.reading.last_played - int(slot.skew_s) >= slot.written_at - policy.stamp_window_s


def _may_be_own_play(slot: Slot, policy: Policy) -> bool:
    """Whether the play that the account counts more is the one that such a write wished for."""
    if not _may_be_own_stamp(slot, policy) or slot.sent is None or not slot.sent.watched:
        return False
    said, wished = slot.reading.plays, slot.sent.plays
    return said is not None and wished is not None and said <= wished


def acknowledge(slot: Slot, policy: Policy) -> Slot:
    """The slot with the hub's own write as its base, where the reading shows that a write without a receipt took effect.

    What the write wished for is no news. Believed only by the date (the one sent, or the stamp of the write) or by the form
    of an un-play; a position is acknowledged by itself. The same holds for a mark that went to an item's id before this one.
    """
    sent, said = slot.sent, slot.reading
    if slot.base is None and slot.fresh and said.watched and is_own_stamp(slot, policy):
        return msgspec.structs.replace(slot, base=Base(True, said.plays, said.last_played, 0))
    if sent is None or said.watched is None or said.watched != sent.watched:
        return slot
    same_date = said.last_played is not None and said.last_played == sent.last_played
    unplayed = slot.unplayed and not sent.watched and not sent.position_s
    if not (same_date or unplayed or is_own_stamp(slot, policy)):
        return slot
    position = slot.base.position_s if slot.base is not None else 0
    if abs((said.position_s or 0) - (sent.position_s or 0)) <= policy.same_position_s:
        position = said.position_s
    return msgspec.structs.replace(slot, base=Base(said.watched, said.plays, said.last_played, position))


def effective_position(position_s: int | None, runtime_s: int | None, policy: Policy) -> int | None:
    """The position as a resume point: 0 below the minimum and past the watched threshold; None stays unknown."""
    if position_s is None:
        return None
    if position_s < policy.min_position_s:
        return 0
    if runtime_s and position_s >= policy.watched_threshold * runtime_s:
        return 0
    return position_s


def find_watched_news(slot: Slot, agreed: Agreed, now: int, policy: Policy) -> News | None:
    """What the slot says anew about ``watched``, against its base and what the hub already knows."""
    watched = slot.reading.watched
    if watched is None or slot.silent:
        return None
    base = slot.base
    if not watched:
        return _find_unplay(slot, base)
    resuming = bool(effective_position(slot.reading.position_s, slot.runtime_s, policy))
    date = trusted_time(slot, now, policy)
    at, stopped_at = (
        (None, date) if resuming else (date, None)
    )  # what is resumed was watched before that stop
    if base is not None and base.watched:
        if resuming and not agreed.watched and may_have_rewatched(slot, policy):
            return News("rewatched", slot, False, not_before=slot.read_before, not_after=stopped_at)
        if resuming or not _moved_on(slot, base, policy) or _may_be_own_play(slot, policy):
            return None
        return News("rewatched", slot, False, at, slot.read_before)
    if agreed.watched and _tells_nothing_new(slot, agreed, at, policy):
        return None
    if agreed.watched and _may_be_own_stamp(slot, policy):
        return News("watched", slot, True)  # a play or an echo: it moves no date and ends no resume point
    if base is None:
        return News("first-watched", slot, True, at)
    return News("watched", slot, False, at, slot.read_before, not_after=stopped_at)


def _tells_nothing_new(slot: Slot, agreed: Agreed, at: int | None, policy: Policy) -> bool:
    if at is None or is_own_stamp(slot, policy) or slot.reading.last_played == agreed.watched_at:
        return True  # also the hub's own date, whatever the clock of the server that keeps it
    if slot.base is None and slot.fresh:
        return True  # a new id for what was there before: its date may be the stamp of a write to the old one
    return agreed.watched_at is not None and at <= agreed.watched_at


def _moved_on(slot: Slot, base: Base, policy: Policy) -> bool:
    said, plays = slot.reading.last_played, slot.reading.plays
    known = _known_date(slot, base, policy)
    counted = plays is not None and base.plays is not None and plays > base.plays
    if known is None or said is None:
        return counted
    return said > known or (counted and (base.last_played is None or said >= known))


def _known_date(slot: Slot, base: Base, policy: Policy) -> int | None:
    """The base's date; where a server stamped the hub's own write and did not say so, the latest that the stamp can be."""
    if base.last_played is not None or slot.written_at is None:
        return base.last_played
    return slot.written_at + int(slot.skew_s) + policy.stamp_delay_s


def may_have_rewatched(slot: Slot, policy: Policy) -> bool:
    """Whether a play was counted that a resume point hides: no news, but no un-play elsewhere is surely later."""
    base, said = slot.base, slot.reading
    if slot.silent or base is None or not base.watched or not said.watched:
        return False
    counted = said.plays is not None and base.plays is not None and said.plays > base.plays
    return counted and bool(effective_position(said.position_s, slot.runtime_s, policy))


def _find_unplay(slot: Slot, base: Base | None) -> News | None:
    if base is None or not base.watched or not slot.unplayed:
        return None
    if slot.verdict is not Verdict.confirmed:
        return None
    return News("unplayed", slot, False, not_before=slot.read_before)


def has_gone_back(before: Base | None, now: Base) -> bool:
    """Whether a server has an older date than it had, which nothing but a backup that was restored, or a person who corrects a
    date, brings about."""
    if before is None or before.last_played is None or now.last_played is None:
        return False
    return now.last_played < before.last_played - BACK_MARGIN_S


def is_undecided_removal(slot: Slot) -> bool:
    """Whether the slot looks like a removal that may not be believed, nor undone, yet."""
    return looks_removed(slot) and slot.verdict in (Verdict.open, Verdict.held)


def looks_removed(slot: Slot) -> bool:
    """Whether the reading has the form of a person's un-play (or of a cleared resume point) against its base."""
    base, reading = slot.base, slot.reading
    if base is None or slot.silent or not slot.unplayed or reading.watched is not False:
        return False
    return base.watched or bool(base.position_s)


def find_progress_news(slot: Slot, now: int, policy: Policy) -> News | None:
    """What the slot says anew about ``progress``; ``position_s`` 0 = cleared there."""
    if slot.silent or slot.span > 1:
        return None
    said = effective_position(slot.reading.position_s, slot.runtime_s, policy)
    if said is None:
        return None
    base = slot.base
    known = (base.position_s or 0) if base is not None else 0
    if said:
        if base is not None and abs(said - known) <= policy.same_position_s:
            return None
        return News("stopped", slot, base is None, trusted_time(slot, now, policy), slot.read_before, said)
    if base is None or not known or known < policy.min_position_s:
        return None
    return _find_cleared(slot, base, now, policy)


def _find_cleared(slot: Slot, base: Base, now: int, policy: Policy) -> News | None:
    if slot.unplayed:
        if slot.verdict is not Verdict.confirmed:
            return None
        return News("cleared", slot, False, not_before=slot.read_before)
    said, at = slot.reading.last_played, trusted_time(slot, now, policy)
    if slot.reading.watched and base.watched and said is not None and said == base.last_played:
        return News(
            "cleared", slot, False, not_before=slot.read_before
        )  # marked again: the date stays, the position goes
    if at is None or base.last_played is None or said is None or said <= base.last_played:
        return None
    return News("cleared", slot, False, at, slot.read_before)
