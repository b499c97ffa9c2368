"""Whom plex.tv knows, and whose tokens it gives: by share, by switching in the Home, with and without a PIN."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from playhead.adapters.plex.cloud import PlexCloud
from playhead.adapters.plex.wire import CloudUser
from playhead.ports.backend import RemoteUser
from playhead.ports.errors import BackendError, NotFound, RateLimited, Unauthorized

MACHINE = "m1"
OWNER = CloudUser(id=1000, username="alex")
SHARES = """<MediaContainer size="3">
<SharedServer id="1" username="sam" email="sam@example.com" userID="2000" accessToken="share-sam"/>
<SharedServer id="2" username="" email="" userID="3000" accessToken="share-kid"/>
<SharedServer id="3" username="kim" email="" userID="4000"/>
</MediaContainer>"""
HOME = [
    {"id": 1000, "uuid": "u1", "title": "alex", "username": "alex", "admin": True},
    {"id": 3000, "uuid": "u3", "title": "Kid", "username": None, "email": None, "protected": True},
    {"id": 5000, "uuid": "u5", "title": "Managed", "username": "", "protected": False},
]


class Cloud:
    """A small plex.tv: the Home's PIN is 1234, and ``busy`` switches are refused first."""

    def __init__(self) -> None:
        self.busy = 0
        self.home_status = 200
        self.asked: list[tuple[str, str]] = []

    def make_app(self) -> web.Application:
        app = web.Application()
        app.add_routes(
            [
                web.get("/api/v2/home/users", self.home),
                web.get("/api/servers/{machine}/shared_servers", self.shares),
                web.post("/api/v2/home/users/{uuid}/switch", self.switch),
                web.get("/api/v2/resources", self.resources),
            ]
        )
        return app

    def note(self, request: web.Request) -> str:
        token = request.headers["X-Plex-Token"]
        self.asked.append((request.path, token))
        return token

    async def home(self, request: web.Request) -> web.Response:
        self.note(request)
        if self.home_status != 200:
            return web.json_response({"errors": []}, status=self.home_status)
        return web.json_response({"id": 1, "users": HOME})

    async def shares(self, request: web.Request) -> web.Response:
        if self.note(request) != "owner":
            return web.Response(status=401)
        return web.Response(text=SHARES, content_type="application/xml")

    async def switch(self, request: web.Request) -> web.Response:
        self.note(request)
        if self.busy:
            self.busy -= 1
            return web.Response(status=429, headers={"Retry-After": "0"})
        uuid = request.match_info["uuid"]
        if uuid == "u3" and request.query.get("pin") != "1234":
            return web.json_response({"errors": [{"code": 1041}]}, status=401)
        return web.json_response({"id": 1, "authToken": f"cloud-{uuid}"}, status=201)

    async def resources(self, request: web.Request) -> web.Response:
        token = self.note(request)
        found: list[dict[str, Any]] = [{"clientIdentifier": "other", "accessToken": "wrong"}]
        if token == "cloud-u3":
            found.append({"clientIdentifier": MACHINE, "accessToken": "kid"})
        return web.json_response(found)


@pytest.fixture
async def cloud() -> AsyncIterator[tuple[Cloud, PlexCloud]]:
    fake = Cloud()
    async with TestServer(fake.make_app()) as server:
        client = PlexCloud(str(server.make_url("/")), "owner", "me")
        yield fake, client
        await client.close()


def user(id: str, name: str = "x") -> RemoteUser:
    return RemoteUser(id, name)


async def test_everybody_of_the_home_and_of_the_shares_is_named_once(cloud: tuple[Cloud, PlexCloud]) -> None:
    """Managed users by their title; the owner is left to the server, who knows them by another id."""
    found = await cloud[1].list_people(MACHINE, OWNER)
    assert [(each.id, each.name, each.mail, each.world_id, each.protected) for each in found] == [
        ("2000", "sam", "sam@example.com", "2000", False),
        ("3000", "Kid", None, "3000", True),
        ("4000", "kim", None, "4000", False),
        ("5000", "Managed", None, "5000", False),
    ]


@pytest.mark.parametrize("status", [400, 403, 404, 422])
async def test_a_home_that_is_not_shown_hides_no_friends(cloud: tuple[Cloud, PlexCloud], status: int) -> None:
    """Not every account has one, or may see it."""
    cloud[0].home_status = status
    assert [each.id for each in await cloud[1].list_people(MACHINE, OWNER)] == ["2000", "3000", "4000"]


async def test_a_friends_token_is_the_one_of_the_share(cloud: tuple[Cloud, PlexCloud]) -> None:
    """Nobody is switched to for it."""
    assert await cloud[1].fetch_token(MACHINE, user("2000"), None) == "share-sam"
    assert not [path for path, _ in cloud[0].asked if path.endswith("/switch")]


@pytest.mark.parametrize(("pin", "told"), [(None, "A PIN protects"), ("9999", "Is the PIN right")])
async def test_a_protected_member_of_the_home_needs_the_pin(
    cloud: tuple[Cloud, PlexCloud], pin: str | None, told: str
) -> None:
    """Also where a share has a token; with the PIN it is the one for this server, asked for with the switched token."""
    with pytest.raises(Unauthorized) as caught:
        await cloud[1].fetch_token(MACHINE, user("3000", "Kid"), pin)
    assert told in str(caught.value)
    assert await cloud[1].fetch_token(MACHINE, user("3000", "Kid"), "1234") == "kid"
    assert cloud[0].asked[-1] == ("/api/v2/resources", "cloud-u3")


@pytest.mark.parametrize(
    ("id", "told"), [("4000", "gives no token"), ("9", "gives no token"), ("5000", "not shared")]
)
async def test_where_there_is_no_token_it_says_so(cloud: tuple[Cloud, PlexCloud], id: str, told: str) -> None:
    """With what to do instead; never another server's token."""
    with pytest.raises(NotFound) as caught:
        await cloud[1].fetch_token(MACHINE, user(id), None)
    assert told in caught.value.message
    assert caught.value.hint


async def test_a_busy_plex_tv_is_waited_for(cloud: tuple[Cloud, PlexCloud]) -> None:
    """As long as it wishes, a few times."""
    cloud[0].busy = 2
    assert await cloud[1].fetch_token(MACHINE, user("3000"), "1234") == "kid"
    cloud[0].busy = 9
    with pytest.raises(RateLimited):
        await cloud[1].fetch_token(MACHINE, user("3000"), "1234")


async def test_without_an_address_plex_tv_is_never_asked() -> None:
    """Told, not guessed."""
    client = PlexCloud("", "owner", "me")
    for asked in (client.list_people(MACHINE, OWNER), client.fetch_token(MACHINE, user("2000"), None)):
        with pytest.raises(BackendError):
            await asked
    await client.close()
