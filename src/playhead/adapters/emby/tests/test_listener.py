"""The line to Emby, on a server that says what a test tells it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest
from aiohttp import web

from playhead.adapters.emby import listener, manifest
from playhead.adapters.emby.adapter import EmbyBackend
from playhead.adapters.emby.settings import EmbySettings
from playhead.ports.errors import BadAnswer, Interrupted, Unauthorized
from playhead.ports.events import Event, Heard, Listens
from tests.contract.rig import find_entry, open_rig
from tests.contract.world import ANNA, SERVER
from tests.talking import Talker, collect, hang_up, open_talker, tell

USER = "6ebbd48035ba48a1bf645470b6bdea30"
VIEWS = f"/emby/Users/{USER}/Views"


def message(kind: str, data: Any) -> str:
    return json.dumps({"MessageType": kind, "MessageId": "a" * 32, "Data": data})


@pytest.fixture
async def place() -> AsyncIterator[tuple[Talker, EmbyBackend]]:
    async with open_talker() as (talker, url):
        talker.answers[VIEWS] = {"Items": [], "TotalRecordCount": 0}
        backend = EmbyBackend(EmbySettings(url=url, timeout_s=2), "key", USER, client_id="hub")
        yield talker, backend
        await backend.close()


async def test_the_emulated_server_tells_a_user_of_marks_and_a_key_of_playback() -> None:
    """Each with its item and user; a cut line, and the next one; a wrong token."""
    async with open_rig(manifest) as rig:
        own, key = rig.connect(token=rig.box.token(SERVER, ANNA)), rig.connect()
        anna = (await key.check_account()).id
        film = await find_entry(key, "fresh")
        async with aclosing(own.listen()) as marks, aclosing(key.listen()) as plays:
            assert [(await anext(line)).what for line in (marks, plays)] == [Heard.missed] * 2
            rig.act("mark", "fresh")
            marked = await anext(marks)
            assert (marked.what, marked.native_ids, marked.user_id) == (Heard.state, (film.native_id,), anna)
            rig.act("play_start", "fresh", position_s=600)
            begun = await anext(plays)
            rig.act("play_stop", "fresh")
            ended = await anext(plays)
            assert (begun.what, ended.what) == (Heard.playing, Heard.stopped)
            assert {event.native_ids for event in (begun, ended)} == {(film.native_id,)}
            assert {event.user_id for event in (begun, ended)} == {anna}
            rig.act("cut_sockets", "fresh")
            with pytest.raises(Interrupted):
                while True:
                    await anext(plays)
        assert [event.what for event in await collect(key.listen(), 1)] == [Heard.missed]
        with pytest.raises(Unauthorized):
            await collect(rig.connect(token="wrong").listen(), 1)


async def test_the_line_begins_with_what_was_missed(place: tuple[Talker, EmbyBackend]) -> None:
    """The token stands in the query, the only place where Emby looks for it here; the device is one of its own."""
    talker, backend = place
    assert isinstance(backend, Listens)
    talker.talk = tell(message("UserDataChanged", {"UserId": USER, "UserDataList": [{"ItemId": "240270"}]}))
    assert await collect(backend.listen(), 2) == [
        Event(source="socket", what=Heard.missed, name="connected"),
        Event("socket", Heard.state, "UserDataChanged", ("240270",), user_id=USER),
    ]
    (request,) = talker.handshakes
    assert (request.path, dict(request.query)) == (
        "/embywebsocket",
        {"api_key": "key", "deviceId": f"hub-hears-{USER}"},
    )
    assert request.headers["X-Emby-Device-Id"] == f"hub-hears-{USER}"


async def test_a_false_token_is_noticed_before_the_line_is_opened(place: tuple[Talker, EmbyBackend]) -> None:
    """Emby would open it all the same and say nothing on it."""
    talker, backend = place
    talker.answers[VIEWS] = 401
    with pytest.raises(Unauthorized):
        await collect(backend.listen(), 1)
    assert talker.handshakes == []


async def test_it_asks_for_sessions(place: tuple[Talker, EmbyBackend]) -> None:
    """And hears who stops where."""
    talker, backend = place
    playing = {
        "Id": "s1",
        "UserId": USER,
        "UserName": "anna",
        "NowPlayingItem": {"Id": "240270", "Type": "Episode"},
        "PlayState": {"PositionTicks": 6_100_000_000, "IsPaused": False},
    }

    async def talk(_: Talker, socket: web.WebSocketResponse) -> None:
        talker.heard.append((await socket.receive()).data)
        await tell(message("Sessions", [playing]), message("Sessions", []))(talker, socket)

    talker.talk = talk
    _, first, second = await collect(backend.listen(), 3)
    assert (first.what, second.what) == (Heard.playing, Heard.stopped)
    assert second == Event(
        "socket",
        Heard.stopped,
        "Sessions.stopped",
        ("240270",),
        user_id=USER,
        user_name="anna",
        session="s1",
        position_s=610,
    )
    assert json.loads(talker.heard[0])["MessageType"] == "SessionsStart"


async def test_silence_is_taken_for_deafness(
    place: tuple[Talker, EmbyBackend], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pings are answered, but not even sessions come."""
    monkeypatch.setattr(listener, "LONGEST_SILENCE_S", 0.2)
    monkeypatch.setattr(listener, "HEARTBEAT_S", 0.1)
    _, backend = place
    async with aclosing(backend.listen()) as events:
        await anext(events)
        with pytest.raises(Interrupted, match="is deaf"):
            await anext(events)


async def test_a_dead_server_is_noticed(
    place: tuple[Talker, EmbyBackend], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pings are not answered."""
    monkeypatch.setattr(listener, "HEARTBEAT_S", 0.2)
    talker, backend = place
    talker.autoping = False
    async with aclosing(backend.listen()) as events:
        await anext(events)
        with pytest.raises(Interrupted, match="is dead"):
            await anext(events)


async def test_a_server_that_goes_down_ends_the_line(place: tuple[Talker, EmbyBackend]) -> None:
    """After what it said."""
    talker, backend = place
    talker.talk = tell(message("ServerShuttingDown", ""), then=hang_up)
    with pytest.raises(Interrupted, match="closed by the server"):
        await collect(backend.listen(), 2)


async def test_a_frame_that_cannot_be_read_ends_the_line(place: tuple[Talker, EmbyBackend]) -> None:
    """It may have told something."""
    talker, backend = place
    talker.talk = tell("not json")
    with pytest.raises(BadAnswer, match="cannot be read"):
        await collect(backend.listen(), 2)
