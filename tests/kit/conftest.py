"""A server that answers what it is told, and the client that asks it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator

import pytest
import stamina
from aiohttp import web
from aiohttp.test_utils import TestServer

from playhead.kit.http import Http


@pytest.fixture
def no_pauses() -> Iterator[None]:
    """Retries happen at once and as often as configured."""
    with stamina.set_testing(True, attempts=3, cap=True):
        yield


class Scripted:
    """A server that answers what it is told and counts."""

    def __init__(self) -> None:
        self.requests: list[web.BaseRequest] = []
        self.answer: Callable[[web.BaseRequest], web.StreamResponse] = lambda _: web.json_response({})

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self.requests.append(request)
        return self.answer(request)


@pytest.fixture
async def scripted() -> AsyncIterator[tuple[Scripted, Http]]:
    script = Scripted()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", script.handle)
    async with TestServer(app) as server:
        http = Http(
            str(server.make_url("/")),
            title="Plex at home",
            headers={"X-Plex-Token": "sesame"},
            sign_in_hint="Sign in again.",
            timeout_s=2.0,
        )
        yield script, http
        await http.close()
