"""Open connections on which a server tells by itself what happens: WebSockets and event streams.

What is said goes out in order, by a task of each line's own, so that whoever speaks never waits. Knows no message.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Generic, TypeVar

from aiohttp import WSMsgType, web

LARGEST_MESSAGE = 1024 * 1024
_CLOSING_S = 1.0
_LOOK_EVERY_S = 0.25


class Line:
    """One open connection. ``said`` counts what was said on it."""

    def __init__(self, request: web.Request) -> None:
        self.request = request
        self.said = 0
        self._waiting: asyncio.Queue[str | tuple[int, bytes]] = asyncio.Queue()

    def say(self, text: str) -> None:
        """Send a text, after what was said before."""
        self.said += 1
        self._waiting.put_nowait(text)

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Close properly, after what was said before."""
        self._waiting.put_nowait((code, reason.encode()))

    def cut(self) -> None:
        """End without a word, as a network does."""
        if self.request.transport is not None:
            self.request.transport.abort()


class SocketLine(Line):
    """A WebSocket."""

    def __init__(self, request: web.Request) -> None:
        super().__init__(request)
        self.socket = web.WebSocketResponse(timeout=_CLOSING_S, max_msg_size=LARGEST_MESSAGE)

    async def open(self) -> None:
        """Answer the handshake."""
        await self.socket.prepare(self.request)

    async def hold(self, on_text: Callable[[str], None]) -> web.WebSocketResponse:
        """Stay until the line ends; ``on_text`` gets what the client says."""
        writer = asyncio.create_task(self._write())
        try:
            async for message in self.socket:
                if message.type == WSMsgType.TEXT:
                    on_text(message.data)
        finally:
            writer.cancel()
            with suppress(asyncio.CancelledError):
                await writer
        return self.socket

    async def _write(self) -> None:
        with suppress(ConnectionError):
            while True:
                said = await self._waiting.get()
                if isinstance(said, tuple):
                    await self.socket.close(code=said[0], message=said[1])
                    return
                await self.socket.send_str(said)


class StreamLine(Line):
    """An event stream (SSE)."""

    def cut(self) -> None:
        super().cut()
        self.close()  # who only ever sends does not notice

    async def hold(self, headers: dict[str, str], first: str = "") -> web.StreamResponse:
        """Answer and stay until the line ends. ``first`` is sent at once."""
        stream = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache", **headers}
        )
        await stream.prepare(self.request)
        if first:
            self.say(first)
        with suppress(ConnectionError):
            while self.request.transport is not None and not self.request.transport.is_closing():
                try:
                    said = await asyncio.wait_for(self._waiting.get(), _LOOK_EVERY_S)
                except TimeoutError:  # a transport tells its end to nobody
                    continue
                if isinstance(said, tuple):
                    break
                await stream.write(said.encode())
        return stream


L = TypeVar("L", bound=Line)


class Lines(Generic[L]):
    """The open lines of a server. ``said`` counts over all that there were."""

    def __init__(self) -> None:
        self._open: list[L] = []
        self._said = 0

    def __iter__(self) -> Iterator[L]:
        return iter(list(self._open))

    def __len__(self) -> int:
        return len(self._open)

    def __bool__(self) -> bool:
        return bool(self._open)

    @property
    def said(self) -> int:
        return self._said + sum(line.said for line in self._open)

    def add(self, line: L) -> None:
        self._open.append(line)

    def remove(self, line: L) -> None:
        if line in self._open:
            self._open.remove(line)
            self._said += line.said

    def cut(self) -> int:
        """Cut every line; returns how many."""
        for line in list(self._open):
            line.cut()
        return len(self._open)

    async def shut(self, _: web.Application) -> None:
        """The application ends."""
        self.cut()
