"""A part of the hub in a thread and an event loop of its own, so that what it waits for keeps nobody else waiting.

Knows nothing of the work. Work that breaks is told in the log and in ``state``, and begins anew after a while.
"""

from __future__ import annotations

import asyncio
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from playhead.kit.log import Log

log = Log(__name__)

BROKEN_WAIT_S = 10.0
WORKING = "working"


class LoopThread(ABC):
    """Begins at ``start``, where there is any work. ``state`` is "working" or what keeps it from that."""

    def __init__(self, name: str) -> None:
        self.state = "starting"
        self.stopping = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._main: asyncio.Task[None] | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @abstractmethod
    async def work(self) -> None:
        """Work until told to stop; anything it raises but a cancellation is a fault. Sets ``state``."""

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    @property
    def loop(self) -> asyncio.AbstractEventLoop | None:
        """Where it works; None where it does not."""
        return self._loop if self._loop is not None and self._loop.is_running() else None

    def call(self, function: Callable[..., object], *arguments: Any) -> None:
        """Have something called where it works, from any thread; nothing happens where it does not work."""
        if (loop := self.loop) is not None:
            with suppress(RuntimeError):  # it ends just now
                loop.call_soon_threadsafe(function, *arguments)

    def join(self, within_s: float) -> bool:
        """Whether it has ended, or ends within these seconds."""
        if self._thread.is_alive():
            self._thread.join(within_s)
        return not self._thread.is_alive()

    def cut_off(self) -> None:
        """Cancel what it is at, which loses nothing that is stored."""
        if self._main is not None:
            self.call(self._main.cancel)

    async def rest(self, seconds: float) -> None:
        """Wait, but not longer than until it is to stop."""
        await asyncio.to_thread(self.stopping.wait, seconds)

    def _run(self) -> None:
        with suppress(asyncio.CancelledError):
            asyncio.run(self._keep_working())

    async def _keep_working(self) -> None:
        self._loop, self._main = asyncio.get_running_loop(), asyncio.current_task()
        while not self.stopping.is_set():
            try:
                await self.work()
            except Exception as error:  # noqa: BLE001 - told in the log and in /readyz, and tried again
                self.state = f"{type(error).__name__}: {error}"
                log.warning("a part of the hub was stopped", part=self._thread.name, error=self.state)
                await self.rest(BROKEN_WAIT_S)
