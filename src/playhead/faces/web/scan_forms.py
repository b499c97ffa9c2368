"""What senders of scans post: fields of a form in any of its writings, a-train's changes; and a page to ask by hand."""

from __future__ import annotations

import html
from collections.abc import Mapping
from urllib.parse import parse_qs

import msgspec
import multipart  # type: ignore[import-untyped]

from playhead.faces.webhooks.bodies import Refusal, Send

MOST_PATHS = 1000
_MOST_FIELDS = MOST_PATHS + 8
_MEMBERS = msgspec.json.Decoder(dict[str, str | list[str] | int | float | bool | None])


class Changes(msgspec.Struct, frozen=True):
    """What a-train tells of a drive: paths as it calls them."""

    created: list[str] = []
    deleted: list[str] = []


def read_fields(text: bytes) -> dict[str, list[str]]:
    """Of an address or a form in its way, its letters escaped or not (curl escapes none). Raises Refusal."""
    try:
        plain = text.decode()
    except UnicodeDecodeError:
        plain = text.decode("latin-1")
    try:
        return parse_qs(plain, keep_blank_values=True, errors="replace", max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        raise Refusal(400, "There are too many fields.") from error


def read_form(body: bytes, headers: Mapping[str, str]) -> dict[str, list[str]]:
    """The fields of what was posted: in the way of addresses, in parts, or as one JSON object. Raises Refusal."""
    kind, options = multipart.parse_options_header(headers.get("content-type", "")[:1000])
    if "multipart" in kind.lower():
        return _read_parts(body, options.get("boundary", ""))
    if body.lstrip()[:1] != b"{":
        return read_fields(body)
    try:
        members = _MEMBERS.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refusal(400, f"The body is not what was expected: {str(error)[:200]}.") from error
    return {name: value if isinstance(value, list) else [str(value)] for name, value in members.items()}


def _read_parts(body: bytes, boundary: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    name, value = "", list[bytes]()
    try:
        for event in multipart.PushMultipartParser(boundary, max_segment_count=_MOST_FIELDS).parse(body):
            if isinstance(event, multipart.MultipartSegment):
                name, value = event.name, []
            elif event is not None:
                value.append(event)
            else:
                found.setdefault(name, []).append(b"".join(value).decode("utf-8", "replace"))
    except (multipart.MultipartError, UnicodeError) as error:
        raise Refusal(400, f"The form is broken ({str(error)[:100]}).") from error
    return found


def read_changes(body: bytes) -> Changes:
    """a-train's post. Raises Refusal."""
    try:
        return msgspec.json.decode(body, type=Changes)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refusal(400, f"This is no post of a-train: {str(error)[:200]}.") from error


async def send_page(send: Send, address: str) -> None:
    """A form by which a person asks for a folder to be scanned."""
    page = (
        "<!doctype html><html lang=en><meta charset=utf-8><title>Playhead: scan</title>"
        f'<form method=post action="{html.escape(address, quote=True)}"><label>Folder or file, as this machine sees it '
        "<input name=dir size=80 required></label> <button>Scan</button></form></html>"
    ).encode()
    headers = [(b"content-length", str(len(page)).encode()), (b"content-type", b"text/html; charset=utf-8")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": page})
