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
    """``url`` is where it listens."""

    def __init__(self) -> None:
        self.posts: list[Posted] = []
        self.url = ""

    async def answer(self, request: web.Request) -> web.Response:
        fields: dict[str, bytes] = {}
        if request.content_type == "multipart/form-data":
            async for part in await request.multipart():
                assert isinstance(part, BodyPartReader)
                fields[part.name or ""] = bytes(await part.read())
        else:
            fields[""] = await request.read()
        self.posts.append(Posted(request.path, dict(request.headers), fields))
        return web.Response(status=200)


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
    app.router.add_post("/{tail:.*}", ear.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    ear.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield ear
    await runner.cleanup()
