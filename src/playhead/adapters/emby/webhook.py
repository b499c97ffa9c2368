"""What an Emby server posts by webhook: whose item, and what happened to it. Pure.

Up to 4.8 a multipart form with the JSON in ``data``; from 4.9 that or JSON alone, as the person chose. Source: facts,
api-jellyfin-emby.md B5, and recorded payloads of 4.8 and 4.9.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from playhead.adapters._mediabrowser.dates import parse_date
from playhead.adapters._mediabrowser.heard import HOLDER_TYPES, LEAF_TYPES, read_id, read_position
from playhead.kit.posted import NativeId, Real, Text, Whole, decode_posted, find_json
from playhead.ports.events import Event, Heard

SENDER = "Emby"

_HEARD = {
    "playback.start": Heard.playing,
    "playback.unpause": Heard.playing,
    "playback.progress": Heard.playing,
    "playback.pause": Heard.stopped,
    "playback.stop": Heard.stopped,
    "playback.scrobble": Heard.marked,  # of the plugin before 4.8
    "item.markplayed": Heard.marked,
    "item.markunplayed": Heard.marked,
    "item.rate": Heard.rated,  # favourites too
    "item.unrate": Heard.rated,  # assumed: other programs wait for it, no recording has it
    "library.new": Heard.library,
    "library.deleted": Heard.library,
    "system.webhooktest": Heard.test,
    "system.notificationtest": Heard.test,
}


class User(msgspec.Struct):
    Id: NativeId | None = None
    Name: Text | None = None


class Item(msgspec.Struct):
    """A part of BaseItemDto. New episodes that are grouped come as their season or series."""

    Id: NativeId | None = None
    Type: Text | None = None


class Server(msgspec.Struct):
    Id: Text | None = None


class Session(msgspec.Struct):
    Id: Text | None = None


class PlaybackInfo(msgspec.Struct):
    """On playback events."""

    PositionTicks: Whole | Real | None = None


class Payload(msgspec.Struct):
    """The JSON of one webhook; ``User`` and ``Session`` are absent where nobody did it."""

    Event: Text
    Date: Text | None = None
    User: User | None = None
    Item: Item | None = None
    Server: Server | None = None
    Session: Session | None = None
    PlaybackInfo: PlaybackInfo | None = None


_PAYLOAD = msgspec.json.Decoder(Payload, strict=False)


def read_webhook(body: bytes, headers: Mapping[str, str]) -> tuple[Event, ...]:
    """One event; of a kind that the hub does not know, or about music and the like, it is ``other``. Raises BadAnswer."""
    text = find_json(body, headers, field="data", sender=SENDER)
    return (_translate(decode_posted(_PAYLOAD, text, SENDER)),)


def _translate(payload: Payload) -> Event:
    user, item, playback = payload.User or User(), payload.Item or Item(), payload.PlaybackInfo
    what = _HEARD.get(payload.Event, Heard.other)
    if what is Heard.library:
        known = item.Type in LEAF_TYPES or item.Type in HOLDER_TYPES
    else:
        known = what is Heard.test or item.Type in LEAF_TYPES
    item_id = read_id(item.Id) if known and item.Type in LEAF_TYPES else None
    return Event(
        source="webhook",
        what=what if known else Heard.other,
        name=payload.Event,
        native_ids=(item_id,) if item_id else (),
        user_id=read_id(user.Id),
        user_name=user.Name,
        server_id=payload.Server.Id if payload.Server else None,
        session=payload.Session.Id if payload.Session else None,
        at=parse_date(payload.Date),
        position_s=read_position(playback.PositionTicks) if item_id and playback else None,
    )
