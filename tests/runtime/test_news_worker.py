"""When is looked for what is new: at once, soon after something was told, after a proof; an error of one keeps no other."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from playhead.ports.library_jobs import Arrived, JobPart, NewJob, PartState
from playhead.runtime.news_worker import NewsWorker
from playhead.store.library_jobs import SqlLibraryJobs
from tests.flows.newsroom import FakeServer, Newsroom, episode

LONGEST_S = 20.0


async def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + LONGEST_S
    while not holds():
        assert time.monotonic() < end
        await asyncio.sleep(0.01)


class Stage:
    """Two servers, a job store and a worker that looks by itself only once."""

    def __init__(self, folder: Path) -> None:
        self.room = Newsroom(folder)
        self.room.now = time.time()
        self.jobs = SqlLibraryJobs(folder / "library.db")
        self.plex, self.emby = FakeServer(), FakeServer()
        lanes = [self.room.lane("Plex", self.plex, "/srv"), self.room.lane("Emby", self.emby, "/srv")]
        self.told = 0
        self.worker = NewsWorker(lanes, self.jobs, self.tell, soon_s=0.0, tell_every_s=0.01)

    async def tell(self) -> None:
        self.told += 1

    def complete(self) -> int:
        return sum(
            bool(shelf and shelf.complete)
            for name in ("Plex", "Emby")
            for shelf in [self.room.additions.load_shelf(name, "1")]
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.worker.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


async def test_what_a_server_tells_is_looked_at_soon(stage: Stage) -> None:
    """Long before the next look by itself."""
    async with stage.running():
        await until(lambda: stage.complete() == 2)
        stage.plex.put(episode(1, int(time.time()) + 1))
        stage.worker.ask("Plex")
        stage.worker.ask("nobody")
        await until(lambda: stage.room.told() == [("new", "Part 1")])
        await until(lambda: stage.told > 2)


async def test_a_server_that_is_away_keeps_no_other_waiting(stage: Stage) -> None:
    """It is named, until it answers."""
    stage.plex.breaks_after = 0
    async with stage.running():
        await until(lambda: stage.complete() == 1 and "Plex" in stage.worker.errors)
        stage.worker.ask("Plex")
        await until(lambda: stage.complete() == 2 and not stage.worker.errors)


async def test_a_proved_file_is_told_with_the_word_of_who_put_it_there(stage: Stage) -> None:
    """Though its date did not move, and the server told nothing."""
    stage.plex.put(episode(1, 100))
    path = "Shows/Severance/S02E01.repack.mkv"
    async with stage.running():
        await until(lambda: stage.complete() == 2)
        stage.plex.put(episode(1, 100, files=(f"/srv/{path}",)))
        now = time.time()
        new = NewJob("sonarr", arrived=(Arrived(f"/hub/{path}"),), word="upgraded")
        number = stage.jobs.add(new, [], now, now)
        part = JobPart(
            number, "Plex", f"/hub/{path}", now, now, library_id="1", server_path=f"/srv/{path}",
            state=PartState.proved,
        )  # fmt: skip
        stage.jobs.save([part], now)
        stage.worker.ask("Plex")
        await until(lambda: stage.room.told() == [("upgraded", "Part 1")])
