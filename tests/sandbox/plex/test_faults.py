"""Faults on the real routes of the emulated Plex: its own error pages, its own shape of a list."""

from __future__ import annotations

from typing import Any

import aiohttp
import msgspec
import pytest

from playhead.sandbox.faults import FaultOrder
from playhead.sandbox.run import SandboxHandle
from tests.sandbox.plex.worlds import MATRIX

LIST = "/library/sections/1/all"
PAGED = {"X-Plex-Container-Start": "0", "X-Plex-Container-Size": "10"}


async def ask(
    box: SandboxHandle, http: aiohttp.ClientSession, path: str = LIST, accept: str = "application/json"
) -> tuple[int, str, bytes]:
    headers = {"X-Plex-Token": box.token("plex", "alice"), "Accept": accept, **PAGED}
    async with http.get(box.url("plex") + path, headers=headers) as response:
        return response.status, response.content_type, await response.read()


async def container(box: SandboxHandle, http: aiohttp.ClientSession) -> dict[str, Any]:
    status, _, body = await ask(box, http)
    assert status == 200
    return dict(msgspec.json.decode(body)["MediaContainer"])


def order(box: SandboxHandle, kind: str, **params: Any) -> None:
    box.faults.add(FaultOrder(kind=kind, server="plex", route=f"GET {LIST}", count=1, params=params))


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("unauthorized", 401),
        ("forbidden", 403),
        ("missing", 404),
        ("rate_limited", 429),
        ("server_error", 500),
    ],
)
async def test_errors_are_pages(
    box: SandboxHandle, session: aiohttp.ClientSession, kind: str, status: int
) -> None:
    """HTML, as a real server answers whatever was asked."""
    order(box, kind)
    told, content_type, body = await ask(box, session)
    assert (told, content_type) == (status, "text/html")
    assert f"<h1>{status} ".encode() in body


async def test_lists_are_spoiled_in_their_own_shape(
    box: SandboxHandle, session: aiohttp.ClientSession
) -> None:
    """size follows what is there, totalSize stays but for an empty list."""
    order(box, "short_page", n=2)
    short = await container(box, session)
    assert (short["size"], short["totalSize"], len(short["Metadata"])) == (1, 3, 1)
    order(box, "duplicate_items")
    doubled = await container(box, session)
    assert [entry["ratingKey"] for entry in doubled["Metadata"]].count(
        doubled["Metadata"][0]["ratingKey"]
    ) == 2
    order(box, "empty_list")
    empty = await container(box, session)
    assert (empty["size"], empty["totalSize"], empty["Metadata"]) == (0, 0, [])


async def test_wrong_dates_and_nulls(box: SandboxHandle, session: aiohttp.ClientSession) -> None:
    """lastViewedAt lies in its own form and stays absent where it was; keys survive nulls."""
    order(box, "wrong_dates", mode="1970", fields=["lastViewedAt"])
    entries = (await container(box, session))["Metadata"]
    assert [entry.get("lastViewedAt") for entry in entries] == [None, 0, None]
    order(box, "null_fields", fields=["guid", "viewCount"])
    entries = (await container(box, session))["Metadata"]
    assert [entry["guid"] for entry in entries] == [None] * 3
    assert "viewCount" not in entries[0]


async def test_a_stale_page_hides_a_mark(box: SandboxHandle, session: aiohttp.ClientSession) -> None:
    """The list of before, then the truth."""
    await container(box, session)
    box.server("plex").act("alice", "matrix", "mark", at=None, args={})
    order(box, "stale_page")
    stale = {e["ratingKey"]: e.get("viewCount") for e in (await container(box, session))["Metadata"]}
    fresh = {e["ratingKey"]: e.get("viewCount") for e in (await container(box, session))["Metadata"]}
    assert (stale[str(MATRIX)], fresh[str(MATRIX)]) == (None, 1)


async def test_xml_passes_unharmed(box: SandboxHandle, session: aiohttp.ClientSession) -> None:
    """Faults of lists need JSON; the fault waits for it."""
    order(box, "empty_list")
    _, _, body = await ask(box, session, accept="*/*")
    assert body.count(b"<Video ") == 3
    assert box.faults.faults[0].hits == 0
