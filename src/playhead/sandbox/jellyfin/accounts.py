"""Users, their policies and passwords, access tokens, API keys and quick connect. Knows no item and no HTTP."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import Any

import msgspec

from playhead.sandbox.jellyfin.defaults import default_configuration, default_policy
from playhead.sandbox.jellyfin.ids import EMPTY_GUID
from playhead.sandbox.jellyfin.rules import Rules
from playhead.sandbox.jellyfin.ticks import show

_NAME = re.compile(r"(?!\s)[\w ._'@+-]+(?<!\s)\Z")
QUICK_CONNECT_TICKS = 60 * 10_000_000
QUICK_CONNECT_LIFE_TICKS = 600 * 10_000_000  # *assumed*: the server's source names ten minutes


class Client(msgspec.Struct, frozen=True):
    """What a request says of the program that sent it."""

    app: str = ""
    device: str = ""
    device_id: str = ""
    version: str = ""


class User:
    """A login. ``number`` is the server's internal one; a new user gets the lowest above those in use."""

    def __init__(self, rules: Rules, name: str, guid: str, number: int, password: str, admin: bool) -> None:
        self.name = name
        self.id = guid
        self.number = number
        self.password = password
        self.policy = default_policy(rules, admin=admin)
        self.configuration = default_configuration(rules)
        self.logins = 0
        self.last_login: int | None = None
        self.last_activity: int | None = None

    @property
    def admin(self) -> bool:
        return bool(self.policy["IsAdministrator"])

    def may_see(self, library_id: str) -> bool:
        """Whether the user has access to a library."""
        return bool(self.policy["EnableAllFolders"]) or library_id in self.policy["EnabledFolders"]


class Token:
    """An access token of a user on a device, or an API key (``user`` None)."""

    def __init__(self, secret: str, user: User | None, client: Client, created: int) -> None:
        self.secret = secret
        self.user = user
        self.client = client
        self.created = created
        self.last_activity = created

    @property
    def admin(self) -> bool:
        return self.user is None or self.user.admin


class QuickConnect:
    """One attempt to sign in by a code."""

    def __init__(self, secret: str, code: str, client: Client, added: int) -> None:
        self.secret = secret
        self.code = code
        self.client = client
        self.added = added
        self.user: User | None = None
        self.token: Token | None = None


class Accounts:
    """All logins of a server. ``now`` gives ticks; ``seed`` makes ids and tokens repeatable."""

    def __init__(self, rules: Rules, now: Callable[[], int], seed: str) -> None:
        self.rules = rules
        self.now = now
        self.users: dict[str, User] = {}
        self.tokens: dict[str, Token] = {}
        self.pending: dict[str, QuickConnect] = {}
        self._seed = seed
        self._made = 0

    def make_guid(self, what: str) -> str:
        """A fresh id or secret of 32 hex digits, the same in every run of the same world."""
        self._made += 1
        text = f"{self._seed}/{what}/{self._made}"
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def add_user(self, name: str, password: str, *, admin: bool = False, guid: str | None = None) -> User:
        """Make a user. Raises ValueError for a name that is taken or has characters that no name may have."""
        if not _NAME.match(name):
            raise ValueError(f"{name!r} is no user name.")
        if self.by_name(name) is not None:
            raise ValueError(f"There is a user {name!r} already.")
        number = max((user.number for user in self.users.values()), default=0) + 1
        user = User(self.rules, name, guid or self.make_guid(f"user/{name}"), number, password, admin)
        self.users[user.id] = user
        return user

    def remove_user(self, user: User) -> None:
        """Delete a user with all tokens."""
        self.users.pop(user.id)
        for secret in [secret for secret, token in self.tokens.items() if token.user is user]:
            del self.tokens[secret]

    def by_name(self, name: str) -> User | None:
        """The user of a name, whatever its case."""
        wanted = name.lower()
        return next((user for user in self.users.values() if user.name.lower() == wanted), None)

    def check_password(self, name: str, password: str) -> User | None:
        """The user whose name and password these are."""
        user = self.by_name(name)
        return (
            user if user is not None and user.password == password and not user.policy["IsDisabled"] else None
        )

    def log_in(self, user: User, client: Client, secret: str | None = None) -> Token:
        """A new token; an earlier one of the same user and device dies."""
        for old in [old for old, token in self.tokens.items() if _same_device(token, user, client)]:
            del self.tokens[old]
        token = Token(secret or self.make_guid("token"), user, client, self.now())
        self.tokens[token.secret] = token
        user.logins += 1
        user.last_activity = self.now()
        if user.logins >= self.rules.login_date_from:
            user.last_login = user.last_activity
        return token

    def add_key(self, app: str, secret: str | None = None) -> Token:
        """A new API key."""
        token = Token(secret or self.make_guid("key"), None, Client(app=app), self.now())
        self.tokens[token.secret] = token
        return token

    def api_keys(self) -> list[Token]:
        return [token for token in self.tokens.values() if token.user is None]

    def start_quick_connect(self, client: Client) -> QuickConnect:
        """Begin a sign-in by code."""
        secret = (self.make_guid("secret") + self.make_guid("secret")).upper()
        attempt = QuickConnect(secret, f"{int(secret[:12], 16) % 1_000_000:06d}", client, self.now())
        self.pending[secret] = attempt
        return attempt

    def find_attempt(self, secret: str) -> QuickConnect | None:
        """An attempt that has not expired."""
        oldest = self.now() - QUICK_CONNECT_LIFE_TICKS
        self.pending = {key: each for key, each in self.pending.items() if each.added > oldest}
        return self.pending.get(secret)

    def approve(self, code: str, user: User) -> bool:
        """A signed-in user approves a code. Raises KeyError for an unknown one."""
        self.find_attempt("")
        for attempt in self.pending.values():
            if attempt.code == code:
                attempt.user = user
                attempt.token = self.log_in(user, attempt.client)
                attempt.added = self.now() + QUICK_CONNECT_TICKS
                return True
        raise KeyError(code)

    def describe_user(self, user: User, server_id: str, *, fresh: bool = False) -> dict[str, Any]:
        """A user as the API shows one. ``fresh``: as the answer to its making shows it."""
        has_password = bool(user.password) and not (fresh and self.rules.generation < (12, 0))
        shown: dict[str, Any] = {
            "Name": user.name,
            "ServerId": server_id,
            "Id": user.id,
            "HasPassword": has_password,
            "HasConfiguredPassword": has_password,
            "HasConfiguredEasyPassword": False,
            "EnableAutoLogin": False,
            "Configuration": user.configuration,
            "Policy": user.policy,
        }
        if user.last_login is not None:
            shown["LastLoginDate"] = show(user.last_login)
        if user.last_activity is not None:
            shown["LastActivityDate"] = show(user.last_activity)
        return shown


def describe_key(token: Token) -> dict[str, Any]:
    """An API key as ``/Auth/Keys`` lists it."""
    return {
        "Id": 0,
        "AccessToken": token.secret,
        "DeviceId": "",
        "AppName": token.client.app,
        "AppVersion": "",
        "DeviceName": "",
        "UserId": EMPTY_GUID,
        "IsActive": False,
        "DateCreated": show(token.created),
        "DateLastActivity": show(0),
    }


def _same_device(token: Token, user: User, client: Client) -> bool:
    return token.user is user and token.client.device_id == client.device_id
