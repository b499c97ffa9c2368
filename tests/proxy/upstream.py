"""A server that sees and says every byte itself."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any


class Upstream:
    """Takes a request byte for byte and answers what it is told to, byte for byte."""

    def __init__(self) -> None:
        self.requests: list[bytes] = []
        self.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
        self.send_bytes = 0
        self.got_bytes = 0
        self.before: Callable[[], Any] = lambda: None
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._run, daemon=True).start()

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)  # wakes who waits in accept
        self._socket.close()

    def _run(self) -> None:
        while True:
            try:
                line, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(line,), daemon=True).start()

    def _serve(self, line: socket.socket) -> None:
        with line, suppress(ConnectionError):
            self.before()
            while head := self._read_head(line):
                told = {
                    k.lower(): v
                    for k, _, v in (e.partition(": ") for e in head.decode("latin-1").split("\r\n"))
                }
                body, left = b"", int(told.get("content-length", 0))
                while left:
                    part = line.recv(min(left, 1 << 20))
                    if not part:
                        return
                    left -= len(part)
                    self.got_bytes += len(part)
                    body += part if left + len(body) < 1 << 20 else b""
                self.requests.append(head + b"\r\n\r\n" + body)
                if self.send_bytes:
                    line.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {self.send_bytes}\r\n\r\n".encode())
                    for _ in range(self.send_bytes // (1 << 20)):
                        line.sendall(bytes(1 << 20))
                else:
                    line.sendall(self.answer)

    @staticmethod
    def _read_head(line: socket.socket) -> bytes:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            byte = line.recv(1)
            if not byte:
                return b""
            head += byte
        return head[:-4]
