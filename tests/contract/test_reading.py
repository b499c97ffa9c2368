"""States come out as they are in the server, and an un-play is told from what only looks like one."""

from __future__ import annotations

import pytest

from .rig import Rig, find_entry, look_closely
from .world import EPISODES, FILMS, NOW, PLAYED_AT

ITEMS = [*FILMS, *EPISODES]


@pytest.mark.parametrize("item", ITEMS)
async def test_watched_and_progress_read_as_seeded(rig: Rig, item: str) -> None:
    """Watched or not, and the resume point in seconds."""
    entry, kept = await find_entry(rig.connect(), item), rig.row(item)
    assert entry.watched is kept.watched
    assert entry.position_s == round(kept.position_s)


async def test_plays_and_dates_read_as_seeded(rig: Rig) -> None:
    """How often and when last, where the item was played."""
    backend = rig.connect()
    for item in ("seen", "loved", "again", "e0", "e1"):
        entry, kept = await find_entry(backend, item), rig.row(item)
        assert (entry.plays, entry.last_played) == (kept.plays, kept.last_played), item


async def test_the_date_of_progress_is_read(rig: Rig) -> None:
    """When the film was stopped: last_played is the time of the position where there is one."""
    assert (await find_entry(rig.connect(), "paused")).last_played == PLAYED_AT + 60


async def test_ratings_read_as_seeded(rig: Rig) -> None:
    """0 to 10, on watched and unwatched items."""
    backend = rig.connect()
    assert (await find_entry(backend, "loved")).rating == 8.0
    assert (await find_entry(backend, "rated")).rating == 6.0
    assert (await find_entry(backend, "fresh")).rating in (None, 0.0)


async def test_favourites_read_as_seeded(rig: Rig) -> None:
    """Yes and no."""
    backend = rig.connect()
    assert (await find_entry(backend, "loved")).favourite is True
    assert (await find_entry(backend, "seen")).favourite is False


async def test_a_persons_unplay_has_its_form(rig: Rig) -> None:
    """Marked unplayed by hand: list and details both say that this is an un-play."""
    backend = rig.connect()
    rig.act("unmark", "seen", at=NOW + 60)
    listed = await find_entry(backend, "seen")
    for entry in (listed, await look_closely(backend, listed)):
        assert entry.watched is False
        assert entry.unplayed is True


async def test_starting_a_watched_item_is_no_unplay(rig: Rig) -> None:
    """Merely started, whatever the server says of it meanwhile."""
    backend = rig.connect()
    rig.act("start", "seen", at=NOW + 60)
    listed = await find_entry(backend, "seen")
    for entry in (listed, await look_closely(backend, listed)):
        assert not entry.unplayed
        assert entry.watched is not None


@pytest.mark.parametrize("position_s", [5, 70, 3000, 6000])
async def test_stopping_a_watched_item_midway_is_no_unplay(rig: Rig, position_s: int) -> None:
    """Started again and stopped somewhere before the end."""
    backend = rig.connect()
    rig.act("start", "seen", at=NOW + 30)
    rig.act("stop", "seen", at=NOW + 60, position_s=position_s, started=True)
    listed = await find_entry(backend, "seen")
    for entry in (listed, await look_closely(backend, listed)):
        assert not entry.unplayed


async def test_stopping_a_fresh_item_midway_is_progress_and_no_unplay(rig: Rig) -> None:
    """The position is read, with the time at which it was made."""
    backend = rig.connect()
    rig.act("start", "fresh", at=NOW + 60)
    rig.act("stop", "fresh", at=NOW + 60, position_s=1800, started=True)
    entry = await find_entry(backend, "fresh")
    assert (entry.watched, entry.position_s, entry.unplayed) == (False, 1800, False)
    assert entry.last_played == NOW + 60


async def test_playing_to_the_end_is_watched(rig: Rig) -> None:
    """Watched, counted, dated, no position left."""
    backend = rig.connect()
    rig.act("play", "fresh", at=NOW + 60)
    listed = await find_entry(backend, "fresh")
    entry = await look_closely(backend, listed)
    assert (entry.watched, entry.position_s, entry.last_played) == (True, 0, NOW + 60)
    assert entry.plays


async def test_a_rewatch_is_visible(rig: Rig) -> None:
    """The count or the date moves on."""
    backend = rig.connect()
    before = await find_entry(backend, "seen")
    rig.act("play", "seen", at=NOW + 60)
    after = await find_entry(backend, "seen")
    assert after.watched is True
    assert (after.plays, after.last_played) != (before.plays, before.last_played)
