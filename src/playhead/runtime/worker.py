"""Takes events from the inbox as soon as they are stored and has them acted on until told to stop: those of one connection in
their order, those of several side by side.

What fails comes again, later each time; what nobody could act on for days is given up, for every read in between told the
same. Knows neither database nor backend: ``observe`` does the work.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Collection, Sequence

import msgspec

from playhead.flows.observe import Observation
from playhead.kit.log import Log
from playhead.ports.errors import PlayheadError
from playhead.ports.inbox import Ended, Fate, Inbox, WaitingEvent

log = Log(__name__)

BATCH = 500
FIRST_WAIT_S = 2.0
LONGEST_WAIT_S = 300.0
GIVE_UP_AFTER_S = 3 * 24 * 3600
LOOK_EVERY_S = 5.0  # for what is due again
BATCH_EVERY_S = 0.03  # at most: a burst is a few batches, the first event of one is acted on at once
INBOX_FAILED_WAIT_S = 5.0

Observe = Callable[[Sequence[WaitingEvent]], Awaitable[Observation]]
AskToRead = Callable[[Collection[str]], None]


class Worker:
    """One worker. ``run`` belongs to one event loop; ``wake`` and ``stop`` may be called from any thread."""

    def __init__(
        self,
        inbox: Inbox,
        observe: Observe,
        *,
        ask_to_read: AskToRead,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._inbox = inbox
        self._observe = observe
        self._ask_to_read = ask_to_read
        self._now = now
        self._loop: asyncio.AbstractEventLoop | None = None
        self._woken = asyncio.Event()
        self._stopping = False
        self._busy: set[int] = set()  # connections whose events are being acted on

    @property
    def busy(self) -> bool:
        """Whether anything is being acted on."""
        return bool(self._busy)

    def wake(self) -> None:
        """There is something in the inbox."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._woken.set)

    def stop(self) -> None:
        """End ``run`` after what is being acted on."""
        self._stopping = True
        self.wake()

    async def run(self) -> None:
        """Work until stopped. What is being acted on when this is cancelled comes again."""
        self._loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as group:
            while not self._stopping:
                self._woken.clear()
                try:
                    for waiting in self._take():
                        group.create_task(self._act_for(waiting))
                    wait = LOOK_EVERY_S
                except PlayheadError as error:  # the inbox's: observe's own are dealt with
                    log.warning("the inbox cannot be used", error=error.message)
                    wait = INBOX_FAILED_WAIT_S
                await self._sleep(wait)

    def _take(self) -> list[list[WaitingEvent]]:
        """What is due of each connection at which nobody is."""
        found: dict[int, list[WaitingEvent]] = {}
        for each in self._inbox.take(BATCH, self._now(), self._busy):
            found.setdefault(each.connection_id, []).append(each)
        self._busy |= found.keys()
        return list(found.values())

    async def _act_for(self, waiting: Sequence[WaitingEvent]) -> None:
        """Act on a batch of one connection; it has none other meanwhile, so that its order is kept."""
        began = time.monotonic()
        try:
            await self._act(waiting)
            await asyncio.sleep(max(0.0, began + BATCH_EVERY_S - time.monotonic()))
        except PlayheadError as error:
            log.warning("the inbox cannot be used", error=error.message)
            await asyncio.sleep(INBOX_FAILED_WAIT_S)
        finally:
            self._busy.discard(waiting[0].connection_id)
            self._woken.set()

    async def _sleep(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            return

    async def _act(self, waiting: Sequence[WaitingEvent]) -> None:
        began = time.perf_counter()
        try:
            result = await self._observe(waiting)
        except PlayheadError as error:
            log.warning("events could not be acted on", count=len(waiting), error=str(error))
            result = Observation(ended=[_fail(each, error.message) for each in waiting])
        except Exception as error:  # noqa: BLE001 - a fault of the program may not lose an event nor stop the others
            if len(waiting) > 1:
                for each in waiting:
                    await self._act([each])
                return
            log.warning("an event broke the hub", name=waiting[0].event.name, error=repr(error))
            result = Observation(ended=[_fail(waiting[0], f"{type(error).__name__}: {error}")])
        self._end(waiting, result.ended)
        if result.to_read:
            self._ask_to_read(result.to_read)
        for message in result.messages:
            log.info("observed", message=message)
        (log.info if result.changed or result.failed else log.debug)(
            "events",
            count=len(waiting),
            changed=result.changed,
            written=result.written,
            failed=result.failed,
            seconds=round(time.perf_counter() - began, 3),
        )

    def _end(self, waiting: Sequence[WaitingEvent], ended: Sequence[Ended]) -> None:
        """End them all; one that was not told about is failed, so that nothing is taken for ever."""
        now = self._now()
        told = {each.id: each for each in ended}
        ends = [
            _set_due(each, told.get(each.id) or _fail(each, "Nothing was said of it."), now)
            for each in waiting
        ]
        self._inbox.end(ends, now)


def _fail(waiting: WaitingEvent, message: str) -> Ended:
    return Ended(waiting.id, Fate.failed, message)


def _set_due(waiting: WaitingEvent, end: Ended, now: float) -> Ended:
    """When a failed one is due again, if that was not said; never where it is too old to matter."""
    if end.fate is not Fate.failed:
        return end
    if now - waiting.received_at > GIVE_UP_AFTER_S:
        return msgspec.structs.replace(end, again_at=None)
    if end.again_at is not None:
        return end
    wait = min(FIRST_WAIT_S * 2.0 ** min(waiting.attempts, 30), LONGEST_WAIT_S)
    return msgspec.structs.replace(end, again_at=now + wait * random.uniform(0.8, 1.2))
