"""What is remembered of a Sonarr or Radarr between two looks, and across restarts."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

import msgspec

from playhead.ports.arrivals import Arrival


class SenderMemory(msgspec.Struct, frozen=True):
    """``memory`` is what ``CatchesUp`` gave. ``waiting`` are arrivals below ``offline``, root folders that it cannot reach.
    ``swept_at``: epoch seconds of the hub, 0 = never."""

    memory: bytes
    swept_at: float = 0.0
    offline: tuple[str, ...] = ()
    waiting: tuple[Arrival, ...] = ()


class KeepsSenders(Protocol):
    """Every write is on disk when its call returns."""

    def load_sender(self, name: str) -> SenderMemory | None:
        """What is remembered of a sender; None where nothing is."""

    def save_sender(self, name: str, memory: SenderMemory) -> None:
        """Remember it, in the place of what was."""

    def forget_senders(self, but: Collection[str]) -> None:
        """Forget all but these."""
