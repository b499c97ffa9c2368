"""What the translation makes of the answers of real servers, 10.11.11 and 12.0.0."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from playhead.adapters._mediabrowser.decode import decode_page
from playhead.adapters._mediabrowser.translate import read_state, set_state
from playhead.adapters._mediabrowser.wire import UserData
from playhead.ports.backend import Entry, Listing, PageContent
from tests.truth import truth_path

TAPES = ("10.11.11-real", "12.0.0-real")
LISTS = "04-libraries-and-items.json"


def read_steps(tape: str, file: str) -> list[dict[str, Any]]:
    """The steps of a tape that hold a request."""
    steps = json.loads(truth_path("recorded", "jellyfin", tape, file).read_bytes())["steps"]
    return [step for step in steps if "response" in step]


def read_page(step: dict[str, Any], *, what: Any = "leaf", lean: bool = False) -> PageContent:
    """A recorded list, decoded."""
    body = json.dumps(step["response"]["body"]).encode()
    return decode_page(body, Listing("x", what, lean), title="Jellyfin", has_total=True)


def find_states(node: Any) -> Iterator[dict[str, Any]]:
    """Every UserData of a leaf item anywhere in an answer."""
    if isinstance(node, dict):
        if "Played" in node and "UnplayedItemCount" not in node:
            yield node
        for value in node.values():
            yield from find_states(value)
    elif isinstance(node, list):
        for value in node:
            yield from find_states(value)


def full_list(tape: str) -> PageContent:
    """The library of the tape with all fields, as leaves."""
    (step,) = (s for s in read_steps(tape, LISTS) if s.get("note", "").startswith("all types, all fields"))
    return read_page(step)


@pytest.mark.parametrize("tape", TAPES)
def test_the_recorded_library_is_read_completely(tape: str) -> None:
    """5 movies and 9 episodes; seasons and series are no leaves but count as returned."""
    page = full_list(tape)
    assert Counter(entry.kind for entry in page.entries) == {"movie": 5, "episode": 9}
    assert (page.returned, page.dropped) == (page.total, ())
    assert all(entry.files and entry.media_key and entry.runtime_s for entry in page.entries)
    assert all(entry.watched is not None for entry in page.entries)


@pytest.mark.parametrize("tape", TAPES)
def test_recorded_items_say_what_the_library_holds(tape: str) -> None:
    """Claims, numbers, runtime and file of known items; an unidentified movie has no claims."""
    entries = {entry.title: entry for entry in full_list(tape).entries}
    matrix = entries["The Matrix"]
    assert matrix.claims == ("imdb:movie:tt0133093", "tmdb:movie:603")
    assert (matrix.year, matrix.runtime_s, matrix.season, matrix.episode) == (1999, 1200, None, None)
    double = next(entry for entry in entries.values() if entry.episode_end is not None)
    assert (double.show_title, double.season, double.episode, double.episode_end) == ("Breaking Bad", 1, 2, 3)
    special = next(entry for entry in entries.values() if entry.season == 0)
    assert (special.episode, special.runtime_s) == (1, 240)
    assert entries["Unidentified Home Cut"].claims == ()


@pytest.mark.parametrize("tape", TAPES)
def test_shows_bring_the_ids_that_identify_their_episodes(tape: str) -> None:
    """The series carries the show's ids; its episodes name it by native id."""
    (step,) = (s for s in read_steps(tape, LISTS) if s.get("note", "").startswith("all types, all fields"))
    shows = {show.native_id: show for show in read_page(step, what="show").shows}
    assert {show.title for show in shows.values()} == {"Breaking Bad", "Cowboy Bebop"}
    breaking_bad = next(show for show in shows.values() if show.title == "Breaking Bad")
    assert breaking_bad.claims == ("imdb:show:tt0903747", "tmdb:show:1396", "tvdb:show:81189")
    assert {e.show_id for e in full_list(tape).entries if e.kind == "episode"} == set(shows)


@pytest.mark.parametrize("tape", TAPES)
def test_a_list_without_fields_gives_the_same_states(tape: str) -> None:
    """The lean list names the same items with the same runtime and state."""
    (step,) = (s for s in read_steps(tape, LISTS) if s.get("note", "").startswith("default fields"))

    def strip(entry: Entry) -> tuple[Any, ...]:
        return (entry.native_id, entry.kind, entry.runtime_s, entry.watched, entry.plays, entry.unplayed)

    lean = read_page(step, lean=True)
    assert [strip(entry) for entry in lean.entries] == [strip(entry) for entry in full_list(tape).entries]


@pytest.mark.parametrize("tape", TAPES)
def test_without_a_user_nothing_is_said_of_state(tape: str) -> None:
    """An API key that names no user gets lists without UserData: unknown, never unwatched."""
    (step,) = (s for s in read_steps(tape, LISTS) if s.get("note") == "API key, no userId")
    entries = read_page(step).entries
    assert entries
    assert all(entry.watched is None and not entry.unplayed for entry in entries)


@pytest.mark.parametrize("tape", TAPES)
def test_every_recorded_unplay_has_the_form_of_one(tape: str) -> None:
    """All answers to DELETE of played in the tapes are recognised as a person's un-play."""
    found = 0
    for file in ("05-played-marks.json", "07-playback-reporting.json", "06-userdata-writes.json"):
        for step in read_steps(tape, file):
            request, body = step["request"], step["response"].get("body")
            leaf = isinstance(body, dict) and "Played" in body and "UnplayedItemCount" not in body
            if request["method"] == "DELETE" and "PlayedItems" in request["path"] and leaf:
                assert is_unplay(body), step
                found += 1
    assert found >= 5


@pytest.mark.parametrize("tape", TAPES)
def test_nothing_that_playback_leaves_is_taken_for_an_unplay(tape: str) -> None:
    """While and after an item plays its state always carries a count, a date or a position."""
    checked = 0
    started: set[str] = set()
    for step in read_steps(tape, "07-playback-reporting.json"):
        request, body = step["request"], step["response"].get("body")
        path = request["path"]
        playing = request.get("body") or {}
        if path == "/Sessions/Playing" and playing.get("ItemId") == playing.get("MediaSourceId", ...):
            started.add(playing["ItemId"])
        elif request["method"] in ("DELETE", "POST") and "/User" in path:
            started.discard(path.split("/")[2])
        elif path.endswith("/UserData") and path.split("/")[2] in started and isinstance(body, dict):
            assert not is_unplay(body), step
            checked += 1
    assert checked >= 5


def test_a_watched_film_started_on_10_11_is_unwatched_but_no_unplay() -> None:
    """10.11 sets Played:false at the start of a rewatch and leaves count and date."""
    steps = read_steps("10.11.11-real", "07-playback-reporting.json")
    (step,) = (s for s in steps if s.get("note") == "after: still Played, with a position?")
    state = read_state(msgspec.convert(step["response"]["body"], UserData, strict=False))
    assert (state.watched, state.plays, state.position_s) == (False, 2, 600)
    assert state.last_played is not None
    assert not is_unplay(step["response"]["body"])


def is_unplay(body: dict[str, Any]) -> bool:
    """Whether this UserData has the form of a person's un-play."""
    entry = Entry("1", "movie")
    set_state(entry, msgspec.convert(body, UserData, strict=False))
    return entry.unplayed


@pytest.mark.parametrize("tape", TAPES)
def test_every_recorded_state_is_read(tape: str) -> None:
    """No state in any tape fails to decode, and every date in them is read."""
    found = 0
    for path in sorted(truth_path("recorded", "jellyfin", tape).glob("*.json")):
        for body in find_states(json.loads(path.read_bytes())):
            if not isinstance(body.get("Played"), bool) or "PlayCount" not in body:
                continue
            state = read_state(msgspec.convert(body, UserData, strict=False))
            assert state.watched is body["Played"]
            assert (state.last_played is None) == ("LastPlayedDate" not in body)
            assert (
                state.plays == (body["PlayCount"] or (None if body["Played"] else 0)) or body["PlayCount"] < 0
            )
            found += 1
    assert found > 200
