"""Every sequence of up to 3 acts over 3 accounts and 1 item, on every mix of servers, from every beginning, with writes that
fail before and after they took effect; and proof that the accounts' order is of no concern. What ``test_exhaustive.py`` walks
further is left to it."""

from __future__ import annotations

import pytest

from tests.properties.exhaustive import Step
from tests.properties.memory_hub import MemoryHub
from tests.properties.walking import FAR, PROFILES, STARTS, find_broken, starts, walk

LOST = {"receipt-lost": True, "write-lost": False}
MIXES = [(profile, lost) for profile in PROFILES for lost in LOST if profile not in FAR or not LOST[lost]]


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize(("profile", "lost"), MIXES)
def test_every_sequence_of_three_acts_ends_in_agreement(profile: str, start: str, lost: str) -> None:
    """After any three acts, reads, losses and failures the accounts agree, on nothing that nobody did."""
    steps, broken = find_broken(profile, start, 3, lost_after_effect=LOST[lost])
    assert steps > 500
    assert not broken


@pytest.mark.parametrize("profile", ["plex", "mixed"])
def test_the_order_of_accounts_is_of_no_concern(profile: str) -> None:
    """The same slots in reverse give the same agreed value, bases and writes, in every state that two acts reach."""
    hub = MemoryHub(PROFILES[profile])

    def compare(step: Step, now: int, path: tuple[str, ...]) -> None:
        world = step.world
        for number in range(3):
            world = hub.read(world, number, now + 60, whole=True)
        slots = hub.slots(world)
        one, other = (hub.settle(world, now + 65, order) for order in (slots, slots[::-1]))
        assert one.agreed == other.agreed, path
        assert one.bases == other.bases, path
        writes = [sorted((w.slot.key, w.facet, w.new) for _, _, w in s.writes) for s in (one, other)]
        assert writes[0] == writes[1], path

    for _, step in starts(hub):
        walk(hub, step, 2, compare)
