"""Plex's notifications: recorded frames, and a server that says what a test tells it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest

from playhead.adapters.plex import manifest
from playhead.adapters.plex.adapter import PlexBackend
from playhead.adapters.plex.listener import MOST_REMEMBERED, ItemsInWork, read_frame
from playhead.adapters.plex.settings import PlexSettings
from playhead.adapters.plex.wire import TimelineEntry
from playhead.ports.errors import BadAnswer, Interrupted, Unauthorized
from playhead.ports.events import SCAN_BEGAN, SCAN_ENDED, Event, Heard, Listens
from tests.contract.rig import find_entry, open_rig
from tests.contract.world import ADDED_LATER, BEN
from tests.talking import Talker, collect, hang_up, open_talker, tell
from tests.truth import truth_path

SESSIONS = "/status/sessions"


async def test_the_emulated_server_tells_of_playback_and_marks() -> None:
    """Another's playback with that user, the owner's mark without one, a new film; a cut line, and the next one."""
    async with open_rig(manifest) as rig:
        backend = rig.connect()
        film = await find_entry(backend, "fresh")
        people = {user.name: user.id for user in await backend.list_users()}
        async with aclosing(backend.listen()) as events:
            assert (await anext(events)).what is Heard.missed
            rig.act("play_start", "fresh", user=BEN, position_s=600)
            begun = await anext(events)
            rig.act("play_stop", "fresh", user=BEN)
            ended = await anext(events)
            while ended.what is not Heard.stopped:
                ended = await anext(events)
            for event in (begun, ended):
                assert (event.native_ids, event.user_id) == ((film.native_id,), people[BEN])
            assert begun.what is Heard.playing
            event = ended
            while event.what is not Heard.state:  # the stop itself may be told as a change of the item
                rig.act("mark", "fresh")
                event = await anext(events)
            assert (event.native_ids, event.user_id) == ((film.native_id,), None)
            rig.act("add", ADDED_LATER)
            while event.what is not Heard.library:
                event = await anext(events)
            rig.act("cut_sockets", "fresh")
            with pytest.raises(Interrupted):
                while True:
                    await anext(events)
        assert [event.what for event in await collect(backend.listen(), 1)] == [Heard.missed]
        with pytest.raises(Unauthorized):
            await collect(rig.connect(token="wrong").listen(), 1)


def recorded(name: str) -> bytes:
    return truth_path("events", "plex", name).read_bytes()


def playing(state: str = "playing", offset_ms: int = 61000, key: str = "29", rating_key: str = "5") -> str:
    row = {
        "sessionKey": key,
        "ratingKey": rating_key,
        "guid": "",
        "url": "",
        "viewOffset": offset_ms,
        "state": state,
    }
    return json.dumps(
        {"NotificationContainer": {"type": "playing", "size": 1, "PlaySessionStateNotification": [row]}}
    )


def sessions(*rows: tuple[str, str, str, str]) -> dict[str, Any]:
    """``/status/sessions`` of session key, type, user id and name."""
    items = [
        {"sessionKey": key, "type": kind, "ratingKey": "5", "User": {"id": user, "title": name, "thumb": ""}}
        for key, kind, user, name in rows
    ]
    return {"MediaContainer": {"size": len(items), "Metadata": items}}


@pytest.fixture
async def place() -> AsyncIterator[tuple[Talker, PlexBackend]]:
    async with open_talker() as (talker, url):
        talker.answers[SESSIONS] = sessions(("29", "movie", "31646104", "ben"))
        settings = PlexSettings(url=url, timeout_s=2, plex_tv_url="")
        backend = PlexBackend(settings, "token", "", client_id="hub")
        yield talker, backend
        await backend.close()


async def test_the_line_begins_with_what_was_missed(place: tuple[Talker, PlexBackend]) -> None:
    """The token travels in the header; only what is needed is asked for."""
    talker, backend = place
    assert isinstance(backend, Listens)
    assert await collect(backend.listen(), 1) == [Event(source="socket", what=Heard.missed, name="connected")]
    (request,) = talker.handshakes
    assert str(request.rel_url) == "/:/websockets/notifications?filters=playing,timeline,activity"
    assert request.headers["X-Plex-Token"] == "token"


def activity(event: str, kind: str = "library.update.section", **context: Any) -> str:
    step = {
        "event": event,
        "uuid": "u1",
        "Activity": {"type": kind, "title": "Bibliothek wird durchsucht", **context},
    }
    return json.dumps(
        {"NotificationContainer": {"type": "activity", "size": 1, "ActivityNotification": [step]}}
    )


async def test_a_scan_is_heard_to_begin_and_to_end_in_any_language(place: tuple[Talker, PlexBackend]) -> None:
    """By the activity's type; what lies between and other activities are silent."""
    talker, backend = place
    library = {"Context": {"librarySectionID": 2}}
    talker.talk = tell(
        activity("started", **library),
        activity("updated", **library),
        activity("ended", "media.generate.credits", **library),
        activity("ended", **library),
        activity("ended"),
    )
    _, *events = await collect(backend.listen(), 4)
    assert [(event.what, event.name, event.library_id) for event in events] == [
        (Heard.scan, SCAN_BEGAN, "2"),
        (Heard.scan, SCAN_ENDED, "2"),
        (Heard.scan, SCAN_ENDED, None),
    ]


async def test_the_recorded_frames(place: tuple[Talker, PlexBackend]) -> None:
    """Playback with its user looked up, a new film, a library that went; an activity says nothing."""
    talker, backend = place
    talker.talk = tell(
        *(recorded(f"websocket-{kind}.1.json").decode() for kind in ("activity", "playing", "timeline"))
    )
    _, first, second = await collect(backend.listen(), 3)
    assert first == Event(
        source="socket",
        what=Heard.playing,
        name="playing.playing",
        native_ids=("144504",),
        user_id="31646104",
        user_name="ben",
        session="29",
        position_s=154,
    )
    assert second == Event("socket", Heard.library, "timeline", ("10141",), at=1790301266)


async def test_a_session_is_looked_up_once(place: tuple[Talker, PlexBackend]) -> None:
    """Its stop goes to the same user, though the server lists it no more."""
    talker, backend = place
    talker.talk = tell(playing(), playing(offset_ms=71000), playing("stopped", 75000))
    heard = (await collect(backend.listen(), 4))[1:]
    assert [event.what for event in heard] == [Heard.playing, Heard.playing, Heard.stopped]
    assert {(event.user_id, event.user_name) for event in heard} == {("31646104", "ben")}
    assert [event.position_s for event in heard] == [61, 71, 75]
    assert talker.asked == [SESSIONS]


async def test_a_key_that_comes_again_is_looked_up_again(place: tuple[Talker, PlexBackend]) -> None:
    """After a stop it may be somebody else's."""
    talker, backend = place
    talker.talk = tell(playing(), playing("stopped"), playing(offset_ms=0))
    await collect(backend.listen(), 4)
    assert talker.asked == [SESSIONS, SESSIONS]


async def test_several_players_at_once(place: tuple[Talker, PlexBackend]) -> None:
    """Each with its own user; the owner is 1."""
    talker, backend = place
    talker.answers[SESSIONS] = sessions(("29", "movie", "31646104", "ben"), ("30", "episode", "1", "anna"))
    talker.talk = tell(playing(), playing(key="30", rating_key="6"))
    _, ben, anna = await collect(backend.listen(), 3)
    assert (ben.user_id, ben.native_ids) == ("31646104", ("5",))
    assert (anna.user_id, anna.native_ids) == ("1", ("6",))
    assert talker.asked == [SESSIONS]


async def test_a_pause_is_told_once(place: tuple[Talker, PlexBackend]) -> None:
    """The server repeats it every ten seconds."""
    talker, backend = place
    talker.talk = tell(playing("paused"), playing("paused"), playing("paused"), playing("playing"))
    heard = (await collect(backend.listen(), 3))[1:]
    assert [event.name for event in heard] == ["playing.paused", "playing.playing"]
    assert [event.what for event in heard] == [Heard.stopped, Heard.playing]


async def test_music_is_not_ours(place: tuple[Talker, PlexBackend]) -> None:
    """The session says what kind of item plays."""
    talker, backend = place
    talker.answers[SESSIONS] = sessions(("29", "track", "1", "anna"), ("30", "movie", "1", "anna"))
    talker.talk = tell(playing(), playing("stopped"), playing(key="30", rating_key="6"))
    _, event = await collect(backend.listen(), 2)
    assert event.native_ids == ("6",)


@pytest.mark.parametrize("status", [403, 500])
async def test_where_sessions_are_not_told_the_user_is_not(
    place: tuple[Talker, PlexBackend], status: int
) -> None:
    """A shared account may not ask; a token that may not is not tried again and again."""
    talker, backend = place
    talker.answers[SESSIONS] = status
    talker.talk = tell(*(playing(offset_ms=second * 1000) for second in range(5)))
    heard = (await collect(backend.listen(), 6))[1:]
    assert {(event.user_id, event.session) for event in heard} == {(None, "29")}
    assert talker.asked == [SESSIONS]


async def test_a_wrong_token_is_refused(place: tuple[Talker, PlexBackend]) -> None:
    """On the handshake."""
    talker, backend = place
    talker.refuse_with = 401
    with pytest.raises(Unauthorized, match="refused the token"):
        await collect(backend.listen(), 1)


def playing_row(**members: Any) -> str:
    row = {"sessionKey": "29", "ratingKey": "5", "key": "/library/metadata/5", "state": "playing", **members}
    return json.dumps({"NotificationContainer": {"type": "playing", "PlaySessionStateNotification": [row]}})


async def test_live_television_and_streams_of_plex_tv_are_not_ours(place: tuple[Talker, PlexBackend]) -> None:
    """The rating key of live television is a number, that of a stream is none; a stop without any is told all the same."""
    talker, backend = place
    live = "/livetv/sessions/ae71d39b-0f81-4675-8a80-f8e578153389"
    talker.talk = tell(
        playing_row(key=live, ratingKey="133276", viewOffset=10_045),
        playing_row(key="/library/metadata/5d7768258", ratingKey="5d7768258"),
        playing_row(viewOffset=-1),
        playing_row(state="stopped", ratingKey="", key=""),
        then=hang_up,
    )
    _, going_on, stopped = await collect(backend.listen(), 3)
    assert (going_on.what, going_on.native_ids, going_on.position_s) == (Heard.playing, ("5",), None)
    assert (stopped.what, stopped.native_ids, stopped.user_id) == (Heard.stopped, (), "31646104")


def test_a_moment_that_is_none_is_not_told() -> None:
    """The step counts."""
    (event,) = ItemsInWork().hear([TimelineEntry(itemID="5", type=1, state=5, updatedAt=-1)])
    assert (event.native_ids, event.at) == (("5",), None)


async def test_a_server_that_goes_down_ends_the_line(place: tuple[Talker, PlexBackend]) -> None:
    """After what it said."""
    talker, backend = place
    talker.talk = tell(playing(), then=hang_up)
    async with aclosing(backend.listen()) as events:
        assert [(await anext(events)).what for _ in range(2)] == [Heard.missed, Heard.playing]
        with pytest.raises(Interrupted, match="closed by the server"):
            await anext(events)


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"<html>",
        b"[]",
        b'{"NotificationContainer":{"type":"playing","PlaySessionStateNotification":{}}}',
        b'{"NotificationContainer":' + b"[" * 100_000,
    ],
)
def test_what_cannot_be_read_breaks_the_line(frame: bytes) -> None:
    """Something may have been told that is lost: the next line begins with what was missed."""
    with pytest.raises(BadAnswer, match="cannot be read"):
        read_frame(frame, "Plex")


async def test_an_odd_entry_does_not_break_the_line(place: tuple[Talker, PlexBackend]) -> None:
    """The others of its frame are heard, and what it may have told is read as missed."""
    talker, backend = place
    rows = [
        {"itemID": "7", "type": 1, "state": 5, "updatedAt": -1, "title": "x"},
        {"itemID": "8", "type": 1, "state": {}},
    ]
    frame = {"NotificationContainer": {"type": "timeline", "TimelineEntry": rows}}
    talker.talk = tell(json.dumps(frame), playing())
    _, *events = await collect(backend.listen(), 4)
    assert [(event.what, event.native_ids) for event in events] == [
        (Heard.state, ("7",)),
        (Heard.missed, ()),
        (Heard.playing, ("5",)),
    ]


def entry(state: int, item: str | int = "7", kind: int = 1, **more: Any) -> TimelineEntry:
    return TimelineEntry(
        itemID=item, identifier="com.plexapp.plugins.library", type=kind, state=state, **more
    )


def whats(items: ItemsInWork, *entries: TimelineEntry) -> list[tuple[str, tuple[str, ...]]]:
    return [(event.what.value, event.native_ids) for event in items.hear(list(entries))]


def test_the_last_step_alone_is_a_mark_by_hand() -> None:
    """Nobody is named; ids may come as numbers."""
    assert whats(ItemsInWork(), entry(5)) == [("state", ("7",))]
    assert whats(ItemsInWork(), entry(5, 8, 4)) == [("state", ("8",))]


def test_the_steps_of_a_scan_are_the_librarys() -> None:
    """Created, matched, loaded, done: one event at the end; the same item marked later is a mark."""
    items = ItemsInWork()
    assert [whats(items, entry(step)) for step in (0, 1, 2, 3, 4)] == [[], [], [], [], []]
    assert whats(items, entry(5)) == [("library", ("7",))]
    assert whats(items, entry(5)) == [("state", ("7",))]


def test_a_season_that_was_marked_names_no_item() -> None:
    """Something changed, and whoever hears it looks itself."""
    assert whats(ItemsInWork(), entry(5, "70", 3)) == [("state", ())]


def test_several_entries_of_one_frame_are_told_together() -> None:
    """By what they are about."""
    told = whats(ItemsInWork(), entry(5, "1"), entry(9, "2"), entry(5, "3", 4), entry(9, "4"))
    assert told == [("library", ("2", "4")), ("state", ("1", "3"))]


@pytest.mark.parametrize(
    "ignored",
    [
        entry(5, kind=10),  # a track
        entry(5, mediaState="analyzing"),
        entry(-1, mediaState="thumbnailing"),
        entry(6),
        TimelineEntry(itemID="7", identifier="tv.plex.provider.epg", type=1, state=5),
        TimelineEntry(itemID="7"),
    ],
)
def test_music_analysis_and_television_are_not_ours(ignored: TimelineEntry) -> None:
    """Nothing is told."""
    assert whats(ItemsInWork(), ignored) == []


def test_items_in_work_are_remembered_within_bounds() -> None:
    """A scan that never ends takes no more memory than the bound."""
    items = ItemsInWork()
    for number in range(MOST_REMEMBERED + 50):
        assert whats(items, entry(0, str(number))) == []
    assert whats(items, entry(5, str(MOST_REMEMBERED + 49))) == [("library", (str(MOST_REMEMBERED + 49),))]
    assert whats(items, entry(5, "0")) == [("state", ("0",))]
