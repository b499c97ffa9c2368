"""From a request to its route and back: paths in any case, 404 and 405, sign-in, body, errors. Knows no route's meaning."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import msgspec
from aiohttp import web

from playhead.sandbox.jellyfin.accounts import Client, Token
from playhead.sandbox.jellyfin.answers import Failure, nothing, text_failure, to_camel_case
from playhead.sandbox.jellyfin.authorization import read_authorization
from playhead.sandbox.jellyfin.call import Call
from playhead.sandbox.jellyfin.userdata import RatingRefused

if TYPE_CHECKING:
    from playhead.sandbox.jellyfin.emulator import JellyfinServer

Handler = Callable[[Call], web.Response]
LONGEST_REQUEST_LINE = 8192
_ROOM = {"max_line_size": 65_536, "max_field_size": 65_536}


class Route(msgspec.Struct, frozen=True):
    """``level``: "anyone", "user" (any token), "admin", or "first" (anyone until the wizard is done, then an admin).

    ``since`` and ``until`` bound the generations that have the route.
    """

    method: str
    path: str
    handler: Handler
    level: str = "user"
    since: tuple[int, int] = (0, 0)
    until: tuple[int, int] = (99, 0)


class _Node:
    __slots__ = ("by_name", "other", "other_name", "routes")

    def __init__(self) -> None:
        self.by_name: dict[str, _Node] = {}
        self.other: _Node | None = None
        self.routes: dict[str, tuple[Route, tuple[str, ...]]] = {}


class Dispatcher:
    """The routes of one server as an aiohttp application."""

    def __init__(self, server: JellyfinServer, routes: Iterable[Route]) -> None:
        self.server = server
        self._top = _Node()
        for route in routes:
            if route.since <= server.rules.generation <= route.until:
                self._add(route)

    def make_app(self) -> web.Application:
        """The application."""
        app = web.Application(handler_args=_ROOM, client_max_size=64 * 1024 * 1024)
        app.router.add_route("*", "/{tail:.*}", self.handle)
        return app

    def _add(self, route: Route) -> None:
        node, names = self._top, []
        for part in route.path.strip("/").split("/"):
            if part.startswith("{"):
                names.append(part[1:-1].lower())
                node.other = node.other or _Node()
                node = node.other
            else:
                node = node.by_name.setdefault(part.lower(), _Node())
        node.routes[route.method] = (route, tuple(names))

    def find(self, parts: list[str]) -> tuple[_Node, list[str]] | None:
        """The node of a path and the values on its way; names go before values."""
        return self._walk(self._top, parts, 0)

    def _walk(self, node: _Node, parts: list[str], at: int) -> tuple[_Node, list[str]] | None:
        if at == len(parts):
            return (node, []) if node.routes else None
        named = node.by_name.get(parts[at].lower())
        if named is not None:
            found = self._walk(named, parts, at + 1)
            if found is not None:
                return found
        if node.other is not None and parts[at]:
            found = self._walk(node.other, parts, at + 1)
            if found is not None:
                return (found[0], [parts[at], *found[1]])
        return None

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer a request."""
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._connect(request)
        if len(request.raw_path) > LONGEST_REQUEST_LINE - len(" HTTP/1.1") - len(request.method) - 1:
            return nothing(414)
        parts = request.path.strip("/").split("/")
        if self.server.rules.emby_prefix and parts[0].lower() in ("emby", "mediabrowser"):
            parts = parts[1:]
        found = self.find(parts)
        if found is None:
            return nothing(404)
        node, values = found
        if request.method not in node.routes:
            response = nothing(405)
            response.headers["Allow"] = ", ".join(sorted(node.routes))
            return response
        route, names = node.routes[request.method]
        try:
            response = await self._run(route, request, dict(zip(names, values, strict=True)))
        except Failure as failure:
            response = failure.response
        except RatingRefused as refused:
            response = text_failure(500 if refused.unprintable else 400).response
        return _as_asked(request, response)

    async def _connect(self, request: web.Request) -> web.StreamResponse:
        """Any path takes a WebSocket, but for the root and what looks like the old prefix (tape 09)."""
        if request.path == "/":
            return web.Response(status=302, headers={"Location": "/web/index.html"})
        if request.path.lower() == "/embywebsocket" and not self.server.rules.emby_socket:
            return text_failure(400).response
        token, client = self._sign_in(request)
        session = None
        if token is not None:
            session = self.server.sessions.touch(client, token.user, request.remote or "127.0.0.1")
        return await self.server.sockets.serve(request, token, session)

    async def _run(self, route: Route, request: web.Request, path: dict[str, str]) -> web.Response:
        token, client = self._sign_in(request)
        refused = self._refuse(route, token)
        if refused is not None:
            return refused
        call = Call(self.server, request, path, token, client)
        if request.can_read_body:
            call.body = await request.read()
        self.server.tick()
        return route.handler(call)

    def _sign_in(self, request: web.Request) -> tuple[Token | None, Client]:
        query = (
            {name.lower(): value for name, value in request.rel_url.query.items()}
            if request.query_string
            else {}
        )
        secret, client = read_authorization(request.headers, query, legacy=self.server.legacy_tokens)
        token = self.server.accounts.tokens.get(secret) if secret else None
        if token is not None and token.user is None:
            client = msgspec.structs.replace(client, app=token.client.app)
            if not client.device_id:  # a bare key is the server itself (tapes 09 and 19)
                server = self.server
                return token, Client(token.client.app, "Jellyfin Server", server.server_id, server.version)
        if token is not None and not client.device_id:
            client = token.client
        return token, client

    def _refuse(self, route: Route, token: Token | None) -> web.Response | None:
        if route.level == "anyone" or (route.level == "first" and not self.server.set_up):
            return None
        if token is None:
            return nothing(401)
        if route.level in ("admin", "first") and not token.admin:
            return nothing(403)
        return None


def _as_asked(request: web.Request, response: web.Response) -> web.Response:
    response.headers["Content-Language"] = "en-US"
    asked = request.headers.get("Accept", "").partition(",")[0]  # of several the first is taken
    if "profile=" not in asked or not response.body:
        return response
    for profile in ("CamelCase", "PascalCase"):
        if f'profile="{profile}"' in asked or f"profile={profile}" in asked:
            if profile == "CamelCase":
                data = msgspec.json.decode(bytes(response.body))  # type: ignore[arg-type]
                response.body = msgspec.json.encode(to_camel_case(data))
            response.headers["Content-Type"] = f'application/json; profile="{profile}"; charset=utf-8'
    return response
