"""When is looked for what is new, and when notices go out: soon after a server told something, soon after a scan was proved, and
now and then as a net.

Knows no backend. Takes care that one server that is away keeps no other waiting.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress

from playhead.domain.news.judging import Word
from playhead.flows.find_additions import NewsLane, look, take_proved
from playhead.kit.log import Log
from playhead.ports.errors import PlayheadError
from playhead.ports.library_jobs import Job, JobPart, LibraryJobs, PartState

log = Log(__name__)

LOOK_EVERY_S = 300.0
SOON_S = 5.0  # what servers tell comes in bursts
JOBS_EVERY_S = 2.0
NEWEST_JOBS = 100
WORDS: dict[str, Word] = {
    "arrived": "arrived",
    "upgraded": "upgraded",
    "renamed": "renamed",
    "deleted": "deleted",
}


class NewsWorker:
    """The looks of all connections, and what is told of them. Belongs to the event loop that it runs in. ``errors`` has the
    connections that could not be looked at."""

    def __init__(
        self,
        lanes: Sequence[NewsLane],
        jobs: LibraryJobs,
        tell: Callable[[], Awaitable[None]],
        *,
        look_every_s: float = LOOK_EVERY_S,
        soon_s: float = SOON_S,
        tell_every_s: float = SOON_S,
    ) -> None:
        self._lanes = {lane.connection: lane for lane in lanes}
        self._jobs = jobs
        self._tell = tell
        self._look_every_s, self._soon_s, self._tell_every_s = look_every_s, soon_s, tell_every_s
        self._asked = {name: asyncio.Event() for name in self._lanes}
        self._done: dict[str, set[int]] = defaultdict(
            set
        )  # parts of jobs; those of an earlier process are taken again
        self.errors: dict[str, str] = {}

    def ask(self, connection: str) -> None:
        """Something happened on a connection: look soon."""
        if connection in self._asked:
            self._asked[connection].set()

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            for lane in self._lanes.values():
                group.create_task(self._follow(lane))
            if self._lanes:
                group.create_task(self._watch_jobs())
            group.create_task(self._keep_telling())

    async def look_at(self, connection: str) -> None:
        """Look once, and take what jobs proved there. Raises PlayheadError."""
        lane = self._lanes[connection]
        jobs = self._jobs.list_newest(NEWEST_JOBS)
        words = {
            arrived.path: WORDS[job.new.word]
            for job in jobs
            if job.new.word in WORDS
            for arrived in job.new.arrived
            if not arrived.gone
        }
        await self._take_proved(lane, jobs, words)
        await look(lane, words)

    async def _follow(self, lane: NewsLane) -> None:
        asked = self._asked[lane.connection]
        while True:
            asked.clear()
            try:
                await self.look_at(lane.connection)
                self.errors.pop(lane.connection, None)
            except PlayheadError as error:
                if lane.connection not in self.errors:
                    log.warning("news wait", connection=lane.connection, why=error.message)
                self.errors[lane.connection] = error.message
            with suppress(TimeoutError):
                async with asyncio.timeout(self._look_every_s):
                    await asked.wait()
                    await asyncio.sleep(self._soon_s)

    async def _watch_jobs(self) -> None:
        """A file that was proved is looked at though the server may have told nothing."""
        before: dict[str, int] = {}
        while True:
            with suppress(PlayheadError):
                counts = {
                    connection: count
                    for (connection, state), count in self._jobs.count().items()
                    if state == PartState.proved
                }
                for connection, count in counts.items():
                    if count != before.get(connection):
                        self.ask(connection)
                before = counts
            await asyncio.sleep(JOBS_EVERY_S)

    async def _keep_telling(self) -> None:
        while True:
            try:
                await self._tell()
            except PlayheadError as error:
                log.warning("nothing can be told", why=error.message)
            await asyncio.sleep(self._tell_every_s)

    async def _take_proved(self, lane: NewsLane, jobs: Sequence[Job], words: Mapping[str, Word]) -> None:
        """What jobs proved on this connection, by library; of what is known already nothing follows."""
        by_library: dict[str, list[JobPart]] = defaultdict(list)
        done = self._done[lane.connection]
        for part in (part for job in reversed(jobs) for part in job.parts):
            mine = part.connection == lane.connection and part.state is PartState.proved
            if mine and part.id not in done and part.library_id and part.server_path:
                by_library[part.library_id].append(part)
        if not by_library:
            return
        for library in await lane.scans.list_scanned():
            if parts := by_library.get(library.id):
                await take_proved(lane, library, [part.server_path for part in parts], words)
        done.update(part.id for parts in by_library.values() for part in parts)
