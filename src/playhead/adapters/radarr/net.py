"""The net under the webhooks of a Radarr."""

from __future__ import annotations

from playhead.adapters._arr.poll import ArrNet
from playhead.adapters._arr.products import RADARR
from playhead.adapters.radarr.settings import RadarrSettings


class RadarrNet(ArrNet):
    """A ``CatchesUp``."""

    def __init__(self, settings: RadarrSettings, key: str) -> None:
        super().__init__(settings, key, RADARR)
