"""What comes to a webhook's address is read or refused with BadAnswer, in linear time, whatever somebody sends."""

from __future__ import annotations

import json
import time
import tracemalloc
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playhead.adapters import find_manifests
from playhead.ports.errors import BadAnswer
from playhead.ports.events import Event, Heard
from tests.posting import post_form, post_json

from .rig import load_harness

FORM = {"content-type": "multipart/form-data; boundary=q"}
TEN_MB = 10 * 1024 * 1024
Read = Callable[[bytes, Mapping[str, str]], tuple[Event, ...]]

SENDERS = [name for name, manifest in find_manifests().items() if manifest.webhook]
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=10**18, max_value=10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=30)
    | st.sampled_from(["", "True", "-1", "1e400", "\x00", "2026-13-40", "tautulli", "movie", "Episode"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=6,
)


def reader(name: str) -> Read:
    module, _, function = (find_manifests()[name].webhook or "").partition(":")
    found: Read = getattr(import_module(module), function)
    return found


def sample_of(name: str) -> tuple[str, dict[str, Any]]:
    """``WEBHOOK`` of the adapter's harness; every member of it is replaced by anything below."""
    harness = load_harness(find_manifests()[name])
    if not hasattr(harness, "WEBHOOK"):
        pytest.fail(
            f"{name} reads webhooks; write WEBHOOK, a plausible post, in its tests/harness.py", pytrace=False
        )
    found: tuple[str, dict[str, Any]] = harness.WEBHOOK
    return found


def paths(value: Any, here: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """The places in a post, its root included."""
    inner = value.items() if isinstance(value, dict) else ()
    return [here, *(place for key, below in inner for place in paths(below, (*here, key)))]


def put(value: Any, place: tuple[str, ...], new: Any) -> Any:
    if not place:
        return new
    return {**value, place[0]: put(value[place[0]], place[1:], new)}


def read_or_refuse(name: str, body: bytes, headers: Mapping[str, str]) -> tuple[Event, ...] | None:
    """Events, each fit to be stored; None for BadAnswer. Anything else escapes and fails the test."""
    try:
        events = reader(name)(body, headers)
    except BadAnswer as error:
        assert error.hint
        assert len(str(error)) < 600, "what was sent does not stand in the message"
        return None
    for event in events:
        json.dumps([event.name, event.user_name, event.native_ids, event.at, event.position_s])
        told = (event.name, event.user_id, event.user_name, event.server_id, event.session, *event.native_ids)
        assert all(text is None or len(text) <= 250 for text in told)
        assert all(number is None or abs(number) < 2**53 for number in (event.at, event.position_s))
    return events


@pytest.mark.parametrize("name", SENDERS)
def test_the_sample_is_read(name: str) -> None:
    """The event names user, item, position; as JSON and as a form."""
    field, sample = sample_of(name)
    (event,) = reader(name)(*post_json(sample))
    assert event.source == "webhook"
    assert event.what in (Heard.stopped, Heard.marked)
    assert event.native_ids
    assert event.user_id
    assert event.user_name
    assert event.position_s == 61
    assert reader(name)(*post_form(field, json.dumps(sample).encode())) == (event,)


@pytest.mark.parametrize("name", SENDERS)
@given(data=st.data())
@settings(max_examples=150)
def test_anything_in_any_member_is_read_or_refused(name: str, data: st.DataObject) -> None:
    """Any JSON value at any place, the root included."""
    field, sample = sample_of(name)
    changed = put(sample, data.draw(st.sampled_from(paths(sample))), data.draw(JSON))
    as_json = read_or_refuse(name, *post_json(changed))
    assert read_or_refuse(name, *post_form(field, json.dumps(changed).encode())) == as_json


@pytest.mark.parametrize("name", SENDERS)
@given(data=st.data())
@settings(max_examples=150)
def test_a_damaged_body_is_read_or_refused(name: str, data: st.DataObject) -> None:
    """Cut, overwritten or lengthened at any place, as JSON or as a form; any headers."""
    field, sample = sample_of(name)
    whole, headers = data.draw(
        st.sampled_from([post_json(sample), post_form(field, json.dumps(sample).encode(), picture=b"JPEG")])
    )
    at = data.draw(st.integers(0, len(whole)))
    body = whole[:at] + data.draw(st.binary(max_size=8)) + whole[at + data.draw(st.integers(0, 40)) :]
    kind = data.draw(st.sampled_from([headers["content-type"], "", "multipart/form-data", "text/plain"]))
    read_or_refuse(name, body, {"content-type": kind})
    read_or_refuse(name, body, {"content-type": data.draw(st.text(max_size=60))})


@pytest.mark.parametrize("name", SENDERS)
@pytest.mark.parametrize(
    "body, headers",
    [
        (b"", {}),
        (b"", FORM),
        (b"{}", {}),
        (b"[]", {}),
        (b"null", {}),
        (b"\xff\xfe\x00", {}),
        (b'{"a": "\\ud800"}', {}),
        (b"[" * 500_000, {}),
        (b'{"a":' * 300_000, {}),
        (b"--q\r\n", FORM),
        (b"--q\r\n\r\n{}", FORM),
        (b'--q\r\nContent-Disposition: form-data; name="other"\r\n\r\n{}\r\n--q--\r\n', FORM),
        (b'--q\r\nContent-Disposition: form-data; name="payload"\r\n\r\n{"event"', FORM),
        (b"{}", {"content-type": "multipart/form-data"}),
        (b"{}", {"content-type": "multipart/form-data; boundary=" + "b" * 5000}),
    ],
    ids=range(15),
)
def test_what_is_no_webhook_is_refused(name: str, body: bytes, headers: dict[str, str]) -> None:
    """With a message that says what was wrong."""
    with pytest.raises(BadAnswer, match="is not a webhook of"):
        reader(name)(body, headers)


# Each is sent in a small and a large size: time and memory must not grow faster than the body.
HOSTILE: dict[str, Callable[[int], tuple[bytes, dict[str, str]]]] = {
    "20 MB": lambda size: (b"x" * size * 2, {}),
    "a huge text": lambda size: (b'{"a":"' + b"x" * size + b'"}', {}),
    "nesting": lambda size: (b'{"a":' * (size // 5), {}),
    "quotes": lambda size: (b'{"a":"' + b'\\"' * (size // 2), {}),
    "backslashes": lambda size: (b'{"a":"' + b"\\" * size, {}),
    "colons": lambda size: (b": " * (size // 2), {}),
    "blanks": lambda size: (b":" + b" " * size, {}),
    "words": lambda size: (b"True" * (size // 4), {}),
    "members": lambda size: (b"{" + b'"a":1,' * (size // 6) + b'"b":1}', {}),
    "numbers": lambda size: (b'{"NotificationType":' + b"9" * size + b"}", {}),
    "parts": lambda size: (
        b'--q\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n' * (size // 51),
        FORM,
    ),
    "headers": lambda size: (b"--q\r\n" + b"A: b\r\n" * (size // 6), FORM),
    "half boundaries": lambda size: (
        b'--q\r\nContent-Disposition: form-data; name="payload"\r\n\r\n' + b"\r\n--" * (size // 4),
        FORM,
    ),
    "returns": lambda size: (b"\r" * size, FORM),
    "a long field": lambda size: (
        b'--q\r\nContent-Disposition: form-data; name="payload"\r\n\r\n' + b"x" * size + b"\r\n--q--",
        FORM,
    ),
}


@pytest.mark.parametrize("name", SENDERS)
@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_bodies_cost_little(name: str, kind: str) -> None:
    """Refused within seconds of CPU and a few times the body's size."""
    for size in (TEN_MB // 11, TEN_MB):
        body, headers = HOSTILE[kind](size)
        tracemalloc.start()
        start = time.process_time()
        assert not read_or_refuse(name, body, headers) or kind in ("a huge text", "members")
        spent, (_, peak) = time.process_time() - start, tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert spent < 5.0  # a quadratic reader would need hours
        assert peak < 3 * len(body) + 1_000_000
