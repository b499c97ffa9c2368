"""A quick look tells the newest plays and how much is watched, in a few requests however much the server holds."""

from __future__ import annotations

from importlib import import_module

import pytest

from playhead.ports.backend import Backend, Manifest
from playhead.ports.looking import Recent, TellsRecent

from .rig import Rig, find_entry, load_harness, read_entries
from .world import NOW


def test_who_can_be_looked_at_says_so(manifest: Manifest) -> None:
    """``LOOKS`` of the harness; else nothing here would be tried on it."""
    module, _, name = manifest.backend.partition(":")
    able = hasattr(getattr(import_module(module), name), "fetch_recent")
    assert able == hasattr(load_harness(manifest), "LOOKS")


async def glance(backend: Backend, most: int = 50) -> Recent:
    if not isinstance(backend, TellsRecent):
        pytest.skip("it cannot be looked at quickly")
    return await backend.fetch_recent(most)


async def test_a_look_agrees_with_the_lists(rig: Rig) -> None:
    """The dates of all that was ever played, the newest first, and the number of watched items."""
    backend = rig.connect()
    seen = await glance(backend)
    listed = await read_entries(backend)
    assert seen.watched == sum(bool(entry.watched) for entry in listed)
    assert set(seen.plays) == {(e.native_id, e.last_played) for e in listed if e.last_played}
    assert [date for _, date in seen.plays] == sorted((date for _, date in seen.plays), reverse=True)


async def test_a_mark_comes_first_and_counts(rig: Rig) -> None:
    """Made by hand, as no line and no webhook may tell of it."""
    backend = rig.connect()
    entry, before = await find_entry(backend, "fresh"), await glance(backend)
    rig.act("mark", "fresh", at=NOW + 60)
    after = await glance(backend)
    assert after.plays[0][0] == entry.native_id
    assert after.watched == before.watched + 1


async def test_an_unmark_shows_in_the_count_alone(rig: Rig) -> None:
    backend = rig.connect()
    before = await glance(backend)
    rig.act("unmark", "seen", at=NOW + 60)
    after = await glance(backend)
    assert after.watched == before.watched - 1
    assert set(after.plays) < set(before.plays)


async def test_what_is_watched_can_be_listed(rig: Rig) -> None:
    """The ids of the lists; an un-mark takes one away."""
    backend = rig.connect()
    if not isinstance(backend, TellsRecent):
        pytest.skip("it cannot be looked at quickly")
    entry = await find_entry(backend, "seen")
    before = await backend.fetch_watched()
    assert before == {each.native_id for each in await read_entries(backend) if each.watched}
    rig.act("unmark", "seen", at=NOW + 60)
    assert await backend.fetch_watched() == before - {entry.native_id}


async def test_where_plays_were_cut_off_is_told(rig: Rig) -> None:
    """Older ones than that may be missing; with room for all of them nothing is."""
    backend = rig.connect()
    everything = await glance(backend)
    assert everything.told_back_to is None
    some = await glance(backend, 1)
    assert some.told_back_to is not None
    missing = set(everything.plays) - set(some.plays)
    assert missing and max(date for _, date in missing) <= some.told_back_to


async def test_a_look_is_a_few_requests(rig: Rig) -> None:
    """None of them for an item: two for each library at most, once the libraries are known."""
    backend = rig.connect()
    await glance(backend)
    libraries = len(await backend.list_libraries())
    rig.asked.clear()
    await glance(backend)
    assert 0 < len(rig.asked) <= 2 * libraries
