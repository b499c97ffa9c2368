"""A real HTTP server that answers by a script and remembers what it was asked: for tests of requests, not of behaviour.

How a Jellyfin or an Emby behaves is the sandbox's to say; here a test states one answer and looks at one request.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web


class Asked:
    """One request as it came in."""

    def __init__(self, request: web.Request, body: bytes) -> None:
        self.method = request.method
        self.path = request.path
        self.query = dict(request.query)
        self.headers = request.headers
        self.raw_url = str(request.rel_url)
        self.json = json.loads(body) if body else None


class Script:
    """Answers by method and path. Several answers to one request are given in turn, the last one again and again."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.url = ""
        self._answers: dict[str, list[tuple[int, Any, dict[str, str]]]] = {}

    def answer(
        self, request: str, body: Any = None, *, status: int = 200, headers: dict[str, str] | None = None
    ) -> None:
        """Say what is answered to ``"GET /path"``; ``body`` as JSON, text as it is, ``...`` = cut the connection."""
        self._answers.setdefault(request, []).append((status, body, headers or {}))

    def requests(self, method: str | None = None) -> list[str]:
        """What was asked, as ``"GET /path"``."""
        return [f"{one.method} {one.path}" for one in self.asked if method in (None, one.method)]

    def last(self, request: str) -> Asked:
        """The newest request to ``"GET /path"``."""
        return next(one for one in reversed(self.asked) if f"{one.method} {one.path}" == request)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        self.asked.append(Asked(request, await request.read()))
        answers = self._answers.get(f"{request.method} {request.path}")
        if not answers:
            return web.Response(status=404)
        status, body, headers = answers.pop(0) if len(answers) > 1 else answers[0]
        if body is ...:
            assert request.transport is not None
            request.transport.close()
            return web.Response()
        if isinstance(body, str):
            return web.Response(status=status, text=body, headers={"Content-Type": "text/plain", **headers})
        if body is None:
            return web.Response(status=status, headers=headers)
        return web.json_response(body, status=status, headers=headers)


@asynccontextmanager
async def run_script() -> AsyncIterator[Script]:
    """A script that listens on a free port of the loopback."""
    script = Script()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", script.handle)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    script.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield script
    finally:
        await runner.cleanup()
