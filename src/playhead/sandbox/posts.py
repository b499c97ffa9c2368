"""Webhooks on their way out: posts in the background, in order for each URL, once each, to this machine alone.

Real servers do not try again and do not wait for the answer; neither does this. Knows no payload.
"""

from __future__ import annotations

import asyncio
import uuid
from collections import deque
from collections.abc import Iterable, Mapping
from ipaddress import ip_address
from typing import NamedTuple

import aiohttp
from aiohttp import web
from yarl import URL

_TIMEOUT_S = 30.0
_LONGEST_QUEUE = 100_000


class Part(NamedTuple):
    """One field of a form; with ``filename`` it is a file."""

    name: str
    body: bytes
    kind: str = "application/json"
    filename: str = ""


class Post(NamedTuple):
    """One post to be sent."""

    url: str
    body: bytes
    headers: dict[str, str]
    method: str = "POST"


def is_loopback(url: str) -> bool:
    """Whether a URL leads to this very machine."""
    try:
        made = URL(url)
        if made.scheme not in ("http", "https"):
            return False
        return made.host == "localhost" or ip_address(made.host or "").is_loopback
    except ValueError:
        return False


def write_form(parts: Iterable[Part]) -> tuple[bytes, str]:
    """A ``multipart/form-data`` body and its content type."""
    boundary = f"----------------------------{uuid.uuid4().hex[:12]}"
    pieces: list[bytes] = []
    for part in parts:
        file = f'; filename="{part.filename}"' if part.filename else ""
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{part.name}"{file}\r\n'
        pieces += [head.encode(), f"Content-Type: {part.kind}\r\n\r\n".encode(), part.body, b"\r\n"]
    pieces.append(f"--{boundary}--\r\n".encode())
    return b"".join(pieces), f"multipart/form-data; boundary={boundary}"


class Posts:
    """The posts of one server. ``refused`` counts those that would have left the machine, or had no way to go."""

    def __init__(self) -> None:
        self.sent = 0
        self.failed = 0
        self.refused = 0
        self._waiting: dict[str, deque[Post]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession | None = None

    @property
    def waiting(self) -> int:
        """How many are not through yet."""
        return sum(len(queue) for queue in self._waiting.values())

    def send(self, url: str, body: bytes, headers: Mapping[str, str], *, method: str = "POST") -> None:
        """Send in the background. What leads elsewhere than to this machine is counted and dropped."""
        queue = self._waiting.get(url)
        if not is_loopback(url) or (queue is not None and len(queue) >= _LONGEST_QUEUE):
            self.refused += 1
            return
        post = Post(url, body, dict(headers), method)
        if queue is not None:
            queue.append(post)
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # the server is not running: nobody is there to send
            self.refused += 1
            return
        self._waiting[url] = deque([post])
        task = loop.create_task(self._work_off(url))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _work_off(self, url: str) -> None:
        queue = self._waiting[url]
        try:
            while queue:
                await self._deliver(queue[0])
                queue.popleft()
        finally:
            del self._waiting[url]

    async def _deliver(self, post: Post) -> None:
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_TIMEOUT_S))
        try:
            async with self._session.request(
                post.method, post.url, data=post.body, headers=post.headers, allow_redirects=False
            ) as response:
                await response.read()
                ok = response.status < 400
        except (aiohttp.ClientError, OSError, TimeoutError):
            ok = False
        if ok:
            self.sent += 1
        else:
            self.failed += 1

    def drop(self) -> None:
        """What waits is never sent: the process was killed."""
        for task in self._tasks:
            task.cancel()

    async def close(self, _: web.Application | None = None) -> None:
        """Stop sending; what waits is lost, as when a server stops."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()
            self._session = None
