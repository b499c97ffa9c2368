"""The sockets of a server: who is connected as which session, what is sent to whom and when. Facts: api-jellyfin-emby A6.

Every path takes a WebSocket. A line belongs to a session, and the session's user decides what it gets, whoever the token
was given to: marks for another user rebind it. Of several lines of a session only the one on which the client spoke or
connected last is spoken to (tape 11: a ``deviceId`` in the query makes no session of its own). Time is the sandbox clock's.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import msgspec
from aiohttp import web

from playhead.sandbox.agenda import Entry
from playhead.sandbox.jellyfin.accounts import Token, User
from playhead.sandbox.jellyfin.answers import text_failure
from playhead.sandbox.jellyfin.items import Item
from playhead.sandbox.jellyfin.sessions import Session
from playhead.sandbox.lines import Lines, SocketLine

if TYPE_CHECKING:
    from playhead.sandbox.jellyfin.emulator import JellyfinServer

KEEP_ALIVE_S = 60
WATCH_EVERY_S = 12.0  # measured: silence is noticed at 48 s, given up at 60 or 72 s (tapes 11, 19)
REMIND_AFTER_S = 45.0
SESSIONS_EVERY_S = 1.5
_ROUNDING_S = 1e-6
_SHUTDOWN = "System Shutdown"


class ClientLine(SocketLine):
    """The socket of a session. ``deaf``: the server gave it up; it stays open and hears nothing."""

    def __init__(self, request: web.Request, token: Token, session: Session, now: float) -> None:
        super().__init__(request)
        self.token = token
        self.session = session
        self.last_word = now
        self.deaf = False
        self.turn = 0
        self.subscribed: set[str] = set()
        self.sessions_at = now


class LibraryChanges:
    """What was added to and removed from the libraries since the last message."""

    def __init__(self) -> None:
        self.added: dict[str, Item] = {}
        self.removed: dict[str, Item] = {}
        self.grown: dict[str, Item] = {}
        self.added_to: dict[str, Item] = {}
        self.removed_from: dict[str, Item] = {}

    def note_added(self, item: Item, *, tells_grown: bool) -> None:
        self.added[item.id] = item
        if item.parent is not None:
            self.added_to[item.parent.id] = item.parent
            if tells_grown and item.parent.type == "Season" and item.parent.id not in self.added:
                self.grown[item.parent.id] = item.parent

    def note_removed(self, item: Item) -> None:
        self.added.pop(item.id, None)
        self.removed[item.id] = item
        if item.parent is not None:
            self.removed_from[item.parent.id] = item.parent

    def describe(self, sees: Callable[[Item], bool], folders: list[str]) -> dict[str, Any]:
        """``LibraryChanged`` for somebody: removed items are told to everyone, the rest to who may see it."""

        def ids(items: dict[str, Item]) -> list[str]:
            return [guid for guid, item in items.items() if sees(item)]

        return {
            "FoldersAddedTo": ids(self.added_to),
            "FoldersRemovedFrom": ids(self.removed_from),
            "ItemsAdded": ids(self.added),
            "ItemsRemoved": list(self.removed),
            "ItemsUpdated": ids(self.grown),
            "CollectionFolders": folders,
            "IsEmpty": False,
        }


class Sockets:
    """All lines of one server."""

    def __init__(self, server: JellyfinServer, user_data_s: float, library_s: float | None) -> None:
        self.server = server
        self.lines: Lines[ClientLine] = Lines()
        self._user_data_s = user_data_s
        self._library_s = library_s
        self._saved: dict[str, dict[str, Item]] = {}  # by user id: items in the order of their first save
        self._saved_timer: Entry | None = None
        self._changes: LibraryChanges | None = None
        self._changes_timer: Entry | None = None
        self._watching = False
        self._turns = 0

    # --- a line's life

    async def serve(
        self, request: web.Request, token: Token | None, session: Session | None
    ) -> web.StreamResponse:
        """Take a line and stay until it ends; without a valid token 403."""
        if token is None or session is None:
            return text_failure(403).response
        line = ClientLine(request, token, session, self._elapsed())
        await line.open()
        self.lines.add(line)
        self._take_turn(line)
        self._watch()
        line.say(_write("ForceKeepAlive", KEEP_ALIVE_S))
        try:
            return await line.hold(lambda text: self._hear(line, text))
        finally:
            self.lines.remove(line)

    def _hear(self, line: ClientLine, text: str) -> None:
        """What a client says. A deaf line ends with the first word; what is no JSON closes the line (tapes 09, 19)."""
        if line.deaf:
            line.cut()
            return
        self._take_turn(line)
        try:
            said = msgspec.json.decode(text)
        except msgspec.DecodeError:
            line.close(1000, _SHUTDOWN)
            return
        kind = str(said.get("MessageType", "")) if isinstance(said, dict) else ""
        if kind == "KeepAlive":
            line.last_word = self._elapsed()
            line.say(_write("KeepAlive"))
        elif kind.endswith("Start"):
            line.subscribed.add(kind.removesuffix("Start"))
        elif kind.endswith("Stop"):
            line.subscribed.discard(kind.removesuffix("Stop"))

    def _take_turn(self, line: ClientLine) -> None:
        self._turns += 1
        line.turn = self._turns

    def _elapsed(self) -> float:
        return self.server.agenda.elapsed()

    def _watch(self) -> None:
        if not self._watching:
            self._watching = True
            self.server.agenda.after(WATCH_EVERY_S, self._look_after)

    def _look_after(self) -> None:
        """Every 12 seconds: remind the silent; before long, 12 no longer speaks to them (10.11 goes on)."""
        now = self._elapsed()
        for line in self.lines:
            silent = now - line.last_word
            if silent >= KEEP_ALIVE_S - _ROUNDING_S:
                line.deaf = line.deaf or self.server.rules.deaf_sockets
            elif silent > REMIND_AFTER_S:
                line.say(_write("ForceKeepAlive", KEEP_ALIVE_S))
        self._watching = False
        if self.lines:
            self._watch()

    # --- speaking

    def _speak(self, lines: Iterable[ClientLine], kind: str, data: Any) -> None:
        """The same message, under one id, to the line of each session that was used last."""
        text, last = _write(kind, data), {}
        for line in sorted(lines, key=lambda line: line.turn):
            if not line.deaf:
                last[line.session.id] = line
        for line in last.values():
            line.say(text)

    def restart(self) -> None:
        """The server goes down: everyone is told, then closed (tape 17)."""
        self._speak(self.lines, "ServerRestarting", "")
        for line in self.lines:
            line.close(1000, _SHUTDOWN)

    # --- user data

    def user_data_saved(self, user: User, item: Item, reason: str) -> None:
        """A save; one timer of half a second for all users starts anew with each, but for playback in between."""
        if not self.lines or reason == "PlaybackProgress":
            return
        self._saved.setdefault(user.id, {}).setdefault(item.id, item)
        if self._saved_timer is not None:
            self._saved_timer.cancel()
        self._saved_timer = self.server.agenda.after(self._user_data_s, self._send_saved)

    def _send_saved(self) -> None:
        saved, self._saved, self._saved_timer = self._saved, {}, None
        for user_id, items in saved.items():
            user = self.server.accounts.users.get(user_id)
            lines = [line for line in self.lines if line.session.user is user and user is not None]
            if user is None or not lines:
                continue
            shown = [self._describe(user, item) for item in _with_parents(items.values())]
            self._speak(lines, "UserDataChanged", {"UserId": user.id, "UserDataList": shown})

    def _describe(self, user: User, item: Item) -> dict[str, Any]:
        return self.server.describer.user_data(user, item, self.server.store.read(user, item))

    # --- libraries

    def item_added(self, item: Item) -> None:
        if self.lines:
            self._collect().note_added(item, tells_grown=self.server.rules.tells_grown)

    def item_removed(self, item: Item) -> None:
        if self.lines:
            self._collect().note_removed(item)

    def _collect(self) -> LibraryChanges:
        """Each change starts the wait anew (``LibraryUpdateDuration`` of the configuration, unless a world says)."""
        wait = self._library_s
        if wait is None:
            wait = float(self.server.configuration.get("LibraryUpdateDuration", 30))
        if self._changes_timer is not None:
            self._changes_timer.cancel()
        self._changes_timer = self.server.agenda.after(wait, self._send_changes)
        self._changes = self._changes or LibraryChanges()
        return self._changes

    def _send_changes(self) -> None:
        changes, self._changes, self._changes_timer = self._changes, None, None
        if changes is None:
            return
        for user in self.server.accounts.users.values():
            lines = [line for line in self.lines if line.session.user is user]
            if lines:
                self._speak(lines, "LibraryChanged", self._changes_for(user, changes))

    def _changes_for(self, user: User, changes: LibraryChanges) -> dict[str, Any]:
        libraries = [each.folder.id for each in self.server.catalogue.libraries.values()]
        folders = [*filter(user.may_see, libraries), self.server.catalogue.playlists.id]

        def sees(item: Item) -> bool:
            return item.library is None or user.may_see(item.library.folder.id)

        return changes.describe(sees, folders)

    # --- sessions

    @property
    def sessions_wanted(self) -> bool:
        """Whether a client asked to be told of sessions."""
        return any("Sessions" in line.subscribed for line in self.lines)

    def activity_noted(self) -> None:
        """Admins who asked for it learn that something was written into the activity log, not what (tape 10)."""
        lines = [line for line in self.lines if "ActivityLogEntry" in line.subscribed and line.token.admin]
        self._speak(lines, "ActivityLogEntry", [])

    def sessions_changed(self, *, by_itself: bool = False) -> None:
        """Who asked for sessions gets them all: an admin everybody's, others their own.

        What only moves on ``by_itself`` is told at most every 1.5 seconds.
        """
        now = self._elapsed()
        for line in self.lines:
            if "Sessions" in line.subscribed and not (
                by_itself and now - line.sessions_at < SESSIONS_EVERY_S
            ):
                line.sessions_at = now
                shown = [
                    self.server.describe_session(session)
                    for session in self.server.sessions.newest_first()
                    if line.token.admin or session.user is line.token.user
                ]
                line.say(_write("Sessions", shown))


def _with_parents(items: Iterable[Item]) -> Iterable[Item]:
    """Each item, then the folder that directly holds it, once (tape 10)."""
    found: dict[str, Item] = {}
    for item in items:
        found.setdefault(item.id, item)
        holder = item.parent or (item.primary.parent if item.primary else None)
        if holder is not None:
            found.setdefault(holder.id, holder)
    return found.values()


def _write(kind: str, data: Any = None) -> str:
    message = {"MessageId": uuid.uuid4().hex}
    if data is not None:
        message["Data"] = data
    message["MessageType"] = kind
    return msgspec.json.encode(message).decode()
