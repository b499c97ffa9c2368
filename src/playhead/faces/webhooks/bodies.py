"""A body read within bounds of size and time, and an answer of a few bytes of JSON: what ASGI applications here share."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

import msgspec

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Refusal(Exception):
    """An answer that says no."""

    def __init__(self, status: int, text: str, headers: Mapping[bytes, bytes] | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.headers = dict(headers or {})


async def read_body(receive: Receive, headers: Mapping[str, str], *, largest: int, within_s: float) -> bytes:
    """The whole body. Raises Refusal where it is larger than so many bytes, slower than so many seconds, or cut."""
    told = headers.get("content-length", "")
    if told.isdigit() and int(told) > largest:
        raise _too_large(largest)
    body = bytearray()
    try:
        async with asyncio.timeout(within_s):
            more = True
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Refusal(400, "The body was cut.")
                body += message.get("body", b"")
                more = message.get("more_body", False)
                if len(body) > largest:
                    raise _too_large(largest)
    except TimeoutError as late:
        raise Refusal(408, "The body came too slowly.", {b"connection": b"close"}) from late
    return bytes(body)


def _too_large(largest: int) -> Refusal:
    return Refusal(413, f"More than {largest:,} bytes.")


async def send_json(
    send: Send, status: int, value: Any = None, headers: Mapping[bytes, bytes] | None = None
) -> int:
    """Answer with a value as JSON; None = with nothing. Gives the status."""
    body = msgspec.json.encode(value) if value is not None else b""
    all_headers = [(b"content-length", str(len(body)).encode()), *(headers or {}).items()]
    if body:
        all_headers.append((b"content-type", b"application/json"))
    await send({"type": "http.response.start", "status": status, "headers": all_headers})
    await send({"type": "http.response.body", "body": body})
    return status
