"""The sockets of an emulated Emby: every path takes one, with any token or none; who is told what. Source: facts B4.

*Assumed*, after Emby's open ancestor: one timer for the changes of all users, started anew with each; progress in between is
not told; a line with an API key hears of sessions alone, others than admins of their own sessions.
"""

from __future__ import annotations

import uuid
from typing import Any

import msgspec
from aiohttp import web

from playhead.sandbox.agenda import Agenda, Entry
from playhead.sandbox.emby.accounts import Accounts, User
from playhead.sandbox.emby.catalogue import Node
from playhead.sandbox.emby.reads import Reads
from playhead.sandbox.lines import Lines, SocketLine


class EmbyLine(SocketLine):
    """A socket. ``known`` False: its token is none of the server's; it is open and hears nothing."""

    def __init__(self, request: web.Request, user: User | None, *, known: bool) -> None:
        super().__init__(request)
        self.user = user
        self.known = known
        self.sessions = False


class Sockets:
    """All sockets of one server. ``delays``: user_data_s, library_s, sessions_s."""

    def __init__(self, reads: Reads, agenda: Agenda, delays: dict[str, float]) -> None:
        self.lines: Lines[EmbyLine] = Lines()
        self._reads = reads
        self._accounts: Accounts = reads.accounts
        self._agenda = agenda
        self._delays = delays
        self._saved: dict[str, dict[str, Node]] = {}
        self._saved_timer: Entry | None = None
        self._added: dict[str, Node] = {}
        self._removed: dict[str, Node] = {}
        self._updated: dict[str, Node] = {}
        self._library_timer: Entry | None = None

    # -- lines

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Take a line and stay until it ends. The token counts in the query alone."""
        query = {name.lower(): value for name, value in request.query.items()}
        token = query.get("api_key")
        known = self._accounts.knows(token)
        line = EmbyLine(request, self._accounts.owner(token or "") if known else None, known=known)
        await line.open()
        self.lines.add(line)
        try:
            return await line.hold(lambda text: self._hear(line, text))
        finally:
            self.lines.remove(line)

    def _hear(self, line: EmbyLine, text: str) -> None:
        try:
            said = msgspec.json.decode(text)
        except msgspec.DecodeError:
            return
        kind = said.get("MessageType") if isinstance(said, dict) else None
        if kind == "SessionsStart" and line.known:
            line.sessions = True
            self._repeat_sessions(line)
        elif kind == "SessionsStop":
            line.sessions = False

    # -- sessions

    def sessions_changed(self) -> None:
        """Who asked for sessions gets them."""
        for line in self.lines:
            if line.sessions:
                self._say_sessions(line)

    def _repeat_sessions(self, line: EmbyLine) -> None:
        """A quiet server tells them about every forty seconds."""
        if line.sessions and line in list(self.lines):
            self._say_sessions(line)
            self._agenda.after(self._delays["sessions_s"], lambda: self._repeat_sessions(line))

    def _say_sessions(self, line: EmbyLine) -> None:
        everybody = line.user is None or line.user.admin
        shown = [
            self._reads.show_session(session)
            for session in self._accounts.sessions.values()
            if everybody or session.user is line.user
        ]
        line.say(msgspec.json.encode({"MessageType": "Sessions", "Data": shown}).decode())

    # -- user data

    def user_data_saved(self, user: User, node: Node) -> None:
        """A save that is told: half a second later, with others that came meanwhile."""
        if not self.lines:
            return
        self._saved.setdefault(user.id, {}).setdefault(node.id, node)
        if self._saved_timer is not None:
            self._saved_timer.cancel()
        self._saved_timer = self._agenda.after(self._delays["user_data_s"], self._send_saved)

    def _send_saved(self) -> None:
        saved, self._saved, self._saved_timer = self._saved, {}, None
        for user_id, nodes in saved.items():
            user = self._accounts.users.get(user_id)
            lines = [line for line in self.lines if user is not None and line.user is user]
            if user is not None and lines:
                entries = [self._describe(user, node) for node in nodes.values()]
                _speak(lines, "UserDataChanged", {"UserId": user.id, "UserDataList": entries})

    def _describe(self, user: User, node: Node) -> dict[str, Any]:
        return {**self._reads.presenter.user_data(node, user), "ItemId": node.id}

    # -- libraries

    def library_changed(
        self, added: list[Node], removed: list[Node], updated: list[Node] | None = None
    ) -> None:
        """Told late, to all users who may see the items; who may not hears nothing (*assumed*)."""
        if not self.lines:
            return
        self._added.update((node.id, node) for node in added)
        self._removed.update((node.id, node) for node in removed)
        self._updated.update((node.id, node) for node in updated or ())
        if self._library_timer is not None:
            self._library_timer.cancel()
        self._library_timer = self._agenda.after(self._delays["library_s"], self._send_library)

    def _send_library(self) -> None:
        added, removed = list(self._added.values()), list(self._removed.values())
        updated = [node for key, node in self._updated.items() if key not in self._added]
        self._added, self._removed, self._updated, self._library_timer = {}, {}, {}, None
        for user in self._accounts.users.values():
            lines = [line for line in self.lines if line.user is user]
            visible = self._reads.visible(user)
            seen = [node for node in added if node.shelf.view_id in visible]
            gone = [node for node in removed if node.shelf.view_id in visible]
            other = [node for node in updated if node.shelf.view_id in visible]
            if lines and (seen or gone or other):
                _speak(lines, "LibraryChanged", _describe_changes(seen, gone, other))


def _describe_changes(added: list[Node], removed: list[Node], updated: list[Node]) -> dict[str, Any]:
    shelves = {node.shelf.view_id: None for node in (*added, *removed, *updated)}
    return {
        "FoldersAddedTo": list(dict.fromkeys(node.parent_id for node in added)),
        "FoldersRemovedFrom": list(dict.fromkeys(node.parent_id for node in removed)),
        "ItemsAdded": [node.id for node in added],
        "ItemsRemoved": [node.id for node in removed],
        "ItemsUpdated": [node.id for node in updated],
        "CollectionFolders": list(shelves),
        "IsEmpty": False,
    }


def _speak(lines: list[EmbyLine], kind: str, data: Any) -> None:
    text = msgspec.json.encode({"MessageType": kind, "MessageId": uuid.uuid4().hex, "Data": data}).decode()
    for line in lines:
        line.say(text)
