"""What proxies note, over HTTP: stored before the answer, for the right connection, and no token with it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import msgspec
import pytest

from playhead.ports.events import Heard
from playhead.ports.inbox import WaitingEvent
from tests.web.serving import CLUSTER_TOKEN, OTHER_SECRET, SECRET, Served, serve

LINES = {"content-type": "application/x-ndjson", "x-playhead-proxy": "1"}


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with serve(tmp_path) as served:
        yield served


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as client:
        yield client


def lines(*items: str, **more: str) -> bytes:
    return b"\n".join(msgspec.json.encode({"item": item, **more}) for item in items)


def read_all(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in folder.iterdir()]


def waiting(served: Served) -> list[WaitingEvent]:
    return served.inbox.take(10_000, 2e9)


async def test_all_lines_of_a_body_are_stored_in_order(
    served: Served, client: aiohttp.ClientSession, tmp_path: Path
) -> None:
    """With what stands for the caller; the token is nowhere on the disk."""
    body = lines("1", "2", "3", token="very-secret-token")
    async with client.post(served.hook, data=body, headers=LINES) as answer:
        assert answer.status == 202
    stored = waiting(served)
    assert [each.event.native_ids for each in stored] == [("1",), ("2",), ("3",)]
    assert {(each.connection_id, each.event.source, each.event.caller) for each in stored} == {
        (1, "proxy", "1#17")
    }
    assert not any(b"very-secret" in content for content in read_all(tmp_path))


async def test_the_hubs_own_requests_are_of_no_concern(served: Served, client: aiohttp.ClientSession) -> None:
    """Its writes pass the proxy where it reaches the server by it."""
    async with client.post(served.hook, data=lines("1", client="the-hub"), headers=LINES) as answer:
        assert answer.status == 202
    assert [(each.event.what, each.event.name) for each in waiting(served)] == [(Heard.other, "proxy.own")]


@pytest.mark.parametrize(
    ("host", "connection"), [("den:32400", 1), ("LOFT:32400", 3), ("loft", 3), ("loft:443", 3)]
)
async def test_plex_clusters_address_finds_the_connection_by_its_proxys_name(
    served: Served, client: aiohttp.ClientSession, host: str, connection: int
) -> None:
    """``POST /?token=`` as its delivery script does, whatever type it claims."""
    url = f"{served.url}/?token={CLUSTER_TOKEN}"
    async with client.post(
        url, data=lines("1", host=host), headers={"content-type": "application/json"}
    ) as answer:
        assert answer.status == 202
    assert [each.connection_id for each in waiting(served)] == [connection]


async def test_one_body_of_several_proxies(served: Served, client: aiohttp.ClientSession) -> None:
    """Those that nobody has are left out."""
    body = b"\n".join(
        [lines("1", host="den:32400"), lines("2", host="loft:32400"), lines("3", host="cellar:1")]
    )
    async with client.post(f"{served.url}/?token={CLUSTER_TOKEN}", data=body) as answer:
        assert answer.status == 202
    assert [(each.connection_id, each.event.native_ids) for each in waiting(served)] == [
        (1, ("1",)),
        (3, ("2",)),
    ]


async def test_a_proxy_that_no_connection_has(served: Served, client: aiohttp.ClientSession) -> None:
    """Whoever set it up is told, so that its lines are kept there."""
    async with client.post(
        f"{served.url}/?token={CLUSTER_TOKEN}", data=lines("1", host="cellar:1")
    ) as answer:
        assert answer.status == 404
        assert "No connection has that proxy" in await answer.text()
    assert waiting(served) == []


@pytest.mark.parametrize("token", ["", "wrong", SECRET, CLUSTER_TOKEN + "x"])
async def test_the_clusters_address_opens_for_its_own_token_alone(
    served: Served, client: aiohttp.ClientSession, token: str
) -> None:
    """403 as from Plex Cluster's manager, and nothing is stored."""
    async with client.post(f"{served.url}/?token={token}", data=lines("1", host="den:32400")) as answer:
        assert answer.status == 403
    assert waiting(served) == []


async def test_a_backend_without_proxies_takes_none(served: Served, client: aiohttp.ClientSession) -> None:
    url = f"{served.url}/webhooks/Attic/{OTHER_SECRET}"
    async with client.post(url, data=lines("1"), headers=LINES) as answer:
        assert answer.status == 415
    assert waiting(served) == []


async def test_only_posts_count(served: Served, client: aiohttp.ClientSession) -> None:
    async with client.get(f"{served.url}/?token={CLUSTER_TOKEN}") as answer:
        assert answer.status == 405
