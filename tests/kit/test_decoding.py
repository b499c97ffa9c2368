"""Answers that are not quite what an API promises: what is mended, what is left unknown, and what stays an error."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playhead.kit.decoding import decode_json, decode_leniently, decode_members, mend_text

ANYTHING = msgspec.json.Decoder()


class Inner(msgspec.Struct):
    key: str
    date: int | None = None


class Shape(msgspec.Struct):
    id: str
    name: str = ""
    year: int | None = None
    inner: Inner | None = None
    rows: list[Inner] | None = None


SHAPE = msgspec.json.Decoder(Shape, strict=False)
SHAPES = msgspec.json.Decoder(list[Shape], strict=False)


@pytest.mark.parametrize(
    ("body", "read"),
    [
        (b'{"title":"\xe8\xaf"}', "\ufffd"),  # a letter cut in two
        (b'{"title":"caf\xe9"}', "caf\ufffd"),  # a file name in Latin-1
        (b'{"title":"a\x0bb"}', "a b"),
        (b'\xef\xbb\xbf{"title":"a"}', "a"),
        (b'{"title":"\\ud83d"}', "\ufffd"),  # half of a pair
        (b'{"title":"\\ud83d\\ude00\\ude00"}', "\U0001f600\ufffd"),
        (b'{"title":"\\\\ud83d\xff"}', "\\ud83d\ufffd"),  # no escape, but a backslash and letters
    ],
)
def test_broken_text_is_mended(body: bytes, read: str) -> None:
    """The rest of the answer is not lost with one letter."""
    assert decode_json(ANYTHING, body) == {"title": read}


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"title":', b"{'a':1}", b'{"a":' + b"[" * 100_000])
def test_what_is_no_json_stays_an_error(body: bytes) -> None:
    """Also what is nested without end."""
    with pytest.raises(msgspec.DecodeError):
        decode_json(ANYTHING, body)


SCALARS = st.none() | st.booleans() | st.integers(-9, 9) | st.text()


@given(st.recursive(SCALARS, lambda each: st.lists(each) | st.dictionaries(st.text(), each)))
def test_sound_text_is_not_changed_by_mending(value: Any) -> None:
    """Whatever is in it, escaped or not."""
    for escaped in (True, False):
        body = json.dumps(value, ensure_ascii=escaped).encode("utf-8", "surrogatepass")
        assert json.loads(mend_text(body)) == json.loads(body.decode("utf-8", "surrogatepass"))


def test_a_member_that_cannot_be_read_is_not_known() -> None:
    """At any depth; null stands for the default of what cannot be None."""
    told = {"id": "1", "name": None, "year": "soon", "inner": {"key": "k", "date": []}, "more": 1}
    assert decode_leniently(SHAPE, json.dumps(told).encode()) == Shape("1", inner=Inner("k"))
    told = {"id": "1", "inner": 5, "rows": [{"key": "k", "date": -1.5}]}
    assert decode_leniently(SHAPES, json.dumps([told]).encode()) == [Shape("1", rows=[Inner("k")])]


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"id": None},
        {"id": 5},
        {"id": "1", "name": 5},
        {"id": "1", "rows": 5},
        {"id": "1", "rows": [{}]},
        {"id": "1", "rows": [5]},
        5,
        [],
    ],
)
def test_what_must_be_there_is_not_made_up(told: Any) -> None:
    """Nor is a list that cannot be read taken for an empty one."""
    with pytest.raises(msgspec.DecodeError):
        decode_leniently(SHAPE, json.dumps(told).encode())


def test_a_needed_member_must_be_readable() -> None:
    """Though it may be absent."""
    assert decode_members(Shape, b'{"id":"1","year":"soon"}') == Shape("1")
    assert decode_members(Shape, b'{"id":"1"}', frozenset({"year"})) == Shape("1")
    with pytest.raises(msgspec.DecodeError):
        decode_members(Shape, b'{"id":"1","year":"soon"}', frozenset({"year"}))
