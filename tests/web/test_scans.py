"""Scans asked for over HTTP: the key first, then honest statuses; PlexLib's and autoscan's addresses in their own words."""

from __future__ import annotations

import asyncio
import base64
import json
import socket
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import uvicorn

from playhead.domain.library.mapping import MappedFolder, PathMap
from playhead.faces.web.protocol import PatientProtocol
from playhead.faces.web.scans import ScanApp
from playhead.flows.request_scan import NowhereToScan, ScanRequest
from playhead.library_settings import TriggerSettings
from playhead.ports.arrivals import Arrival, ArrivalPost
from playhead.ports.errors import BadAnswer, PlayheadError, UsageError
from playhead.ports.library_jobs import Arrived, Job, NewJob
from playhead.store.library_jobs import SqlLibraryJobs

KEY = "key-0123456789-abcdef"
LARGEST = 20_000


class Desk:
    """Meets ``Scanning``: takes everything but what is called "nothing", keeps what was asked."""

    def __init__(self, jobs: SqlLibraryJobs) -> None:
        self.key = KEY
        self.triggers = TriggerSettings()
        self.arr_names: tuple[str, ...] = ("sonarr", "radarr")
        self.jobs = jobs
        self.asked: list[ScanRequest] = []
        self.failure: PlayheadError | None = None

    async def ask(self, request: ScanRequest) -> int:
        if self.failure:
            raise self.failure
        if "nothing" in (request.library, request.name, *request.paths):
            raise NowhereToScan("Nothing is called so. Looked in: /tv.", hint="Is it there?")
        self.asked.append(request)
        new = NewJob(request.source, request.name, tuple(Arrived(path) for path in request.paths))
        return self.jobs.add(new, ["Den"], 10.0, 10.0)

    async def take_post(
        self, sender: str, body: bytes, headers: Mapping[str, str], name: str = ""
    ) -> tuple[ArrivalPost, list[int]]:
        if not body.startswith(b"{"):
            raise BadAnswer("no")
        arrival = Arrival("arrived", ("/tv/a.mkv",), "/tv", "A", sender, "Download")
        return ArrivalPost("Download", (arrival,)), [
            await self.ask(ScanRequest(sender, paths=("/tv/a.mkv",)))
        ]

    def map_trigger(self, path: str) -> str:
        return PathMap([MappedFolder("/theirs", "/tv")]).to_hub(path) or path

    def load(self, number: int) -> Job | None:
        return self.jobs.load(number)

    def list_newest(self, limit: int) -> list[Job]:
        return self.jobs.list_newest(limit)


class Served:
    def __init__(self, desk: Desk, url: str, client: aiohttp.ClientSession) -> None:
        self.desk, self.url, self.client = desk, url, client

    async def ask(
        self, method: str, path: str, *, key: str | None = KEY, **more: Any
    ) -> tuple[int, Any, Mapping[str, str]]:
        headers = {"X-Api-Key": key} if key else {}
        headers |= more.pop("headers", {})
        async with self.client.request(method, self.url + path, headers=headers, **more) as answer:
            text = await answer.text()
            return answer.status, json.loads(text) if text else None, answer.headers


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    desk = Desk(SqlLibraryJobs(tmp_path / "library.db"))
    app = ScanApp(lambda: desk, largest_body=LARGEST, largest_post=2 * LARGEST, body_within_s=0.5)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(
            app, http=PatientProtocol, ws="none", lifespan="off", log_config=None, access_log=False
        )
        server = uvicorn.Server(config)
        running = asyncio.create_task(server.serve([listening]))
        async with aiohttp.ClientSession() as client:
            yield Served(desk, f"http://127.0.0.1:{listening.getsockname()[1]}", client)
        server.should_exit = True
        await running


@pytest.mark.parametrize(
    ("posted", "asked"),
    [
        ({"library": "TV Shows"}, ScanRequest("api", library="TV Shows")),
        ({"name": "My Show S07E22.mp4"}, ScanRequest("api", name="My Show S07E22.mp4")),
        ({"paths": ["/tv/A & B", "D:\\x"]}, ScanRequest("api", paths=("/tv/A & B", "D:\\x"))),
        (
            {"paths": ["/tv/ä#+"], "gone": True, "connections": ["Den"]},
            ScanRequest("api", paths=("/tv/ä#+",), gone=True, connections=("Den",)),
        ),
    ],
)
async def test_a_scan_is_stored_and_can_be_followed(
    served: Served, posted: dict[str, Any], asked: ScanRequest
) -> None:
    """202 with its address, also as Location; the address tells how far it is."""
    status, told, headers = await served.ask("POST", "/api/v1/scans", json=posted)
    assert status == 202 and served.desk.asked == [asked]
    assert headers["location"] == told["url"] == f"/api/v1/scans/{told['id']}"
    status, job, _ = await served.ask("GET", told["url"])
    assert status == 200 and job["id"] == told["id"] and job["source"] == "api"


async def test_one_can_wait_for_the_end(served: Served) -> None:
    """The answer comes when the job has ended, and else after so many seconds."""
    _, told, _ = await served.ask("POST", "/api/v1/scans", json={"paths": ["/tv/A"]})
    waiting = asyncio.create_task(served.ask("GET", f"{told['url']}?wait=30"))
    _, now, _ = await served.ask("GET", f"{told['url']}?wait=0")
    assert now["state"] == "waiting" and not now["ended"] and not waiting.done()
    [part] = served.desk.jobs.take("Den", 99.0, 9)
    served.desk.jobs.save([type(part)(**{**_fields(part), "state": "proved"})], 12.0)
    status, job, _ = await waiting
    assert status == 200 and job["ended"] and job["parts"][0]["state"] == "proved"


def _fields(part: Any) -> dict[str, Any]:
    return {name: getattr(part, name) for name in part.__struct_fields__}


async def test_the_newest_scans_are_listed_first(served: Served) -> None:
    """As many as wished."""
    for name in "abc":
        await served.ask("POST", "/api/v1/scans", json={"name": name})
    _, told, _ = await served.ask("GET", "/api/v1/scans?limit=2")
    assert [job["name"] for job in told] == ["c", "b"]


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Api-Key": KEY},
        {"Authorization": f"Bearer {KEY}"},
        {"Authorization": "Basic " + base64.b64encode(f"anybody:{KEY}".encode()).decode()},
    ],
)
async def test_the_key_opens_in_any_of_its_forms(served: Served, headers: dict[str, str]) -> None:
    """And in the query, for old tools."""
    status, _, _ = await served.ask("GET", "/api/v1/scans", key=None, headers=headers)
    assert status == 200
    assert (await served.ask("GET", f"/update/Movies/?apikey={KEY}", key=None))[0] == 202


@pytest.mark.parametrize("key", [None, "", "wrong", KEY + "x", "ä"])
@pytest.mark.parametrize(
    "path", ["/api/v1/scans", "/api/v1/scans/1", "/update/Movies/", "/triggers/manual", "/update/x"]
)
async def test_without_the_key_nothing_is_told_and_nothing_done(
    served: Served, key: str | None, path: str
) -> None:
    """401, whether or not there is such a thing."""
    headers = {"X-Api-Key": key.encode().decode("latin-1")} if key else {}
    for method in ("GET", "POST"):
        status, told, _ = await served.ask(method, path, key=None, headers=headers, data=b"{}")
        assert status == 401 and "key" in json.dumps(told)
    assert served.desk.asked == []


@pytest.mark.parametrize(
    "body",
    [
        b"", b"x", b"[]", b"null", b"{}", b'{"name": ""}', b'{"name": "a/b"}', b'{"name": "a\\\\b"}',
        b'{"name": "a\\u0000b"}', b'{"paths": []}', b'{"paths": ["relative"]}', b'{"paths": "/a"}',
        b'{"library": "a", "name": "b"}', b'{"paths": ["/a"], "more": 1}', b'{"name": 7}', b"\xff\xfe",
        b"[" * 9000, b'{"paths": ["/a\\u001b"]}', json.dumps({"name": "x" * 2000}).encode(),
    ],
)  # fmt: skip
async def test_what_is_no_request_is_refused_with_400(served: Served, body: bytes) -> None:
    """JSON tells why; nothing is asked."""
    status, told, _ = await served.ask("POST", "/api/v1/scans", data=body)
    assert status == 400 and told["message"] and served.desk.asked == []


@pytest.mark.parametrize("path", ["/api/v1/scans", "/update/from_name/", "/triggers/sonarr"])
async def test_a_body_that_is_too_large_or_too_slow_is_cut_off(served: Served, path: str) -> None:
    """413 and 408."""

    async def slowly() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.sleep(5)

    largest = 2 * LARGEST if path == "/triggers/sonarr" else LARGEST
    assert (await served.ask("POST", path, data=b"x" * (largest + 1)))[0] == 413
    assert (await served.ask("POST", path, data=slowly()))[0] == 408


async def test_what_no_library_holds_is_404_with_where_was_looked(served: Served) -> None:
    """In each family's own shape."""
    status, told, _ = await served.ask("POST", "/api/v1/scans", json={"name": "nothing"})
    assert status == 404 and "/tv" in told["message"] and told["hint"]
    status, told, _ = await served.ask("POST", "/update/from_name/", data={"name": "nothing"})
    assert status == 404 and told["success"] is False and "/tv" in told["message"]


@pytest.mark.parametrize(
    ("failure", "status"), [(UsageError("none"), 409), (PlayheadError("The disk is full."), 503)]
)
async def test_what_cannot_be_done_now_is_told(served: Served, failure: PlayheadError, status: int) -> None:
    """409 where a person must act, 503 where trying again helps."""
    served.desk.failure = failure
    found, told, headers = await served.ask("POST", "/api/v1/scans", json={"name": "a"})
    assert (found, told["message"]) == (status, failure.message)
    assert ("retry-after" in headers) == (status == 503)


@pytest.mark.parametrize(
    "path",
    ["/api/v1/scans/0", "/api/v1/scans/99999999999999999999", "/api/v1/scans/x", "/api/v1/scans/%00",
     "/api/v1/scans/1/2", "/api/v1/scansx", "/triggers/lidarrx", "/triggers/", "/triggers/a/b"],
)  # fmt: skip
async def test_what_is_not_there_is_404(served: Served, path: str) -> None:
    """And nothing breaks."""
    assert (await served.ask("GET", path))[0] == 404


async def test_a_wrong_method_is_405(served: Served) -> None:
    """And those that are right are named."""
    for method, path in (
        ("DELETE", "/api/v1/scans"),
        ("POST", "/api/v1/scans/1"),
        ("GET", "/update/from_name/"),
    ):
        status, _, headers = await served.ask(method, path)
        assert status == 405 and headers["allow"]


async def test_plexlibs_addresses_answer_in_its_words(served: Served) -> None:
    """A library by name, written with %20 or whole, and a file by name, as a form."""
    status, told, _ = await served.ask("GET", "/update/TV%20Shows/")
    assert (status, told["success"], told["section_name"]) == (202, True, "TV Shows")
    status, told, _ = await served.ask("POST", "/update/from_name/", data={"name": "Ä & B #1+.mp4"})
    assert (status, told["file_name"]) == (202, "Ä & B #1+.mp4") and told["task_id"].isdigit()
    assert [each.library or each.name for each in served.desk.asked] == ["TV Shows", "Ä & B #1+.mp4"]
    assert (await served.ask("POST", "/update/from_name/", data={"other": "x"}))[0] == 400


async def test_autoscans_addresses_are_understood(served: Served) -> None:
    """Several folders, by every method, mapped from the senders' words; and what Sonarr posts."""
    for method in ("POST", "GET", "HEAD"):
        status, _, _ = await served.ask(method, "/triggers/manual?dir=/theirs/A%20%26%20B&dir=/tv/C")
        assert status == 202
    assert {each.paths for each in served.desk.asked} == {("/tv/A & B", "/tv/C")}
    assert (await served.ask("POST", "/triggers/manual", data={"dir": "/tv/D"}))[0] == 202
    assert (await served.ask("HEAD", "/triggers/manual"))[0] == 200
    assert (await served.ask("POST", "/triggers/manual?dir=relative"))[0] == 400
    status, told, _ = await served.ask("POST", "/triggers/sonarr", data=b"{}")
    assert status == 202 and told["event"] == "Download" and len(told["scans"]) == 1
    assert (await served.ask("POST", "/triggers/sonarr", data=b"{" + b" " * (2 * LARGEST - 1)))[0] == 202
    assert (await served.ask("POST", "/triggers/sonarr", data=b"<html>"))[0] == 400


async def test_each_family_can_be_switched_off(served: Served) -> None:
    """Then it is not there; the hub's own stays."""
    served.desk.triggers = TriggerSettings(plexlib=False, autoscan=False, arr=False)
    for path in ("/update/Movies/", "/update/from_name/", "/triggers/manual?dir=/tv", "/triggers/sonarr"):
        assert (await served.ask("POST", path, data=b"name=x"))[0] == 404
    assert (await served.ask("GET", "/api/v1/scans"))[0] == 200 and served.desk.asked == []


async def test_a_form_is_read_in_any_of_its_writings(served: Served) -> None:
    """Escaped, as curl sends it with its letters as they are, in parts, as JSON; autopulse says path."""
    name = "\u00c4m\u00e9lie \U0001f3ac.mkv"
    parts = aiohttp.FormData({"name": name}, default_to_multipart=True)
    plain = {"Content-Type": "application/x-www-form-urlencoded"}
    for more in (
        {"data": {"name": name}},
        {"data": f"name={name}".encode(), "headers": plain},
        {"data": parts},
        {"json": {"name": name}},
    ):
        status, told, _ = await served.ask("POST", "/update/from_name/", **more)
        assert (status, told["file_name"]) == (202, name)
    folders = aiohttp.FormData([("dir", "/tv/A"), ("dir", "/tv/B")], default_to_multipart=True)
    for more in (
        {"data": folders},
        {"json": {"dir": ["/tv/A", "/tv/B"]}},
        {"data": b"path=/tv/A&path=/tv/B"},
    ):
        assert (await served.ask("POST", "/triggers/manual", **more))[0] == 202
    assert (await served.ask("GET", "/triggers/manual?path=/tv/A&path=/tv/B"))[0] == 202
    assert {each.paths for each in served.desk.asked if each.paths} == {("/tv/A", "/tv/B")}
    kind = {"Content-Type": "multipart/form-data; boundary=b"}
    for body in (b"--b\r\nbroken", b"", b"--c\r\n\r\n--c--"):
        assert (await served.ask("POST", "/triggers/manual", data=body, headers=kind))[0] == 400
    assert (await served.ask("POST", "/triggers/manual", data=b'{"dir": {"a": 1}}'))[0] == 400


async def test_a_person_asks_by_a_page(served: Served) -> None:
    """As at autoscan's; the browser asks for the key first."""
    page = {"Accept": "text/html"}
    assert (await served.ask("GET", "/triggers/manual", key=None, headers=page))[0] == 401
    asked = {"X-Api-Key": KEY} | page
    async with served.client.get(f"{served.url}/triggers/manual", headers=asked) as answer:
        assert answer.status == 200 and "name=dir" in await answer.text()
    assert (await served.ask("GET", "/triggers/manual"))[0] == 400


async def test_a_trains_changes_are_what_came_and_what_went(served: Served) -> None:
    """Mapped from its words."""
    changes = {"created": ["/theirs/A/a.mkv"], "deleted": ["/theirs/B"]}
    status, told, _ = await served.ask("POST", "/triggers/a-train/drive", json=changes)
    assert status == 202 and len(told["scans"]) == 2
    assert [(each.paths, each.gone) for each in served.desk.asked] == [
        (("/tv/A/a.mkv",), False),
        (("/tv/B",), True),
    ]
    assert (await served.ask("POST", "/triggers/a-train/drive", json={"created": 3}))[0] == 400
    assert (await served.ask("POST", "/triggers/a-train/drive", json={"created": ["relative"]}))[0] == 400


async def test_a_path_may_hold_any_letter_but_no_step_back(served: Served) -> None:
    """A line's end is one; a step back would lead out of a library."""
    assert (await served.ask("POST", "/api/v1/scans", json={"paths": ["/tv/a\nb.mkv"]}))[0] == 202
    for path in ("/tv/../etc", "D:\\tv\\..\\x", "/tv/.."):
        assert (await served.ask("POST", "/api/v1/scans", json={"paths": [path]}))[0] == 400
        assert (await served.ask("POST", "/triggers/manual", data={"dir": path}))[0] == 400
