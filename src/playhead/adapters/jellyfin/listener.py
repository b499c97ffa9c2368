"""The line to a Jellyfin server: kept alive by word, given up when the server no longer answers it.

A user's own token hears of every change of that user's data. An API key belongs to no user and hears of playback alone
(marks by hand: webhook plugin or the next read). Jellyfin 12 goes deaf after a minute of silence without closing, and only
the answer to one's own KeepAlive proves that it has not. Source: facts, api-jellyfin-emby.md A6 and A8.9; tapes 09 and 19.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable

from playhead.adapters._mediabrowser.listening import ASK_FOR_SESSIONS, KEEP_ALIVE, Ear
from playhead.adapters.jellyfin.client import JellyfinClient
from playhead.kit.line import Line, open_line
from playhead.ports.events import Event, Heard

PATH = "/socket"
KEEP_ALIVE_EVERY_S = 30.0
ANSWER_WITHIN_S = 10.0


async def listen_to(client: JellyfinClient) -> AsyncIterator[Event]:
    """Events until the line breaks, the first one ``missed``. Raises Unauthorized, Unreachable, BadAnswer, Interrupted.

    The line has a device id of its own: marks move the session of the device that makes them to the user they are for,
    and with it what its socket hears.
    """
    line = await open_line(client.http, PATH, headers=await client.listening_headers())
    try:
        await line.say(ASK_FOR_SESSIONS)
        pulse, ear = Pulse(line), Ear(client.title)
        waiting: list[Event] | None = [Event(source="socket", what=Heard.missed, name="connected")]
        while True:
            frame = await line.hear(await pulse.beat())
            if frame is None:
                continue
            kind, events = ear.read(frame)
            if kind == "KeepAlive":
                pulse.answered()
                events = [*(waiting or ()), *events]
                waiting = None
            if waiting is not None:  # the line counts as open once the server has answered on it
                waiting += events
                continue
            for event in events:
                yield event
    finally:
        await line.close()


class Pulse:
    """Says KeepAlive every half minute, the first at once, and notices when no answer comes. Times are of ``clock``, seconds."""

    def __init__(self, line: Line, clock: Callable[[], float] = time.monotonic) -> None:
        self._line = line
        self._clock = clock
        self._next = clock()
        self._deadline: float | None = None  # for the answer to the last one

    async def beat(self) -> float:
        """Say it if it is time; the seconds until there is something to do again. Raises Interrupted."""
        now = self._clock()
        if self._deadline is not None and now >= self._deadline:
            raise self._line.give_up("is deaf: the server no longer answers on it")
        if now >= self._next:
            await self._line.say(KEEP_ALIVE)
            self._next = now + KEEP_ALIVE_EVERY_S
            self._deadline = now + ANSWER_WITHIN_S
        due = self._next if self._deadline is None else min(self._next, self._deadline)
        return max(due - now, 0.01)

    def answered(self) -> None:
        """The server's own KeepAlive came."""
        self._deadline = None
