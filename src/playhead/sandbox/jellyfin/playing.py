"""Playback: what a client's reports do to its session, to state, and who is told. Facts: api-jellyfin-emby A4, A6, A7.

While something plays, the server itself moves its position on every second, as long as somebody listens.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from playhead.sandbox.agenda import Entry
from playhead.sandbox.jellyfin import ticks
from playhead.sandbox.jellyfin.accounts import Client, User
from playhead.sandbox.jellyfin.items import Item
from playhead.sandbox.jellyfin.sessions import Session
from playhead.sandbox.player import Players, device_of

if TYPE_CHECKING:
    from playhead.sandbox.jellyfin.emulator import JellyfinServer

APP = "Sandbox"
_SECOND = 1.0
Report = dict[str, Any]
"""A report's members by their names in lower case."""


class Playing:
    """Reports of playback on one server. ``counts`` False: an API key's session, whose state nobody keeps."""

    def __init__(self, server: JellyfinServer) -> None:
        self.server = server
        self.players = Players(server.agenda)
        self._ticking: dict[str, Entry] = {}

    def start(
        self,
        session: Session,
        item: Item,
        counted: Item,
        report: Report,
        *,
        counts: bool = True,
        at: int | None = None,
    ) -> None:
        """Playback of an item begins; ``counted`` is the version whose state it is."""
        session.play_state.pop("PositionTicks", None)
        self._note(session, item, report)
        if session.user is not None and counts:
            self.server.marks.start(session.user, counted, self.server.now() if at is None else at)
            self.server.note_playback(session, item, started=True)
            self.server.plugin.playback("PlaybackStart", session, counted, report.get("positionticks") or 0)
            self._tick_on(session, counted)
        self.server.sockets.sessions_changed()

    def progress(
        self, session: Session, item: Item, counted: Item, report: Report, *, counts: bool = True
    ) -> None:
        """A report in between."""
        self._note(session, item, report)
        if session.user is not None and counts:
            self.server.marks.progress(session.user, counted, report.get("positionticks"))
            position = session.play_state.get("PositionTicks") or 0
            self.server.plugin.playback("PlaybackProgress", session, counted, position)
            self._tick_on(session, counted)
        self.server.sockets.sessions_changed()

    def stop(
        self,
        session: Session,
        item: Item | None,
        counted: Item | None,
        report: Report,
        *,
        counts: bool = True,
    ) -> None:
        """Playback ends; of an unknown item, or when it failed, only for the session."""
        session.last_check_in = self.server.now()
        self._tick_off(session)
        before = dict(session.play_state)
        session.stop()
        known = item is not None and counted is not None and not report.get("failed")
        if known and session.user is not None and counts:
            assert item is not None and counted is not None
            position = report.get("positionticks")
            self.server.marks.stop(session.user, counted, position)
            self.server.note_playback(session, item, started=False)
            ended = {
                "MediaSourceId": before.get("MediaSourceId") or item.id,
                "PlayedToCompletion": self.server.store.stored(session.user, counted).played,
            }
            self.server.plugin.playback("PlaybackStop", session, counted, position or 0, ended)
        self.server.sockets.sessions_changed()

    def _note(self, session: Session, item: Item, report: Report) -> None:
        now = self.server.now()
        session.last_check_in = now
        state = session.play_state
        if report.get("positionticks") is not None:
            state["PositionTicks"] = report["positionticks"]
        state["CanSeek"] = bool(report.get("canseek"))
        paused = bool(report.get("ispaused"))
        session.last_paused = (session.last_paused or now) if paused else None
        state["IsPaused"] = paused
        state["PlayMethod"] = report.get("playmethod") or "DirectPlay"
        session.playing = item
        state["MediaSourceId"] = report.get("mediasourceid") or item.id

    # --- between two reports

    def _tick_on(self, session: Session, item: Item) -> None:
        """Count the seconds from this report on, if anybody wants to know."""
        self._tick_off(session)
        wanted = self.server.plugin.wants("PlaybackProgress") or self.server.sockets.sessions_wanted
        if wanted and not session.play_state["IsPaused"]:
            self._ticking[session.id] = self.server.agenda.after(_SECOND, lambda: self._tick(session, item))

    def _tick_off(self, session: Session) -> None:
        entry = self._ticking.pop(session.id, None)
        if entry is not None:
            entry.cancel()

    def _tick(self, session: Session, item: Item) -> None:
        position = (session.play_state.get("PositionTicks") or 0) + ticks.PER_SECOND
        if session.playing is None or position > (item.runtime or 0):
            self._tick_off(session)
            return
        session.play_state["PositionTicks"] = position
        self.server.plugin.playback("PlaybackProgress", session, item, position, {"automated": True})
        self.server.sockets.sessions_changed(by_itself=True)
        self._tick_on(session, item)

    # --- the sandbox's own clients

    def session_of(self, user: User, args: dict[str, Any]) -> Session:
        """The session of a simulated client on the device that an act names."""
        device = device_of(args)
        client = Client(app=APP, device=device, device_id=f"sandbox-{user.name}-{device}", version="1")
        return self.server.sessions.touch(client, user, "127.0.0.1")

    def play(self, user: User, item: Item, args: dict[str, Any], name: str) -> None:
        """``play_start``: a simulated client plays an item and reports every ten seconds."""
        session = self.session_of(user, args)

        def report(what: str, position_s: float) -> None:
            if user.id not in self.server.accounts.users or item.id not in self.server.catalogue.items:
                return
            self.session_of(user, args)
            told = {"positionticks": round(position_s * ticks.PER_SECOND), "canseek": True}
            if what == "start":
                self.start(session, item, item, told)
            elif what == "stop":
                self.stop(session, item, item, told)
            else:
                paused = what == "pause" or (what == "progress" and session.play_state["IsPaused"])
                self.progress(session, item, item, {**told, "ispaused": paused})

        self.players.start(user.id, name, args, (item.runtime or 0) / ticks.PER_SECOND, report)
