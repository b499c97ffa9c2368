"""Every sequence of up to 4 acts (5 in the long profile) over 3 accounts and 1 item, on servers of one kind and on a mix."""

from __future__ import annotations

import pytest

from tests.properties.walking import FAR, STARTS, find_broken


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("profile", FAR)
def test_every_sequence_of_four_acts_ends_in_agreement(profile: str, start: str) -> None:
    """All steps that four acts reach, equal ones once."""
    steps, broken = find_broken(profile, start, 4)
    assert steps > 5_000
    assert not broken


@pytest.mark.long
@pytest.mark.parametrize("lost_after_effect", [True, False], ids=["receipt-lost", "write-lost"])
@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("profile", FAR)
def test_every_sequence_of_five_acts_ends_in_agreement(
    profile: str, start: str, lost_after_effect: bool
) -> None:
    """All steps that five acts reach, equal ones once."""
    steps, broken = find_broken(profile, start, 5, lost_after_effect=lost_after_effect)
    assert steps > 50_000
    assert not broken
