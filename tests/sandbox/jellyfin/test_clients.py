"""Clients that others wrote work with the emulated Jellyfin: jellyfin-apiclient-python and the makers' ``@jellyfin/sdk``."""

from __future__ import annotations

import json
import queue
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from jellyfin_apiclient_python import JellyfinClient

from playhead.sandbox.run import SandboxHandle, run_world_in_thread
from playhead.sandbox.world import World, WorldLibrary, WorldServer, WorldUser
from tests.sandbox.jellyfin.conftest import make_world

SDK = Path(__file__).parent / "sdk"
TEN_MINUTES = 6_000_000_000


@pytest.fixture(params=["12.0.0", "10.11.11"])
def box(request: pytest.FixtureRequest) -> Iterator[SandboxHandle]:
    with run_world_in_thread(make_world(str(request.param))) as running:
        yield running


@pytest.fixture
def python_client(box: SandboxHandle) -> Iterator[Any]:
    """The Python client, signed in by name and password as Kodi's add-on does it."""
    client = JellyfinClient()
    client.config.app("Judge", "1.0", "desk", "judge-python")
    client.config.data["auth.ssl"] = False
    client.auth.connect_to_address(box.url("jelly"))
    client.auth.login(box.url("jelly"), "ann", "pw")
    client.authenticate(client.auth.credentials.get_credentials(), discover=False)
    client.start()
    yield client
    client.stop()


def test_the_python_client_signs_in_and_lists(python_client: Any) -> None:
    """Login, views, items, one item, next up and resume come in shapes that the client takes."""
    api = python_client.jellyfin
    assert api.get_user()["Name"] == "ann"
    assert [view["Name"] for view in api.get_views()["Items"]] == ["Movies", "Shows"]
    page = api.user_items(
        params={"Recursive": True, "IncludeItemTypes": "Movie,Episode", "Fields": "ProviderIds"}
    )
    assert page["TotalRecordCount"] == 6
    film = next(item for item in page["Items"] if item["ProviderIds"].get("Tmdb") == "603")
    assert api.get_item(film["Id"])["Name"] == "The Matrix"
    assert api.get_resume_items()["Items"] == []


def test_the_python_client_signs_in_by_quick_connect(box: SandboxHandle) -> None:
    """Enabled, initiated, entered by a person, and exchanged for a token that works; off is told."""
    client = JellyfinClient()
    client.config.app("Judge", "1.0", "desk", "judge-quick")
    url, api = box.url("jelly"), client.jellyfin
    assert api.quick_connect_enabled(url)
    started = api.quick_connect_initiate(url)
    assert not api.quick_connect_state(url, started["Secret"])["Authenticated"]
    control = f"{box.control_url}/_sandbox/act"
    order = {"server": "jelly", "user": "ann", "act": "enter_code", "code": started["Code"]}
    assert requests.post(control, json=order, timeout=5).status_code == 200
    assert api.quick_connect_state(url, started["Secret"])["Authenticated"]
    found = api.login_with_quick_connect(url, started["Secret"])
    assert found["User"]["Name"] == "ann"
    signed = {"Authorization": f'MediaBrowser Token="{found["AccessToken"]}"'}
    assert requests.get(f"{url}/Users/Me", headers=signed, timeout=5).json()["Name"] == "ann"
    off = {"server": "jelly", "act": "quick_connect", "enabled": False}
    assert requests.post(control, json=off, timeout=5).status_code == 200
    assert not api.quick_connect_enabled(url)
    assert api.quick_connect_initiate(url) == {}


def test_the_python_client_marks_and_writes(box: SandboxHandle, python_client: Any) -> None:
    """Marks with dates, un-marks, favourites and user data arrive, and the control side sees them."""
    api = python_client.jellyfin
    page = api.user_items(params={"Recursive": True, "IncludeItemTypes": "Movie", "Fields": "ProviderIds"})
    film = next(item for item in page["Items"] if item["ProviderIds"].get("Tmdb") == "603")["Id"]
    assert (
        api.item_played(film, True, "2020-01-02T03:04:05Z")["LastPlayedDate"]
        == "2020-01-02T03:04:05.0000000Z"
    )
    assert api.item_played(film, False)["PlayCount"] == 0
    assert api.favorite(film)["IsFavorite"] is True
    api.update_userdata_for_item(film, {"Played": True, "PlayCount": 2, "PlaybackPositionTicks": TEN_MINUTES})
    assert api.get_userdata_for_item(film)["PlayCount"] == 2
    row = next(row for row in box.server("jelly").state_rows("ann") if row.item == "matrix")
    assert (row.watched, row.plays, row.position_s, row.favourite) == (True, 2, 600.0, True)


def test_the_python_client_reports_playback(box: SandboxHandle, python_client: Any) -> None:
    """Start, progress and stop of the client leave a position."""
    api = python_client.jellyfin
    film = api.user_items(params={"Recursive": True, "SearchTerm": "matrix"})["Items"][0]["Id"]
    for report in (api.session_playing, api.session_progress, api.session_stop):
        report({"ItemId": film, "PositionTicks": TEN_MINUTES, "CanSeek": True})
    row = next(row for row in box.server("jelly").state_rows("ann") if row.item == "matrix")
    assert (row.watched, row.plays, row.position_s) == (False, 1, 600.0)


def test_the_python_client_listens_on_its_socket(box: SandboxHandle, python_client: Any) -> None:
    """It answers the reminder to say that it lives, and hears of its user's marks and playback, not of others'."""
    heard: queue.Queue[tuple[str, Any]] = queue.Queue()
    python_client.callback = lambda kind, data: heard.put((kind, data))
    python_client.start(websocket=True)
    assert heard.get(timeout=30)[0] == "WebSocketConnect"
    film = python_client.jellyfin.user_items(params={"Recursive": True, "SearchTerm": "matrix"})["Items"][0][
        "Id"
    ]
    kid = next(user for user in box.server("jelly").users() if user.name == "kid")
    control = f"{box.control_url}/_sandbox/act"
    for user, act in ((kid.name, "mark"), ("ann", "play_start")):
        order = {"server": "jelly", "user": user, "item": "matrix", "act": act}
        assert requests.post(control, json=order, timeout=5).status_code == 200
    kind, data = heard.get(timeout=30)
    assert kind == "UserDataChanged"
    assert data["UserId"] == python_client.config.data["auth.user_id"]
    assert [entry["PlayCount"] for entry in data["UserDataList"] if entry["ItemId"] == film] == [1]
    requests.post(control, json={"server": "jelly", "act": "restart"}, timeout=5)
    assert heard.get(timeout=30)[0] == "ServerRestarting"
    thread = python_client.wsc  # it connects anew by itself, and may be in the midst of it
    for _ in range(100):
        thread.stop_client()
        thread.join(timeout=0.1)
        if not thread.is_alive():
            break
    assert not thread.is_alive()


@pytest.mark.parametrize("version", ["12.0.0", "10.11.11"])
def test_the_python_client_scans(version: str, tmp_path: Path) -> None:
    """Libraries, a refresh of one folder, a refresh of everything, and the items by their paths."""
    (tmp_path / "Show/Season 1").mkdir(parents=True)
    first, second, third = (tmp_path / f"Show/Season 1/Show - S01E0{n}.mkv" for n in (1, 2, 3))
    first.touch()
    library = WorldLibrary(title="Shows", kind="shows", folder=str(tmp_path), root="/tv")
    ann = WorldUser(name="ann", password="pw", admin=True)
    server = WorldServer(
        name="jelly", kind="jellyfin", version=version, users=[ann], libraries=[library], delays={"scan_s": 0}
    )
    with run_world_in_thread(World(items=[], servers=[server])) as box:
        client = JellyfinClient()
        client.config.app("Judge", "1.0", "desk", "judge-scans")
        client.config.data["auth.ssl"] = False
        client.auth.connect_to_address(box.url("jelly"))
        client.auth.login(box.url("jelly"), "ann", "pw")
        client.authenticate(client.auth.credentials.get_credentials(), discover=False)
        api = client.jellyfin
        assert api.virtual_folders()[0]["Locations"] == ["/tv"]

        def paths() -> list[str]:
            asked = {"Recursive": True, "IncludeItemTypes": "Episode", "Fields": "Path", "SortBy": "SortName"}
            return [item["Path"] for item in api.user_items(params=asked)["Items"]]

        assert paths() == ["/tv/Show/Season 1/Show - S01E01.mkv"]
        second.touch()
        show = api.user_items(params={"Recursive": True, "IncludeItemTypes": "Series"})["Items"][0]
        api.refresh_item(show["Id"], preset="missing")
        assert len(paths()) == 2
        third.touch()
        first.unlink()
        api.refresh_library()
        assert paths() == [f"/tv/Show/Season 1/Show - S01E0{n}.mkv" for n in (2, 3)]


@pytest.fixture(scope="session")
def sdk_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The makers' SDK, installed from the lock file outside the source tree."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("node and npm are not there: install Node.js 20 or newer to judge with @jellyfin/sdk")
    folder = tmp_path_factory.mktemp("jellyfin-sdk")
    for name in ("package.json", "package-lock.json", "judge.mjs"):
        shutil.copy(SDK / name, folder / name)
    command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return folder


def test_the_makers_sdk_reads_and_writes(box: SandboxHandle, sdk_folder: Path) -> None:
    """``@jellyfin/sdk`` 1.0.0 signs in, lists, marks, and writes user data."""
    command = ["node", "judge.mjs", box.url("jelly"), "ann", "pw"]
    done = subprocess.run(command, cwd=sdk_folder, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout)
    assert told["version"] == box.server("jelly").version
    assert (told["me"], told["views"], told["items"]) == ("ann", ["Movies", "Shows"], 6)
    assert (told["marked"]["PlayCount"], told["marked"]["LastPlayedDate"]) == (
        1,
        "2020-01-02T03:04:05.0000000Z",
    )
    assert (told["unmarked"]["Played"], "LastPlayedDate" in told["unmarked"]) == (False, False)
    assert told["written"] == told["read"]
    assert (told["read"]["Rating"], told["read"]["Likes"], told["read"]["PlayCount"]) == (7.5, True, 4)
    assert told["resume"] == ["The Matrix"]
    assert sorted(told["folders"]) == ["movies", "tvshows"]
    assert "judge-sdk" in told["devices"]
