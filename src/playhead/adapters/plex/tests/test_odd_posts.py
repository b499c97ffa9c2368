"""Posts of real servers as public reports show them, made anew: live television, streams of plex.tv, people without an
account, other senders in Plex's shape."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from playhead.adapters.plex.tautulli import TEMPLATE
from playhead.adapters.plex.webhook import read_webhook
from playhead.ports.events import Event, Heard
from tests.posting import post_form, post_json


def make_post(kind: str = "movie", event: str = "media.stop", **metadata: Any) -> dict[str, Any]:
    return {
        "event": event,
        "user": True,
        "owner": True,
        "Account": {"id": 5501, "thumb": "", "title": "ann"},
        "Server": {"title": "Attic", "uuid": "a1b2"},
        "Player": {"local": True, "publicAddress": "198.51.100.7", "title": "TV", "uuid": "p1"},
        "Metadata": {"type": kind, "ratingKey": "40294", "key": "/library/metadata/40294", **metadata},
    }


def read(post: dict[str, Any]) -> Event:
    (event,) = read_webhook(*post_form("payload", json.dumps(post).encode()))
    return event


@pytest.mark.parametrize("kind", ["movie", "episode"])
@pytest.mark.parametrize(
    "of_live",
    [
        {"live": "1"},
        {"live": 1},
        {"live": True},
        {"librarySectionType": "livetv"},
        {"ratingKey": "133276", "key": "/livetv/sessions/ae71d39b-0f81-4675-8a80-f8e578153389"},
    ],
)
@pytest.mark.parametrize("name", ["media.play", "media.stop", "media.scrobble", "playback.started"])
def test_live_television_is_not_ours(kind: str, of_live: dict[str, Any], name: str) -> None:
    """Its key is a number all the same, of no item in a library; who watched is told."""
    event = read(make_post(kind, name, **of_live))
    assert (event.what, event.native_ids, event.user_id) == (Heard.other, (), "5501")


@pytest.mark.parametrize("live", ["0", 0, False, None, ""])
def test_what_says_that_it_is_not_live_is_ours(live: Any) -> None:
    """A recording of long ago lies in a library."""
    assert read(make_post(live=live)).native_ids == ("40294",)


@pytest.mark.parametrize(
    "key", ["5d776825880197001ec967c2", "tv.plex.provider.vod://5d77", "-3", "1/../../:/prefs"]
)
def test_what_plex_itself_streams_is_not_ours(key: str) -> None:
    """Its key is one of plex.tv's, which this server does not know."""
    event = read(make_post(ratingKey=key, key=f"/library/metadata/{key}", guid=f"plex://movie/{key}"))
    assert (event.what, event.native_ids) == (Heard.other, ())


@pytest.mark.parametrize(
    "guid",
    [
        "com.plexapp.agents.imdb://tt0133093?lang=en",
        "com.plexapp.agents.thetvdb://73141/3/4?lang=en",
        "com.plexapp.agents.none://569747/2026/41103?lang=xn",
        "local://567283",
        "plex://movie/5d776825880197001ec967c2",
        "tv.plex.agents.none://4",
    ],
)
def test_the_form_of_the_guid_does_not_matter(guid: str) -> None:
    """The item is known by its key; ``Guid`` may be a list, and some servers wrote ``guid`` twice."""
    post = json.dumps(make_post(guid=guid, Guid=[{"id": "imdb://tt0133093"}], Rating=[{"value": 7.7}]))
    twice = post.replace('"guid":', '"guid": [{"id": "x"}], "guid":')
    for text in (post, twice):
        (event,) = read_webhook(text.encode(), {})
        assert (event.what, event.native_ids) == (Heard.stopped, ("40294",))


@pytest.mark.parametrize(
    "account, user",
    [
        ({"id": 0, "title": ""}, ("0", "")),
        ({"title": ""}, (None, "")),
        ({"id": "", "title": "kid"}, (None, "kid")),
        ({"id": "5501", "title": "x" * 300}, ("5501", None)),
        ({"id": -1, "title": "kid"}, (None, "kid")),
    ],
)
def test_who_watches_without_an_account_is_nobody_we_know(
    account: Any, user: tuple[str | None, str | None]
) -> None:
    """Local playback without signing in has an empty name, which is nobody's; it is not everybody's."""
    event = read({**make_post(), "Account": account})
    assert (event.user_id, event.user_name) == user
    assert user != (None, None)


@pytest.mark.parametrize("user, owner", [(True, True), (False, True), (True, False), (None, None)])
def test_whose_webhook_it_is_does_not_say_who_watched(user: Any, owner: Any) -> None:
    """Who watches and the server's owner may have set up the same address; the account alone tells who it was."""
    event = read({**make_post(), "user": user, "owner": owner})
    assert (event.user_id, event.user_name) == ("5501", "ann")


@pytest.mark.parametrize(
    "metadata",
    [
        {"viewOffset": -1},
        {"viewOffset": ""},
        {"viewOffset": None},
        {"viewOffset": "soon"},
        {"viewOffset": 1e400},
        {"librarySectionType": None},
        {"key": "/library/metadata/" + "4" * 400},
    ],
)
def test_an_odd_member_hides_no_event(metadata: dict[str, Any]) -> None:
    """It is taken as not told."""
    text = json.dumps(make_post(**metadata)).replace("Infinity", "1e400")
    (event,) = read_webhook(text.encode(), {})
    assert (event.what, event.native_ids, event.position_s) == (Heard.stopped, ("40294",), None)


def test_a_relay_may_send_the_field_in_the_way_of_addresses() -> None:
    """``payload=...``, percent-encoded."""
    body = urlencode({"payload": json.dumps(make_post())}).encode()
    (event,) = read_webhook(body, {"content-type": "application/x-www-form-urlencoded"})
    assert (event.what, event.native_ids) == (Heard.stopped, ("40294",))


def make_watchstates(action: str, **words: Any) -> dict[str, Any]:
    """Tautulli's post by the template of WatchState's guide: everything is text, what is not known is empty."""
    return {
        "event": f"tautulli.{action}",
        "Account": {"id": words.get("user_id", "5501"), "title": words.get("username", "ann")},
        "Server": {"title": "Attic", "uuid": "a1b2", "version": "1.41.0"},
        "Player": {"local": "1", "uuid": "p1"},
        "Metadata": {
            "librarySectionType": None,
            "ratingKey": words.get("rating_key", "40294"),
            "key": None,
            "guid": "plex://movie/5d77",
            "type": words.get("media_type", "movie"),
            "index": "",
            "viewOffset": words.get("view_offset", "61000"),
        },
    }


@pytest.mark.parametrize(
    "action, what",
    [
        ("play", Heard.playing),
        ("resume", Heard.playing),
        ("pause", Heard.stopped),
        ("stop", Heard.stopped),
        ("watched", Heard.marked),
        ("created", Heard.library),
        ("buffer", Heard.other),
        ("newdevice", Heard.other),
    ],
)
def test_tautulli_in_the_shape_of_watchstates_guide_is_heard(action: str, what: Heard) -> None:
    """Who comes from WatchState need not fill in another template."""
    (event,) = read_webhook(*post_json(make_watchstates(action)))
    known = what is not Heard.other
    assert (event.what, event.name) == (what, f"tautulli.{action}")
    assert (event.native_ids, event.position_s) == ((("40294",), 61) if known else ((), None))
    assert (event.user_id, event.user_name, event.server_id) == ("5501", "ann", "a1b2")


def test_what_tautulli_does_not_know_is_empty() -> None:
    """A new show: no user, no position; music is not ours."""
    words = {"user_id": "", "username": "", "view_offset": "", "media_type": "show"}
    (event,) = read_webhook(*post_json(make_watchstates("created", **words)))
    assert (event.what, event.native_ids, event.user_id) == (Heard.library, (), None)
    (music,) = read_webhook(*post_json(make_watchstates("created", media_type="album")))
    assert music.what is Heard.other


@pytest.mark.parametrize("text", [TEMPLATE, json.dumps({**make_watchstates("{action}")})])
def test_tautullis_test_button_sends_the_words_unfilled(text: str) -> None:
    """It is a test, and nobody of the name ``{username}``."""
    (event,) = read_webhook(text.encode(), {"content-type": "application/json"})
    assert event == Event(source="webhook", what=Heard.test, name="tautulli.test")


@pytest.mark.parametrize(
    "kind, ours", [("artist", False), ("album", False), ("track", False), ("season", True)]
)
def test_new_music_in_tautulli_is_not_ours(kind: str, ours: bool) -> None:
    """By the template of the docs."""
    post = {"playhead": "tautulli", "action": "created", "media_type": kind, "rating_key": "7"}
    (event,) = read_webhook(*post_json(post))
    assert event.what is (Heard.library if ours else Heard.other)


def test_live_television_in_tautulli_is_not_ours() -> None:
    """Its rating key is none of a library."""
    post = {"playhead": "tautulli", "action": "stop", "media_type": "episode", "rating_key": "tv.plex.xmltv"}
    (event,) = read_webhook(*post_json(post))
    assert (event.what, event.native_ids) == (Heard.other, ())
