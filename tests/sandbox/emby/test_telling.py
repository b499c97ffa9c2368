"""What an emulated Emby tells by itself: sockets, sessions and webhooks, judged by recorded frames and payloads."""

from __future__ import annotations

import json
from typing import Any

import aiohttp
import pytest
from aiohttp import ClientWebSocketResponse

from playhead.sandbox.emby.emulator import EmbyServer
from playhead.sandbox.run import SandboxHandle, run_world
from tests.sandbox.ear import Ear, listen, wait_until
from tests.sandbox.emby.conftest import ANNA, BEN, NOW, Exchange, Run, Talk, make_world
from tests.truth import truth_path


def recorded(name: str) -> Any:
    return json.loads(truth_path("recorded", "emby", "4.9.5.0", name).read_bytes())


def types(value: dict[str, Any]) -> dict[str, type]:
    return {name: type(part) for name, part in value.items()}


async def connect(
    talk: Talk, token: str | None = None, path: str = "/embywebsocket"
) -> ClientWebSocketResponse:
    secret = talk.token if token is None else token
    return await talk.http.ws_connect(f"{talk.url}{path}?api_key={secret}&deviceId=listener")


async def hear(socket: ClientWebSocketResponse, kind: str) -> dict[str, Any]:
    """The next message, which is of this kind."""
    message = await socket.receive_json(timeout=30)
    assert message["MessageType"] == kind
    return dict(message)


def act(talk: Talk, user: str, item: str, what: str, **args: Any) -> None:
    talk.server.act(user, item, what, at=None, args=args)


def pass_time(talk: Talk, seconds: float) -> None:
    talk.server.clock.clock.advance(seconds)


# --- sockets


@pytest.mark.parametrize("path", ["/embywebsocket", "/", "/emby/embywebsocket", "/any/path"])
async def test_every_path_takes_a_socket_and_greets_nobody(talk: Talk, path: str) -> None:
    socket = await connect(talk, path=path)
    act(talk, "anna", "home", "mark")
    pass_time(talk, 0.5)
    message = await hear(socket, "UserDataChanged")
    assert message["Data"]["UserId"] == ANNA


async def test_a_false_token_upgrades_and_hears_nothing(talk: Talk) -> None:
    """A token in a header counts as none: only what is delivered proves that one is signed in."""
    false = await connect(talk, "nonsense")
    header = await talk.http.ws_connect(
        f"{talk.url}/embywebsocket", headers={"X-Emby-Token": talk.token or ""}
    )
    for socket in (false, header):
        await socket.send_json({"MessageType": "SessionsStart", "Data": "0,1500"})
    good = await connect(talk)
    act(talk, "anna", "home", "mark")
    pass_time(talk, 0.5)
    await hear(good, "UserDataChanged")
    assert talk.server.told().messages == 1
    await false.ping()  # is answered all the same
    assert talk.server.told().lines == 3


async def test_a_favourite_is_the_recorded_frame(talk: Talk) -> None:
    """Keys, types and order of the envelope; no Key and no parent in the list."""
    frame = recorded("websocket-m3c-favorite-event.json")["json"]
    socket = await connect(talk)
    await talk.ask("POST", f"/emby/Users/{ANNA}/FavoriteItems/{talk.id_of('home')}")
    pass_time(talk, 0.5)
    heard = await hear(socket, "UserDataChanged")
    assert list(heard) == list(frame)
    assert types(heard["Data"]) == types(frame["Data"])
    assert types(heard["Data"]["UserDataList"][0]) == types(frame["Data"]["UserDataList"][0])
    assert heard["Data"]["UserDataList"][0]["IsFavorite"] is True


async def test_start_and_stop_are_the_recorded_frames(talk: Talk) -> None:
    """Progress in between is silent."""
    events = recorded("websocket-m3c-playback-report-progress.json")["events"]
    expected = [
        e["json"]["Data"]["UserDataList"][0] for e in events if e["json"]["MessageType"] == "UserDataChanged"
    ]
    socket = await connect(talk)
    heard = []
    for route, position in (("", 0), ("/Progress", 5 * 10**7), ("/Stopped", 5 * 10**7)):
        body = {"ItemId": talk.id_of("home"), "PositionTicks": position, "EventName": "TimeUpdate"}
        answer = await talk.ask("POST", f"/emby/Sessions/Playing{route}", json=body)
        assert answer.status == 204
        pass_time(talk, 0.5)
        if route != "/Progress":
            heard.append((await hear(socket, "UserDataChanged"))["Data"]["UserDataList"][0])
    assert [types(each) for each in heard] == [types(each) for each in expected]
    assert heard[0]["PlayCount"] == heard[1]["PlayCount"] == 1


async def test_frames_go_to_their_user_alone_and_a_burst_is_one(talk: Talk) -> None:
    anna, key = await connect(talk), await connect(talk, talk.server.admin_token)
    ben = await connect(talk, next(user.token for user in talk.server.users() if user.name == "ben"))
    for item in ("home", "matrix"):
        act(talk, "anna", item, "mark")
        pass_time(talk, 0.4)
    pass_time(talk, 0.1)
    listed = (await hear(anna, "UserDataChanged"))["Data"]["UserDataList"]
    assert [each["ItemId"] for each in listed] == [talk.id_of("home"), talk.id_of("matrix")]
    act(talk, "ben", "home", "mark")
    pass_time(talk, 0.5)
    assert (await hear(ben, "UserDataChanged"))["Data"]["UserId"] == BEN
    assert talk.server.told().messages == 2
    assert not key.closed


async def test_library_changes_come_late(talk: Talk) -> None:
    """With the members that were recorded."""
    events = recorded("websocket-m3c-playback-report-progress.json")["events"]
    expected = next(e["json"] for e in events if e["json"]["MessageType"] == "LibraryChanged")
    socket = await connect(talk)
    old = talk.id_of("home")
    act(talk, "", "home", "remove")
    act(talk, "", "home", "add")
    pass_time(talk, 34)
    assert talk.server.told().messages == 0
    pass_time(talk, 1)
    heard = await hear(socket, "LibraryChanged")
    assert types(heard["Data"]) == types(expected["Data"])
    assert (heard["Data"]["ItemsRemoved"], heard["Data"]["ItemsAdded"]) == ([old], [talk.id_of("home")])


async def test_sessions_are_told_to_who_asks(talk: Talk) -> None:
    """Without MessageId; at once, at each change and every forty seconds."""
    socket = await connect(talk)
    await socket.send_json({"MessageType": "SessionsStart", "Data": "0,1500"})
    assert set(await hear(socket, "Sessions")) == {"MessageType", "Data"}
    act(talk, "anna", "matrix", "play_start", position_s=60, device="Kitchen")
    [playing] = [each for each in (await hear(socket, "Sessions"))["Data"] if "NowPlayingItem" in each]
    assert (playing["DeviceName"], playing["UserName"]) == ("Kitchen", "anna")
    assert playing["PlayState"]["PositionTicks"] == 600_000_000
    assert playing["NowPlayingItem"]["Name"] == "The Matrix"
    act(talk, "anna", "", "play_stop", position_s=1000, device="Kitchen")
    assert not any("NowPlayingItem" in each for each in (await hear(socket, "Sessions"))["Data"])
    pass_time(talk, 39.5)
    await hear(socket, "UserDataChanged")
    pass_time(talk, 0.5)
    await hear(socket, "Sessions")
    await socket.send_json({"MessageType": "SessionsStop", "Data": ""})
    [row] = [row for row in talk.server.state_rows("anna") if row.item == "matrix"]
    assert row.position_s == 1000


async def test_sockets_can_be_cut(talk: Talk) -> None:
    socket = await connect(talk)
    act(talk, "", "", "cut_sockets")
    assert (await socket.receive(timeout=30)).data is None
    assert socket.close_code == 1006


# --- webhooks


SERVICE = {
    "NotifierKey": "webhooknotifications",
    "PluginId": "85a7b1d4-fbda-4e85-a0a2-ac303c9946a4",
    "FriendlyName": "hub",
    "EventIds": [
        "item.markplayed",
        "item.markunplayed",
        "item.rate",
        "playback.start",
        "playback.stop",
        "library.new",
    ],
}


async def register(talk: Talk, url: str, **more: Any) -> Exchange:
    options = {"Url": url, **more.pop("Options", {})}
    service = {**SERVICE, "Options": options, **more}
    return await talk.ask("POST", "/emby/Notifications/Services/Configured", json=service)


async def posted(talk: Talk, ear: Ear, count: int) -> list[dict[str, Any]]:
    await wait_until(lambda: len(ear.posts) >= count and not talk.server.webhooks.posts.waiting)
    assert len(ear.posts) == count
    return [post.json("data" if "data" in post.fields else "") for post in ear.posts]


async def test_a_service_is_registered_changed_and_forgotten(talk: Talk) -> None:
    assert (await register(talk, "http://127.0.0.1:9/a")).status == 204
    [service] = await talk.get("/emby/Notifications/Services/Configured")
    assert (service["Enabled"], service["Options"]["Url"]) == (True, "http://127.0.0.1:9/a")
    await register(talk, "http://127.0.0.1:9/b", Id=service["Id"])
    assert [each["Options"]["Url"] for each in await talk.get("/emby/Notifications/Services/Configured")] == [
        "http://127.0.0.1:9/b"
    ]
    path = "/emby/Notifications/Services/Configured"
    assert (await talk.ask("DELETE", path, Id=service["Id"])).status == 204
    assert (await talk.ask("DELETE", path, Id=service["Id"])).status == 404
    assert await talk.get(path) == []
    assert (await talk.ask("POST", path, json={"Options": {}})).status == 400


async def test_marks_ratings_playback_and_new_items_are_posted(talk: Talk) -> None:
    """As JSON on 4.9, with the members of the recorded payloads."""
    async with listen() as ear:
        await register(talk, f"{ear.url}/hook")
        act(talk, "anna", "bebop4", "mark")
        act(talk, "anna", "bebop4", "unmark")
        act(talk, "anna", "matrix", "favourite")
        act(talk, "anna", "matrix", "play_start")
        pass_time(talk, 100)
        act(talk, "anna", "matrix", "play_stop", position_s=3590)
        act(talk, "", "home", "remove")
        act(talk, "", "home", "add")
        pass_time(talk, 35)
        told = await posted(talk, ear, 6)
    assert [each["Event"] for each in told] == SERVICE["EventIds"][:5] + ["library.new"]
    assert {post.headers["Content-Type"] for post in ear.posts} == {"application/json"}
    marked, rated, started, stopped, new = told[0], told[2], told[3], told[4], told[5]
    judge_marked(marked)
    assert rated["Item"]["UserData"]["IsFavorite"] is True
    assert started["PlaybackInfo"]["PositionTicks"] == 0
    assert set(started["Session"]) == {
        "RemoteEndPoint", "Client", "DeviceName", "DeviceId", "ApplicationVersion", "Id"
    }  # fmt: skip
    assert stopped["PlaybackInfo"] == {
        "PlayedToCompletion": True, "PositionTicks": 35_900_000_000, "PlaylistIndex": 0, "PlaylistLength": 1
    }  # fmt: skip
    assert not {"User", "Session"} & set(new)
    recorded_new = json.loads(
        truth_path("webhooks", "emby", "awembypush-4.8.8.0-library.new-movies.json").read_bytes()
    )
    [movies] = recorded_new.values()
    known = {name for each in movies for name in each["Item"]}
    assert set(new["Item"]) <= known
    assert {"Path", "ProviderIds", "DateCreated", "Size", "FileName"} <= set(new["Item"])


def judge_marked(payload: dict[str, Any]) -> None:
    text = truth_path("webhooks", "emby", "reduced-item.markplayed-4.9.3.0.json").read_bytes()
    expected = json.loads(text)
    assert list(payload) == list(expected)
    for part in ("User", "Server"):
        assert types(payload[part]) == types(expected[part])
    reduced = types(expected["Item"])
    assert {name: kind for name, kind in types(payload["Item"]).items() if name in reduced} == reduced
    shown = {name: payload["Item"]["UserData"][name] for name in expected["Item"]["UserData"]}
    assert shown == expected["Item"]["UserData"]
    assert payload["Title"] == "anna marked Cowboy Bebop - S1, Ep4 - Session 4 as played"


async def test_who_and_what_is_filtered(talk: Talk) -> None:
    """By user, event and library."""
    shelf = talk.server.catalogue.find_shelf("Shows").view_id
    async with listen() as ear:
        await register(
            talk, f"{ear.url}/hook", UserIds=[ANNA], LibraryIds=[shelf], EventIds=["item.markplayed"]
        )
        for user, item, what in (
            ("ben", "home", "mark"),
            ("anna", "home", "mark"),
            ("anna", "bebop3", "unmark"),
        ):
            act(talk, user, item, what)
        act(talk, "anna", "bebop3", "mark")
        [told] = await posted(talk, ear, 1)
    assert told["Item"]["Id"] == talk.id_of("bebop3")


async def test_a_test_is_posted_as_recorded(talk: Talk) -> None:
    async with listen() as ear:
        service = {**SERVICE, "Options": {"Url": f"{ear.url}/hook"}}
        answer = await talk.ask("POST", "/emby/Notifications/Services/Test", json=service)
        assert answer.status == 204
        [told] = await posted(talk, ear, 1)
    expected = json.loads(truth_path("webhooks", "emby", "system.webhooktest-4.9.1.10.json").read_bytes())
    assert list(told) == list(expected)
    assert (told["Title"], told["Event"]) == (expected["Title"], expected["Event"])


@pytest.mark.parametrize(("version", "multipart"), [("4.8.11.0", ""), ("4.9.5.0", "true")])
async def test_older_servers_and_those_told_so_post_a_form(
    run_emby: Run, version: str, multipart: str
) -> None:
    """The JSON stands in its field ``data``; before 4.9 there is no Severity."""
    async with run_emby(make_world(version)) as talk, listen() as ear:
        options = {"EnableMultipartFormData": multipart} if multipart else {}
        await register(talk, f"{ear.url}/hook", Options=options)
        act(talk, "anna", "home", "mark")
        [told] = await posted(talk, ear, 1)
        assert "data" in ear.posts[0].fields
        assert ("Severity" in told) == (version == "4.9.5.0")


async def test_a_world_may_bring_a_webhook() -> None:
    async with listen() as ear:
        world = make_world()
        world.servers[0].webhooks = [f"{ear.url}/hook"]
        world.servers[0].delays = {"library_s": 0}
        async with run_world(world) as box:
            box.clock.freeze(NOW)
            box.server("Attic").act("anna", "home", "stop", at=None, args={"position_s": 300})
            await wait_until(lambda: box.server("Attic").told().webhooks_sent == 2)
    assert [post.json()["Event"] for post in ear.posts] == ["playback.start", "playback.stop"]


def server_of(box: SandboxHandle) -> EmbyServer:
    server = box.server("Attic")
    assert isinstance(server, EmbyServer)
    return server


async def test_the_box_tells_what_was_told(talk: Talk, run_emby: Run) -> None:
    """Under ``/_sandbox/told``, for each server."""
    async with run_world(make_world()) as box, aiohttp.ClientSession() as http:
        socket = await http.ws_connect(
            f"{box.url('Attic')}/embywebsocket?api_key={server_of(box).admin_token}"
        )
        await wait_until(lambda: box.server("Attic").told().lines == 1)
        async with http.get(f"{box.control_url}/_sandbox/told?server=Attic") as response:
            assert (await response.json())["servers"]["Attic"]["lines"] == 1
        async with http.get(f"{box.control_url}/_sandbox/requests") as response:
            assert (await response.json())["servers"]["Attic"]["peak_at_once"] == 0
        await socket.close()
