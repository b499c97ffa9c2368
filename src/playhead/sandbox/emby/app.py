"""Routing of an emulated Emby: finds the handler, checks the token, turns errors into Emby's text/plain answers.

The ``/emby`` prefix is optional; paths and parameter names are taken in any case. Knows no items.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import msgspec
from aiohttp import web

from playhead.sandbox.emby.accounts import Accounts, Client, User, read_client
from playhead.sandbox.emby.query import EmbyError

SERVER_HEADER = "UPnP/1.0 DLNADOC/1.50"
LARGEST_BODY = 8 * 1024 * 1024


class Call(msgspec.Struct, eq=False):
    """One request, taken apart. ``query`` names are in lower case; ``caller`` is None for the API key."""

    method: str
    path: dict[str, str]
    query: dict[str, str]
    body: bytes
    client: Client
    caller: User | None
    now: int

    def json(self, shape: type[Any]) -> Any:
        """The body as a struct. Raises EmbyError 400 where it is none."""
        try:
            return msgspec.json.decode(self.body or b"{}", type=shape)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise EmbyError(400, f"Unable to deserialize request: {error}") from error


class Reply(msgspec.Struct, frozen=True):
    """What a handler answers. ``content`` None: no body."""

    content: Any = None
    status: int = 200
    text: str | None = None


Handler = Callable[[Call], Reply]
NOTHING = Reply(status=204)
Connect = Callable[[web.Request], Awaitable[web.StreamResponse]]
"""Takes a WebSocket, on whatever path it comes."""


class Route(msgspec.Struct, frozen=True):
    """A method, the parts of a path (``{name}`` takes any), and who may call it."""

    method: str
    parts: tuple[str, ...]
    handler: Handler
    open: bool = False


class HasClock(Protocol):
    """Anything that tells the time."""

    def now(self) -> float:
        """Epoch seconds."""


def route(method: str, path: str, handler: Handler, *, open: bool = False) -> Route:
    """A route from its path text."""
    return Route(method, tuple(path.strip("/").split("/")), handler, open)


class Dispatcher:
    """Matches requests to routes; the first route that fits wins, so plain words stand before parameters."""

    def __init__(self, routes: list[Route], accounts: Accounts, clock: HasClock, connect: Connect) -> None:
        self._connect = connect
        self.accounts = accounts
        self.clock = clock
        self._by_shape: dict[tuple[str, int], list[Route]] = {}
        for entry in routes:
            self._by_shape.setdefault((entry.method, len(entry.parts)), []).append(entry)

    def application(self) -> web.Application:
        """The aiohttp application."""
        app = web.Application(client_max_size=LARGEST_BODY)
        app.router.add_route("*", "/{tail:.*}", self._handle())
        app.on_response_prepare.append(self._stamp)
        return app

    def _handle(self) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            if request.headers.get("Upgrade", "").lower() == "websocket":
                return await self._connect(request)
            body = await request.read() if request.can_read_body else b""
            try:
                return write(self._answer(request, body))
            except EmbyError as error:
                return write(Reply(status=error.status, text=error.message))

        return handle

    async def _stamp(self, request: web.Request, response: web.StreamResponse) -> None:
        response.headers["Server"] = SERVER_HEADER

    def _answer(self, request: web.Request, body: bytes) -> Reply:
        found = self._find(request.method, request.path)
        if found is None:
            raise EmbyError(404, "Unable to find the specified file.")
        entry, path = found
        query = {key.lower(): value for key, value in request.query.items()}
        client = read_client({key.lower(): value for key, value in request.headers.items()}, query)
        caller = None
        now = int(self.clock.now())
        if not entry.open:
            if not self.accounts.knows(client.token):
                raise EmbyError(401, "Access token is invalid or expired.")
            caller = self.accounts.owner(client.token or "")
        return entry.handler(Call(request.method, path, query, body, client, caller, now))

    def _find(self, method: str, raw_path: str) -> tuple[Route, dict[str, str]] | None:
        parts = [part for part in raw_path.split("/") if part]
        if parts and parts[0].lower() == "emby":
            parts = parts[1:]
        lowered = [part.lower() for part in parts]
        for entry in self._by_shape.get((method, len(parts)), ()):
            if all(want[0] == "{" or want == got for want, got in zip(entry.parts, lowered, strict=True)):
                named = zip(entry.parts, parts, strict=True)
                return entry, {want[1:-1]: got for want, got in named if want[0] == "{"}
        return None


def make_error(status: int) -> web.Response:
    """An error as Emby writes it, for faults that stand in front of the server."""
    texts = {401: "Access token is invalid or expired.", 404: "Unable to find the specified file."}
    return write(
        Reply(status=status, text=texts.get(status, "Exception of type 'System.Exception' was thrown."))
    )


def write(reply: Reply) -> web.Response:
    """Bytes and headers of a reply."""
    if reply.text is not None:
        return web.Response(
            status=reply.status, body=reply.text.encode(), headers={"Content-Type": "text/plain"}
        )
    if reply.content is None:
        return web.Response(status=reply.status)
    return web.Response(
        status=reply.status,
        body=msgspec.json.encode(reply.content),
        headers={"Content-Type": "application/json; charset=utf-8"},
    )
