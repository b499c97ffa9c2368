"""The line to Jellyfin: on the emulated server, and on one that says what a test tells it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
from aiohttp import web

from playhead.adapters.jellyfin import listener, manifest
from playhead.adapters.jellyfin.adapter import JellyfinBackend
from playhead.adapters.jellyfin.settings import JellyfinSettings
from playhead.ports.errors import BadAnswer, Interrupted, Unauthorized
from playhead.ports.events import Heard, Listens
from tests.contract.rig import Rig, find_entry, open_rig, wish
from tests.contract.world import ANNA, BEN, SERVER
from tests.talking import Talker, collect, hang_up, open_talker, stay, tell

USER = "6ebbd48035ba48a1bf645470b6bdea30"
FORCE = json.dumps({"MessageType": "ForceKeepAlive", "Data": 60})

ALIVE = json.dumps({"MessageType": "KeepAlive"})


async def answer_once(talker: Talker, socket: web.WebSocketResponse) -> None:
    """The first KeepAlive is answered, the others are not."""
    await socket.receive()
    await socket.receive()
    await socket.send_str(ALIVE)
    await stay(talker, socket)


@pytest.fixture(params=["12.0.0", "10.11.11"])
async def rig(request: pytest.FixtureRequest) -> AsyncIterator[Rig]:
    async with open_rig(manifest, version=request.param) as opened:
        yield opened


@pytest.fixture
async def place() -> AsyncIterator[tuple[Talker, JellyfinBackend]]:
    async with open_talker() as (talker, url):
        backend = JellyfinBackend(JellyfinSettings(url=url, timeout_s=2), "key", USER, client_id="hub")
        yield talker, backend
        await backend.close()


async def test_a_users_own_token_hears_marks(rig: Rig) -> None:
    """A mark, an unmark, a rating: the item, and whose it is."""
    backend = rig.connect(token=rig.box.token(SERVER, ANNA))
    assert isinstance(backend, Listens)
    item = await find_entry(backend, "fresh")
    async with aclosing(backend.listen()) as events:
        assert (await anext(events)).what is Heard.missed
        rig.act("mark", "fresh")
        event = await anext(events)
        assert (event.what, event.native_ids) == (Heard.state, (item.native_id,))
        assert event.user_id == (await backend.check_account()).id


async def test_an_api_key_hears_playback(rig: Rig) -> None:
    """Of every user, by name; the place where it stopped."""
    backend = rig.connect()
    item = await find_entry(backend, "fresh")
    async with aclosing(backend.listen()) as events:
        await anext(events)
        rig.act("play_start", "fresh", user=BEN, position_s=600)
        event = await anext(events)
        assert (event.what, event.native_ids, event.user_name) == (Heard.playing, (item.native_id,), BEN)
        rig.act("play_stop", "fresh", user=BEN)
        while event.what is not Heard.stopped:
            event = await anext(events)
        assert (event.native_ids, event.user_name) == ((item.native_id,), BEN)


async def test_our_own_marks_do_not_move_the_line(rig: Rig) -> None:
    """Marks bind their device to the user they are for; the line is another device, and goes on hearing its own user."""
    backend = rig.connect(token=rig.box.token(SERVER, ANNA))
    item = await find_entry(backend, "fresh")
    seen = await find_entry(backend, "seen")
    async with aclosing(backend.listen()) as events:
        await anext(events)
        other = rig.connect(user=BEN)
        await other.apply(
            wish(await find_entry(other, "fresh"), "watched", watched=True, plays=1, position_s=0)
        )
        await other.apply(
            wish(await find_entry(other, "fresh"), "watched", watched=False, plays=0, position_s=0)
        )
        rig.act("mark", "fresh")
        event = await anext(events)
        assert (event.what, event.native_ids) == (Heard.state, (item.native_id,))
        assert event.user_id == (await backend.check_account()).id
        await backend.apply(wish(seen, "watched", watched=False, plays=0, position_s=0))
        assert (await anext(events)).native_ids == (seen.native_id,)


async def test_a_restart_ends_the_line(rig: Rig) -> None:
    """Interrupted; a new line begins with what was missed."""
    backend = rig.connect()
    async with aclosing(backend.listen()) as events:
        await anext(events)
        rig.act("restart", "fresh")
        with pytest.raises(Interrupted, match="closed by the server"):
            await anext(events)
    (first,) = await collect(backend.listen(), 1)
    assert first.what is Heard.missed


async def test_a_wrong_token_is_refused(rig: Rig) -> None:
    """403 on the handshake."""
    with pytest.raises(Unauthorized, match="refused the token"):
        await collect(rig.connect(user="6ebbd48035ba48a1bf645470b6bdea30", token="wrong").listen(), 1)


async def test_the_line_signs_in_as_a_device_of_its_own(place: tuple[Talker, JellyfinBackend]) -> None:
    """In the header, for this user; nothing secret in the address. It says KeepAlive and asks for sessions at once."""
    talker, backend = place
    change = {
        "MessageType": "UserDataChanged",
        "Data": {"UserId": USER, "UserDataList": [{"ItemId": "5" * 32}]},
    }

    async def talk(_: Talker, socket: web.WebSocketResponse) -> None:
        for _ in range(2):
            talker.heard.append((await socket.receive()).data)
        await socket.send_str(ALIVE)

    talker.talk = tell(
        FORCE, json.dumps(change), then=talk
    )  # what comes before the answer comes after "missed"
    events = await collect(backend.listen(), 2)
    assert [event.what for event in events] == [Heard.missed, Heard.state]
    (request,) = talker.handshakes
    assert str(request.rel_url) == "/socket"
    assert f'DeviceId="hub-hears-{USER}"' in request.headers["Authorization"]
    assert 'Token="key"' in request.headers["Authorization"]
    assert [json.loads(text)["MessageType"] for text in talker.heard] == ["SessionsStart", "KeepAlive"]


async def test_a_line_that_is_deaf_from_the_start(
    place: tuple[Talker, JellyfinBackend], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server takes everything and answers nothing, though its pings work and it tells of other things."""
    monkeypatch.setattr(listener, "ANSWER_WITHIN_S", 0.1)
    talker, backend = place
    talker.talk = tell(FORCE, '{"MessageType":"ActivityLogEntry","Data":[]}')
    with pytest.raises(Interrupted, match="is deaf"):
        await collect(backend.listen(), 1)


async def test_a_line_that_goes_deaf_is_given_up(
    place: tuple[Talker, JellyfinBackend], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the answer to KeepAlive proves life, each time."""
    monkeypatch.setattr(listener, "KEEP_ALIVE_EVERY_S", 0.1)
    monkeypatch.setattr(listener, "ANSWER_WITHIN_S", 0.05)
    talker, backend = place
    talker.talk = answer_once
    async with aclosing(backend.listen()) as events:
        assert (await anext(events)).what is Heard.missed
        with pytest.raises(Interrupted, match="is deaf"):
            await anext(events)
    assert [json.loads(text)["MessageType"] for text in talker.heard] == ["KeepAlive"]


async def test_a_line_that_answers_is_kept(
    place: tuple[Talker, JellyfinBackend], monkeypatch: pytest.MonkeyPatch
) -> None:
    """KeepAlive after KeepAlive, each answered; then the server closes."""
    monkeypatch.setattr(listener, "KEEP_ALIVE_EVERY_S", 0.05)
    talker, backend = place

    async def answer(_: Talker, socket: web.WebSocketResponse) -> None:
        async for message in socket:
            if json.loads(message.data)["MessageType"] == "KeepAlive":
                talker.heard.append(message.data)
                await socket.send_str('{"MessageType":"KeepAlive"}')
            if len(talker.heard) == 5:
                await hang_up(talker, socket)

    talker.talk = answer
    async with aclosing(backend.listen()) as events:
        await anext(events)
        with pytest.raises(Interrupted, match="closed by the server"):
            await anext(events)
    assert len(talker.heard) == 5


async def test_a_frame_that_cannot_be_read_ends_the_line(place: tuple[Talker, JellyfinBackend]) -> None:
    """It may have told something."""
    talker, backend = place
    talker.talk = tell(ALIVE, "not json")
    with pytest.raises(BadAnswer, match="cannot be read"):
        await collect(backend.listen(), 2)
