"""Plays a tape of sockets: opens them, asks and says what the recorder did, at the tape's times on a frozen clock."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from typing import Any, NamedTuple

import msgspec
from aiohttp import ClientWebSocketResponse, WSMsgType, WSServerHandshakeError
from aiohttp.test_utils import TestClient, TestServer

from tests.sandbox.ear import wait_until
from tests.sandbox.jellyfin.player import Player
from tests.sandbox.jellyfin.tape import find_name
from tests.truth import truth_path

Event = dict[str, Any]
_PATIENCE_S = 30.0


class Heard(NamedTuple):
    """What a socket got: a frame, or how it ended."""

    kind: str
    frame: Any


NOT_COUNTED = {"Sessions"}  # how many there are depends on the real server's timers


def counted(heard: list[Heard]) -> list[Heard]:
    return [each for each in heard if each.kind not in NOT_COUNTED]


class SocketPlayer(Player):
    """One server, and for each of the tape's sockets what it should have heard and what it heard."""

    def __init__(self, version: str) -> None:
        super().__init__(version)
        self.clock.freeze(1_795_000_000)
        self.expected: dict[str, list[Heard]] = defaultdict(list)
        self.heard: dict[str, list[Heard]] = defaultdict(list)
        self.handshakes: list[tuple[str, int, int]] = []
        self.sessions: list[tuple[dict[str, Any], dict[str, Any]]] = []
        self._sockets: dict[str, ClientWebSocketResponse] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._at = 0.0
        self._episode = ""
        self._lead: ClientWebSocketResponse | None = None

    async def play_events(self, events: list[Event], lead_s: float = 0.0) -> None:
        """All events in order; afterwards every socket is closed.

        ``lead_s``: how long before the tape the server's watch over sockets had begun.
        """
        async with TestClient(TestServer(self.server.make_app())) as client:
            if lead_s:
                self._lead = await client.ws_connect("/socket?ApiKey=TOKEN-KID")
                self.clock.advance(lead_s)
            for event in sorted(events, key=lambda event: float(event.get("t", 0.0))):
                await self._do(client, event)
            await self._wait_for_all()
            await wait_until(lambda: not self.server.plugin.posts.waiting)
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _do(self, client: TestClient[Any, Any], event: Event) -> None:
        at = float(event.get("t", self._at))
        if at > self._at:
            self.clock.advance(at - self._at)
            self._at = at
        name, way = event.get("socket", ""), event.get("dir", "")
        if way == "handshake":
            await self._open(client, name, event["data"])
        elif way == ">" and name in self._sockets:
            await self._say(name, event["data"])
        elif way == "<":
            self.expected[name].append(Heard(event["data"]["MessageType"], event["data"]))
        elif way == "<eof" or (way == "<close" and event["data"].get("reason")):
            self.expected[name].append(Heard("close", event["data"]))
        elif "http" in event:
            await self._ask(client, event)
        elif "visible in GET /Items" in event.get("note", ""):
            self._add_episode()
        elif "gone from GET /Items" in event.get("note", ""):
            self.server.disk.remove(self._episode)
            self.server.scan([self._episode])
        elif "sessions" in event:
            self._note_sessions(event["sessions"])

    async def _open(self, client: TestClient[Any, Any], name: str, data: Any) -> None:
        headers = {key: self._ours(value) for key, value in data["headers"].items()}
        if data["status"] == 302:
            asked = {**headers, "Connection": "Upgrade", "Upgrade": "websocket"}
            async with client.get(data["path"], headers=asked, allow_redirects=False) as answer:
                self.handshakes.append((name, 302, answer.status))
            return
        try:
            socket = await client.ws_connect(self._ours(data["path"]), headers=headers)
        except WSServerHandshakeError as error:
            self.handshakes.append((name, data["status"], error.status))
            return
        self.handshakes.append((name, data["status"], 101))
        self._sockets[name] = socket
        self._tasks.append(asyncio.create_task(self._listen(name, socket)))

    async def _listen(self, name: str, socket: ClientWebSocketResponse) -> None:
        async for message in socket:
            if message.type == WSMsgType.TEXT:
                frame = json.loads(message.data)
                self.heard[name].append(Heard(frame["MessageType"], frame))
        self.heard[name].append(Heard("close", {"code": socket.close_code}))

    async def _say(self, name: str, data: Any) -> None:
        socket = self._sockets[name]
        if not socket.closed:
            await socket.send_str(data if isinstance(data, str) else json.dumps(data))
        await asyncio.sleep(0.005)  # the server reads it before the tape goes on

    async def _ask(self, client: TestClient[Any, Any], event: Event) -> None:
        asked = event["http"]
        headers = {key: self._ours(value) for key, value in (asked.get("headers") or {}).items()}
        if asked.get("token"):
            device = "dev-apikey" if asked["token"] == "apikey" else f"dev-{asked['token']}"
            token = f"TOKEN-{asked['token'].upper()}"
            headers["Authorization"] = (
                f'MediaBrowser Client="Recorder", Device="lab", DeviceId="{device}", Version="1.0", Token="{token}"'
            )
        path = self._ours(asked["path"]) + self._query(asked.get("query"))
        body = None if asked.get("body") is None else json.loads(self._ours(json.dumps(asked["body"])))
        async with client.request(asked["method"], path, headers=headers, json=body) as answer:
            await answer.read()
            assert answer.status == event["status"], (asked, answer.status)

    def _add_episode(self) -> None:
        """The file that the recorder wrote in 11, found by now: the fifth episode of a season."""
        known = next(file for file in self.server.disk.files.values() if "Breaking Bad - S01E01" in file.path)
        self._episode = known.path.replace("S01E01", "S01E05")
        nfo = msgspec.structs.replace(known.nfo, title="Fifth", episode=5, ids={})
        self.server.disk.put(msgspec.structs.replace(known, path=self._episode, nfo=nfo, episode=5, world=()))
        self.server.scan([self._episode])

    def _note_sessions(self, told: list[Any]) -> None:
        """Who is whose session, at this moment; the tape also has devices of earlier tapes."""
        ours = {
            session.client.device_id: session.user.name if session.user else None
            for session in self.server.sessions.sessions.values()
        }
        theirs = {each["DeviceId"]: each["UserName"] for each in told if self._ours(each["DeviceId"]) in ours}
        self.sessions.append((theirs, {device: ours[self._ours(device)] for device in theirs}))

    async def _wait_for_all(self) -> None:
        """Frames need a moment to arrive."""
        async with asyncio.timeout(_PATIENCE_S):
            while any(  # noqa: ASYNC110 - the frames come from elsewhere
                len(counted(self.heard[name])) < len(counted(wanted))
                for name, wanted in self.expected.items()
            ):
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)  # what should not have come has come by now


def events_of(version: str, number: str) -> list[Event]:
    """The events of a file, also where they stand within a step."""
    data = json.loads(
        truth_path(
            "recorded", "jellyfin", f"{version}-real", f"{find_name(version, number)}.json"
        ).read_bytes()
    )
    found: list[Event] = list(data.get("events", []))
    for step in data.get("steps", []):
        found += step.get("events", [])
    return found
