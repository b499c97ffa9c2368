"""Recorded answers of real servers, served byte for byte and imported through the real adapters: what the adapters read is
what plain counting finds in the files."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import aiohttp
import msgspec
import pytest

from playhead.ports.backend import Backend, Listing
from playhead.ports.errors import BackendError
from playhead.sandbox.replay import Recording, RecordingSet, load_sets
from playhead.sandbox.replay.serving import MISSING, find_answer
from tests.replay.counting import count, look_up
from tests.replay.importing import EXPLAINED, MUSIC, compare_lists, flatten, row_of, serve, total
from tests.replay.storing import agrees, import_set, importable
from tests.truth import truth_path

JELLYFIN_12 = ("04", "05", "06", "07", "12", "13", "15", "16", "20", "23", "24")
JELLYFIN_10 = (*JELLYFIN_12, "12b", "12c", "12d", "20b", "20c", "26")
NAMES = [
    "plex-1.40",
    "plex-1.25-1.31",
    "plex-1.43.3",
    *(f"plex-1.31-182_{n}" for n in range(1, 5)),
    *(f"jellyfin-12.0.0-{n}" for n in JELLYFIN_12),
    *(f"jellyfin-10.11.11-{n}" for n in JELLYFIN_10),
    "jellyfin-12.1.0",
    "emby-4.9.5.0-b9ea",
    "emby-4.9.5.0-fa0e",
]


@pytest.fixture(scope="module")
def sets() -> dict[str, RecordingSet]:
    return load_sets(truth_path("recorded"))


def test_the_catalogue_is_whole(sets: dict[str, RecordingSet]) -> None:
    """Every set is tested below: none is found and passed over, none is missing."""
    assert sorted(sets) == sorted(NAMES)


def test_every_body_stands_in_its_file(sets: dict[str, RecordingSet]) -> None:
    """Slices and files are the file's own bytes; a text is the string that stands there; glue has no file."""
    forms: Counter[str] = Counter()
    for entry in (r for s in sets.values() for r in s.recordings):
        assert entry.file is not None
        raw = entry.file.read_bytes()
        forms[entry.form] += 1
        if entry.form == "slice":
            assert entry.body in raw
        elif entry.form == "text":
            assert json.dumps(entry.body.decode(), ensure_ascii=False).encode() in raw
        else:
            assert entry.body == raw
    assert set(forms) == {"slice", "file", "text", "rewritten"}
    assert all(entry.file is None for s in sets.values() for entry in s.glue)


def test_every_recording_answers_its_own_request(sets: dict[str, RecordingSet]) -> None:
    """The recorded request gets the recorded answer, or another one that was recorded for the very same request."""
    for recorded in sets.values():
        for entry in recorded.recordings:
            found = find_answer(recorded, entry.method, entry.path, frozenset(entry.query), entry.token)
            assert found is not None, entry.source
            same = (found.method, found.path.lower(), found.query) == (
                entry.method,
                entry.path.lower(),
                entry.query,
            )
            assert same or set(entry.query) ^ set(found.query) == set(), (entry.source, found.source)


@pytest.mark.parametrize("name", NAMES)
async def test_the_adapter_reads_what_the_files_hold(sets: dict[str, RecordingSet], name: str) -> None:
    """Items, ids, shows and state of every list: the adapter's and those counted by other means agree."""
    lists = await compare_lists(sets[name])
    assert [(entry.recording.source, entry.unexplained) for entry in lists if entry.unexplained] == []
    known = sum(len(entry.differences) for entry in lists)
    assert known == sum(len(EXPLAINED.get(entry.recording.key, {})) for entry in lists), (
        "an explanation went stale"
    )
    file, adapter = total(*flatten(lists, "file")), total(*flatten(lists, "adapter"))
    assert (file == adapter) is (known == 0)


@pytest.mark.parametrize("name", NAMES)
async def test_what_arrives_is_the_recording(sets: dict[str, RecordingSet], name: str) -> None:
    """The bytes that the adapter gets over HTTP are the recorded ones; only XML is rewritten."""
    for entry in await compare_lists(sets[name]):
        assert (entry.page_body == entry.recording.body) is (entry.recording.form != "rewritten")


@pytest.mark.parametrize("name", NAMES)
async def test_totals_are_the_servers(sets: dict[str, RecordingSet], name: str) -> None:
    """Where the adapter tells the length of the whole list, it is the one in the file."""
    async with serve(sets[name]) as (backend, _):
        for entry in sets[name].lists:
            if entry.listed in MUSIC:
                continue
            page = await backend.fetch_page(Listing(entry.key, "leaf"), entry.start, entry.size)
            said, body = backend.decode_page(page).total, json.loads(page.body)
            stated = body.get("TotalRecordCount", body.get("MediaContainer", {}).get("totalSize"))
            assert said is None or said == int(stated), entry.source


@pytest.mark.parametrize(
    ("name", "users", "libraries"),
    [
        ("jellyfin-12.0.0-04", ["admin", "kid", "watcher"], ["Movies", "Shows"]),
        ("jellyfin-10.11.11-04", ["admin", "kid", "watcher"], ["Movies", "Shows"]),
        ("emby-4.9.5.0-fa0e", ["replay"], ["Reference Movies", "Reference Shows"]),
    ],
)
async def test_connecting_to_a_replay(
    sets: dict[str, RecordingSet], name: str, users: list[str], libraries: list[str]
) -> None:
    """Probe, account, users and libraries come from recordings (Emby's users are glue); nothing asked is missing."""
    async with serve(sets[name]) as (backend, app):
        info = await backend.probe()
        assert (info.kind, info.version) == (sets[name].kind, sets[name].version)
        assert (await backend.check_account()).id == sets[name].user_id
        assert sorted(user.name for user in await backend.list_users()) == users
        assert sorted(library.title for library in await backend.list_libraries()) == libraries
        assert app[MISSING] == []


async def test_plex_says_who_it_is_through_glue(sets: dict[str, RecordingSet]) -> None:
    """Nobody recorded /identity and the sections as JSON: both are marked synthetic, and offer every recorded list."""
    async with serve(sets["plex-1.40"]) as (backend, _):
        assert (await backend.probe()).server_id == "replay-1.40.0.0"
        offered = {library.id for library in await backend.list_libraries()}
    assert offered == {entry.key for entry in sets["plex-1.40"].lists if entry.listed not in MUSIC}


@pytest.mark.parametrize(
    "name", ["plex-1.40", "plex-1.25-1.31", *(f"plex-1.31-182_{n}" for n in range(1, 5))]
)
async def test_plex_single_items(sets: dict[str, RecordingSet], name: str) -> None:
    """Detail answers, read through the adapter's detail route."""
    single = [entry for entry in sets[name].recordings if entry.listed is None]
    assert single
    async with serve(sets[name]) as (backend, _):
        for entry in single:
            await check_single(backend, entry, entry.path.rpartition("/")[2], "plex")


async def test_the_emby_item_route(sets: dict[str, RecordingSet]) -> None:
    """The item route tells count and date, which the resume list of the same moment leaves out."""
    recorded = sets["emby-4.9.5.0-b9ea"]
    (entry,) = [r for r in recorded.recordings if r.path.endswith("/Items/28")]
    async with serve(recorded) as (backend, _):
        await check_single(backend, entry, "28", "emby")
        (found,) = await backend.fetch_entries(["28"])
    assert (found.plays, found.position_s, found.last_played) == (1, 120, 1_788_912_167)


async def check_single(backend: Backend, entry: Recording, native_id: str, kind: str) -> None:
    """What the adapter makes of one item is what counting finds."""
    assert entry.file is not None
    rows = [row_of(found, kind) for found in await backend.fetch_entries([native_id])]
    assert rows == count(entry.file, entry.place).leaves, entry.source


async def test_a_play_on_plex_step_by_step(sets: dict[str, RecordingSet]) -> None:
    """Four recorded states of one film: at 70 s, at 75 s, watched, unwatched in the form of an un-play."""
    seen = []
    for number in range(1, 5):
        async with serve(sets[f"plex-1.31-182_{number}"]) as (backend, _):
            (found,) = await backend.fetch_entries(["182"])
            seen.append((found.watched, found.position_s, found.unplayed))
    assert seen == [(False, 70, False), (False, 75, False), (True, 0, False), (False, 0, True)]


async def test_xml_is_served_as_recorded_to_who_takes_it(sets: dict[str, RecordingSet]) -> None:
    """Without a wish for JSON the file's own bytes come; what was not recorded is 404 and says so."""
    recorded = sets["plex-1.43.3"]
    async with serve(recorded) as (backend, app), aiohttp.ClientSession() as http:
        url = backend._client.http.base  # type: ignore[attr-defined]
        async with http.get(url / "library/sections/pms_watched_shows/all") as answer:
            assert await answer.read() == next(e for e in recorded.lists if e.key == "pms_watched_shows").body
            assert answer.headers["X-Replay"].startswith("file; pms_watched_shows")
        async with http.get(url / "library/onDeck") as answer:
            assert (answer.status, answer.headers["X-Replay"]) == (404, "missing")
        assert app[MISSING] == ["GET /library/onDeck"]


async def test_a_changed_recording_is_noticed(sets: dict[str, RecordingSet]) -> None:
    """The comparison can fail: one watched item made unwatched, and one item renamed, are told."""
    recorded = sets["plex-1.40"]
    (entry,) = [e for e in recorded.lists if e.key == "get-library-all.3"]
    for old, new in ((b'"viewCount": 1', b'"viewKount": 1'), (b'"ratingKey": "1', b'"ratingKey": "9')):
        assert old in entry.body
        forged = msgspec.structs.replace(entry, body=entry.body.replace(old, new, 1))
        others = tuple(forged if e is entry else e for e in recorded.recordings)
        lists = await compare_lists(msgspec.structs.replace(recorded, recordings=others))
        assert [e.recording.key for e in lists if e.differences] == ["get-library-all.3"]


TOLD = {"12.0.0": 123, "10.11.11": 149}
"""How many answers of the route for a single item's state the tapes hold for the API key."""


@pytest.mark.parametrize("version", ["12.0.0", "10.11.11"])
async def test_every_recorded_state_of_a_single_item(sets: dict[str, RecordingSet], version: str) -> None:
    """The tapes ask for the state of single items after every write: the adapter reads each as it stands there.

    A count or position below zero, which Jellyfin keeps when it is told so (tape 06), means none; no count of a played
    item means that it is not known.
    """
    read = 0
    for recorded in (s for s in sets.values() if s.name.startswith(f"jellyfin-{version}-")):
        async with serve(recorded, in_turn=True) as (backend, _):
            for entry in single_states(recorded):
                assert entry.file is not None
                if entry.status != 200:
                    with pytest.raises(BackendError):
                        await backend._read_state(entry.path.split("/")[2])  # type: ignore[attr-defined]
                    continue
                told = look_up(entry.file, entry.place)
                state = await backend._read_state(entry.path.split("/")[2])  # type: ignore[attr-defined]
                assert state.watched == told["Played"], entry.source
                plays, ticks = max(told["PlayCount"], 0), max(told["PlaybackPositionTicks"], 0)
                assert state.plays == (plays or (None if told["Played"] else 0)), entry.source
                assert state.position_s == ticks // 10_000_000, entry.source
                assert (state.rating, state.favourite) == (told.get("Rating"), told["IsFavorite"]), (
                    entry.source
                )
                assert (state.last_played is None) is ("LastPlayedDate" not in told), entry.source
                read += 1
    assert read == TOLD[version]


def single_states(recorded: RecordingSet) -> list[Recording]:
    """The answers of the route for one item's state, asked for as the adapter asks, in order."""
    query = (("userid", recorded.user_id),)
    return [
        entry
        for entry in recorded.recordings
        if entry.status < 500  # one, which the adapter would wait for
        and re.fullmatch(r"/UserItems/[0-9a-f]{32}/UserData", entry.path)
        and (entry.method, entry.token, entry.query) == ("GET", recorded.token, query)
    ]


@pytest.mark.parametrize("name", [name for name in NAMES if "182_" not in name and "fa0e" not in name])
async def test_the_database_holds_what_the_files_hold(
    sets: dict[str, RecordingSet], name: str, tmp_path: Path
) -> None:
    """The whole way in: ids, shows and the newest state of every item; a list that was cut short is not called whole."""
    stored = await import_set(sets[name], tmp_path)
    assert set(stored.rows) == set(stored.expected)
    assert stored.shows == stored.expected_shows
    differing = {
        native_id for native_id, row in stored.expected.items() if not agrees(row, stored.rows[native_id])
    }
    assert differing == ({"10003"} if name == "plex-1.43.3" else set()), (
        "10003 is explained in importing.EXPLAINED"
    )
    for entry, result in zip(importable(sets[name]), stored.results, strict=True):
        assert (result.status == "complete") is is_whole(entry), (entry.source, result)


def is_whole(entry: Recording) -> bool:
    """Whether the file holds the list to its end, by the total that stands in it."""
    assert entry.file is not None
    counted = count(entry.file, entry.place)
    return counted.total is None or counted.total == counted.returned


def test_the_list_of_known_differences_is_short() -> None:
    """It has one entry; a new one needs its reason here and a look at the adapter."""
    assert sum(len(entry) for entry in EXPLAINED.values()) == 1
