"""What could hurt waits for a person; what cannot goes on."""

from __future__ import annotations

import pytest

from tests.journeys.conftest import Travel
from tests.journeys.journey import Journey, movie, seen, server, world

FILMS = [f"m{number}" for number in range(60)]
SERVERS = ("plex", "jellyfin", "emby")


def cinema(travel: Travel) -> Journey:
    """Sixty watched films on three servers that agree."""
    trip = travel(
        world(
            [movie(film) for film in FILMS],
            server("plex", *map(seen, FILMS)),
            server("jellyfin"),
            server("emby"),
        )
    ).connect_all()
    trip.settle()
    trip.pause_s = 1
    return trip


def count(trip: Journey) -> dict[str, int]:
    """Watched films by server."""
    return {
        name: sum(row["watched"] for row in trip.ask(f"/_sandbox/state?server={name}&user=alice"))
        for name in trip.kinds
    }


@pytest.mark.parametrize(("answer", "left"), [("release", 30), ("drop", 60)])
def test_half_of_all_unmarked_at_once_is_asked_about(travel: Travel, answer: str, left: int) -> None:
    """Exit 3 each time until answered, everything else goes on; released they go, dropped they come back."""
    trip = cinema(travel)
    for film in FILMS[:30]:
        trip.act("jellyfin", "unmark", film)
    for _ in range(2):
        counts = trip.sync(code=3)
        assert (counts["written"], counts["held"]) == (0, 1)
        assert count(trip) == {"plex": 60, "jellyfin": 30, "emby": 60}
    assert trip.plan(code=3)["changes"] == []
    (question,) = trip.held()
    assert question["connection"] == "jellyfin" and "30 of 60" in question["question"]
    more = ["--yes"] if answer == "release" else []
    assert trip.cli("held", answer, str(question["id"]), *more).code == 0
    trip.settle()
    assert count(trip) == dict.fromkeys(SERVERS, left)
    assert trip.held() == []


@pytest.mark.parametrize("where", SERVERS)
@pytest.mark.parametrize("kind", ["empty_list", "short_page"])
def test_a_list_that_shrank_takes_nothing_away(travel: Travel, where: str, kind: str) -> None:
    """Held and told; another server's un-mark still goes its way; healed, the question is gone."""
    trip = cinema(travel)
    trip.fault(where, kind, "GET *", params={"n": 30} if kind == "short_page" else {})
    assert trip.sync(code=3)["held"] == 1
    assert count(trip) == dict.fromkeys(SERVERS, 60)
    assert len(trip.items()) == 60
    (question,) = trip.held()
    assert question["connection"] == where
    assert "Release to" in question["question"] and "drop to" in question["question"]
    trip.act("emby" if where == "plex" else "plex", "unmark", "m3")
    trip.sync(code=3)
    trip.heal()
    trip.sync()
    trip.settle()
    assert trip.held() == []
    assert count(trip) == dict.fromkeys(SERVERS, 59)


def test_a_short_list_that_is_right_can_be_released(travel: Travel) -> None:
    """The question names server and library; released, what is gone waits there, and nothing is unmarked elsewhere."""
    trip = cinema(travel)
    for film in FILMS[:30]:
        trip.act("emby", "remove", film)
    trip.sync(code=3)
    (question,) = trip.held()
    assert question["question"].startswith("emby: The library “Movies” lists 30 entries where 60 were known;")
    assert trip.cli("held", "release", str(question["id"]), "--yes").code == 0
    assert trip.sync()["pending"] == 30
    assert trip.held() == []
    assert count(trip) == {"plex": 60, "jellyfin": 60, "emby": 30}
