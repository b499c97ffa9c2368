"""What is written when only a part is to change, and what a failed write becomes."""

from __future__ import annotations

from typing import Any

import pytest

from playhead.adapters._mediabrowser.receipts import (
    complete_target,
    describe_failure,
    look_again,
    shows_state,
)
from playhead.domain.state.reading import BLANK, State
from playhead.ports.backend import Outcome, Write
from playhead.ports.errors import (
    BackendError,
    Interrupted,
    NotFound,
    RateLimited,
    Refused,
    ServerFault,
    Unauthorized,
    Unreachable,
)


def make_write(facets: str, target: State, before: State) -> Write:
    """A write of these facets."""
    return Write("1", "movie", frozenset(facets.split()), target, before)


def test_a_mark_clears_the_position_and_counts_at_least_one_play() -> None:
    """Watching clears progress; what nobody knows is not sent."""
    before = State(watched=False, plays=0, position_s=600, favourite=True, rating=8.0)
    wished = complete_target(make_write("watched", State(watched=True, last_played=1000), before))
    assert wished == State(True, 1, 1000, 0, 8.0, True)


def test_a_position_keeps_played_count_and_date() -> None:
    """A partial write would destroy the true state of a renamed file on Jellyfin 10.11: the whole state goes."""
    before = State(watched=True, plays=4, last_played=1000, position_s=0, favourite=True)
    wished = complete_target(make_write("progress", State(position_s=600), before))
    assert wished == State(True, 4, 1000, 600, None, True)


def test_a_write_of_progress_never_unplays() -> None:
    """Only the facet watched may unwatch, whatever the target says beside a position."""
    wished = complete_target(
        make_write("progress", State(watched=False, position_s=600), State(watched=True, plays=2))
    )
    assert (wished.watched, wished.plays) == (True, 2)


def test_the_count_never_goes_down() -> None:
    """The greater of both counts is written."""
    before = State(watched=True, plays=5, last_played=10)
    assert complete_target(make_write("watched", State(watched=True, plays=2), before)).plays == 5
    assert complete_target(make_write("watched", State(watched=True, plays=7), before)).plays == 7


@pytest.mark.parametrize("rating", [11.0, -1.0, float("nan"), float("inf")])
def test_a_rating_that_the_server_chokes_on_is_not_sent(rating: float) -> None:
    """Rating NaN makes every list of Jellyfin 10.11 with the item fail; 11 is refused with half of the write stored."""
    assert complete_target(make_write("watched", State(watched=True, rating=rating), BLANK)).rating is None


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (NotFound("x"), Outcome.missing),
        (Unauthorized("x"), Outcome.refused),
        (Refused("x"), Outcome.refused),
        (Unreachable("x"), Outcome.failed),
        (RateLimited("x", retry_after_s=7), Outcome.failed),
        (Interrupted("x"), Outcome.unsure),
        (ServerFault("x"), Outcome.unsure),
    ],
)
def test_every_failure_has_its_outcome(error: BackendError, outcome: Outcome) -> None:
    """The outcome says whether trying again makes sense."""
    receipt = describe_failure(error)
    assert (receipt.outcome, receipt.error_code) == (outcome, error.code)
    assert receipt.retry_after_s == (7 if isinstance(error, RateLimited) else None)


@pytest.mark.parametrize(
    ("found", "outcome"),
    [
        (State(watched=True), Outcome.done),
        (State(watched=False), Outcome.failed),
        (NotFound("gone"), Outcome.missing),
        (Unreachable("down"), Outcome.unsure),
    ],
)
async def test_a_write_of_unknown_effect_is_settled_by_reading(found: Any, outcome: Outcome) -> None:
    """Done where the server shows it, failed where it does not, unsure where it cannot be asked."""

    async def read() -> State:
        if isinstance(found, BackendError):
            raise found
        assert isinstance(found, State)
        return found

    wished = State(watched=True)
    receipt = await look_again(Interrupted("cut"), read, lambda now: shows_state(now, wished))
    assert receipt.outcome is outcome
