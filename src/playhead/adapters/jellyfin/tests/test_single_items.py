"""Single items are read from where the server does not lie."""

from __future__ import annotations

from typing import Any

from playhead.adapters.jellyfin.tests.scripted import (
    AT,
    DATA,
    ITEM,
    OTHER,
    PLAYED,
    UNPLAYED,
    connect,
)


def item(item_id: str, **data: Any) -> dict[str, Any]:
    """A movie of a list."""
    return {"Id": item_id, "Type": "Movie", "Name": "M", "UserData": {**UNPLAYED, **data}}


async def test_single_items_take_the_state_from_their_own_route() -> None:
    """The list lies after a rename, the UserData route of 12.0 does not."""
    async with connect() as (script, backend):
        script.answer("GET /Items", {"Items": [item(ITEM)]})
        script.answer("GET /Items", {"Items": []})
        script.answer(f"GET {DATA}", {**PLAYED, "PlayCount": 2, "Rating": 8.0})
        (entry,) = await backend.fetch_entries([ITEM])
        assert (entry.watched, entry.plays, entry.last_played, entry.rating) == (True, 2, AT, 8.0)


async def test_the_filters_outvote_a_list_and_a_route_that_lie() -> None:
    """10.11 after a rename: both show a blank state. What they say beside Played is then not known either."""
    async with connect() as (script, backend):
        script.answer("GET /Items", {"Items": [item(ITEM)]})  # the list; the same item answers both filters
        script.answer(f"GET {DATA}", UNPLAYED)
        (entry,) = await backend.fetch_entries([ITEM])
        assert (entry.watched, entry.plays, entry.last_played, entry.position_s) == (True, None, None, None)
        assert (entry.favourite, entry.unplayed) == (True, False)
        filters = [one.query.get("filters") for one in script.asked if one.path == "/Items"]
        assert filters == [None, "IsPlayed", "IsFavorite"]


async def test_an_unplay_that_all_sources_confirm_is_one() -> None:
    """List, route and filters agree on a blank state."""
    async with connect() as (script, backend):
        script.answer("GET /Items", {"Items": [item(ITEM)]})
        script.answer("GET /Items", {"Items": []})
        script.answer(f"GET {DATA}", UNPLAYED)
        (entry,) = await backend.fetch_entries([ITEM])
        assert (entry.watched, entry.unplayed) == (False, True)


async def test_what_was_not_asked_for_or_is_gone_is_left_out() -> None:
    """An unknown id brings the root of the library; an item may vanish between two requests."""
    async with connect() as (script, backend):
        script.answer("GET /Items", {"Items": [item(ITEM), item(OTHER), item("f" * 32)]})
        script.answer(f"GET {DATA}", UNPLAYED)
        entries = await backend.fetch_entries([ITEM, OTHER, ITEM])
        assert [entry.native_id for entry in entries] == [ITEM]


async def test_many_ids_are_asked_for_in_urls_that_the_server_takes() -> None:
    """Above 8 kB Jellyfin answers 414."""
    async with connect() as (script, backend):
        script.answer("GET /Items", {"Items": []})
        await backend.fetch_entries([f"{number:032x}" for number in range(500)])
        lists = [one for one in script.asked if one.path == "/Items"]
        assert len(lists) == 3
        assert max(len(one.raw_url) for one in lists) < 8000
