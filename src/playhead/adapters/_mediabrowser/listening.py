"""What Jellyfin and Emby tell on their sockets: changed user data, changed libraries, and who plays what.

Both send ``{"MessageType", "Data"}``. User data goes only to the user whose session the socket is; sessions go to whoever
asked for them, an administrator's and an API key's socket get everybody's. Pure but for the memory of who plays. Source:
facts, api-jellyfin-emby.md A6 and B4; tapes 09 to 11, 17 and 19.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from playhead.adapters._mediabrowser.dates import TICKS_PER_S
from playhead.adapters._mediabrowser.heard import LEAF_TYPES, read_id, read_position
from playhead.kit.decoding import decode_json, decode_leniently
from playhead.ports.errors import BadAnswer
from playhead.ports.events import SCAN_BEGAN, SCAN_ENDED, Event, Heard

ASK_FOR_SESSIONS = '{"MessageType":"SessionsStart","Data":"0,1500"}'  # at once, then at most every 1.5 s
KEEP_ALIVE = '{"MessageType":"KeepAlive"}'
NO_USER = "0" * 32
SCAN_TASK = "RefreshLibrary"
MOST_IDS = 500  # told of a library; beyond, it is read anyway
TELL_EVERY_TICKS = 10 * TICKS_PER_S  # of playback that just goes on


class Message(msgspec.Struct):
    """The envelope."""

    MessageType: str | None = None
    Data: msgspec.Raw = msgspec.Raw(b"null")


class ChangedItem(msgspec.Struct):
    """UserItemDataDto of one item; ``UnplayedItemCount`` stands only on what holds others."""

    ItemId: str | int | None = None
    UnplayedItemCount: int | None = None


class UserDataChange(msgspec.Struct):
    UserId: str | None = None
    UserDataList: list[ChangedItem] | None = None


class LibraryChange(msgspec.Struct):
    """Ids of items and folders alike."""

    ItemsAdded: list[str | int] | None = None
    ItemsUpdated: list[str | int] | None = None
    ItemsRemoved: list[str | int] | None = None
    IsEmpty: bool | None = None


class RefreshStep(msgspec.Struct):
    """RefreshProgress: how far the refresh of a folder or library is, in percent as text."""

    ItemId: str | int | None = None
    Progress: str | float | None = None


class TaskEnd(msgspec.Struct):
    """ScheduledTaskEnded: TaskResult. ``Key`` is the same in every language."""

    Key: str | None = None


class NowPlaying(msgspec.Struct):
    """What lies in no library has no ``Id``."""

    Id: str | int | None = None
    Type: str | None = None


class PlayState(msgspec.Struct):
    PositionTicks: float | None = None
    IsPaused: bool | None = None


class Viewer(msgspec.Struct, frozen=True):
    """One who watches along."""

    UserId: str | None = None
    UserName: str | None = None


class Session(msgspec.Struct):
    """SessionInfo: a device, and what plays on it."""

    Id: str | None = None
    UserId: str | None = None
    UserName: str | None = None
    NowPlayingItem: NowPlaying | None = None
    PlayState: PlayState | None = None
    AdditionalUsers: list[Viewer] | None = None


_MESSAGE = msgspec.json.Decoder(Message)
_REFRESH = msgspec.json.Decoder(RefreshStep, strict=False)
_TASK = msgspec.json.Decoder(TaskEnd, strict=False)
_USER_DATA = msgspec.json.Decoder(UserDataChange, strict=False)
_WHOSE = frozenset({"UserId"})
_LIBRARY = msgspec.json.Decoder(LibraryChange, strict=False)
_SESSIONS = msgspec.json.Decoder(list[Session] | None, strict=False)


class Play(msgspec.Struct, frozen=True):
    """What plays in one session."""

    session: str
    item_id: str
    viewers: tuple[Viewer, ...]
    ticks: int = 0
    paused: bool = False


class Ear:
    """Makes events of the messages of one line."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._told: dict[str, Play] = {}  # by session: what an event was made of last
        self._now: dict[str, Play] = {}
        self._percent = 0.0  # of the refresh that was told of last

    def read(self, frame: bytes) -> tuple[str, list[Event]]:
        """The message's type and its events; types that do not concern the hub have none. Raises BadAnswer."""
        try:
            message = decode_json(_MESSAGE, frame)
            return message.MessageType or "", list(self._translate(message))
        except msgspec.DecodeError as error:
            raise BadAnswer(
                f"{self._title} told something that cannot be read ({str(error)[:120]}).",
                hint="Playhead opens the line again and reads what it missed.",
            ) from error

    def _translate(self, message: Message) -> Iterator[Event]:
        if message.MessageType == "UserDataChanged":
            yield from _read_user_data(decode_leniently(_USER_DATA, bytes(message.Data), _WHOSE))
        elif message.MessageType == "LibraryChanged":
            yield from _read_library(decode_leniently(_LIBRARY, bytes(message.Data)))
        elif message.MessageType == "RefreshProgress":
            yield from self._read_refresh(message.Data)
        elif message.MessageType == "ScheduledTaskEnded":
            yield from _read_task_end(message.Data)
        elif message.MessageType == "Sessions":
            yield from self._compare(_read_plays(decode_leniently(_SESSIONS, bytes(message.Data)) or []))

    def _read_refresh(self, data: msgspec.Raw) -> Iterator[Event]:
        """The beginning and the end. Each step of a folder is followed by that of its library, which says 0 again when the last
        of its folders is done. From Jellyfin's own code; no tape has one, so another form is passed over."""
        try:
            step = decode_json(_REFRESH, bytes(data))
            percent = float(step.Progress if step.Progress is not None else -1)
        except (msgspec.DecodeError, ValueError):
            return
        before, self._percent = self._percent, percent
        if percent == 0 or percent >= 100:
            name = SCAN_ENDED if percent or before >= 100 else SCAN_BEGAN
            yield Event("socket", Heard.scan, name, library_id=read_id(step.ItemId))

    def _compare(self, plays: dict[str, Play]) -> Iterator[Event]:
        """What ended, began, was paused, went on, or moved since the last list of sessions; each list is whole."""
        for key, before in self._now.items():
            after = plays.get(key)
            if after is None or after.item_id != before.item_id:
                self._told.pop(key, None)
                yield from _tell(Heard.stopped, before)
        for key, play in plays.items():
            told = self._told.get(key)
            moved = told is None or abs(play.ticks - told.ticks) >= TELL_EVERY_TICKS
            if told is None or told.paused != play.paused or moved:
                self._told[key] = play
                yield from _tell(Heard.stopped if play.paused else Heard.playing, play)
        self._now = plays


def _read_user_data(change: UserDataChange) -> Iterator[Event]:
    """The items among what changed; where only folders did, something is said to have changed."""
    leaves = (item.ItemId for item in change.UserDataList or () if item.UnplayedItemCount is None)
    ids = tuple(dict.fromkeys(item_id for native in leaves if (item_id := read_id(native))))
    yield Event("socket", Heard.state, "UserDataChanged", ids, user_id=read_id(change.UserId))


def _read_library(change: LibraryChange) -> Iterator[Event]:
    if change.IsEmpty:
        return
    named = [*(change.ItemsAdded or ()), *(change.ItemsUpdated or ()), *(change.ItemsRemoved or ())]
    ids = tuple(dict.fromkeys(item_id for native in named[: MOST_IDS + 1] if (item_id := read_id(native))))
    yield Event("socket", Heard.library, "LibraryChanged", ids if len(named) <= MOST_IDS else ())


def _read_task_end(data: msgspec.Raw) -> Iterator[Event]:
    """The end of a scan of everything; *assumed* as well."""
    try:
        task = decode_json(_TASK, bytes(data))
    except msgspec.DecodeError:
        return
    if task.Key == SCAN_TASK:
        yield Event("socket", Heard.scan, SCAN_ENDED)


def _read_plays(sessions: list[Session]) -> dict[str, Play]:
    plays = {}
    for session in sessions:
        item, state = session.NowPlayingItem, session.PlayState or PlayState()
        item_id = read_id(item.Id) if item and item.Type in LEAF_TYPES else None
        viewers = _find_viewers(session)
        if session.Id and item_id and viewers:
            ticks = int(min(max(state.PositionTicks or 0, 0), 2**53))
            plays[session.Id] = Play(session.Id, item_id, viewers, ticks, bool(state.IsPaused))
    return plays


def _find_viewers(session: Session) -> tuple[Viewer, ...]:
    """Everyone for whom the server counts the playback."""
    all_of_them = (Viewer(session.UserId, session.UserName), *(session.AdditionalUsers or ()))
    return tuple(viewer for viewer in all_of_them if read_id(viewer.UserId) not in (None, NO_USER))


def _tell(what: Heard, play: Play) -> Iterator[Event]:
    for viewer in play.viewers:
        yield Event(
            source="socket",
            what=what,
            name=f"Sessions.{what}",
            native_ids=(play.item_id,),
            user_id=read_id(viewer.UserId),
            user_name=viewer.UserName,
            session=play.session,
            position_s=read_position(play.ticks),
        )
