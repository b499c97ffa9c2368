"""Webhooks at plex.tv, which takes only whole lists: nobody else's address is ever lost."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from playhead.adapters.plex.adapter import PlexBackend
from playhead.adapters.plex.settings import PlexSettings
from playhead.ports.errors import BackendError, BadAnswer, Refused

OURS = "http://10.0.0.2:7529/hooks/living-room/s3cret"
OTHERS = ["https://one.example/hook?a=1&b=%20", "https://two.example/ü"]


class Cloud:
    """plex.tv's webhooks, and what goes wrong with them."""

    def __init__(self) -> None:
        self.urls = list(OTHERS)
        self.posts: list[list[str]] = []
        self.get_status = self.post_status = 200
        self.body: object = None
        self.swallow = False
        self.meanwhile: list[str] = []
        self.loses = ""

    async def get(self, request: web.Request) -> web.Response:
        if self.get_status != 200:
            return web.json_response({"errors": []}, status=self.get_status)
        return web.json_response([{"url": url} for url in self.urls] if self.body is None else self.body)

    async def post(self, request: web.Request) -> web.Response:
        form = await request.post()
        self.posts.append([str(url) for url in form.getall("urls[]", [])])
        if self.post_status == 200 and not self.swallow:
            self.urls = list(self.posts[-1]) if not self.meanwhile else self.meanwhile
            self.meanwhile = []
            self.urls = [url for url in self.urls if url != self.loses]
        return web.json_response([], status=self.post_status)


@pytest.fixture
async def place() -> AsyncIterator[tuple[Cloud, PlexBackend]]:
    cloud, app = Cloud(), web.Application()
    app.router.add_get("/api/v2/user/webhooks", cloud.get)
    app.router.add_post("/api/v2/user/webhooks", cloud.post)
    async with TestServer(app) as server:
        url = str(server.make_url("/")).rstrip("/")
        backend = PlexBackend(PlexSettings(url=url, plex_tv_url=url), "token", "", client_id="hub")
        yield cloud, backend
        await backend.close()


async def test_the_list_is_sent_back_whole(place: tuple[Cloud, PlexBackend]) -> None:
    """With ours at the end, then without it."""
    cloud, backend = place
    await backend.register_webhook(OURS)
    await backend.remove_webhook(OURS)
    assert cloud.posts == [[*OTHERS, OURS], OTHERS]


async def test_the_last_address_can_be_taken_away(place: tuple[Cloud, PlexBackend]) -> None:
    """An empty list is told by an empty word."""
    cloud, backend = place
    cloud.urls = [OURS]
    await backend.remove_webhook(OURS)
    assert cloud.urls == []


@pytest.mark.parametrize("status", [401, 403, 402, 404, 422])
async def test_a_list_that_is_not_shown_is_not_replaced(
    place: tuple[Cloud, PlexBackend], status: int
) -> None:
    """The steps are told instead; the address, which is a secret, is not."""
    cloud, backend = place
    cloud.get_status = status
    for change in (backend.register_webhook, backend.remove_webhook):
        with pytest.raises(Refused) as caught:
            await change(OURS)
        assert "Add Webhook" in caught.value.hint
        assert "s3cret" not in str(caught.value)
    assert cloud.posts == []


@pytest.mark.parametrize("body", [{}, [{}], [{"url": None}], "x", [{"url": OTHERS[0]}, 5]])
async def test_a_list_that_cannot_be_read_is_not_replaced(
    place: tuple[Cloud, PlexBackend], body: object
) -> None:
    """Not even in part."""
    cloud, backend = place
    cloud.body = body
    with pytest.raises(BackendError):
        await backend.register_webhook(OURS)
    assert cloud.posts == []


async def test_without_plex_pass_the_steps_are_told(place: tuple[Cloud, PlexBackend]) -> None:
    """Refused at the post, or taken and forgotten."""
    cloud, backend = place
    cloud.post_status = 403
    with pytest.raises(Refused, match="does not let this account") as caught:
        await backend.register_webhook(OURS)
    assert "Plex Pass" in caught.value.hint
    cloud.post_status, cloud.swallow = 200, True
    with pytest.raises(Refused, match="did not keep the address"):
        await backend.register_webhook(OURS)
    assert cloud.urls == OTHERS


async def test_what_is_lost_on_the_way_is_put_back(place: tuple[Cloud, PlexBackend]) -> None:
    """Somebody else wrote the list at the same moment."""
    cloud, backend = place
    cloud.meanwhile = ["https://three.example/"]
    await backend.register_webhook(OURS)
    assert sorted(cloud.urls) == sorted([*OTHERS, "https://three.example/", OURS])


async def test_what_cannot_be_put_back_is_said(place: tuple[Cloud, PlexBackend]) -> None:
    """plex.tv keeps losing one."""
    cloud, backend = place
    cloud.loses = OTHERS[0]
    with pytest.raises(BadAnswer, match="lost addresses"):
        await backend.register_webhook(OURS)


async def test_where_plex_tv_is_not_asked_the_steps_are_told() -> None:
    """By the connection's setting."""
    backend = PlexBackend(
        PlexSettings(url="http://127.0.0.1:9", plex_tv_url=""), "token", "", client_id="hub"
    )
    with pytest.raises(Refused, match="not to be asked"):
        await backend.list_webhooks()
    await backend.close()
