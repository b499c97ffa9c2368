"""What is to happen later on the sandbox's clock: frames that wait for more, reports that come again, lists of changes.

Counts the time that the clock lets pass: real time, or what ``advance`` adds; a clock that stands still holds everything
back, and one that is set to another date lets nothing pass. Knows no server.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable

Act = Callable[[], None]


class Entry:
    """One thing that is to happen; ``cancel`` takes it back."""

    __slots__ = ("act", "due", "number")

    def __init__(self, due: float, number: int, act: Act) -> None:
        self.due = due
        self.number = number
        self.act: Act | None = act

    def cancel(self) -> None:
        self.act = None

    def __lt__(self, other: Entry) -> bool:
        return (self.due, self.number) < (other.due, other.number)


class Agenda:
    """Entries in the order in which they are due. ``passed`` tells the seconds that have passed, ``runs`` whether time runs.

    While an entry is carried out, ``late`` says by how many seconds; clocks take it off, so that each entry sees the very
    time at which it was due, however far the clock was moved at once.
    """

    def __init__(self, passed: Callable[[], float], runs: Callable[[], bool]) -> None:
        self.late = 0.0
        self._passed = passed
        self._runs = runs
        self._entries: list[Entry] = []
        self._made = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None

    def elapsed(self) -> float:
        """Seconds that the clock has let pass."""
        return self._passed() - self.late

    def after(self, seconds: float, act: Act) -> Entry:
        """Have ``act`` happen once that much time has passed; with 0 as soon as the running request is through."""
        self._made += 1
        entry = Entry(self.elapsed() + max(seconds, 0.0), self._made, act)
        heapq.heappush(self._entries, entry)
        self._loop = _running_loop() or self._loop
        if not self.late:
            self._arm()
        return entry

    def wake(self) -> None:
        """The clock was changed: carry out at once what is due now, in the thread of the servers."""
        loop = self._loop
        if loop is None or loop.is_closed() or loop is _running_loop():
            self._run_due()
        else:
            loop.call_soon_threadsafe(self._run_due)

    def _run_due(self) -> None:
        try:
            while self._entries and (self._entries[0].act is None or self._entries[0].due <= self._passed()):
                entry = heapq.heappop(self._entries)
                if entry.act is None:
                    continue
                self.late = max(self._passed() - entry.due, 1e-9)
                entry.act()
        finally:
            self.late = 0.0
            self._arm()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._entries or self._loop is None or self._loop.is_closed():
            return
        wait = self._entries[0].due - self._passed()
        if wait <= 0 or self._runs():
            self._timer = self._loop.call_later(max(wait, 0.0), self._run_due)


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
