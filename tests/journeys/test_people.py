"""Several persons on servers that are connected once each: who is linked is synced, and nothing of one reaches another."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.journeys.conftest import Travel
from tests.journeys.household import (
    KINDS,
    WATCHED,
    everywhere,
    house,
    link_bob,
    people,
    shows,
    trip_home,
)


def test_each_person_is_in_agreement_with_themselves(travel: Travel) -> None:
    """Also when they act at once on the same film; the guest, who is linked to nobody, stays as they were."""
    trip = house(travel)
    link_bob(trip)
    trip.settle()
    assert shows(trip, "alice") == everywhere(a=WATCHED, d=(False, 1200))
    assert shows(trip, "bob") == everywhere(b=WATCHED, c=(False, 900))
    trip.act("plex", "play", "e", user="bob")
    trip.act("emby", "unmark", "a", user="alice")
    trip.act("jellyfin", "stop", "e", user="alice", position_s=600)
    plan = trip.plan()
    assert {(c["person"], c["account"], c["item"]["title"]) for c in plan["changes"]} == {
        ("alice", "alice", "A"),
        ("alice", "alice", "E"),
        ("bob", "bob", "E"),
    }
    trip.settle()
    assert shows(trip, "alice") == everywhere(d=(False, 1200), e=(False, 600))
    assert shows(trip, "bob") == everywhere(b=WATCHED, c=(False, 900), e=WATCHED)
    assert shows(trip, "guest") == everywhere(f=WATCHED)


def test_nobody_is_read_or_written_before_they_were_linked(travel: Travel) -> None:
    """Proposed is not linked, and added is not linked."""
    trip = house(travel)
    people(trip, "add", "bob")
    before = shows(trip, "bob")
    ran = people(trip, "propose", "--json")
    assert ran.json["linked"] == []
    trip.settle()
    assert shows(trip, "bob") == before
    assert {row["account"] for row in trip.cli("status", "--json").json["accounts"]} == {"alice"}


def test_the_logins_of_one_name_are_proposed_and_linked_with_one_yes(travel: Travel) -> None:
    """Tokens on Plex are had from plex.tv and kept encrypted; a second look proposes nothing."""
    trip = house(travel)
    first = people(trip, "propose", "--json").json
    assert [(each["person"], each["known"], len(each["logins"])) for each in first["proposals"]] == [
        ("bob", False, 3),
        ("guest", False, 3),
    ]
    assert people(trip, "propose", code=2).err.startswith("error: This needs a yes")
    assert [each["person"] for each in people(trip, "list", "--json").json] == ["alice"]
    done = people(trip, "propose", "--yes", "--json").json
    assert len(done["linked"]) == 6 and done["failed"] == []
    listed = {each["person"]: each["logins"] for each in people(trip, "list", "--json").json}
    assert {person: len(logins) for person, logins in listed.items()} == {"alice": 3, "bob": 3, "guest": 3}
    tokens = {login["connection"]: login["token"] for login in listed["bob"]}
    assert tokens["plex"].startswith("store:") and tokens["plex"] != "store:plex"
    assert tokens["emby"] == "store:emby"
    assert trip.box.token("plex", "bob") not in (trip_home(trip) / "playhead.yaml").read_text()
    assert trip.box.token("plex", "bob") not in (trip_home(trip) / "secrets.json").read_text()
    again = people(trip, "propose", "--yes", "--json").json
    assert (again["proposals"], again["doubts"], again["linked"]) == ([], [], [])
    trip.settle()
    assert shows(trip, "bob") == everywhere(b=WATCHED, c=(False, 900))


@pytest.mark.parametrize("where", KINDS)
def test_a_login_that_is_linked_no_more_stands_still(travel: Travel, where: str) -> None:
    """Nothing is unwatched anywhere; linked again to the same person, what happened meanwhile is told."""
    trip = house(travel)
    link_bob(trip)
    trip.settle()
    before = shows(trip, "bob")
    people(trip, "unlink", where, "bob", "--yes")
    trip.settle()
    assert shows(trip, "bob") == before
    trip.act(where, "play", "e", user="bob")
    trip.act("emby" if where != "emby" else "plex", "play", "f", user="bob")
    trip.settle()
    now = shows(trip, "bob")
    assert now[where] == {**before[where], "e": WATCHED}
    assert all(films == {**before[name], "f": WATCHED} for name, films in now.items() if name != where)
    people(trip, "link", "bob", where, "bob", "--yes")
    trip.settle()
    assert shows(trip, "bob") == everywhere(b=WATCHED, c=(False, 900), e=WATCHED, f=WATCHED)
    assert shows(trip, "alice") == everywhere(a=WATCHED, d=(False, 1200))


@pytest.mark.parametrize("between", ["unlinked", "synced while unlinked", "at once"])
@pytest.mark.parametrize("where", KINDS)
def test_a_login_that_is_anothers_now_brings_nothing_along(travel: Travel, where: str, between: str) -> None:
    """What alice watched there, and what the hub wrote there for her, stays there and reaches nobody; what happens from then
    on is bob's, and what bob has comes to it."""
    trip = house(travel)
    people(trip, "add", "bob")
    for name in set(KINDS) - {where}:
        people(trip, "link", "bob", name, "bob")
    trip.settle()
    alices = shows(trip, "alice")[where]
    others = {name: films for name, films in shows(trip, "bob").items() if name != where}
    if between != "at once":
        people(trip, "unlink", where, "alice", "--yes")
        if between != "unlinked":
            trip.act(where, "play", "f", user="alice")
            alices["f"] = WATCHED
            trip.settle()
    assert people(trip, "link", "bob", where, "alice", "--yes", "--json").json["former"] == (
        "alice" if between == "at once" else None
    )
    assert all(change["person"] == "bob" for change in trip.plan()["changes"])
    trip.settle()
    bobs = next(iter(others.values()))
    assert shows(trip, "alice")[where] == {**bobs, **alices}
    assert {name: films for name, films in shows(trip, "bob").items() if name != where} == others
    trip.act(where, "play", "e", user="alice")
    trip.act(where, "unmark", "a", user="alice")
    trip.settle()
    assert {n: f for n, f in shows(trip, "bob").items() if n != where} == {
        name: {**films, "e": WATCHED} for name, films in others.items()
    }
    rest = {name: films for name, films in shows(trip, "alice").items() if name != where}
    assert all("e" not in films and films["a"] == WATCHED for films in rest.values())


def test_a_login_can_be_given_with_its_history(travel: Travel) -> None:
    """Where it was linked to the wrong person: then all of it is the right one's, and nothing is unwatched."""
    trip = house(travel)
    trip.settle()
    people(trip, "add", "bob")
    people(trip, "link", "bob", "jellyfin", "bob", "--yes")
    people(trip, "link", "bob", "plex", "alice", "--yes", "--with-history")
    trip.settle()
    assert shows(trip, "bob")["jellyfin"] == {"a": WATCHED, "b": WATCHED, "d": (False, 1200)}
    assert shows(trip, "alice") == {
        "plex": {"a": WATCHED, "b": WATCHED, "d": (False, 1200)},
        "jellyfin": {"a": WATCHED, "d": (False, 1200)},
        "emby": {"a": WATCHED, "d": (False, 1200)},
    }


@pytest.mark.parametrize("where", KINDS)
def test_two_who_swap_their_logins_on_a_server_swap_nothing_else(travel: Travel, where: str) -> None:
    """Neither gets what the other watched, whichever way round."""
    trip = house(travel)
    link_bob(trip)
    trip.settle()
    before = shows(trip, "alice"), shows(trip, "bob")
    people(trip, "unlink", where, "bob", "--yes")
    people(trip, "link", "bob", where, "alice", "--yes")
    people(trip, "link", "alice", where, "bob", "--yes")
    trip.settle()
    after = shows(trip, "alice"), shows(trip, "bob")
    for mine, was, theirs in ((after[0], before[0], after[1]), (after[1], before[1], after[0])):
        assert {n: f for n, f in mine.items() if n != where} == {n: f for n, f in was.items() if n != where}
        assert theirs[where].items() >= was[next(n for n in KINDS if n != where)].items()


def test_a_person_who_is_removed_changes_nothing_on_any_server(travel: Travel) -> None:
    """The connections stay, and their own logins are nobody's; the others go on."""
    trip = house(travel)
    link_bob(trip)
    trip.settle()
    before = trip.everything()
    people(trip, "remove", "Alice", "--yes")
    assert [each["person"] for each in people(trip, "list", "--json").json] == ["bob"]
    trip.settle()
    assert trip.everything() == before
    trip.act("plex", "play", "e", user="alice")
    trip.act("emby", "play", "f", user="bob")
    trip.settle()
    assert shows(trip, "bob") == everywhere(b=WATCHED, c=(False, 900), f=WATCHED)
    assert "e" not in shows(trip, "alice")["jellyfin"]
    people(trip, "add", "alice")
    for name in trip.kinds:
        people(trip, "link", "alice", name, "alice", "--yes")
    trip.settle()
    assert shows(trip, "alice") == everywhere(a=WATCHED, d=(False, 1200), e=WATCHED)


COMMANDS: list[list[str]] = [
    ["add", "carol"],
    ["link", "bob", "plex", "guest", "--also"],
    ["link", "bob", "jellyfin", "alice", "--also"],
    ["unlink", "emby", "alice"],
    ["unlink", "plex", "bob"],
    ["remove", "bob"],
    ["propose"],
]


def test_a_dry_run_changes_nothing(travel: Travel) -> None:
    """Neither the settings nor the tokens nor any server."""
    trip = house(travel)
    link_bob(trip)
    home = trip_home(trip)
    files = ("playhead.yaml", "secrets.json")
    before: Any = [(home / name).read_bytes() for name in files]
    everything = trip.everything()
    for command in COMMANDS:
        people(trip, *command, "--dry-run")
        assert people(trip, *command, "--dry-run", "--json").json["dry_run"] is True
    assert [(home / name).read_bytes() for name in files] == before
    assert trip.everything() == everything


@pytest.mark.parametrize("where", ["jellyfin", "emby"])
def test_two_whose_names_are_swapped_on_a_server_stay_who_they_are(travel: Travel, where: str) -> None:
    """Logins are known by their ids: what the names say, there and in the settings, moves nothing."""
    trip = house(travel)
    link_bob(trip)
    trip.settle()
    alices, bobs = shows(trip, "alice"), shows(trip, "bob")
    logins: Any = trip.box.server(where)
    by_name = {user.name: user for user in logins.accounts.users.values()}
    by_name["alice"].name, by_name["bob"].name = "bob", "alice"
    assert shows(trip, "bob")[where] == alices[where], "the names are swapped indeed"
    trip.settle()
    trip.act("plex", "play", "e", user="bob")
    trip.act(where, "play", "f", user="bob")  # who is alice for the hub
    trip.settle()
    others = [name for name in KINDS if name != where]
    for name in others:
        assert shows(trip, "alice")[name] == {**alices[name], "f": WATCHED}
        assert shows(trip, "bob")[name] == {**bobs[name], "e": WATCHED}
    assert shows(trip, "bob")[where] == {**alices[where], "f": WATCHED}
    assert shows(trip, "alice")[where] == {**bobs[where], "e": WATCHED}


def test_names_in_the_settings_move_nothing(travel: Travel) -> None:
    """Swapped by hand, they are shown so, and that is all."""
    trip = house(travel)
    link_bob(trip)
    trip.settle()
    before = trip.everything()
    file = trip_home(trip) / "playhead.yaml"
    swapped = re.sub(
        r"user: (alice|bob)\b", lambda m: f"user: {'bob' if m[1] == 'alice' else 'alice'}", file.read_text()
    )
    file.write_text(swapped)
    trip.settle()
    assert trip.everything() == before
    listed = {each["person"]: each["logins"] for each in people(trip, "list", "--json").json}
    assert {login["user"] for login in listed["alice"]} == {"bob"}


def test_a_connection_that_is_connected_again_keeps_its_other_logins(travel: Travel) -> None:
    """A new token for the connection's own; who is linked stays linked, and is not connected a second time."""
    trip = house(travel)
    link_bob(trip)
    before = people(trip, "list", "--json").json
    trip.connect("plex", "--person", "alice")
    trip.connect("emby", "--person", "alice", "--user", "alice")
    after = people(trip, "list", "--json").json
    assert [[(o["connection"], o["user_id"]) for o in p["logins"]] for p in after] == [
        [(o["connection"], o["user_id"]) for o in p["logins"]] for p in before
    ]
    token = trip.box.token("emby", "bob")
    place = ("--url", trip.box.url("emby"), "--token", token, "--user", "bob", "--yes")
    ran = trip.cli("connect", "emby", "--name", "again", *place)
    assert ran.code == 2 and "further login of 'emby' already" in ran.err, ran.err
    trip.settle()
    assert shows(trip, "bob") == everywhere(b=WATCHED, c=(False, 900))


@pytest.mark.parametrize("where", KINDS)
def test_one_login_that_is_refused_stops_nobody_else(travel: Travel, where: str) -> None:
    """The warning names the login; the others are read and written, also on the same server."""
    trip = house(travel)
    people(trip, "add", "bob")
    for name in trip.kinds:
        people(trip, "link", "bob", name, "bob", "--token", trip.box.token(name, "bob"))
    trip.settle()
    file = trip_home(trip) / "playhead.yaml"
    (trip_home(trip) / "old").write_text("0123456789abcdef0123")
    token = next(
        login["token"]
        for each in people(trip, "list", "--json").json
        for login in each["logins"]
        if (each["person"], login["connection"]) == ("bob", where)
    )
    file.write_text(file.read_text().replace(f"token: {token}\n", f"token: file:{trip_home(trip) / 'old'}\n"))
    other = "emby" if where != "emby" else "plex"
    trip.act(other, "play", "e", user="alice")
    trip.act(other, "play", "f", user="bob")
    ran = trip.cli("sync")
    assert ran.code == 4 and f"{where} (bob)" in ran.err, ran.err
    assert shows(trip, "alice") == everywhere(a=WATCHED, d=(False, 1200), e=WATCHED)
    third = next(name for name in KINDS if name not in (where, other))
    assert shows(trip, "bob")[third]["f"] == WATCHED
    assert "f" not in shows(trip, "bob")[where]


def test_a_login_that_several_watch_with_is_each_ones_source_and_is_never_written(travel: Travel) -> None:
    """What the family watches there is watched for each of them; what one does alone is nobody else's, and not the family's."""
    trip = house(travel)
    link_bob(trip)
    trip.settle()
    people(trip, "link", "alice", "emby", "guest", "--shared")
    people(trip, "link", "bob", "emby", "guest", "--shared")
    trip.settle()
    assert shows(trip, "alice") == everywhere(a=WATCHED, d=(False, 1200), f=WATCHED)
    assert shows(trip, "bob") == everywhere(b=WATCHED, c=(False, 900), f=WATCHED)
    trip.act("emby", "play", "e", user="guest")
    trip.act("emby", "unmark", "f", user="guest")
    trip.act("plex", "mark", "b", user="alice")
    trip.settle()
    assert shows(trip, "alice") == everywhere(a=WATCHED, b=WATCHED, d=(False, 1200), e=WATCHED)
    assert shows(trip, "bob") == everywhere(b=WATCHED, c=(False, 900), e=WATCHED)
    family = {"plex": {"f": WATCHED}, "jellyfin": {"f": WATCHED}, "emby": {"e": WATCHED}}
    assert shows(trip, "guest") == family


def test_a_part_of_a_shared_login_can_be_taken_out(travel: Travel) -> None:
    """One person's; the others keep theirs. A login that is somebody's alone is not shared."""
    trip = house(travel)
    link_bob(trip)
    for person in ("alice", "bob"):
        people(trip, "link", person, "plex", "guest", "--shared")
    ran = trip.cli("people", "unlink", "plex", "guest", "--yes")
    assert ran.code == 2 and "Say whose part: --person, of alice, bob" in ran.err
    people(trip, "unlink", "plex", "guest", "--person", "alice", "--yes")
    trip.settle()
    assert "f" not in shows(trip, "alice")["emby"]
    assert shows(trip, "bob")["emby"]["f"] == WATCHED
    ran = trip.cli("people", "link", "alice", "emby", "bob", "--shared")
    assert ran.code == 2 and "'bob' on 'emby' is bob's alone" in ran.err
