"""``POST /webhooks/CONNECTION/SECRET``, and WatchState's ``POST /?type=KIND&apikey=SECRET``.

The secret is looked at before the body: who does not know it can send nothing. The answer is 202 when the events are on disk.
What is wrong gets 4xx, which never says whether the connection or its secret was.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from time import perf_counter
from typing import Any
from urllib.parse import parse_qs, unquote

import msgspec

from playhead.kit.log import Log
from playhead.ports.errors import BadAnswer, PlayheadError
from playhead.runtime.group_commit import RETRY_AFTER_S, InboxFull
from playhead.runtime.reception import Receiver, Reception

log = Log(__name__)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Measure = Callable[[str, int, float], None]
"""Called with the connection ("" = not known), the status and the seconds of each answer."""

PREFIX = b"/webhooks/"
LARGEST_BODY = 2 * 1024 * 1024
BODY_WITHIN_S = 15.0
STORE_FAILED_RETRY_S = 30


class _Refusal(Exception):
    """An answer other than 202."""

    def __init__(self, status: int, text: str, headers: Mapping[bytes, bytes] | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.headers = dict(headers or {})


class WebhookApp:
    """The ASGI application. ``largest_body`` bytes, ``body_within_s`` seconds for the whole of it."""

    def __init__(
        self,
        reception: Reception,
        measure: Measure,
        *,
        largest_body: int = LARGEST_BODY,
        body_within_s: float = BODY_WITHIN_S,
    ) -> None:
        self._reception = reception
        self._measure = measure
        self._largest_body = largest_body
        self._body_within_s = body_within_s

    @staticmethod
    def takes(scope: Scope) -> bool:
        """Whether a request is meant for this application."""
        if scope["type"] != "http":
            return False
        return bool(
            scope["raw_path"].startswith(PREFIX)
            or (scope["path"] == "/" and b"type=" in scope["query_string"])
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take in one webhook."""
        began = perf_counter()
        receiver: Receiver | None = None
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        try:
            receiver = self._find(scope, headers)
            if scope["method"] != "POST":
                raise _Refusal(405, "Only POST.", {b"allow": b"POST"})
            body = await self._read_body(receive, headers)
            events = await self._take_in(receiver, body, headers)
            log.debug("webhook", connection=receiver.connection, events=[event.name for event in events])
            status = await _answer(send, 202, "")
        except _Refusal as refusal:
            status = await _answer(send, refusal.status, refusal.text, refusal.headers)
        self._measure(receiver.connection if receiver else "", status, perf_counter() - began)

    def _find(self, scope: Scope, headers: Mapping[str, str]) -> Receiver:
        if scope["raw_path"].startswith(PREFIX):
            parts = scope["raw_path"].removeprefix(PREFIX).rstrip(b"/").decode("ascii", "replace").split("/")
            found = self._reception.find(unquote(parts[0]), unquote(parts[1])) if len(parts) == 2 else None
            if found is None:
                raise _Refusal(404, "There is nothing here.")
            return found
        query = parse_qs(scope["query_string"].decode("latin-1"))
        key = query.get("apikey", [headers.get("x-apikey", "")])[0]
        found = self._reception.find_by_key(query.get("type", [""])[0], key)
        if found is None:
            raise _Refusal(401, "No such type and key.")
        return found

    async def _read_body(self, receive: Receive, headers: Mapping[str, str]) -> bytes:
        told = headers.get("content-length", "")
        if told.isdigit() and int(told) > self._largest_body:
            raise self._too_large()
        body = bytearray()
        try:
            async with asyncio.timeout(self._body_within_s):
                more = True
                while more:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise _Refusal(400, "The body was cut.")
                    body += message.get("body", b"")
                    more = message.get("more_body", False)
                    if len(body) > self._largest_body:
                        raise self._too_large()
        except TimeoutError as late:
            raise _Refusal(408, "The body came too slowly.", {b"connection": b"close"}) from late
        return bytes(body)

    def _too_large(self) -> _Refusal:
        return _Refusal(413, f"More than {self._largest_body:,} bytes.")

    async def _take_in(self, receiver: Receiver, body: bytes, headers: Mapping[str, str]) -> tuple[Any, ...]:
        try:
            return await self._reception.take_in(receiver, body, headers)
        except (BadAnswer, ValueError, RecursionError) as error:
            log.info("unreadable webhook", connection=receiver.connection, why=str(error)[:200])
            raise _Refusal(400, f"This is no webhook of {receiver.kind}.") from error
        except InboxFull as error:
            raise _Refusal(503, error.message, _wait(RETRY_AFTER_S)) from error
        except PlayheadError as error:
            raise _Refusal(503, "It could not be stored.", _wait(STORE_FAILED_RETRY_S)) from error


def _wait(seconds: int) -> dict[bytes, bytes]:
    return {b"retry-after": str(seconds).encode()}


async def _answer(send: Send, status: int, text: str, headers: Mapping[bytes, bytes] | None = None) -> int:
    body = msgspec.json.encode({"error": text}) if text else b""
    all_headers = [(b"content-length", str(len(body)).encode()), *(headers or {}).items()]
    if text:
        all_headers.append((b"content-type", b"application/json"))
    await send({"type": "http.response.start", "status": status, "headers": all_headers})
    await send({"type": "http.response.body", "body": body})
    return status
