"""Posters come from their server with its token, small and nothing but pictures; Plex falls back to the whole one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from playhead.adapters.emby.adapter import EmbyBackend
from playhead.adapters.emby.settings import EmbySettings
from playhead.adapters.jellyfin.adapter import JellyfinBackend
from playhead.adapters.jellyfin.settings import JellyfinSettings
from playhead.adapters.plex.adapter import PlexBackend
from playhead.adapters.plex.settings import PlexSettings
from playhead.ports.errors import BadAnswer
from playhead.ports.notices import Picture, ShowsPosters

PNG = b"\x89PNG picture"
Answer = Callable[[web.Request], web.Response]


class Gallery:
    """A server of pictures."""

    def __init__(self) -> None:
        self.requests: list[web.Request] = []
        self.answer: Answer = lambda _: web.Response(body=PNG, content_type="image/png")

    async def handle(self, request: web.Request) -> web.Response:
        self.requests.append(request)
        return self.answer(request)


@pytest.fixture
async def gallery() -> AsyncIterator[tuple[Gallery, str]]:
    gallery = Gallery()
    app = web.Application()
    app.router.add_get("/{tail:.*}", gallery.handle)
    async with TestServer(app) as server:
        yield gallery, str(server.make_url("/")).rstrip("/")


@pytest.mark.parametrize(
    ("backend", "settings", "header"),
    [
        (PlexBackend, PlexSettings, "X-Plex-Token"),
        (JellyfinBackend, JellyfinSettings, "Authorization"),
        (EmbyBackend, EmbySettings, "X-Emby-Token"),
    ],
)
async def test_a_poster_is_fetched_small_with_the_token_in_a_header(
    gallery: tuple[Gallery, str], backend: type, settings: type, header: str
) -> None:
    """No address holds the token; another server's address is not asked."""
    server, url = gallery
    one = backend(settings(url=url), "sesame-open", "1", client_id="x")
    try:
        assert isinstance(one, ShowsPosters)
        assert await one.fetch_poster("/a/poster") == Picture("", "image/png", PNG)
        assert await one.fetch_poster("http://elsewhere/poster") is None
        assert await one.fetch_poster("//elsewhere/poster") is None
    finally:
        await one.close()
    [request] = server.requests
    assert "sesame-open" not in str(request.url) and "sesame-open" in request.headers[header]
    assert "240" in request.query_string


async def test_a_plex_server_that_makes_nothing_smaller_gives_the_whole_picture(
    gallery: tuple[Gallery, str],
) -> None:
    """One that has none gives none, and a page is no picture."""
    server, url = gallery
    plex = PlexBackend(PlexSettings(url=url), "sesame-open", "1", client_id="x")

    def refuse(request: web.Request) -> web.Response:
        if request.path.startswith("/photo"):
            return web.Response(status=500)
        return web.Response(body=PNG, content_type="image/png")

    server.answer = refuse
    try:
        assert await plex.fetch_poster("/a/poster") == Picture("", "image/png", PNG)
        server.answer = lambda _: web.Response(status=404)
        assert await plex.fetch_poster("/a/poster") is None
        server.answer = lambda _: web.Response(text="<html>", content_type="text/html")
        with pytest.raises(BadAnswer):
            await asyncio.wait_for(plex.fetch_poster("/a/poster"), 10)
    finally:
        await plex.close()
