"""Jellyfin's webhook plugin: every recorded post gives the right user, item and kind of event."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

import pytest

from playhead.adapters.jellyfin.webhook import read_webhook
from playhead.ports.errors import BadAnswer
from playhead.ports.events import Event, Heard
from tests.posting import post_json
from tests.truth import truth_path

WATCHER = "6ebbd48035ba48a1bf645470b6bdea30"
MATRIX = "27657e067b46664f6b18c7606bf935e7"

# What each kind of post means, by NotificationType and SaveReason; paused playback apart.
EXPECTED = {
    ("UserDataSaved", "TogglePlayed"): Heard.marked,
    ("UserDataSaved", "UpdateUserData"): Heard.state,
    ("UserDataSaved", "UpdateUserRating"): Heard.rated,
    ("UserDataSaved", "PlaybackStart"): Heard.playing,
    ("UserDataSaved", "PlaybackProgress"): Heard.playing,
    ("UserDataSaved", "PlaybackFinished"): Heard.stopped,
    ("PlaybackStart", ""): Heard.playing,
    ("PlaybackProgress", ""): Heard.playing,
    ("PlaybackStop", ""): Heard.stopped,
    ("ItemAdded", ""): Heard.library,
    ("ItemDeleted", ""): Heard.library,
    ("SessionStart", ""): Heard.other,
    ("AuthenticationFailure", ""): Heard.other,
    ("AuthenticationSuccess", ""): Heard.other,
}


def taped(file: str) -> list[dict[str, Any]]:
    """The posts of a tape: path, headers, body."""
    tape = json.loads(truth_path("recorded", "jellyfin", "12.0.0-real", file).read_bytes())
    return [event for event in tape["events"] if "path" in event]


def read(post: dict[str, Any]) -> Event:
    headers = {name.lower(): value for name, value in post["headers"].items()}
    (event,) = read_webhook(post["body"].encode(), headers)
    return event


@pytest.mark.parametrize("file", ["18-webhook-plugin.json", "22-webhook-items.json"])
def test_every_taped_post_with_all_properties(file: str) -> None:
    """Under text/plain and application/json, with an extra field or not."""
    seen: Counter[Heard] = Counter()
    for post in taped(file):
        if post["path"] == "/tpl":
            continue
        told = json.loads(post["body"])
        event = read(post)
        seen[event.what] += 1
        what = EXPECTED[told["NotificationType"], told.get("SaveReason", "")]
        kind = told.get("ItemType")
        leaf = kind in ("Movie", "Episode")
        if kind in ("Series", "Season") and what is not Heard.library:
            what = Heard.other
        if what is Heard.playing and told.get("IsPaused"):
            what = Heard.stopped
        assert event.what is what, told
        assert event.native_ids == ((told["ItemId"],) if leaf else ())
        assert (event.user_id, event.user_name) == (told.get("UserId"), told.get("NotificationUsername"))
        assert event.server_id == "fbf063c6b44347679e845a0b90080add"
        ticks = told.get("PlaybackPositionTicks")
        assert event.position_s == (ticks // 10_000_000 if leaf and ticks is not None else None)
    wanted = {Heard.marked, Heard.stopped, Heard.playing, Heard.rated, Heard.state, Heard.other}
    assert set(seen) >= (wanted if file.startswith("18") else {Heard.library})


def test_every_taped_post_of_a_template_that_is_no_json() -> None:
    """``"s":,"played":True``: kind and user are read; the template names no item, so none is told."""
    posts = [post for post in taped("18-webhook-plugin.json") if post["path"] == "/tpl"]
    assert len(posts) > 80
    for post in posts:
        with pytest.raises(json.JSONDecodeError):
            json.loads(post["body"])
        name, user, kind, reason = (
            re.search(rf'"{key}":"(\w*)"', post["body"])[1]  # type: ignore[index]
            for key in ("event", "user", "type", "reason")
        )
        event = read(post)
        what = EXPECTED[name, reason]
        if kind in ("Series", "Season"):
            what = Heard.other
        assert (event.what, event.user_name, event.native_ids) == (what, user, ()), post["body"]


@pytest.mark.parametrize(
    "file, what, item, at",
    [
        (
            "10.10.3-UserDataSaved.episode-marked-played.json",
            Heard.marked,
            "9250ab3d1101d01705c353b78cbb572e",
            1755292208,
        ),
        (
            "10.10.3-PlaybackStop.episode-playback-stopped.json",
            Heard.stopped,
            "9250ab3d1101d01705c353b78cbb572e",
            1755292782,
        ),
        ("10.10.3-SessionStart.fire-tv-session.json", Heard.other, None, None),
        ("10.10.3-AuthenticationSuccess.user-login.json", Heard.other, None, None),
    ],
)
def test_recorded_posts_of_10_10(file: str, what: Heard, item: str | None, at: int | None) -> None:
    """Of another person's server."""
    body = truth_path("webhooks", "jellyfin", file).read_bytes()
    (event,) = read_webhook(body, {"content-type": "text/plain; charset=utf-8"})
    assert event.what is what
    assert event.native_ids == ((item,) if item else ())
    assert (event.user_id, event.user_name) == ("02700c8344d542619b39319296c0d4c7", "Rain")
    assert (event.server_id, event.at) == ("16588a9f062a40c4966586b1d220bffc", at)


def test_a_template_with_names_of_its_own() -> None:
    """Ids with dashes, numbers as text, a missing number, a line break in a name."""
    text = (
        '{"event":"UserDataSaved","user_id":"6ebbd480-35ba-48a1-bf64-5470b6bdea30","username":"watcher",'
        '"item_id":"27657E06-7b46-664f-6b18-c7606bf935e7","type":"Movie","reason":"TogglePlayed",'
        '"name":"a\nb, {c}: \\"d\\"","season": ,"played":True,"position_ticks":"6100000000","last":}'
    )
    (event,) = read_webhook(text.encode(), {"content-type": "text/plain"})
    assert event == Event(
        source="webhook",
        what=Heard.marked,
        name="UserDataSaved.TogglePlayed",
        native_ids=(MATRIX,),
        user_id=WATCHER,
        user_name="watcher",
        position_s=610,
    )


def test_paused_playback_has_stopped() -> None:
    """A report of a paused player is a resume point."""
    post = {
        "NotificationType": "PlaybackProgress",
        "ItemType": "Movie",
        "ItemId": MATRIX,
        "UserId": WATCHER,
        "IsPaused": True,
    }
    (event,) = read_webhook(*post_json(post))
    assert (event.what, event.native_ids) == (Heard.stopped, (MATRIX,))


def test_unknown_notifications_are_not_ours() -> None:
    """A later version of the plugin may bring any."""
    (event,) = read_webhook(*post_json({"NotificationType": "SomethingNew", "UserId": WATCHER}))
    assert (event.what, event.name) == (Heard.other, "SomethingNew")


def test_json_without_a_notification_is_refused() -> None:
    """It says what is missing."""
    with pytest.raises(BadAnswer, match="no NotificationType"):
        read_webhook(*post_json({"hello": 1}))
