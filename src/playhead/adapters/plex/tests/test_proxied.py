"""What a proxy's lines tell: which items, what happened to them, and who asked; whatever else passes is counted as not ours."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from playhead.adapters.plex.proxied import MOST_ITEMS, read_proxied
from playhead.ports.callers import Credential
from playhead.ports.events import Event, Heard


def read(*lines: dict[str, Any]) -> list[Event]:
    body = "\n".join(json.dumps({"v": 1, "status": 200, **line}) for line in lines)
    return [each.event for each in read_proxied(body.encode())]


@pytest.mark.parametrize(
    ("line", "what", "name"),
    [
        ({"uri": "/:/scrobble?key=7&identifier=com.plexapp.plugins.library"}, Heard.marked, "proxy.scrobble"),
        ({"uri": "/:/unscrobble?key=7"}, Heard.marked, "proxy.unscrobble"),
        ({"uri": "/:/unscrobble/?key=7"}, Heard.marked, "proxy.unscrobble"),
        ({"uri": "/%3A/scrobble?key=7"}, Heard.marked, "proxy.scrobble"),
        ({"uri": "/:/rate?key=7&rating=8", "method": "PUT"}, Heard.rated, "proxy.rate"),
        ({"uri": "/:/progress?key=7&time=60000&state=stopped"}, Heard.stopped, "proxy.progress"),
        ({"uri": "/:/timeline?ratingKey=7&state=playing&time=1"}, Heard.playing, "proxy.timeline"),
        ({"uri": "/:/timeline?ratingKey=7&state=paused&time=1"}, Heard.stopped, "proxy.timeline"),
        ({"uri": "/:/timeline?key=%2Flibrary%2Fmetadata%2F7&state=stopped"}, Heard.stopped, "proxy.timeline"),
        ({"uri": "/:/scrobble?uri=server%3A%2F%2Fm1%2Fcom.plexapp%2Flibrary%2Fmetadata%2F7"}, Heard.marked, "proxy.scrobble"),
        ({"uri": "/:/scrobble", "method": "POST", "body": "key=7"}, Heard.marked, "proxy.scrobble"),
        ({"uri": "/:/rate", "method": "PUT", "body": '{"key": 7, "rating": 8.0}'}, Heard.rated, "proxy.rate"),
        (
            {"uri": "/:/timeline", "body": '<MediaContainer><Timeline state="stopped" ratingKey="7" time="60000"/>'},
            Heard.stopped,
            "proxy.timeline",
        ),
        ({"uri": "/:/scrobble?key=7", "status": 499}, Heard.marked, "proxy.scrobble"),
        ({"uri": "/:/scrobble?key=7", "status": 502}, Heard.marked, "proxy.scrobble"),
    ],
)  # fmt: skip
def test_what_a_client_asks_for(line: dict[str, Any], what: Heard, name: str) -> None:
    """In the query or the body, by any method; also where the client did not wait for the answer."""
    [event] = read(line)
    assert (event.source, event.what, event.name, event.native_ids) == ("proxy", what, name, ("7",))


@pytest.mark.parametrize(
    "line",
    [
        {"uri": "/:/scrobble?key=7", "status": 401},
        {"uri": "/:/scrobble?key=7", "status": "404"},
        {"uri": "/:/scrobble"},
        {"uri": "/:/scrobble?key=seven"},
        {"uri": "/:/scrobble?key=7&identifier=com.plexapp.plugins.other"},
        {"uri": "/library/metadata/7"},
        {"uri": "/:/scrobbled?key=7"},
        {"uri": "http://["},
        {"uri": "/:/rate", "body": "[" * 100_000},
        {"uri": "/:/rate", "body": "{" * 100_000},
    ],
)
def test_what_changed_nothing_is_not_ours(line: dict[str, Any]) -> None:
    """Refused by the server, about no item, or another request."""
    [event] = read(line)
    assert (event.what, event.native_ids) == (Heard.other, ())


def test_broken_lines_hold_up_nobody() -> None:
    """One event a line, in order; the whole line after a torn one counts."""
    body = (
        b'{"uri": "/:/scrobble?key=1"}\n{"uri": "/:/scro\n\xff\xfe\n[]\n7\n{"uri": "/:/scrobble?key=2"}\n\n'
    )
    events = [each.event for each in read_proxied(body)]
    assert [event.native_ids for event in events] == [("1",), (), (), (), (), ("2",)]
    assert [event.name for event in events][1:5] == ["proxy.unreadable"] * 4
    assert read_proxied(b"") == ()
    assert read_proxied(b'{"uri": "' + b"x" * 300_000 + b'"}')[0].event.name == "proxy.unreadable"


def test_times_and_positions() -> None:
    [event] = read({"uri": "/:/timeline?ratingKey=7&state=stopped&time=61999", "at": 1700000000.123})
    assert (event.at, event.position_s) == (1_700_000_000, 61)
    [event] = read({"uri": "/:/timeline?ratingKey=7&state=stopped&time=-1", "at": "soon"})
    assert (event.at, event.position_s) == (None, None)


def test_several_items_are_told_apart_and_bounded() -> None:
    assert read({"uri": "/:/scrobble?key=7,8,7"})[0].native_ids == ("7", "8")
    many = ",".join(map(str, range(1000)))
    assert len(read({"uri": f"/:/scrobble?key={many}"})[0].native_ids) == MOST_ITEMS


@pytest.mark.parametrize(
    "line",
    [
        {"uri": "/:/scrobble?key=7", "token": "t", "client": "c"},
        {"uri": "/:/scrobble?key=7", "token": "t", "identifier": "c"},
        {"uri": "/:/scrobble?key=7&X-Plex-Token=t&X-Plex-Client-Identifier=c"},
        {"uri": "/:/scrobble?key=7&X-Plex-Token=t", "token": "of the header", "client": "c"},
        {"uri": "/:/scrobble", "body": "key=7&X-Plex-Token=t&X-Plex-Client-Identifier=c"},
    ],
)
def test_who_asked(line: dict[str, str]) -> None:
    """By header, query or body; the query wins as in Plex Cluster. It is not in the event."""
    [read] = read_proxied(json.dumps(line).encode())
    assert read.credential == Credential("t", "c")
    assert read.event.caller is None and b'"t"' not in msgspec.json.encode(read.event)


def test_plex_clusters_own_line_is_understood() -> None:
    """As its nginx writes it: status as text, the app as ``identifier``."""
    line = {
        "remote_addr": "10.0.0.9",
        "proxy_add_x_forwarded_for": "10.0.0.9",
        "host": "plex1.example.org:32400",
        "method": "GET",
        "uri": "/:/timeline?ratingKey=7&state=stopped&time=60000&X-Plex-Token=t",
        "token": "",
        "identifier": "app",
        "status": "200",
    }
    [read] = read_proxied(json.dumps(line).encode())
    assert (read.event.what, read.event.native_ids, read.host) == (Heard.stopped, ("7",), line["host"])
    assert read.credential == Credential("t", "app")


def test_live_television_is_not_ours() -> None:
    """As an Android client reports it; its rating key is no item's of a library."""
    uri = "/:/timeline?ratingKey=133276&key=%2Flivetv%2Fsessions%2Fae71d39b&state=playing&time=10045&duration=900000"
    [read] = read_proxied(json.dumps({"uri": uri, "token": "t"}).encode())
    assert (read.event.what, read.event.native_ids) == (Heard.other, ())
