"""What no line tells is seen by looking: the newest plays, and a count that does not fit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from playhead.flows import look
from playhead.ports.errors import BadAnswer
from tests.properties.servers import EMBY, JELLYFIN_12, PLEX
from tests.properties.town import Town
from tests.runtime.street import Slow, Street, make_town


@pytest.fixture
def town() -> Iterator[Town]:
    """Anna on a Plex, a Jellyfin and an Emby with sixty films, three of them watched everywhere."""
    town = make_town([PLEX, JELLYFIN_12, EMBY], 60)
    for film in "345":
        town.act("play", "anna", town.servers[0], film)
    town.settle()
    town.wait(4_000)
    yield town
    town.close()


async def test_a_mark_that_nobody_told_of_is_found(town: Town, tmp_path: Path) -> None:
    """Its item is read and written to the others; nothing else is read."""
    plex, jellyfin, emby = town.servers
    async with Street(town, tmp_path) as street:
        await street.look(emby)
        town.act("mark", "anna", emby, "1")
        await street.look(emby)
        await street.rest()
        assert plex.cell("anna", "1").watched and jellyfin.cell("anna", "1").watched
        await street.look(emby)
        assert street.inbox.count_waiting() == 0
        assert street.to_read == []


async def test_an_unmark_that_nobody_told_of_is_found(town: Town, tmp_path: Path) -> None:
    """The count differs from what the hub knows: what is watched is listed, what is missing there is read and written to the
    others. No run is asked for, so that none has to end first."""
    _, _, emby = town.servers
    async with Street(town, tmp_path) as street:
        await street.look(emby)
        town.act("unmark", "anna", emby, "3")
        await street.look(emby)
        await street.rest()
        assert not any(cell.watched for cell in town.cells("anna", "3").values())
        for _ in range(3):
            await street.look(emby)
        assert street.to_read == []
        assert street.told == [emby.ids["3"]]


@pytest.mark.parametrize("lists", [True, False])
async def test_a_difference_that_no_item_explains_has_its_connection_read_once(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lists: bool
) -> None:
    """Also where the watched items cannot be listed; what the read did not explain is taken as it is."""
    _, _, emby = town.servers
    async with Street(town, tmp_path) as street:
        await street.look(emby)
        if not lists:
            monkeypatch.setattr(Slow, "fetch_watched", cannot_list)
            town.act("unmark", "anna", emby, "3")
        else:
            street.backend(emby).elsewhere += 1
        for _ in range(3):
            await street.look(emby)
        assert street.to_read == [{emby.name}]


async def cannot_list(_: Slow) -> frozenset[str]:
    raise BadAnswer("It lists 2 watched items of 3.")


async def test_more_unmarks_than_a_person_makes_are_left_to_a_read(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There the guards see all of them at once."""
    monkeypatch.setattr(look, "MOST_UNMARKED", 1)
    _, _, emby = town.servers
    async with Street(town, tmp_path) as street:
        await street.look(emby)
        for film in "34":
            town.act("unmark", "anna", emby, film)
        await street.look(emby)
        assert (street.to_read, street.told) == ([{emby.name}], [])


async def test_an_unmark_that_was_read_leaves_nothing_to_ask(town: Town, tmp_path: Path) -> None:
    _, _, emby = town.servers
    async with Street(town, tmp_path) as street:
        await street.look(emby)
        town.act("unmark", "anna", emby, "3")
        street.put(emby, "3")
        await street.rest()
        await street.look(emby)
        assert street.to_read == []
    assert not any(cell.watched for cell in town.cells("anna", "3").values())


async def test_a_mark_and_an_unmark_between_two_looks_are_both_found(town: Town, tmp_path: Path) -> None:
    """The server counts as many as before; but one of them was read, and so the count no longer fits."""
    _, _, emby = town.servers
    async with Street(town, tmp_path) as street:
        await street.look(emby)
        town.act("mark", "anna", emby, "1")
        town.act("unmark", "anna", emby, "3")
        await street.look(emby)
        await street.rest()
        await street.look(emby)
        await street.rest()
        assert street.to_read == []
    assert not any(cell.watched for cell in town.cells("anna", "3").values())
    assert all(cell.watched for cell in town.cells("anna", "1").values())


async def test_the_hubs_own_writes_are_no_difference(town: Town, tmp_path: Path) -> None:
    plex, _, emby = town.servers
    async with Street(town, tmp_path) as street:
        await street.look(emby)
        for film in ("1", "2", "6"):
            town.act("play", "anna", plex, film)
            street.put(plex, film)
        await street.rest()
        await street.look(emby)
        await street.rest()
        assert street.to_read == []
    assert len(emby.writes) == 3 + 3


async def test_after_a_gap_only_what_happened_in_it_is_read(town: Town, tmp_path: Path) -> None:
    """The plays since the line was last heard, and nothing more where the count fits."""
    plex, jellyfin, _ = town.servers
    async with Street(town, tmp_path) as street:
        await street.look(jellyfin)
        gone = town.now
        town.wait(100)
        town.act("play", "anna", jellyfin, "1")
        town.act("stop", "anna", jellyfin, "2", 900)
        town.wait(100)
        await street.look(jellyfin, since=gone)
        assert set(street.told) == {jellyfin.ids["1"], jellyfin.ids["2"]}
        await street.rest()
        assert street.to_read == []
    assert plex.cell("anna", "1").watched and plex.cell("anna", "2").position_s == 900


@pytest.mark.parametrize("why", ["first", "long", "many"])
async def test_where_a_look_does_not_tell_all_the_connection_is_read(
    town: Town, tmp_path: Path, why: str
) -> None:
    """Nothing is known to compare with; new items may have come as well; more was played than is looked at."""
    _, jellyfin, _ = town.servers
    async with Street(town, tmp_path) as street:
        if why != "first":
            await street.look(jellyfin)
        gone = town.now
        town.wait(1_000 if why == "long" else 100)
        if why == "many":
            for film in town.items:
                town.act("play", "anna", jellyfin, film)
        await street.look(jellyfin, since=gone)
        assert {jellyfin.name} in street.to_read
