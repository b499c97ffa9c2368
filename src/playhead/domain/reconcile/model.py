"""The values that the merge works on: one person, one item, any number of slots.

A *slot* is one account's place for the item: an account and a ref (an item twice on a server has two slots). No clock, no
store, no names of backends: what a backend can do stands in the slot.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from playhead.domain.state.reading import State


class Policy(msgspec.Struct, frozen=True):
    """The settable numbers of the merge, all in seconds but ``watched_threshold`` (share of the run time)."""

    min_position_s: int = 60
    watched_threshold: float = 0.9
    max_runtime_difference_s: int = 60
    same_position_s: int = 2  # positions this close are the same
    order_margin_s: int = 300  # two clocks must differ by more than this to put two events in order
    stamp_window_s: int = 120  # a date this close before the hub's own write is the stamp of that write
    stamp_delay_s: int = 600  # and so long after it was leased: a batch takes its time
    earliest_date: int = 631_152_000  # 1990: an older date is a placeholder


class Base(msgspec.Struct, frozen=True, gc=False):
    """What the account and the hub last agreed on. Dates as the server said them."""

    watched: bool
    plays: int | None = None
    last_played: int | None = None
    position_s: int | None = None


class Verdict(StrEnum):
    """What is known of a reading that looks like a removal."""

    open = "open"  # nothing said: not to be believed yet
    confirmed = "confirmed"  # a complete read and a second, direct look agree
    held = "held"  # a guard asks a person first
    dropped = "dropped"  # a person said: that was a mistake


class Slot(msgspec.Struct, frozen=True, gc=False):
    """One account's reading and base of the item in one ref.

    ``skew_s`` is the server's clock minus the hub's, 0 where it is small or not known. ``read_before`` is when the reading
    before this one was taken: whatever changed, changed after it. ``silent``: the connection is not read for news.
    ``base_at`` is when the base was set. ``sent`` is what the hub's newest write there wished for, as long as nobody knows
    whether it took effect, and ``doubts`` how many such tries there were: 1, or 2 for more.
    """

    account_id: int
    ref_id: int
    connection: str
    reading: State
    base: Base | None = None
    base_at: int | None = None
    sent: State | None = None
    doubts: int = 0
    unplayed: bool = False
    verdict: Verdict = Verdict.open
    read_at: int = 0
    read_before: int | None = None
    written_at: int | None = None
    skew_s: float = 0.0
    runtime_s: int | None = None
    span: int = 1
    silent: bool = False
    fresh: bool = False  # an id that appeared after the account's first complete read: looked at twice
    writable: bool = True
    writes: frozenset[str] = frozenset({"watched", "progress"})
    takes_date: bool = False

    @property
    def key(self) -> tuple[int, int]:
        return (self.account_id, self.ref_id)


class Agreed(msgspec.Struct, frozen=True, gc=False):
    """The hub's own value. All times on the hub's clock: ``watched_at`` is the true date, ``unwatched_at`` the time since
    which a person's un-play stands; ``*_from`` are accounts."""

    watched: bool = False
    plays: int = 0
    watched_at: int | None = None
    unwatched_at: int | None = None
    watched_from: int | None = None
    position_s: int = 0
    position_at: int | None = None
    position_from: int | None = None
    runtime_s: int | None = None


NOTHING = Agreed()


class News(msgspec.Struct, frozen=True, gc=False):
    """What one slot says that differs from its base.

    ``at`` is a trustworthy time on the hub's clock, None = none; ``not_before`` and ``not_after`` bound the time.
    ``first``: there was no base.
    """

    rule: str
    slot: Slot
    first: bool
    at: int | None = None
    not_before: int | None = None
    position_s: int = 0
    not_after: int | None = None


class Decision(msgspec.Struct, frozen=True, gc=False):
    """A facet's new agreed value with the rule of the table that made it, and whose news it was."""

    facet: str
    rule: str
    reason: str
    account_id: int | None


class WantedWrite(msgspec.Struct, frozen=True, gc=False):
    """One change that should happen on one slot, with its reason. ``old`` and ``new`` are the facet's values."""

    slot: Slot
    facet: str
    rule: str
    reason: str
    old: State
    new: State
