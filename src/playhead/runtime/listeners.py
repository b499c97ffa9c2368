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

import msgspec
import stamina

from playhead.kit.log import Log
from playhead.ports.errors import PlayheadError, TokenRefused, Unreachable
from playhead.ports.events import Event, Heard, Listens
from playhead.ports.inbox import NewEvent

log = Log(__name__)

FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 120.0
LOOK_AGAIN_S = 15.0  # for another token in the place of a refused one; whoever opens the line asks the server more rarely
DEAF_FOR_S = 200.0  # a dead line is noticed after three minutes at most
STEADY_S = 60.0  # a line that held so long starts the waits anew


class Line(Listens, Protocol):
    """A backend that listens and can be closed."""

    async def close(self) -> None:
        """Release the connection."""


class Listener:
    """A line to one connection's server. ``state`` is "closed", "open", or what is wrong.

    ``user_id``: it is opened for that login alone; what names no login on it is about that one, what names another is told
    elsewhere.
    """

    def __init__(
        self,
        name: str,
        connection_id: int,
        open_line: Callable[[], Line],
        put: Callable[[Sequence[NewEvent]], Awaitable[None]],
        note: Callable[[str, bool], None],
        *,
        user_id: str | None = None,
        first_wait_s: float = FIRST_WAIT_S,
        look_again_s: float = LOOK_AGAIN_S,
    ) -> None:
        self.name = name
        self.state = "closed"
        self._connection_id = connection_id
        self._open_line = open_line
        self._put = put
        self._note = note
        self._user_id = user_id
        self._alive_at: int | None = None  # when a line last told something, or could have
        self._first_wait_s = first_wait_s
        self._look_again_s = look_again_s

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
            self._note(self.name, False)

    async def _hold_line(self) -> None:
        """Listen on one line. Raises what broke it, unless it had held for long."""
        began = time.monotonic()
        try:
            await self._listen()
            raise Unreachable(f"{self.name} closed the line.")
        except (
            TokenRefused
        ) as error:  # no retry helps; whether there is another token is looked for now and then
            self._close(error)
            await asyncio.sleep(self._look_again_s)
        except Exception as error:
            self._close(error)
            if time.monotonic() - began < STEADY_S:
                raise

    async def _listen(self) -> None:
        line, opened = self._open_line(), False
        try:
            async for event in line.listen():
                self._open()
                opened = True
                if event.what is Heard.missed:
                    event = msgspec.structs.replace(event, at=self._alive_at)
                self._alive_at = int(time.time())
                if (own := self._own(event)) is not None:
                    await self._put([NewEvent(self._connection_id, own, time.time())])
        finally:
            if opened and self._alive_at is not None:
                self._alive_at = max(self._alive_at, int(time.time() - DEAF_FOR_S))
            await line.close()

    def _own(self, event: Event) -> Event | None:
        """The event as it concerns this line's login; None where it concerns another."""
        if self._user_id is None or event.user_id == self._user_id:
            return event
        if event.user_id is not None or event.user_name is not None:
            return None
        return msgspec.structs.replace(event, user_id=self._user_id)

    def _open(self) -> None:
        if self.state != "open":
            self.state = "open"
            self._note(self.name, True)
            log.info("listening", connection=self.name)

    def _close(self, error: Exception) -> None:
        known = isinstance(error, PlayheadError)
        message = str(error) if known else f"{type(error).__name__}: {error}"
        if self.state != message and not (isinstance(error, TokenRefused) and error.told):
            log.warning("not listening", connection=self.name, error=message)
        self.state = message
        self._note(self.name, False)
