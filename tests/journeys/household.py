"""A house of alice, bob and a guest on three servers, and what is seen of each of them there."""

from __future__ import annotations

import json
import re
from pathlib import Path

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


def trip_home(trip: Journey) -> Path:
    shown = trip.cli("doctor", "--json")
    found = re.search(r'"([^"]*)/playhead\.yaml"', json.dumps(shown.json))
    assert found, shown.out
    return Path(found[1])
