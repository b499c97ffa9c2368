"""An item as one server shows it, and the keys by which it is known again: its id there, its files, its claims, its title.

Pure text. Knows neither who keeps the keys nor when anything was seen.
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from playhead.domain.identity.fallback import title_key

_RESOLUTION = re.compile(r"(?<![0-9a-z])(?:(2160|1440|1080|720|576|540|480)[pi]|(4k|uhd))(?![0-9a-z])", re.I)
_ORIGIN = re.compile(
    r"(?<![0-9a-z])(?:(remux)|(blu-?ray|bdrip|brrip)|(web(?:-?dl|-?rip)?)|([hp]dtv|sdtv)|(dvd(?:-?rip)?|dvdr))(?![0-9a-z])",
    re.I,
)
_ORIGINS = ("remux", "bluray", "web", "tv", "dvd")
MOST_EPISODES = 100  # of one file; more is a mistake


class Sighting(msgspec.Struct, frozen=True, kw_only=True):
    """A movie, an episode or another leaf. ``places`` stand for its files: hub paths, or the server's own with its name before.
    ``added_at`` is epoch seconds on the server's clock."""

    connection: str
    library_id: str
    native_id: str
    kind: Literal["movie", "episode", "other"]
    places: tuple[str, ...]
    claims: tuple[str, ...] = ()
    title: str = ""
    year: int | None = None
    show_title: str | None = None
    season: int | None = None
    episode: int | None = None
    episode_end: int | None = None
    added_at: int | None = None
    poster: str = ""

    @property
    def numbers(self) -> tuple[int, int, int] | None:
        """Season, first and last episode; None where it has none."""
        if self.kind != "episode" or self.season is None or self.episode is None:
            return None
        last = self.episode_end or self.episode
        return (
            self.season,
            self.episode,
            last if self.episode <= last < self.episode + MOST_EPISODES else self.episode,
        )


class Keys(msgspec.Struct, frozen=True):
    """What an item is known by. ``said`` has, for each title and each source of its claims, that the source spoke of it."""

    ref: str
    files: tuple[str, ...]
    claims: tuple[str, ...]
    titles: tuple[str, ...]
    said: tuple[tuple[str, ...], ...]

    def list_all(self) -> list[str]:
        """All of them, each once."""
        said = [key for keys in self.said for key in keys]
        return list(dict.fromkeys((self.ref, *self.files, *self.claims, *self.titles, *said)))


def make_keys(sighting: Sighting) -> Keys:
    """The keys of an item."""
    titles = _list_titles(sighting)
    sources = sorted({claim.partition(":")[0] for claim in sighting.claims})
    return Keys(
        ref=f"ref {sighting.connection}\n{sighting.native_id}",
        files=tuple(f"file {place}" for place in sighting.places),
        claims=tuple(f"claim {claim}" for claim in sighting.claims),
        titles=titles,
        said=tuple(tuple(f"said {source} {title}" for source in sources) for title in titles),
    )


def _list_titles(sighting: Sighting) -> tuple[str, ...]:
    """One, or one for each episode of a file that holds several; () where it has none that is worth anything."""
    if sighting.kind == "movie":
        key = title_key("movie", sighting.title, sighting.year)
        return (f"title {key[1]}\n{key[2]}",) if key else ()
    if (numbers := sighting.numbers) is None or not sighting.show_title:
        return ()
    season, first, last = numbers
    show = " ".join(sighting.show_title.casefold().split())
    return tuple(f"title {show}\n{season}\n{number}" for number in range(first, last + 1))


def read_quality(name: str) -> str:
    """What a file's name says of its picture: resolution and origin, ``"1080 web"``; "?" for what it does not say."""
    resolution, origin = _RESOLUTION.search(name), _ORIGIN.search(name)
    lines = (resolution[1] or "2160") if resolution else "?"
    which = (
        next((word for word, group in zip(_ORIGINS, origin.groups(), strict=True) if group), "?")
        if origin
        else "?"
    )
    return f"{lines} {which}"


def differ(one: str, other: str) -> bool:
    """Whether two qualities contradict each other; what is not said contradicts nothing."""
    pairs = zip(one.split(), other.split(), strict=True)
    return any(left != right and "?" not in (left, right) for left, right in pairs)
