"""Jellyfin's traps, met on the emulated server: what 10.11 and 12.0 do when nobody means it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from playhead.adapters.jellyfin.adapter import JellyfinBackend
from playhead.adapters.jellyfin.settings import JellyfinSettings
from playhead.domain.state.reading import State
from playhead.ports.backend import Entry, Outcome, Write
from playhead.sandbox.run import SandboxHandle, run_world
from playhead.sandbox.world import (
    Placement,
    World,
    WorldItem,
    WorldLibrary,
    WorldServer,
    WorldState,
    WorldUser,
)

NOW, AT = 1_790_000_000, 1_780_000_000
versions = pytest.mark.parametrize("version", ["10.11.11", "12.0.0"])


def make_world(version: str) -> World:
    """One film watched with everything set, one with two versions, one show with a double episode."""
    watched = WorldState(item="seen", watched=True, plays=2, last_played=AT, rating=8, favourite=True)
    return World(
        now=NOW,
        items=[
            WorldItem(id="seen", type="movie", title="Seen", year=1999, ids={"tmdb": "603"}, duration_s=7200),
            WorldItem(
                id="fresh", type="movie", title="Fresh", year=2001, ids={"tmdb": "604"}, duration_s=7200
            ),
            WorldItem(id="show", type="show", title="Show", ids={"tvdb": "81189"}),
            WorldItem(
                id="e1", type="episode", title="One", show="show", season=1, episode=1, ids={"tvdb": "1"}
            ),
            WorldItem(
                id="e2", type="episode", title="Two", show="show", season=1, episode=2, ids={"tvdb": "2"}
            ),
        ],
        servers=[
            WorldServer(
                name="home",
                kind="jellyfin",
                version=version,
                users=[WorldUser(name="anna", admin=True, state=[watched]), WorldUser(name="ben")],
                libraries=[
                    WorldLibrary(title="Films", kind="movies", root="/media/films"),
                    WorldLibrary(title="Shows", kind="shows", root="/media/shows"),
                ],
                placements=[Placement(item="e1", with_next=1), Placement(item="fresh", versions=2)],
            )
        ],
    )


@asynccontextmanager
async def connect(
    version: str, user: str = "anna", token: str = ""
) -> AsyncIterator[tuple[SandboxHandle, JellyfinBackend]]:
    """The world, and a backend on it: an API key and a name, or ``token="own"`` and no name."""
    async with run_world(make_world(version)) as box:
        secret = box.token("home", user) if token else box.server("home").admin_token
        backend = JellyfinBackend(
            JellyfinSettings(url=box.url("home")), secret, "" if token else user, client_id="quirks"
        )
        try:
            yield box, backend
        finally:
            await backend.close()


async def read_list(backend: JellyfinBackend, *, lean: bool = False) -> list[Entry]:
    """All leaf items, as the lists show them."""
    entries: list[Entry] = []
    for library in await backend.list_libraries():
        for listing in backend.plan_listings(library, lean=lean):
            entries += backend.decode_page(await backend.fetch_page(listing, 0, 100)).entries
    return entries


async def find(backend: JellyfinBackend, claim: str) -> Entry:
    """The listed entry with this claim."""
    (entry,) = [entry for entry in await read_list(backend) if claim in entry.claims]
    return entry


@versions
async def test_a_rewatch_begun_is_no_unplay(version: str) -> None:
    """10.11 drops Played at the start, 12.0 keeps it; neither looks like a person's un-play, in list or detail."""
    async with connect(version) as (box, backend):
        box.server("home").act("anna", "seen", "start", at=NOW, args={})
        listed = await find(backend, "tmdb:movie:603")
        (detailed,) = await backend.fetch_entries([listed.native_id])
        for entry in (listed, detailed):
            assert entry.watched is (version == "12.0.0")
            assert (entry.plays, entry.last_played, entry.unplayed) == (3, NOW, False)


@versions
async def test_a_persons_unplay_is_believed_everywhere(version: str) -> None:
    """List, lean list and detail say the same."""
    async with connect(version) as (box, backend):
        box.server("home").act("anna", "seen", "unmark", at=NOW, args={})
        listed = await find(backend, "tmdb:movie:603")
        (lean,) = [e for e in await read_list(backend, lean=True) if e.native_id == listed.native_id]
        (detailed,) = await backend.fetch_entries([listed.native_id])
        for entry in (listed, lean, detailed):
            assert (entry.watched, entry.plays, entry.last_played, entry.unplayed) == (False, 0, None, True)


@versions
async def test_a_renamed_file_that_lists_show_blank_is_known_as_watched(version: str) -> None:
    """Read in the wrong moment, lists lie until a restart (10.11: the item's own route too); the filters do not."""
    async with connect(version) as (box, backend):
        old = await find(backend, "tmdb:movie:603")
        box.server("home").act("anna", "seen", "move_file", at=None, args={"half_read_s": 5})
        others = {old.native_id, (await find(backend, "tmdb:movie:604")).native_id}
        (half,) = [e for e in await read_list(backend) if e.kind == "movie" and e.native_id not in others]
        assert half.media_key is None or half.watched is False
        box.clock.advance(10)
        listed = next(e for e in await read_list(backend) if e.native_id == half.native_id)
        assert (listed.watched, listed.unplayed) == (False, True), "the emulated list should lie here"
        (detailed,) = await backend.fetch_entries([half.native_id])
        assert (detailed.watched, detailed.favourite, detailed.unplayed) == (True, True, False)
        assert detailed.plays == (2 if version == "12.0.0" else None)


@versions
async def test_a_double_episode_is_one_entry_and_a_second_version_none(version: str) -> None:
    """IndexNumberEnd tells the last episode; the other version of a film stands in no list."""
    async with connect(version) as (_, backend):
        entries = await read_list(backend)
        assert sorted(entry.title for entry in entries if entry.kind == "movie") == ["Fresh", "Seen"]
        (double,) = [entry for entry in entries if entry.kind == "episode"]
        assert (double.season, double.episode, double.episode_end) == (1, 1, 2)


@versions
async def test_one_key_writes_for_each_person_alone(version: str) -> None:
    """The API key acts in the name of the user that was asked for; the other's state stays."""
    async with connect(version, "ben") as (box, backend):
        entry = await find(backend, "tmdb:movie:603")
        assert entry.watched is False
        wished, before = State(watched=True, plays=1, last_played=AT), State(False, 0, None, 0)
        receipt = await backend.apply(Write(entry.native_id, "movie", frozenset({"watched"}), wished, before))
        assert receipt.outcome is Outcome.done
        rows = {
            (user, row.item): row for user in ("anna", "ben") for row in box.server("home").state_rows(user)
        }
        ben, anna = rows["ben", "seen"], rows["anna", "seen"]
        assert (ben.watched, ben.plays, ben.last_played) == (True, 1, AT)
        assert (anna.plays, anna.favourite) == (2, True)


@versions
async def test_a_users_own_token_needs_no_name(version: str) -> None:
    """It reads its own libraries, without their folders where it is no administrator's."""
    async with connect(version, "ben", token="own") as (_, backend):
        assert (await backend.check_account()).name == "ben"
        assert [(one.title, one.locations) for one in await backend.list_libraries()] == [
            ("Films", ()),
            ("Shows", ()),
        ]
