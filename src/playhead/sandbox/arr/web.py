"""How both programs speak HTTP: keys, routes in any case, their four forms of errors, null members left out.

Knows no series and no movie. Source: recorded answers (tapes 01 and 12 of Sonarr, 01 and 05 of Radarr).
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from aiohttp import web

from playhead.sandbox.arr.windows import ShowPaths

JSON = "application/json; charset=utf-8"
PLAIN_JSON = "application/json"
PROBLEM = "application/problem+json; charset=utf-8"
_WITH_NULLS = frozenset({"data", "formattedMessagePlaceholderValues"})


class Fail(Exception):
    """An answer that is an error. ``body`` None: nothing is in it."""

    def __init__(self, status: int, body: Any = None, kind: str = PLAIN_JSON) -> None:
        super().__init__(status)
        self.status = status
        self.body = body
        self.kind = kind


class Reply(msgspec.Struct, frozen=True):
    """What a handler answers. ``content`` None: nothing is in it."""

    content: Any = None
    status: int = 200
    kind: str = JSON


class Call(msgspec.Struct, frozen=True):
    """One request, taken apart. ``query`` has lower-case names; ``numbers`` are the ids in the path."""

    query: dict[str, list[str]]
    body: Any
    numbers: tuple[int, ...]

    @property
    def number(self) -> int:
        return self.numbers[0]

    def text(self, name: str) -> str | None:
        return self.query.get(name.lower(), [None])[0]

    def integer(self, name: str, default: int | None = None) -> int | None:
        """Raises Fail 400 where it is no number."""
        found = self.integers(name)
        return found[0] if found else default

    def integers(self, name: str) -> list[int]:
        """Raises Fail 400 where one is no number."""
        texts = self.query.get(name.lower(), [])
        for text in texts:
            if not re.fullmatch(r"-?\d+", text):
                raise invalid(name, text)
        return [int(text) for text in texts]

    def flag(self, name: str) -> bool:
        return (self.text(name) or "").lower() == "true"

    def fields(self) -> dict[str, Any]:
        """The body, which must be an object. Raises Fail 400."""
        if not isinstance(self.body, dict):
            raise problem(
                400,
                "One or more validation errors occurred.",
                {"$": ["The JSON value could not be converted."]},
            )
        return self.body


Handler = Callable[[Call], Reply | Awaitable[Reply]]


class Route(msgspec.Struct, frozen=True):
    """A method, a path below the root whose ``{id}`` are numbers, who answers, and whether a key is needed."""

    method: str
    path: str
    handler: Handler
    open: bool = False


def problem(
    status: int, title: str, errors: dict[str, list[str]] | None = None, *, kind: str = PROBLEM
) -> Fail:
    """An error as the web framework writes it."""
    section = {400: "1", 404: "5"}.get(status, "1")
    body: dict[str, Any] = {
        "type": f"https://tools.ietf.org/html/rfc9110#section-15.5.{section}",
        "title": title,
    }
    body |= {"status": status} | ({"errors": errors} if errors else {})
    return Fail(status, body | {"traceId": "00-00000000000000000000000000000001-0000000000000001-00"}, kind)


def invalid(name: str, text: str) -> Fail:
    """A query argument of the wrong type."""
    return problem(
        400, "One or more validation errors occurred.", {name: [f"The value '{text}' is not valid."]}
    )


def failed(status: int, message: str) -> Fail:
    """An exception of the program, with what stands for its stack."""
    return Fail(
        status, {"message": message, "description": f"NzbDrone.Core.Exception: {message}\n   at NzbDrone"}
    )


def refused(name: str, message: str, code: str, value: Any = None, **more: Any) -> dict[str, Any]:
    """One broken rule; several of them make the body of a 400."""
    label = name[:1].upper() + name[1:]
    row: dict[str, Any] = {"propertyName": label, "errorMessage": message}
    row |= {"attemptedValue": value} if value is not None else {}
    row |= {"severity": "error", "errorCode": code, "formattedMessageArguments": []}
    shown = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", label)
    return row | {
        "formattedMessagePlaceholderValues": {**more, "propertyName": shown, "propertyValue": value}
    }


def without_nulls(value: Any) -> Any:
    """Members that are null are left out everywhere but in history's data and in what fills messages."""
    if isinstance(value, dict):
        kept = {name: each for name, each in value.items() if each is not None}
        return {name: each if name in _WITH_NULLS else without_nulls(each) for name, each in kept.items()}
    return [without_nulls(each) for each in value] if isinstance(value, list) else value


class Site:
    """The routes of one server behind its key."""

    def __init__(
        self, routes: list[Route], key: str, version: str, show: ShowPaths, *, problem_kind: str
    ) -> None:
        self._show = show
        self._key = key
        self._version = version
        self._problem_kind = problem_kind
        self._routes = [(_compile(route.path), route) for route in routes]

    def application(self) -> web.Application:
        """The aiohttp application."""
        app = web.Application(client_max_size=16 * 1024 * 1024)
        app.router.add_route("*", "/{tail:.*}", self._serve)
        return app

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        try:
            return self.write(await self._answer(request))
        except Fail as fail:
            kind = self._problem_kind if fail.kind == PROBLEM else fail.kind
            return self.write(Reply(fail.body, fail.status, kind))

    async def _answer(self, request: web.Request) -> Reply:
        path = request.path.rstrip("/").lower()
        fitting = [(match, route) for pattern, route in self._routes if (match := pattern.fullmatch(path))]
        if not any(route.open for _, route in fitting) and not self._knows_key(request):
            raise Fail(401)
        method = "GET" if request.method == "HEAD" else request.method
        if request.method == "OPTIONS" and fitting:
            return Reply(status=204)
        found = next(((match, route) for match, route in fitting if route.method == method), None)
        if found is None:
            raise Fail(405 if fitting else 404)
        match, route = found
        query: dict[str, list[str]] = {}
        for name, value in request.query.items():
            query.setdefault(name.lower(), []).append(value)
        numbers = tuple(int(text) for text in match.groups())
        told = route.handler(Call(query, await self._read_body(request), numbers))
        reply = await told if inspect.isawaitable(told) else told
        return msgspec.structs.replace(reply, content="") if request.method == "HEAD" else reply

    async def _read_body(self, request: web.Request) -> Any:
        if request.method not in ("POST", "PUT"):
            body = await request.read()
            return msgspec.json.decode(body) if body else None
        if not request.content_type.endswith("json") or "Content-Type" not in request.headers:
            if request.path.lower().endswith("/testall"):
                return None
            raise Fail(415)
        body = await request.read()
        title = "One or more validation errors occurred."
        if not body:
            raise problem(400, title, {"": ["A non-empty request body is required."]})
        try:
            return msgspec.json.decode(body)
        except msgspec.DecodeError as error:
            raise problem(400, title, {"$": [f"{error}. Path: $"]}) from error

    def _knows_key(self, request: web.Request) -> bool:
        told = [value for name, value in request.query.items() if name.lower() == "apikey"]
        told += [request.headers.get("X-Api-Key", "")]
        told += [request.headers.get("Authorization", "").removeprefix("Bearer ")]
        return self._key in told

    def write(self, reply: Reply) -> web.Response:
        """Bytes and headers of a reply."""
        headers = {
            "Server": "Kestrel",
            "Cache-Control": "no-cache, no-store",
            "Expires": "-1",
            "Pragma": "no-cache",
            "X-Application-Version": self._version,
        }
        if reply.content is None:
            response = web.Response(status=reply.status, headers=headers)
            response.headers.popall("Content-Type", None)
            return response
        body = b"" if reply.content == "" else msgspec.json.encode(self._show(without_nulls(reply.content)))
        return web.Response(status=reply.status, body=body, headers=headers | {"Content-Type": reply.kind})


def _compile(path: str) -> re.Pattern[str]:
    return re.compile(path.lower().rstrip("/").replace("{id}", r"(\d{1,9})"))
