"""A line: every way in which it fails to open or breaks is one error of the tree; the token follows no redirect."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from playhead.kit.http import Http
from playhead.kit.line import open_line
from playhead.ports.errors import (
    BackendError,
    BadAnswer,
    Interrupted,
    TokenRefused,
    Unauthorized,
    Unreachable,
)
from tests.talking import Talker, hang_up, open_talker, tell


@pytest.fixture
async def place() -> AsyncIterator[tuple[Talker, Http]]:
    async with open_talker() as (talker, url):
        yield talker, make_http(url)


def make_http(url: str) -> Http:
    return Http(
        url,
        title="Plex at home",
        headers={"X-Plex-Token": "sesame"},
        sign_in_hint="Sign in again.",
        timeout_s=2,
    )


async def echo(_: Talker, socket: web.WebSocketResponse) -> None:
    async for message in socket:
        await socket.send_str(message.data)


async def test_a_line_carries_text_both_ways(place: tuple[Talker, Http]) -> None:
    """The account's headers and more go with the handshake; bytes count as text; silence is None."""
    talker, http = place
    talker.talk = tell("one", b"two", then=echo)
    line = await open_line(http, "/socket", {"filters": "a,b"}, headers={"X-More": "1"})
    assert [await line.hear(5), await line.hear(5), await line.hear(0.01)] == [b"one", b"two", None]
    await line.say("hello")
    assert await line.hear(5) == b"hello"
    await line.close()
    (request,) = talker.handshakes
    assert (request.path, request.query["filters"]) == ("/socket", "a,b")
    assert (request.headers["X-Plex-Token"], request.headers["X-More"]) == ("sesame", "1")


async def test_a_line_goes_on_after_a_silence(place: tuple[Talker, Http]) -> None:
    """Waiting in vain for a message does not break it."""
    talker, http = place
    go_on = asyncio.Event()

    async def talk(_: Talker, socket: web.WebSocketResponse) -> None:
        await go_on.wait()
        await socket.send_str("late")
        await asyncio.sleep(5)

    talker.talk = talk
    line = await open_line(http, "/socket")
    assert await line.hear(0.01) is None
    go_on.set()
    assert await line.hear(5) == b"late"
    await line.close()


@pytest.mark.parametrize(
    "status, kind, words",
    [
        (401, TokenRefused, "refused the token"),
        (403, Unauthorized, "refused the token"),
        (404, BadAnswer, "not let WebSockets pass"),
        (200, BadAnswer, "not let WebSockets pass"),
        (302, BadAnswer, "not let WebSockets pass"),
        (429, Unreachable, "tried again soon"),
        (503, Unreachable, "may be starting"),
    ],
)
async def test_what_keeps_a_line_from_opening(
    place: tuple[Talker, Http], status: int, kind: type[BackendError], words: str
) -> None:
    """Each status has its error and its hint."""
    talker, http = place
    talker.refuse_with = status
    with pytest.raises(kind, match=words) as caught:
        await open_line(http, "/socket")
    assert type(caught.value) is kind
    assert caught.value.hint


async def test_the_token_follows_no_redirect(place: tuple[Talker, Http]) -> None:
    """Whoever is pointed at gets nothing."""
    talker, http = place
    async with open_talker() as (other, url):
        talker.refuse_with, talker.location = 302, f"{url}/socket"
        with pytest.raises(BadAnswer):
            await open_line(http, "/socket")
        assert other.handshakes == []
        assert other.asked == []


async def test_nobody_there() -> None:
    """A closed port."""
    with pytest.raises(Unreachable, match="does not answer"):
        await open_line(make_http("http://127.0.0.1:1"), "/socket")


async def test_a_server_that_takes_the_connection_and_says_nothing() -> None:
    """The handshake has the patience of any request."""

    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(hold, "127.0.0.1", 0)
    http = Http(
        f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", title="Plex", headers={}, timeout_s=0.2
    )
    with pytest.raises(Unreachable, match="took longer"):
        await open_line(http, "/socket")
    server.close()


async def test_a_server_that_hangs_up(place: tuple[Talker, Http]) -> None:
    """What it said before is heard; then the line is interrupted."""
    talker, http = place
    talker.talk = tell("last", then=hang_up)
    line = await open_line(http, "/socket")
    assert await line.hear(5) == b"last"
    for _ in range(2):
        with pytest.raises(Interrupted, match="closed by the server"):
            await line.hear(5)
    await line.close()


async def test_a_connection_that_is_cut(place: tuple[Talker, Http]) -> None:
    """Without a close frame."""
    talker, http = place

    async def cut(_: Talker, socket: web.WebSocketResponse) -> None:
        request = talker.handshakes[-1]
        assert request.transport is not None
        request.transport.abort()

    talker.talk = cut
    line = await open_line(http, "/socket")
    with pytest.raises(Interrupted):
        await line.hear(5)
    with pytest.raises(Interrupted):
        await line.say("hello?")
    await line.close()


async def test_a_dead_line_is_noticed(place: tuple[Talker, Http]) -> None:
    """A server that no longer answers pings."""
    talker, http = place
    talker.autoping = False
    line = await open_line(http, "/socket", heartbeat_s=0.2)
    start = time.monotonic()
    with pytest.raises(Interrupted, match="is dead"):
        await line.hear(5)
    assert time.monotonic() - start < 20
    await line.close()


async def test_a_living_line_is_left_alone(place: tuple[Talker, Http]) -> None:
    """A server that answers pings and says nothing; its answers do not lengthen the wait."""
    _, http = place
    line = await open_line(http, "/socket", heartbeat_s=1.0)
    start = time.monotonic()
    assert await line.hear(2.5) is None
    assert time.monotonic() - start < 20
    await line.close()
