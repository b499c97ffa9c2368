"""Lists: complete, without repetition, in one order, cheap to compare, and tolerant of a bad item."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from playhead.ports.backend import Entry, RawPage

from .rig import Rig, claim_of, find_entry, read_entries, read_pages, state_of
from .world import ADDED_LATER, BEN, EPISODES, FILMS

ALL = sorted(claim_of(item) for item in (*FILMS, *EPISODES))


def claims_in(entries: list[Entry]) -> list[str]:
    """The known claims of the entries, sorted, repetitions kept."""
    return sorted(claim for entry in entries for claim in entry.claims if claim in set(ALL))


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7, 100])
async def test_pages_of_any_size_hold_every_item_once(rig: Rig, size: int) -> None:
    """No loss and no repetition, whatever the page size."""
    assert claims_in(await read_entries(rig.connect(), size)) == ALL


async def test_shows_come_before_their_episodes_and_are_known_to_them(rig: Rig) -> None:
    """An episode's show_id is the native id of a listed show with its claims; seasons and numbers are right."""
    backend = rig.connect()
    shows: dict[str, Any] = {}
    for library in await backend.list_libraries():
        listings = backend.plan_listings(library, lean=False)
        assert [listing.what for listing in listings] == sorted(
            (each.what for each in listings), reverse=True
        )
        for listing in listings:
            for page in await read_pages(backend, listing, 2):
                content = backend.decode_page(page)
                shows |= {show.native_id: show for show in content.shows}
                assert not (content.shows and content.entries)
    for item, (season, number) in EPISODES.items():
        entry = await find_entry(backend, item)
        assert (entry.season, entry.episode) == (season, number)
        assert entry.show_id is not None
        assert "tvdb:show:7001" in shows[entry.show_id].claims
        assert shows[entry.show_id].title == "The Show"


async def test_what_an_item_is(rig: Rig) -> None:
    """Kind, title, year, runtime, sorted claims, file."""
    film = await find_entry(rig.connect(), "fresh")
    assert (film.kind, film.title, film.year, film.runtime_s) == ("movie", "The Fresh Film", 1993, 7200)
    assert list(film.claims) == sorted(set(film.claims))
    assert "imdb:movie:tt0000104" in film.claims
    assert len(film.files) == 1
    assert film.files[0].startswith("/media/films/")
    assert film.media_key


async def test_the_same_page_has_the_same_hash_until_something_changes(rig: Rig) -> None:
    """Unchanged pages are never decoded, so a change must show in the bytes."""
    backend = rig.connect()
    films = next(library for library in await backend.list_libraries() if library.title == "Films")
    (listing,) = [listing for listing in backend.plan_listings(films, lean=False) if listing.what == "leaf"]
    first, again = [await backend.fetch_page(listing, 0, 50) for _ in range(2)]
    assert first.body_hash == again.body_hash
    assert first.request_key == again.request_key
    assert "token" not in first.request_key.lower()
    for act, args in (("mark", {}), ("unmark", {}), ("stop", {"position_s": 1800})):
        before = (await backend.fetch_page(listing, 0, 50)).body_hash
        rig.act(act, "fresh", **args)
        assert (await backend.fetch_page(listing, 0, 50)).body_hash != before, act


async def test_a_new_file_is_told_by_its_media_key(rig: Rig) -> None:
    """A replaced file is another item as far as un-plays are concerned."""
    backend = rig.connect()
    before = await find_entry(backend, "fresh")
    rig.act("replace_file", "fresh", extension="avi", duration_s=6900)
    after = [entry for entry in await read_entries(backend) if claim_of("fresh") in entry.claims]
    assert [entry.media_key for entry in after] != [before.media_key]


async def test_an_item_added_while_reading_hides_no_other(rig: Rig) -> None:
    """The order lets newcomers come last, so that nothing slips from an unread page to a read one."""
    backend = rig.connect()
    films = next(library for library in await backend.list_libraries() if library.title == "Films")
    (listing,) = [listing for listing in backend.plan_listings(films, lean=False) if listing.what == "leaf"]
    first = await backend.fetch_page(listing, 0, 3)
    rig.act("add", ADDED_LATER, library="Films")
    rest = [await backend.fetch_page(listing, start, 3) for start in (3, 6)]
    entries = [entry for page in (first, *rest) for entry in backend.decode_page(page).entries]
    assert claims_in(entries) == sorted(claim_of(film) for film in FILMS)


async def test_lean_lists_say_the_same_of_the_state(rig: Rig) -> None:
    """Fewer fields, the same items and the same watch state."""
    backend = rig.connect()
    full = {entry.native_id: state_of(entry) for entry in await read_entries(backend)}
    lean = {entry.native_id: state_of(entry) for entry in await read_entries(backend, lean=True)}
    assert lean == full


async def test_details_agree_with_lists(rig: Rig) -> None:
    """Item by item from the detail route: same state; several at once; unknown ids are left out."""
    backend = rig.connect()
    listed = {entry.native_id: entry for entry in await read_entries(backend)}
    found = await backend.fetch_entries(list(listed))
    assert {entry.native_id for entry in found} == listed.keys()
    for entry in found:
        assert state_of(entry) == state_of(listed[entry.native_id]), entry.title
    assert await backend.fetch_entries([]) == []


async def test_a_removed_item_is_left_out_of_details(rig: Rig) -> None:
    """Missing is missing, alone or beside others, and no error."""
    backend = rig.connect()
    gone, kept = await find_entry(backend, "spare"), await find_entry(backend, "seen")
    rig.act("remove", "spare")
    assert await backend.fetch_entries([gone.native_id]) == []
    assert [entry.native_id for entry in await backend.fetch_entries([gone.native_id, kept.native_id])] == [
        kept.native_id
    ]


def _item_lists(body: Any) -> Iterator[list[Any]]:
    if isinstance(body, dict):
        for value in body.values():
            if isinstance(value, list) and value and isinstance(value[0], dict):
                yield value
            yield from _item_lists(value)


def _members(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
        yield (*path, key)
        if isinstance(inner, (dict, list)):
            yield from _members(inner, (*path, key))


def _spoil(body: Any, path: tuple[Any, ...], value: Any) -> bytes:
    spoilt = copy.deepcopy(body)
    holder: Any = max(_item_lists(spoilt), key=len)[0]
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = value
    return msgspec.json.encode(spoilt)


@pytest.mark.parametrize("value", [None, {"a": 1}, [1], "x", -1, 10**30, True], ids=repr)
async def test_a_bad_member_costs_at_most_its_item(rig: Rig, value: Any) -> None:
    """Any member of one item replaced by nonsense: the others are read, and no watched item becomes an un-play."""
    backend = rig.connect()
    films = next(library for library in await backend.list_libraries() if library.title == "Films")
    (listing,) = [listing for listing in backend.plan_listings(films, lean=False) if listing.what == "leaf"]
    page = await backend.fetch_page(listing, 0, 50)
    whole = backend.decode_page(page)
    body = msgspec.json.decode(page.body)
    for path in list(_members(max(_item_lists(body), key=len)[0])):
        changed = {name: getattr(page, name) for name in page.__struct_fields__} | {
            "body": _spoil(body, path, value)
        }
        content = backend.decode_page(RawPage(**changed))
        others = [entry for entry in content.entries if entry.native_id != whole.entries[0].native_id]
        assert [entry for entry in others if entry in whole.entries] == list(whole.entries[1:]), path
        assert content.returned == whole.returned, path
        for entry in content.entries:
            if entry.native_id == whole.entries[0].native_id and whole.entries[0].watched:
                assert not entry.unplayed, path


async def test_two_people_have_their_own_states(rig: Rig) -> None:
    """What Anna saw is not what Ben saw."""
    anna, ben = await find_entry(rig.connect(), "seen"), await find_entry(rig.connect(BEN), "seen")
    assert (anna.watched, ben.watched) == (True, False)
    fresh = await find_entry(rig.connect(BEN), "fresh")
    assert fresh.watched is True
