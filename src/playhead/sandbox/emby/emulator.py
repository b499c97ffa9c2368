"""An emulated Emby Server, 4.8 or 4.9 by version: joins its parts and offers the control side its handles."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from aiohttp import web

from playhead.sandbox.clock import SkewedClock
from playhead.sandbox.emby.accounts import Accounts
from playhead.sandbox.emby.acts import Acts
from playhead.sandbox.emby.app import Dispatcher, make_error
from playhead.sandbox.emby.building import Builder
from playhead.sandbox.emby.catalogue import TICKS_PER_SECOND, Catalogue, Node, digest
from playhead.sandbox.emby.library_acts import LibraryActs
from playhead.sandbox.emby.playing import Playing, Simulation
from playhead.sandbox.emby.reads import Identity, Reads
from playhead.sandbox.emby.scan_routes import ScanRoutes
from playhead.sandbox.emby.scanning import Scans
from playhead.sandbox.emby.sockets import Sockets
from playhead.sandbox.emby.userdata import UserData
from playhead.sandbox.emby.webhooks import Webhooks
from playhead.sandbox.emby.writes import Writes
from playhead.sandbox.quirks import check_quirks, read_delays
from playhead.sandbox.server import SandboxUser, StateRow, Told, count_told
from playhead.sandbox.times import to_epoch
from playhead.sandbox.world import World, WorldServer

KIND = "emby"
DEFAULT_VERSION = "4.9.5.0"
DELAYS = MappingProxyType(
    {"user_data_s": 0.5, "library_s": 35.0, "sessions_s": 40.0, "monitor_s": 60.0, "scan_s": 2.0}
)
QUIRKS = frozenset({"own_state", "odd_provider_keys", "start_keeps_played"})


class EmbyServer:
    """One emulated Emby. Quirks: ``own_state``, ``odd_provider_keys`` (``building``), ``start_keeps_played``."""

    def __init__(self, world: World, spec: WorldServer, clock: SkewedClock) -> None:
        check_quirks(spec, QUIRKS)
        self.name = spec.name
        self.kind = KIND
        self.version = spec.version or DEFAULT_VERSION
        self.server_id = spec.server_id or digest("server", spec.name)
        self.clock = clock
        keeps_played = bool(spec.quirks.get("start_keeps_played"))
        self.catalogue = Catalogue()
        self.builder = Builder(world, spec, self.catalogue)
        self.builder.build(spec)
        self.accounts = Accounts(spec, self.server_id)
        identity = Identity(spec.name, self.version, self.server_id, _is_modern(self.version))
        self._reads = Reads(identity, self.catalogue, self.accounts)
        agenda, delays = clock.agenda, read_delays(spec, DELAYS)
        self.scans = Scans(self.catalogue, self.builder, agenda, clock, delays)
        self.scans.read_all()
        self.sockets = Sockets(self._reads, agenda, delays)
        self.webhooks = Webhooks(self._reads, clock, agenda, spec.webhooks, delays["library_s"])
        playing = Playing(self.sockets, self.webhooks, keeps_played=keeps_played)
        self._writes = Writes(self._reads, playing, self.sockets, self.webhooks)
        simulation = Simulation(playing, self.accounts, self.catalogue, clock, agenda)
        self.scans.tellers += [self.sockets, self.webhooks]
        self._reads.refresh_progress = lambda: self.scans.progress
        libraries = LibraryActs(self.catalogue, self.builder, self.scans, self.webhooks)
        self.acts = Acts(self.catalogue, self.builder, self.accounts, simulation, libraries)
        self._load_state(spec)

    @property
    def admin_token(self) -> str:
        """The API key."""
        return self.accounts.api_key

    def make_app(self) -> web.Application:
        """The application that serves the API."""
        scans = ScanRoutes(self.scans)
        routes = [*scans.routes(), *self._reads.routes(), *self._writes.routes(), *self.webhooks.routes()]
        app = Dispatcher(routes, self.accounts, self.clock, self.sockets.serve).application()
        app.on_shutdown.append(self.sockets.lines.shut)
        app.on_cleanup.append(self.webhooks.posts.close)
        return app

    def told(self) -> Told:
        """What was told on sockets and by webhooks."""
        return count_told(self.sockets.lines, self.webhooks.posts)

    def crash(self) -> None:
        """The process was killed: what waited to be posted and what was scanned is gone."""
        self.webhooks.posts.drop()
        self.scans.forget()

    def error_response(self, status: int) -> web.Response:
        """An error in Emby's form."""
        return make_error(status)

    def users(self) -> list[SandboxUser]:
        """All logins."""
        return [SandboxUser(user.id, user.name, user.token) for user in self.accounts.users.values()]

    def state_rows(self, user: str) -> list[StateRow]:
        """The user's state of every movie and episode; one row for each state where an item has several."""
        owner = self.accounts.find(user)
        visible = self._reads.visible(owner)
        rows: list[StateRow] = []
        for world_id, nodes in self.catalogue.by_world.items():
            leaves = [n for n in nodes if not n.is_folder and n.shelf.view_id in visible]
            for node in {leaf.state_key: leaf for leaf in leaves}.values():
                rows.append(_row(world_id, owner.get(node.state_key)))
        return rows

    def act(self, user: str, item: str, act: str, *, at: float | None, args: dict[str, Any]) -> None:
        """Do what a person would do. Raises KeyError and ValueError as the promise says."""
        now = int(self.clock.now() if at is None else at)
        self.acts.do(user, item, act, now, args)

    def _load_state(self, spec: WorldServer) -> None:
        for entry in spec.users:
            user = self.accounts.find(entry.name)
            for state in entry.state:
                for node in self._stateful(state.item):
                    last_played = to_epoch(state.last_played)
                    data = user.edit(node.state_key)
                    data.played = state.watched
                    data.play_count = int(state.watched) if state.plays is None else state.plays
                    data.last_played = None if last_played is None else int(last_played)
                    data.position_ticks = round(state.position_s * TICKS_PER_SECOND)
                    data.rating = state.rating
                    data.favourite = state.favourite
                    data.playstate_modified = data.rating_modified = data.last_played

    def _stateful(self, world_id: str) -> list[Node]:
        nodes = self.catalogue.by_world.get(world_id, [])
        return list({node.state_key: node for node in nodes}.values())


def make_server(world: World, spec: WorldServer, clock: SkewedClock) -> EmbyServer:
    """The emulated Emby that a world describes. Raises ValueError or KeyError for a world that cannot be."""
    return EmbyServer(world, spec, clock)


def _is_modern(version: str) -> bool:
    major, minor = (int(part) for part in version.split(".")[:2])
    return (major, minor) >= (4, 9)


def _row(world_id: str, data: UserData) -> StateRow:
    return StateRow(
        item=world_id,
        watched=data.played,
        plays=data.play_count,
        last_played=data.last_played,
        position_s=data.position_ticks / TICKS_PER_SECOND,
        rating=data.rating,
        favourite=data.favourite,
    )
