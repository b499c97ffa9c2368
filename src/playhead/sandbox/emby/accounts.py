"""Users, tokens and play sessions of an emulated Emby. Knows no items and no HTTP.

An API key has no user (facts B1); a sign-in gives a token of one user.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

import msgspec

from playhead.sandbox.emby.catalogue import digest
from playhead.sandbox.emby.userdata import UserData
from playhead.sandbox.world import WorldServer, WorldUser

PART = re.compile(r'([A-Za-z]+)="?([^",]*)"?')


class User(msgspec.Struct, eq=False):
    """A login and its user data by state key."""

    id: str
    name: str
    password: str
    admin: bool
    token: str
    visible: list[str] | None  # titles of libraries; None = all
    data: dict[str, UserData] = {}

    def get(self, key: str) -> UserData:
        """The data to read; a blank one where there is none yet."""
        return self.data.get(key) or BLANK

    def edit(self, key: str) -> UserData:
        """The data to change; made when there is none yet."""
        known = self.data.get(key)
        if known is None:
            known = self.data[key] = UserData()
        return known


BLANK = UserData()


class Client(msgspec.Struct, frozen=True):
    """What a request says of its client, and the token that came with it."""

    app: str | None = None
    device: str | None = None
    device_id: str | None = None
    version: str | None = None
    token: str | None = None


class Session(msgspec.Struct, eq=False):
    """A device that talks to the server, and what it plays."""

    id: str
    token: str
    user: User | None
    client: Client
    last_activity: int
    item_id: str | None = None
    play_session: str | None = None
    position_ticks: int | None = None
    paused: bool = False


class Accounts:
    """All logins, the API key and the sessions of one server."""

    def __init__(self, server: WorldServer, server_id: str) -> None:
        self.users: dict[str, User] = {}
        for number, user in enumerate(server.users):
            made = _user(server, user, number)
            self.users[made.id] = made
        self.api_key = digest("key", server_id)
        self._by_token: dict[str, User | None] = {self.api_key: None}
        self._by_token.update({user.token: user for user in self.users.values()})
        self.sessions: dict[tuple[str, str], Session] = {}
        self._logins = 0

    def find(self, name_or_id: str) -> User:
        """A user by id or name. Raises KeyError."""
        if name_or_id in self.users:
            return self.users[name_or_id]
        for user in self.users.values():
            if user.name.lower() == name_or_id.lower():
                return user
        raise KeyError(f"no user {name_or_id!r}")

    def knows(self, token: str | None) -> bool:
        return token is not None and token in self._by_token

    def owner(self, token: str) -> User | None:
        """Whose token it is; None for the API key."""
        return self._by_token[token]

    def sign_in(self, name: str, password: str) -> tuple[User, str] | None:
        """A new token for the right name and password."""
        for user in self.users.values():
            if user.name.lower() == name.lower() and user.password == password:
                self._logins += 1
                token = digest("login", user.id, self._logins)
                self._by_token[token] = user
                return user, token
        return None

    def sign_out(self, token: str) -> None:
        self._by_token.pop(token, None)

    def revoke(self, user: User | None) -> None:
        """All tokens of a user, None = the API key, are refused from now on; there is another one at once."""
        self._by_token = {token: owner for token, owner in self._by_token.items() if owner is not user}
        self._logins += 1
        if user is None:
            self.api_key = digest("key", self.api_key, self._logins)
            self._by_token[self.api_key] = None
        else:
            user.token = digest("token", user.id, self._logins)
            self._by_token[user.token] = user

    def delete(self, user: User) -> None:
        """The login, its data, tokens and sessions go."""
        del self.users[user.id]
        self._by_token = {token: owner for token, owner in self._by_token.items() if owner is not user}
        self.sessions = {key: session for key, session in self.sessions.items() if session.user is not user}

    def recreate(self, user: User) -> User:
        """A login of the same name: another id and token, no password, no data."""
        if user.id in self.users:
            self.delete(user)
        self._logins += 1
        made = User(
            id=digest("user", user.id, self._logins),
            name=user.name,
            password="",
            admin=user.admin,
            token=digest("token", user.id, self._logins),
            visible=user.visible,
        )
        self.users[made.id] = made
        self._by_token[made.token] = made
        return made

    def session(self, client: Client, token: str, now: int) -> Session:
        """The session of a token and device; opened on first use."""
        key = (token, client.device_id or "")
        session = self.sessions.get(key)
        if session is None:
            session = Session(
                id=digest("session", *key),
                token=token,
                user=self._by_token[token],
                client=client,
                last_activity=now,
            )
            self.sessions[key] = session
        session.last_activity = now
        return session

    def session_of(self, user: User, client: Client, now: int) -> Session:
        """The session of a user's device, whatever token it has."""
        key = (user.token, client.device_id or "")
        if key not in self.sessions:
            made = Session(digest("session", *key), user.token, user, client, last_activity=now)
            self.sessions[key] = made
        self.sessions[key].last_activity = now
        return self.sessions[key]


def _user(server: WorldServer, user: WorldUser, number: int) -> User:
    return User(
        id=user.id or digest("user", server.name, user.name),
        name=user.name,
        password=user.password,
        admin=user.admin or number == 0,
        token=user.token or digest("token", server.name, user.name),
        visible=user.libraries,
    )


def read_client(headers: dict[str, str], query: dict[str, str]) -> Client:
    """Client and token from every form that Emby takes; header and query names in lower case."""
    parts: dict[str, str] = {}
    for header in ("authorization", "x-emby-authorization"):
        scheme, _, rest = headers.get(header, "").partition(" ")
        if scheme.lower() in ("emby", "mediabrowser"):
            parts |= {key.lower(): unquote(value) for key, value in PART.findall(rest)}
    token = (
        headers.get("x-emby-token")
        or headers.get("x-mediabrowser-token")
        or parts.get("token")
        or query.get("api_key")
        or query.get("x-emby-token")
    )
    return Client(
        app=parts.get("client") or headers.get("x-emby-client") or query.get("x-emby-client"),
        device=parts.get("device") or headers.get("x-emby-device-name") or query.get("x-emby-device-name"),
        device_id=parts.get("deviceid") or headers.get("x-emby-device-id") or query.get("x-emby-device-id"),
        version=parts.get("version")
        or headers.get("x-emby-client-version")
        or query.get("x-emby-client-version"),
        token=token,
    )


def show_user(user: User, server_id: str, *, created: str, policy: dict[str, Any]) -> dict[str, Any]:
    """UserDto."""
    return {
        "Name": user.name,
        "ServerId": server_id,
        "Prefix": user.name[:1].upper(),
        "DateCreated": created,
        "Id": user.id,
        "HasPassword": bool(user.password),
        "HasConfiguredPassword": bool(user.password),
        "Configuration": {
            "PlayDefaultAudioTrack": True,
            "DisplayMissingEpisodes": False,
            "SubtitleMode": "Smart",
            "OrderedViews": [],
            "LatestItemsExcludes": [],
            "MyMediaExcludes": [],
            "HidePlayedInLatest": True,
            "RememberAudioSelections": True,
            "RememberSubtitleSelections": True,
            "EnableNextEpisodeAutoPlay": True,
        },
        "Policy": {
            "IsAdministrator": user.admin,
            "IsHidden": False,
            "IsDisabled": False,
            "BlockedTags": [],
            "EnableUserPreferenceAccess": True,
            "EnableRemoteAccess": True,
            "EnableMediaPlayback": True,
            "EnableContentDeletion": user.admin,
            "EnableAllDevices": True,
            **policy,
        },
    }
