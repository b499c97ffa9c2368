"""Webhooks over HTTP: stored before the answer, and whatever is wrong gets a fitting 4xx, stores nothing and tells nothing."""

from __future__ import annotations

import asyncio
import json
import logging
import tracemalloc
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import aiohttp
import pytest

from playhead.faces.web.protocol import PatientProtocol
from playhead.ports.errors import PlayheadError
from playhead.ports.inbox import NewEvent
from tests.web.serving import LARGEST, OTHER_SECRET, SECRET, Served, serve

GOOD = b'{"item": "7"}'


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with serve(tmp_path) as served:
        yield served


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as client:
        yield client


def items(served: Served) -> list[str]:
    return [each.event.native_ids[0] for each in served.inbox.take(10_000, 2e9)]


@pytest.mark.parametrize("kind", ["application/json", "text/plain; charset=utf-8", "multipart/form-data", ""])
async def test_a_webhook_is_stored_whatever_type_it_claims(
    served: Served, client: aiohttp.ClientSession, kind: str
) -> None:
    """The parser decides what it is; 202 and nothing else comes back."""
    async with client.post(served.hook, data=GOOD, headers={"content-type": kind}) as answer:
        assert (answer.status, await answer.read()) == (202, b"")
    [waiting] = served.inbox.take(10, 2e9)
    assert (waiting.connection_id, waiting.event.native_ids) == (1, ("7",))
    assert waiting.received_at > 1_700_000_000


async def test_it_is_on_disk_when_the_answer_comes(served: Served, client: aiohttp.ClientSession) -> None:
    """A hundred at once, each stored once, in fewer transactions."""

    async def post(item: int) -> int:
        async with client.post(served.hook, json={"item": str(item)}) as answer:
            assert str(item) in items(served)
            return answer.status

    assert set(await asyncio.gather(*(post(n) for n in range(100)))) == {202}
    assert sorted(items(served), key=int) == [str(n) for n in range(100)]
    assert served.commits < 100


@pytest.mark.parametrize(
    "path",
    [
        "/webhooks/The%20Den/wrong",
        f"/webhooks/The%20Den/{OTHER_SECRET}",
        f"/webhooks/Nobody/{SECRET}",
        f"/webhooks/The%20Den/{SECRET}/more",
        "/webhooks/The%20Den/",
        "/webhooks/The%20Den",
        "/webhooks/",
        f"/webhooks/The%20Den/{SECRET}%00",
        "/webhooks/The%20Den/%ff%fe",
    ],
)
async def test_without_the_connections_own_secret_there_is_nothing(
    served: Served, client: aiohttp.ClientSession, path: str
) -> None:
    """The same answer for a wrong secret, another's, none, and a connection that does not exist."""
    from yarl import URL

    async with client.post(URL(served.url + path, encoded=True), data=GOOD) as answer:
        assert (answer.status, await answer.json()) == (404, {"error": "There is nothing here."})
    assert served.inbox.count_waiting() == 0


async def test_names_are_taken_in_any_case(served: Served, client: aiohttp.ClientSession) -> None:
    """As everywhere else in the hub."""
    async with client.post(f"{served.url}/webhooks/the%20den/{SECRET}/", data=GOOD) as answer:
        assert answer.status == 202


@pytest.mark.parametrize(
    ("query", "header", "status"),
    [
        (f"type=plex&apikey={SECRET}", None, 202),
        ("type=Plex", SECRET, 202),
        (f"type=emby&apikey={OTHER_SECRET}", None, 202),
        (f"type=emby&apikey={SECRET}", None, 401),
        ("type=plex&apikey=wrong", None, 401),
        ("type=plex", None, 401),
        ("type=&apikey=", None, 401),
    ],
)
async def test_watchstates_addresses_are_understood(
    served: Served, client: aiohttp.ClientSession, query: str, header: str | None, status: int
) -> None:
    """By type and key, the key in the query or the header."""
    headers = {"x-apikey": header} if header else {}
    async with client.post(f"{served.url}/?{query}", data=GOOD, headers=headers) as answer:
        assert answer.status == status
    assert served.inbox.count_waiting() == (status == 202)


async def test_what_is_put_counts_as_posted(served: Served, client: aiohttp.ClientSession) -> None:
    """Tautulli sends with the method that a person chose."""
    async with client.put(served.hook, data=GOOD) as answer:
        assert answer.status == 202
    assert served.inbox.count_waiting() == 1


async def test_only_post_and_put_are_taken(served: Served, client: aiohttp.ClientSession) -> None:
    """And only who knows the secret is told so."""
    async with client.get(served.hook) as answer:
        assert (answer.status, answer.headers["allow"]) == (405, "POST, PUT")
    async with client.get(f"{served.url}/webhooks/The%20Den/x") as answer:
        assert answer.status == 404


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[" * 50_000, b'{"item": 7}', b"<xml/>"])
async def test_what_cannot_be_read_is_the_senders_fault(
    served: Served, client: aiohttp.ClientSession, body: bytes
) -> None:
    """Broken, of another shape, nested without end: 400, and the next one works."""
    async with client.post(served.hook, data=body) as answer:
        assert answer.status == 400
    async with client.post(served.hook, data=GOOD) as answer:
        assert answer.status == 202
    assert items(served) == ["7"]


async def test_a_body_that_tells_its_size_is_not_read(served: Served) -> None:
    """413 comes although nothing of the body was sent."""
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    head = f"POST /webhooks/Attic/{OTHER_SECRET} HTTP/1.1\r\nhost: x\r\ncontent-length: {LARGEST + 1}\r\n\r\n"
    writer.write(head.encode())
    assert (await reader.readline()).split()[1] == b"413"
    writer.close()


async def test_large_bodies_take_no_memory(served: Served, client: aiohttp.ClientSession) -> None:
    """Twenty megabytes in pieces, size not told: 413, and no more than a small part of it is ever held."""
    piece = b"x" * 65_536

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(320):
            yield piece

    async def post() -> None:
        try:
            async with client.post(served.hook, data=endless()) as answer:
                assert answer.status == 413
        except aiohttp.ClientConnectionError:
            pass  # the line may be closed while the rest is being sent

    await post()
    tracemalloc.start()
    await post()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3_000_000
    assert served.inbox.count_waiting() == 0


async def test_a_slow_body_is_not_waited_for(served: Served) -> None:
    """408, and the line is closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    head = f"POST /webhooks/Attic/{OTHER_SECRET} HTTP/1.1\r\nhost: x\r\ncontent-length: 13\r\n\r\n{{"
    writer.write(head.encode())
    answer = await asyncio.wait_for(reader.read(), 10)
    assert b" 408 " in answer.splitlines()[0]
    assert served.inbox.count_waiting() == 0
    writer.close()


@pytest.mark.parametrize("beginning", [b"", b"POST /webhooks/x", b"POST / HTTP/1.1\r\nhost: x\r\nx-a: "])
async def test_slow_headers_are_not_waited_for(
    served: Served, monkeypatch: pytest.MonkeyPatch, beginning: bytes
) -> None:
    """A line on which no request comes is closed, also one on which a request came before."""
    monkeypatch.setattr(PatientProtocol, "headers_within_s", 0.2)
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n" if beginning else b"")
    if beginning:
        await reader.readuntil(b"}")
    writer.write(beginning)
    assert await asyncio.wait_for(reader.read(), 10) == b""
    writer.close()


async def test_headers_without_end_are_not_kept(served: Served) -> None:
    """The line is closed long before the memory is full."""
    _, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(b"POST / HTTP/1.1\r\n")
    with pytest.raises(ConnectionError):
        for _ in range(30_000):  # more than the kernel keeps for a reader that has gone
            writer.write(b"x-more: " + b"y" * 1_000 + b"\r\n")
            await writer.drain()
    writer.close()


async def test_a_full_inbox_says_when_to_come_again(tmp_path: Path, client: aiohttp.ClientSession) -> None:
    """503 with Retry-After; what was taken is stored, what was turned away is not."""
    async with serve(tmp_path, most_gathered=0) as served:
        async with client.post(served.hook, data=GOOD) as answer:
            assert answer.status == 503
            assert int(answer.headers["retry-after"]) > 0
        assert served.inbox.count_waiting() == 0


async def test_what_could_not_be_stored_is_never_taken(served: Served, client: aiohttp.ClientSession) -> None:
    """503: the sender, or the next read, tells it again."""

    def fail(_events: Sequence[NewEvent]) -> None:
        raise PlayheadError("The disk is full.")

    served.put = fail  # type: ignore[method-assign]
    async with client.post(served.hook, data=GOOD) as answer:
        assert answer.status == 503
        assert "disk" not in await answer.text()
    assert served.inbox.count_waiting() == 0


async def test_no_secret_is_ever_logged(
    served: Served,
    client: aiohttp.ClientSession,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Neither of a good request nor of a broken one, with everything logged."""
    caplog.set_level(logging.DEBUG)
    for data in (GOOD, b"{", b"x" * (LARGEST + 1)):
        async with client.post(served.hook, data=data):
            pass
    async with client.post(f"{served.url}/?type=emby&apikey={SECRET}", data=GOOD):
        pass
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(f"POST /webhooks/Attic/{OTHER_SECRET} HTTP/9\r\nbad\r\n\r\n".encode())
    await reader.read()
    writer.close()
    captured = capfd.readouterr()
    logged = caplog.text + captured.out + captured.err
    assert SECRET not in logged and OTHER_SECRET not in logged


async def test_health_and_measures(served: Served, client: aiohttp.ClientSession) -> None:
    """Alive, ready, and counts that add up."""
    async with client.post(served.hook, data=GOOD):
        pass
    async with client.get(f"{served.url}/healthz") as answer:
        assert (answer.status, await answer.json()) == (200, {"status": "alive"})
    async with client.get(f"{served.url}/readyz") as answer:
        assert answer.status == 200
        assert await answer.json() == {"ready": True, "inbox": "ok", "lines": {"The Den": "open"}}
    async with client.get(f"{served.url}/metrics") as answer:
        text = await answer.text()
    assert 'playhead_webhooks_total{connection="The Den",status="202"} 1.0' in text
    assert "playhead_inbox_waiting 1.0" in text
    assert "playhead_webhook_seconds_count 1.0" in text


async def test_a_hub_that_cannot_store_is_not_ready(
    served: Served, client: aiohttp.ClientSession, tmp_path: Path
) -> None:
    """503 with the reason; it is alive all the same."""
    import sqlite3

    with sqlite3.connect(tmp_path / "inbox.db") as other:
        other.execute("CREATE TRIGGER full BEFORE INSERT ON tally BEGIN SELECT raise(FAIL, 'no room'); END")
    async with client.get(f"{served.url}/readyz") as answer:
        assert answer.status == 503
        report = json.loads(await answer.read())
    assert report["ready"] is False
    assert "no room" in report["inbox"]
    async with client.get(f"{served.url}/healthz") as answer:
        assert answer.status == 200


async def test_other_addresses_are_litestars(served: Served, client: aiohttp.ClientSession) -> None:
    """Who opens the hub in a browser is told what there is; elsewhere there is nothing."""
    async with client.get(served.url + "/") as answer:
        assert (answer.status, answer.content_type) == (200, "text/plain")
        assert "Playhead is up." in await answer.text()
    for path in ("/webhook", "/schema"):
        async with client.get(served.url + path) as answer:
            assert answer.status == 404
