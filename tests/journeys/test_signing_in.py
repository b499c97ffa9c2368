"""A house in which people sign in themselves, and in which tokens stop working one after the other."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from playhead.flows.signing_in import wait_for_approval
from playhead.sandbox.world import WorldUser
from playhead.settings import Login
from playhead.wiring.installation import find_manifest
from playhead.wiring.signing_in import say_sign_in_again
from tests.journeys.conftest import Travel
from tests.journeys.journey import Journey, movie, seen, server, world

WORD = "an-honest-password"
KINDS = {
    "plex": "--sign-in (or --token -)",
    "jellyfin": "--quick-connect (or --password -, --token -)",
    "emby": "--password - (or --token -)",
}


@pytest.fixture
def trip(travel: Travel) -> Journey:
    """Alice owns the Plex and has API keys of the others; bob is her friend, a PIN protects kid."""

    def people(**states: Any) -> list[WorldUser]:
        return [
            WorldUser(name="alice", admin=True, password=WORD, state=states.get("alice", [])),
            WorldUser(name="bob", password=WORD, state=states.get("bob", [])),
            WorldUser(name="kid", password=WORD, pin="1234", state=states.get("kid", [])),
        ]

    items = [movie(name) for name in "abcdef"]
    made = world(
        items,
        server("plex", users=people(alice=[seen("a")], bob=[seen("b")], kid=[seen("c")])),
        server("jellyfin", users=people()),
        server("emby", users=people()),
    )
    trip = travel(made)
    for name in ("plex", "jellyfin", "emby"):
        key = trip.box.server(name).admin_token
        more = ["--plex-tv-url", trip.box.extra_urls["plextv"]] if name == "plex" else ["--user", "alice"]
        words = ["--name", name, "--url", trip.box.url(name), "--token", key, "--person", "alice", "--yes"]
        assert trip.cli("connect", name, *words, *more).code == 0
    return trip


@pytest.fixture
def approve(trip: Journey, monkeypatch: pytest.MonkeyPatch) -> Any:
    """``approve("plex", "kid")``: whoever shows a code next has it entered by kid."""

    def set_up(name: str, user: str) -> None:
        async def enter(sign_in: Any, shown: Any, tell: Any) -> None:
            trip.box.server(name).act(user, "", "enter_code", at=None, args={"code": shown.code})
            await wait_for_approval(sign_in, shown, tell)

        monkeypatch.setattr("playhead.faces.cli.signing_in.wait_for_approval", enter)

    return set_up


def link(trip: Journey, person: str, *words: str) -> None:
    trip.cli("people", "add", person)
    ran = trip.cli("people", "link", person, *words)
    assert ran.code == 0, ran.err


def refusals(trip: Journey, name: str) -> int:
    """How often a server has said 401 since this was asked last."""
    counted = trip.box.counters[name].report()["statuses"].get("401", 0)
    trip.box.counters[name].reset()
    return int(counted)


def test_a_household_signs_in_and_is_in_agreement(
    trip: Journey, approve: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kid by a code at plex.tv, by Quick Connect and by password: each has a token of their own, and only kid's state moves."""
    monkeypatch.setenv("WORD", WORD)
    approve("plex", "kid")
    link(trip, "kid", "plex", "--sign-in")
    approve("jellyfin", "kid")
    link(trip, "kid", "jellyfin", "--quick-connect")
    link(trip, "kid", "emby", "kid", "--password", "env:WORD")
    trip.settle()
    assert set(trip.watched("c", "kid").values()) == {True}
    assert set(trip.watched("c", "alice").values()) == {False}
    trip.act("emby", "play", "d", user="kid")
    trip.settle()
    assert set(trip.watched("d", "kid").values()) == {True}
    trip.act("plex", "unmark", "c", user="kid")
    trip.settle()
    assert set(trip.watched("c", "kid").values()) == {False}


def test_a_token_that_the_owner_got_is_renewed_without_a_person(trip: Journey, home: Path) -> None:
    """The run goes on as if nothing had been: read, written, no warning; the settings are as they were, and the old token is
    tried once."""
    link(trip, "bob", "plex", "bob")
    link(trip, "bob", "emby", "bob")
    trip.settle()
    before = trip.cli("connections", "--json").json
    old = trip.box.token("plex", "bob")
    trip.act("plex", "revoke_token", user="bob")
    trip.act("plex", "play", "e", user="bob")
    refusals(trip, "plex")
    ran = trip.cli("sync")
    assert ran.code == 0, ran.err
    assert "warning" not in ran.err
    assert refusals(trip, "plex") == 1
    assert trip.watched("e", "bob")["emby"]
    trip.settle()
    assert refusals(trip, "plex") == 0
    assert trip.cli("connections", "--json").json == before
    assert trip.cli("status", "--json").json["refused"] == []
    kept = b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())
    assert old.encode() not in kept
    assert trip.box.token("plex", "bob").encode() not in kept


def test_a_renewed_token_of_another_login_is_not_taken(trip: Journey) -> None:
    """plex.tv mixes two people up: bob's state is neither read as alice's nor written to her."""
    link(trip, "bob", "plex", "bob")
    trip.settle()
    core: Any = trip.box.server("plex").core  # type: ignore[attr-defined]
    kid = next(account for account in core.accounts if account.name == "kid")
    trip.act("plex", "revoke_token", user="bob")
    place = next(n for n, account in enumerate(core.accounts) if account.name == "bob")
    core.accounts[place] = replace(core.accounts[place], token=kid.token, name="bob")
    before = trip.everything()
    ran = trip.cli("sync", "--json")
    assert ran.code == 4, ran.err
    assert [name for name, _ in sign_in_commands(trip)] == ["plex"]
    assert trip.everything() == before


def sign_in_commands(trip: Journey) -> list[tuple[str, str]]:
    return [(each["connection"], each["hint"]) for each in trip.cli("status", "--json").json["refused"]]


def test_a_token_that_cannot_be_renewed_is_told_once_and_the_rest_goes_on(
    trip: Journey, approve: Any
) -> None:
    """One message with the command that helps; the server is left in peace for a while; the others are in agreement; after
    signing in again everything that was missed arrives."""
    approve("plex", "kid")
    link(trip, "kid", "plex", "--sign-in")
    link(trip, "kid", "emby", "kid")
    trip.settle()
    trip.act("plex", "revoke_token", user="kid")
    trip.act("plex", "play", "e", user="kid")
    trip.act("emby", "play", "f", user="alice")
    refusals(trip, "plex")
    ran = trip.cli("sync")
    assert ran.code == 4, ran.err
    assert ran.err.count("does not take the token of 'kid' on 'plex' any more") == 1, ran.err
    assert "playhead people link kid plex kid --sign-in" in ran.err
    assert set(trip.watched("f", "alice").values()) == {True}
    assert refusals(trip, "plex") == 1
    for _ in range(3):
        assert trip.cli("sync", "--leave-writing").code == 4  # as a hub that stays up does
    assert refusals(trip, "plex") == 0
    assert trip.cli("sync").code == 4
    assert refusals(trip, "plex") == 1  # a person asks: once
    [(name, hint)] = sign_in_commands(trip)
    assert (name, "--sign-in" in hint) == ("plex", True)
    assert "Sign in again: playhead people link kid plex kid --sign-in" in trip.cli("status").out
    trip.later(601)
    assert trip.cli("sync", "--leave-writing").code == 4
    assert refusals(trip, "plex") == 1
    failed = [each for each in trip.cli("doctor", "--json").json["findings"] if each["result"] == "fail"]
    assert [each["subject"] for each in failed] == ["plex (kid)"]
    assert "playhead people link kid plex kid --sign-in" in failed[0]["hint"]
    link(trip, "kid", "plex", "--sign-in")
    trip.settle()
    assert trip.watched("e", "kid")["emby"]
    assert sign_in_commands(trip) == []


@pytest.mark.parametrize("name", ["plex", "jellyfin", "emby"])
def test_a_connections_own_token_is_asked_for_by_its_command(
    trip: Journey, approve: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others go on; the command that is told keeps all settings and helps."""
    monkeypatch.setenv("WORD", WORD)
    trip.settle()
    trip.act(name, "revoke_token", user="alice" if name == "plex" else "")
    others = [each for each in trip.kinds if each != name]
    trip.act(others[0], "play", "e")
    refusals(trip, name)
    ran = trip.cli("sync")
    assert ran.code == 4, ran.err
    way = {"plex": "--sign-in", "jellyfin": "--quick-connect", "emby": "--password -"}[name]
    assert f"Sign in again: playhead connections set {name} {way}" in ran.err
    assert trip.watched("e")[others[1]]
    assert refusals(trip, name) <= 2
    trip.cli("sync", "--leave-writing")
    assert refusals(trip, name) <= 1  # who answers there is asked without a need of the token
    approve(name, "alice")
    words = way.split() if name != "emby" else ["--password", "env:WORD"]
    ran = trip.cli("connections", "set", name, *words)
    assert ran.code == 0, ran.err
    trip.settle()
    assert set(trip.watched("e").values()) == {True}
    assert sign_in_commands(trip) == []


def test_only_the_ways_that_a_backend_has_are_named() -> None:
    """In the command by which somebody signs in again; names with blanks are quoted."""
    login = Login("bob", "2", "Little Bob", "store:x", 0)
    found = {kind: say_sign_in_again("My Den", login, find_manifest(kind)) for kind in KINDS}
    start = "playhead people link 'Little Bob' 'My Den' bob"
    assert found == {kind: f"{start} {ways}" for kind, ways in KINDS.items()}
    bare = msgspec.structs.replace(find_manifest("plex"), by_code=None)
    assert say_sign_in_again("My Den", login, bare) == f"{start} --token -"


@pytest.mark.parametrize("asks", ["doctor", "sync"])
def test_what_works_again_is_taken_back_when_a_person_asks(trip: Journey, asks: str) -> None:
    """A server that refused everybody for a moment is asked again at once; a hub that stays up asks later by itself."""
    trip.settle()
    trip.fault("emby", "unauthorized", route="*/Views")
    assert trip.cli("sync").code == 4
    trip.heal()
    assert trip.cli("sync", "--leave-writing").code == 4
    assert trip.cli(asks).code == 0
    assert trip.cli("sync", "--leave-writing").code == 0
