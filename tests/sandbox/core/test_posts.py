"""Webhooks leave in the background, in order, once, and to this machine alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import web

from playhead.sandbox.posts import Part, Posts, is_loopback, write_form

Wait = Callable[[Posts], Awaitable[None]]


class Ear:
    """Listens on a port and keeps what came. ``status`` is what it answers."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.status = 200
        self.url = ""

    async def answer(self, request: web.Request) -> web.Response:
        self.heard.append(await request.read())
        if self.status == 302:
            return web.Response(status=302, headers={"Location": "http://192.0.2.1/away"})
        return web.Response(status=self.status)


@pytest.fixture
async def ear() -> AsyncIterator[Ear]:
    listening = Ear()
    app = web.Application()
    app.router.add_post("/hook", listening.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    listening.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield listening
    await runner.cleanup()


async def wait(posts: Posts) -> None:
    async with asyncio.timeout(5):
        while posts.waiting:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.005)


async def test_posts_arrive_in_order(ear: Ear) -> None:
    posts = Posts()
    for number in range(20):
        posts.send(ear.url, str(number).encode(), {})
    assert posts.waiting == 20
    await wait(posts)
    await posts.close()
    assert [int(body) for body in ear.heard] == list(range(20))
    assert (posts.sent, posts.failed, posts.refused) == (20, 0, 0)


@pytest.mark.parametrize("status", [500, 404])
async def test_a_failure_is_not_tried_again(ear: Ear, status: int) -> None:
    """As real servers do not."""
    posts, ear.status = Posts(), status
    posts.send(ear.url, b"x", {})
    await wait(posts)
    await posts.close()
    assert (len(ear.heard), posts.sent, posts.failed) == (1, 0, 1)


async def test_a_redirect_is_not_followed(ear: Ear) -> None:
    """It could lead away from this machine."""
    posts, ear.status = Posts(), 302
    posts.send(ear.url, b"x", {})
    await wait(posts)
    await posts.close()
    assert posts.sent == 1


async def test_nobody_there_is_a_failure() -> None:
    posts = Posts()
    posts.send("http://127.0.0.1:9/nobody", b"x", {})
    await wait(posts)
    await posts.close()
    assert posts.failed == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://192.0.2.1/",
        "https://example.org/hook",
        "ftp://127.0.0.1/",
        "nonsense",
        "http://127.0.0.1.example.org/",
    ],
)
async def test_what_leads_away_is_refused(url: str) -> None:
    posts = Posts()
    posts.send(url, b"x", {})
    assert not is_loopback(url)
    assert (posts.refused, posts.waiting) == (1, 0)


def test_loopback_in_its_forms() -> None:
    assert all(
        map(
            is_loopback,
            ("http://127.0.0.1:1/x", "https://localhost/x", "http://[::1]:8/", "http://127.9.9.9/"),
        )
    )


def test_a_form_has_its_parts() -> None:
    body, kind = write_form([Part("payload", b"{}"), Part("thumb", b"\xff", "image/jpeg", "thumb.jpg")])
    boundary = kind.partition("boundary=")[2].encode()
    assert body.count(b"--" + boundary) == 3
    assert b'name="thumb"; filename="thumb.jpg"\r\nContent-Type: image/jpeg\r\n\r\n\xff\r\n' in body
