"""An emulated Radarr 6: the shared server with Radarr's words."""

from __future__ import annotations

from playhead.sandbox.arr.server import DELAYS as DELAYS
from playhead.sandbox.arr.server import QUIRKS as QUIRKS
from playhead.sandbox.arr.server import ArrServer
from playhead.sandbox.clock import SkewedClock
from playhead.sandbox.radarr.dialect import RadarrDialect
from playhead.sandbox.world import World, WorldServer


class RadarrServer(ArrServer):
    """One emulated Radarr."""

    def __init__(self, world: World, spec: WorldServer, clock: SkewedClock) -> None:
        super().__init__(world, spec, clock, RadarrDialect())


def make_server(world: World, spec: WorldServer, clock: SkewedClock) -> RadarrServer:
    """The emulated Radarr that a world describes. Raises ValueError for a world that cannot be."""
    return RadarrServer(world, spec, clock)
