"""HTTP: every status and every way to fail becomes one class of the error tree, with a hint; writes are sent once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from aiohttp import web

from playhead.kit.http import Http, parse_retry_after
from playhead.ports.errors import (
    BackendError,
    BadAnswer,
    Interrupted,
    NotFound,
    RateLimited,
    Refused,
    Retry,
    ServerFault,
    TokenRefused,
    Unauthorized,
    Unreachable,
    UsageError,
    WrongServer,
)
from tests.kit.conftest import Scripted

pytestmark = pytest.mark.usefixtures("no_pauses")

STATUSES: list[tuple[int, type[BackendError], str, Retry]] = [
    (301, WrongServer, "wrong-server", Retry.never),
    (302, WrongServer, "wrong-server", Retry.never),
    (304, Refused, "refused", Retry.never),
    (400, Refused, "refused", Retry.never),
    (401, TokenRefused, "unauthorized", Retry.never),
    (403, Unauthorized, "unauthorized", Retry.never),
    (404, NotFound, "not-found", Retry.never),
    (405, Refused, "refused", Retry.never),
    (409, Refused, "refused", Retry.never),
    (410, Refused, "refused", Retry.never),
    (414, Refused, "refused", Retry.never),
    (418, Refused, "refused", Retry.never),
    (422, Refused, "refused", Retry.never),
    (429, RateLimited, "rate-limited", Retry.later),
    (500, ServerFault, "server-fault", Retry.unsure),
    (502, ServerFault, "server-fault", Retry.unsure),
    (503, ServerFault, "server-fault", Retry.unsure),
    (504, ServerFault, "server-fault", Retry.unsure),
]


@pytest.mark.parametrize("verb", ["read", "write"])
@pytest.mark.parametrize(("status", "error", "code", "retry"), STATUSES)
async def test_a_status_maps_to_one_error(
    scripted: tuple[Scripted, Http],
    verb: str,
    status: int,
    error: type[BackendError],
    code: str,
    retry: Retry,
) -> None:
    """Class, code, retry kind are fixed for each status, and a person is told what to try."""
    script, http = scripted
    script.answer = lambda _: web.Response(status=status, headers={"Location": "http://elsewhere/login"})
    with pytest.raises(BackendError) as caught:
        await (http.read("/x") if verb == "read" else http.write("GET", "/x"))
    assert type(caught.value) is error
    assert caught.value.code == code
    assert caught.value.retry is retry
    assert "Plex at home" in caught.value.message
    assert caught.value.hint
    assert "sesame" not in str(caught.value)


async def test_reads_are_tried_again_and_writes_never(scripted: tuple[Scripted, Http]) -> None:
    """A failing read is repeated; a failing write leaves once, GET or not."""
    script, http = scripted
    script.answer = lambda _: web.Response(status=503)
    with pytest.raises(ServerFault):
        await http.read("/x")
    assert len(script.requests) == 3
    for method in ("GET", "PUT", "POST", "DELETE"):
        script.requests.clear()
        with pytest.raises(ServerFault):
            await http.write(method, "/x")
        assert len(script.requests) == 1, method


async def test_a_read_heals_when_the_server_does(scripted: tuple[Scripted, Http]) -> None:
    """One 503 and one page of HTML on the way are not seen by the caller."""
    script, http = scripted
    answers = [
        web.Response(status=503),
        web.Response(text="<html>starting</html>", content_type="text/html"),
        web.json_response({"ok": True}),
    ]
    script.answer = lambda _: answers.pop(0)
    assert (await http.read("/x")).body == b'{"ok": true}'


async def test_html_for_json_is_a_bad_answer(scripted: tuple[Scripted, Http]) -> None:
    """A login page with status 200 is not data, whatever its content type says."""
    script, http = scripted
    script.answer = lambda _: web.Response(text="  <!doctype html>", content_type="application/json")
    with pytest.raises(BadAnswer) as caught:
        await http.read("/x")
    assert "web page" in caught.value.message
    assert (await http.read("/x", expect="any")).status == 200


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("<html>Sign in</html>", "text/html"),
        ("<!DOCTYPE html><p>", "text/plain"),
        ('{"a": ', "application/json"),
        ("nothing", "application/json"),
    ],
)
async def test_a_write_answered_by_someone_else_is_in_doubt(
    scripted: tuple[Scripted, Http], body: str, kind: str
) -> None:
    """Status 200 from a sign-in page or a broken proxy does not prove that the server took the write."""
    script, http = scripted
    script.answer = lambda _: web.Response(text=body, content_type=kind)
    with pytest.raises(Interrupted):
        await http.write("GET", "/:/scrobble")


@pytest.mark.parametrize(
    ("body", "kind"),
    [("", "text/html"), ("", "text/plain"), ('{"a":1}', "application/json"), ("<x/>", "text/xml")],
)
async def test_a_write_may_be_answered_by_nothing(
    scripted: tuple[Scripted, Http], body: str, kind: str
) -> None:
    """Empty bodies, JSON and XML are what servers send."""
    script, http = scripted
    script.answer = lambda _: web.Response(text=body, content_type=kind)
    assert (await http.write("POST", "/x")).status == 200


async def test_a_redirect_is_not_followed_with_the_token(scripted: tuple[Scripted, Http]) -> None:
    """The token goes to nobody else; the message names where we were sent, without secrets."""
    script, http = scripted
    script.answer = lambda r: web.Response(
        status=302, headers={"Location": f"http://{r.host}/other?token=abc123"}
    )
    with pytest.raises(WrongServer) as caught:
        await http.read("/x")
    assert [r.path for r in script.requests] == ["/x"]
    assert "/other" in caught.value.message
    assert "abc123" not in str(caught.value)


async def test_the_wish_of_retry_after_is_kept(scripted: tuple[Scripted, Http]) -> None:
    """Seconds and dates of Retry-After are read; nonsense is none."""
    script, http = scripted
    script.answer = lambda _: web.Response(status=429, headers={"Retry-After": "7"})
    with pytest.raises(RateLimited) as caught:
        await http.write("POST", "/x")
    assert caught.value.retry_after_s == 7.0
    assert parse_retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0.0
    for nonsense in (None, "", "soon", "-3", "²"):
        assert parse_retry_after(nonsense) is None
    assert parse_retry_after("9" * 400) == parse_retry_after("Wed, 21 Oct 2999 07:28:00 GMT") == 86_400


async def test_a_date_of_retry_after_is_on_the_servers_clock(scripted: tuple[Scripted, Http]) -> None:
    """A server whose clock is years ahead wishes for a minute, not for years."""
    script, http = scripted
    dates = {"Date": "Wed, 21 Oct 2099 07:28:00 GMT", "Retry-After": "Wed, 21 Oct 2099 07:29:00 GMT"}
    script.answer = lambda _: web.Response(status=429, headers=dates)
    with pytest.raises(RateLimited) as caught:
        await http.write("POST", "/x")
    assert caught.value.retry_after_s == 60.0


async def test_the_servers_clock_is_noted(scripted: tuple[Scripted, Http]) -> None:
    """Server minus hub, from the Date header; an unreadable date says nothing."""
    script, http = scripted
    script.answer = lambda _: web.json_response({}, headers={"Date": "Thu, 01 Jan 2004 00:00:00 GMT"})
    await http.read("/x")
    assert http.clock_skew_s is not None and http.clock_skew_s < -10 * 365 * 86400
    script.answer = lambda _: web.json_response({}, headers={"Date": "yesterday"})
    await http.read("/x")
    assert http.clock_skew_s is None


async def test_a_colon_in_the_path_stays(scripted: tuple[Scripted, Http]) -> None:
    """Plex's routes begin with /:/ and keep it; queries are encoded."""
    script, http = scripted
    await http.read("/:/scrobble", {"key": "a b&c"})
    assert script.requests[0].path_qs == "/:/scrobble?key=a+b%26c"
    assert script.requests[0].headers["X-Plex-Token"] == "sesame"


async def test_a_base_path_stays_in_front(scripted: tuple[Scripted, Http]) -> None:
    """A server behind a proxy may live below a path."""
    script, http = scripted
    below = Http(f"{http.base}/plex/", title="Plex", headers={})
    await below.read("/library/sections")
    await below.close()
    assert script.requests[0].path == "/plex/library/sections"


async def _raw_server(
    behaviour: Callable[[asyncio.StreamWriter], None],
) -> tuple[asyncio.Server, list[bytes], str]:
    heads: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readuntil(b"\r\n\r\n"):
            heads.append(head)
            if len(heads) == 1:
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
                continue
            behaviour(writer)
            return

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    return server, heads, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def _reset(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


def _cut(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\n{")
    writer.close()


def _garbage(writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 ftp.example ready\r\n\r\n")
    writer.close()


@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "DELETE"])
@pytest.mark.parametrize("behaviour", [_reset, _cut, _garbage])
async def test_a_write_that_breaks_is_interrupted_and_sent_once(
    method: str, behaviour: Callable[[asyncio.StreamWriter], None]
) -> None:
    """On a connection already in use the HTTP library would send it again by itself; here it must not."""
    server, heads, url = await _raw_server(behaviour)
    http = Http(url, title="Plex at home", headers={})
    async with server:
        await http.read("/first")
        with pytest.raises(Interrupted) as caught:
            await http.write(method, "/:/scrobble")
        await http.close()
    assert caught.value.retry is Retry.unsure
    assert len(heads) == 2


async def test_a_read_that_breaks_is_unreachable() -> None:
    """Nothing was changed by a read, so it may simply come later."""
    server, _, url = await _raw_server(_reset)
    http = Http(url, title="Plex at home", headers={}, read_attempts=1)
    async with server:
        await http.read("/first")
        with pytest.raises(Unreachable):
            await http.read("/second", attempts=1)
        await http.close()


async def test_silence_ends_after_the_timeout() -> None:
    """A server that takes the request and says nothing: a read is unreachable, a write interrupted."""
    server, _, url = await _raw_server(lambda _: None)
    http = Http(url, title="Plex at home", headers={}, timeout_s=0.05)
    async with server:
        await http.read("/first")
        with pytest.raises(Interrupted, match="longer than"):
            await http.write("POST", "/second")
        with pytest.raises(Unreachable, match="longer than"):
            await http.read("/third")
        await http.close()


async def test_nobody_there_is_unreachable() -> None:
    """A refused connection was certainly not a write that took effect."""
    server, _, url = await _raw_server(_reset)
    server.close()
    await server.wait_closed()
    http = Http(url, title="Plex at home", headers={})
    for attempt in (http.read("/x"), http.write("POST", "/x")):
        with pytest.raises(Unreachable) as caught:
            await attempt
        assert "address and port" in caught.value.hint
    await http.close()


async def test_https_asked_of_a_plain_server_says_what_to_try() -> None:
    """A plain server at an https address is told apart from silence, and the hint names the right scheme."""

    async def answer_plainly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(answer_plainly, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    http = Http(f"https://127.0.0.1:{port}", title="Plex at home", headers={})
    async with server:
        with pytest.raises(Unreachable) as caught:
            await http.read("/x")
        await http.close()
    assert "http://" in caught.value.hint


@pytest.mark.parametrize(
    "url", ["", "10.0.0.5:32400", "ftp://10.0.0.5", "http://", "http://host:port", "http://h:99999"]
)
def test_what_is_no_address_is_a_usage_error(url: str) -> None:
    """A typing mistake is found before anything is sent."""
    with pytest.raises(UsageError) as caught:
        Http(url, title="Plex", headers={})
    assert "http://10.0.0.5:32400" in caught.value.hint


def test_two_sign_ins_for_one_header_are_a_usage_error() -> None:
    """A password in the address and a token in Authorization exclude each other; neither is shown."""
    with pytest.raises(UsageError) as caught:
        Http(
            "http://anna:s3cr3t@h:1",
            title="Jellyfin at h:1",
            headers={"authorization": "MediaBrowser Token=x"},
        )
    assert "s3cr3t" not in str(caught.value)
    Http("http://anna:s3cr3t@h:1", title="Plex at h:1", headers={"X-Plex-Token": "x"})
