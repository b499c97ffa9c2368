"""Many that put at once share a transaction: while one is being committed the next ones gather, and go in together.

So a slow disk is asked once for all of them, and a quick one as often as there is something. Whoever puts waits until the commit
has returned. Knows no database: ``put`` does the work, in a thread of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from playhead.kit.log import Log
from playhead.ports.errors import PlayheadError, Retry
from playhead.ports.inbox import NewEvent

log = Log(__name__)

MOST_GATHERED = 20_000  # events, some 10 MB
RETRY_AFTER_S = 2

_Waiter = asyncio.Future[None]


class InboxFull(PlayheadError):
    """More came than the disk takes just now; nothing of it was stored."""

    code = "inbox-full"
    retry = Retry.later
    retry_after_s = RETRY_AFTER_S


class GroupCommit:
    """Puts events in as few transactions as it takes. Belongs to the event loop that it is first used in.

    ``on_commit`` is called in the loop after each commit.
    """

    def __init__(
        self,
        put: Callable[[Sequence[NewEvent]], None],
        *,
        on_commit: Callable[[], None],
        most_gathered: int = MOST_GATHERED,
    ) -> None:
        self._put = put
        self._on_commit = on_commit
        self._most = most_gathered
        self._gathered: list[NewEvent] = []
        self._waiters: list[_Waiter] = []
        self._committing: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="inbox")

    async def put(self, events: Sequence[NewEvent]) -> None:
        """Return when the events are on disk. Raises InboxFull at once, or what the commit raised for all of its group.

        Who stops waiting does not take the events back.
        """
        if not events:
            return
        if len(self._gathered) + len(events) > self._most:
            raise InboxFull("More events come than can be stored just now.", hint="They may be sent again.")
        loop = asyncio.get_running_loop()
        waiter: _Waiter = loop.create_future()
        self._gathered.extend(events)
        self._waiters.append(waiter)
        if self._committing is None:
            self._committing = loop.create_task(self._commit_all())
        await waiter

    async def close(self) -> None:
        """Wait until what was put is stored."""
        if self._committing is not None:
            await asyncio.wait([self._committing])
        self._thread.shutdown()

    async def _commit_all(self) -> None:
        try:
            while self._gathered:
                await self._commit()
        finally:
            self._committing = None

    async def _commit(self) -> None:
        events, self._gathered = self._gathered, []
        waiters, self._waiters = self._waiters, []
        failure: BaseException | None = None
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._put, events)
        except Exception as error:  # noqa: BLE001 - handed to everyone who waits for it
            log.warning("events could not be stored", count=len(events), error=str(error))
            failure = error
        for waiter in waiters:
            if waiter.done():  # gave up waiting
                continue
            if failure is None:
                waiter.set_result(None)
            else:
                waiter.set_exception(failure)
        if failure is None:
            self._on_commit()
