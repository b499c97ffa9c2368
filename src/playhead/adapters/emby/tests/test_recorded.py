"""What the translation makes of the answers of a real Emby 4.9.5.0."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from playhead.adapters._mediabrowser.decode import decode_page
from playhead.adapters._mediabrowser.translate import read_entries, read_library, set_state
from playhead.adapters._mediabrowser.wire import Item, UserData, Views
from playhead.ports.backend import Entry, Listing
from tests.truth import truth_path


def read_body(name: str) -> Any:
    """The body of a recorded answer."""
    return json.loads(truth_path("recorded", "emby", "4.9.5.0", f"{name}.json").read_bytes())["response"][
        "body"
    ]


def read_state(body: Any) -> Entry:
    """An entry with this UserData."""
    entry = Entry("1", "movie")
    set_state(entry, msgspec.convert(body, UserData, strict=False))
    return entry


def test_a_list_that_was_not_asked_for_counts_says_nothing_of_them() -> None:
    """Played episodes with PlayCount 0 and no date: watched, count and date unknown."""
    body = json.dumps(read_body("folder-state-episodes-after-played")).encode()
    page = decode_page(body, Listing("12", "leaf"), title="Emby", has_total=True)
    assert len(page.entries) == page.returned == page.total
    for entry in page.entries:
        assert (entry.kind, entry.watched, entry.plays, entry.last_played) == ("episode", True, None, None)
        assert (entry.show_id, entry.show_title, entry.runtime_s) == ("12", "Example Series", 2)
        assert not entry.unplayed


def test_a_mark_and_an_unmark_are_what_they_look_like() -> None:
    """The answer to a mark has count and date; the answer to an unmark has the form of a person's un-play."""
    marked = read_state(read_body("playback-m3-mark-played"))
    assert (marked.watched, marked.plays, marked.position_s, marked.last_played) == (True, 1, 0, 1788912167)
    unmarked = read_state(read_body("playback-m3-mark-unplayed"))
    assert (unmarked.watched, unmarked.plays, unmarked.last_played, unmarked.unplayed) == (
        False,
        0,
        None,
        True,
    )


def test_an_item_in_progress_is_no_unplay() -> None:
    """The single item in the middle of playback: unwatched with a position of 120 s."""
    (entry,) = read_entries(
        [msgspec.convert(read_body("playback-m3-detail-after-progress"), Item, strict=False)]
    )
    assert (entry.watched, entry.position_s, entry.unplayed) == (False, 120, False)
    assert entry.files == ("/opt/goby-fixtures/playback-reference/Reference Playback M3.mp4",)
    assert entry.runtime_s == 600
    assert entry.media_key


def test_a_resume_list_is_no_unplay_either() -> None:
    """The list leaves count and date out; the position alone shows that something plays."""
    body = json.dumps(read_body("playback-m3-resume-after-progress")).encode()
    (entry,) = decode_page(body, Listing("x", "leaf"), title="Emby", has_total=True).entries
    assert (entry.plays, entry.last_played, entry.position_s, entry.unplayed) == (0, None, 120, False)


def test_recorded_libraries_are_told_apart() -> None:
    """The library of movies is read, the one of music is not."""
    views = msgspec.convert(read_body("users-views"), Views, strict=False).Items
    found = [library for view in views if (library := read_library(view, {})) is not None]
    assert {library.title: library.holds for library in found}["Reference Movies"] == ("movie",)
    assert "Reference Music" not in {library.title for library in found}
