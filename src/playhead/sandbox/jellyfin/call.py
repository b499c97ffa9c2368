"""One request as a route sees it: who asks, path and query values by type, the JSON body.

What does not fit ends in the server's own errors.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from aiohttp import web

from playhead.sandbox.jellyfin import ticks
from playhead.sandbox.jellyfin.accounts import Client, Token, User
from playhead.sandbox.jellyfin.answers import Failure, invalid, problem, text_failure
from playhead.sandbox.jellyfin.ids import parse_guid

if TYPE_CHECKING:
    from playhead.sandbox.jellyfin.emulator import JellyfinServer

_ANY: Mapping[str, type] = {}
_LAST_KEY = re.compile(rb'"([^"\\]*)"\s*:[^:]*\Z')


class Call:
    """A request on its way through a route."""

    __slots__ = ("body", "client", "path", "query", "request", "server", "token")

    def __init__(
        self,
        server: JellyfinServer,
        request: web.Request,
        path: dict[str, str],
        token: Token | None,
        client: Client,
    ) -> None:
        self.server = server
        self.request = request
        self.path = path
        self.token = token
        self.client = client
        self.body = b""
        self.query: dict[str, list[str]] = {}
        for name, value in request.rel_url.query.items():
            self.query.setdefault(name.lower(), []).append(value)

    # --- values

    def text(self, name: str) -> str | None:
        """A query value, its name in any case; an empty one counts as absent."""
        values = self.query.get(name.lower())
        return values[0] or None if values else None

    def guid(self, name: str) -> str | None:
        value = self.text(name)
        if value is None:
            return None
        guid = parse_guid(value)
        if guid is None:
            raise invalid(name, value)
        return guid

    def flag(self, name: str) -> bool | None:
        value = self.text(name)
        if value is None:
            return None
        if value.lower() not in ("true", "false"):
            raise invalid(name, value)
        return value.lower() == "true"

    def number(self, name: str) -> int | None:
        value = self.text(name)
        if value is None:
            return None
        try:
            return int(value)
        except ValueError:
            raise invalid(name, value) from None

    def date(self, name: str) -> int | None:
        value = self.text(name)
        if value is None:
            return None
        found = ticks.parse_query(value)
        if found is None:
            raise invalid(name, value)
        return found

    def words(self, name: str) -> list[str]:
        """The values of a list, given with commas or several times."""
        return [
            word.strip()
            for value in self.query.get(name.lower(), ())
            for word in value.split(",")
            if word.strip()
        ]

    def guids(self, name: str) -> list[str]:
        """The readable ids of a list: others are dropped."""
        return [guid for word in self.words(name) if (guid := parse_guid(word)) is not None]

    def path_guid(self, name: str) -> str:
        value = self.path[name.lower()]
        guid = parse_guid(value)
        if guid is None:
            raise invalid(name, value)
        return guid

    # --- users

    def asked_user_id(self) -> str | None:
        """The user of the request: named in path or query, else the token's own; an API key has none."""
        named = self.path_guid("userId") if "userid" in self.path else self.guid("userId")
        assert self.token is not None
        own = self.token.user
        if named is None or (own is not None and named == own.id):
            return own.id if own else None
        if own is not None and not own.admin:
            raise text_failure(403)
        return named

    def user(self, unknown: Failure | None = None) -> User:
        """The user of the request; none at all is an error 400, an unknown one 404."""
        guid = self.asked_user_id()
        if guid is None:
            raise text_failure(400)
        found = self.server.accounts.users.get(guid)
        if found is None:
            raise unknown or problem(404)
        return found

    def user_or_none(self, unknown: Failure | None = None) -> User | None:
        """As ``user``, but an API key may ask for nobody."""
        return None if self.asked_user_id() is None else self.user(unknown)

    # --- body

    def json(self, parameter: str, shape: Mapping[str, type] = _ANY) -> dict[str, Any]:
        """The JSON object of the body, its keys in lower case. ``parameter`` is what the server calls it in errors.

        ``shape`` gives types of members by their lower-case names: others are errors, numbers may come as text.
        """
        kind = self.request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if not self.body or not (kind in ("application/json", "text/json") or kind.endswith("+json")):
            raise problem(415)
        required = {parameter: [f"The {parameter} field is required."]}
        try:
            data = msgspec.json.decode(self.body)
        except msgspec.DecodeError as error:
            key = _LAST_KEY.search(self.body)
            place = f"$.{key[1].decode(errors='replace')}" if key else "$"
            raise problem(400, {**required, place: [str(error)]}) from None
        if data is None:
            raise problem(400, {"": ["A non-empty request body is required."], **required})
        if not isinstance(data, dict):
            raise problem(400, {"$": ["The JSON value could not be converted."], **required})
        found = {name.lower(): value for name, value in data.items()}
        for member, wanted in shape.items():
            if found.get(member) is not None:
                found[member] = self._fit(found[member], wanted, member, required)
        return found

    def _fit(self, value: Any, kind: type, name: str, required: dict[str, list[str]]) -> Any:
        if kind is int and isinstance(value, str) and value.lstrip("-").isdigit():
            return int(value)
        if isinstance(value, kind) and not (kind is int and isinstance(value, bool)):
            return value
        place = "$" if kind in (int, bool) else f"$.{name}"
        raise problem(400, {**required, place: ["The JSON value could not be converted."]})
