"""The merge, sentence by sentence: each test is one thing that the issue or the design says of it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from playhead.domain.reconcile.guards import Limits, ask_about_removals, is_too_short
from playhead.domain.reconcile.model import NOTHING, Agreed, Base, Verdict
from playhead.domain.reconcile.news import acknowledge
from playhead.domain.reconcile.resolve import RULES, resolve
from playhead.domain.reconcile.table import print_table
from playhead.domain.reconcile.writes import base_after_write, next_base
from playhead.domain.state.reading import State
from tests.domain.slots import (
    DAY,
    KNOWN,
    NOW,
    POLICY,
    RUNTIME,
    SEEN,
    merge,
    rules,
    said,
    slot,
    unplayed,
    writes,
)

# -- watched


def test_first_contact_adds_what_a_new_server_has_watched() -> None:
    result = merge(NOTHING, slot(1, said(True, 2, NOW - DAY)), slot(2, said()))
    assert result.agreed.watched
    assert result.agreed.watched_at == NOW - DAY
    assert rules(result) == ["first-watched"]


def test_a_new_empty_server_unwatches_nothing_and_is_told() -> None:
    empty = slot(2, said())
    result = merge(SEEN, slot(1, said(True, 1, NOW - 9 * DAY), KNOWN), empty)
    assert result.agreed == SEEN
    assert [w.new.watched for w in writes(empty, SEEN)] == [True]


def test_first_contact_never_unwatches_a_server() -> None:
    """Unwatched in the hub, watched on a server that was never agreed with: it keeps it."""
    gone = Agreed(unwatched_at=NOW - DAY, watched_from=1)
    assert writes(slot(2, said(True, 1, NOW - 9 * DAY)), gone) == []


def test_only_a_persons_un_play_takes_a_mark_away() -> None:
    """A blank agreed value (an item that was parted from another) unwatches nobody."""
    assert writes(slot(1, said(True, 1, NOW), Base(True, 1, NOW)), NOTHING) == []


def test_a_play_is_news_and_reaches_the_others_with_its_date() -> None:
    at = NOW - 3_600
    result = merge(NOTHING, slot(1, said(True, 1, at), Base(False, 0)), slot(2, said(), Base(False, 0)))
    assert rules(result) == ["watched"]
    (write,) = writes(slot(2, said(), Base(False, 0)), result.agreed)
    assert (write.new.watched, write.new.last_played) == (True, at)


def test_played_without_a_date_is_watched_and_moves_no_date() -> None:
    assert merge(NOTHING, slot(1, said(True, None, None))).agreed.watched
    assert merge(SEEN, slot(2, said(True, 1, None), Base(False, 0))).agreed == SEEN


def test_play_count_0_on_a_played_item_unmarks_nothing() -> None:
    assert merge(SEEN, slot(1, said(True, 0, None), KNOWN)).agreed == SEEN


def test_a_date_in_the_future_is_no_time() -> None:
    result = merge(NOTHING, slot(1, said(True, 1, NOW + 40 * DAY)))
    assert result.agreed.watched
    assert result.agreed.watched_at is None


def test_a_skewed_clock_is_taken_off() -> None:
    result = merge(NOTHING, slot(1, said(True, 1, NOW + 3_600), skew_s=7_200))
    assert result.agreed.watched_at == NOW - 3_600


def test_a_date_that_mere_progress_set_is_no_date_of_watching() -> None:
    result = merge(SEEN, slot(1, said(True, 1, NOW - 60, 1_200), KNOWN))
    assert result.agreed.watched_at == SEEN.watched_at
    assert rules(result) == ["stopped"]


@pytest.mark.parametrize("reading", [said(True, 2, NOW - 60), said(True, 1, NOW - 60)], ids=["count", "date"])
def test_a_rewatch_is_news_by_count_or_by_date(reading: State) -> None:
    result = merge(SEEN, slot(1, reading, KNOWN))
    assert rules(result) == ["rewatched"]
    assert result.agreed.watched_at == NOW - 60
    assert result.watched_moved


def test_a_rewatch_tells_the_servers_that_take_a_date() -> None:
    later = msgspec.structs.replace(SEEN, watched_at=NOW - 60)
    assert len(writes(slot(2, said(True, 1, NOW - 9 * DAY), KNOWN), later, moved=True)) == 1
    plex = slot(3, said(True, 1, NOW - 9 * DAY), KNOWN, takes_date=False)
    assert writes(plex, later, moved=True) == []


# -- the hub's own writes


def test_the_stamp_of_the_own_write_is_never_news() -> None:
    """Plex stamps now, and counts; the receipt told of the count but of no date."""
    plex = slot(1, said(True, 1, NOW), Base(True, 1, None, 0), written_at=NOW - 5)
    assert merge(SEEN, plex).agreed == SEEN


def test_the_stamp_is_no_news_when_the_receipt_was_lost() -> None:
    plex = slot(
        1, said(True, 1, NOW), Base(False, 0), written_at=NOW - 5, sent=said(True, 1, SEEN.watched_at)
    )
    assert merge(SEEN, plex).agreed == SEEN


def test_a_mark_whose_receipt_was_lost_does_not_undo_a_later_un_play() -> None:
    """The hub's echo arrives after the person took it back elsewhere: it is taken away again."""
    gone = Agreed(unwatched_at=NOW - 60, watched_from=1)
    echo = acknowledge(
        slot(2, said(True, 1, NOW - 30), Base(False, 0), written_at=NOW - 35, sent=said(True, 1, NOW - DAY)),
        POLICY,
    )
    assert merge(gone, echo).agreed == gone
    assert [w.new.watched for w in writes(echo, gone)] == [False]


def test_an_un_play_whose_receipt_was_lost_does_not_undo_a_later_play() -> None:
    echo = acknowledge(unplayed(2, written_at=NOW - DAY, sent=said()), POLICY)
    assert merge(SEEN, echo).agreed == SEEN
    assert [w.new.watched for w in writes(echo, SEEN)] == [True]


def test_a_receipt_that_shows_a_persons_play_leaves_it_to_be_news() -> None:
    """A position was written; meanwhile the item had been watched there."""
    assert base_after_write(
        Base(False, 0), said(False, 0, None, 900), said(True, 1, NOW, 900), POLICY
    ) == Base(False, 0)


# -- un-plays


def test_an_un_play_reaches_the_others() -> None:
    result = merge(SEEN, unplayed(1), slot(2, said(True, 1, NOW - 9 * DAY), KNOWN))
    assert rules(result) == ["unplayed"]
    other = slot(2, said(True, 1, NOW - 9 * DAY), KNOWN)
    assert [w.new.watched for w in writes(other, result.agreed)] == [False]


def test_an_un_play_of_what_the_hub_itself_had_marked_is_believed() -> None:
    marked = Base(True, 1, None, 0)
    assert not merge(SEEN, unplayed(2, marked, written_at=NOW - 3 * DAY)).agreed.watched


@pytest.mark.parametrize("verdict", [Verdict.open, Verdict.held, Verdict.dropped])
def test_an_un_play_is_believed_only_when_confirmed(verdict: Verdict) -> None:
    assert merge(SEEN, unplayed(1, verdict=verdict)).agreed == SEEN


def test_an_undecided_un_play_is_neither_believed_nor_undone() -> None:
    assert writes(unplayed(1, verdict=Verdict.open), SEEN) == []


def test_a_dropped_removal_is_marked_again_with_that_reason() -> None:
    (write,) = writes(unplayed(1, verdict=Verdict.dropped), SEEN)
    assert (write.rule, write.new.watched) == ("kept", True)


def test_unwatched_without_a_base_is_no_news() -> None:
    """A removed and re-added item, a replaced file and a recreated user have no base."""
    bare = slot(1, said(), None, unplayed=True, verdict=Verdict.confirmed)
    assert merge(SEEN, bare).agreed == SEEN


def test_what_comes_from_a_play_is_never_an_un_play() -> None:
    """Jellyfin 10.11 says Played:false with a count and a date when a watched film is merely started."""
    started = slot(1, said(False, 2, NOW - 60), KNOWN)
    assert merge(SEEN, started).agreed == SEEN
    (write,) = writes(started, SEEN)
    assert (write.rule, write.new.watched) == ("restored", True)


def test_a_play_elsewhere_in_the_same_pass_beats_an_un_play() -> None:
    result = merge(SEEN, unplayed(1), slot(2, said(True, 2, NOW - 60), KNOWN))
    assert result.agreed.watched


def test_an_un_play_from_before_what_the_hub_learned_is_not_believed() -> None:
    """It was read late: the account was told nothing of the watching that it would undo."""
    late = unplayed(1, read_before=NOW - 5 * DAY, base_at=NOW - 8 * DAY)
    assert merge(SEEN, late, decided_at=NOW - 2 * DAY).agreed == SEEN
    assert not merge(SEEN, unplayed(1, base_at=NOW - DAY), decided_at=NOW - 2 * DAY).agreed.watched


def test_an_overruled_un_play_is_heard_once_and_told_again() -> None:
    late = unplayed(1)
    base = next_base(late, SEEN, POLICY)
    assert base is not None
    assert not base.watched
    again = msgspec.structs.replace(late, base=base)
    assert [w.new.watched for w in writes(again, SEEN)] == [True]


def test_an_old_play_reported_late_does_not_undo_an_un_play() -> None:
    gone = Agreed(unwatched_at=NOW - DAY, watched_from=1)
    assert merge(gone, slot(2, said(True, 1, NOW - 9 * DAY))).agreed == gone
    assert merge(gone, slot(2, said(True, 1, NOW - 60), Base(False, 0))).agreed.watched


# -- progress


def test_watched_and_stopped_midway_keeps_watched_and_gains_progress() -> None:
    result = merge(SEEN, slot(1, said(True, 1, NOW - 60, 1_800), KNOWN))
    assert result.agreed.watched
    assert result.agreed.position_s == 1_800


def test_watching_clears_progress_everywhere() -> None:
    half = Agreed(position_s=1_800, position_at=NOW - DAY, position_from=1, runtime_s=RUNTIME)
    result = merge(half, slot(2, said(True, 1, NOW - 60), Base(False, 0)))
    assert (result.agreed.watched, result.agreed.position_s) == (True, 0)
    assert "finished" in rules(result)
    left = slot(1, said(False, 0, NOW - DAY, 1_800), Base(False, 0, NOW - DAY, 1_800))
    assert {w.facet for w in writes(left, result.agreed)} == {"watched", "progress"}


def test_an_old_resume_point_does_not_come_back_after_watching() -> None:
    assert merge(SEEN, slot(2, said(False, 0, NOW - 20 * DAY, 1_800))).agreed == SEEN


@pytest.mark.parametrize("position", [59, 5_400])
def test_a_position_under_a_minute_or_past_the_threshold_is_none(position: int) -> None:
    assert merge(NOTHING, slot(1, said(False, 0, NOW - 60, position))).agreed == NOTHING


def test_the_newest_stop_wins_and_undated_the_further() -> None:
    result = merge(NOTHING, slot(1, said(False, 0, NOW - 60, 900)), slot(2, said(False, 0, NOW - DAY, 1_800)))
    assert result.agreed.position_s == 900
    result = merge(NOTHING, slot(1, said(False, 0, None, 900)), slot(2, said(False, 0, None, 1_800)))
    assert result.agreed.position_s == 1_800


def test_no_position_is_carried_over_where_runtimes_differ_by_more_than_a_minute() -> None:
    half = Agreed(position_s=1_800, position_at=NOW, position_from=1, runtime_s=RUNTIME)
    near, far = (slot(2, said(), Base(False, 0), runtime_s=RUNTIME + d) for d in (60, 61))
    assert [w.facet for w in writes(near, half)] == ["progress"]
    assert writes(far, half) == []


def test_a_cleared_resume_point_is_cleared_on_the_others() -> None:
    half = Agreed(position_s=1_800, position_at=NOW - 3 * DAY, position_from=1, runtime_s=RUNTIME)
    result = merge(half, unplayed(1, Base(False, 0, NOW - 3 * DAY, 1_800)))
    assert rules(result) == ["cleared"]
    assert result.agreed.position_s == 0


def test_an_un_play_that_leaves_a_newer_resume_point_puts_it_back() -> None:
    """The request that unwatches takes the position with it, so both facets are written."""
    gone = Agreed(
        unwatched_at=NOW - DAY, position_s=1_800, position_at=NOW, position_from=2, runtime_s=RUNTIME
    )
    stopped = slot(2, said(True, 1, NOW, 1_800), Base(True, 1, NOW - DAY, 1_800))
    assert {w.facet for w in writes(stopped, gone)} == {"watched", "progress"}


# -- odd places


def test_a_file_of_several_episodes_is_marked_once_all_are_watched() -> None:
    double = slot(2, said(), Base(False, 0), span=2)
    assert writes(double, SEEN, together=False) == []
    assert [w.facet for w in writes(double, SEEN, together=True)] == ["watched"]


def test_an_item_twice_on_one_server_is_two_slots_and_both_are_told() -> None:
    twice = [msgspec.structs.replace(slot(1, said(), Base(False, 0)), ref_id=ref) for ref in (1, 2)]
    assert all(len(writes(one, SEEN)) == 1 for one in twice)


def test_a_connection_that_is_not_read_gives_no_news_but_is_told() -> None:
    silent = slot(2, said(True, 1, NOW), Base(False, 0), silent=True)
    assert merge(NOTHING, silent).agreed == NOTHING
    assert writes(slot(2, said(), None, silent=True), SEEN) != []
    assert writes(silent, Agreed(unwatched_at=NOW)) == []  # what nobody heard of is not taken away


def test_a_connection_that_is_not_written_gives_news_and_is_not_told() -> None:
    reader = slot(2, said(True, 1, NOW), Base(False, 0), writable=False)
    assert merge(NOTHING, reader).agreed.watched
    assert writes(slot(2, said(), Base(False, 0), writable=False), SEEN) == []


def test_an_unknown_reading_is_no_news_and_no_target() -> None:
    unknown = slot(1, State(), KNOWN)
    assert merge(SEEN, unknown).agreed == SEEN
    assert writes(unknown, SEEN) == []


# -- guards


def test_a_mass_of_removals_is_a_question_and_a_few_are_not() -> None:
    names = {7: "Plex"}
    assert ask_about_removals({(1, 7): 5}, {1: 10}, names, Limits()) == []
    assert len(ask_about_removals({(1, 7): 6}, {1: 10}, names, Limits())) == 1
    assert ask_about_removals({(1, 7): 6}, {1: 30}, names, Limits()) == []


def test_an_empty_or_shrunken_list_is_not_believed() -> None:
    assert is_too_short(10, 0, max_shrink_share=0.2)
    assert is_too_short(100, 70, max_shrink_share=0.2)
    assert not is_too_short(100, 90, max_shrink_share=0.2)


# -- the table


def test_every_rule_of_the_table_is_reached_and_every_rule_used_is_in_it() -> None:
    """The tests above name each rule that decides or writes; there is no other."""
    source = Path(__file__).read_text()
    assert all(f'"{rule.name}"' in source for rule in RULES)
    folder = Path(resolve.__code__.co_filename).parent
    code = "".join((folder / name).read_text() for name in ("news.py", "resolve.py", "writes.py"))
    assert all(code.count(f'"{rule.name}"') >= 2 for rule in RULES), "a row that nothing uses"


def test_the_page_in_the_docs_is_the_table() -> None:
    page = Path(__file__).parents[2] / "docs" / "reference" / "decisions.md"
    assert page.read_text() == print_table(), (
        "python -m playhead.domain.reconcile.table > docs/reference/decisions.md"
    )
