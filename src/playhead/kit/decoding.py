"""JSON as real servers send it: what is wrong with the text of an answer is mended, and a member that cannot be read costs that
member alone.

Plex cuts long titles in the middle of a letter and hands on what stands in files, so that an answer may be no UTF-8, and junk
dates, negative or beyond all bounds, come from there, too (public reports of several other clients). Knows no server; what a
member that is not known means is decided where it is translated.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, TypeVar, get_args, get_origin

import msgspec
from msgspec import NODEFAULT

T = TypeVar("T")
S = TypeVar("S", bound=msgspec.Struct)
NONE_NEEDED: frozenset[str] = frozenset()

_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ROWS = msgspec.json.Decoder(list[msgspec.Raw])
_BOM = "\ufeff"
_CONTROL = dict.fromkeys(range(0x20), " ")
# Escapes one after another, so that a backslash that is itself escaped begins none; a pair of surrogates is whole.
_ESCAPE = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[dD][89a-fA-F][0-9a-fA-F]{2}|.)"
)
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_HALF = re.compile(r"\\u[dD][89a-fA-F]..\Z")


def decode_json(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """Decode, and once more with its text mended where it is no JSON. Raises msgspec.DecodeError."""
    try:
        return decoder.decode(body)
    except msgspec.ValidationError:
        raise  # the text is well; it says something else
    except RecursionError as error:
        raise msgspec.DecodeError("it is nested too deeply") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        try:
            return decoder.decode(mend_text(body))
        except msgspec.ValidationError:
            raise
        except msgspec.DecodeError:
            raise msgspec.DecodeError(str(error)) from error  # what was sent is told, not what became of it


def mend_text(body: bytes) -> bytes:
    """The same text as UTF-8, without a byte order mark, raw control characters and halves of surrogate pairs."""
    text = body.decode("utf-8", "replace").removeprefix(_BOM)
    text = text.translate(_CONTROL)
    if _SURROGATE.search(text):
        text = _ESCAPE.sub(lambda each: "\\ufffd" if _HALF.match(each[0]) else each[0], text)
    return text.encode()


def decode_leniently(
    decoder: msgspec.json.Decoder[T], body: bytes, needed: frozenset[str] = NONE_NEEDED
) -> T:
    """As ``decode_members`` where the shape is a struct or a list of them and the answer does not fit it as it is."""
    try:
        return decode_json(decoder, body)
    except msgspec.ValidationError:
        inner, many = _find_struct(decoder.type)
        if inner is None:
            raise
        found: Any = _read_struct(inner, many, body, needed)
        return found  # type: ignore[no-any-return]


def decode_members(shape: type[S], body: bytes, needed: frozenset[str] = NONE_NEEDED) -> S:
    """One object, member by member: what may be None and cannot be read is None, what has another default has that for null; the
    same in the structs within it and in its lists of them. Else, and where it is ``needed``, the whole is unreadable; no list is
    taken for an empty one. Raises msgspec.DecodeError."""
    told = decode_json(_OBJECT, body)
    values: dict[str, Any] = {}
    for member in _list_members(shape):
        raw = bytes(told.get(member.told_as, b""))
        if not raw or (raw == b"null" and member.has_default and not member.optional):
            continue
        try:
            values[member.name] = decode_json(member.decoder, raw)
        except msgspec.DecodeError:
            if member.told_as in needed:
                raise
            values[member.name] = _read_member(member, raw)
    try:
        return shape(**values)
    except TypeError as error:
        raise msgspec.DecodeError(str(error)) from error


class _Member(msgspec.Struct, frozen=True):
    """A member of a shape and how it is decoded. ``inner`` is the struct in it, if there is one, ``many`` a list of them."""

    name: str
    told_as: str
    decoder: Any
    optional: bool
    has_default: bool
    inner: Any
    many: bool


@lru_cache(maxsize=128)
def _list_members(shape: type[msgspec.Struct]) -> tuple[_Member, ...]:
    found = []
    for field in msgspec.structs.fields(shape):
        inner, many = _find_struct(field.type)
        optional = type(None) in get_args(field.type)
        has_default = field.default is not NODEFAULT or field.default_factory is not NODEFAULT
        decoder = msgspec.json.Decoder(field.type, strict=False)
        found.append(_Member(field.name, field.encode_name, decoder, optional, has_default, inner, many))
    return tuple(found)


def _find_struct(kind: Any) -> tuple[type[msgspec.Struct] | None, bool]:
    """The struct in a type, and whether it is one of a list."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return kind, False
    if get_origin(kind) is list:
        return _find_struct(get_args(kind)[0])[0], True
    found = (_find_struct(each) for each in get_args(kind) if get_origin(kind) is not dict)
    return next((each for each in found if each[0] is not None), (None, False))


def _read_member(member: _Member, raw: bytes) -> Any:
    try:
        if member.inner is None:
            raise msgspec.ValidationError(f"{member.told_as} has another form")
        return _read_struct(member.inner, member.many, raw)
    except msgspec.DecodeError:
        if member.optional and not member.many:
            return None
        raise


def _read_struct(shape: type[S], many: bool, raw: bytes, needed: frozenset[str] = NONE_NEEDED) -> S | list[S]:
    if not many:
        return decode_members(shape, raw, needed)
    return [decode_members(shape, bytes(row), needed) for row in decode_json(_ROWS, raw)]
