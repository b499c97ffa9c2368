"""External ids in one form, ``source:kind:value``, whatever form a backend gives them.

A claim is what a source asserts, not the truth: values are only checked for their shape, and what cannot be an id of
that source is dropped. Knows nothing of servers; the forms of legacy Plex agents, HAMA and NFO agents are text.
Source of the forms: facts, api-plex.md 2.2 and api-jellyfin-emby.md A3, B2.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal
from urllib.parse import unquote

import msgspec

ClaimKind = Literal["movie", "show", "season", "episode"]

_DIGITS = re.compile(r"0*([1-9][0-9]{0,11})\Z")
_IMDB = re.compile(r"(?:tt)?0*([1-9][0-9]{0,9})\Z", re.IGNORECASE)
_PLEX = re.compile(r"[0-9a-f]{24}\Z")
_SMALL = re.compile(r"[0-9]{1,5}\Z")
_WORD = re.compile(r"[A-Za-z0-9_.~-]{1,128}\Z")

# Names under which backends and agents write a source, lower case, blanks and dashes removed.
_SOURCES = {
    "imdb": "imdb",
    "tmdb": "tmdb",
    "themoviedb": "tmdb",
    "moviedb": "tmdb",
    "tvdb": "tvdb",
    "thetvdb": "tvdb",
    "tvmaze": "tvmaze",
    "tvrage": "tvrage",
    "anidb": "anidb",
    "anilist": "anilist",
    "myanimelist": "mal",
    "mal": "mal",
    "trakt": "trakt",
    "plex": "plex",
    "youtube": "youtube",
    "senscritique": "senscritique",
}
_NUMERIC = frozenset({"tmdb", "tvdb", "tvmaze", "tvrage", "anidb", "anilist", "mal", "trakt", "senscritique"})


class GuidMeaning(msgspec.Struct, frozen=True):
    """What a Plex guid says: claims of the item itself, or of its show with season and episode."""

    own: tuple[str, ...] = ()
    show: tuple[str, ...] = ()
    season: int | None = None
    episode: int | None = None


def make_claim(source: str, kind: ClaimKind, value: object) -> str | None:
    """The claim for one id, or None where the source is not known or the value cannot be an id of it."""
    name = _source_name(source)
    if name is None or value is None:
        return None
    text = str(value).strip()
    if name == "imdb":
        match = _IMDB.match(text)
        return f"imdb:{kind}:tt{int(match[1]):07d}" if match else None
    if name in _NUMERIC:
        match = _DIGITS.match(text)
        return f"{name}:{kind}:{match[1]}" if match else None
    if name == "plex":
        return f"plex:{kind}:{text.lower()}" if _PLEX.match(text.lower()) else None
    return f"{name}:{kind}:{text}" if _WORD.match(text) else None


def make_claims(ids: dict[str, str], kind: ClaimKind) -> tuple[str, ...]:
    """Claims of a dictionary of ids by source (Jellyfin's and Emby's ProviderIds), sorted, unusable ones left out."""
    found = {claim for source, value in ids.items() if (claim := make_claim(source, kind, value))}
    return tuple(sorted(found))


@lru_cache(maxsize=128)
def _source_name(source: str) -> str | None:
    return _SOURCES.get(source.lower().replace(" ", "").replace("-", "").replace("_", ""))


_LEGACY = re.compile(r"com\.plexapp\.agents\.(\w+)://([^?]*)")
_NFO = re.compile(r"tv\.plex\.agents\.nfo\.(?:movie|series)://(movie|show|season|episode)/([^?]*)")
_HAMA = re.compile(r"(tvdb2?|tmdb|tsdb|imdb|anidb)-(tt[0-9]+|[0-9]+)\Z", re.IGNORECASE)
_HAMA_SOURCES = {"tvdb2": "tvdb", "tsdb": "tmdb"}
# Left out on purpose, because their numbers are not those of the source's aired order and a wrong episode is worse
# than none: thetvdbdvdorder, abstvdb, and HAMA's modes tvdb3 to tvdb6 and anidb2 to anidb4 (absolute or moved numbers).
_LEGACY_SOURCES = {
    "imdb": "imdb",
    "themoviedb": "tmdb",
    "thetvdb": "tvdb",
    "tvmaze": "tvmaze",
    "xbmcnfotv": "tvdb",
}


def parse_plex_guid(guid: str, kind: ClaimKind) -> GuidMeaning:
    """Read a Plex item's main guid or one of its ``Guid`` ids. ``kind`` is that of the item. Unknown forms say nothing."""
    scheme, separator, rest = guid.partition("://")
    if not separator:
        return GuidMeaning()
    if scheme == "plex":
        named, _, value = rest.partition("/")
        claim = make_claim("plex", kind, value) if named == kind else None
        return GuidMeaning(own=(claim,) if claim else ())
    if match := _LEGACY.match(guid):
        return _parse_legacy(match[1].lower(), unquote(match[2]), kind)
    if match := _NFO.match(guid):
        return _parse_nfo(match[1], match[2], kind)
    claim = make_claim(scheme, kind, rest.partition("?")[0])
    return GuidMeaning(own=(claim,) if claim else ())


def _parse_legacy(agent: str, path: str, kind: ClaimKind) -> GuidMeaning:
    head, *numbers = path.strip("/").split("/")
    if agent == "hama":
        match = _HAMA.match(head)
        if not match:
            return GuidMeaning()
        source, value = match[1].lower(), match[2]
        source = _HAMA_SOURCES.get(source, source)
    elif agent.startswith("xbmcnfo") and head.startswith("tt"):
        source, value = "imdb", head  # a bare number there may be anyone's, but xbmcnfotv writes TheTVDB's
    elif agent in _LEGACY_SOURCES:
        source, value = _LEGACY_SOURCES[agent], head
    else:
        return GuidMeaning()
    if kind in ("movie", "show"):
        claim = make_claim(source, kind, value)
        return GuidMeaning(own=(claim,) if claim else ())
    claim = make_claim(source, "show", value)
    season, episode = (_number(numbers, 0), _number(numbers, 1))
    if claim is None or season is None:
        return GuidMeaning()
    return GuidMeaning(show=(claim,), season=season, episode=episode)


def _parse_nfo(named: str, path: str, kind: ClaimKind) -> GuidMeaning:
    """``tv.plex.agents.nfo.series://episode/tvdb_84871``: the path says of what the id is."""
    source, separator, value = path.strip("/").rpartition("/")[2].partition("_")
    if not separator:
        return GuidMeaning()
    if named == "show" and kind in ("season", "episode"):
        claim = make_claim(source, "show", value)
        return GuidMeaning(show=(claim,) if claim else ())
    claim = make_claim(source, kind, value) if named == kind else None
    return GuidMeaning(own=(claim,) if claim else ())


def _number(numbers: list[str], place: int) -> int | None:
    """A season or episode number: plain digits, 0 included (specials); anything longer is a date or a mistake."""
    text = numbers[place] if place < len(numbers) else ""
    return int(text) if _SMALL.match(text) else None
