"""Refused tokens: noted by fingerprint, tried again ever later, forgotten once they work."""

from __future__ import annotations

from pathlib import Path

import pytest

from playhead.store.refusals import FIRST_WAIT_S, LONGEST_WAIT_S, Refusals

NOW = 1_790_000_000.0
TOKEN = "a-token-that-was-refused"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "refused.json"


def test_a_token_that_nobody_refused_may_be_used(path: Path) -> None:
    """Nothing is written for it, neither when it works."""
    refusals = Refusals(path)
    assert refusals.may_ask("Den", TOKEN, NOW)
    refusals.clear("Den", TOKEN)
    assert not path.exists()


def test_it_is_tried_again_later_each_time(path: Path) -> None:
    """Up to a longest wait; a refusal in between is the same one, from which the wait begins anew."""
    refusals, now, waits = Refusals(path), NOW, []
    for _ in range(12):
        noted = refusals.note("Den", TOKEN, now)
        waits.append(noted.again_at - now)
        between = refusals.note("Den", TOKEN, now + 1)
        assert (between.since, between.times, between.again_at) == (
            noted.since,
            noted.times,
            noted.again_at + 1,
        )
        assert not refusals.may_ask("Den", TOKEN, between.again_at - 1)
        now = between.again_at
        assert refusals.may_ask("Den", TOKEN, now)
    assert waits[:3] == [FIRST_WAIT_S, 2 * FIRST_WAIT_S, 4 * FIRST_WAIT_S]
    assert waits[-1] == LONGEST_WAIT_S
    found = refusals.find("Den", TOKEN)
    assert found is not None
    assert (found.since, found.times) == (NOW, 12)


def test_who_asks_by_hand_asks_once(path: Path) -> None:
    """What was refused before that moment does not count, what is refused after it does."""
    refusals = Refusals(path)
    refusals.note("Den", TOKEN, NOW)
    assert refusals.may_ask("Den", TOKEN, NOW + 2, before=NOW + 1)
    refusals.note("Den", TOKEN, NOW + 2)
    assert not refusals.may_ask("Den", TOKEN, NOW + 3, before=NOW + 1)


def test_another_token_and_another_connection_are_not_touched(path: Path) -> None:
    """Who signs in again is read at once."""
    refusals = Refusals(path)
    refusals.note("Den", TOKEN, NOW)
    assert refusals.may_ask("Den", "the-new-one", NOW)
    assert refusals.may_ask("Attic", TOKEN, NOW)


def test_what_another_process_noted_holds(path: Path) -> None:
    """And what it takes back."""
    one, other = Refusals(path), Refusals(path)
    one.note("Den", TOKEN, NOW)
    assert not other.may_ask("Den", TOKEN, NOW + 1)
    other.clear("Den", TOKEN)
    assert one.may_ask("Den", TOKEN, NOW + 1)


def test_the_file_holds_no_token_and_a_damaged_one_is_as_none(path: Path) -> None:
    """It can be thrown away at any time."""
    refusals = Refusals(path)
    refusals.note("Den", TOKEN, NOW)
    assert TOKEN not in path.read_text()
    assert path.stat().st_mode & 0o077 == 0
    path.write_text("{")
    assert Refusals(path).may_ask("Den", TOKEN, NOW + 1)
