"""Keeps a line open to each server that tells what happens, and puts what it hears into the inbox.

A line that breaks is opened again, later each time until one has held for a while; a server that refuses is asked again now
and then, for a person may have mended it.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import stamina

from playhead.kit.log import Log
from playhead.ports.errors import PlayheadError, Unreachable
from playhead.ports.events import Listens
from playhead.ports.inbox import NewEvent

log = Log(__name__)

FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 120.0
STEADY_S = 60.0  # a line that held so long starts the waits anew


class Line(Listens, Protocol):
    """A backend that listens and can be closed."""

    async def close(self) -> None:
        """Release the connection."""


class Listener:
    """The line to one connection's server. ``state`` is "closed", "open", or what is wrong."""

    def __init__(
        self,
        connection: str,
        connection_id: int,
        open_line: Callable[[], Line],
        put: Callable[[Sequence[NewEvent]], Awaitable[None]],
        note: Callable[[str, bool], None],
        *,
        first_wait_s: float = FIRST_WAIT_S,
    ) -> None:
        self.connection = connection
        self.state = "closed"
        self._connection_id = connection_id
        self._open_line = open_line
        self._put = put
        self._note = note
        self._first_wait_s = first_wait_s

    async def run(self) -> None:
        """Listen until cancelled."""
        try:
            while True:
                async for attempt in stamina.retry_context(
                    on=Exception,
                    attempts=None,
                    timeout=None,
                    wait_initial=self._first_wait_s,
                    wait_max=LONGEST_WAIT_S,
                    wait_jitter=self._first_wait_s,
                ):
                    with attempt:
                        await self._hold_line()
                await asyncio.sleep(self._first_wait_s * random.random())
        finally:
            self.state = "closed"
            self._note(self.connection, False)

    async def _hold_line(self) -> None:
        """Listen on one line. Raises what broke it, unless it had held for long."""
        began = time.monotonic()
        try:
            await self._listen()
            raise Unreachable(f"{self.connection} closed the line.")
        except Exception as error:
            self._close(error)
            if time.monotonic() - began < STEADY_S:
                raise

    async def _listen(self) -> None:
        line = self._open_line()
        try:
            async for event in line.listen():
                self._open()
                await self._put([NewEvent(self._connection_id, event, time.time())])
        finally:
            await line.close()

    def _open(self) -> None:
        if self.state != "open":
            self.state = "open"
            self._note(self.connection, True)
            log.info("listening", connection=self.connection)

    def _close(self, error: Exception) -> None:
        known = isinstance(error, PlayheadError)
        message = str(error) if known else f"{type(error).__name__}: {error}"
        if self.state != message:
            log.warning("not listening", connection=self.connection, error=message)
        self.state = message
        self._note(self.connection, False)
