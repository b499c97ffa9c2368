"""A person says something else about the logins while a run goes on: it ends, and nothing goes where it may not go any more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from playhead.flows import deliver
from playhead.wiring.hub import Hub
from tests.journeys.conftest import Travel
from tests.journeys.household import WATCHED, everywhere, house, link_bob, people, shows, trip_home
from tests.journeys.journey import Journey

CHANGES: dict[str, Callable[[Journey], Any]] = {
    "removed": lambda trip: people(trip, "remove", "bob", "--yes"),
    "unlinked": lambda trip: people(trip, "unlink", "plex", "bob", "--yes"),
    "given away": lambda trip: people(
        trip, "link", "alice", "plex", "bob", "--yes", "--also", "--with-history"
    ),
    "not to be written": lambda trip: trip.cli("connections", "set", "plex", "--no-write"),
    "connection removed": lambda trip: trip.cli("connections", "remove", "plex", "--yes"),
}


@pytest.mark.parametrize("when", ["read", "writing"])
@pytest.mark.parametrize("what", CHANGES)
def test_what_is_said_meanwhile_is_heeded(
    travel: Travel, monkeypatch: pytest.MonkeyPatch, what: str, when: str
) -> None:
    """What bob watched elsewhere is not written to the Plex login that is not his any more, now and on the next run."""
    trip = house(travel)
    link_bob(trip)
    trip.settle()
    before = shows(trip, "bob")["plex"]
    for film in "ef":
        trip.act("emby", "play", film, user="bob")
    changed = list[str]()

    def change() -> None:
        if not changed:
            changed.append(what)
            CHANGES[what](trip)

    read, write = Hub.read, deliver._write_batch

    async def read_and_change(*args: Any, **more: Any) -> Any:
        results = await read(*args, **more)
        await asyncio.to_thread(change)
        return results

    async def change_and_write(ctx: Any, line: Any, *args: Any) -> None:
        await asyncio.to_thread(change)
        await write(ctx, line, *args)

    monkeypatch.setattr(Hub, "read", read_and_change if when == "read" else read)
    monkeypatch.setattr(deliver, "_write_batch", change_and_write if when == "writing" else write)
    ran = trip.cli("sync")
    assert changed and ran.code == 1, (ran.code, ran.out, ran.err)
    assert "The settings changed meanwhile" in ran.err
    assert shows(trip, "bob")["plex"] == before
    trip.settle()
    assert shows(trip, "bob")["plex"].items() >= before.items()
    assert not {"e", "f"} & shows(trip, "bob")["plex"].keys()
    if what != "given away":
        assert shows(trip, "alice") == everywhere(a=WATCHED, d=(False, 1200))


def test_other_settings_do_not_matter_to_a_run(travel: Travel, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does a login that is linked meanwhile: it waits for the next run."""
    trip = house(travel)
    people(trip, "add", "bob")
    file, read = trip_home(trip) / "playhead.yaml", Hub.read

    async def read_and_change(*args: Any, **more: Any) -> Any:
        results = await read(*args, **more)
        file.write_text(file.read_text() + "serve:\n  port: 7000\n")
        await asyncio.to_thread(people, trip, "link", "bob", "plex", "bob", "--yes")
        return results

    monkeypatch.setattr(Hub, "read", read_and_change)
    assert trip.sync()["written"] > 0
    assert shows(trip, "alice") == everywhere(a=WATCHED, d=(False, 1200))
