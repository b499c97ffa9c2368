"""Asks a Sonarr or Radarr again and again what it did. One that does not answer is asked later, and that is told once.

Decides when; what a look is, ``flows.catch_up`` knows.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from playhead.flows.catch_up import CatchUp, Looked
from playhead.kit.log import Log
from playhead.ports.arrivals import CatchesUp
from playhead.ports.errors import PlayheadError

log = Log(__name__)

LONGEST_WAIT_S = 300.0
BROKEN_WAIT_S = 10.0

NoteLook = Callable[[str, str, int, int], None]
"""Sender, "answered" or the code of what went wrong, how many arrivals, how many root folders are offline."""


class Asking:
    """One sender. ``state`` says how it stands with it; ``open_net`` may fail for want of its key."""

    def __init__(
        self,
        name: str,
        every_s: float,
        catch_up: CatchUp,
        open_net: Callable[[], CatchesUp],
        note: NoteLook,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.name = name
        self.state = "not asked yet"
        self._every_s = every_s
        self._catch_up = catch_up
        self._open_net = open_net
        self._note = note
        self._now = now
        self._net: CatchesUp | None = None
        self._failures = 0
        self._offline: tuple[str, ...] = ()

    async def run(self) -> None:
        """Ask until cancelled."""
        if not self._every_s:
            self.state = "never asked (look_every_s: 0)"
            return
        try:
            while True:
                wait = await self.ask()
                await asyncio.sleep(wait)
        finally:
            await self._close()

    async def ask(self) -> float:
        """Ask once. Gives the seconds to wait."""
        try:
            if self._net is None:
                self._net = self._open_net()
            looked = await self._catch_up.look(self._net, self._now())
        except PlayheadError as error:
            return await self._fail(error)
        except Exception as error:  # noqa: BLE001 - told in the log and in /readyz, and tried again
            log.warning("a look at a sender broke off", sender=self.name, error=repr(error))
            self.state = f"broken: {type(error).__name__}: {error}"
            self._note(self.name, "broken", 0, 0)
            return max(self._every_s, BROKEN_WAIT_S)
        self._tell(looked)
        return self._every_s

    async def _fail(self, error: PlayheadError) -> float:
        if error.message != self.state:
            log.warning("a look at a sender failed", sender=self.name, error=str(error))
        self.state = error.message
        self._note(self.name, error.code, 0, 0)
        self._failures += 1
        await self._close()
        longest = max(self._every_s, LONGEST_WAIT_S)
        return float(min(self._every_s * 2 ** min(self._failures - 1, 16), longest))

    def _tell(self, looked: Looked) -> None:
        if self._failures:
            log.info("a sender answers again", sender=self.name)
        self._failures = 0
        if looked.offline and looked.offline != self._offline:
            log.warning(
                "a sender misses a disk; what lies there waits", sender=self.name, folders=looked.offline
            )
        elif self._offline and not looked.offline:
            log.info("a sender has its disks again", sender=self.name)
        self._offline = looked.offline
        if looked.unseen:
            log.warning(
                "files that a sender misses were not scanned; if they are gone: playhead scan --gone --path FOLDER",
                sender=self.name, count=len(looked.unseen), first=looked.unseen[0],
            )  # fmt: skip
        if looked.jobs:
            log.info("arrivals", sender=self.name, told="look", scans=len(looked.jobs))
        self.state = f"offline: {', '.join(looked.offline)}" if looked.offline else "answers"
        self._note(self.name, "answered", looked.arrivals, len(looked.offline))

    async def _close(self) -> None:
        net, self._net = self._net, None
        if net is not None:
            await net.close()
