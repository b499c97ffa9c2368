"""A real nginx with the configuration that Playhead writes, the deliverer as a process, a hub that records, and a certificate."""

from __future__ import annotations

import datetime
import ipaddress
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec
import psutil
import pytest
from bench.ports import find_port
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from playhead.adapters.plex.proxy import deliver
from playhead.adapters.plex.proxy.nginx import PlexProxy
from playhead.ports.proxy import ProxyWish
from playhead.wiring.proxy import find_nginx_version

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
LONGEST_S = 60.0

needs_nginx = pytest.mark.skipif(NGINX is None, reason="nginx is not here (Debian: apt install nginx-light)")


def until(holds: Callable[[], Any], what: str) -> Any:
    """Wait until it holds and give it."""
    end = time.monotonic() + LONGEST_S
    while not (found := holds()):
        assert time.monotonic() < end, f"never: {what}"
        time.sleep(0.01)
    return found


def answers(port: int) -> bool:
    """Whether something listens there."""
    with socket.socket() as line:
        return line.connect_ex(("127.0.0.1", port)) == 0


# -- certificates


class Certificate(msgspec.Struct, frozen=True):
    """A certificate that signs itself, and its key."""

    path: Path
    key_path: Path


def make_certificate(folder: Path, name: str = "plex.example.org") -> Certificate:
    """One for a name and for this machine."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName(name), x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    found = Certificate(folder / "plex.pem", folder / "plex.key")
    found.path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8
    found.key_path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    )
    return found


# -- nginx


class Nginx:
    """nginx before an address, started and stopped by its process."""

    def __init__(
        self, folder: Path, upstream_url: str, certificate: Certificate | None = None, **more: Any
    ) -> None:
        self.folder = folder
        self.port = find_port()
        self.url = f"http{'s' if certificate else ''}://127.0.0.1:{self.port}"
        self.spool = folder / "spool"
        self.wish = ProxyWish(
            **{
                "name": "den",
                "upstream_url": upstream_url,
                "listen": (f"127.0.0.1:{self.port}",),
                "server_names": (),
                "spool": str(self.spool),
                "certificate": str(certificate.path) if certificate else "",
                "certificate_key": str(certificate.key_path) if certificate else "",
                "complete_in": str(folder),
                "user": "root" if os.geteuid() == 0 else "",
                "nginx_version": find_nginx_version(None),
                **more,
            }
        )
        folder.mkdir(parents=True, exist_ok=True)
        self.spool.mkdir(mode=0o700, exist_ok=True)
        (folder / "nginx.conf").write_text(PlexProxy().write_nginx(self.wish))
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, as_user: str | None = None) -> None:
        """Start it and wait until it listens."""
        assert NGINX is not None
        place = ["-p", str(self.folder), "-e", str(self.folder / "error.log")]
        command = [NGINX, *place, "-c", str(self.folder / "nginx.conf"), "-g", "daemon off;"]
        self.process = subprocess.Popen(command, stderr=subprocess.DEVNULL, user=as_user)
        until(lambda: self._is_up(), "nginx listens")

    def _is_up(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.read_log()
        return answers(self.port)

    def workers(self) -> list[psutil.Process]:
        """Its worker processes."""
        assert self.process is not None
        return psutil.Process(self.process.pid).children()

    def kill(self) -> None:
        """SIGKILL to all of it, the workers first: they would outlive their master."""
        assert self.process is not None
        master = psutil.Process(self.process.pid)
        master.suspend()
        for process in [*master.children(), master]:
            process.kill()
        self.process.wait()
        until(lambda: not answers(self.port), "nginx is gone")

    def stop(self) -> None:
        """Stop it."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(LONGEST_S)

    def read_log(self) -> str:
        """All that it wrote outside of the spool."""
        texts = [path.read_text(errors="replace") for path in self.folder.rglob("*.log")]
        return "\n".join(texts)

    def noted(self) -> list[dict[str, Any]]:
        """What lies in the spool of requests that were answered."""
        files = sorted(self.spool.glob("spool.*.ndjson"))
        lines = [json.loads(line) for path in files for line in path.read_text().splitlines()]
        return [line for line in lines if line["status"]]


@contextmanager
def run_nginx(
    folder: Path, upstream_url: str, certificate: Certificate | None = None, **more: Any
) -> Iterator[Nginx]:
    """nginx before an address until the end of the block."""
    nginx = Nginx(folder, upstream_url, certificate, **more)
    nginx.start()
    try:
        yield nginx
    finally:
        nginx.stop()


# -- the hub and the deliverer


class RecordingHub:
    """Takes lines as the hub does. ``answer`` gives a status for each body, or None: never an answer."""

    def __init__(self) -> None:
        self.bodies: list[list[bytes]] = []
        self.headers: list[dict[str, str]] = []
        self.asked = 0
        self.answer: Callable[[list[bytes]], int | None] = lambda lines: 202
        self.more: dict[str, str] = {}
        self.port = 0
        self.certificate: Certificate | None = None
        self._server: ThreadingHTTPServer | None = None
        self._going = threading.Event()

    @property
    def url(self) -> str:
        return f"http{'s' if self.certificate else ''}://localhost:{self.port}/webhooks/Den/its-secret"

    @property
    def lines(self) -> list[dict[str, Any]]:
        """All that was taken, in its order."""
        return [json.loads(line) for body in self.bodies for line in body]

    def keys(self) -> list[str]:
        """The ``key`` of each line's query."""
        return [line["uri"].partition("key=")[2].partition("&")[0] for line in self.lines]

    def open(self) -> None:
        """Listen, on the same port again where it was open before."""
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                hub.asked += 1
                body = self.rfile.read(int(self.headers["Content-Length"])).splitlines()
                status = hub.answer(body)
                if status is None:
                    hub._going.wait()
                    self.close_connection = True
                    return
                if 200 <= status < 300:
                    hub.bodies.append(body)
                    hub.headers.append({"path": self.path, **{k.lower(): v for k, v in self.headers.items()}})
                self.send_response(status)
                for name, value in {"Content-Length": "0", **hub.more}.items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._going.clear()
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        if self.certificate is not None:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(self.certificate.path, self.certificate.key_path)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        ).start()

    def close(self) -> None:
        """Nothing listens there any more; those who wait for an answer get none."""
        self._going.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


class DelivererProcess:
    """The deliverer as the proxy's machine runs it: the one file, by itself."""

    def __init__(self, spool: Path, url: str, *arguments: str) -> None:
        self.script = spool.parent / "deliver.py"
        self.script.write_text(Path(deliver.__file__).read_text())
        (spool.parent / "hub.url").write_text(url + "\n")
        self.log_path = spool.parent / "deliver.log"
        self.command = [
            *(sys.executable, "-I", str(self.script), "--spool", str(spool)),
            *("--url-file", str(spool.parent / "hub.url"), *arguments),
        ]
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it."""
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(self.command, stderr=log)

    def kill(self) -> None:
        """SIGKILL."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def wait(self) -> int:
        """Until it ends by itself; its exit code."""
        assert self.process is not None
        return self.process.wait(LONGEST_S)

    @property
    def log(self) -> str:
        return self.log_path.read_text() if self.log_path.exists() else ""


@contextmanager
def run_deliverer(spool: Path, url: str, *arguments: str) -> Iterator[DelivererProcess]:
    """The deliverer until the end of the block."""
    deliverer = DelivererProcess(spool, url, *arguments)
    deliverer.start()
    try:
        yield deliverer
    finally:
        if deliverer.process is not None and deliverer.process.poll() is None:
            deliverer.kill()
