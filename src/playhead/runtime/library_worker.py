"""Has the jobs of all connections worked on, each connection for itself, until told to stop. Knows neither database nor server:
``LibraryUpdate`` takes the turns.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from functools import partial

from playhead.flows.update_library import LibraryUpdate
from playhead.kit.log import Log
from playhead.ports.errors import PlayheadError
from playhead.ports.library_jobs import LibraryJobs

log = Log(__name__)

LOOK_EVERY_S = 2.0  # for jobs that another process stored
SHORTEST_WAIT_S = 0.02
LOOK_AROUND_EVERY_S = 600.0
BROKEN_WAIT_S = 10.0


class LibraryWorker:
    """``run`` belongs to one event loop; ``wake`` and ``stop`` may be called from any thread."""

    def __init__(
        self,
        jobs: LibraryJobs,
        updates: Sequence[LibraryUpdate],
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._jobs = jobs
        self._updates = updates
        self._now = now
        self._woken = [asyncio.Event() for _ in updates]
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = False

    def wake(self) -> None:
        """A job was stored."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            for woken in self._woken:
                loop.call_soon_threadsafe(woken.set)

    def hear(self, connection: str, library_id: str | None, *, began: bool) -> None:
        """A server says that a scan began or ended; from any thread."""
        loop = self._loop
        if loop is None or loop.is_closed():
            return
        for update, woken in zip(self._updates, self._woken, strict=True):
            if update.lane.connection == connection:
                loop.call_soon_threadsafe(partial(update.hear, library_id, began=began))
                if not began:
                    loop.call_soon_threadsafe(woken.set)

    def stop(self) -> None:
        """End ``run`` after the turns that are being taken."""
        self._stopping = True
        self.wake()

    async def run(self) -> None:
        """Work until stopped. Whatever was begun when this is cancelled goes on from the store."""
        self._loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as group:
            for update, woken in zip(self._updates, self._woken, strict=True):
                group.create_task(self._follow(update, woken))

    async def run_jobs(self, numbers: Collection[int]) -> None:
        """Work until these jobs have ended."""
        running = asyncio.create_task(self.run())
        try:
            while not running.done() and not all(self._has_ended(number) for number in numbers):
                await asyncio.wait([running], timeout=0.05)
        finally:
            self.stop()
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running

    def _has_ended(self, number: int) -> bool:
        job = self._jobs.load(number)
        return job is None or job.ended_at is not None

    async def _follow(self, update: LibraryUpdate, woken: asyncio.Event) -> None:
        around_at = 0.0
        while not self._stopping:
            woken.clear()
            try:
                if time.monotonic() - around_at > LOOK_AROUND_EVERY_S or not around_at:
                    around_at = time.monotonic()
                    await self._look_around(update)
                await update.turn()
                wait = self._wait_for(update)
            except Exception as error:  # noqa: BLE001 - a fault of the program or the store may not stop the others for good
                log.warning("scans were stopped", connection=update.lane.connection, error=repr(error))
                wait = BROKEN_WAIT_S
                if not isinstance(error, PlayheadError):
                    update.put_off(f"{type(error).__name__}: {error}", BROKEN_WAIT_S)
            with suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await woken.wait()

    def _wait_for(self, update: LibraryUpdate) -> float:
        due = self._jobs.next_due(update.lane.connection)
        return LOOK_EVERY_S if due is None else min(max(due - self._now(), SHORTEST_WAIT_S), LOOK_EVERY_S)

    async def _look_around(self, update: LibraryUpdate) -> None:
        try:
            await update.look_around()
        except PlayheadError as error:
            log.info("folders not seen", connection=update.lane.connection, error=error.message)
