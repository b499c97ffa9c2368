"""Webhooks leave in the background, in order, once, and to this machine alone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from playhead.sandbox.posts import Part, Posts, is_loopback, write_form
from tests.sandbox.ear import Ear, listen, wait_until

Wait = Callable[[Posts], Awaitable[None]]


@pytest.fixture
async def ear() -> AsyncIterator[Ear]:
    async with listen() as ear:
        yield ear


async def wait(posts: Posts) -> None:
    await wait_until(lambda: not posts.waiting)


async def test_posts_arrive_in_order(ear: Ear) -> None:
    posts = Posts()
    for number in range(20):
        posts.send(ear.url, str(number).encode(), {})
    assert posts.waiting == 20
    await wait(posts)
    await posts.close()
    assert [int(post.fields[""]) for post in ear.posts] == list(range(20))
    assert (posts.sent, posts.failed, posts.refused) == (20, 0, 0)


@pytest.mark.parametrize("status", [500, 404])
async def test_a_failure_is_not_tried_again(ear: Ear, status: int) -> None:
    """As real servers do not."""
    posts, ear.status = Posts(), status
    posts.send(ear.url, b"x", {})
    await wait(posts)
    await posts.close()
    assert (len(ear.posts), posts.sent, posts.failed) == (1, 0, 1)


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
