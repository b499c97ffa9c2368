"""Sockets: who gets which frame, as on the tapes of real servers, and what the tapes do not show."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiohttp import ClientWebSocketResponse, WSServerHandshakeError

from playhead.sandbox.world import World
from tests.sandbox.jellyfin.conftest import Run, Talk, make_world
from tests.sandbox.jellyfin.player import compare
from tests.sandbox.jellyfin.socket_tape import Event, SocketPlayer, counted, events_of
from tests.sandbox.jellyfin.tape import VERSIONS

LEADS = {"12.0.0": 5.389, "10.11.11": 5.8}  # of file 10: the watch had begun before the tape


def is_of_the_tape(event: Event, number: str) -> bool:
    """Frames that tell what happened before a tape are not its own; in 11 nobody writes state at all."""
    data = event.get("data")
    told = isinstance(data, dict) and data.get("MessageType") == "UserDataChanged"
    return not told or (number != "11" and event["t"] >= 1.0)


@pytest.mark.parametrize("number", ["09", "10", "11", "19"])
@pytest.mark.parametrize("version", VERSIONS)
async def test_every_socket_hears_what_the_tape_says(version: str, number: str) -> None:
    """The same frames in the same order on each socket, with the values of user data; the same handshakes."""
    player = SocketPlayer(version)
    events = [event for event in events_of(version, number) if is_of_the_tape(event, number)]
    await player.play_events(events, lead_s=LEADS[version] if number == "10" else 0.0)
    assert player.handshakes
    assert [theirs for _, theirs, _ in player.handshakes] == [ours for _, _, ours in player.handshakes]
    compared = 0
    for name in player.expected:
        expected, heard = counted(player.expected[name]), counted(player.heard[name])
        assert [each.kind for each in heard] == [each.kind for each in expected], name
        for theirs, ours in zip(expected, heard, strict=True):
            if theirs.kind not in ("close", "ActivityLogEntry"):
                assert compare(theirs.frame, ours.frame, player) == [], name
                compared += 1
            if theirs.kind == "LibraryChanged":
                assert {k: v for k, v in ours.frame["Data"].items() if "Items" not in k} == {
                    k: v for k, v in theirs.frame["Data"].items() if "Items" not in k
                }
    assert compared > len(player.expected)
    assert all(theirs == ours for theirs, ours in player.sessions)
    assert number != "19" or len(player.sessions) > 5


@pytest.mark.parametrize("version", VERSIONS)
async def test_frames_of_sessions_are_shaped_as_on_the_tape(version: str) -> None:
    """An admin and a key see everybody, a user only themselves; what plays stands in its session."""
    player = SocketPlayer(version)
    await player.play_events([event for event in events_of(version, "10") if event.get("t", 0) < 36])
    for name in ("watcher", "admin"):
        expected = [h.frame for h in player.expected[name] if h.kind == "Sessions"]
        heard = [h.frame for h in player.heard[name] if h.kind == "Sessions"]
        playing = [
            next(s for s in frame["Data"] if "NowPlayingItem" in s) for frame in (expected[1], heard[0])
        ]
        playing = [
            {**each, "Capabilities": None, "NowPlayingItem": {}} for each in playing
        ]  # set before the tape
        for each in playing:
            each["SupportedCommands"] = each["PlayableMediaTypes"] = []
        assert compare(playing[0], playing[1], player) == []
    own = [h.frame["Data"] for h in player.heard["kid"] if h.kind == "Sessions"]
    assert own and all({session["UserName"] for session in shown} == {"kid"} for shown in own)


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_restart_is_told_and_closes_every_socket(version: str) -> None:
    """ServerRestarting under one id to all, then close 1000 (tape 17)."""
    player = SocketPlayer(version)
    events = [event for event in events_of(version, "17") if is_of_the_tape(event, "17")]
    restart = {
        "t": 0.5,
        "http": {"method": "POST", "path": "/System/Restart", "token": "apikey"},
        "status": 204,
    }
    await player.play_events([*events, restart])
    for name, expected in player.expected.items():
        assert [each.kind for each in player.heard[name]] == [each.kind for each in expected]
        assert player.heard[name][-1].frame == {"code": 1000}
        assert compare(expected[-2].frame, player.heard[name][-2].frame, player) == []
    assert len({heard[-2].frame["MessageId"] for heard in player.heard.values()}) == 1


# --- what is not on the tapes


async def hear(socket: ClientWebSocketResponse, kind: str) -> Any:
    """The data of the next frame, which is of this kind, reminders apart."""
    while True:
        frame = await socket.receive_json(timeout=30)
        if frame["MessageType"] == kind:
            return frame.get("Data")
        assert frame["MessageType"] == "ForceKeepAlive", frame


async def connect(talk: Talk, token: str, device: str = "listener") -> ClientWebSocketResponse:
    header = f'MediaBrowser Client="T", Device="d", DeviceId="{device}", Version="1", Token="{token}"'
    socket = await talk.client.ws_connect("/socket", headers={"Authorization": header})
    await hear(socket, "ForceKeepAlive")
    return socket


def tokens(talk: Talk) -> dict[str, str]:
    return {user.name: user.token for user in talk.server.users()}


def quick_world(version: str = "12.0.0") -> World:
    world = make_world(version)
    world.servers[0].delays = {"user_data_s": 0, "library_s": 0}
    return world


async def test_library_changes_are_told_after_the_configured_time(run_jellyfin: Run) -> None:
    """To every user's socket and to no key's; who may not see an item learns only of its removal (tape 11)."""
    async with run_jellyfin(make_world("12.0.0")) as talk:
        told = tokens(talk)
        ann, kid = await connect(talk, told["ann"]), await connect(talk, told["kid"], "kids")
        key = await connect(talk, talk.server.admin_token, "key")
        season = talk.server.acts.find("bebop1").parent
        episode = talk.id_of("bebop4")
        talk.server.act("", "bebop4", "remove", at=None, args={})
        talk.clock.advance(29)
        talk.clock.advance(1)
        changed = await hear(ann, "LibraryChanged")
        assert season is not None
        assert (changed["ItemsRemoved"], changed["FoldersRemovedFrom"]) == ([episode], [season.id])
        changed = await hear(kid, "LibraryChanged")
        assert (changed["ItemsRemoved"], changed["FoldersRemovedFrom"]) == ([episode], [])
        talk.server.act("", "bebop4", "add", at=None, args={})
        talk.clock.advance(30)
        changed = await hear(ann, "LibraryChanged")
        assert changed["ItemsAdded"] == [episode]
        assert changed["FoldersAddedTo"] == changed["ItemsUpdated"] == [season.id]
        assert changed["IsEmpty"] is False
        assert (await hear(kid, "LibraryChanged"))["ItemsAdded"] == []
        assert (
            await hear(key, "ForceKeepAlive") == 60
        )  # by now it was silent for 48 s, and heard nothing before


async def test_a_burst_of_saves_is_one_frame(run_jellyfin: Run) -> None:
    """Each save starts the half second anew, whoever's it is."""
    async with run_jellyfin(make_world("12.0.0")) as talk:
        socket = await connect(talk, talk.token)
        for item in ("bebop1", "bebop3", "home"):
            talk.server.act("ann", item, "mark", at=None, args={})
            talk.clock.advance(0.4)
        talk.server.act("kid", "matrix", "mark", at=None, args={})
        talk.clock.advance(0.4)
        assert talk.server.told().messages == 1
        talk.clock.advance(0.1)
        changed = await hear(socket, "UserDataChanged")
        ids = [data["ItemId"] for data in changed["UserDataList"]]
        assert {talk.id_of("bebop1"), talk.id_of("bebop3"), talk.id_of("home")} <= set(ids)
        assert changed["UserId"] == talk.user


async def test_a_delay_of_nothing_sends_at_once_on_a_clock_that_stands(run_jellyfin: Run) -> None:
    """So that tests need not wait."""
    async with run_jellyfin(quick_world()) as talk:
        socket = await connect(talk, talk.token)
        await talk.ask("POST", f"/UserPlayedItems/{talk.id_of('home')}")
        changed = await hear(socket, "UserDataChanged")
        assert changed["UserDataList"][0]["Played"] is True


async def test_a_simulated_client_reports_every_ten_seconds(run_jellyfin: Run) -> None:
    """Its session shows what plays and where; progress is no frame, the stop is."""
    async with run_jellyfin(make_world("10.11.11")) as talk:
        socket = await connect(talk, talk.token)
        act = talk.server.act
        act("ann", "matrix", "play_start", at=None, args={"position_s": 100, "device": "Kitchen"})
        talk.clock.advance(0.5)
        assert (await hear(socket, "UserDataChanged"))["UserDataList"][0]["PlayCount"] == 1
        talk.clock.advance(1000)
        sessions = (await talk.ask("GET", "/Sessions")).body
        [session] = [each for each in sessions if each["DeviceName"] == "Kitchen"]
        assert session["NowPlayingItem"]["Id"] == talk.id_of("matrix")
        assert session["PlayState"]["PositionTicks"] == 1_100 * 10_000_000
        act("ann", "", "pause", at=None, args={"device": "Kitchen"})
        talk.clock.advance(500)
        act("ann", "", "resume", at=None, args={"device": "Kitchen"})
        talk.clock.advance(5)
        act("ann", "matrix", "play_stop", at=None, args={"device": "Kitchen"})
        talk.clock.advance(0.5)
        changed = await hear(socket, "UserDataChanged")
        assert changed["UserDataList"][0]["PlaybackPositionTicks"] == pytest.approx(1_105.5 * 1e7)
        with pytest.raises(ValueError, match="nothing of the kind plays"):
            act("ann", "matrix", "play_stop", at=None, args={"device": "Kitchen"})


async def test_playback_ends_by_itself_at_the_end(run_jellyfin: Run) -> None:
    """The simulated client stops there, and the film is watched."""
    async with run_jellyfin(make_world("12.0.0")) as talk:
        talk.server.act("ann", "home", "play_start", at=None, args={})
        talk.clock.advance(100_000)
        [row] = [row for row in talk.server.state_rows("ann") if row.item == "home"]
        assert row.watched
        assert all("NowPlayingItem" not in each for each in (await talk.ask("GET", "/Sessions")).body)


async def test_sockets_can_be_cut(run_jellyfin: Run) -> None:
    """Without a close frame, as a broken network does."""
    async with run_jellyfin(make_world("12.0.0")) as talk:
        socket = await connect(talk, talk.token)
        talk.server.act("", "", "cut_sockets", at=None, args={})
        assert (await socket.receive(timeout=30)).data is None
        assert socket.close_code == 1006
        async with asyncio.timeout(5):
            while talk.server.told().lines:  # noqa: ASYNC110 - the server tells nobody
                await asyncio.sleep(0.01)


async def test_a_wrong_token_is_refused(run_jellyfin: Run) -> None:
    async with run_jellyfin(make_world("12.0.0")) as talk:
        with pytest.raises(WSServerHandshakeError) as refused:
            await talk.client.ws_connect("/socket?ApiKey=nonsense")
        assert refused.value.status == 403
