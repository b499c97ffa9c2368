"""What a person does on one server arrives on all others, once, and comes back as no echo."""

from __future__ import annotations

import pytest

from tests.journeys.conftest import Travel
from tests.journeys.journey import DAY, KINDS, Journey, movie, now, seen, server, stopped, world

MOVIES = ["new", "old", "half", "again", "wrong"]


def five_servers(travel: Travel) -> Journey:
    """All sorts of server, each with the same five films; the state differs."""
    items = [movie(name) for name in MOVIES]
    return travel(
        world(
            items,
            server("plex", seen("old", days_ago=100)),
            server("jellyfin"),
            server("jelly10"),
            server("emby", stopped("half", 1500)),
            server("emby48"),
        )
    ).connect_all()


@pytest.mark.parametrize("where", KINDS)
def test_acts_on_any_server_arrive_on_the_others(travel: Travel, where: str) -> None:
    """Played in the past, marked, unmarked, stopped, watched again: value, date, position; nothing to do afterwards."""
    trip = five_servers(travel)
    trip.settle()
    trip.all_say("old", True)
    trip.all_say("half", False, 1500)
    before = trip.row("jelly10", "old")["last_played"]
    assert abs(before - (now() - 100 * DAY)) < DAY

    trip.act(where, "play", "new")
    trip.act(where, "mark", "again")
    trip.act(where, "unmark", "old")
    trip.act(where, "stop", "wrong", position_s=2400)
    trip.act(where, "play", "half")
    trip.settle()
    trip.all_say("new", True)
    trip.all_say("again", True)
    trip.all_say("old", False)
    trip.all_say("wrong", False, 2400)
    trip.all_say("half", True)

    trip.act(where, "unmark", "new")
    trip.act(where, "stop", "again", position_s=3000)  # watched, and in the middle again
    trip.act(where, "unmark", "wrong")  # takes the resume point away
    trip.settle()
    trip.all_say("new", False)
    trip.all_say("again", True, 3000)
    trip.all_say("wrong", False)


@pytest.mark.parametrize("where", KINDS)
def test_a_play_in_the_past_keeps_its_date(travel: Travel, where: str) -> None:
    """Where the server has a date; a rewatch moves it on."""
    trip = five_servers(travel)
    trip.sync()
    day = now() - 20 * DAY
    trip.act(where, "play", "new", at=day)
    trip.settle()
    trip.all_say("new", True)
    for other in ("jellyfin", "jelly10", "emby", "emby48"):
        assert abs(trip.row(other, "new")["last_played"] - day) <= 60, (other, trip.history())
    later = now() - 3 * DAY
    trip.act(where, "play", "new", at=later)
    trip.settle()
    for other in ("jellyfin", "jelly10", "emby", "emby48"):
        assert abs(trip.row(other, "new")["last_played"] - later) <= 60, (other, trip.history())
    trip.all_say("new", True)


@pytest.mark.parametrize("where", KINDS)
def test_starting_a_watched_film_unwatches_nothing(travel: Travel, where: str) -> None:
    """Jellyfin 10.11 says Played:false then; so does Emby."""
    trip = five_servers(travel)
    trip.settle()
    trip.act(where, "start", "old")
    trip.settle()
    others = {name: value for name, value in trip.watched("old").items() if name != where}
    assert set(others.values()) == {True}, (others, trip.history())
    trip.act(where, "stop", "old", position_s=2000)
    trip.settle()
    others = {name: value for name, value in trip.watched("old").items() if name != where}
    assert set(others.values()) == {True}, (others, trip.history())
    trip.act(where, "stop", "old", position_s=5990)
    trip.settle()
    trip.all_say("old", True)


@pytest.mark.parametrize("where", KINDS)
def test_acts_in_quick_succession(travel: Travel, where: str) -> None:
    """Seconds after the hub's own write to the same item: what a person does is still news, and nothing is an echo."""
    trip = travel(world([movie("a")], *(server(name) for name in KINDS))).connect_all()
    trip.settle()
    trip.pause_s = 5
    other = next(name for name in KINDS if name != where)
    steps: list[tuple[str, str, float, bool]] = [
        (other, "play", 0, True),
        (where, "unmark", 0, False),
        (where, "mark", 0, True),
        (other, "stop", 2000, True),
        (where, "play", 0, True),
        (other, "unmark", 0, False),
        (where, "stop", 1000, False),
        (other, "stop", 3000, False),
        (where, "unmark", 0, False),
    ]
    for name, what, position, watched in steps:
        trip.act(name, what, "a", **({"position_s": position} if position else {}))
        trip.settle()
        trip.all_say("a", watched, position)
