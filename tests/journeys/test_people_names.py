"""A name is no person: what happens when somebody of the same name comes, and when a name is spelled in two ways."""

from __future__ import annotations

from tests.journeys.conftest import Travel
from tests.journeys.household import WATCHED, everywhere, house, link_bob, people, shows, trip_home


def test_a_namesake_of_somebody_who_was_removed_gets_nothing_of_theirs(travel: Travel) -> None:
    """Another bob, with a login of his own: what the first one watched is not written to him, and he goes on alone."""
    trip = house(travel)
    link_bob(trip)
    trip.settle()
    former = shows(trip, "bob")
    people(trip, "remove", "bob", "--yes")
    people(trip, "add", "Bob")
    for name in trip.kinds:
        people(trip, "link", "bob", name, "guest", "--yes")
    trip.settle()
    assert shows(trip, "guest") == everywhere(f=WATCHED)
    trip.act("emby", "play", "e", user="guest")
    trip.settle()
    assert shows(trip, "guest") == everywhere(e=WATCHED, f=WATCHED)
    assert shows(trip, "bob") == former


def test_a_family_login_does_not_make_a_namesake_the_one_who_was_removed(travel: Travel) -> None:
    """Who shares it is told by nobody: the former bob's plays stay his."""
    trip = house(travel)
    link_bob(trip)
    people(trip, "link", "bob", "emby", "guest", "--shared", "--also")
    trip.settle()
    people(trip, "remove", "bob", "--yes")
    people(trip, "add", "bob")
    people(trip, "link", "bob", "emby", "guest", "--shared", "--yes")
    people(trip, "link", "bob", "plex", "guest", "--yes")
    trip.settle()
    assert "b" not in shows(trip, "guest")["plex"]


def test_who_was_removed_and_comes_back_goes_on(travel: Travel) -> None:
    """By one of their own logins; whatever a connection lacks comes there."""
    trip = house(travel)
    link_bob(trip)
    trip.settle()
    people(trip, "remove", "bob", "--yes")
    trip.act("plex", "play", "e", user="bob")
    people(trip, "add", "BOB")
    for name in trip.kinds:
        people(trip, "link", "bob", name, "bob", "--yes")
    trip.settle()
    assert shows(trip, "bob") == everywhere(b=WATCHED, c=(False, 900), e=WATCHED)


def test_upper_and_lower_case_are_one_person(travel: Travel) -> None:
    """In the settings of two connections, and when the spelling is changed later."""
    trip = house(travel)
    file = trip_home(trip) / "playhead.yaml"
    file.write_text(file.read_text().replace("person: alice", "person: Alice", 1))
    trip.settle()
    assert shows(trip, "alice") == everywhere(a=WATCHED, d=(False, 1200))
    file.write_text(file.read_text().replace("person: alice", "person: ALICE").replace("Alice", "ALICE"))
    trip.act("emby", "unmark", "a", user="alice")
    trip.settle()
    assert shows(trip, "alice") == everywhere(d=(False, 1200))
