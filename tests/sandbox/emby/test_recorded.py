"""Every answer recorded from a real Emby 4.9.5.0: the emulator answers the same acts with the same keys and types, leaves
out what the real one leaves out, and says the same of user data."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from playhead.sandbox.world import Placement, World, WorldItem, WorldLibrary, WorldServer, WorldUser
from tests.sandbox.emby.conftest import ANNA, Exchange, Run, Talk
from tests.truth import truth_path

FOLDER = ("recorded", "emby", "4.9.5.0")
SERVER_ID = "ec69ef1cf84140e88489c30326529308"
ELSEWHERE = {
    "old-2017-websocket-userdatachanged.json": "frames, judged in test_telling.py",
    "websocket-m3c-favorite-event.json": "frames, judged in test_telling.py",
    "websocket-m3c-playback-report-progress.json": "frames, judged in test_telling.py",
}
"""Recordings that are no answers to requests, and where they are judged."""
DIFFERENT = {
    "Reference Music": "a world has libraries of movies and shows only",
    "Subtitle": "a world's files have no subtitles",
}
"""Entries of recorded lists that a world cannot hold: a view by name, a stream by type."""
PLAYBACK = [
    "started",
    "progress-120",
    "detail-after-progress",
    "resume-after-progress",
    "mark-played",
    "mark-unplayed",
]
FOLDER_STATE = ["series-played", "episodes-after-played", "series-unplayed"]


def recorded(name: str) -> dict[str, Any]:
    return dict(msgspec.json.decode(truth_path(*FOLDER, name).read_bytes()))


def world() -> World:
    """The libraries that were recorded, as far as the recordings tell."""
    file = "/opt/goby-fixtures/playback-reference/Reference Playback M3.mp4"
    episodes = [(1, 1), (1, 2), (2, 1)]
    items = [
        WorldItem(id="m3", type="movie", title="Reference Playback M3", duration_s=600, file=file),
        WorldItem(id="series", type="show", title="Example Series"),
        *(
            WorldItem(
                id=f"e{s}{e}",
                type="episode",
                title="Goby sample movie",
                show="series",
                season=s,
                episode=e,
                duration_s=2,
            )
            for s, e in episodes
        ),
    ]
    server = WorldServer(
        name="Goby Emby Reference",
        kind="emby",
        version="4.9.5.0",
        server_id=SERVER_ID,
        users=[WorldUser(name="anna", id=ANNA, admin=True)],
        libraries=[
            WorldLibrary(title="Reference Movies", kind="movies", root="/opt/movies", native_id="3"),
            WorldLibrary(title="Reference Shows", kind="shows", root="/opt/shows", native_id="5"),
        ],
        placements=[Placement(item="m3", native_id="28"), Placement(item="series", native_id="12")],
    )
    return World(items=items, servers=[server])


@pytest.fixture
async def real(run_emby: Run) -> AsyncIterator[Talk]:
    async with run_emby(world()) as talk:
        yield talk


async def replay(talk: Talk, step: dict[str, Any]) -> Exchange:
    """Send a recorded request; the user of users-views.json is another, whose id is put right."""
    request = step["request"]
    path, _, query = request["path"].replace("fa0ec9ecc77b4fb487eceb8233c9a1fb", ANNA).partition("?")
    asked = dict(part.split("=", 1) for part in query.split("&") if part)
    return await talk.ask(request["method"], path, json=request["body"], **asked)


def differences(want: Any, got: Any, place: str = "") -> list[str]:
    """Where keys or types differ. Entries of lists are matched by Name or Type, else by position."""
    if type(want) is not type(got):
        return [f"{place}: {type(want).__name__} became {type(got).__name__}"]
    if isinstance(want, dict):
        wrong = [f"{place}.{key} is missing" for key in want if key not in got]
        wrong += [f"{place}.{key} is too much" for key in got if key not in want]
        return wrong + [
            d for key in want if key in got for d in differences(want[key], got[key], f"{place}.{key}")
        ]
    if isinstance(want, list) and want and isinstance(want[0], dict):
        return [d for number, entry in enumerate(want) for d in _entry_differences(entry, got, number, place)]
    return []


def _entry_differences(entry: dict[str, Any], got: list[Any], number: int, place: str) -> list[str]:
    if {entry.get("Name"), entry.get("Type")} & set(DIFFERENT):
        return []
    same = [
        g for g in got if "MediaType" not in entry and g.get("Type") == entry.get("Type") and "Codec" in entry
    ]
    same = same or [g for g in got if g.get("Name") == entry.get("Name") and "Guid" in entry]
    if not same:
        same = got[min(number, len(got) - 1) :][:1]
    return differences(entry, same[0], f"{place}[{number}]") if same else [f"{place}[{number}] has no match"]


def user_data(body: Any) -> list[Any]:
    """All user data in a body, in order, dates left out: they are those of the recording."""
    if isinstance(body, list):
        return [found for entry in body for found in user_data(entry)]
    if not isinstance(body, dict):
        return []
    if "Played" in body:
        return [{key: value for key, value in body.items() if key != "LastPlayedDate"}]
    return [found for key in ("Items", "UserData") for found in user_data(body.get(key))]


def judge(step: dict[str, Any], answer: Exchange) -> None:
    """Status, content type, keys, types and user data."""
    want = step["response"]
    assert answer.status == want["status"]
    assert answer.content_type == want["contentType"]
    if not want["body"]:
        assert answer.raw == b""
        return
    assert differences(want["body"], answer.body) == []
    kept = user_data(want["body"])
    got = user_data(answer.body)
    assert got == kept[: len(got)]
    assert len(kept) - len(got) == (1 if "Reference Music" in str(want["body"]) else 0)


@pytest.mark.parametrize("name", ["after-setup-system-info", "users-views"])
async def test_setup_answers(real: Talk, name: str) -> None:
    """Public system information and a user's views."""
    step = recorded(f"{name}.json")
    answer = await replay(real, step)
    judge(step, answer)
    if name == "after-setup-system-info":
        assert answer.body == step["response"]["body"]


async def test_the_recorded_play(real: Talk) -> None:
    """Started, progress at 120 s, detail, resume, mark, unmark: one after the other, as recorded."""
    for name in PLAYBACK:
        step = recorded(f"playback-m3-{name}.json")
        answer = await replay(real, step)
        judge(step, answer)
        if name.startswith("mark"):
            assert answer.body == step["response"]["body"], (
                "also the date: the clock stands at the recording's"
            )


async def test_the_recorded_series_marks(real: Talk) -> None:
    """A series marked played, its episodes, and the series unmarked."""
    for name in FOLDER_STATE:
        step = recorded(f"folder-state-{name}.json")
        judge(step, await replay(real, step))


def test_no_recording_is_left_out() -> None:
    """Every file is replayed above or stands on the list with its reason."""
    there = {path.name for path in truth_path(*FOLDER).iterdir()}
    replayed = {"after-setup-system-info.json", "users-views.json"}
    replayed |= {f"playback-m3-{name}.json" for name in PLAYBACK} | {
        f"folder-state-{name}.json" for name in FOLDER_STATE
    }
    assert there == replayed | set(ELSEWHERE)
    assert (len(ELSEWHERE), len(DIFFERENT)) == (3, 2)
