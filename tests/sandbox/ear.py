"""A small server that listens for webhooks and keeps what came."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from aiohttp import BodyPartReader, web


class Posted(NamedTuple):
    """One post: its JSON, and the names of files that came with it."""

    path: str
    headers: dict[str, str]
    fields: dict[str, bytes]

    def json(self, field: str = "") -> Any:
        return json.loads(self.fields[field])


class Ear:
    """``url`` is where it listens, ``status`` what it answers."""

    def __init__(self) -> None:
        self.posts: list[Posted] = []
        self.status = 200
        self.url = ""
        self._open = asyncio.Event()
        self._open.set()

    def hold(self) -> None:
        """Answer nobody from now on."""
        self._open.clear()

    def let_go(self) -> None:
        """Answer again."""
        self._open.set()

    async def answer(self, request: web.Request) -> web.Response:
        fields: dict[str, bytes] = {}
        if request.content_type == "multipart/form-data":
            async for part in await request.multipart():
                assert isinstance(part, BodyPartReader)
                fields[part.name or ""] = bytes(await part.read())
        else:
            fields[""] = await request.read()
        self.posts.append(Posted(request.path, dict(request.headers), fields))
        await self._open.wait()
        away = {"Location": "http://192.0.2.1/away"} if self.status == 302 else {}
        return web.Response(status=self.status, headers=away)


async def wait_until(done: Callable[[], bool]) -> None:
    """Wait for what others do in the background; at most five seconds."""
    async with asyncio.timeout(5):
        while not done():  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.005)


@asynccontextmanager
async def listen() -> AsyncIterator[Ear]:
    """Listen on a free port of this machine."""
    ear = Ear()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", ear.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    ear.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield ear
    finally:
        await runner.cleanup()
