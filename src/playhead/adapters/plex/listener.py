"""What a Plex server tells on its notifications, for which nobody needs a Plex Pass: playback, and steps of items.

Playing frames name no user: the player's session is looked up in ``/status/sessions``, which only the owner may read.
Decides what of it is an event; the item's state is read elsewhere. Source: facts, api-plex.md 5 and 9; recorded frames.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterator

import msgspec

from playhead.kit.decoding import decode_json, decode_members
from playhead.kit.line import Line, open_line
from playhead.ports.errors import BackendError, BadAnswer, Unauthorized
from playhead.ports.events import SCAN_BEGAN, SCAN_ENDED, Event, Heard

from . import wire
from .client import IDENTIFIER, PlexClient

PATH = "/:/websockets/notifications"
FILTERS = {"filters": "playing,timeline,activity"}
HEARTBEAT_S = 30.0
ASK_WITHIN_S = 5.0
ASK_AGAIN_S = 5.0
MOST_REMEMBERED = 10_000  # players, and items in work

_LEAVES = frozenset({"movie", "episode"})
_PLAYING = {
    "playing": Heard.playing,
    "buffering": Heard.playing,
    "paused": Heard.stopped,
    "stopped": Heard.stopped,
}
_LEAF_TYPES = (1, 4)
_VIDEO_TYPES = (1, 2, 3, 4)
_LIBRARY_TYPE = -1
_DONE, _DELETED = 5, 9
_SCAN = "library.update.section"
_SCAN_STEPS = {"started": SCAN_BEGAN, "ended": SCAN_ENDED}
_FRAME = msgspec.json.Decoder(wire.NotificationFrame, strict=False)
_ROWS = msgspec.json.Decoder(list[msgspec.Raw])
_RAW_FRAME = msgspec.json.Decoder(wire.RawNotificationFrame)
_ENTRIES: tuple[tuple[str, type[msgspec.Struct], frozenset[str]], ...] = (
    ("PlaySessionStateNotification", wire.Playing, frozenset({"ratingKey", "state"})),
    ("TimelineEntry", wire.TimelineEntry, frozenset({"itemID", "identifier", "type", "state"})),
    ("ActivityNotification", wire.ActivityStep, frozenset({"event"})),
)


async def listen_to(client: PlexClient) -> AsyncIterator[Event]:
    """Events until the line breaks, the first one ``missed``. Raises Unauthorized, Unreachable, BadAnswer, Interrupted."""
    line = await open_line(client.http, PATH, FILTERS, heartbeat_s=HEARTBEAT_S)
    try:
        yield Event(source="socket", what=Heard.missed, name="connected")
        async for event in _hear(line, client):
            yield event
    finally:
        await line.close()


async def _hear(line: Line, client: PlexClient) -> AsyncIterator[Event]:
    players, items = Players(client), ItemsInWork()
    while True:
        frame = await line.hear()
        if frame is None:
            continue
        told = read_frame(frame, client.title)
        for playing in told.PlaySessionStateNotification:
            event = await players.hear(playing)
            if event is not None:
                yield event
        for event in items.hear(told.TimelineEntry):
            yield event
        for event in hear_scans(told.ActivityNotification):
            yield event
        if told.unreadable:
            yield Event(source="socket", what=Heard.missed, name="unreadable")


def read_frame(frame: bytes, title: str) -> wire.Notification:
    """The notification in a frame; of other types nothing is kept, and of an entry what can be read. Raises BadAnswer."""
    try:
        try:
            return decode_json(_FRAME, frame).NotificationContainer
        except msgspec.ValidationError:
            return _read_entries(frame)
    except msgspec.DecodeError as error:
        raise BadAnswer(
            f"{title} told something that cannot be read ({str(error)[:120]}).",
            hint="Playhead opens the line again and reads what it missed.",
        ) from error


def _read_entries(frame: bytes) -> wire.Notification:
    """Entry by entry: one that is odd must not cost the line, which would break again at the next such."""
    told = decode_json(_RAW_FRAME, frame).NotificationContainer
    found = wire.Notification()
    for name, shape, needed in _ENTRIES:
        rows = getattr(found, name)
        for row in decode_json(_ROWS, bytes(told[name])) if name in told else ():
            try:
                rows.append(decode_members(shape, bytes(row), needed))
            except msgspec.DecodeError:
                found.unreadable = True
    return found


def hear_scans(steps: list[wire.ActivityStep]) -> Iterator[Event]:
    """The beginnings and ends of scans. Several scans of one library can overlap: an end ends one of them."""
    for step in steps:
        name = _SCAN_STEPS.get(step.event or "")
        if name is None or step.Activity is None or step.Activity.type != _SCAN:
            continue
        context = step.Activity.Context
        library = context.librarySectionID if context is not None else None
        yield Event("socket", Heard.scan, name, library_id=str(library) if library is not None else None)


def _read_whole(number: float | None, unit: int = 1) -> int | None:
    """So many whole units; None for what is no moment and no position (players say -1 where they know none)."""
    return int(number // unit) if number is not None and 0 <= number < 2**53 else None


class Player(msgspec.Struct):
    """Who plays in a session, as far as is known, and what was last heard of it."""

    user_id: str | None = None
    user_name: str | None = None
    kind: str | None = None
    last: tuple[str | None, str | int | None, float | None] | None = None


class Players:
    """The sessions of one line. Their keys start anew with the server, and so with the line."""

    def __init__(self, client: PlexClient, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._clock = clock
        self._known: OrderedDict[str, Player] = OrderedDict()
        self._ask_from = clock()
        self._may_ask = True

    async def hear(self, playing: wire.Playing) -> Event | None:
        """The event of a frame; None for music, live television, a state that is not known and what was heard already."""
        what, key = _PLAYING.get(playing.state or ""), str(playing.sessionKey)
        told = playing.ratingKey not in (None, "")
        if what is None or wire.is_live(playing.key) or (told and not wire.is_key(playing.ratingKey)):
            return None
        player = await self._find(key)
        now = (playing.state, playing.ratingKey, playing.viewOffset)
        repeated, player.last = player.last == now, now
        if playing.state == "stopped":
            self._known.pop(key, None)
        if repeated or (player.kind is not None and player.kind not in _LEAVES):
            return None
        return Event(
            source="socket",
            what=what,
            name=f"playing.{playing.state}",
            native_ids=(str(playing.ratingKey),) if told else (),
            user_id=player.user_id,
            user_name=player.user_name,
            session=key,
            position_s=_read_whole(playing.viewOffset, 1000),
        )

    async def _find(self, key: str) -> Player:
        """The player of a session, looked up when it is new and now and then until it is known."""
        is_new = key not in self._known
        player = self._known.setdefault(key, Player())
        if player.user_id is None and self._may_ask and (is_new or self._clock() >= self._ask_from):
            await self._ask()
            self._ask_from = self._clock() + ASK_AGAIN_S
        if len(self._known) > MOST_REMEMBERED:
            self._known.popitem(last=False)
        return player

    async def _ask(self) -> None:
        """Learn who plays. Where the server does not tell, events go without a user."""
        try:
            async with asyncio.timeout(ASK_WITHIN_S):
                sessions = await self._client.fetch_player_sessions()
        except Unauthorized:
            self._may_ask = False  # not the owner's token
            return
        except (BackendError, TimeoutError):
            return
        for session in sessions:
            if session.sessionKey is None or session.User is None or session.User.id is None:
                continue
            player = self._known.setdefault(str(session.sessionKey), Player())
            player.user_id, player.user_name = str(session.User.id), session.User.title
            player.kind = session.type


class ItemsInWork:
    """Which items a scan or a refresh is working on: their last step is the library's doing, not a person's.

    *Assumed*, for no recording shows it: a mark by hand is told as the last step (5) of an item that was not in work.
    """

    def __init__(self) -> None:
        self._in_work: OrderedDict[str, None] = OrderedDict()

    def hear(self, entries: list[wire.TimelineEntry]) -> Iterator[Event]:
        """At most one event about the library and one about state."""
        library, state = dict[str, None](), dict[str, None]()
        any_library = any_state = False
        at: int | None = None
        for entry in entries:
            what = self._judge(entry)
            if what is None:
                continue
            leaf = {str(entry.itemID): None} if entry.type in _LEAF_TYPES and entry.itemID is not None else {}
            if what is Heard.library:
                any_library = True
                library.update(leaf)
            else:
                any_state = True
                state.update(leaf)
            told_at = _read_whole(entry.updatedAt)
            at = told_at if told_at is not None else at
        if any_library:
            yield Event("socket", Heard.library, "timeline", tuple(library), at=at)
        if any_state:
            yield Event("socket", Heard.state, "timeline", tuple(state), at=at)

    def _judge(self, entry: wire.TimelineEntry) -> Heard | None:
        """What an entry tells; None for music, for steps in between and for the analysis of files."""
        if entry.identifier not in (None, IDENTIFIER):
            return None
        if entry.type == _LIBRARY_TYPE:
            return Heard.library if entry.state in (_DONE, _DELETED) else None
        if entry.type not in _VIDEO_TYPES or entry.state is None:
            return None
        key = str(entry.itemID)
        if entry.state == _DELETED:
            self._in_work.pop(key, None)
            return Heard.library
        if 0 <= entry.state < _DONE:
            self._remember(key)
            return None
        if entry.state != _DONE or entry.mediaState:
            return None
        worked_on = key in self._in_work
        self._in_work.pop(key, None)
        return Heard.library if worked_on or entry.metadataState else Heard.state

    def _remember(self, key: str) -> None:
        self._in_work[key] = None
        if len(self._in_work) > MOST_REMEMBERED:
            self._in_work.popitem(last=False)
