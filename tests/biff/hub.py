"""A hub that takes scans as ``POST /api/v1/scans`` does, remembers each, and can be told what to answer."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "a-key-of-the-hub"


class RecordingHub:
    """``answers`` are used up first, as (status, body, headers); then each post is taken."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.keys: list[str | None] = []
        self.answers: list[tuple[int, bytes, dict[str, str]]] = []
        self.url = ""

    def refuse(self, status: int, body: object = b"", **headers: str) -> None:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.answers.append((status, raw, headers))

    @property
    def names(self) -> list[str]:
        return [body["name"] for body in self.bodies]

    def take(self, path: str, key: str | None, raw: bytes) -> tuple[int, bytes, dict[str, str]]:
        self.paths.append(path)
        self.keys.append(key)
        if self.answers:
            return self.answers.pop(0)
        self.bodies.append(json.loads(raw))
        number = len(self.bodies)
        return 202, json.dumps({"id": number, "url": f"/api/v1/scans/{number}"}).encode(), {}


@contextmanager
def run_hub() -> Iterator[RecordingHub]:
    hub = RecordingHub()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            status, body, headers = hub.take(self.path, self.headers.get("X-Api-Key"), raw)
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
