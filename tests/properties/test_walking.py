"""The walk may call steps the same that the reduction makes equal, after however many acts: what follows from them is the same,
and so is the end."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.properties.conftest import FEW
from tests.properties.exhaustive import ACTS, T0, Broken, Record, Step, act, judge
from tests.properties.memory_hub import Account, MemoryHub, World
from tests.properties.servers import KINDS
from tests.properties.walking import STEP_S, follow, reduce_step

letters = st.tuples(st.sampled_from(ACTS), st.integers(0, 2))


def is_broken(hub: MemoryHub, step: Step, now: int) -> str:
    try:
        judge(hub, step, now)
    except Broken:
        return "broken"
    return "well"


@FEW
@given(
    names=st.lists(st.sampled_from(sorted(KINDS)), min_size=2, max_size=3),
    path=st.lists(letters, max_size=8),
    lost_after_effect=st.booleans(),
    more_acts=st.integers(0, 4),
)
def test_what_is_reduced_goes_on_as_it_would_have(
    names: list[str], path: list[tuple[str, int]], lost_after_effect: bool, more_acts: int
) -> None:
    """One act after the reduction reaches the steps that it reaches without, and the judgement is the same; also when it took
    more acts to come there."""
    hub = MemoryHub([KINDS[name] for name in names], lost_after_effect=lost_after_effect)
    step, now = Step(World(tuple(Account() for _ in names)), Record()), T0
    for what, number in path:
        now += STEP_S
        step = act(hub, step, what, number % len(names), now) or step
    reduced = reduce_step(hub, step)
    assert reduce_step(hub, reduced) == reduced
    plain, short = ({found[0] for found in follow(hub, one, now + STEP_S)} for one in (step, reduced))
    assert plain == short
    later = now + STEP_S * more_acts
    assert {found[0] for found in follow(hub, reduced, later + STEP_S)} == short
    assert is_broken(hub, step, now) == is_broken(hub, reduced, later)
