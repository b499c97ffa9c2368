"""Clients through a real nginx: what they send and get is what it would be without it, and what they mark is noted."""

from __future__ import annotations

import json
import shutil
import socket
import ssl
import subprocess
import threading
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import plexapi
import pytest
import requests
from plexapi.server import PlexServer

from playhead.faces.cli.demo_world import PERSON, PLEX
from playhead.sandbox.run import SandboxHandle
from tests.proxy.rig import Certificate, Nginx, needs_nginx, run_nginx, until
from tests.proxy.upstream import Upstream

pytestmark = needs_nginx
BIG = 200 * 1024 * 1024
FLAT_BYTES = 24 * 1024 * 1024


def query(uri: str) -> dict[str, str]:
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(uri).query))


def noted(nginx: Nginx, count: int) -> list[dict[str, Any]]:
    """The lines in the spool once there are so many."""
    until(lambda: len(nginx.noted()) >= count, f"{count} lines")
    return nginx.noted()


def state(plex: SandboxHandle, item: str) -> Any:
    return next(row for row in plex.server(PLEX).state_rows(PERSON) if row.item == item)


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    upstream = Upstream()
    yield upstream
    upstream.close()


def test_a_client_library_marks_rates_and_reports(plex: SandboxHandle, nginx: Nginx) -> None:
    """plexapi through the proxy: the server's state changes as without it, and each request is a line with caller and answer."""
    token = plex.token(PLEX, PERSON)
    server = PlexServer(nginx.url, token)
    film = server.library.section("Movies").get("Paddington 2")
    film.markPlayed()
    assert state(plex, "paddington").watched
    film.markUnplayed()
    assert not state(plex, "paddington").watched
    film.rate(8.0)
    assert state(plex, "paddington").rating == 8.0
    film.updateProgress(600_000)
    film.updateTimeline(900_000, state="stopped", duration=film.duration)
    assert state(plex, "paddington").position_s == 900
    lines = noted(nginx, 5)
    paths = [urllib.parse.urlsplit(line["uri"]).path for line in lines]
    assert paths == ["/:/scrobble", "/:/unscrobble", "/:/rate", "/:/progress", "/:/timeline"]
    for line in lines:
        assert line["v"] == 1 and line["status"] == 200
        assert line["token"] == token
        assert line["client"] == plexapi.X_PLEX_IDENTIFIER
        assert line["host"] == f"127.0.0.1:{nginx.port}"
        assert abs(line["at"] - plex.clock.now()) < 120
        asked = query(line["uri"])
        assert str(film.ratingKey) in (asked.get("key", ""), asked.get("ratingKey", ""))


@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize("path", ["scrobble", "unscrobble", "timeline", "progress", "rate"])
def test_parameters_in_a_form_are_noted_whatever_the_method(
    upstream: Upstream, tmp_path: Path, method: str, path: str
) -> None:
    """Body and type stand in the line, and the server gets the body as it was."""
    form = "ratingKey=7&state=stopped&time=1000&note=%22quoted%22 \\ \u00e9".encode()
    kind = "application/x-www-form-urlencoded"
    with run_nginx(tmp_path / "proxy", upstream.url) as nginx:
        answer = requests.request(method, f"{nginx.url}/:/{path}", data=form, headers={"Content-Type": kind})
        assert answer.status_code == 200
        [line] = noted(nginx, 1)
    assert (line["method"], line["uri"], line["body"], line["type"]) == (
        method,
        f"/:/{path}",
        form.decode(),
        kind,
    )
    assert upstream.requests[0].endswith(b"\r\n\r\n" + form)


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_form_takes_effect_as_a_query_does(plex: SandboxHandle, nginx: Nginx, method: str) -> None:
    """What the server does with it, and what is noted of it."""
    token = plex.token(PLEX, PERSON)
    key = str(PlexServer(nginx.url, token).library.section("Movies").get("Alien").ratingKey)
    form = {"key": key, "ratingKey": key, "identifier": "com.plexapp.plugins.library"}
    headers = {"X-Plex-Token": token, "X-Plex-Client-Identifier": "a-player"}

    def ask(path: str, **more: str) -> int:
        sent = {**form, **more}
        return requests.request(
            method, f"{nginx.url}/:/{path}", data=sent, headers=headers, timeout=10
        ).status_code

    assert ask("scrobble") == 200 and state(plex, "alien").watched
    assert ask("unscrobble") == 200 and not state(plex, "alien").watched
    assert ask("rate", rating="6") == 200 and state(plex, "alien").rating == 6
    assert ask("progress", time="600000", state="stopped") == 200 and state(plex, "alien").position_s == 600
    assert ask("timeline", time="900000", state="stopped") == 200 and state(plex, "alien").position_s == 900
    for line in noted(nginx, 5):
        assert dict(urllib.parse.parse_qsl(line["body"]))["key"] == key
        assert (line["method"], line["token"], line["client"], line["status"]) == (
            method,
            token,
            "a-player",
            200,
        )


def test_what_is_none_of_the_hubs_business_is_not_noted(plex: SandboxHandle, nginx: Nginx) -> None:
    """Reads leave no line, whoever's token they carry."""
    server = PlexServer(nginx.url, plex.token(PLEX, PERSON))
    assert server.library.section("Movies").all()
    requests.get(f"{nginx.url}/:/prefs", timeout=10)
    requests.get(f"{nginx.url}/video/:/scrobble", timeout=10)
    server.library.section("Movies").get("Alien").markPlayed()
    assert len(noted(nginx, 1)) == 1


def test_a_browser_that_asks_whether_it_may_mark_is_not_noted(upstream: Upstream, tmp_path: Path) -> None:
    """``OPTIONS`` carries the mark's own query."""
    with run_nginx(tmp_path / "proxy", upstream.url) as nginx:
        for method in ("OPTIONS", "GET"):
            requests.request(method, f"{nginx.url}/:/scrobble?key=1", timeout=10)
        assert [line["method"] for line in noted(nginx, 1)] == ["GET"]
        assert len(list(nginx.spool.iterdir())) == 1
    assert len(upstream.requests) == 2


def test_a_body_too_large_to_be_noted_passes_all_the_same(upstream: Upstream, tmp_path: Path) -> None:
    """The line comes without it."""
    body = bytes(range(256)) * 2000
    with run_nginx(tmp_path / "proxy", upstream.url) as nginx:
        assert requests.post(f"{nginx.url}/:/timeline?key=1", data=body, timeout=10).status_code == 200
        [line] = noted(nginx, 1)
    assert (line["uri"], line["body"]) == ("/:/timeline?key=1", "")
    assert upstream.requests[0].endswith(b"\r\n\r\n" + body)


def test_a_name_is_asked_for_anew(upstream: Upstream, tmp_path: Path) -> None:
    """With a resolver nginx starts before the name is known, and the request passes as without."""
    with run_resolver() as port:
        address = f"http://plex.internal:{upstream.url.rpartition(':')[2]}"
        with run_nginx(tmp_path / "proxy", address, resolvers=(f"127.0.0.1:{port}",)) as nginx:
            uri = "/library//parts/%2e%2e/a%20b?c=%26"
            with socket.create_connection(("127.0.0.1", nginx.port)) as client:
                client.sendall(f"GET {uri} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
                assert b"".join(iter(lambda: client.recv(65536), b"")).startswith(b"HTTP/1.1 200")
            assert requests.get(f"{nginx.url}/:/rate?key=1", timeout=10).status_code == 200
            assert len(noted(nginx, 1)) == 1
    assert upstream.requests[0].decode().startswith(f"GET {uri} HTTP/1.1\r\n")


@contextmanager
def run_resolver() -> Iterator[int]:
    """A name server to which every name is this machine."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.bind(("127.0.0.1", 0))
        line.settimeout(0.05)
        enough = threading.Event()

        def answer() -> None:
            while not enough.is_set():
                with suppress(TimeoutError):
                    asked, sender = line.recvfrom(512)
                    question = asked[12:]
                    known = question[-4:-2] == b"\x00\x01"  # of kind A
                    record = (
                        b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\x7f\x00\x00\x01" if known else b""
                    )
                    head = asked[:2] + b"\x81\x80\x00\x01" + bytes([0, int(known)]) + b"\x00\x00\x00\x00"
                    line.sendto(head + question + record, sender)

        thread = threading.Thread(target=answer)
        thread.start()
        yield int(line.getsockname()[1])
        enough.set()
        thread.join()


def test_requests_and_answers_pass_byte_for_byte(upstream: Upstream, tmp_path: Path) -> None:
    """Escapes, ranges, odd headers and packed bodies; the host is the client's."""
    body = b"\x1f\x8b\x00packed\x00\xff"
    upstream.answer = (
        b"HTTP/1.1 206 Partial Content\r\nContent-Encoding: gzip\r\nX-Plex-Protocol: 1.0\r\nServer: Plex/1\r\n"
        b"Date: Thu, 01 Jan 1970 00:00:00 GMT\r\nLocation: http://inner:32400/x\r\n"
        b"Content-Range: bytes 3-14/99\r\nContent-Length: " + str(len(body)).encode() + b"\r\n\r\n" + body
    )
    uri = "/library//parts/1/%2e%2e/file%20name.mkv?a=%26&b=a+b&c=%C3%A9;d"
    with (
        run_nginx(tmp_path / "proxy", upstream.url) as nginx,
        socket.create_connection(("127.0.0.1", nginx.port)) as c,
    ):
        c.sendall(
            f"GET {uri} HTTP/1.1\r\nHost: plex.example.org:8443\r\nRange: bytes=3-14\r\n"
            "Accept-Encoding: gzip\r\nX-Forwarded-For: 192.0.2.1\r\nConnection: close\r\n\r\n".encode()
        )
        got = b"".join(iter(lambda: c.recv(65536), b""))
    head, _, rest = got.partition(b"\r\n\r\n")
    assert rest == body
    for line in (
        b"206 Partial Content",
        b"Content-Encoding: gzip",
        b"Server: Plex/1",
        b"Content-Range: bytes 3-14/99",
    ):
        assert line in head
    assert b"Location: http://inner:32400/x" in head and b"Date: Thu, 01 Jan 1970" in head
    asked = upstream.requests[0].decode()
    assert asked.startswith(f"GET {uri} HTTP/1.1\r\n")
    for line in ("Host: plex.example.org:8443", "Range: bytes=3-14", "Accept-Encoding: gzip"):
        assert line in asked
    assert "X-Forwarded-For: 192.0.2.1, 127.0.0.1" in asked
    assert "X-Forwarded-Proto: http" in asked


async def test_sockets_pass(plex: SandboxHandle, nginx: Nginx) -> None:
    """What the server tells on its notifications arrives."""
    token = plex.token(PLEX, PERSON)
    url = f"{nginx.url}/:/websockets/notifications?X-Plex-Token={token}"
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as line:
        mark = f"{nginx.url}/:/scrobble?identifier=com.plexapp.plugins.library&X-Plex-Token={token}&key="
        async with session.get(
            f"{nginx.url}/library/sections/1/all?type=1&X-Plex-Token={token}",
            headers={"Accept": "application/json"},
        ) as answer:
            key = (await answer.json())["MediaContainer"]["Metadata"][0]["ratingKey"]
        async with session.get(mark + key) as answer:
            assert answer.status == 200
        while True:
            message = await line.receive(timeout=20)
            told = json.loads(message.data)["NotificationContainer"]
            if told["type"] == "timeline":
                assert str(told["TimelineEntry"][0]["itemID"]) == str(key)
                return


@pytest.mark.parametrize("direction", ["down", "up"])
def test_large_bodies_are_streamed(upstream: Upstream, tmp_path: Path, direction: str) -> None:
    """200 MB: nothing on disk, nothing in memory."""
    with run_nginx(tmp_path / "proxy", upstream.url) as nginx:
        requests.get(nginx.url + "/warm", timeout=10)
        before = sum(worker.memory_info().rss for worker in nginx.workers())
        if direction == "down":
            upstream.send_bytes = BIG
            with requests.get(nginx.url + "/file", stream=True, timeout=60) as answer:
                got = sum(map(len, answer.iter_content(1 << 20)))
        else:
            chunks = (bytes(1 << 20) for _ in range(BIG >> 20))
            sent = requests.Request("POST", nginx.url + "/upload", data=chunks).prepare()
            del sent.headers["Transfer-Encoding"]
            sent.headers["Content-Length"] = str(BIG)
            with requests.Session() as session:
                assert session.send(sent, timeout=60).status_code == 200
            got = upstream.got_bytes
        after = sum(worker.memory_info().rss for worker in nginx.workers())
        kept = sum(file.stat().st_size for file in (nginx.folder / "temp-proxy").rglob("*") if file.is_file())
        kept += sum(f.stat().st_size for f in (nginx.folder / "temp-client_body").rglob("*") if f.is_file())
    assert got == BIG
    assert after - before < FLAT_BYTES
    assert kept == 0


def test_tls_with_http_2(plex: SandboxHandle, tmp_path: Path, certificate: Certificate) -> None:
    """HTTP/2 is agreed on, and a mark over it is noted with its caller."""
    token = plex.token(PLEX, PERSON)
    with run_nginx(
        tmp_path / "proxy", plex.url(PLEX), certificate, server_names=("plex.example.org",)
    ) as nginx:
        context = ssl.create_default_context(cafile=str(certificate.path))
        context.set_alpn_protocols(["h2", "http/1.1"])
        with (
            socket.create_connection(("127.0.0.1", nginx.port)) as plain,
            context.wrap_socket(plain, server_hostname="plex.example.org") as line,
        ):
            assert line.selected_alpn_protocol() == "h2"
        session = requests.Session()
        session.verify, session.trust_env = str(certificate.path), False
        film = PlexServer(nginx.url, token, session=session).library.section("Movies").get("Alien")
        curl = shutil.which("curl")
        if curl is None or "HTTP2" not in subprocess.run([curl, "-V"], capture_output=True, text=True).stdout:
            pytest.skip("a curl with HTTP/2 is not here")
        mark = f"{nginx.url}/:/scrobble?identifier=com.plexapp.plugins.library&key={film.ratingKey}"
        command = [curl, "-sS", "--http2", "--cacert", str(certificate.path), "-H", f"X-Plex-Token: {token}"]
        told = [*command, "-o", "/dev/null", "-w", "%{http_version} %{http_code}", mark]
        assert subprocess.run(told, capture_output=True, text=True).stdout == "2 200"
        form = ["-d", f"key={film.ratingKey}&identifier=x", f"{nginx.url}/:/progress"]
        sent = [*command, "-o", "/dev/null", "-w", "%{http_version}", *form]
        assert subprocess.run(sent, capture_output=True, text=True).stdout == "2"
        line_noted, with_body = noted(nginx, 2)
        assert with_body["body"] == form[1]
        assert line_noted["token"] == token and line_noted["host"] == f"127.0.0.1:{nginx.port}"
    assert state(plex, "alien").watched


def test_a_plex_with_a_certificate_of_its_own_is_reached(
    plex: SandboxHandle, tmp_path: Path, certificate: Certificate
) -> None:
    """As Plex's plex.direct ones are taken as they are; with --upstream-ca it is checked."""
    token = plex.token(PLEX, PERSON)
    with run_nginx(tmp_path / "inner", plex.url(PLEX), certificate) as inner:
        with run_nginx(tmp_path / "any", inner.url) as nginx:
            assert requests.get(nginx.url, headers={"X-Plex-Token": token}, timeout=10).status_code == 200
        by_name = f"https://localhost:{inner.port}"
        with run_nginx(tmp_path / "checked", by_name, upstream_ca=str(certificate.path)) as nginx:
            assert requests.get(nginx.url, headers={"X-Plex-Token": token}, timeout=10).status_code == 200
        other = tmp_path / "other.pem"
        other.write_bytes(make_other(tmp_path).path.read_bytes())
        with run_nginx(tmp_path / "refused", by_name, upstream_ca=str(other)) as nginx:
            assert requests.get(nginx.url, headers={"X-Plex-Token": token}, timeout=10).status_code == 502


def make_other(folder: Path) -> Certificate:
    from tests.proxy.rig import make_certificate

    place = folder / "other"
    place.mkdir()
    return make_certificate(place)


def test_a_client_that_goes_away_does_not_undo_its_mark(upstream: Upstream, tmp_path: Path) -> None:
    """The server gets it all the same, and the line has the server's answer."""
    began, gate = threading.Event(), threading.Event()
    upstream.before = lambda: (began.set(), gate.wait())
    with run_nginx(tmp_path / "proxy", upstream.url) as nginx:
        with socket.create_connection(("127.0.0.1", nginx.port)) as client:
            client.sendall(b"GET /:/scrobble?key=9 HTTP/1.1\r\nHost: x\r\n\r\n")
            assert began.wait(20)
        gate.set()
        [line] = noted(nginx, 1)
    assert (line["uri"], line["status"]) == ("/:/scrobble?key=9", 200)


def test_a_refused_mark_says_so(plex: SandboxHandle, nginx: Nginx) -> None:
    """The hub can tell it from one that took effect."""
    url = f"{nginx.url}/:/scrobble?identifier=x&key=1"
    assert requests.get(url, headers={"X-Plex-Token": "wrong"}, timeout=10).status_code == 401
    assert [line["status"] for line in noted(nginx, 1)] == [401]


def test_tokens_stand_in_the_spool_alone(tmp_path: Path) -> None:
    """Also where Plex is down, which nginx would tell with the whole request."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        dead = f"http://127.0.0.1:{taken.getsockname()[1]}"
    with run_nginx(tmp_path / "proxy", dead) as nginx:
        for path in ("/:/scrobble?key=1&", "/library/sections?", "/%zz?"):
            requests.get(
                f"{nginx.url}{path}X-Plex-Token=secret-in-query",
                headers={"X-Plex-Token": "secret-in-header"},
                timeout=10,
            )
        assert noted(nginx, 1)[0]["status"] == 502
        for worker in nginx.workers():
            worker.kill()
        until(lambda: "exited on signal 9" in nginx.read_log(), "the log works")
        assert "secret-in" not in nginx.read_log()
        assert "secret-in-query" in json.dumps(nginx.noted())
    assert nginx.spool.stat().st_mode & 0o077 == 0
