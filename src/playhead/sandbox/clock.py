"""The sandbox's clock: real time, shifted or stopped by the control side, and each server's own skew on top."""

from __future__ import annotations

import time


class Clock:
    """Epoch seconds. ``set`` jumps and goes on running from there; ``freeze`` stops it; ``advance`` moves it."""

    def __init__(self, start: float | None = None) -> None:
        self._shift = 0.0
        self._frozen: float | None = None
        if start is not None:
            self.set(start)

    def now(self) -> float:
        return self._frozen if self._frozen is not None else time.time() + self._shift

    @property
    def frozen(self) -> bool:
        return self._frozen is not None

    def set(self, at: float) -> None:
        self._frozen = None
        self._shift = at - time.time()

    def freeze(self, at: float | None = None) -> None:
        self._frozen = self.now() if at is None else at

    def advance(self, seconds: float) -> None:
        if self._frozen is not None:
            self._frozen += seconds
        else:
            self._shift += seconds


class SkewedClock:
    """One server's view of the shared clock."""

    def __init__(self, clock: Clock, skew_s: float = 0.0) -> None:
        self.clock = clock
        self.skew_s = skew_s

    def now(self) -> float:
        return self.clock.now() + self.skew_s
