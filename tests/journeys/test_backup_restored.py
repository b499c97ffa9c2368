"""A server comes back as it was a week ago: what was watched there since seems unwatched, and no person did that."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.journeys.conftest import Travel
from tests.journeys.household import KINDS
from tests.journeys.journey import Journey, movie, seen, server, world

FILMS = [f"film{number}" for number in range(20)]
OLD, WEEK, AGAIN = FILMS[:10], FILMS[10:13], FILMS[0]


def back_up(box: Any) -> Any:
    """What an emulated server keeps of its logins' watching."""
    if box.kind == "plex":
        return copy.deepcopy(box.core.state.settings)
    if box.kind == "jellyfin":
        return {user: {key: row.copy() for key, row in rows.items()} for user, rows in box.store.rows.items()}
    return {key: copy.deepcopy(user.data) for key, user in box.accounts.users.items()}


def restore(box: Any, kept: Any) -> None:
    if box.kind == "plex":
        box.core.state.settings = kept
        for account in box.core.state.revisions:
            box.core.state.revisions[account] += 1
    elif box.kind == "jellyfin":
        box.store.rows.clear()
        box.store.rows.update(kept)
        for cache in (box.store._cached, box.store._seen, box.store._apart):
            cache.clear()
    else:
        for key, user in box.accounts.users.items():
            user.data = kept[key]


@pytest.fixture
def week(travel: Travel) -> Journey:
    watched = [seen(film) for film in OLD]
    trip = travel(
        world([movie(film) for film in FILMS], *(server(kind, *watched) for kind in KINDS))
    ).connect_all()
    trip.settle()
    return trip


def live_a_week(trip: Journey, where: str) -> Any:
    """Three films more, and an old one again; gives what the server was before."""
    kept = back_up(trip.box.server(where))
    for film in (*WEEK, AGAIN):
        trip.act(where, "play", film)
    trip.settle()
    return kept


@pytest.mark.parametrize("where", KINDS)
def test_a_restored_backup_unwatches_nothing(week: Journey, where: str) -> None:
    """Few as they are, a person is asked: another item's date went back there. Dropped, the server is told again."""
    kept = live_a_week(week, where)
    week.later(86_400)
    restore(week.box.server(where), kept)
    assert week.sync(code=3)["held"] == 1
    week.sync(code=3)  # the dates went back in the first one; what was asked stays asked
    assert all(week.watched(film)[name] for film in WEEK for name in KINDS if name != where)
    [question] = week.held()
    assert "dates there went back" in question["question"]
    assert week.cli("held", "drop", str(question["id"])).code == 0
    week.sync()
    for film in WEEK:
        week.all_say(film, True)


@pytest.mark.parametrize("where", KINDS)
def test_the_same_unmarks_by_a_person_are_believed(week: Journey, where: str) -> None:
    """No date went back."""
    live_a_week(week, where)
    for film in WEEK:
        week.act(where, "unmark", film)
    week.settle()
    for film in WEEK:
        week.all_say(film, False)


def test_what_is_held_stays_held_until_it_is_answered(week: Journey) -> None:
    """Also where so few are left that nobody would have been asked about them."""
    for film in OLD[2:]:
        week.act("emby", "unmark", film)
    assert week.sync(code=3)["held"] == 1
    for film in OLD[4:]:
        week.act("emby", "mark", film)
    assert week.sync(code=3)["held"] == 1
    assert all(week.watched(film)["plex"] for film in OLD)
    [question] = week.held()
    assert week.cli("held", "release", str(question["id"])).code == 0
    week.settle()
    assert [film for film in OLD if not week.watched(film)["plex"]] == OLD[2:4]
