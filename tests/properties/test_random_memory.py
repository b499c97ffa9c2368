"""Random histories on 2 to 6 accounts, with the real merge on a hub in memory: 2,000 of them, 100,000 in the long profile."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.properties.conftest import IN_MEMORY
from tests.properties.exhaustive import ACTS, T0, Record, Step, act, judge
from tests.properties.memory_hub import Account, MemoryHub, World
from tests.properties.servers import KINDS

letters = st.tuples(st.sampled_from(ACTS), st.integers(0, 5))


@IN_MEMORY
@given(
    names=st.lists(st.sampled_from(sorted(KINDS)), min_size=2, max_size=6),
    path=st.lists(letters, min_size=1, max_size=12),
    lost_after_effect=st.booleans(),
)
def test_histories_come_to_rest_in_agreement(
    names: list[str], path: list[tuple[str, int]], lost_after_effect: bool
) -> None:
    """Whatever happened, in whatever order, the accounts agree in the end, on nothing that nobody did."""
    hub = MemoryHub([KINDS[name] for name in names], lost_after_effect=lost_after_effect)
    step = Step(World(tuple(Account() for _ in names)), Record())
    now = T0
    for what, number in path:
        now += 3_600
        step = act(hub, step, what, number % len(names), now) or step
    judge(hub, step, now)
