"""Faults do what they say, on the routes and as often as they were ordered."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from playhead.sandbox.faults import KINDS
from playhead.sandbox.run import SandboxHandle


async def order(box: SandboxHandle, http: aiohttp.ClientSession, **fault: Any) -> dict[str, Any]:
    async with http.post(f"{box.control_url}/_sandbox/faults", json=fault) as response:
        assert response.status == 201, await response.text()
        return dict(await response.json())


async def get(
    box: SandboxHandle, http: aiohttp.ClientSession, path: str, **options: Any
) -> tuple[int, bytes, Any]:
    async with http.get(box.url("a") + path, **options) as response:
        return response.status, await response.read(), response.headers


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("unauthorized", 401),
        ("forbidden", 403),
        ("rate_limited", 429),
        ("server_error", 500),
        ("missing", 404),
    ],
)
async def test_status_faults_answer_with_their_status(
    box: SandboxHandle, http: aiohttp.ClientSession, kind: str, status: int
) -> None:
    """Each error kind has its status once, and the next request is well again."""
    await order(box, http, kind=kind, route="GET /things/*", count=1)
    assert (await get(box, http, "/things/1"))[0] == status
    assert (await get(box, http, "/things/1"))[0] == 200


async def test_rate_limited_says_when_to_come_back(box: SandboxHandle, http: aiohttp.ClientSession) -> None:
    """429 carries Retry-After as ordered."""
    await order(box, http, kind="rate_limited", params={"retry_after": 7})
    assert (await get(box, http, "/things/1"))[2]["Retry-After"] == "7"


async def test_server_error_takes_its_status_from_params(
    box: SandboxHandle, http: aiohttp.ClientSession
) -> None:
    """Any 5xx can be had."""
    await order(box, http, kind="server_error", params={"status": 503})
    assert (await get(box, http, "/things/1"))[0] == 503


async def test_after_lets_the_first_requests_pass(box: SandboxHandle, http: aiohttp.ClientSession) -> None:
    """``after`` 2 and ``count`` 1 hit exactly the third request."""
    await order(box, http, kind="missing", route="~^GET /things/1\\?page=", after=2, count=1)
    statuses = [(await get(box, http, f"/things/1?page={n}"))[0] for n in range(5)]
    assert statuses == [200, 200, 404, 200, 200]
    assert (await get(box, http, "/things/1"))[0] == 200


async def test_a_fault_stays_with_its_server_and_method(
    box: SandboxHandle, http: aiohttp.ClientSession
) -> None:
    """Another server, another route and another method are unharmed."""
    await order(box, http, kind="server_error", server="b", route="GET /things/*")
    assert (await get(box, http, "/things/1"))[0] == 200
    await order(box, http, kind="server_error", server="a", route="POST /*")
    assert (await get(box, http, "/things/1"))[0] == 200


async def test_reset_breaks_before_and_reset_after_breaks_behind_the_effect(
    box: SandboxHandle, http: aiohttp.ClientSession
) -> None:
    """Both look alike to the client; only reset_after took effect."""
    server: Any = box.server("a")
    await order(box, http, kind="reset", route="POST /write", count=1)
    with pytest.raises(aiohttp.ClientError):
        await http.post(box.url("a") + "/write")
    assert server.writes == 0
    await order(box, http, kind="reset_after", route="POST /write", count=1)
    with pytest.raises(aiohttp.ClientError):
        await http.post(box.url("a") + "/write")
    assert server.writes == 1


async def test_timeout_never_answers(box: SandboxHandle, http: aiohttp.ClientSession) -> None:
    """The client's own patience ends the request; with ``effect`` it had taken effect."""
    server: Any = box.server("a")
    await order(box, http, kind="timeout", route="POST /write", count=1, params={"effect": True})
    with pytest.raises(TimeoutError):
        await http.post(box.url("a") + "/write", timeout=aiohttp.ClientTimeout(total=0.2))
    assert server.writes == 1


async def test_timeout_is_bounded(box: SandboxHandle, http: aiohttp.ClientSession) -> None:
    """A client that waits for ever is cut off after max_s."""
    await order(box, http, kind="timeout", count=1, params={"max_s": 0.1})
    with pytest.raises(aiohttp.ClientError):
        await http.post(box.url("a") + "/write")


async def test_truncated_promises_more_than_it_sends(box: SandboxHandle, http: aiohttp.ClientSession) -> None:
    """Content-Length is that of the whole body, and the body ends before."""
    await order(box, http, kind="truncated", count=1)
    with pytest.raises(aiohttp.ClientPayloadError):
        await get(box, http, "/things/1")


async def test_html_and_invalid_json(box: SandboxHandle, http: aiohttp.ClientSession) -> None:
    """A web page with 200, and text that is no JSON with 200."""
    await order(box, http, kind="html", count=1)
    status, body, headers = await get(box, http, "/things/1")
    assert (status, headers["Content-Type"].split(";")[0]) == (200, "text/html")
    assert body.startswith(b"<!DOCTYPE html>")
    await order(box, http, kind="invalid_json", count=1)
    async with http.get(box.url("a") + "/things/1") as response:
        with pytest.raises(ValueError):
            await response.json()


async def test_delay_answers_late_but_well(box: SandboxHandle, http: aiohttp.ClientSession) -> None:
    """A delay longer than the client's patience breaks, a shorter one does not."""
    await order(box, http, kind="delay", count=1, params={"seconds": 30})
    with pytest.raises(TimeoutError):
        await get(box, http, "/things/1", timeout=aiohttp.ClientTimeout(total=0.1))
    await order(box, http, kind="delay", count=1, params={"seconds": 0.01})
    assert (await get(box, http, "/things/1"))[0] == 200


async def listed(box: SandboxHandle, http: aiohttp.ClientSession) -> Any:
    async with http.get(box.url("a") + "/things/1") as response:
        return await response.json()


async def test_list_faults_change_the_list_only(box: SandboxHandle, http: aiohttp.ClientSession) -> None:
    """Short, doubled and empty lists: what is dropped, what is repeated, which total is told."""
    await order(box, http, kind="short_page", count=1, params={"n": 2})
    body = await listed(box, http)
    assert (len(body["Items"]), body["TotalRecordCount"]) == (3, 5)
    await order(box, http, kind="duplicate_items", count=1)
    assert [entry["Id"] for entry in (await listed(box, http))["Items"]] == ["0", "1", "2", "3", "w", "0"]
    await order(box, http, kind="duplicate_items", count=1, params={"replace": True})
    assert [entry["Id"] for entry in (await listed(box, http))["Items"]] == ["0", "1", "2", "3", "0"]
    await order(box, http, kind="empty_list", count=1)
    assert await listed(box, http) == {"Items": [], "TotalRecordCount": 0}


async def test_wrong_dates_and_null_fields(box: SandboxHandle, http: aiohttp.ClientSession) -> None:
    """Dates keep their form and lie; fields named become null and ids stay."""
    await order(box, http, kind="wrong_dates", count=1, params={"mode": "1970"})
    assert (await listed(box, http))["Items"][0]["DateCreated"] == "1970-01-01T00:00:00.0000000Z"
    await order(box, http, kind="null_fields", count=1)
    assert (await listed(box, http))["Items"][0] == {"Id": "0", "Name": None, "DateCreated": None}
    await order(box, http, kind="wrong_dates", count=1)
    async with http.get(box.url("a") + "/bare") as response:
        assert (await response.json())["MediaContainer"]["Metadata"][0]["lastViewedAt"] > 2_000_000_000


async def test_stale_page_is_the_answer_of_an_earlier_moment(
    box: SandboxHandle, http: aiohttp.ClientSession
) -> None:
    """A write between is not seen; a page never asked before cannot be stale and is no hit."""
    await listed(box, http)
    await http.post(box.url("a") + "/write")
    made = await order(box, http, kind="stale_page", route="GET /things/*", count=1)
    async with http.get(box.url("a") + "/things/2") as response:
        assert (await response.json())["Items"][-1]["Name"] == "1"
    assert (await listed(box, http))["Items"][-1]["Name"] == "0"
    assert (await listed(box, http))["Items"][-1]["Name"] == "1"
    async with http.get(f"{box.control_url}/_sandbox/faults") as response:
        told = (await response.json())["faults"]
    assert [(fault["id"], fault["hits"]) for fault in told] == [(made["id"], 1)]


async def test_a_list_fault_on_no_list_is_no_hit(box: SandboxHandle, http: aiohttp.ClientSession) -> None:
    """Text has no entries to drop: it passes and the fault waits."""
    made = await order(box, http, kind="empty_list", count=1)
    assert (await get(box, http, "/text"))[1] == b"words"
    assert (await listed(box, http))["Items"] == []
    assert made["hits"] == 0


async def test_faults_are_cleared_and_refused(box: SandboxHandle, http: aiohttp.ClientSession) -> None:
    """DELETE forgets; an unknown kind, server or pattern is refused with what is allowed."""
    await order(box, http, kind="missing")
    async with http.delete(f"{box.control_url}/_sandbox/faults") as response:
        assert await response.json() == {"cleared": 1}
    assert (await get(box, http, "/things/1"))[0] == 200
    refused: list[tuple[dict[str, str], str]] = [
        ({"kind": "fire"}, "short_page"),
        ({"kind": "html", "server": "z"}, "a, b"),
        ({"kind": "html", "route": "~("}, "regular"),
    ]
    for wrong, word in refused:
        async with http.post(f"{box.control_url}/_sandbox/faults", json=wrong) as response:
            assert response.status in (400, 404)
            assert word in (await response.json())["error"]
    assert len(KINDS) == 18
