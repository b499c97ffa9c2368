"""An emulated Sonarr 4: the shared server with episodes on top."""

from __future__ import annotations

from playhead.sandbox.arr.routes import API
from playhead.sandbox.arr.server import DELAYS as DELAYS
from playhead.sandbox.arr.server import QUIRKS as QUIRKS
from playhead.sandbox.arr.server import ArrServer
from playhead.sandbox.arr.web import Call, Fail, Reply, Route, failed
from playhead.sandbox.clock import SkewedClock
from playhead.sandbox.sonarr.dialect import SonarrDialect
from playhead.sandbox.world import World, WorldServer


class SonarrServer(ArrServer):
    """One emulated Sonarr."""

    def __init__(self, world: World, spec: WorldServer, clock: SkewedClock) -> None:
        self._words = SonarrDialect()
        super().__init__(world, spec, clock, self._words)

    def extra_routes(self) -> list[Route]:
        """Episodes."""
        return [
            Route("GET", f"{API}/episode", self._list),
            Route("GET", f"{API}/episode/{{id}}", self._show),
            Route("PUT", f"{API}/episode/monitor", self._monitor),
        ]

    def _list(self, call: Call) -> Reply:
        series, season, numbers = (
            call.integer("seriesId"),
            call.integer("seasonNumber"),
            call.integers("episodeIds"),
        )
        if series is None and not numbers:
            text = "seriesId or episodeIds must be provided"
            raise Fail(400, {"message": f"BadRequest: {text}", "content": text})
        with_file = call.flag("includeEpisodeFile")
        return Reply(
            [
                self._words.write_episode(holder, part, with_file=with_file)
                for holder, part in self.library.shelf.parts()
                if (part.id in numbers if numbers else holder.id == series)
                and (season is None or part.season == season)
            ]
        )

    def _show(self, call: Call) -> Reply:
        for holder, part in self.library.shelf.parts():
            if part.id == call.number:
                return Reply(
                    self._words.write_episode(
                        holder, part, with_file=True, series=self.reads.write_briefly(holder)
                    )
                )
        raise Fail(404)

    def _monitor(self, call: Call) -> Reply:
        fields = call.fields()
        numbers = fields.get("episodeIds")
        if numbers is None:
            raise failed(500, "Object reference not set to an instance of an object.")
        known = {part.id: (holder, part) for holder, part in self.library.shelf.parts()}
        for number in numbers:
            if number not in known:
                raise failed(404, f"Episode with ID {number} does not exist")
            known[number][1].monitored = bool(fields.get("monitored"))
        rows = [self._words.write_episode(*known[number], with_file=False) for number in numbers]
        return Reply(rows, 202)


def make_server(world: World, spec: WorldServer, clock: SkewedClock) -> SonarrServer:
    """The emulated Sonarr that a world describes. Raises ValueError for a world that cannot be."""
    return SonarrServer(world, spec, clock)
