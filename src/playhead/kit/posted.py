"""What servers post to us: the JSON text in a body, taken out of the form it came in, and decoded into a declared shape.

A member of an unknown form is taken for absent: a server may write one oddly, and the event is still heard. What lacks the
shape's required members is a BadAnswer that says what was wrong, never with a value that was sent. Time is linear in the
body, memory a small multiple of it; what is larger than any server sends is refused unread. Knows no server.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, TypeVar, cast, get_args
from urllib.parse import parse_qsl

import msgspec
import multipart  # type: ignore[import-untyped]
from msgspec import Meta

from playhead.kit.decoding import decode_json, mend_text
from playhead.ports.errors import BadAnswer

LARGEST_BODY = 10 * 1024 * 1024  # with a picture
LARGEST_TEXT = 1024 * 1024  # of the JSON in it
MOST_PARTS = 16
MOST_FIELDS = 1000  # of a form without parts

# Members of what was posted, bounded: they are stored, counted and shown.
Text = Annotated[str, Meta(max_length=200)]
Whole = Annotated[int, Meta(ge=0, le=2**53)]
Real = Annotated[float, Meta(ge=0, le=2.0**53)]
NativeId = Annotated[str, Meta(max_length=100)] | Whole

T = TypeVar("T")

_MARK = b"\xef\xbb\xbf"
_FIELDS = "application/x-www-form-urlencoded"
_NOTHING = object()
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def find_json(body: bytes, headers: Mapping[str, str], *, field: str, sender: str) -> bytes:
    """The JSON text: the form field ``field`` of a form, else the whole body, whatever type it claims.

    Parts after the field are not looked at: they hold pictures. Raises BadAnswer.
    """
    if len(body) > LARGEST_BODY:
        raise refuse(sender, f"it has {len(body):,} bytes")
    kind, options = _read_type(headers.get("content-type", ""))
    if "multipart" in kind:
        text = _find_field(body, options.get("boundary", ""), field, sender)
    elif (fields := read_fields(body, headers, sender)) is not None:
        if field not in fields:
            raise refuse(sender, f"its form has no field {field!r}")
        text = fields[field].encode("utf-8", "replace")
    else:
        text = body
    if len(text) > LARGEST_TEXT:
        raise refuse(sender, f"its text has {len(text):,} bytes")
    return text.removeprefix(_MARK)


def read_fields(body: bytes, headers: Mapping[str, str], sender: str) -> dict[str, str] | None:
    """The fields of a form in the way of addresses (``a=1&b=2``); None for every other body, also for JSON that goes by its
    name. Raises BadAnswer."""
    kind, _ = _read_type(headers.get("content-type", ""))
    if kind != _FIELDS or len(body) > LARGEST_TEXT or body.removeprefix(_MARK).lstrip()[:1] in (b"{", b"["):
        return None
    try:
        return dict(parse_qsl(body.decode("utf-8", "replace"), True, max_num_fields=MOST_FIELDS))
    except ValueError as error:
        raise refuse(sender, f"its form has more than {MOST_FIELDS} fields") from error


def decode_posted(decoder: msgspec.json.Decoder[T], text: bytes, sender: str) -> T:
    """Decode, the text mended where it is no JSON, members of an unknown form as absent. Raises BadAnswer for broken JSON,
    another shape and nesting without end."""
    try:
        return decode_json(decoder, text)
    except msgspec.ValidationError as error:
        small = len(text) <= LARGEST_TEXT
        found = _decode_loosely(decoder.type, mend_text(text), decoder.strict) if small else _NOTHING
        if found is _NOTHING:
            raise refuse(sender, str(error)[:160]) from error
        return cast(T, found)
    except msgspec.DecodeError as error:
        raise refuse(sender, str(error)[:160]) from error


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


def _decode_loosely(kind: Any, text: bytes | msgspec.Raw, strict: bool) -> Any:
    """A struct, or a list of them, of the members that have their declared form; nothing where a required one lacks."""
    try:
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            return _decode_struct(kind, text, strict)
        if getattr(kind, "__origin__", None) is list:
            rows = msgspec.json.decode(text, type=list[msgspec.Raw])
            found = (_decode_member(get_args(kind)[0], row, strict) for row in rows)
            return [row for row in found if row is not _NOTHING]
    except _UNREADABLE:
        pass
    return _NOTHING


def _decode_struct(kind: type[msgspec.Struct], text: bytes | msgspec.Raw, strict: bool) -> Any:
    told = msgspec.json.decode(text, type=_loosen(kind))
    values = {}
    for field in msgspec.structs.fields(kind):
        raw = getattr(told, field.name)
        value = _decode_member(field.type, raw, strict) if raw is not None else _NOTHING
        if value is not _NOTHING:
            values[field.name] = value
        elif field.required:
            return _NOTHING
    return kind(**values)


def _decode_member(kind: Any, raw: msgspec.Raw, strict: bool) -> Any:
    try:
        return msgspec.json.decode(raw, type=kind, strict=strict)
    except _UNREADABLE:
        found = (_decode_loosely(part, raw, strict) for part in (kind, *get_args(kind)))
        return next((value for value in found if value is not _NOTHING), _NOTHING)


@cache
def _loosen(kind: type[msgspec.Struct]) -> type[msgspec.Struct]:
    """The same members, unread."""
    names = [(field.name, msgspec.Raw, None) for field in msgspec.structs.fields(kind)]
    return msgspec.defstruct(f"Loose{kind.__name__}", names)
