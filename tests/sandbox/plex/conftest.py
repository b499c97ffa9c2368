"""A small Plex world with every quirk, and a client whose every exchange is judged by the maker's document."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import msgspec
import pytest
from yarl import URL

from playhead.sandbox.run import SandboxHandle, run_world
from playhead.sandbox.world import World
from tests.judges.openapi import check, covers
from tests.sandbox.plex.worlds import NOW, make_world
from tests.truth import truth_path

JSON = "application/json"


def find_document() -> Path | None:
    """The maker's document, or None where the truth is absent: then exchanges are not judged."""
    try:
        return truth_path("specs", "plex-official-1.2.0.json")
    except pytest.skip.Exception:
        return None


class Answer(NamedTuple):
    """A whole answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Client:
    """Asks the emulated server and has every exchange judged. ``judged`` counts them."""

    def __init__(self, session: aiohttp.ClientSession, url: str, token: str) -> None:
        self._session = session
        self._url = url
        self.token = token
        self.judged = 0
        self._document = find_document()

    async def ask(
        self,
        path: str,
        query: str = "",
        *,
        method: str = "GET",
        accept: str = JSON,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        sent = {
            "Accept": accept,
            "X-Plex-Token": self.token,
            "X-Plex-Client-Identifier": "tests",
            **(headers or {}),
        }
        url = URL(f"{self._url}{path}?{query}", encoded=True)
        async with self._session.request(method, url, headers=sent) as response:
            answer = Answer(response.status, response.headers, await response.read())
        self._judge(method, path, url.query, answer)
        return answer

    def _judge(self, method: str, path: str, query: Any, answer: Answer) -> None:
        if self._document is None or not covers(self._document, method, path):
            return
        self.judged += 1
        kind = answer.headers.get("Content-Type")
        assert check(self._document, method, path, query, answer.status, kind, answer.body) == []

    async def container(self, path: str, query: str = "", **options: Any) -> dict[str, Any]:
        response = await self.ask(path, query, **options)
        assert response.status == 200, (path, query, response.status)
        return dict(msgspec.json.decode(response.body)["MediaContainer"])

    async def entry(self, key: int) -> dict[str, Any]:
        """One item as its detail route tells it."""
        return dict((await self.container(f"/library/metadata/{key}"))["Metadata"][0])

    async def write(self, route: str, key: int, **args: Any) -> int:
        """Scrobble, unscrobble, progress, rate; the status."""
        rest = "".join(f"&{name}={value}" for name, value in args.items())
        response = await self.ask(f"/:/{route}", f"identifier=com.plexapp.plugins.library&key={key}{rest}")
        return response.status


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
async def box(world: World) -> AsyncIterator[SandboxHandle]:
    async with run_world(world) as running:
        running.clock.freeze(NOW)
        yield running


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


@pytest.fixture
def alice(box: SandboxHandle, session: aiohttp.ClientSession) -> Client:
    return Client(session, box.url("plex"), box.token("plex", "alice"))


@pytest.fixture
def bob(box: SandboxHandle, session: aiohttp.ClientSession) -> Client:
    return Client(session, box.url("plex"), box.token("plex", "bob"))


@pytest.fixture
def kid(box: SandboxHandle, session: aiohttp.ClientSession) -> Client:
    return Client(session, box.url("plex"), box.token("plex", "kid"))
