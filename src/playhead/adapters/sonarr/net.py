"""The net under the webhooks of a Sonarr."""

from __future__ import annotations

from playhead.adapters._arr.poll import ArrNet
from playhead.adapters._arr.products import SONARR
from playhead.adapters.sonarr.settings import SonarrSettings


class SonarrNet(ArrNet):
    """A ``CatchesUp``."""

    def __init__(self, settings: SonarrSettings, key: str) -> None:
        super().__init__(settings, key, SONARR)
