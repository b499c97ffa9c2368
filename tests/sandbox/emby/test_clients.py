"""Clients that others wrote work with the emulated Emby: the client generated from Emby's own document, and pyemby.

``embyapi`` (4.1.1) decodes into typed models, so a member of a wrong type fails there. ``pyemby`` also opens its socket.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import aiohttp
import embyapi
import pytest
from pyemby.server import EmbyServer as PyEmby
from yarl import URL

from playhead.sandbox.emby.emulator import EmbyServer
from playhead.sandbox.run import SandboxHandle, run_world_in_thread
from tests.sandbox.emby.conftest import ANNA, make_world


@pytest.fixture
def box() -> Iterator[SandboxHandle]:
    with run_world_in_thread(make_world()) as running:
        yield running


@pytest.fixture
def generated(box: SandboxHandle) -> embyapi.ApiClient:
    """Emby's generated client, signed in by X-Emby-Token."""
    settings = embyapi.Configuration()
    settings.host = f"{box.url('Attic')}/emby"
    client = embyapi.ApiClient(settings)
    client.set_default_header("X-Emby-Token", box.token("Attic", "anna"))
    return client


def native(box: SandboxHandle, world_id: str) -> str:
    server = box.server("Attic")
    assert isinstance(server, EmbyServer)
    return server.catalogue.by_world[world_id][0].id


def test_the_generated_client_reads(box: SandboxHandle, generated: embyapi.ApiClient) -> None:
    """System, users, views, lists and one item arrive as typed models."""
    assert embyapi.SystemServiceApi(generated).get_system_info().version == "4.9.5.0"
    users = embyapi.UserServiceApi(generated).get_users()
    assert [user.name for user in users] == ["anna", "ben"]
    views = embyapi.UserViewsServiceApi(generated).get_users_by_userid_views(ANNA, False)
    assert [view.name for view in views.items] == ["Kids", "Movies", "Shows"]
    page = embyapi.ItemsServiceApi(generated).get_users_by_userid_items(
        ANNA, recursive=True, include_item_types="Episode", fields="Path", sort_by="SortName"
    )
    assert page.total_record_count == 5
    assert [item.index_number for item in page.items] == [1, 2, 4, 1, 2]
    item = embyapi.UserLibraryServiceApi(generated).get_users_by_userid_items_by_id(
        ANNA, native(box, "bebop1")
    )
    assert (item.user_data.play_count, item.user_data.played, item.series_name) == (3, True, "Cowboy Bebop")
    assert item.user_data.last_played_date.timestamp() == 1_700_000_000


def test_the_generated_client_writes(box: SandboxHandle, generated: embyapi.ApiClient) -> None:
    """Marks, favourites and a play reported step by step."""
    play, library = embyapi.PlaystateServiceApi(generated), embyapi.UserLibraryServiceApi(generated)
    movie = native(box, "matrix")
    assert (
        play.post_users_by_userid_playeditems_by_id(ANNA, movie, date_played="20240101000000").played is True
    )
    assert play.delete_users_by_userid_playeditems_by_id(ANNA, movie).play_count == 0
    assert library.post_users_by_userid_favoriteitems_by_id(ANNA, movie).is_favorite is True
    assert library.delete_users_by_userid_favoriteitems_by_id(ANNA, movie).is_favorite is False
    play.post_sessions_playing(embyapi.PlaybackStartInfo(item_id=movie))
    play.post_sessions_playing_progress(
        embyapi.PlaybackProgressInfo(item_id=movie, position_ticks=6_000_000_000)
    )
    play.post_sessions_playing_stopped(embyapi.PlaybackStopInfo(item_id=movie, position_ticks=6_000_000_000))
    resume = embyapi.ItemsServiceApi(generated).get_users_by_userid_items_resume(ANNA)
    assert [(i.name, i.user_data.playback_position_ticks) for i in resume.items] == [
        ("The Matrix", 6_000_000_000)
    ]


@pytest.mark.filterwarnings("ignore::DeprecationWarning:pyemby")
async def test_pyemby_registers_and_asks_for_the_latest(
    box: SandboxHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sessions become its devices; Latest comes as a bare array. Without its socket."""

    async def no_socket(self: Any) -> None:
        return None

    monkeypatch.setattr(PyEmby, "socket_connection", no_socket)
    url = URL(box.url("Attic"))
    client = PyEmby(url.host, box.token("Attic", "anna"), url.port, loop=asyncio.get_running_loop())
    try:
        await client.register()
        assert client._registered
        latest = await client.async_get_latest_items(ANNA, limit=2, include_item_types="movie")
        assert [item["Type"] for item in latest] == ["Movie", "Movie"]
        played = f"{box.url('Attic')}/Sessions/Playing/Ping"
        assert await client.api_post(played, {"api_key": client.api_key}) == ""
    finally:
        await client._api_session.close()


@pytest.mark.filterwarnings("ignore::DeprecationWarning:pyemby")
async def test_pyemby_follows_playback_on_its_socket(box: SandboxHandle) -> None:
    """It connects to its own path, asks for sessions, and tells of the device on which something plays."""
    url = URL(box.url("Attic"))
    client = PyEmby(url.host, box.token("Attic", "anna"), url.port, loop=asyncio.get_running_loop())
    changed: asyncio.Queue[Any] = asyncio.Queue()
    client.add_new_devices_callback(changed.put_nowait)
    await client.register()
    order = {"server": "Attic", "user": "ben", "item": "matrix", "act": "play_start", "position_s": 30}
    async with asyncio.timeout(10), aiohttp.ClientSession() as http:
        told = f"{box.control_url}/_sandbox/told"
        while not (await (await http.get(told)).json())["servers"]["Attic"]["messages"]:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        assert (await http.post(f"{box.control_url}/_sandbox/act", json=order)).status == 200
        device = None
        while device is None:
            await changed.get()
            found = [each for each in client.devices.values() if each.media_title == "The Matrix"]
            device = found[0] if found else None
    assert (device.state, device.username, device.name) == ("Playing", "ben", "Sandbox player")
    client._shutdown = True
    assert client.wsck is not None
    await client.wsck.close()
    await client._api_session.close()
