"""What servers post to us: the JSON text in a body, taken out of the form it came in, and decoded into a declared shape.

Every failure is a BadAnswer that says what was wrong, never with a value that was sent. Time is linear in the body, memory
a small multiple of it; what is larger than any server sends is refused unread. Knows no server.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, TypeVar

import msgspec
import multipart  # type: ignore[import-untyped]
from msgspec import Meta

from playhead.ports.errors import BadAnswer

LARGEST_BODY = 10 * 1024 * 1024  # with a picture
LARGEST_TEXT = 1024 * 1024  # of the JSON in it
MOST_PARTS = 16

# Members of what was posted, bounded: they are stored, counted and shown.
Text = Annotated[str, Meta(max_length=200)]
Whole = Annotated[int, Meta(ge=0, le=2**53)]
Real = Annotated[float, Meta(ge=0, le=2.0**53)]
NativeId = Annotated[str, Meta(max_length=100)] | Whole

T = TypeVar("T")


def find_json(body: bytes, headers: Mapping[str, str], *, field: str, sender: str) -> bytes:
    """The JSON text: the form field ``field`` of a multipart body, else the whole body, whatever type it claims.

    Parts after the field are not looked at: they hold pictures. Raises BadAnswer.
    """
    if len(body) > LARGEST_BODY:
        raise refuse(sender, f"it has {len(body):,} bytes")
    kind, options = _read_type(headers.get("content-type", ""))
    text = _find_field(body, options.get("boundary", ""), field, sender) if "multipart" in kind else body
    if len(text) > LARGEST_TEXT:
        raise refuse(sender, f"its text has {len(text):,} bytes")
    return text.removeprefix(b"\xef\xbb\xbf")


def decode_posted(decoder: msgspec.json.Decoder[T], text: bytes, sender: str) -> T:
    """Decode; raises BadAnswer for broken JSON, another shape, and nesting without end."""
    try:
        return decoder.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise refuse(sender, str(error)[:160]) from error
    except RecursionError as error:
        raise refuse(sender, "it is nested too deeply") from error


def refuse(sender: str, why: str) -> BadAnswer:
    """The error for a body that ``sender`` would not send."""
    return BadAnswer(
        f"What came is not a webhook of {sender}: {why}.",
        hint=f"Does {sender} send to the address of this connection, and nothing else does?",
    )


def _read_type(header: str) -> tuple[str, dict[str, str]]:
    kind, options = multipart.parse_options_header(header[:1000])
    return kind.lower(), options


def _find_field(body: bytes, boundary: str, field: str, sender: str) -> bytes:
    try:
        parser = multipart.PushMultipartParser(boundary, max_segment_count=MOST_PARTS)
        wanted, found = False, list[bytes]()
        for event in parser.parse(body):
            if isinstance(event, multipart.MultipartSegment):
                wanted = event.name == field
            elif event is not None and wanted:
                found.append(event)
            elif wanted:
                return b"".join(found)
    except (multipart.MultipartError, UnicodeError) as error:
        raise refuse(sender, f"its form is broken ({str(error)[:100]})") from error
    raise refuse(sender, f"its form has no whole field {field!r}")
