"""The merge, whatever the readings: order is of no concern, silence stays silence, nothing is unwatched by itself."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from playhead.domain.reconcile.model import NOTHING, Agreed, Base, Slot, Verdict
from playhead.domain.reconcile.writes import next_base
from playhead.domain.state.reading import State
from tests.domain.slots import (
    DAY,
    NOW,
    POLICY,
    SEEN,
    merge,
    slot,
)

readings = st.builds(
    State,
    watched=st.booleans(),
    plays=st.sampled_from([None, 0, 1, 2]),
    last_played=st.sampled_from([None, NOW - 9 * DAY, NOW - DAY, NOW - 60, NOW + 40 * DAY]),
    position_s=st.sampled_from([0, 30, 900, 1_800, 5_900]),
)
bases = st.none() | st.builds(
    Base,
    st.booleans(),
    st.sampled_from([None, 1]),
    st.sampled_from([None, NOW - 9 * DAY]),
    st.sampled_from([0, 900]),
)


@st.composite
def slots(draw: st.DrawFn) -> list[Slot]:
    count = draw(st.integers(1, 5))
    return [
        slot(
            n,
            draw(readings),
            draw(bases),
            unplayed=draw(st.booleans()),
            verdict=draw(st.sampled_from(Verdict)),
        )
        for n in range(count)
    ]


agreements = st.sampled_from([NOTHING, SEEN, Agreed(unwatched_at=NOW - 2 * DAY)])


@given(agreed=agreements, own=slots(), order=st.randoms(use_true_random=False))
def test_the_order_of_slots_is_of_no_concern(agreed: Agreed, own: list[Slot], order: Any) -> None:
    shuffled = list(own)
    order.shuffle(shuffled)
    assert merge(agreed, *own).agreed == merge(agreed, *shuffled).agreed


@given(agreed=agreements, own=slots())
def test_a_second_look_at_what_was_heard_decides_nothing(agreed: Agreed, own: list[Slot]) -> None:
    """With the bases that the first pass leaves, the same readings are silence for ``watched``."""
    first = merge(agreed, *own).agreed
    heard = [msgspec.structs.replace(s, base=next_base(s, first, POLICY)) for s in own]
    second = merge(first, *heard).agreed
    assert (second.watched, second.watched_at) == (first.watched, first.watched_at)


@given(agreed=agreements, own=slots())
def test_nothing_is_unwatched_without_a_confirmed_un_play(agreed: Agreed, own: list[Slot]) -> None:
    confirmed = any(s.unplayed and s.verdict is Verdict.confirmed for s in own)
    assert confirmed or merge(agreed, *own).agreed.watched >= agreed.watched
