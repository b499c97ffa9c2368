"""Claims: every form in which a backend or agent writes an id comes out in one form, and nonsense comes out as nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playhead.domain.identity.claims import ClaimKind, GuidMeaning, make_claim, make_claims, parse_plex_guid
from tests.truth import truth_path

KINDS: list[ClaimKind] = ["movie", "show", "season", "episode"]
SOURCES = [
    "imdb",
    "tmdb",
    "tvdb",
    "tvmaze",
    "anidb",
    "anilist",
    "mal",
    "trakt",
    "plex",
    "youtube",
    "senscritique",
]


@pytest.mark.parametrize(
    ("source", "value", "claim"),
    [
        ("imdb", "tt0133093", "imdb:movie:tt0133093"),
        ("Imdb", "0133093", "imdb:movie:tt0133093"),
        ("IMDB", "TT133093", "imdb:movie:tt0133093"),
        ("imdb", "tt10872600", "imdb:movie:tt10872600"),
        ("imdb", " tt0133093 ", "imdb:movie:tt0133093"),
        ("Tmdb", "603", "tmdb:movie:603"),
        ("tmdb", 603, "tmdb:movie:603"),
        ("tmdb", "00603", "tmdb:movie:603"),
        ("TheMovieDb", "603", "tmdb:movie:603"),
        ("TvMaze", "82", "tvmaze:movie:82"),
        ("MyAnimeList", "1", "mal:movie:1"),
        ("youtube", "h_BOrYxxenc", "youtube:movie:h_BOrYxxenc"),
        ("plex", "5D776841103A2D001F56A97B", "plex:movie:5d776841103a2d001f56a97b"),
    ],
)
def test_an_id_has_one_form(source: str, value: object, claim: str) -> None:
    """Case, padding and the source's other names do not matter."""
    assert make_claim(source, "movie", value) == claim


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("imdb", "nm0000206"),
        ("imdb", "tt0000000"),
        ("imdb", ""),
        ("imdb", "tt"),
        ("tmdb", "0"),
        ("tmdb", "-603"),
        ("tmdb", "603.5"),
        ("tmdb", "six"),
        ("tmdb", "٦٠٣"),
        ("tmdb", "²"),
        ("tvdb", None),
        ("tvdb", "9" * 30),
        ("plex", "5d776841"),
        ("TmdbCollection", "2344"),
        ("Zap2It", "EP01"),
        ("youtube", "a b"),
        ("", "603"),
    ],
)
def test_what_cannot_be_an_id_is_dropped(source: str, value: object) -> None:
    """A collection's id, a person's, zero or text where a number belongs say nothing of the item."""
    assert make_claim(source, "movie", value) is None


def test_provider_ids_become_sorted_claims() -> None:
    """Jellyfin's and Emby's dictionary; unusable members are left out and doubles melt together."""
    ids = {
        "Tvdb": "81189",
        "Imdb": "tt0903747",
        "imdb": "0903747",
        "TmdbCollection": "5",
        "Tmdb": "",
        "Custom": "x",
    }
    assert make_claims(ids, "show") == ("imdb:show:tt0903747", "tvdb:show:81189")


def _own(claim: str) -> GuidMeaning:
    return GuidMeaning(own=(claim,))


def _by_number(show: str, season: int, episode: int | None) -> GuidMeaning:
    return GuidMeaning(show=(show,), season=season, episode=episode)


SILENT = GuidMeaning()
HEX = "5d776841103a2d001f56a97b"


@pytest.mark.parametrize(
    ("guid", "kind", "meaning"),
    [
        # the Guid list of new agents
        ("imdb://tt0133093", "movie", _own("imdb:movie:tt0133093")),
        ("tmdb://603", "movie", _own("tmdb:movie:603")),
        ("tvdb://349232", "episode", _own("tvdb:episode:349232")),
        ("tvdb://349232?lang=en", "episode", _own("tvdb:episode:349232")),
        # main guids of new agents
        (f"plex://movie/{HEX}", "movie", _own(f"plex:movie:{HEX}")),
        (f"plex://episode/{HEX}", "episode", _own(f"plex:episode:{HEX}")),
        (f"plex://show/{HEX}", "episode", SILENT),
        (f"plex://{HEX}", "movie", SILENT),
        ("plex://episode/tooshort", "episode", SILENT),
        # legacy agents
        ("com.plexapp.agents.imdb://tt1254207?lang=en", "movie", _own("imdb:movie:tt1254207")),
        ("com.plexapp.agents.themoviedb://10378?lang=de", "movie", _own("tmdb:movie:10378")),
        ("com.plexapp.agents.thetvdb://268592?lang=en", "show", _own("tvdb:show:268592")),
        ("com.plexapp.agents.thetvdb://268592/1?lang=en", "season", _by_number("tvdb:show:268592", 1, None)),
        ("com.plexapp.agents.thetvdb://268592/1/2?lang=en", "episode", _by_number("tvdb:show:268592", 1, 2)),
        ("com.plexapp.agents.thetvdb://268592/0/0?lang=en", "episode", _by_number("tvdb:show:268592", 0, 0)),
        ("com.plexapp.agents.thetvdb://268592/01/02", "episode", _by_number("tvdb:show:268592", 1, 2)),
        ("com.plexapp.agents.themoviedb://1396/5/16?lang=en", "episode", _by_number("tmdb:show:1396", 5, 16)),
        ("com.plexapp.agents.thetvdb://268592/x/2?lang=en", "episode", SILENT),
        ("com.plexapp.agents.thetvdb://268592/2010-01-02?lang=en", "episode", SILENT),
        ("com.plexapp.agents.thetvdbdvdorder://268592/1/2?lang=en", "episode", SILENT),
        ("com.plexapp.agents.abstvdb://268592/1/2?lang=en", "episode", SILENT),
        # HAMA
        ("com.plexapp.agents.hama://tvdb-347734?lang=en", "show", _own("tvdb:show:347734")),
        ("com.plexapp.agents.hama://anidb-17061?lang=en", "show", _own("anidb:show:17061")),
        (
            "com.plexapp.agents.hama://anidb-17061/1/3?lang=en",
            "episode",
            _by_number("anidb:show:17061", 1, 3),
        ),
        (
            "com.plexapp.agents.hama://tvdb-305074/3/41?lang=en",
            "episode",
            _by_number("tvdb:show:305074", 3, 41),
        ),
        (
            "com.plexapp.agents.hama://tvdb2-331753/0/1?lang=en",
            "episode",
            _by_number("tvdb:show:331753", 0, 1),
        ),
        ("com.plexapp.agents.hama://tvdb4-331753/2/27?lang=en", "episode", SILENT),
        ("com.plexapp.agents.hama://tvdb3-331753?lang=en", "show", SILENT),
        ("com.plexapp.agents.hama://tsdb-1429?lang=en", "show", _own("tmdb:show:1429")),
        ("com.plexapp.agents.hama://imdb-tt0245429?lang=en", "movie", _own("imdb:movie:tt0245429")),
        ("com.plexapp.agents.hama://youtube-abc?lang=en", "movie", SILENT),
        # NFO agents, old and new
        ("com.plexapp.agents.xbmcnfo://tt0080339?lang=en", "movie", _own("imdb:movie:tt0080339")),
        ("com.plexapp.agents.xbmcnfo://550?lang=en", "movie", SILENT),
        (
            "com.plexapp.agents.xbmcnfotv://153021/2/1?lang=xn",
            "episode",
            _by_number("tvdb:show:153021", 2, 1),
        ),
        ("com.plexapp.agents.xbmcnfotv://tt0080339", "show", _own("imdb:show:tt0080339")),
        ("tv.plex.agents.nfo.movie://movie/imdb_tt0133093", "movie", _own("imdb:movie:tt0133093")),
        ("tv.plex.agents.nfo.movie://movie/tmdb_383498", "movie", _own("tmdb:movie:383498")),
        ("tv.plex.agents.nfo.movie://movie/youtube_h_BOrYxxenc", "movie", _own("youtube:movie:h_BOrYxxenc")),
        ("tv.plex.agents.nfo.series://show/tvdb_81189", "show", _own("tvdb:show:81189")),
        ("tv.plex.agents.nfo.series://episode/tvdb_84871", "episode", _own("tvdb:episode:84871")),
        ("tv.plex.agents.nfo.series://show/tvdb_81189", "episode", GuidMeaning(show=("tvdb:show:81189",))),
        ("tv.plex.agents.nfo.series://episode/84871", "episode", SILENT),
        # forms that name nothing outside the server
        ("local://45123", "movie", SILENT),
        ("com.plexapp.agents.none://40081?lang=xn", "movie", SILENT),
        ("com.plexapp.agents.none://4e1b8f20-0000-4000-8000-000000000000", "episode", SILENT),
        ("com.plexapp.agents.ytinforeader://youtube|abc", "episode", SILENT),
        ("iva://api.internetvideoarchive.com/2.0/DataService/VideoAssets(106753)", "movie", SILENT),
        ("mbid://0c0d5a2e-1111-2222-3333-444455556666", "movie", SILENT),
        ("", "movie", SILENT),
        ("tt0133093", "movie", SILENT),
        ("imdb://", "movie", SILENT),
    ],
)
def test_a_plex_guid_is_read(guid: str, kind: ClaimKind, meaning: GuidMeaning) -> None:
    """All forms of the facts (api-plex.md 2.2) and of agents in use; numbers that are not in aired order are not believed."""
    assert parse_plex_guid(guid, kind) == meaning


def _recorded_guids(value: Any) -> list[tuple[str, str]]:
    """(type, guid) of all recorded items."""
    if isinstance(value, list):
        return [pair for each in value for pair in _recorded_guids(each)]
    if not isinstance(value, dict):
        return []
    told = (value.get("type"), value.get("guid"))
    own = [told] if all(isinstance(text, str) for text in told) else []
    return own + [pair for each in value.values() for pair in _recorded_guids(each)]


def test_recorded_guids_of_movies_and_shows_say_something_unless_local() -> None:
    """Of all recorded main guids only local, none and trailer forms are silent."""
    kinds: dict[str, ClaimKind] = {"movie": "movie", "show": "show", "season": "season", "episode": "episode"}
    seen = 0
    for path in sorted(truth_path("recorded", "plex").rglob("*.json")):
        for kind, guid in _recorded_guids(json.loads(path.read_text())):
            if kind not in kinds or "://" not in guid:
                continue
            seen += 1
            meaning = parse_plex_guid(guid, kinds[kind])
            silent = guid.startswith(("local://", "com.plexapp.agents.none://", "iva://"))
            assert bool(meaning.own or meaning.show) is not silent, (path.name, kind, guid)
    assert seen > 500


@given(st.text(max_size=80), st.sampled_from(KINDS))
def test_any_text_can_be_read_as_a_guid(text: str, kind: ClaimKind) -> None:
    """Nothing that a server sends as a guid raises."""
    parse_plex_guid(text, kind)


PIECES = st.sampled_from(
    [
        "com.plexapp.agents.",
        "hama",
        "thetvdb",
        "tv.plex.agents.nfo.series",
        "://",
        "/",
        "tvdb-",
        "_",
        "²",
        "٣",
        "9" * 5000,
    ]
    + ["episode/", "tt", "0", "12", "?lang=en", "%2F", "%ff", "imdb", "plex", "show", "-", "\n", "\0"]
)


@given(st.lists(PIECES, max_size=9).map("".join), st.sampled_from(KINDS))
def test_any_mixture_of_known_pieces_can_be_read(guid: str, kind: ClaimKind) -> None:
    """Odd joins of real pieces raise nothing, and every claim has the shape source:kind:value."""
    meaning = parse_plex_guid(guid, kind)
    for claim in meaning.own:
        assert claim.split(":")[1] == kind
    for claim in meaning.show:
        assert claim.split(":")[1] == "show"
    assert meaning.season is None or 0 <= meaning.season < 100_000


@given(st.sampled_from(SOURCES), st.sampled_from(KINDS), st.text(max_size=30) | st.integers().map(str))
def test_a_claims_value_makes_the_same_claim(source: str, kind: ClaimKind, value: str) -> None:
    """One form: reading a claim's own value again changes nothing."""
    claim = make_claim(source, kind, value)
    if claim is not None:
        assert make_claim(source, kind, claim.split(":", 2)[2]) == claim


@given(st.dictionaries(st.sampled_from([*SOURCES, "Imdb", "TVDB", "other"]), st.integers(0, 10**8).map(str)))
def test_claims_are_sorted_and_unique(ids: dict[str, str]) -> None:
    """The order of a server's dictionary never shows."""
    claims = make_claims(ids, "movie")
    assert list(claims) == sorted(set(claims))
    assert claims == make_claims(dict(reversed(ids.items())), "movie")
