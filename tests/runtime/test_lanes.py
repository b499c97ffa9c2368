"""A slow server keeps only its own waiting, and what is done side by side comes out as if it had been done in turn."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.properties.servers import EMBY, JELLYFIN_12, PLEX
from tests.properties.town import Town
from tests.properties.world import ModelServer
from tests.runtime.street import Street, dawdle, make_town

FILMS = tuple(str(number) for number in range(1, 51))


@pytest.fixture
def town() -> Iterator[Town]:
    """Anna on a Plex, a Jellyfin and an Emby with fifty films, in agreement."""
    town = make_town([PLEX, JELLYFIN_12, EMBY], len(FILMS))
    yield town
    town.close()


async def test_a_slow_target_delays_no_other(town: Town, tmp_path: Path) -> None:
    """All fifty marks have arrived at the fast server before the slow one has taken its third; then it gets the rest, once."""
    plex, fast, slow = town.servers
    async with Street(town, tmp_path) as street:
        taking = asyncio.Semaphore(2)
        street.backend(slow).before_write = taking.acquire
        for film in FILMS:
            town.act("play", "anna", plex, film)
            street.put(plex, film)
            await asyncio.sleep(0)
        await street.until(lambda: street.backend(fast).taken == len(FILMS))
        assert street.backend(slow).taken <= 2
        await street.until(lambda: street.inbox.count_waiting() == 0)
        for _ in FILMS:
            taking.release()
        await street.rest()
    assert all(cell.watched for film in FILMS for cell in town.cells("anna", film).values())
    for server in (fast, slow):
        assert len(server.writes) == len(FILMS)
        assert len({write.native_id for _, write in server.writes}) == len(FILMS)
    assert plex.writes == []


async def test_a_slow_source_delays_no_other(town: Town, tmp_path: Path) -> None:
    """While one server does not answer, what another tells is read and written, also to a third."""
    plex, jellyfin, emby = town.servers
    async with Street(town, tmp_path) as street:
        answering = asyncio.Event()
        street.backend(plex).before_read = answering.wait
        town.act("play", "anna", plex, "1")
        street.put(plex, "1")
        await asyncio.sleep(0.01)
        town.act("play", "anna", emby, "2")
        street.put(emby, "2")
        await street.until(lambda: jellyfin.cell("anna", "2").watched)
        assert not jellyfin.cell("anna", "1").watched
        answering.set()
        await street.rest()
    assert all(cell.watched for film in "12" for cell in town.cells("anna", film).values())


async def test_an_item_that_is_being_written_goes_on_elsewhere(town: Town, tmp_path: Path) -> None:
    """The next stop reaches the fast server while the slow one still works on the last; it gets the newest afterwards, and no
    write under way is taken for one of unknown fate."""
    plex, fast, slow = town.servers
    async with Street(town, tmp_path) as street:
        taking = asyncio.Semaphore(0)
        street.backend(slow).before_write = taking.acquire
        for position in (600, 900, 1_200):
            town.wait(20)
            town.act("stop", "anna", plex, "1", position)
            street.put(plex, "1")
            await street.until(lambda position=position: fast.cell("anna", "1").position_s == position)
        assert slow.cell("anna", "1").position_s == 0
        assert count_changes(town, "state = 'superseded' AND attempts > 0") == 0
        for _ in range(9):
            taking.release()
        await street.rest()
    assert slow.cell("anna", "1").position_s == 1_200
    assert [write.target.position_s for _, write in slow.writes] == [600, 1_200]


async def test_the_hubs_own_write_seen_before_its_receipt_is_no_news(town: Town, tmp_path: Path) -> None:
    """The server tells of it while its answer is on the way: the item is read again after that, and says nothing new."""
    plex, _, emby = town.servers
    async with Street(town, tmp_path) as street:
        answering = asyncio.Event()
        street.backend(emby).after_write = answering.wait
        town.act("play", "anna", plex, "1")
        street.put(plex, "1")
        await street.until(lambda: street.backend(emby).taken == 1)
        street.put(emby, "1")
        await street.until(lambda: any(each.attempts for each in street.inbox.take(9, 9e9)))
        answering.set()
        await street.rest()
    assert [len(server.writes) for server in town.servers] == [0, 1, 1]


async def test_a_reading_older_than_a_write_is_not_believed(town: Town, tmp_path: Path) -> None:
    """It left the server before the hub's own write came there, and is looked at after it: it would look like a step back."""
    plex, _, emby = town.servers
    async with Street(town, tmp_path) as street:
        await stop(street, plex, 600)
        left, arriving = asyncio.Event(), asyncio.Event()

        async def travel() -> None:
            left.set()
            await arriving.wait()

        street.backend(emby).after_read = travel
        street.put(emby, "1")
        await left.wait()
        street.backend(emby).after_read = lambda: asyncio.sleep(0)
        await stop(street, plex, 1_200)
        arriving.set()
        await street.rest()
    assert {cell.position_s for cell in town.cells("anna", "1").values()} == {1_200}
    assert [len(server.writes) for server in town.servers] == [0, 2, 2]
    assert count_changes(town, "TRUE") == 4


def count_changes(town: Town, which: str) -> int:
    with town.database.read() as rows:
        return int(rows.exec_driver_sql(f"SELECT count(*) FROM change WHERE {which}").scalar_one())


async def stop(street: Street, server: ModelServer, position_s: int) -> None:
    """Anna stops the first film there, and it is so everywhere."""
    town = street.town
    town.wait(20)
    town.act("stop", "anna", server, "1", position_s)
    street.put(server, "1")
    cells = town.cells
    await street.until(
        lambda: (
            {cell.position_s for cell in cells("anna", "1").values()} == {position_s}
            and not street.lanes.busy
        )
    )


async def test_nothing_is_read_or_written_by_settings_that_do_not_hold(town: Town, tmp_path: Path) -> None:
    """A login may be another person's now. What was leased is left, and goes out once they are looked at and hold."""
    plex, jellyfin, emby = town.servers
    async with Street(town, tmp_path) as street:
        taking = asyncio.Semaphore(0)
        street.backend(jellyfin).before_write = street.backend(emby).before_write = taking.acquire
        for film in FILMS[:8]:
            town.act("play", "anna", plex, film)
            street.put(plex, film)
        await street.until(lambda: street.inbox.count_waiting() == 0 and street.lanes.busy)
        street.holds = False
        for _ in range(100):
            taking.release()
        town.act("play", "anna", plex, "9")
        street.put(plex, "9")
        await street.until(lambda: any(each.attempts for each in street.inbox.take(9, 9e9)))
        await street.until(lambda: not street.lanes.busy)
        under_way = next(iter(town.roles.values())).writes_at_once
        assert len(jellyfin.writes) <= under_way and len(emby.writes) <= under_way
        street.holds = street.left = True
        await street.rest()
    assert all(cell.watched for film in FILMS[:9] for cell in town.cells("anna", film).values())
    assert [len(server.writes) for server in town.servers] == [0, 9, 9]


SEEDS = 60


@pytest.mark.parametrize("part", range(2))
def test_whatever_the_order_everybody_agrees_in_the_end(part: int, tmp_path: Path) -> None:
    """Persons act while servers dawdle and tell of it; a play that nobody took back is nowhere lost."""
    for seed in range(part, SEEDS, 2):
        town = make_town([PLEX, JELLYFIN_12, EMBY], 3)
        folder = tmp_path / str(seed)
        folder.mkdir()
        try:
            asyncio.run(_live(town, random.Random(seed), folder))
            judge(town)
        finally:
            town.close()


async def _live(town: Town, rng: random.Random, folder: Path) -> None:
    last: dict[str, str] = {}
    async with Street(town, folder) as street:
        for slow in street.slow.values():
            slow.before_write, slow.after_write = dawdle(rng, 40), dawdle(rng, 40)
            slow.before_read, slow.after_read = dawdle(rng, 20), dawdle(rng, 20)
        for _ in range(12):
            server, film = rng.choice(town.servers), rng.choice(town.items)
            what = rng.choice(["play", "mark", "stop", "play", "unmark"])
            town.act(what, "anna", server, film, rng.randrange(300, 3_000))
            last[film] = what
            street.put(server, film)
            if rng.random() < 0.3:
                street.put(rng.choice(town.servers), film)
            town.wait(rng.randrange(5))
            for _ in range(rng.randrange(30)):
                await asyncio.sleep(0)
        await street.rest()


def judge(town: Town) -> None:
    """All accounts agree, and what was only ever watched is watched."""
    town.settle()
    for film in town.items:
        cells = town.cells("anna", film)
        assert len({cell.watched for cell in cells.values()}) == 1, (film, cells)
        acts = {what for _, what, _, _, item in town.acts if item == film}
        if acts and acts <= {"play", "mark"}:
            assert all(cell.watched for cell in cells.values()), (film, cells)
