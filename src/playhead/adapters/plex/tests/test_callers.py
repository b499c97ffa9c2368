"""Whose token a client showed: a share's, an account's, or whoever plays on that app; never a guess."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from playhead.adapters.plex.adapter import PlexBackend
from playhead.adapters.plex.settings import PlexSettings
from playhead.ports.callers import Credential
from playhead.ports.errors import BackendError

SHARES = '<MediaContainer><SharedServer id="1" username="sam" userID="2000" accessToken="share-sam"/></MediaContainer>'
USERS = {
    "owner": {"id": 1000, "username": "alex"},
    "alex-phone": {"id": 1000, "username": "alex"},
    "kim-phone": {"id": 4000, "username": "kim"},
}


class World:
    """A Plex server and plex.tv at one address. ``sessions`` are who plays on which app; ``busy`` answers 429."""

    def __init__(self) -> None:
        self.busy = False
        self.asked: list[tuple[str, str]] = []
        self.sessions: list[tuple[str, str, str]] = []

    def make_app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/{path:.*}", self.answer)
        return app

    async def answer(self, request: web.Request) -> web.Response:
        token = request.headers.get("X-Plex-Token", "")
        self.asked.append((request.path, token))
        if request.path == "/identity":
            return web.json_response({"MediaContainer": {"machineIdentifier": "m1", "version": "1.43"}})
        if request.path == "/status/sessions":
            rows = [
                {
                    "sessionKey": str(n),
                    "User": {"id": id, "title": name},
                    "Player": {"machineIdentifier": app},
                }
                for n, (id, name, app) in enumerate(self.sessions)
            ]
            return web.json_response({"MediaContainer": {"size": len(rows), "Metadata": rows}})
        if self.busy:
            return web.json_response({}, status=429, headers={"Retry-After": "1"})
        if request.path == "/api/servers/m1/shared_servers" and token == "owner":
            return web.Response(text=SHARES, content_type="application/xml")
        if request.path == "/api/v2/user" and token in USERS:
            return web.json_response(USERS[token])
        return web.json_response({"errors": [{"code": 1001}]}, status=401)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
async def backend(world: World) -> AsyncIterator[PlexBackend]:
    async with TestServer(world.make_app()) as server:
        url = str(server.make_url("")).rstrip("/")
        backend = PlexBackend(PlexSettings(url=url, plex_tv_url=url), "owner", "1", client_id="hub")
        yield backend
        await backend.close()


@pytest.mark.parametrize(
    ("token", "id", "name"),
    [
        ("share-sam", "2000", "sam"),
        ("alex-phone", "1", "alex"),
        ("kim-phone", "4000", "kim"),
    ],
)
async def test_plex_tv_knows_shares_and_accounts(
    backend: PlexBackend, token: str, id: str, name: str
) -> None:
    """The owner is 1 on their own server, whatever plex.tv calls them."""
    named = await backend.name_caller(Credential(token, "app"))
    assert named is not None and (named.user.id, named.user.name, named.passing) == (id, name, False)


async def test_a_temporary_token_is_the_one_who_plays_on_that_app(world: World, backend: PlexBackend) -> None:
    """plex.tv is not asked for it: it would not know."""
    world.sessions = [("4000", "kim", "roku"), ("1", "alex", "tv")]
    named = await backend.name_caller(Credential("transient-7", "roku"))
    assert named is not None and (named.user.id, named.user.name, named.passing) == ("4000", "kim", True)
    assert {path for path, _ in world.asked} == {"/status/sessions"}


async def test_two_who_play_on_one_app_are_nobodys_guess(world: World, backend: PlexBackend) -> None:
    world.sessions = [("4000", "kim", "roku"), ("1", "alex", "roku")]
    assert await backend.name_caller(Credential("transient-7", "roku")) is None


async def test_who_is_not_known_is_nobody(backend: PlexBackend) -> None:
    assert await backend.name_caller(Credential("strange", "app")) is None
    assert await backend.name_caller(Credential("", "")) is None


async def test_a_busy_plex_tv_is_told_unless_the_session_tells(world: World, backend: PlexBackend) -> None:
    """Nobody is taken for unknown because plex.tv asked to wait."""
    world.busy = True
    with pytest.raises(BackendError):
        await backend.name_caller(Credential("kim-phone", "app"))
    world.sessions = [("4000", "kim", "app")]
    named = await backend.name_caller(Credential("kim-phone", "app"))
    assert named is not None and named.user.id == "4000" and named.passing
