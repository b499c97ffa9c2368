"""Sessions of devices, what they play, and the log of activity. Knows no HTTP; changes of state are ``marks``'."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playhead.sandbox.jellyfin.accounts import Client, User
from playhead.sandbox.jellyfin.ids import md5_guid
from playhead.sandbox.jellyfin.items import Item
from playhead.sandbox.jellyfin.newer import trim
from playhead.sandbox.jellyfin.rules import Rules
from playhead.sandbox.jellyfin.ticks import PER_SECOND, show

ACTIVE_TICKS = 10 * 60 * PER_SECOND


def default_capabilities() -> dict[str, Any]:
    """What a session can do as long as its client has not told."""
    return {
        "PlayableMediaTypes": [],
        "SupportedCommands": [],
        "SupportsMediaControl": False,
        "SupportsPersistentIdentifier": True,
    }


class Session:
    """One program on one device."""

    def __init__(self, client: Client, now: int) -> None:
        self.client = client
        self.id = md5_guid(client.app + client.device_id)
        self.user: User | None = None
        self.remote: str | None = None
        self.last_activity = now
        self.last_check_in = 0
        self.last_paused: int | None = None
        self.capabilities = default_capabilities()
        self.play_state: dict[str, Any] = _idle()
        self.playing: Item | None = None

    def stop(self) -> None:
        """Nothing plays any more."""
        self.play_state = _idle()
        self.playing = None
        self.last_paused = None


def _idle() -> dict[str, Any]:
    return {
        "CanSeek": False,
        "IsPaused": False,
        "IsMuted": False,
        "RepeatMode": "RepeatNone",
        "PlaybackOrder": "Default",
    }


def _ignore(session: Session) -> None:
    """Nobody listens."""


class Sessions:
    """All sessions by app and device id, and the activity log, newest last."""

    def __init__(self, rules: Rules, now: Callable[[], int], server_id: str) -> None:
        self.rules = rules
        self.now = now
        self.server_id = server_id
        self.sessions: dict[tuple[str, str], Session] = {}
        self.log: list[dict[str, Any]] = []
        self.on_started: Callable[[Session], None] = _ignore

    def touch(self, client: Client, user: User | None, remote: str | None = None) -> Session:
        """The session of a client, now of this user (None leaves it)."""
        key = (client.app, client.device_id)
        session = self.sessions.get(key)
        fresh = session is None
        if session is None:
            session = self.sessions[key] = Session(client, self.now())
        session.client = client
        session.last_activity = self.now()
        session.remote = remote or session.remote
        if user is not None:
            session.user = user
        if fresh:
            self.on_started(session)
        return session

    def end(self, client: Client) -> None:
        """A client signed off."""
        self.sessions.pop((client.app, client.device_id), None)

    def newest_first(self) -> list[Session]:
        return sorted(self.sessions.values(), key=lambda session: -session.last_activity)

    def note(self, kind: str, name: str, user: User | None, item: Item | None = None) -> None:
        """Write one line into the activity log."""
        entry: dict[str, Any] = {"Id": len(self.log) + 1, "Name": name, "Type": kind}
        if item is not None:
            entry["ItemId"] = item.id
        entry["Date"] = show(self.now())
        entry["UserId"] = user.id if user else "0" * 32
        entry["Severity"] = "Information"
        self.log.append(entry)

    def describe(self, session: Session, playing: dict[str, Any] | None) -> dict[str, Any]:
        """A session as ``/Sessions`` shows it; ``playing`` is its item."""
        shown: dict[str, Any] = {
            "PlayState": trim(self.rules, session.play_state),
            "AdditionalUsers": [],
            "Capabilities": session.capabilities,
            "PlayableMediaTypes": session.capabilities["PlayableMediaTypes"],
            "Id": session.id,
            "Client": session.client.app,
            "LastActivityDate": show(session.last_activity),
            "LastPlaybackCheckIn": show(session.last_check_in),
            "DeviceName": session.client.device,
            "DeviceId": session.client.device_id,
            "ApplicationVersion": session.client.version,
            "IsActive": self.now() - session.last_activity <= ACTIVE_TICKS,
            "SupportsMediaControl": False,
            "SupportsRemoteControl": False,
            "NowPlayingQueue": [],
            "HasCustomDeviceName": False,
            "ServerId": self.server_id,
            "SupportedCommands": session.capabilities["SupportedCommands"],
            "UserId": session.user.id if session.user else "0" * 32,
        }
        if self.rules.generation < (12, 0):
            shown["NowPlayingQueueFullItems"] = []
        if session.remote is not None:
            shown["RemoteEndPoint"] = session.remote
        if session.user is not None:
            shown["UserName"] = session.user.name
        if session.last_paused is not None:
            shown["LastPausedDate"] = show(session.last_paused)
        if playing is not None:
            shown["NowPlayingItem"] = playing
        return shown
