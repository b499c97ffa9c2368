"""One emulated Plex Media Server: joins its parts to an application and to the control side's promise."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast

from aiohttp import web

from playhead.sandbox.clock import SkewedClock
from playhead.sandbox.plex.acts import Acts
from playhead.sandbox.plex.answers import ACCOUNT, Refusal, error_page, told
from playhead.sandbox.plex.core import PlexCore
from playhead.sandbox.plex.desk import Desk
from playhead.sandbox.plex.plextv import PlexTv
from playhead.sandbox.plex.reads import LibraryReads
from playhead.sandbox.plex.scan_routes import ScanRoutes
from playhead.sandbox.plex.writes import StateWrites
from playhead.sandbox.server import EmulatedServer, SandboxUser, StateRow, Told, count_told
from playhead.sandbox.world import World, WorldServer

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_OPEN = frozenset({"/identity"})


class PlexServer:
    """An emulated Plex Media Server."""

    kind = "plex"

    def __init__(self, world: World, spec: WorldServer, clock: SkewedClock) -> None:
        self.core = PlexCore(world, spec, clock)
        self.name = spec.name
        self.version = self.core.version
        self._acts = Acts(self.core)

    @property
    def admin_token(self) -> str:
        """The owner's."""
        return self.core.accounts[0].token

    def make_app(self) -> web.Application:
        """The application; its routes stand in ``reads``, ``writes`` and ``desk``."""
        app = web.Application(middlewares=[self._make_gate()])
        core = self.core
        parts = (Desk(core), StateWrites(core), ScanRoutes(core), LibraryReads(core), core.notifications)
        for part in parts:
            app.add_routes(part.routes())
        app.on_shutdown.append(self.core.notifications.lines.shut)
        app.on_cleanup.append(self.core.webhooks.posts.close)
        return app

    def told(self) -> Told:
        return count_told(self.core.notifications.lines, self.core.webhooks.posts)

    def crash(self) -> None:
        """The process was killed: who played, what was scanned and what waited to be posted is gone."""
        self.core.webhooks.posts.drop()
        self.core.scans.forget()
        self.core.playback.sessions.clear()

    def _make_gate(self) -> Any:
        """Who asks is told before anything else; errors become pages."""

        @web.middleware
        async def gate(request: web.Request, handler: Handler) -> web.StreamResponse:
            account = self.core.by_token(told(request, "X-Plex-Token") or "")
            if account is None and request.path not in _OPEN:
                return error_page(401)
            if account is not None:
                request[ACCOUNT] = account
            try:
                return await handler(request)
            except Refusal as refusal:
                return error_page(refusal.status)
            except web.HTTPException as error:
                return error_page(error.status)

        return gate

    def error_response(self, status: int) -> web.Response:
        """What a fault of this status looks like here."""
        return error_page(status)

    def users(self) -> list[SandboxUser]:
        return [SandboxUser(id=str(a.id), name=a.name, token=a.token) for a in self.core.accounts]

    def state_rows(self, user: str) -> list[StateRow]:
        """The account's state of every movie and episode, each item of the world once."""
        account, catalogue = self.core.account(user), self.core.catalogue
        settings, rows = self.core.state.of(account.id), []
        for item, nodes in catalogue.by_world.items():
            seen = [
                n
                for n in nodes
                if n.section.present and account.may_see(n) and n.kind in ("movie", "episode")
            ]
            if not seen:
                continue
            setting = settings.get(seen[0].guid)
            rows.append(
                StateRow(
                    item=item,
                    watched=bool(setting and setting.view_count),
                    plays=setting.view_count if setting else 0,
                    last_played=(setting.last_viewed or None) if setting else None,
                    position_s=setting.view_offset / 1000 if setting else 0.0,
                    rating=setting.rating if setting else None,
                    favourite=False,
                )
            )
        return rows

    def act(self, user: str, item: str, act: str, *, at: float | None, args: dict[str, Any]) -> None:
        """Do as a person would; the server stamps its own clock."""
        now = self.core.now() if at is None else int(at + self.core.clock.skew_s)
        self._acts.do(user, item, act, now, args)


def make_server(world: World, spec: WorldServer, clock: SkewedClock) -> PlexServer:
    """One server of the world."""
    return PlexServer(world, spec, clock)


def make_extra_apps(
    world: World, servers: Mapping[str, EmulatedServer], urls: Mapping[str, str]
) -> dict[str, web.Application]:
    """plex.tv, which all Plex servers of the world share."""
    plexes = cast("Mapping[str, PlexServer]", servers)
    cores = {name: server.core for name, server in plexes.items()}
    return {"plextv": PlexTv(cores, urls).make_app()}
