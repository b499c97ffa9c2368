"""What Jellyfin's webhook plugins post: whose item, and what happened to it. Pure.

"Send All Properties" posts the plugin's variables as JSON, under ``text/plain`` unless a header says otherwise. A person's
own template may name them anew, and its text is often no JSON: yes and no come as ``True`` and ``False``, a missing number
as nothing, a comma behind the last member, a stroke before a quote that became ``&quot;``. "Generic Form" posts the same as
a form. Another plugin, "Webhooks", posts item, user and server as objects. All are read. Source: facts,
api-jellyfin-emby.md A7, posts of a real server, and the two plugins' own code.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress

import msgspec

from playhead.adapters._mediabrowser.dates import parse_date
from playhead.adapters._mediabrowser.heard import HOLDER_TYPES, LEAF_TYPES, read_id, read_position
from playhead.kit.posted import Text, Whole, decode_posted, find_json, read_fields, refuse
from playhead.ports.errors import BadAnswer
from playhead.ports.events import Event, Heard

SENDER = "Jellyfin"

_SAVED = {
    "TogglePlayed": Heard.marked,
    "PlaybackFinished": Heard.stopped,
    "PlaybackStart": Heard.playing,
    "PlaybackProgress": Heard.playing,
    "UpdateUserRating": Heard.rated,  # favourites too
}
_HEARD = {
    "PlaybackStart": Heard.playing,
    "PlaybackProgress": Heard.playing,
    "PlaybackStop": Heard.stopped,
    "ItemAdded": Heard.library,
    "ItemDeleted": Heard.library,
    # Of the plugin "Webhooks"; its ItemUpdated is a refresh of metadata, and no news.
    "Play": Heard.playing,
    "Resume": Heard.playing,
    "Progress": Heard.playing,
    "Pause": Heard.stopped,
    "Stop": Heard.stopped,
    "Scrobble": Heard.marked,
    "MarkPlayed": Heard.marked,
    "MarkUnplayed": Heard.marked,
    "Rate": Heard.rated,
    "ItemRemoved": Heard.library,
}
# The plugin's own names first, then what templates call them, then the members of objects; compared in lower case and without
# underscores.
_NAMES = {
    "event": ("notificationtype", "event", "eventtype"),
    "reason": ("savereason", "reason"),
    "user_id": ("userid", "user.id"),
    "user_name": ("notificationusername", "username", "user", "user.name"),
    "item_id": ("itemid", "item.id"),
    "item_type": ("itemtype", "item.type", "type", "mediatype"),
    "server_id": ("serverid", "server.id"),
    "session": ("playsessionid", "session.id"),
    "at": ("utctimestamp", "timestamp"),
    "ticks": (
        "playbackpositionticks",
        "positionticks",
        "session.playstate.positionticks",
        "item.userdata.playbackpositionticks",
    ),
    "paused": ("ispaused", "session.playstate.ispaused"),
}
_OBJECTS = frozenset({"item", "item.userdata", "user", "server", "session", "session.playstate"})
_LARGEST_MENDED = 64 * 1024  # of a template's text; what the plugin writes by itself needs no mending
_DIGITS = re.compile(r"[0-9]{1,16}\Z", re.ASCII)

_NULL = msgspec.Raw(b"null")
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_VALUE: msgspec.json.Decoder[str | int | bool | None] = msgspec.json.Decoder(Text | Whole | bool | None)
# A string to its end, or what a template leaves where a value should stand. Possessive: each byte is looked at once.
_LOOSE = re.compile(
    rb'"(?:[^"\\]|\\.)*+"?|:\s*+(?:(?=[,}\]])|0+(?=[0-9]))|,\s*+(?=[,}\]])|\b(?:True|False|None)\b', re.DOTALL
)
_STROKE = re.compile(rb'\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4})|\\', re.DOTALL)
_WORDS = {b"True": b"true", b"False": b"false", b"None": b"null"}
_CONTROL = re.compile(rb"[\x00-\x1f]")


def read_webhook(body: bytes, headers: Mapping[str, str]) -> tuple[Event, ...]:
    """One event; of a kind that the hub does not know, or about music and the like, it is ``other``. Raises BadAnswer."""
    fields = read_fields(body, headers, SENDER)
    if fields is not None and "data" not in fields:
        return (_translate(_Told({name: _quote(value) for name, value in fields.items()})),)
    text = find_json(body, headers, field="data", sender=SENDER)
    return (_translate(_Told(_decode(text))),)


def _quote(value: str) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value.encode("utf-8", "replace").decode()))


def _decode(text: bytes) -> dict[str, msgspec.Raw]:
    try:
        return decode_posted(_OBJECT, text, SENDER)
    except BadAnswer as strict:
        if len(text) > _LARGEST_MENDED:
            raise
        try:
            return decode_posted(_OBJECT, _LOOSE.sub(_mend, text), SENDER)
        except BadAnswer:
            raise strict from None


def _mend(match: re.Match[bytes]) -> bytes:
    """The token as JSON has it: a missing value is null, a number has no leading zeros, a string no line breaks and no stroke
    that means nothing, and behind the last member stands no comma."""
    token = match[0]
    if token.startswith(b'"'):
        return _CONTROL.sub(b" ", _STROKE.sub(lambda stroke: stroke[0] if stroke[0][1:] else b"\\\\", token))
    if token.startswith(b","):
        return b""
    if token.startswith(b":"):
        return b":" if token.endswith(b"0") else b":null"
    return _WORDS[token]


class _Told:
    """The members of one post under our names, each read and checked when it is asked for."""

    def __init__(self, members: dict[str, msgspec.Raw]) -> None:
        self._members: dict[str, msgspec.Raw] = {}
        self._take(members)

    def _take(self, members: dict[str, msgspec.Raw], inside: str = "") -> None:
        """The members of the objects that matter as well, by where they stand: ``user.id``."""
        for native, value in members.items():
            name = inside + native.lower().replace("_", "")
            self._members[name] = value
            if name in _OBJECTS:
                with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                    self._take(_OBJECT.decode(value), f"{name}.")

    def text(self, name: str) -> str | None:
        """The first of its names that has a value; None for none, empty, and what is no text, number or truth."""
        for native in _NAMES[name]:
            with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                value = _VALUE.decode(self._members.get(native, _NULL))
                if value is not None and value != "":
                    return str(value)
        return None

    def number(self, name: str) -> int | None:
        """A whole number, also given as text; None where it is none."""
        text = self.text(name)
        return int(text) if text and _DIGITS.match(text) else None

    def is_set(self, name: str) -> bool:
        """Whether it says yes."""
        return (self.text(name) or "").lower() == "true"


def _translate(told: _Told) -> Event:
    event, reason, item_type = told.text("event"), told.text("reason"), told.text("item_type")
    if event is None:
        raise refuse(SENDER, "it does not say what happened (no NotificationType)")
    what = _SAVED.get(reason or "", Heard.state) if event == "UserDataSaved" else _HEARD.get(event)
    if what is Heard.playing and told.is_set("paused"):
        what = Heard.stopped
    leaf = item_type in LEAF_TYPES or item_type is None
    if what is None or not (leaf or (what is Heard.library and item_type in HOLDER_TYPES)):
        what, leaf = Heard.other, False
    item_id = read_id(told.text("item_id")) if leaf else None
    return Event(
        source="webhook",
        what=what,
        name=f"{event}.{reason}" if reason else event,
        native_ids=(item_id,) if item_id else (),
        user_id=read_id(told.text("user_id")),
        user_name=told.text("user_name"),
        server_id=told.text("server_id"),
        session=told.text("session"),
        at=parse_date(told.text("at")),
        position_s=read_position(told.number("ticks")) if item_id else None,
    )
