"""A small server with answers and a socket that says what a test tells it, for what listens on lines."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import WSMsgType, web
from aiohttp.test_utils import TestServer

Talk = Callable[["Talker", web.WebSocketResponse], Awaitable[None]]


class Talker:
    """What it was asked and told. ``answers`` are JSON bodies, or statuses, by path; ``talk`` holds the line until it returns."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        self.asked: list[str] = []
        self.handshakes: list[web.Request] = []
        self.heard: list[str] = []
        self.refuse_with: int | None = None
        self.location = ""
        self.autoping = True
        self.talk: Talk = stay

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() != "websocket":
            self.asked.append(request.path)
            answer = self.answers.get(request.path, 404)
            return web.Response(status=answer) if isinstance(answer, int) else web.json_response(answer)
        self.handshakes.append(request)
        if self.refuse_with is not None:
            return web.Response(status=self.refuse_with, headers={"Location": self.location})
        socket = web.WebSocketResponse(autoping=self.autoping, timeout=0.1)
        await socket.prepare(request)
        await self.talk(self, socket)
        return socket


async def stay(talker: Talker, socket: web.WebSocketResponse) -> None:
    """Listen until the client leaves."""
    async for message in socket:
        if message.type is WSMsgType.TEXT:
            talker.heard.append(message.data)


def tell(*frames: str | bytes, then: Talk | None = None) -> Talk:
    """Say these, then stay, or do what ``then`` does."""

    async def talk(talker: Talker, socket: web.WebSocketResponse) -> None:
        for frame in frames:
            await (socket.send_str(frame) if isinstance(frame, str) else socket.send_bytes(frame))
        await (then or stay)(talker, socket)

    return talk


async def hang_up(_: Talker, socket: web.WebSocketResponse) -> None:
    """Close, as a server that goes down."""
    await socket.close(code=1000, message=b"System Shutdown")


@asynccontextmanager
async def open_talker() -> AsyncIterator[tuple[Talker, str]]:
    """The server and its address."""
    talker = Talker()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", talker.handle)
    async with TestServer(app) as server:
        yield talker, str(server.make_url("/")).rstrip("/")


async def collect(events: AsyncIterator[Any], count: int) -> list[Any]:
    """The first so many events, within five seconds; then the line is closed."""
    found: list[Any] = []
    try:
        async with asyncio.timeout(5):
            while len(found) < count:
                found.append(await anext(events))
    finally:
        await events.aclose()  # type: ignore[attr-defined]
    return found
