"""Posts that the two webhook plugins' own code makes beside those that are recorded: forms, templates, objects, all kinds."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from playhead.adapters.jellyfin.webhook import read_webhook
from playhead.ports.errors import BadAnswer
from playhead.ports.events import Event, Heard
from tests.posting import post_json

ANN = "0123456789abcdef0123456789abcdef"
FILM = "fedcba9876543210fedcba9876543210"
PLAIN = {"content-type": "text/plain; charset=utf-8"}
FORM = {"content-type": "application/x-www-form-urlencoded"}

KINDS = [
    *("Generic", "SubtitleDownloadFailure", "AuthenticationFailure", "AuthenticationSuccess", "SessionStart"),
    *("PendingRestart", "TaskCompleted", "PluginInstallationCancelled", "PluginInstallationFailed"),
    *("PluginInstalled", "PluginInstalling", "PluginUninstalled", "PluginUpdated", "UserCreated"),
    *("UserDeleted", "UserLockedOut", "UserPasswordChanged", "UserUpdated", "None"),
]


def make_post(kind: str = "UserDataSaved", **more: Any) -> dict[str, Any]:
    return {
        "ServerId": "c0ffee",
        "ServerName": "den",
        "NotificationType": kind,
        "ItemId": FILM,
        "ItemType": "Movie",
        "UserId": ANN,
        "NotificationUsername": "ann",
        **more,
    }


def read_text(text: str) -> Event:
    (event,) = read_webhook(text.encode(), PLAIN)
    return event


@pytest.mark.parametrize("kind", KINDS)
def test_every_other_kind_is_not_ours(kind: str) -> None:
    """Counted by its name; nothing is read."""
    (event,) = read_webhook(*post_json(make_post(kind)))
    assert (event.what, event.name, event.native_ids) == (Heard.other, kind, ())


@pytest.mark.parametrize("reason", ["Import", "UpdateUserData", "SomethingNew", ""])
def test_a_change_for_another_reason_is_one_of_state(reason: str) -> None:
    """Whose and of what is told."""
    (event,) = read_webhook(*post_json(make_post(SaveReason=reason)))
    assert (event.what, event.native_ids, event.user_id) == (Heard.state, (FILM,), ANN)


def test_the_generic_form_is_a_form() -> None:
    """All properties, each as text: truths as ``True``, what is null as nothing."""
    fields = make_post("PlaybackProgress", IsPaused="True", PlaybackPositionTicks="610000000", Overview="")
    (event,) = read_webhook(urlencode(fields).encode(), FORM)
    assert event == Event(
        source="webhook",
        what=Heard.stopped,
        name="PlaybackProgress",
        native_ids=(FILM,),
        user_id=ANN,
        user_name="ann",
        server_id="c0ffee",
        position_s=61,
    )
    with pytest.raises(BadAnswer, match="no NotificationType"):
        read_webhook(b"a=1", FORM)


def test_a_form_may_hold_the_json_in_a_field() -> None:
    """``data=...``."""
    (event,) = read_webhook(urlencode({"data": json.dumps(make_post("PlaybackStop"))}).encode(), FORM)
    assert (event.what, event.native_ids) == (Heard.stopped, (FILM,))


@pytest.mark.parametrize(
    "template",
    [
        '"Name": "The \\&quot;Burbs\\&quot;"',
        '"Name": "C:\\Films\\new\\\\x", "Overview": "\\u00e4 \\udra \\"yes\\""',
        '"Name": "a,}", "Last": true,',
        '"Name": "x", "Year":, "Season": 01, "List": [1, 2,], "Played": True,',
        '"Name": "line\nbreak\tand ,} more",\n',
    ],
)
def test_what_a_template_leaves_is_mended(template: str) -> None:
    """A stroke before what a quote became, a comma behind the last member: the rest is read."""
    text = f'{{"NotificationType":"PlaybackStop","ItemId":"{FILM}","UserId":"{ANN}",{template}}}'
    event = read_text(text)
    assert (event.what, event.native_ids, event.user_id) == (Heard.stopped, (FILM,), ANN)


@pytest.mark.parametrize(
    "odd",
    [
        {"PlaybackPositionTicks": -1},
        {"PlaybackPositionTicks": 1.5e9},
        {"PlaybackPositionTicks": None},
        {"PlaybackPositionTicks": ""},
        {"PlaySessionId": {}, "UtcTimestamp": []},
        {"NotificationUsername": "x" * 300, "Username": "ann"},
        {"Provider_imdb": None, "Provider_tmdb": "", "Provider_": {}, "Year": "2003-05"},
    ],
)
def test_an_odd_member_hides_no_event(odd: dict[str, Any]) -> None:
    """It is taken as not told."""
    (event,) = read_webhook(*post_json(make_post("PlaybackStop", **odd)))
    assert (event.what, event.native_ids, event.user_id) == (Heard.stopped, (FILM,), ANN)
    assert (event.user_name, event.position_s) == ("ann", None)


def test_versions_two_to_four_call_the_user_otherwise() -> None:
    """``UserName`` is the session's, ``Username`` the user's: of several who watch, each has a post of their own."""
    post = make_post("PlaybackStop", UserName="bob", Username="ann")
    del post["NotificationUsername"]
    (event,) = read_webhook(*post_json(post))
    assert (event.user_id, event.user_name) == (ANN, "ann")


def make_objects(name: str, kind: str = "Movie", **more: Any) -> dict[str, Any]:
    """The other plugin's format "Default"."""
    return {
        "Event": name,
        "Item": {"Name": "x", "Id": FILM, "Type": kind, "UserData": {"PlaybackPositionTicks": 420_000_000}},
        "User": {"Name": "ann", "Id": ANN, "Policy": {}},
        "Session": None,
        "Server": {"Id": "c0ffee", "Name": "den", "Version": "10.10.3.0"},
        "AdditionalData": None,
        "Series": None,
        **more,
    }


@pytest.mark.parametrize(
    "name, what",
    [
        ("Play", Heard.playing),
        ("Resume", Heard.playing),
        ("Progress", Heard.playing),
        ("Pause", Heard.stopped),
        ("Stop", Heard.stopped),
        ("Scrobble", Heard.marked),
        ("MarkPlayed", Heard.marked),
        ("MarkUnplayed", Heard.marked),
        ("Rate", Heard.rated),
        ("ItemAdded", Heard.library),
        ("ItemRemoved", Heard.library),
    ],
)
def test_the_other_plugin_names_item_user_and_server_as_objects(name: str, what: Heard) -> None:
    """In either way of writing; the position is the session's where there is one."""
    post = make_objects(name)
    (event,) = read_webhook(*post_json(post))
    assert event == Event(
        source="webhook",
        what=what,
        name=name,
        native_ids=(FILM,),
        user_id=ANN,
        user_name="ann",
        server_id="c0ffee",
        position_s=42,
    )
    session = {"Id": "s1", "PlayState": {"PositionTicks": 610_000_000, "IsPaused": False}}
    lower = json.loads(json.dumps({**post, "Session": session}), object_pairs_hook=_lower)
    (event,) = read_webhook(*post_json(lower))
    assert (event.what, event.native_ids, event.user_id, event.session) == (what, (FILM,), ANN, "s1")
    assert event.position_s == 61


def _lower(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return {name[:1].lower() + name[1:]: value for name, value in pairs}


@pytest.mark.parametrize(
    "name", ["ItemUpdated", "SessionStarted", "AuthenticationFailed", "HasPendingRestartChanged"]
)
def test_its_other_kinds_are_not_ours(name: str) -> None:
    """A refresh of metadata is no news; without an item there is nothing to read."""
    for post in (make_objects(name), {"Event": name, "Server": {"Id": "c0ffee"}}):
        (event,) = read_webhook(*post_json(post))
        assert (event.what, event.native_ids) == (Heard.other, ())


@pytest.mark.parametrize("kind", ["Series", "Season", "Audio", "TvChannel"])
def test_its_other_items_are_not_ours(kind: str) -> None:
    """Series and seasons come with their episodes, music and live television not at all."""
    (event,) = read_webhook(*post_json(make_objects("MarkPlayed", kind)))
    assert (event.what, event.native_ids) == (Heard.other, ())
