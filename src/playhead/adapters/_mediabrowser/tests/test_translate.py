"""What the shared shapes mean."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from playhead.adapters._mediabrowser.decode import decode_page, decode_raw_page
from playhead.adapters._mediabrowser.translate import make_media_key, read_claims, read_library
from playhead.adapters._mediabrowser.wire import View
from playhead.domain.identity.claims import make_claims
from playhead.ports.backend import Entry, Listing, RawPage
from playhead.ports.errors import BadAnswer

LEAF = Listing("lib", "leaf")


def read_one(**members: Any) -> Entry:
    """The entry made from one list item with these members."""
    item = {"Id": "1", "Type": "Movie", "Name": "The Matrix", **members}
    (entry,) = decode_page(
        json.dumps({"Items": [item]}).encode(), LEAF, title="Server", has_total=True
    ).entries
    return entry


def read_state(**members: Any) -> Entry:
    """The entry made from one list item with this UserData."""
    return read_one(UserData=members)


def test_a_persons_unplay_is_recognised() -> None:
    """Neither count nor date nor position: what DELETE of played leaves, and what was never played."""
    entry = read_state(Played=False, PlayCount=0, PlaybackPositionTicks=0, IsFavorite=False)
    assert (entry.watched, entry.plays, entry.position_s, entry.unplayed) == (False, 0, 0, True)


@pytest.mark.parametrize(
    "playback",
    [
        {"PlayCount": 1},
        {"LastPlayedDate": "2026-11-21T09:37:42Z"},
        {"PlaybackPositionTicks": 6_000_000_000},
        {"PlayCount": None},
        {"PlaybackPositionTicks": None},
        {"LastPlayedDate": "not a date"},
    ],
)
def test_unwatched_with_a_trace_of_playback_is_no_unplay(playback: dict[str, Any]) -> None:
    """Jellyfin 10.11 says Played:false when a watched film is started: count, date or position betray it."""
    entry = read_state(**{"Played": False, "PlayCount": 0, "PlaybackPositionTicks": 0, **playback})
    assert (entry.watched, entry.unplayed) == (False, False)


def test_no_plays_on_a_played_item_means_that_the_count_is_unknown() -> None:
    """Emby's lists, and a mark that was set without a count, say 0; that is never read as zero plays."""
    assert read_state(Played=True, PlayCount=0).plays is None
    assert read_state(Played=True, PlayCount=3).plays == 3


def test_what_is_absent_or_null_is_unknown() -> None:
    """No UserData, an empty one and one of nulls say nothing, least of all "unwatched"."""
    nulls = dict.fromkeys(
        ["Played", "PlayCount", "LastPlayedDate", "PlaybackPositionTicks", "IsFavorite", "Rating"]
    )
    for entry in (read_one(), read_state(), read_state(**nulls), read_one(UserData=None)):
        assert (entry.watched, entry.last_played, entry.position_s, entry.unplayed) == (
            None,
            None,
            None,
            False,
        )
        assert (entry.rating, entry.favourite) == (None, None)


def test_stored_nonsense_does_not_become_a_negative_number() -> None:
    """The servers store negative counts and positions that a client sends."""
    entry = read_state(Played=False, PlayCount=-3, PlaybackPositionTicks=-50_000_000)
    assert (entry.plays, entry.position_s) == (0, 0)


def test_a_file_of_several_episodes_says_its_last_one() -> None:
    """IndexNumberEnd is the last episode; equal to the first, without a first or absurd it says nothing."""
    assert read_one(Type="Episode", IndexNumber=2, IndexNumberEnd=3).episode_end == 3
    assert read_one(Type="Episode", IndexNumber=2, IndexNumberEnd=2).episode_end is None
    assert read_one(Type="Episode", IndexNumberEnd=3).episode_end is None
    assert read_one(Type="Episode", IndexNumber=1, IndexNumberEnd=720).episode_end is None


def test_the_media_key_changes_with_path_length_and_date_and_needs_them() -> None:
    """An item seen half-read (no runtime yet) has no key rather than one that changes in a moment."""
    assert read_one(Path="/a.mkv", DateCreated="2020-01-01T00:00:00Z").media_key is None
    assert read_one(RunTimeTicks=10_000_000).media_key is None
    keys = {
        make_media_key("/a.mkv", 1, "x"),
        make_media_key("/b.mkv", 1, "x"),
        make_media_key("/a.mkv", 2, "x"),
        make_media_key("/a.mkv", 1, "y"),
    }
    assert len(keys) == 4
    assert read_one(Path="/a.mkv", RunTimeTicks=1, DateCreated="x").media_key == make_media_key(
        "/a.mkv", 1, "x"
    )


def test_one_bad_entry_does_not_lose_the_page() -> None:
    """What cannot be read is described and counted; its neighbours stay."""
    items = [
        {"Id": "1", "Type": "Movie"},
        {"Id": None},
        {"Id": "3", "Type": "Movie", "UserData": {"Played": "perhaps"}},
        "x",
    ]
    body = json.dumps({"Items": items, "TotalRecordCount": 4}).encode()
    for listing in (LEAF, Listing("lib", "leaf", lean=True)):
        page = decode_page(body, listing, title="Server", has_total=True)
        assert [entry.native_id for entry in page.entries] == ["1"]
        assert (page.returned, page.total, len(page.dropped)) == (4, 4, 3)
        assert "entry 1 " in page.dropped[0]


def test_a_member_that_is_not_needed_costs_itself_alone() -> None:
    """A runtime, a year or a name that cannot be read; a letter cut in two."""
    item = {"Id": "1", "Type": "Movie", "UserData": {"Played": True}, "RunTimeTicks": "soon", "Name": "CUT"}
    body = (
        json.dumps({"Items": [item, {**item, "ProductionYear": 1.5}]}).encode().replace(b"CUT", b"\xe8\xaf")
    )
    for listing in (LEAF, Listing("lib", "leaf", lean=True)):
        page = decode_page(body, listing, title="Server", has_total=True)
        assert [(each.watched, each.runtime_s) for each in page.entries] == [(True, None)] * 2
        assert page.dropped == ()


@pytest.mark.parametrize(
    "body", [b"", b"{}", b'{"Items":null}', b'{"items":[]}', b"<html>", b'{"Items":[{"Id"', b"[]"]
)
def test_an_answer_that_is_no_page_is_a_bad_answer(body: bytes) -> None:
    """Nothing, another shape, camelCase while starting, a web page, a cut body: never an empty list."""
    with pytest.raises(BadAnswer, match="Server"):
        decode_page(body, LEAF, title="Server", has_total=True)


def test_other_types_count_as_returned_but_are_no_entries() -> None:
    """A page knows how much came, so that a short page is noticed; virtual episodes are left out."""
    items = [{"Id": "1", "Type": "BoxSet"}, {"Id": "2", "Type": "Episode", "LocationType": "Virtual"}]
    page = decode_page(json.dumps({"Items": items}).encode(), LEAF, title="Server", has_total=True)
    assert (list(page.entries), page.returned, page.total) == ([], 2, None)


def test_a_total_that_counts_only_this_page_is_not_told() -> None:
    """With enableTotalRecordCount=false the total is start + returned, which is no total."""
    body = json.dumps({"Items": [], "TotalRecordCount": 2500}).encode()
    assert decode_page(body, LEAF, title="Server", has_total=False).total is None


@pytest.mark.parametrize(
    ("asked", "start", "total", "told"),
    [(2, 0, 2, None), (2, 0, 87, 87), (3, 0, 2, 2), (2, 4, 2, None), (2, 4, 6, None), (2, 4, 7, 7)],
)
def test_a_full_page_that_counts_no_further_than_itself_tells_no_total(
    asked: int, start: int, total: int, told: int | None
) -> None:
    """As servers do that show two libraries as one: else the rest of the list would seem not to be there."""
    items = [{"Id": "1", "Type": "Movie"}, {"Id": "2", "Type": "Movie"}]
    body = json.dumps({"Items": items, "TotalRecordCount": total}).encode()
    page = RawPage(LEAF, start, asked, "", body, 0)
    assert decode_raw_page(page, title="Server", has_total=True).total == told


_SOURCES = st.sampled_from(
    ["Imdb", "Tmdb", "Tvdb", "IMDB", "tmdb", "TvMaze", "TV Maze", "AniDB", "Custom", "Zap2It", ""]
)
_VALUES = (
    st.none()
    | st.integers()
    | st.text(max_size=12)
    | st.from_regex(r"(tt)?[0-9]{1,12}", fullmatch=True)
    | st.sampled_from(
        ["tt0133093", "tt0000000", "tt01234567", "0603", "٣", "tt٣٣٣٣٣٣٣", " 603 ", "²", "tt12345678"]
    )
)
_THREE = st.fixed_dictionaries({"Tvdb": _VALUES, "Imdb": _VALUES, "Tmdb": _VALUES | st.just("603\n604")})


@given(st.dictionaries(_SOURCES, _VALUES, max_size=5) | _THREE, st.sampled_from(["movie", "show", "episode"]))
@example({"Imdb": "tt0133093", "Tmdb": "603", "Tvdb": "169"}, "movie")
@example({"Imdb": "tt0133093\n603", "Tmdb": "169", "Tvdb": None}, "movie")
@example({"Imdb": "tt0133093", "Tmdb": 603, "Tvdb": "169\n"}, "episode")
def test_the_short_way_gives_the_claims_of_the_long_one(ids: dict[str, Any], kind: Any) -> None:
    """The fast reading of the common forms is nothing but fast."""
    assert read_claims(ids, kind) == make_claims(ids, kind)


@pytest.mark.parametrize(
    ("kind", "holds"),
    [
        ("movies", ("movie",)),
        ("tvshows", ("episode",)),
        (None, ("movie", "episode")),
        ("", ("movie", "episode")),
        ("Movies", ("movie",)),
        ("music", None),
        ("boxsets", None),
        ("playlists", None),
        ("homevideos", None),
        ("livetv", None),
    ],
)
def test_only_libraries_of_movies_and_episodes_are_read(
    kind: str | None, holds: tuple[str, ...] | None
) -> None:
    """A library without a type is a mixed one and is read."""
    library = read_library(View("9", "Name", "CollectionFolder", kind), {"9": ("/media",)})
    assert (library.holds if library else None) == holds
    assert library is None or library.locations == ("/media",)
