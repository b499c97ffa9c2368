"""The sandbox's clock: real time, shifted or stopped by the control side, and each server's own skew on top."""

from __future__ import annotations

import time

from playhead.sandbox.agenda import Agenda


class Clock:
    """Epoch seconds. ``set`` jumps and goes on running from there; ``freeze`` stops it; ``advance`` moves it.

    ``agenda`` holds what is to happen as time passes: what ``advance`` adds counts as passed, a jump by ``set`` does not.
    """

    def __init__(self, start: float | None = None) -> None:
        self._shift = 0.0
        self._frozen: float | None = None
        self._passed = 0.0
        self._runs_since: float | None = time.monotonic()
        self.agenda = Agenda(self._count_passed, lambda: not self.frozen)
        if start is not None:
            self.set(start)

    def now(self) -> float:
        told = self._frozen if self._frozen is not None else time.time() + self._shift
        return told - self.agenda.late

    @property
    def frozen(self) -> bool:
        return self._frozen is not None

    def set(self, at: float) -> None:
        self._frozen = None
        self._shift = at - time.time()
        if self._runs_since is None:
            self._runs_since = time.monotonic()
        self.agenda.wake()

    def freeze(self, at: float | None = None) -> None:
        self._frozen = self.now() if at is None else at
        self._passed = self._count_passed()
        self._runs_since = None
        self.agenda.wake()

    def advance(self, seconds: float) -> None:
        if self._frozen is not None:
            self._frozen += seconds
        else:
            self._shift += seconds
        self._passed += max(seconds, 0.0)
        self.agenda.wake()

    def _count_passed(self) -> float:
        running = 0.0 if self._runs_since is None else time.monotonic() - self._runs_since
        return self._passed + running


class SkewedClock:
    """One server's view of the shared clock."""

    def __init__(self, clock: Clock, skew_s: float = 0.0) -> None:
        self.clock = clock
        self.skew_s = skew_s

    def now(self) -> float:
        return self.clock.now() + self.skew_s

    @property
    def agenda(self) -> Agenda:
        """What is to happen later; a skew makes no difference there."""
        return self.clock.agenda
