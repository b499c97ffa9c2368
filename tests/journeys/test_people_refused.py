"""What of people, logins and tokens may not be is refused, and nothing is saved."""

from __future__ import annotations

import pytest

from tests.journeys.conftest import Travel
from tests.journeys.household import (
    WATCHED,
    house,
    link_bob,
    people,
    shows,
    trip_home,
)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["link", "carol", "plex", "guest"], "There is no person 'carol'"),
        (["link", "bob", "nowhere", "guest"], "There is no connection 'nowhere'"),
        (["link", "bob", "plex", "nobody"], "'plex' has no login 'nobody'. Logins there: alice, bob, guest"),
        (["link", "bob", "emby", "guest"], "bob has a login on the server of 'emby' already"),
        (["link", "alice", "emby", "bob", "--also"], "This needs a yes"),
        (["unlink", "emby", "guest"], "No linked login is called 'guest' on 'emby'"),
        (["remove", "carol"], "There is no person 'carol'"),
        (["remove", "bob"], "This needs a yes"),
        (["unlink", "emby", "bob"], "This needs a yes"),
    ],
)
def test_what_may_not_be_is_refused(travel: Travel, command: list[str], said: str) -> None:
    """With one line, and nothing is saved."""
    trip = house(travel)
    link_bob(trip)
    text = (trip_home(trip) / "playhead.yaml").read_text()
    ran = trip.cli("people", *command)
    assert ran.code in (1, 2) and said in ran.err, ran.err
    assert (trip_home(trip) / "playhead.yaml").read_text() == text


def test_a_token_of_somebody_else_is_refused(travel: Travel) -> None:
    """On Plex it would make two persons one; the login's own is taken, and two logins of one person where named twice."""
    trip = house(travel)
    people(trip, "add", "bob")
    ran = trip.cli("people", "link", "bob", "plex", "bob", "--token", trip.box.token("plex", "guest"))
    assert ran.code == 2 and "not" in ran.err, ran.err
    ran = trip.cli("people", "link", "bob", "plex", "bob", "--token", trip.box.token("plex", "alice"))
    assert ran.code == 2, ran.err
    people(trip, "link", "bob", "plex", "bob", "--token", trip.box.token("plex", "bob"))
    people(trip, "link", "bob", "plex", "guest", "--also")
    trip.settle()
    assert shows(trip, "bob")["plex"] == shows(trip, "guest")["plex"] == {"c": (False, 900), "f": WATCHED}
    assert shows(trip, "guest")["emby"] == {"f": WATCHED}


def test_a_token_that_plex_tv_does_not_give_is_asked_for(travel: Travel) -> None:
    """One line that says what to give; the others are linked all the same."""
    trip = house(travel)
    trip.fault("plextv", "missing", "GET /api/servers*")
    trip.fault("plextv", "missing", "GET /api/v2/home/users")
    people(trip, "add", "bob")
    ran = trip.cli("people", "link", "bob", "plex", "bob")
    assert ran.code == 1 and "--token" in ran.err, ran.err
    done = people(trip, "propose", "--yes", "--json", code=4).json
    assert {each["connection"] for each in done["failed"]} == {"plex"}
    assert {(each["person"], each["connection"]) for each in done["linked"]} == {
        (person, name) for person in ("bob", "guest") for name in ("jellyfin", "emby")
    }
