"""Faults on the way: only the closed tree of errors comes out, writes become receipts, and nothing counts twice."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from playhead.ports.backend import Manifest, Outcome, Receipt
from playhead.ports.errors import BackendError
from playhead.sandbox.faults import FaultOrder

from .rig import Rig, find_entry, open_rig, read_entries, wish
from .test_lists import ALL, claims_in
from .world import PLAYED_AT, SERVER

BREAKING: dict[str, tuple[str, dict[str, Any]]] = {
    "reset before": ("reset", {}),
    "reset after": ("reset_after", {}),
    "500": ("server_error", {}),
    "500 after": ("server_error", {"effect": True}),
    "503": ("server_error", {"status": 503}),
    "429": ("rate_limited", {"retry_after": 0}),
    "401": ("unauthorized", {}),
    "403": ("forbidden", {}),
    "404": ("missing", {}),
    "html": ("html", {}),
    "html after": ("html", {"effect": True}),
    "cut json": ("invalid_json", {}),
    "cut body": ("truncated", {}),
}
faults = pytest.mark.parametrize("fault", BREAKING)


def order(rig: Rig, fault: str, *, count: int | None = None, after: int = 0) -> None:
    """From now on (after ``after`` requests) the next ``count`` answers go wrong."""
    kind, params = BREAKING[fault]
    rig.box.faults.add(FaultOrder(kind=kind, server=SERVER, count=count, after=after, params=params))


@faults
async def test_a_lasting_fault_is_one_of_the_known_errors(rig: Rig, fault: str) -> None:
    """Whatever the server does, an adapter raises a BackendError with a message and a hint, or gets through."""
    backend = rig.connect()
    libraries = await backend.list_libraries()
    listing = backend.plan_listings(libraries[0], lean=False)[-1]
    entry = await find_entry(backend, "seen")
    order(rig, fault)

    async def read_page() -> None:
        backend.decode_page(await backend.fetch_page(listing, 0, 5))

    asks = (backend.probe, backend.check_account, backend.list_users, backend.list_libraries, read_page)
    for ask in (*asks, lambda: backend.fetch_entries([entry.native_id])):
        try:
            await ask()
        except BackendError as error:
            assert error.message
            assert error.hint, f"{type(error).__name__}: {error.message}"


@pytest.mark.parametrize("fault", ["reset before", "reset after", "500", "503", "429", "html", "cut body"])
async def test_a_passing_fault_is_not_seen_by_the_reader(rig: Rig, fault: str) -> None:
    """One bad answer on the way: the read is tried again and complete."""
    backend = rig.connect()
    libraries = await backend.list_libraries()
    assert libraries
    order(rig, fault, count=1, after=1)
    assert claims_in(await read_entries(backend, 4)) == ALL


LYING = ("short_page", "duplicate_items", "empty_list", "wrong_dates", "null_fields", "stale_page")


@pytest.mark.parametrize("kind", LYING)
async def test_lists_that_lie_make_no_unplay(rig: Rig, kind: str) -> None:
    """What a spoilt list leaves out, empties or repeats is unknown; no watched item takes the form of an un-play."""
    backend = rig.connect()
    libraries = await backend.list_libraries()
    watched = {entry.native_id for entry in await read_entries(backend) if entry.watched}
    rig.box.faults.add(FaultOrder(kind=kind, server=SERVER))
    for library in libraries:
        for listing in backend.plan_listings(library, lean=False):
            for start in (0, 2, 4):
                try:
                    content = backend.decode_page(await backend.fetch_page(listing, start, 3))
                except BackendError as error:
                    assert error.hint
                    continue
                false = [
                    entry
                    for entry in content.entries
                    if entry.native_id in watched and entry.watched is False
                ]
                assert not false
                assert not [
                    entry for entry in content.entries if entry.native_id in watched and entry.unplayed
                ]


@pytest.mark.parametrize("kind", ["short_page", "duplicate_items"])
@pytest.mark.parametrize("size", [2, 3, 4, 100])
async def test_pages_that_are_short_or_repeat_lose_nothing(rig: Rig, kind: str, size: int) -> None:
    """``returned`` counts so that the next page begins where this one ended."""
    backend = rig.connect()
    assert await backend.list_libraries()
    rig.box.faults.add(FaultOrder(kind=kind, server=SERVER, route="*", after=1, count=1))
    assert sorted(set(claims_in(await read_entries(backend, size)))) == ALL


MARK = {"watched": True, "plays": 1, "position_s": 0, "last_played": PLAYED_AT}
UNMARK = {"watched": False, "plays": 0, "position_s": 0, "last_played": None}


Case = tuple[str, str, dict[str, Any]]  # item, facet, target


async def _disturbed(manifest: Manifest, version: str | None, fault: str, place: int, case: Case) -> bool:
    """One write with the fault at its ``place``-th request, then the same write again. False: there was no such request."""
    item, facet, target = case
    async with open_rig(manifest, version=version) as rig:
        backend = rig.connect()
        await backend.check_account()
        write = wish(await find_entry(backend, item), facet, **target)
        before = rig.row(item)
        order(rig, fault, count=1, after=place)
        first = await backend.apply(write)
        hit = rig.box.faults.faults[0].hits > 0
        now = rig.row(item)
        _check_first(first, before == now, first.after is None or first.after.watched in (None, now.watched))
        arrived = now != before  # the answer was lost, not the write: the adapter must look and say so
        assert not arrived or first.outcome is Outcome.done, (fault, place, first)
        if first.outcome is not Outcome.done:
            second = await backend.apply(write)
            assert second.outcome is Outcome.done, (fault, place, second)
        kept = rig.row(item)
        assert kept.watched == target.get("watched", before.watched), (fault, place)
        assert kept.plays == target.get("plays", before.plays), (fault, place, first)
        assert round(kept.position_s) == target["position_s"], (fault, place)
        return hit


def _check_first(receipt: Receipt, untouched: bool, truthful: bool) -> None:
    assert truthful, receipt
    if receipt.outcome is not Outcome.done:
        assert receipt.message
        assert receipt.error_code
    if receipt.outcome in (Outcome.refused, Outcome.missing):
        assert untouched, f"{receipt} but the server has taken the write"


CASES: dict[str, Case] = {
    "mark": ("fresh", "watched", MARK),
    "unmark": ("seen", "watched", UNMARK),
    "progress": ("paused", "progress", {"position_s": 3000}),
}


@pytest.mark.parametrize("case", CASES)
@faults
async def test_a_disturbed_write_is_never_doubled_and_never_lost(
    manifest: Manifest, version: str | None, fault: str, case: str
) -> None:
    """A fault at each request of a write in turn: a receipt, and after the same write again the wished state, counted once."""
    place = 0
    while await _disturbed(manifest, version, fault, place, CASES[case]):
        place += 1
        assert place < 20
    assert place >= 1 or fault == "cut body"  # an answer without a body cannot be cut


async def test_writes_whose_answers_are_lost_are_not_doubled(rig: Rig) -> None:
    """The connection drops while several marks are on their way, and all are sent again and again."""
    backend = rig.connect()
    chosen = ["fresh", "paused", "rated"]
    writes = [wish(await find_entry(backend, item), "watched", **MARK) for item in chosen]
    order(rig, "reset after", count=4)
    for _ in range(5):
        await asyncio.gather(*(backend.apply(write) for write in writes))
    assert [rig.row(item).plays for item in chosen] == [1, 1, 1]
