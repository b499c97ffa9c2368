"""What Tautulli posts for people without Plex Pass, by the template that the docs give. Pure.

Tautulli fills the template's ``{words}`` as text, so that numbers come as text and what it does not know comes empty. Its test
button sends the words unfilled. Source: its list of notification parameters (``plexpy/common.py``) and its notifier.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from playhead.kit.posted import Text, decode_posted
from playhead.ports.events import Event, Heard

from .wire import is_key

SENDER = "Tautulli"
TEMPLATE = """{
  "playhead": "tautulli",
  "action": "{action}",
  "user_id": "{user_id}",
  "username": "{username}",
  "media_type": "{media_type}",
  "rating_key": "{rating_key}",
  "session_key": "{session_key}",
  "server_id": "{server_machine_id}",
  "at": "{unixtime}",
  "view_offset_ms": "{view_offset}",
  "live": "{live}"
}"""

_LEAVES = frozenset({"movie", "episode"})
_MUSIC = frozenset({"artist", "album", "track"})
HEARD = {
    "play": Heard.playing,
    "resume": Heard.playing,
    "pause": Heard.stopped,
    "stop": Heard.stopped,
    "watched": Heard.marked,
    "created": Heard.library,
    "test": Heard.test,
}
_LONGEST_NUMBER = 15


class Mark(msgspec.Struct):
    """The one member that tells our template from everything else."""

    playhead: Literal["tautulli"]


class Payload(msgspec.Struct):
    """The template, filled."""

    action: Text
    user_id: Text = ""
    username: Text = ""
    media_type: Text = ""
    rating_key: Text = ""
    session_key: Text = ""
    server_id: Text = ""
    at: Text = ""
    view_offset_ms: Text = ""
    live: Text = ""


_MARK = msgspec.json.Decoder(Mark)
_PAYLOAD = msgspec.json.Decoder(Payload)


def is_tautulli(text: bytes) -> bool:
    """Whether a JSON text carries the mark of the template."""
    if b'"tautulli"' not in text:
        return False
    try:
        _MARK.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


def is_unfilled(word: str) -> bool:
    """Whether a word of a template came as it stands in the template: the test button sends it so."""
    return word.endswith("{action}")


def read_tautulli(text: bytes) -> tuple[Event, ...]:
    """One event. The user is that of plex.tv: an owner's id is not 1 here. Raises BadAnswer."""
    told = decode_posted(_PAYLOAD, text, SENDER)
    if is_unfilled(told.action):
        return (Event(source="webhook", what=Heard.test, name="tautulli.test"),)
    what = HEARD.get(told.action, Heard.other)
    held = told.live != "1" and (is_key(told.rating_key) or not told.rating_key)
    leaf = told.media_type in _LEAVES and held
    if not leaf and what is not Heard.test and (what is not Heard.library or told.media_type in _MUSIC):
        what = Heard.other
    about_item = leaf and what not in (Heard.other, Heard.test)
    offset_ms = _read_number(told.view_offset_ms)
    return (
        Event(
            source="webhook",
            what=what,
            name=f"tautulli.{told.action}",
            native_ids=(told.rating_key,) if about_item and told.rating_key else (),
            user_id=told.user_id or None,
            user_name=told.username or None,
            server_id=told.server_id or None,
            session=told.session_key or None,
            at=_read_number(told.at),
            position_s=offset_ms // 1000 if about_item and offset_ms is not None else None,
        ),
    )


def _read_number(text: str) -> int | None:
    short = text.isascii() and text.isdecimal() and len(text) <= _LONGEST_NUMBER
    return int(text) if short else None
