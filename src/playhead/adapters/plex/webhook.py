"""What a Plex server posts by webhook: whose item, and what happened to it. Pure.

The body is multipart with the JSON in ``payload`` and sometimes a picture; a relay may pass the JSON on alone. Tautulli's
webhook comes to the same address and is told apart by its mark, or comes in this shape, by the template of WatchState's
guide. Source: facts, api-plex.md 8, recorded payloads, and posts of real servers in public reports.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from playhead.kit.posted import NativeId, Real, Text, Whole, decode_posted, find_json
from playhead.ports.events import Event, Heard

from .tautulli import HEARD as HEARD_OF_TAUTULLI
from .tautulli import is_tautulli, is_unfilled, read_tautulli
from .wire import is_key, is_live

SENDER = "Plex"
LEAVES = frozenset({"movie", "episode"})

_HEARD = {
    "media.play": Heard.playing,
    "media.resume": Heard.playing,
    "playback.started": Heard.playing,
    "media.pause": Heard.stopped,
    "media.stop": Heard.stopped,
    "media.scrobble": Heard.marked,
    "media.rate": Heard.rated,
    "library.new": Heard.library,
    "library.on.deck": Heard.library,
    **{f"tautulli.{action}": what for action, what in HEARD_OF_TAUTULLI.items()},
}
_LIBRARY_TYPES = LEAVES | {"show", "season"}


class Account(msgspec.Struct):
    """Whose playback it was: id 1 for the owner, or an id of plex.tv (which newer servers also give for the owner)."""

    id: NativeId | None = None
    title: Text | None = None


class Server(msgspec.Struct):
    """``uuid`` is the machine identifier."""

    uuid: Text | None = None


class Metadata(msgspec.Struct):
    """The item, without files. Live television has a movie's or an episode's ``type``, ``live`` and a ``key`` of its own; what
    Plex itself streams has a ``ratingKey`` of letters and digits."""

    ratingKey: NativeId | None = None
    key: Text | None = None
    live: Text | Whole | bool | None = None
    librarySectionType: Text | None = None
    type: Text | None = None
    viewOffset: Whole | Real | None = None


class Payload(msgspec.Struct):
    """The JSON of one webhook. ``Account`` and ``Player`` are absent on some events, ``Metadata`` on those of the server.

    ``user`` and ``owner`` say whose webhook it is, that of who watches and that of the server's owner, and nothing of who
    watches: both are true where both set up the same address.
    """

    event: Text
    Account: Account | None = None
    Server: Server | None = None
    Metadata: Metadata | None = None


_PAYLOAD = msgspec.json.Decoder(Payload, strict=False)


def read_webhook(body: bytes, headers: Mapping[str, str]) -> tuple[Event, ...]:
    """One event; of a kind that the hub does not know, or about music and clips, it is ``other``. Raises BadAnswer."""
    text = find_json(body, headers, field="payload", sender=SENDER)
    if is_tautulli(text):
        return read_tautulli(text)
    return (_translate(decode_posted(_PAYLOAD, text, SENDER)),)


def _translate(payload: Payload) -> Event:
    if is_unfilled(payload.event):
        return Event(source="webhook", what=Heard.test, name="tautulli.test")
    account, item = payload.Account or Account(), payload.Metadata or Metadata()
    what = _HEARD.get(payload.event, Heard.other)
    if item.type not in (_LIBRARY_TYPES if what is Heard.library else LEAVES) or not _is_held(item):
        what = Heard.other
    about_item = what is not Heard.other and item.type in LEAVES and is_key(item.ratingKey)
    return Event(
        source="webhook",
        what=what,
        name=payload.event,
        native_ids=(str(item.ratingKey),) if about_item else (),
        user_id=None if account.id in (None, "") else str(account.id),
        user_name=account.title,
        server_id=(payload.Server.uuid or None) if payload.Server else None,
        position_s=int(item.viewOffset // 1000) if about_item and item.viewOffset is not None else None,
    )


def _is_held(item: Metadata) -> bool:
    """Whether the item lies in a library: no live television, and nothing that Plex itself streams."""
    if item.librarySectionType == "livetv" or str(item.live).lower() in ("1", "true"):
        return False
    return not is_live(item.key) and (item.ratingKey in (None, "") or is_key(item.ratingKey))
