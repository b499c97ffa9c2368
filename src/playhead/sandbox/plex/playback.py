"""What plays on an emulated Plex: sessions of players, what their reports do, and who is told. Source: facts 3, 6, 8, 9.

A session tells every ten seconds of the clock, and at once when its state changes. *Assumed*: a player that has said
nothing for three minutes has gone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from playhead.sandbox.agenda import Entry
from playhead.sandbox.player import Players, device_of
from playhead.sandbox.plex.accounts import Account
from playhead.sandbox.plex.catalogue import Node
from playhead.sandbox.plex.notifications import PROCESSED
from playhead.sandbox.plex.webhooks import Device

if TYPE_CHECKING:
    from playhead.sandbox.plex.core import PlexCore

GONE_AFTER_S = 180.0
_GRACE_S = 0.5  # a report that comes in time tells by itself
_ROUNDING_S = 1e-6
_EVENTS = {("playing", "paused"): "media.pause", ("paused", "playing"): "media.resume"}
_STATES = {
    "start": "playing",
    "progress": "playing",
    "resume": "playing",
    "pause": "paused",
    "stop": "stopped",
}


class PlaySession:
    """One item on one player. ``offset`` in milliseconds; ``heard`` when the player spoke last."""

    def __init__(self, key: int, account: Account, node: Node, device: Device) -> None:
        self.key = key
        self.account = account
        self.node = node
        self.device = device
        self.state = ""
        self.offset = 0
        self.heard = 0.0
        self.told = 0.0
        self.next: Entry | None = None


class Playback:
    """All sessions of a server, by the session identifier that the player gives."""

    def __init__(self, core: PlexCore, repeat_s: float) -> None:
        self._core = core
        self._repeat_s = repeat_s
        self._last_key = 0
        self.sessions: dict[str, PlaySession] = {}
        self.players = Players(core.agenda)

    def report(
        self, account: Account, node: Node, state: str, offset: int, at: int, *, name: str, device: Device
    ) -> None:
        """A player's report. ``name`` is its session; ``state`` playing, buffering, paused or stopped."""
        stopped = state == "stopped"
        watched = self._core.state.report(account.id, node, offset, at, client=name, stopped=stopped)
        session = self.sessions.get(name)
        if session is not None and session.node is not node:
            self._end(name, session)
            session = None
        if session is None:
            session = PlaySession(self._take_key(), account, node, device)
            if not stopped:
                self.sessions[name] = session
        session.offset, session.heard = offset, self._core.agenda.elapsed()
        self._change_state(session, "paused" if state == "paused" else "playing")
        if not stopped and session.heard - session.told >= self._repeat_s - _ROUNDING_S:
            self._tell(session)
        if not stopped:
            self._await_next(name, session)
        if watched:
            self._tell_watched(session)
        if stopped:
            self._end(name, session)

    def play_whole(self, account: Account, leaf: Node, at: int, device: Device) -> None:
        """From start to end in one go."""
        session = PlaySession(self._take_key(), account, leaf, device)
        self._change_state(session, "playing")
        self._core.state.play(account.id, leaf, at)
        session.offset = leaf.duration
        self._tell_watched(session)
        self._end("", session)

    def _take_key(self) -> int:
        self._last_key += 1
        return self._last_key

    def _change_state(self, session: PlaySession, state: str) -> None:
        before, session.state = session.state, state
        if before == state:
            return
        event = _EVENTS.get((before, state), "media.play")
        self._core.webhooks.media(event, session.account, session.node, session.device, session.offset)
        self._tell(session)

    def _tell_watched(self, session: PlaySession) -> None:
        self._core.webhooks.media(
            "media.scrobble", session.account, session.node, session.device, session.offset
        )
        self._core.notifications.items([session.node], PROCESSED)

    def _end(self, name: str, session: PlaySession) -> None:
        self.sessions.pop(name, None)
        session.state = "stopped"
        self._tell(session)
        self._core.webhooks.media("media.stop", session.account, session.node, session.device, session.offset)

    def _await_next(self, name: str, session: PlaySession) -> None:
        """Tell again for a player that does not report in time."""
        if session.next is not None:
            session.next.cancel()
        wait = session.told + self._repeat_s + _GRACE_S - self._core.agenda.elapsed()
        session.next = self._core.agenda.after(wait, lambda: self._repeat(name, session))

    def _repeat(self, name: str, session: PlaySession) -> None:
        if self.sessions.get(name) is not session:
            return
        if self._core.agenda.elapsed() - session.heard >= GONE_AFTER_S:
            self._end(name, session)
            return
        self._tell(session)
        self._await_next(name, session)

    def _tell(self, session: PlaySession) -> None:
        session.told = self._core.agenda.elapsed()
        key = str(session.node.key)
        entry: dict[str, Any] = {
            "sessionKey": str(session.key),
            "clientIdentifier": session.device.client_id,
            "guid": "",
            "ratingKey": key,
            "url": "",
            "key": f"/library/metadata/{key}",
            "viewOffset": session.offset,
            "state": session.state,
        }
        self._core.notifications.playing(session.account, entry)

    def forget(self, account: Account) -> None:
        """An account is gone, and what it played."""
        for name in [name for name, session in self.sessions.items() if session.account is account]:
            del self.sessions[name]

    def describe(self) -> list[dict[str, Any]]:
        """``/status/sessions``: items with user, player and session."""
        return [self._describe(name, session) for name, session in self.sessions.items()]

    def _describe(self, name: str, session: PlaySession) -> dict[str, Any]:
        device, account = session.device, session.account
        thumb = f"https://plex.tv/users/{account.uuid}/avatar?c=1700000000"
        return {
            **self._core.describe(account, session.node),
            "sessionKey": str(session.key),
            "viewOffset": session.offset,
            "User": {"id": str(account.id), "thumb": thumb, "title": account.name},
            "Player": {
                "address": device.address,
                "machineIdentifier": device.client_id,
                "platform": device.platform,
                "product": device.product,
                "remotePublicAddress": device.address,
                "state": session.state,
                "title": device.title,
                "local": True,
                "relayed": False,
                "secure": False,
                "userID": account.id,
            },
            "Session": {"id": name, "bandwidth": 8000, "location": "lan"},
        }

    # -- the sandbox's own clients

    def play(self, account: Account, node: Node, args: dict[str, Any], item: str) -> None:
        """``play_start``: a simulated client plays an item and reports every ten seconds."""
        title = device_of(args)
        name = f"sandbox-{account.id}-{title}"
        device = Device(client_id=name, title=title, product="Sandbox")
        known = {"state": "playing"}

        def report(what: str, position_s: float) -> None:
            if account not in self._core.accounts or self._core.catalogue.nodes.get(node.key) is not node:
                return
            if what != "progress":
                known["state"] = _STATES[what]
            offset = round(position_s * 1000)
            self.report(account, node, known["state"], offset, self._core.now(), name=name, device=device)

        self.players.start(str(account.id), item, args, node.duration / 1000, report)
