"""Writes do what they say and no more; receipts tell the truth; doing it twice does no harm."""

from __future__ import annotations

import asyncio

import pytest

from playhead.ports.backend import Outcome, Receipt, Write

from .rig import Rig, find_entry, look_closely, state_of, wish
from .world import BEN, EPISODES, FILMS, PLAYED_AT


def assert_truthful(rig: Rig, item: str, receipt: Receipt) -> None:
    """Whatever the receipt claims to be so now is so on the server."""
    assert receipt.after is not None
    kept = rig.row(item)
    said = receipt.after
    assert said.watched is None or said.watched == kept.watched
    assert said.plays is None or said.plays == kept.plays
    assert said.position_s is None or said.position_s == round(kept.position_s)
    assert said.rating is None or said.rating == kept.rating
    assert said.favourite is None or said.favourite == kept.favourite
    assert said.last_played is None or said.last_played == kept.last_played


async def _apply(rig: Rig, item: str, *facets: str, **target: object) -> Receipt:
    backend = rig.connect()
    receipt = await backend.apply(wish(await find_entry(backend, item), *facets, **target))
    assert receipt.outcome is Outcome.done, receipt
    assert_truthful(rig, item, receipt)
    return receipt


@pytest.mark.parametrize("item", ["fresh", "paused", "rated", "e2"])
async def test_a_mark_is_read_back(rig: Rig, item: str) -> None:
    """Watched once, no position left, in list and details."""
    receipt = await _apply(rig, item, "watched", watched=True, plays=1, position_s=0, last_played=PLAYED_AT)
    assert receipt.after is not None
    assert receipt.after.watched is True
    kept = rig.row(item)
    assert (kept.watched, kept.plays, kept.position_s) == (True, 1, 0)
    backend = rig.connect()
    listed = await find_entry(backend, item)
    assert listed.watched is True
    assert (await look_closely(backend, listed)).watched is True


async def test_a_mark_carries_the_true_date(rig: Rig) -> None:
    """The server keeps when it really was watched."""
    await _apply(rig, "fresh", "watched", watched=True, plays=1, position_s=0, last_played=PLAYED_AT)
    assert rig.row("fresh").last_played == PLAYED_AT


async def test_a_date_that_the_server_stamped_is_not_claimed(rig: Rig) -> None:
    """Either the true date was taken, or the receipt keeps silent about it."""
    receipt = await _apply(
        rig, "fresh", "watched", watched=True, plays=1, position_s=0, last_played=PLAYED_AT
    )
    assert receipt.after is not None
    assert receipt.after.last_played in (None, PLAYED_AT)


@pytest.mark.parametrize("item", ["seen", "loved", "e1"])
async def test_an_unmark_is_read_back_in_the_form_of_an_unplay(rig: Rig, item: str) -> None:
    """Unwatched, without position, and recognisable as an un-play."""
    await _apply(rig, item, "watched", watched=False, plays=0, position_s=0, last_played=None)
    assert not rig.row(item).watched
    backend = rig.connect()
    listed = await find_entry(backend, item)
    assert (listed.watched, listed.position_s) == (False, 0)
    assert (await look_closely(backend, listed)).unplayed is True


@pytest.mark.parametrize(
    ("item", "position_s"), [("fresh", 1800), ("paused", 600), ("paused", 3000), ("e2", 61)]
)
async def test_progress_is_read_back(rig: Rig, item: str, position_s: int) -> None:
    """Forward and backward; it makes nothing watched."""
    await _apply(rig, item, "progress", position_s=position_s, last_played=PLAYED_AT)
    kept = rig.row(item)
    assert (kept.watched, round(kept.position_s)) == (False, position_s)
    entry = await find_entry(rig.connect(), item)
    assert (entry.watched, entry.position_s, entry.unplayed) == (False, position_s, False)


async def test_progress_on_a_watched_item_keeps_it_watched(rig: Rig) -> None:
    """A rewatch stopped in the middle gains a position and loses nothing."""
    await _apply(rig, "seen", "progress", position_s=1800)
    kept = rig.row("seen")
    assert (kept.watched, kept.plays, round(kept.position_s)) == (True, 2, 1800)


async def test_progress_of_an_unwatched_item_can_be_cleared(rig: Rig) -> None:
    """The position goes; nothing becomes watched."""
    await _apply(rig, "paused", "progress", position_s=0)
    assert (rig.row("paused").watched, rig.row("paused").position_s) == (False, 0)


async def test_progress_on_a_watched_item_can_be_cleared_alone(rig: Rig) -> None:
    """The position goes; watched and count stay."""
    backend = rig.connect()
    entry = await find_entry(backend, "again")
    await backend.apply(wish(entry, "progress", position_s=0))
    kept = rig.row("again")
    assert (kept.watched, kept.plays, kept.position_s) == (True, 1, 0)


async def test_clearing_progress_never_invents_a_play_or_forgets_one(rig: Rig) -> None:
    """Whether or not it can be done, watched and count stay as they are, and the receipt says what is so."""
    backend = rig.connect()
    receipt = await backend.apply(wish(await find_entry(backend, "again"), "progress", position_s=0))
    kept = rig.row("again")
    assert (kept.watched, kept.plays, kept.last_played) == (True, 1, rig.row("again").last_played)
    assert (receipt.outcome is Outcome.done) == (kept.position_s == 0)
    assert_truthful(rig, "again", receipt)


async def test_mark_and_progress_in_one_write(rig: Rig) -> None:
    """Watched elsewhere and stopped again in the middle: both arrive."""
    await _apply(
        rig, "fresh", "watched", "progress", watched=True, plays=1, position_s=2400, last_played=PLAYED_AT
    )
    kept = rig.row("fresh")
    assert (kept.watched, kept.plays, round(kept.position_s)) == (True, 1, 2400)


@pytest.mark.parametrize("item", ["loved", "rated"])
@pytest.mark.parametrize("target", [{"watched": True}, {"watched": False}, {"position_s": 1800}])
async def test_writes_keep_rating_and_favourite(rig: Rig, item: str, target: dict[str, object]) -> None:
    """What is not to be changed stays."""
    before = rig.row(item)
    facet = "progress" if "position_s" in target else "watched"
    if facet == "watched":
        target = {**target, "position_s": 0, "plays": 1 if target["watched"] else 0}
    await _apply(rig, item, facet, **target)
    after = rig.row(item)
    assert (after.rating, after.favourite) == (before.rating, before.favourite)


async def test_a_write_touches_one_item_of_one_person(rig: Rig) -> None:
    """Every other item and everyone else stays as it was."""
    others = [item for item in (*FILMS, *EPISODES) if item != "fresh"]
    before = [rig.row(item) for item in others], [rig.row(item, BEN) for item in (*others, "fresh")]
    await _apply(rig, "fresh", "watched", watched=True, plays=1, position_s=0)
    assert ([rig.row(item) for item in others], [rig.row(item, BEN) for item in (*others, "fresh")]) == before


WRITES = [
    ("fresh", ("watched",), {"watched": True, "plays": 1, "position_s": 0, "last_played": PLAYED_AT}),
    ("paused", ("watched",), {"watched": True, "plays": 1, "position_s": 0, "last_played": PLAYED_AT}),
    ("seen", ("watched",), {"watched": False, "plays": 0, "position_s": 0, "last_played": None}),
    ("fresh", ("progress",), {"position_s": 1800}),
    ("seen", ("progress",), {"position_s": 1800}),
    ("paused", ("progress",), {"position_s": 0}),
]
write_cases = pytest.mark.parametrize(("item", "facets", "target"), WRITES, ids=lambda value: str(value)[:24])


@write_cases
async def test_the_same_write_twice_is_harmless(
    rig: Rig, item: str, facets: tuple[str, ...], target: dict[str, object]
) -> None:
    """A write repeated after a crash, with the old idea of the state before it, counts nothing twice."""
    backend = rig.connect()
    write = wish(await find_entry(backend, item), *facets, **target)
    await backend.apply(write)
    once = rig.row(item)
    again = await backend.apply(write)
    assert again.outcome is Outcome.done
    kept = rig.row(item)
    assert (kept.watched, kept.plays, kept.position_s) == (once.watched, once.plays, once.position_s)
    assert_truthful(rig, item, again)


async def test_a_mark_of_a_watched_item_counts_nothing(rig: Rig) -> None:
    """Marked on the server meanwhile: the write finds it done."""
    backend = rig.connect()
    write = wish(
        await find_entry(backend, "fresh"),
        "watched",
        watched=True,
        plays=1,
        position_s=0,
        last_played=PLAYED_AT,
    )
    rig.act("mark", "fresh")
    receipt = await backend.apply(write)
    assert receipt.outcome is Outcome.done
    assert rig.row("fresh").plays == 1


async def test_an_item_that_is_gone_is_missing(rig: Rig) -> None:
    """Not refused and not failed: the change waits until the item is back."""
    backend = rig.connect()
    entry = await find_entry(backend, "spare")
    rig.act("remove", "spare")
    for facet, target in (("watched", {"watched": True}), ("progress", {"position_s": 1800})):
        receipt = await backend.apply(wish(entry, facet, **target))
        assert receipt.outcome is Outcome.missing, facet
    seen = Write(entry.native_id, entry.kind, frozenset({"watched"}), state_of(entry), state_of(entry))
    assert (await backend.apply(seen)).outcome in (Outcome.missing, Outcome.done)


async def test_writes_at_once_do_not_disturb_each_other(rig: Rig) -> None:
    """As many as the manifest allows, each on its own item."""
    backend = rig.connect()
    chosen = ["fresh", "paused", "rated", "spare"][: rig.manifest.capabilities.writes_at_once]
    writes = [
        wish(await find_entry(backend, item), "watched", watched=True, plays=1, position_s=0)
        for item in chosen
    ]
    receipts = await asyncio.gather(*(backend.apply(write) for write in writes))
    assert [receipt.outcome for receipt in receipts] == [Outcome.done] * len(chosen)
    assert [rig.row(item).plays for item in chosen] == [1] * len(chosen)
