"""Plex's and Tautulli's webhooks: recorded and made payloads give the right user, item and kind of event."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from playhead.adapters.plex.tautulli import TEMPLATE
from playhead.adapters.plex.webhook import read_webhook
from playhead.ports.errors import BadAnswer
from playhead.ports.events import Event, Heard
from tests.posting import PICTURE, post_form, post_json
from tests.truth import truth_path


def make_payload(event: str, kind: str = "episode", **metadata: Any) -> dict[str, Any]:
    """A payload with the members that recorded ones have."""
    return {
        "event": event,
        "user": True,
        "owner": True,
        "Account": {"id": 31646104, "thumb": "https://plex.tv/users/1/avatar", "title": "ben"},
        "Server": {"title": "Office", "uuid": "54664a3d8acc39983675640ec9ce00b70af9cc36"},
        "Player": {"local": True, "publicAddress": "203.0.113.9", "title": "TV", "uuid": "r6yf"},
        "Metadata": {
            "librarySectionType": "show",
            "ratingKey": "1936545",
            "type": kind,
            "title": "x",
            **metadata,
        },
    }


def read(payload: dict[str, Any]) -> Event:
    (event,) = read_webhook(*post_form("payload", json.dumps(payload).encode(), picture=PICTURE))
    return event


def test_the_official_sample_is_of_music_and_not_ours() -> None:
    """The owner (id 1) plays a track: user and server are told, the kind is other."""
    text = truth_path("webhooks", "plex", "official-sample.media.play.track.json").read_bytes()
    (event,) = read_webhook(*post_form("payload", text, picture=PICTURE))
    assert event == Event(
        source="webhook",
        what=Heard.other,
        name="media.play",
        user_id="1",
        user_name="elan",
        server_id="54664a3d8acc39983675640ec9ce00b70af9cc36",
    )


@pytest.mark.parametrize(
    "name, what",
    [
        ("media.play", Heard.playing),
        ("media.resume", Heard.playing),
        ("playback.started", Heard.playing),
        ("media.pause", Heard.stopped),
        ("media.stop", Heard.stopped),
        ("media.scrobble", Heard.marked),
        ("media.rate", Heard.rated),
        ("library.new", Heard.library),
        ("library.on.deck", Heard.library),
        ("media.invented", Heard.other),
    ],
)
def test_each_event_of_an_episode(name: str, what: Heard) -> None:
    """Item and user stand in each that concerns the hub; one that is not known is other, never an error."""
    event = read(make_payload(name, viewOffset=154999))
    assert (event.what, event.name, event.user_id, event.user_name) == (what, name, "31646104", "ben")
    known = what is not Heard.other
    assert event.native_ids == (("1936545",) if known else ())
    assert event.position_s == (154 if known else None)


@pytest.mark.parametrize("name", ["admin.database.backup", "admin.database.corrupted", "device.new"])
def test_events_of_the_server_itself_are_not_ours(name: str) -> None:
    """They carry no item."""
    payload = make_payload(name)
    del payload["Metadata"]
    assert read(payload).what is Heard.other


def test_every_event_of_the_field_table_is_read() -> None:
    """The recorded table of types by event: a payload of exactly these members and types is read."""
    table = json.loads(truth_path("webhooks", "plex", "field-types", "payload-analysis.json").read_bytes())
    assert len(table) >= 5
    for name, shape in table.items():
        payload = {**fill(shape), "event": name}
        payload["Metadata"] = {**payload.get("Metadata", {}), "type": "movie", "ratingKey": "7"}
        event = read(payload)
        assert event.what is not Heard.other, name
        assert event.native_ids == ("7",)
        assert event.user_id == "5" or "Account" not in shape
        assert event.server_id is not None


def fill(shape: Any) -> Any:
    """A value of the type that the table names."""
    if isinstance(shape, dict):
        return {key: fill(below) for key, below in shape.items()}
    if isinstance(shape, list):
        return fill(shape[0]) if isinstance(shape[0], str) else [fill(shape[0])]
    return {"number": 5, "boolean": True}.get(shape, "x")


def test_library_new_has_no_player_and_may_be_a_whole_show() -> None:
    """The library is to be looked at; a show is no item to be read."""
    payload = make_payload("library.new", "show")
    del payload["Player"]
    event = read(payload)
    assert (event.what, event.native_ids) == (Heard.library, ())


@pytest.mark.parametrize("kind", ["track", "album", "clip", "photo"])
def test_what_is_no_movie_or_episode_is_not_ours(kind: str) -> None:
    """Music, trailers, photos."""
    for name in ("media.stop", "library.new"):
        event = read(make_payload(name, kind))
        assert (event.what, event.native_ids) == (Heard.other, ())


def test_the_rating_may_be_a_number_or_a_text() -> None:
    """Recordings disagree; it is read from the item anyway."""
    for rating in (4, "4", -1, 3.5):
        assert read({**make_payload("media.rate"), "rating": rating}).what is Heard.rated


def test_numbers_may_come_as_text() -> None:
    """An account id, a key and a position in either form."""
    payload = make_payload("media.stop", ratingKey=12, viewOffset="61000")
    payload["Account"]["id"] = "1"
    event = read(payload)
    assert (event.native_ids, event.user_id, event.position_s) == (("12",), "1", 61)


def test_a_cut_picture_loses_no_event() -> None:
    """The JSON came whole; what comes after it does not matter."""
    body, headers = post_form("payload", json.dumps(make_payload("media.stop")).encode(), picture=PICTURE)
    (event,) = read_webhook(body[:-400], headers)
    assert event.what is Heard.stopped
    with pytest.raises(BadAnswer, match="no whole field 'payload'"):
        read_webhook(body[:200], headers)


def fill_template(**words: str) -> bytes:
    """Tautulli's template as Tautulli fills it: unknown words are empty."""
    known = {
        "server_machine_id": "54664a3d",
        "user_id": "556205",
        "username": "elan",
        "unixtime": "1790301266",
    }
    return re.sub(r"\{(\w+)\}", lambda word: {**known, **words}.get(word[1], ""), TEMPLATE).encode()


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
        ("concurrent", Heard.other),
    ],
)
def test_tautulli_comes_to_the_same_address(action: str, what: Heard) -> None:
    """Its template, filled, posted as JSON."""
    text = fill_template(
        action=action, media_type="episode", rating_key="77", session_key="29", view_offset="61000"
    )
    (event,) = read_webhook(text, {"content-type": "application/json"})
    known = what is not Heard.other
    assert event == Event(
        source="webhook",
        what=what,
        name=f"tautulli.{action}",
        native_ids=("77",) if known else (),
        user_id="556205",
        user_name="elan",
        server_id="54664a3d",
        session="29",
        at=1790301266,
        position_s=61 if known else None,
    )


def test_tautullis_test_and_music() -> None:
    """Its test button is a test; music is not ours."""
    (tried,) = read_webhook(fill_template(action="test"), {})
    assert (tried.what, tried.native_ids, tried.position_s) == (Heard.test, (), None)
    (music,) = read_webhook(fill_template(action="stop", media_type="track", rating_key="5"), {})
    assert (music.what, music.native_ids) == (Heard.other, ())


def test_a_user_named_tautulli_is_a_user() -> None:
    """The mark is the member, not the word."""
    payload = make_payload("media.stop")
    payload["Account"]["title"] = "tautulli"
    (event,) = read_webhook(*post_json(payload))
    assert (event.what, event.user_name) == (Heard.stopped, "tautulli")


def test_the_docs_give_the_template_that_is_read() -> None:
    """Word for word."""
    docs = (Path(__file__).resolve().parents[1] / "docs.md").read_text()
    assert TEMPLATE in docs.replace("\n    ", "\n")
