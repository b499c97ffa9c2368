"""Emby's webhooks: recorded and made payloads give the right user, item and kind of event."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from playhead.adapters.emby.webhook import read_webhook
from playhead.ports.events import Event, Heard
from tests.posting import PICTURE, post_form, post_json
from tests.truth import truth_path

USER = "6ebbd48035ba48a1bf645470b6bdea30"


def recorded(name: str) -> Any:
    return json.loads(truth_path("webhooks", "emby", name).read_bytes())


def read_both_ways(payload: Any) -> Event:
    """As 4.9 sends JSON and as 4.8 sends a form: both say the same."""
    (as_json,) = read_webhook(*post_json(payload))
    text = json.dumps(payload).encode()
    for quoted in (True, False):
        form = post_form("data", text, picture=PICTURE if quoted else None, quoted=quoted)
        assert read_webhook(*form) == (as_json,)
    return as_json


def make_payload(event: str, kind: str = "Episode", **more: Any) -> dict[str, Any]:
    return {
        "Title": "x",
        "Date": "2026-04-17T04:17:33.3548468Z",
        "Event": event,
        "User": {"Name": "anna", "Id": USER},
        "Item": {"Name": "One", "Id": "240270", "Type": kind, "Path": "/x.mkv"},
        "Server": {"Name": "cabin", "Id": "1e42", "Version": "4.8.8.0"},
        **more,
    }


def test_the_recorded_mark() -> None:
    """Marked by hand on 4.9.3."""
    assert read_both_ways(recorded("reduced-item.markplayed-4.9.3.0.json")) == Event(
        source="webhook",
        what=Heard.marked,
        name="item.markplayed",
        native_ids=("episode-1",),
        user_id="user-1",
        user_name="Sample User",
        server_id="server-1",
        at=1776399453,
    )


def test_the_recorded_test() -> None:
    """The button on 4.9.1."""
    event = read_both_ways(recorded("system.webhooktest-4.9.1.10.json"))
    assert (event.what, event.name, event.user_name, event.native_ids) == (
        Heard.test,
        "system.webhooktest",
        "user",
        (),
    )


@pytest.mark.parametrize(
    "file", ["awembypush-4.8.8.0-library.new-episodes.json", "awembypush-4.8.8.0-library.new-movies.json"]
)
def test_the_recorded_new_items(file: str) -> None:
    """Every one names its item and server, and no user."""
    payloads = [payload for group in recorded(file).values() for payload in group]
    assert payloads
    for payload in payloads:
        event = read_both_ways(payload)
        assert event.what is Heard.library
        assert event.native_ids == (payload["Item"]["Id"],)
        assert (event.user_id, event.user_name) == (None, None)
        assert event.server_id == "1e42f547a683452097426ca9d044a2d9"
        assert event.at is not None and 1719395180 <= event.at <= 1719396625


@pytest.mark.parametrize(
    "name, what",
    [
        ("playback.start", Heard.playing),
        ("playback.unpause", Heard.playing),
        ("playback.pause", Heard.stopped),
        ("playback.stop", Heard.stopped),
        ("playback.scrobble", Heard.marked),
        ("item.markplayed", Heard.marked),
        ("item.markunplayed", Heard.marked),
        ("item.rate", Heard.rated),
        ("item.unrate", Heard.rated),
        ("library.deleted", Heard.library),
        ("livetv.recordingstarted", Heard.other),
    ],
)
def test_each_event_of_an_episode(name: str, what: Heard) -> None:
    """The position comes from PlaybackInfo, for playback events carry no user data."""
    event = read_both_ways(
        make_payload(
            name, PlaybackInfo={"PositionTicks": 619999999, "PlayedToCompletion": False}, Session={"Id": "s1"}
        )
    )
    assert (event.what, event.name, event.user_id, event.session) == (what, name, USER, "s1")
    assert event.native_ids == (("240270",) if name.partition(".")[0] != "livetv" else event.native_ids)
    assert event.position_s == 61


@pytest.mark.parametrize("name", ["user.authenticated", "system.updateavailable", "plugins.plugininstalled"])
def test_events_of_the_server_itself_are_not_ours(name: str) -> None:
    """They carry no item."""
    payload = make_payload(name)
    del payload["Item"]
    event = read_both_ways(payload)
    assert (event.what, event.native_ids) == (Heard.other, ())


def test_grouped_episodes_come_as_their_season() -> None:
    """The library is to be looked at; a season is no item to be read."""
    event = read_both_ways(make_payload("library.new", "Season"))
    assert (event.what, event.native_ids) == (Heard.library, ())


@pytest.mark.parametrize("kind", ["Audio", "MusicAlbum", "TvChannel", "Series"])
def test_what_is_no_movie_or_episode_is_not_ours(kind: str) -> None:
    """Music, live television; a whole series comes with its episodes."""
    assert read_both_ways(make_payload("playback.stop", kind)).what is Heard.other


@pytest.mark.parametrize(
    "name",
    [
        *(
            "user.authenticated",
            "user.authenticationfailed",
            "user.created",
            "user.deleted",
            "user.lockedout",
        ),
        *(
            "user.passwordchanged",
            "user.policyupdated",
            "system.serverrestartrequired",
            "system.serverstartup",
        ),
        *("system.updateavailable", "plugins.pluginupdated", "livetv.timercreated", "livetv.recordingended"),
        *("devices.cameraimageuploaded", "external.externalnotification", "tasks.failed", "library.update"),
    ],
)
def test_every_other_kind_is_not_ours(name: str) -> None:
    """With an item or without: counted by its name."""
    event = read_both_ways({**make_payload(name), "Severity": "Info", "Description": None})
    assert (event.what, event.name) == (Heard.other, name)


@pytest.mark.parametrize(
    "odd",
    [
        {"PlaybackInfo": {"PositionTicks": -1}},
        {"PlaybackInfo": {"PositionTicks": None}},
        {"PlaybackInfo": {"PositionTicks": ""}},
        {"PlaybackInfo": [], "Session": "", "Server": None},
        {"Date": "Freitag, 13. Juni 2025 19:17"},
        {"User": {"Name": "x" * 300, "Id": USER}},
    ],
)
def test_an_odd_member_hides_no_event(odd: dict[str, Any]) -> None:
    """It is taken as not told; times are in the server's language only in the description."""
    event = read_both_ways(make_payload("playback.stop", **odd))
    assert (event.what, event.native_ids, event.user_id) == (Heard.stopped, ("240270",), USER)
    assert event.position_s is None


def test_a_form_in_the_way_of_addresses() -> None:
    """``data=...``, as some relays pass it on."""
    body = urlencode(
        {"data": json.dumps({"Event": "library.new", "Item": {"Id": "7", "Type": "Movie"}})}
    ).encode()
    (event,) = read_webhook(body, {"content-type": "application/x-www-form-urlencoded; charset=utf-8"})
    assert (event.what, event.native_ids) == (Heard.library, ("7",))
