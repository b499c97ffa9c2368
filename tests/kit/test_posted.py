"""What is posted in one form or another is the same JSON, and one odd member does not hide the others."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from playhead.kit.posted import LARGEST_TEXT, Text, Whole, decode_posted, find_json, read_fields
from playhead.ports.errors import BadAnswer
from tests.posting import post_form

TYPE = "application/x-www-form-urlencoded"


class Item(msgspec.Struct):
    id: Text | Whole | None = None
    at: Whole | None = None


class Post(msgspec.Struct):
    event: Text
    item: Item | None = None
    rows: list[Item] = []


POST = msgspec.json.Decoder(Post, strict=False)


def decode(value: Any) -> Post:
    return decode_posted(POST, json.dumps(value).encode(), "Plex")


@pytest.mark.parametrize(
    "odd, read",
    [
        ({"id": "7", "at": -1}, Item("7", None)),
        ({"id": "7", "at": ""}, Item("7", None)),
        ({"id": "x" * 300, "at": "61"}, Item(None, 61)),
        ({"id": ["7"], "at": 61}, Item(None, 61)),
        ([], None),
        ("7", None),
    ],
)
def test_a_member_of_an_unknown_form_is_absent(odd: Any, read: Item | None) -> None:
    """Its neighbours are read, in objects and in lists."""
    assert decode({"event": "stop", "item": odd}) == Post("stop", read)
    rows = decode({"event": "stop", "rows": [odd, 5, {"id": "8"}]}).rows
    assert rows == [*([read] if read else []), Item("8")]


@pytest.mark.parametrize(
    "value",
    [{"event": 5}, {"item": {"id": "7"}}, {"event": ["stop"]}, [], "stop", None, {"event": "x" * 300}],
)
def test_what_lacks_a_required_member_is_refused(value: Any) -> None:
    """And anything but an object."""
    with pytest.raises(BadAnswer, match="not a webhook of Plex"):
        decode(value)


@pytest.mark.parametrize(
    "body", [b"a=1&data=%7B%22event%22%3A%22stop%22%7D", b"data=%7B%22event%22:%22stop%22}"]
)
@pytest.mark.parametrize("header", [TYPE, f"{TYPE}; charset=UTF-8"])
def test_a_form_in_the_way_of_addresses_has_the_field(body: bytes, header: str) -> None:
    """As relays and some programs send it."""
    text = find_json(body, {"content-type": header}, field="data", sender="Emby")
    assert decode_posted(POST, text, "Emby") == Post("stop")


def test_json_under_the_name_of_a_form_is_json() -> None:
    """As curl sends it unless it is told otherwise."""
    body = b'\xef\xbb\xbf {"event":"stop&data=1"}'
    assert read_fields(body, {"content-type": TYPE}, "Emby") is None
    assert decode_posted(POST, find_json(body, {"content-type": TYPE}, field="data", sender="Emby"), "Emby")


@pytest.mark.parametrize("body", [b"", b"a=1", b"&" * 5000, b"a=1&" * 5000, b"\xff\xfe=%ff"])
def test_a_form_without_the_field_is_refused(body: bytes) -> None:
    """Nor is one with thousands of fields read."""
    with pytest.raises(BadAnswer, match="its form has"):
        find_json(body, {"content-type": TYPE}, field="data", sender="Emby")


@pytest.mark.parametrize("cut", [b"caf\xe9", b"caf\xc3", b"\xf0\x9f\x98"])
def test_a_text_cut_in_a_letter_is_read(cut: bytes) -> None:
    """What the letter was is lost, and nothing else."""
    post = decode_posted(POST, b'{"event":"stop","item":{"id":"' + cut + b'","at":61}}', "Plex")
    assert post.item is not None
    assert (post.event, post.item.at) == ("stop", 61)
    assert "\ufffd" in str(post.item.id)


def test_a_raw_control_character_hides_no_event() -> None:
    """As in titles that were taken from files; beside an odd member, too."""
    post = decode_posted(POST, b'{"event":"stop","item":{"id":"a\tb\x01","at":-1}}', "Plex")
    assert post == Post("stop", Item("a b ", None))


def test_a_large_text_is_not_read_a_second_time() -> None:
    """What is large and odd is refused: reading it member by member is for what servers send."""
    body = {"event": "stop", "item": [], "rows": [{"id": "x" * 190}] * (LARGEST_TEXT // 190)}
    with pytest.raises(BadAnswer):
        decode(body)


@pytest.mark.parametrize("boundary", ["-" * 26 + "j4fqHSAc9FtAnWDn0DyJIL", "q'()+_,-./:=?", "Boundary-7A 3"])
def test_any_boundary_will_do(boundary: str) -> None:
    """In quotation marks or not, as curl and .NET choose theirs."""
    quoted = " " not in boundary and not set(boundary) & set("(),/:=?")
    for bare in {quoted, False}:
        body, headers = post_form("data", b'{"event":"stop"}', boundary=boundary, quoted=bare)
        text = find_json(body, headers, field="data", sender="Emby")
        assert decode_posted(POST, text, "Emby") == Post("stop")


def test_the_picture_may_come_first() -> None:
    """The field is found wherever it stands."""
    body = (
        b'--q\r\nContent-Disposition: form-data; name="thumb"; filename="thumb.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'
        b"\xff\xd8\r\n--\r\n--Q\r\n\r\n--q\r\nContent-Type: application/json\r\n"
        b'Content-Disposition: form-data; name="data"; filename="p.json"\r\n\r\n{"event":"stop"}\r\n--q--\r\n'
    )
    headers = {"content-type": "Multipart/Form-Data; charset=utf-8; Boundary=q"}
    assert decode_posted(POST, find_json(body, headers, field="data", sender="Emby"), "Emby") == Post("stop")
