"""What an emulated Plex tells on its notification lines: WebSockets and the event stream. Source: facts, api-plex.md 9.

*Assumed*, as no recording shows it: others than the owner hear of their own playback and of libraries that they may see; a
mark by hand tells one entry, of the item that was marked; a message of the event stream is the body without its container.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from aiohttp import web

from playhead.sandbox.lines import Line, Lines, SocketLine, StreamLine
from playhead.sandbox.plex.accounts import Account
from playhead.sandbox.plex.answers import ACCOUNT
from playhead.sandbox.plex.catalogue import TYPES, Node, Section

if TYPE_CHECKING:
    from playhead.sandbox.plex.core import PlexCore

CREATED, PROCESSED, DELETED = 0, 5, 9
PING_S = 10.0
_IDENTIFIER = "com.plexapp.plugins.library"
_BODIES = {
    "playing": "PlaySessionStateNotification",
    "timeline": "TimelineEntry",
    "activity": "ActivityNotification",
    "status": "StatusNotification",
}


class Filter:
    """``filters=playing,timeline``: these alone; ``-log``: all but these; absent: all but logs; empty: all."""

    def __init__(self, text: str | None) -> None:
        names = [part for part in ("-log" if text is None else text).split(",") if part]
        self._without = bool(names) and names[0].startswith("-")
        self._names = {name.removeprefix("-") for name in names}

    def passes(self, kind: str) -> bool:
        if not self._names:
            return True
        return (kind in self._names) != self._without


class Listener:
    """A line of somebody with a filter."""

    def __init__(self, line: Line, account: Account, wanted: Filter) -> None:
        self.line = line
        self.account = account
        self.wanted = wanted


class Notifications:
    """All lines of one server."""

    def __init__(self, core: PlexCore) -> None:
        self._core = core
        self._listeners: dict[Line, Listener] = {}
        self.lines: Lines[Line] = Lines()

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/:/websockets/notifications", self.socket),
            web.get("/:/websocket/notifications", self.socket),
            web.get("/:/eventsource/notifications", self.stream),
        ]

    # -- lines

    async def socket(self, request: web.Request) -> web.StreamResponse:
        """A WebSocket; what a client says on it is not listened to."""
        if request.headers.get("Upgrade", "").lower() != "websocket":
            raise web.HTTPBadRequest
        line = SocketLine(request)
        await line.open()
        self._add(line)
        try:
            return await line.hold(lambda _: None)
        finally:
            self._remove(line)

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Server-sent events, with a ping every ten seconds."""
        line = StreamLine(request)
        self._add(line)
        self._ping(line)
        try:
            return await line.hold({"X-Plex-Protocol": "1.0"})
        finally:
            self._remove(line)

    def _ping(self, line: StreamLine) -> None:
        if line in self._listeners:
            line.say("event: ping\ndata: {}\n\n")
            self._core.agenda.after(PING_S, lambda: self._ping(line))

    def _add(self, line: Line) -> None:
        query = line.request.query
        wanted = Filter(query.get("filters", query.get("filter")))
        self._listeners[line] = Listener(line, line.request[ACCOUNT], wanted)
        self.lines.add(line)

    def _remove(self, line: Line) -> None:
        self._listeners.pop(line, None)
        self.lines.remove(line)

    # -- messages

    def playing(self, account: Account, entry: dict[str, Any]) -> None:
        """Playback of somebody."""
        for listener in list(self._listeners.values()):
            if listener.account.owner or listener.account.id == account.id:
                _say(listener, "playing", [entry])

    def items(self, nodes: list[Node], state: int, metadata_state: str | None = None) -> None:
        """Items were made, changed or taken away: one message for each, in order."""
        for node in nodes if self._listeners else ():
            self._timeline(node.section, self._describe(node, state, metadata_state))

    def announce(self, kind: str, entry: dict[str, Any]) -> None:
        """What the server itself does (``activity``, ``status``); the owner alone hears it (*assumed*)."""
        for listener in list(self._listeners.values()):
            if listener.account.owner:
                _say(listener, kind, [entry])

    def section_gone(self, section: Section) -> None:
        """A library was removed (recorded: type -1, state 9)."""
        head = {"identifier": _IDENTIFIER, "sectionID": str(section.key), "itemID": str(section.key)}
        self._timeline(section, {**head, "type": -1, "state": DELETED})

    def _timeline(self, section: Section, entry: dict[str, Any]) -> None:
        for listener in list(self._listeners.values()):
            if listener.account.may_see(section):
                _say(listener, "timeline", [entry])

    def _describe(self, node: Node, state: int, metadata_state: str | None) -> dict[str, Any]:
        entry: dict[str, Any] = {
            "identifier": _IDENTIFIER,
            "sectionID": str(node.section.key),
            "itemID": str(node.key),
        }
        if node.parent is not None:
            entry["parentItemID"] = str(node.parent.key)
        if node.kind == "episode" and node.show is not None:
            entry["rootItemID"] = str(node.show.key)
        entry |= {"type": TYPES[node.kind], "title": node.title, "state": state}
        if metadata_state is not None:
            entry["metadataState"] = metadata_state
        return entry | {"updatedAt": self._core.now()}


def _say(listener: Listener, kind: str, entries: list[dict[str, Any]]) -> None:
    if not listener.wanted.passes(kind):
        return
    body = _BODIES[kind]
    if isinstance(listener.line, StreamLine):
        for entry in entries:
            text = msgspec.json.encode({body: entry}).decode()
            listener.line.say(f"event: {kind}\ndata: {text}\n\n")
        return
    container = {"type": kind, "size": len(entries), body: entries}
    listener.line.say(msgspec.json.encode({"NotificationContainer": container}).decode())
