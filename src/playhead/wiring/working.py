"""The worker in a thread and an event loop of its own, with the hub's database and the servers it writes to.

A thread, because it waits for the database while an import writes, and a sender of webhooks must not wait with it.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress

from playhead.flows.context import Context
from playhead.flows.observe import Observation, observe
from playhead.kit.log import Log
from playhead.ports.inbox import Inbox, WaitingEvent
from playhead.runtime.worker import Worker
from playhead.wiring.hub import Hub, open_hub
from playhead.wiring.installation import Installation

log = Log(__name__)

FIRST_REACH_WITHIN_S = 3.0  # then it begins, with whoever has answered
REACH_WAITS_S = (2.0, 5.0, 15.0, 30.0, 60.0)
BROKEN_WAIT_S = 10.0
END_WITHIN_S = 10.0
CONTEXT_FOR_S = 1.0
CANCEL_WITHIN_S = 35.0  # longer than the database is waited for


class WorkerThread:
    """Begins at ``start``. ``state`` is "working" or what keeps it from that."""

    def __init__(
        self, installation: Installation, inbox: Inbox, ask_to_read: Callable[[Collection[str]], None]
    ) -> None:
        self.state = "starting"
        self._installation = installation
        self._worker = Worker(inbox, self._observe, ask_to_read=ask_to_read)
        self._hub: Hub | None = None
        self._context: Context | None = None  # made anew now and then: that asks the database
        self._made_at = 0.0
        self._stopping = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._main: asyncio.Task[None] | None = None
        self._thread = threading.Thread(target=self._run, name="worker", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """An event was stored."""
        self._worker.wake()

    def end(self) -> None:
        """Let it finish what it is at, for a while; then cut it off, which loses nothing. Returns when it is gone."""
        self._stopping.set()
        self._worker.stop()
        self._thread.join(END_WITHIN_S)
        if self._thread.is_alive() and self._loop and self._main:
            self._loop.call_soon_threadsafe(self._main.cancel)
            self._thread.join(CANCEL_WITHIN_S)

    def _run(self) -> None:
        with suppress(asyncio.CancelledError):
            asyncio.run(self._work())

    async def _work(self) -> None:
        self._loop, self._main = asyncio.get_running_loop(), asyncio.current_task()
        while not self._stopping.is_set():
            try:
                await self._work_on_hub()
            except Exception as error:  # noqa: BLE001 - told in the log and in /readyz, and tried again
                self.state = f"{type(error).__name__}: {error}"
                log.warning("the worker was stopped", error=self.state)
                await asyncio.to_thread(self._stopping.wait, BROKEN_WAIT_S)

    async def _work_on_hub(self) -> None:
        with open_hub(self._installation) as hub:
            async with hub.reach(()), asyncio.TaskGroup() as group:
                self._hub, self._context = hub, None
                reaching = [group.create_task(self._keep_reaching(hub, name)) for name in self._names()]
                await asyncio.wait(reaching, timeout=FIRST_REACH_WITHIN_S)
                self.state = "working"
                await self._worker.run()
                for task in reaching:
                    task.cancel()

    def _names(self) -> list[str]:
        connections = self._installation.settings.connections
        return [name for name, each in connections.items() if each.read or each.write]

    async def _keep_reaching(self, hub: Hub, name: str) -> None:
        """Try until the server answers."""
        tries = 0
        while not await hub.reach_one(name):
            if tries == 0:
                log.warning("out of reach", connection=name, error=str(hub.errors.get(name, "")))
            await asyncio.sleep(REACH_WAITS_S[min(tries, len(REACH_WAITS_S) - 1)])
            tries += 1
        self._context = None  # there is one more to ask

    async def _observe(self, waiting: Sequence[WaitingEvent]) -> Observation:
        assert self._hub is not None
        async with self._hub.delivering():
            if self._context is None or time.monotonic() - self._made_at > CONTEXT_FOR_S:
                self._context, self._made_at = self._hub.context(), time.monotonic()
            return await observe(self._context, waiting)
