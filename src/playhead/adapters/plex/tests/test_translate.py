"""Plex's quirks, one fact a test: what absent, null, odd and legacy forms mean."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playhead.adapters.plex import wire
from playhead.adapters.plex.translate import _claims_of, read_page, translate_entries, translate_shows
from playhead.domain.identity.claims import ClaimKind, parse_plex_guid
from playhead.ports.backend import Entry
from playhead.ports.errors import BadAnswer

HEX = "5d776841103a2d001f56a97b"
MOVIE: dict[str, Any] = {
    "ratingKey": "28550",
    "key": "/library/metadata/28550",
    "guid": f"plex://movie/{HEX}",
    "type": "movie",
    "title": "A Film",
    "year": 1963,
    "duration": 6908735,
    "Guid": [{"id": "imdb://tt0056800"}, {"id": "tmdb://42263"}, {"id": "tvdb://2811"}],
    "Media": [
        {"id": 1, "Part": [{"id": 2, "file": "/Movies/A Film.avi", "size": 1468592128, "duration": 6908735}]}
    ],
}
EPISODE: dict[str, Any] = {
    "ratingKey": "45522",
    "grandparentRatingKey": "45520",
    "guid": f"plex://episode/{HEX}",
    "type": "episode",
    "title": "Episode 1",
    "grandparentTitle": "A Show",
    "index": 1,
    "parentIndex": 2,
    "duration": 2700499,
}


def page(*items: Any, **container: Any) -> bytes:
    """A list as Plex sends it."""
    return json.dumps({"MediaContainer": {"size": len(items), **container, "Metadata": list(items)}}).encode()


def read(item: dict[str, Any], **changes: Any) -> Entry:
    """One item, with changes; a change to ``...`` takes the member out."""
    fields = {key: value for key, value in {**item, **changes}.items() if value is not ...}
    body = read_page(page(fields))
    (entry,) = translate_entries(body.items, body.dropped)
    assert not body.dropped
    return entry


def test_an_untouched_movie_is_unwatched_in_the_form_of_an_unplay() -> None:
    """No counter, no date, no offset: nobody ever played it, or someone unscrobbled it; Plex shows both the same."""
    assert read(MOVIE) == Entry(
        native_id="28550",
        kind="movie",
        title="A Film",
        year=1963,
        runtime_s=6909,
        claims=("imdb:movie:tt0056800", f"plex:movie:{HEX}", "tmdb:movie:42263", "tvdb:movie:2811"),
        files=("/Movies/A Film.avi",),
        state_key=f"plex://movie/{HEX}",
        media_key=read(MOVIE).media_key,
        watched=False,
        plays=0,
        position_s=0,
        unplayed=True,
    )


def test_an_episode_has_its_show_and_numbers() -> None:
    """grandparentRatingKey is the show; parentIndex the season."""
    entry = read(EPISODE)
    assert (entry.kind, entry.show_id, entry.show_title) == ("episode", "45520", "A Show")
    assert (entry.season, entry.episode, entry.runtime_s) == (2, 1, 2700)


def test_specials_keep_their_zeros() -> None:
    """Season 0 and episode 0 are numbers, not absence."""
    entry = read(EPISODE, parentIndex=0, index=0)
    assert (entry.season, entry.episode) == (0, 0)


def test_watched_is_a_count_of_one_or_more() -> None:
    """viewCount decides, its date comes along."""
    entry = read(MOVIE, viewCount=3, lastViewedAt=1700000000)
    assert (entry.watched, entry.plays, entry.last_played, entry.unplayed) == (True, 3, 1700000000, False)


def test_progress_alone_is_no_watch_and_no_unplay() -> None:
    """Mere progress sets lastViewedAt too; it is handed on as the time of the position."""
    entry = read(MOVIE, viewOffset=70400, lastViewedAt=1683736823)
    assert (entry.watched, entry.plays, entry.position_s, entry.last_played) == (False, 0, 70, 1683736823)
    assert entry.unplayed is False


def test_a_watched_movie_in_rewatch_has_both() -> None:
    """viewCount and viewOffset together: watched, and stopped in the middle again."""
    entry = read(MOVIE, viewCount=1, viewOffset=1000500, lastViewedAt=1700000000)
    assert (entry.watched, entry.position_s) == (True, 1001)


@pytest.mark.parametrize("left", [{"lastViewedAt": 1683736823}, {"viewOffset": 1}, {"viewCount": 0}])
def test_any_trace_of_playback_is_not_an_unplay(left: dict[str, int]) -> None:
    """Unscrobble removes count, offset and date; where one is left, something else made it unwatched."""
    entry = read(MOVIE, **left)
    assert entry.watched is False
    assert entry.unplayed is False


@pytest.mark.parametrize("field", ["viewCount", "viewOffset", "lastViewedAt"])
def test_null_is_unknown_and_never_unwatched(field: str) -> None:
    """Plex leaves out what is not there; a null is some mistake on the way, and a mistake says nothing."""
    seen = {"viewCount": 2, "viewOffset": 500000, "lastViewedAt": 1700000000}
    entry = read(MOVIE | seen, **{field: None})
    assert entry.unplayed is False
    assert entry.watched is (None if field == "viewCount" else True)
    assert entry.position_s == (None if field == "viewOffset" else 500)
    assert read(MOVIE, **{field: None}).unplayed is False


def test_numbers_may_be_text_or_fractions() -> None:
    """Some servers quote ids and counts."""
    entry = read(
        MOVIE, ratingKey=28550, viewCount="2", lastViewedAt="1700000000", duration=6908735.4, year="1963"
    )
    assert (entry.native_id, entry.plays, entry.last_played, entry.runtime_s) == (
        "28550",
        2,
        1700000000,
        6909,
    )
    assert entry.year == 1963


def test_ratings_are_0_to_10_and_absence_says_nothing() -> None:
    """Half stars are odd numbers; no favourite exists."""
    assert read(MOVIE, userRating=7.5).rating == 7.5
    assert read(MOVIE, userRating="7").rating == 7.0
    assert read(MOVIE).rating is None
    assert read(MOVIE).favourite is None


@pytest.mark.parametrize("field", ["year", "duration", "Guid", "Media", "title", "guid", "grandparentTitle"])
@pytest.mark.parametrize("value", [None, ...])
def test_a_missing_member_costs_only_itself(field: str, value: Any) -> None:
    """Null or absent, the rest of the item is read."""
    assert read(EPISODE | {"viewCount": 1}, **{field: value}).watched is True


@pytest.mark.parametrize(
    ("guid", "shared"),
    [
        (f"plex://movie/{HEX}", True),
        ("com.plexapp.agents.imdb://tt1254207?lang=en", True),
        ("com.plexapp.agents.hama://anidb-17061?lang=en", True),
        ("tv.plex.agents.nfo.movie://movie/tmdb_383498", True),
        ("local://28550", False),
        ("com.plexapp.agents.none://40081?lang=xn", False),
        ("", False),
    ],
)
def test_state_is_shared_by_guid_unless_it_is_local(guid: str, shared: bool) -> None:
    """The server keeps state by account and guid; local forms name one item only."""
    assert read(MOVIE, guid=guid).state_key == (guid if shared else None)


def test_a_legacy_episode_takes_missing_numbers_from_its_guid() -> None:
    """The guid of the old TV agents holds series, season and episode."""
    entry = read(
        EPISODE, guid="com.plexapp.agents.thetvdb://268592/3/7?lang=en", index=..., parentIndex=..., Guid=...
    )
    assert (entry.season, entry.episode, entry.claims) == (3, 7, ())
    kept = read(EPISODE, guid="com.plexapp.agents.thetvdb://268592/3/7?lang=en")
    assert (kept.season, kept.episode) == (2, 1)


def test_a_legacy_show_has_its_claim_in_the_guid() -> None:
    """Old agents have no Guid list."""
    body = read_page(
        page(
            {
                "ratingKey": "22",
                "type": "show",
                "title": "The 100",
                "guid": "com.plexapp.agents.thetvdb://268592?lang=en",
            }
        )
    )
    (show,) = translate_shows(body.items, body.dropped)
    assert (show.native_id, show.claims) == ("22", ("tvdb:show:268592",))


def test_the_file_is_known_by_path_size_and_length() -> None:
    """Another file behind the same item changes the key; the order of versions does not."""

    def part(file: str, size: int = 5) -> dict[str, Any]:
        return {"Part": [{"file": file, "size": size, "duration": 60000}]}

    one, two = part("/a.mkv"), part("/b.mkv")
    assert read(MOVIE, Media=[one, two]).media_key == read(MOVIE, Media=[two, one]).media_key
    assert read(MOVIE, Media=[one, two]).files == ("/a.mkv", "/b.mkv")
    keys = {read(MOVIE, Media=media).media_key for media in ([one], [two], [one, two], [part("/a.mkv", 6)])}
    assert len(keys) == 4
    assert read(MOVIE, Media=[{"Part": [{"id": 1}]}]).media_key is None
    assert read(MOVIE, Media=[]).media_key is None


def test_one_unreadable_item_costs_only_itself() -> None:
    """The others of the page are kept, and the bad one is named."""
    body = read_page(
        page(MOVIE, {**MOVIE, "title": "Broken", "viewCount": {"a": 1}}, 5, None, MOVIE, totalSize=9)
    )
    entries = translate_entries(body.items, body.dropped)
    assert len(entries) == 2
    assert (body.returned, body.total, len(body.dropped)) == (5, 9, 3)
    assert "Broken" in body.dropped[0]


@pytest.mark.parametrize("count", ['"many"', "-1", "1e300", '"nan"', "true", "[]"])
def test_a_senseless_counter_is_no_reading(count: str) -> None:
    """The item is dropped rather than believed unwatched."""
    body = read_page(
        b'{"MediaContainer":{"Metadata":[{"ratingKey":"1","type":"movie","viewCount":%s}]}}' % count.encode()
    )
    assert translate_entries(body.items, body.dropped) == []
    assert len(body.dropped) == 1


def test_a_page_with_a_title_cut_in_the_middle_of_a_letter_is_read() -> None:
    """Plex cuts long titles by bytes; the page is no UTF-8 then, and everything else on it is well."""
    items = [MOVIE, {**MOVIE, "ratingKey": "2", "title": "CUT"}]
    body = read_page(page(*items).replace(b"CUT", "长".encode()[:2]))
    assert [item.title for item in body.items] == ["A Film", "\ufffd"]
    assert [entry.watched for entry in translate_entries(body.items, body.dropped)] == [False, False]
    assert body.dropped == []


@pytest.mark.parametrize(
    "junk",
    [
        {"lastViewedAt": -5},
        {"lastViewedAt": 2**64},
        {"year": "unknown"},
        {"duration": -1},
        {"userRating": -1},
    ],
)
def test_a_junk_date_or_number_costs_itself_alone(junk: dict[str, Any]) -> None:
    """Negative dates and dates beyond all bounds are known; what is beside them says that it was watched."""
    entry = read(MOVIE, viewCount=1, **junk)
    assert (entry.watched, entry.last_played, entry.unplayed) == (True, None, False)


@pytest.mark.parametrize("body", [b'"size":3', b'"size":"3","Video":[{},{},{}]', b'"size":2,"Metadata":[]'])
def test_a_list_that_lacks_what_it_says_it_has_is_no_empty_list(body: bytes) -> None:
    """As very old servers send it, or a proxy that cuts: else a whole library would seem to be gone."""
    with pytest.raises(BadAnswer, match="says that its list has"):
        read_page(b'{"MediaContainer":{%s}}' % body)


def test_items_without_key_or_type_are_described() -> None:
    """Nothing can be written to them, and a person is told."""
    body = read_page(page({**MOVIE, "ratingKey": None}, {**MOVIE, "type": None}, {**MOVIE, "type": "clip"}))
    assert translate_entries(body.items, body.dropped) == []
    assert body.dropped == ["A Film: no ratingKey", "A Film: no type"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"MediaContainer":',
        b'{"MediaContainer":null}',
        b"<html>",
        b'{"MediaContainer":{"Metadata":5}}',
    ],
)
def test_an_unreadable_page_is_a_bad_answer(body: bytes) -> None:
    """A cut body or something that is no list."""
    with pytest.raises(BadAnswer) as caught:
        read_page(body)
    assert caught.value.hint


def test_an_empty_list_is_empty() -> None:
    """Plex leaves Metadata out where there is nothing."""
    body = read_page(b'{"MediaContainer":{"size":0,"totalSize":0,"offset":0}}')
    assert (body.items, body.total, body.returned) == ([], 0, 0)


IDS = st.one_of(
    st.sampled_from(["imdb://", "tmdb://", "tvdb://", "plex://movie/", "youtube://", "://", ""]).flatmap(
        lambda head: st.one_of(
            st.integers(1, 10**7).map(lambda number: f"{head}tt{number:07d}\ntmdb://5"),
            st.integers(0, 10**13).map(lambda number: f"{head}{number}"),
            st.integers(0, 10**9).map(lambda number: f"{head}tt{number:07d}"),
            st.text("0123456789t٣² abcdef", max_size=26).map(lambda text: head + text),
        )
    ),
    st.just(f"plex://movie/{HEX}"),
    st.just(f"plex://movie/{HEX}\n"),
)
KINDS: list[ClaimKind] = ["movie", "show", "episode"]


PLAIN = st.tuples(
    *(
        st.one_of(st.integers(0, 10**9).map(lambda number, head=head: f"{head}{number:07d}"), IDS)
        for head in ("imdb://tt", "tmdb://", "tvdb://")
    )
).map(list)


@given(IDS, st.lists(IDS, max_size=4) | PLAIN, st.sampled_from(KINDS))
def test_the_short_way_to_claims_reads_like_the_domain(guid: str, ids: list[str], kind: ClaimKind) -> None:
    """Plain ids are read here for speed; the result is that of the domain's own reading, sorted."""
    known = _claims_of(f"plex://{kind}/{HEX}", [wire.ExternalId(text) for text in ids], kind)
    assert f"plex:{kind}:{HEX}" in known
    slow = {claim for text in (*ids, guid) for claim in parse_plex_guid(text, kind).own}
    assert _claims_of(guid, [wire.ExternalId(text) for text in ids], kind) == tuple(sorted(slow))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 2**40) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(list(MOVIE) + ["id", "file"]), inner, max_size=3)
    ),
    max_leaves=6,
)
MEMBERS = list(wire.Item.__struct_fields__)


@given(st.lists(st.dictionaries(st.sampled_from(MEMBERS), JSON, max_size=6), max_size=4))
def test_whatever_stands_on_a_page_good_items_survive(junk: list[dict[str, Any]]) -> None:
    """Any JSON in any member: nothing raises, the good item is read, all items are accounted for."""
    body = read_page(page(*({**MOVIE, **fields} for fields in junk), MOVIE))
    entries = translate_entries(body.items, body.dropped)
    assert entries[-1] == read(MOVIE)
    assert body.returned == len(junk) + 1
    assert all(isinstance(entry.native_id, str) and entry.native_id for entry in entries)
    msgspec.json.encode(entries)
