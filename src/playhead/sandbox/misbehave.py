"""The middleware around every emulated server: counts requests, carries out faults, sets the Date header.

Knows HTTP; what a list looks like is ``listbody``'s, unless the server offers ``mutate_list(body, kind, params)``, and
what an error looks like is the server's if it offers ``error_response(status)``.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from email.utils import formatdate
from typing import Any, NamedTuple

import msgspec
from aiohttp import hdrs, web

from playhead.sandbox.clock import SkewedClock
from playhead.sandbox.counters import RequestCounter
from playhead.sandbox.faults import INSTEAD, Fault, FaultBook
from playhead.sandbox.listbody import LIST_FAULTS, mutate_list
from playhead.sandbox.server import EmulatedServer

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
HTML_PAGE = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body><h1>Sign in</h1></body></html>"
REMEMBERED_BYTES = 32 * 1024 * 1024
_STATUS = {"unauthorized": 401, "forbidden": 403, "missing": 404}
_LONGEST_TIMEOUT_S = 120.0


class Surrounded(NamedTuple):
    """An application that stands beside the servers (plex.tv): only its name is known."""

    name: str


class Misbehaviour:
    """What surrounds one server: ``wrap`` puts it around the application."""

    def __init__(
        self,
        server: EmulatedServer | Surrounded,
        faults: FaultBook,
        counter: RequestCounter,
        clock: SkewedClock,
    ) -> None:
        self._server = server
        self._faults = faults
        self._counter = counter
        self._clock = clock
        self._memory = AnswerMemory()

    def wrap(self, app: web.Application) -> None:
        """Put counting, faults and the server's own date around the application."""
        app.middlewares.insert(0, self._make_middleware())
        app.on_response_prepare.append(self._set_date)

    def _make_middleware(self) -> Any:
        @web.middleware
        async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
            stays = _is_line(request)
            self._counter.enter(request.method, request.path, stays=stays)
            status: int | None = None
            try:
                response = await self._answer(request, handler)
                status = response.status if not isinstance(response, NoAnswer) else None
                return response
            except web.HTTPException as error:
                status = error.status
                raise
            finally:
                self._counter.leave(status, stays=stays)

        return middleware

    async def _set_date(self, request: web.Request, response: web.StreamResponse) -> None:
        response.headers[hdrs.DATE] = formatdate(self._clock.now(), usegmt=True)

    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        fault = None
        if self._faults.faults:
            fault = self._faults.pick(self._server.name, request.method, request.path, request.path_qs)
        if fault is None:
            response = await handler(request)
            self._memory.keep(request, response)
            return response
        if fault.order.kind in INSTEAD:
            return await self._answer_instead(request, handler, fault)
        return await self._answer_around(request, handler, fault)

    async def _answer_instead(
        self, request: web.Request, handler: Handler, fault: Fault
    ) -> web.StreamResponse:
        kind, params = fault.order.kind, fault.order.params
        if params.get("effect"):
            with suppress(web.HTTPException):
                await handler(request)
        if kind == "timeout":
            return await _stay_silent(request, float(params.get("max_s", _LONGEST_TIMEOUT_S)))
        if kind == "reset":
            return _reset(request)
        if kind == "html":
            return web.Response(body=HTML_PAGE, content_type="text/html")
        if kind == "invalid_json":
            return web.Response(
                body=b'{"MediaContainer": {"size": 1, "Items": [', content_type="application/json"
            )
        if kind == "rate_limited":
            return self._error(429, {hdrs.RETRY_AFTER: str(params.get("retry_after", 1))})
        return self._error(_STATUS.get(kind) or int(params.get("status", 500)))

    def _error(self, status: int, headers: dict[str, str] | None = None) -> web.Response:
        make = getattr(self._server, "error_response", None)
        response: web.Response = make(status) if make else web.Response(status=status)
        response.headers.update(headers or {})
        return response

    async def _answer_around(
        self, request: web.Request, handler: Handler, fault: Fault
    ) -> web.StreamResponse:
        kind, params = fault.order.kind, fault.order.params
        if kind == "delay":
            await asyncio.sleep(float(params.get("seconds", 1.0)))
            return await handler(request)
        if kind == "stale_page":
            return self._memory.recall(request) or await self._harmless(request, handler, fault)
        if kind == "reset_after":
            with suppress(web.HTTPException):
                await handler(request)
            return _reset(request)
        response = await handler(request)
        if not isinstance(response, web.Response) or not isinstance(response.body, bytes):
            self._faults.take_back(fault)
            return response
        if kind == "truncated":
            return await _cut(request, response, float(params.get("share", 0.5)))
        return self._spoil(response, fault)

    async def _harmless(self, request: web.Request, handler: Handler, fault: Fault) -> web.StreamResponse:
        self._faults.take_back(fault)
        return await handler(request)

    def _spoil(self, response: web.Response, fault: Fault) -> web.Response:
        assert fault.order.kind in LIST_FAULTS
        change = getattr(self._server, "mutate_list", mutate_list)
        try:
            body = msgspec.json.decode(bytes(response.body))  # type: ignore[arg-type]
        except msgspec.DecodeError:
            body = None
        changed = change(body, fault.order.kind, fault.order.params)
        if changed is None:
            self._faults.take_back(fault)
            return response
        response.body = msgspec.json.encode(changed)
        return response


class AnswerMemory:
    """The last good body of each GET, for answers of an earlier moment; the oldest go when it grows too large."""

    def __init__(self, limit_bytes: int = REMEMBERED_BYTES) -> None:
        self._limit = limit_bytes
        self._size = 0
        self._bodies: OrderedDict[tuple[str, ...], tuple[bytes, str]] = OrderedDict()

    def keep(self, request: web.Request, response: web.StreamResponse) -> None:
        if (
            request.method != hdrs.METH_GET
            or response.status != 200
            or not isinstance(response, web.Response)
        ):
            return
        body = response.body
        if not isinstance(body, bytes) or len(body) > self._limit:
            return
        key = _asked(request)
        old = self._bodies.pop(key, None)
        self._size += len(body) - (len(old[0]) if old else 0)
        self._bodies[key] = (body, response.content_type)
        while self._size > self._limit:
            self._size -= len(self._bodies.popitem(last=False)[1][0])

    def recall(self, request: web.Request) -> web.Response | None:
        kept = self._bodies.get(_asked(request))
        return web.Response(body=kept[0], content_type=kept[1]) if kept else None


class NoAnswer(web.Response):
    """Stands for a connection that was cut; never sent."""


def _is_line(request: web.Request) -> bool:
    """Whether a request asks for a line that stays open: a WebSocket or an event stream."""
    headers = request.headers
    return headers.get(hdrs.UPGRADE, "").lower() == "websocket" or "/eventsource/" in request.path


def _asked(request: web.Request) -> tuple[str, ...]:
    told = sorted(
        f"{name.lower()}={value}"
        for name, value in request.headers.items()
        if name.lower().startswith(("x-plex-", "x-emby-", "x-mediabrowser-", "authorization", "accept"))
    )
    return (request.path_qs, *told)


def _reset(request: web.Request) -> web.StreamResponse:
    transport = request.transport
    if transport is not None:
        raw = transport.get_extra_info("socket")
        if raw is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    return NoAnswer()


async def _stay_silent(request: web.Request, longest_s: float) -> web.StreamResponse:
    loop = asyncio.get_running_loop()
    end = loop.time() + longest_s
    while loop.time() < end and request.transport is not None and not request.transport.is_closing():  # noqa: ASYNC110
        await asyncio.sleep(0.02)  # a transport tells its end to nobody
    return _reset(request)


async def _cut(request: web.Request, response: web.Response, share: float) -> web.StreamResponse:
    body = bytes(response.body)  # type: ignore[arg-type]
    cut = web.StreamResponse(status=response.status, headers=response.headers)
    cut.content_length = len(body)
    await cut.prepare(request)
    await cut.write(body[: int(len(body) * share)])
    if request.transport is not None:
        request.transport.close()
    return cut
