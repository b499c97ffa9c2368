"""What sockets tell: every taped frame, and the comings and goings of sessions, give the right events."""

from __future__ import annotations

import json
from typing import Any

import pytest

from playhead.adapters._mediabrowser.listening import MOST_IDS, Ear
from playhead.ports.errors import BadAnswer
from playhead.ports.events import SCAN_BEGAN, SCAN_ENDED, Event, Heard
from tests.truth import truth_path

TAPES = (
    "10-ws-userdata-and-sessions",
    "11-ws-librarychanged-default-delays",
    "19-ws-session-user-and-silence",
)
WATCHER = "6ebbd48035ba48a1bf645470b6bdea30"
MATRIX = "27657e067b46664f6b18c7606bf935e7"


def frames(version: str, tape: str, socket: str | None = None) -> list[dict[str, Any]]:
    """What the server said, on one socket or on all."""
    events = json.loads(truth_path("recorded", "jellyfin", f"{version}-real", f"{tape}.json").read_bytes())
    return [
        event["data"]
        for event in events["events"]
        if event.get("dir") == "<" and socket in (None, event["socket"])
    ]


def hear(ear: Ear, kind: str, data: Any) -> list[Event]:
    said, events = ear.read(json.dumps({"MessageType": kind, "MessageId": "1", "Data": data}).encode())
    assert said == kind
    return events


@pytest.mark.parametrize("tape", TAPES)
@pytest.mark.parametrize("version", ["12.0.0", "10.11.11"])
def test_every_taped_change(version: str, tape: str) -> None:
    """User data names its user and items without the folders around them; libraries name what came and went."""
    ear, seen = Ear("Jellyfin"), set()
    for frame in frames(version, tape):
        kind, events = ear.read(json.dumps(frame).encode())
        seen.add(kind)
        data = frame.get("Data")
        if kind == "UserDataChanged":
            (event,) = events
            leaves = [row["ItemId"] for row in data["UserDataList"] if "UnplayedItemCount" not in row]
            assert leaves
            assert event == Event(
                "socket", Heard.state, kind, tuple(dict.fromkeys(leaves)), user_id=data["UserId"]
            )
        elif kind == "LibraryChanged":
            (event,) = events
            assert event.what is Heard.library
            assert set(event.native_ids) == {
                *data["ItemsAdded"],
                *data["ItemsUpdated"],
                *data["ItemsRemoved"],
            }
        elif kind != "Sessions":
            assert events == []
    assert ("LibraryChanged" if tape.startswith("11") else "UserDataChanged") in seen


@pytest.mark.parametrize("version", ["12.0.0", "10.11.11"])
def test_the_taped_playback_as_an_api_key_hears_it(version: str) -> None:
    """Start, a jump, a pause, a stop; start again, a jump, a stop: who, what and where, from sessions alone."""
    ear = Ear("Jellyfin")
    told = [
        event
        for frame in frames(version, TAPES[0], "apikey")
        for event in ear.read(json.dumps(frame).encode())[1]
    ]
    assert [(event.what, event.position_s) for event in told] == [
        (Heard.playing, 0),
        (Heard.playing, 300),
        (Heard.stopped, 310),
        (Heard.stopped, 310),
        (Heard.playing, 0),
        (Heard.playing, 1150),
        (Heard.stopped, 1152),
    ]
    assert len({event.user_id for event in told}) == len({event.native_ids for event in told}) == 1
    assert {event.user_name for event in told} == {"watcher"}
    assert all(event.session for event in told)
    if version == "12.0.0":
        assert (told[0].user_id, told[0].native_ids) == (WATCHER, (MATRIX,))


def session(item: str | None, seconds: int = 0, *, paused: bool = False, **more: Any) -> dict[str, Any]:
    playing = {"NowPlayingItem": {"Id": item, "Type": "Movie"}} if item else {}
    state = {"PositionTicks": seconds * 10_000_000, "IsPaused": paused}
    return {"Id": "s1", "UserId": WATCHER, "UserName": "watcher", "PlayState": state, **playing, **more}


def whats(events: list[Event]) -> list[tuple[str, tuple[str, ...], int | None]]:
    return [(event.what.value, event.native_ids, event.position_s) for event in events]


def test_the_next_item_of_a_queue_ends_the_one_before() -> None:
    """One list shows both at once."""
    ear = Ear("x")
    hear(ear, "Sessions", [session("1", 50)])
    assert whats(hear(ear, "Sessions", [session("2", 0)])) == [
        ("stopped", ("1",), 50),
        ("playing", ("2",), 0),
    ]


def test_a_session_that_vanished_has_stopped() -> None:
    """The device was switched off; the last position stands."""
    ear = Ear("x")
    hear(ear, "Sessions", [session("1", 50)])
    hear(ear, "Sessions", [session("1", 55)])
    assert whats(hear(ear, "Sessions", [])) == [("stopped", ("1",), 55)]
    assert hear(ear, "Sessions", []) == []


def test_playback_that_goes_on_is_told_now_and_then() -> None:
    """Every ten seconds of film, not with every list."""
    ear = Ear("x")
    told = [bool(hear(ear, "Sessions", [session("1", second)])) for second in range(0, 31, 2)]
    assert sum(told) == 4


def test_pause_and_resume_are_told_at_once() -> None:
    """Also without a new position."""
    ear = Ear("x")
    hear(ear, "Sessions", [session("1", 5)])
    assert whats(hear(ear, "Sessions", [session("1", 5, paused=True)])) == [("stopped", ("1",), 5)]
    assert hear(ear, "Sessions", [session("1", 5, paused=True)]) == []
    assert whats(hear(ear, "Sessions", [session("1", 5)])) == [("playing", ("1",), 5)]


def test_everyone_who_watches_along_is_told_of() -> None:
    """One event for each; a session of nobody tells nothing."""
    ear = Ear("x")
    more = [{"UserId": "a" * 32, "UserName": "kid"}]
    events = hear(ear, "Sessions", [session("1", 5, AdditionalUsers=more)])
    assert [event.user_name for event in events] == ["watcher", "kid"]
    for nobody in (None, "", "0" * 32):
        assert hear(Ear("x"), "Sessions", [session("1", 5, UserId=nobody)]) == []


def test_music_and_channels_are_not_ours() -> None:
    """Only movies and episodes."""
    playing = {"NowPlayingItem": {"Id": "9", "Type": "Audio"}}
    assert hear(Ear("x"), "Sessions", [{**session(None), **playing}]) == []


def test_a_change_of_folders_alone_is_still_a_change() -> None:
    """Nothing is named, so whoever hears it looks itself."""
    rows = [{"ItemId": "5", "UnplayedItemCount": 3}]
    (event,) = hear(Ear("x"), "UserDataChanged", {"UserId": WATCHER, "UserDataList": rows})
    assert (event.what, event.native_ids, event.user_id) == (Heard.state, (), WATCHER)


def test_embys_user_data() -> None:
    """Decimal ids, no key; measured on 4.9.5."""
    rows = [{"ItemId": "240270", "PlaybackPositionTicks": 0, "PlayCount": 1, "Played": True}]
    (event,) = hear(Ear("x"), "UserDataChanged", {"UserId": WATCHER, "UserDataList": rows})
    assert event.native_ids == ("240270",)


def test_a_flood_of_new_items_is_not_listed() -> None:
    """The library is read anyway; an empty change is none."""
    many = [str(number) for number in range(MOST_IDS + 1)]
    (event,) = hear(Ear("x"), "LibraryChanged", {"ItemsAdded": many})
    assert (event.what, event.native_ids) == (Heard.library, ())
    assert hear(Ear("x"), "LibraryChanged", {"IsEmpty": True}) == []


def test_a_library_says_nothing_again_when_its_folder_is_done() -> None:
    """As Jellyfin's code does: each step of a folder, then that of the library around it."""
    ear, steps = (
        Ear("x"),
        [("f", 0), ("lib", 0), ("f", 60), ("lib", 60), ("f", 100), ("lib", 0), ("f", 0), ("lib", 0)],
    )
    told = [
        (event.name, event.library_id)
        for native, percent in steps
        for event in hear(ear, "RefreshProgress", {"ItemId": native, "Progress": str(percent)})
    ]
    began, ended = [(SCAN_BEGAN, "f"), (SCAN_BEGAN, "lib")], [(SCAN_ENDED, "f"), (SCAN_ENDED, "lib")]
    assert told == [*began, *ended, *began]


def test_what_lies_in_no_library_plays_without_an_id() -> None:
    """A client may play something of its own; the sessions beside it are told."""
    ear = Ear("x")
    own = {"NowPlayingItem": {"Name": "x", "Type": "Movie"}}
    for foreign in (own, {"NowPlayingItem": {**own["NowPlayingItem"], "Id": None}}):
        events = hear(ear, "Sessions", [{**session(None), "Id": "s2", **foreign}, session("1", 5)])
        assert {event.native_ids for event in events} <= {("1",)}
    assert whats(hear(Ear("x"), "Sessions", [session("1", -5)])) == [("playing", ("1",), 0)]


def test_lists_that_are_null_are_empty() -> None:
    """Whether they lack or are null says the same."""
    (event,) = hear(Ear("x"), "LibraryChanged", {"ItemsAdded": ["7"], "ItemsUpdated": None, "IsEmpty": None})
    assert event.native_ids == ("7",)
    (event,) = hear(Ear("x"), "UserDataChanged", {"UserId": WATCHER, "UserDataList": None})
    assert (event.what, event.native_ids, event.user_id) == (Heard.state, (), WATCHER)


@pytest.mark.parametrize(
    "kind", ["GeneralCommand", "RestartRequired", "ServerRestarting", "UserUpdated", "Invented"]
)
def test_other_messages_say_nothing(kind: str) -> None:
    """Whatever they carry."""
    assert hear(Ear("x"), kind, {"any": [1, {}]}) == []


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"not json",
        b"[]",
        b'{"MessageType":1}',
        b'{"MessageType":"UserDataChanged","Data":"x"}',
        b'{"MessageType":"UserDataChanged","Data":{"UserId":[],"UserDataList":[]}}',
        b'{"MessageType":"Sessions","Data":{}}',
        b'{"MessageType":"Sessions","Data":' + b"[" * 100_000,
    ],
)
def test_what_cannot_be_read_breaks_the_line(frame: bytes) -> None:
    """Something may have been told that is lost: the next line begins with what was missed."""
    with pytest.raises(BadAnswer, match="cannot be read"):
        Ear("Jellyfin").read(frame)


def test_what_is_not_needed_does_not_break_the_line() -> None:
    """A name that is no UTF-8, a position that is none, ids that are none: the rest is heard."""
    ear = Ear("Emby")
    one = session(MATRIX, PlayState={"PositionTicks": "soon"}, UserName="NAME")
    frame = json.dumps({"MessageType": "Sessions", "Data": [one]}).encode().replace(b"NAME", b"\xff")
    (event,) = ear.read(frame)[1]
    assert (event.what, event.native_ids, event.position_s) == (Heard.playing, (MATRIX,), 0)
    (event,) = hear(ear, "LibraryChanged", {"ItemsAdded": 5, "ItemsUpdated": None})
    assert (event.what, event.native_ids) == (Heard.library, ())


def test_a_scan_is_heard_to_begin_and_to_end() -> None:
    """Of a folder or library by its progress, of everything by its task; percents in between and other tasks are silent."""
    ear = Ear("x")
    told = [
        *hear(ear, "RefreshProgress", {"ItemId": MATRIX, "Progress": "0"}),
        *hear(ear, "RefreshProgress", {"ItemId": MATRIX, "Progress": "41.5"}),
        *hear(ear, "RefreshProgress", {"ItemId": MATRIX, "Progress": "100"}),
        *hear(
            ear,
            "ScheduledTaskEnded",
            {"Name": "Medien scannen", "Key": "RefreshLibrary", "Status": "Completed"},
        ),
        *hear(ear, "ScheduledTaskEnded", {"Name": "Logs", "Key": "CleanLogFiles"}),
    ]
    assert [(event.what, event.name, event.library_id) for event in told] == [
        (Heard.scan, SCAN_BEGAN, MATRIX),
        (Heard.scan, SCAN_ENDED, MATRIX),
        (Heard.scan, SCAN_ENDED, None),
    ]


@pytest.mark.parametrize("data", [None, [], {"Progress": "soon"}, {"Progress": {}}, {"Key": 3}])
def test_a_form_of_progress_that_nobody_recorded_does_not_break_the_line(data: Any) -> None:
    """It is passed over."""
    ear = Ear("x")
    assert hear(ear, "RefreshProgress", data) == hear(ear, "ScheduledTaskEnded", data) == []
