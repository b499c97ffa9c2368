"""Several persons on servers that are connected once each: who is linked is synced, and nothing of one reaches another."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from playhead.sandbox.world import WorldState, WorldUser
from tests.faces.conftest import Ran
from tests.journeys.conftest import Travel
from tests.journeys.journey import Journey, movie, seen, server, stopped, world

FILMS = "abcdef"
KINDS = ("plex", "jellyfin", "emby")


def users(alice: list[WorldState], bob: list[WorldState], bobs_name: str = "bob") -> list[WorldUser]:
    return [
        WorldUser(name="alice", admin=True, state=alice),
        WorldUser(name=bobs_name, state=bob),
        WorldUser(name="guest", state=[seen("f")]),
    ]


def house(travel: Travel) -> Journey:
    """Three servers, connected once by alice; bob is there too, and a guest whom nobody knows."""
    trip = travel(
        world(
            [movie(film) for film in FILMS],
            server("plex", users=users([seen("a")], [stopped("c", 900)])),
            server("jellyfin", users=users([], [seen("b")])),
            server("emby", users=users([stopped("d", 1200)], [])),
        )
    )
    for name in trip.kinds:
        trip.connect(name, "--person", "alice", "--user", "alice")
    return trip


def people(trip: Journey, *arguments: str, code: int = 0) -> Ran:
    ran = trip.cli("people", *arguments)
    assert ran.code == code, (ran.code, ran.out, ran.err)
    return ran


def link_bob(trip: Journey) -> None:
    people(trip, "add", "bob")
    for name in trip.kinds:
        people(trip, "link", "bob", name, "bob", "--yes")


def shows(trip: Journey, user: str) -> dict[str, dict[str, tuple[bool, int]]]:
    """By server and film: watched, and where it stopped; films without either are left out."""
    return {
        name: {
            row["item"]: (row["watched"], round(row["position_s"] or 0))
            for row in trip.ask(f"/_sandbox/state?server={name}&user={user}")
            if row["watched"] or row["position_s"]
        }
        for name in trip.kinds
    }


def everywhere(**films: tuple[bool, int]) -> dict[str, dict[str, tuple[bool, int]]]:
    return dict.fromkeys(KINDS, films)


WATCHED = (True, 0)


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


def trip_home(trip: Journey) -> Path:
    shown = trip.cli("doctor", "--json")
    found = re.search(r'"([^"]*)/playhead\.yaml"', json.dumps(shown.json))
    assert found, shown.out
    return Path(found[1])


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
