"""Playback on an emulated Emby: what reports do to session and user data, and who is told. Source: facts B3, B4, B5."""

from __future__ import annotations

from typing import Any

from playhead.sandbox.agenda import Agenda
from playhead.sandbox.emby import userdata
from playhead.sandbox.emby.accounts import Accounts, Client, Session, User
from playhead.sandbox.emby.app import HasClock
from playhead.sandbox.emby.catalogue import TICKS_PER_SECOND, Catalogue, Node
from playhead.sandbox.emby.sockets import Sockets
from playhead.sandbox.emby.webhooks import Webhooks
from playhead.sandbox.player import Players, device_of

APP = "Sandbox"


class Playing:
    """Reports of playback on one server. ``keeps_played`` is the quirk ``start_keeps_played``."""

    def __init__(
        self,
        sockets: Sockets,
        webhooks: Webhooks,
        *,
        keeps_played: bool,
    ) -> None:
        self.sockets = sockets
        self.webhooks = webhooks
        self._keeps_played = keeps_played

    def start(
        self, session: Session, node: Node, position: int | None, now: int, *, paused: bool = False
    ) -> None:
        """Playback of an item begins."""
        session.item_id, session.position_ticks, session.paused = node.id, position, paused
        if session.user is not None:
            data = session.user.edit(node.state_key)
            userdata.start_play(data, now=now, keeps_played=self._keeps_played)
            self.sockets.user_data_saved(session.user, node)
        self.webhooks.playback("playback.start", session, node)
        self.sockets.sessions_changed()

    def progress(self, session: Session, node: Node, position: int | None, now: int, *, paused: bool) -> None:
        """A report in between; a pause and its end are events, the rest is silent."""
        changed, session.paused = session.paused != paused, paused
        if position is not None:
            session.position_ticks = position
            self._report(session, node, position, now)
        if changed:
            self.webhooks.playback("playback.pause" if paused else "playback.unpause", session, node)
        self.sockets.sessions_changed()

    def stop(self, session: Session, node: Node | None, position: int | None, now: int) -> None:
        """Playback ends; of an item that does not play, only for the session."""
        if node is not None:
            self._report(session, node, position, now)
            session.position_ticks = position
            ended = session.user is not None and session.user.get(node.state_key).played
            self.webhooks.playback("playback.stop", session, node, ended=ended)
            if session.user is not None:
                self.sockets.user_data_saved(session.user, node)
        session.item_id = session.play_session = session.position_ticks = None
        session.paused = False
        self.sockets.sessions_changed()

    def _report(self, session: Session, node: Node, position: int | None, now: int) -> None:
        if session.user is not None:
            data = session.user.edit(node.state_key)
            userdata.report_position(data, position, node.runtime_ticks, now=now)


class Simulation:
    """The sandbox's own clients on one server."""

    def __init__(
        self, playing: Playing, accounts: Accounts, catalogue: Catalogue, clock: HasClock, agenda: Agenda
    ) -> None:
        self.players = Players(agenda)
        self.playing = playing
        self._accounts = accounts
        self._catalogue = catalogue
        self._clock = clock

    def session_of(self, user: User, args: dict[str, Any], now: int) -> Session:
        """The session of a simulated client on the device that an act names."""
        device = device_of(args)
        client = Client(app=APP, device=device, device_id=f"sandbox-{user.name}-{device}", version="1")
        return self._accounts.session_of(user, client, now)

    def play(self, user: User, node: Node, args: dict[str, Any], item: str) -> None:
        """``play_start``: a simulated client plays an item and reports every ten seconds."""

        def report(what: str, position_s: float) -> None:
            if user.id not in self._accounts.users or self._catalogue.nodes.get(node.id) is not node:
                return
            now, position = int(self._clock.now()), round(position_s * TICKS_PER_SECOND)
            session = self.session_of(user, args, now)
            if what == "start":
                self.playing.start(session, node, position, now)
            elif what == "stop":
                self.playing.stop(session, node, position, now)
            else:
                paused = what == "pause" or (what == "progress" and session.paused)
                self.playing.progress(session, node, position, now, paused=paused)

        self.players.start(user.id, item, args, (node.runtime_ticks or 0) / TICKS_PER_SECOND, report)
