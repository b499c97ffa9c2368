"""One look at a Sonarr or Radarr: what it did since the last one becomes jobs, and only then is that remembered.

Knows neither HTTP nor database. What lies below a root folder that the sender cannot reach waits until it is back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec

from playhead.domain.library.mapping import MappedFolder, PathMap
from playhead.flows.take_arrivals import ArrivalDesk
from playhead.ports.arrivals import Arrival, CatchesUp
from playhead.ports.senders import KeepsSenders, SenderMemory


class Looked(msgspec.Struct, frozen=True):
    """What a look came to. ``arrivals`` were told by the sender, ``jobs`` made of them; ``offline`` are root folders that it
    cannot reach; ``unseen`` are missing files of which nobody can tell whether they are gone."""

    arrivals: int = 0
    jobs: tuple[int, ...] = ()
    offline: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()
    swept: bool = False


class CatchUp:
    """One sender. ``sweep_every_s`` 0 = never."""

    def __init__(
        self, name: str, paths: PathMap, sweep_every_s: float, keeps: KeepsSenders, desk: ArrivalDesk
    ) -> None:
        self._name = name
        self._paths = paths
        self._sweep_every_s = sweep_every_s
        self._keeps = keeps
        self._desk = desk

    async def look(self, net: CatchesUp, now: float) -> Looked:
        """Look once. Raises BackendError, StoreError; then nothing is lost, the next look tells it."""
        kept = await asyncio.to_thread(self._keeps.load_sender, self._name)
        swept_at = kept.swept_at if kept else 0.0
        sweep = bool(self._sweep_every_s) and not 0 <= now - swept_at < self._sweep_every_s
        caught = await net.catch_up(kept.memory if kept else None, now=now, sweep=sweep)
        offline = caught.offline
        if sweep or (kept and kept.offline):
            offline = tuple(dict.fromkeys([*offline, *await net.find_offline()]))
        arrivals = [*(kept.waiting if kept else ()), *caught.arrivals]
        waiting = [each for each in arrivals if _lies_below(each, offline)]
        taken = await self._desk.take([each for each in arrivals if each not in waiting], self._paths)
        new = SenderMemory(caught.memory, now if sweep else swept_at, offline, tuple(waiting))
        if new != kept:
            await asyncio.to_thread(self._keeps.save_sender, self._name, new)
        return Looked(len(caught.arrivals), taken.jobs, offline, taken.unseen, sweep)


def _lies_below(arrival: Arrival, folders: Sequence[str]) -> bool:
    below = PathMap([MappedFolder(folder, "/") for folder in folders])
    return any(below.to_hub(path) is not None for path in (*arrival.paths, arrival.folder) if path)
