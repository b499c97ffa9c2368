"""Whether what a server shows is new, an upgrade of what was there, or nothing to tell.

New is an item of which nothing was known: neither its id on that server, nor its files, claims or title, on any server. An
upgrade is a file that was not known, of an item that this server had before. Renames, moves, re-matches and refreshes are told
from them by what stays the same. Knows no store: whoever asks has looked the keys up.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from playhead.domain.news.sighting import Keys, Sighting, differ, read_quality

What = Literal["new", "upgraded"]
Word = Literal["arrived", "upgraded", "renamed", "deleted"]

BESIDE_S = 120.0  # episodes of one file appear one after another


class KnownItem(msgspec.Struct, frozen=True):
    """What is kept of an item. ``connections`` have or had it; ``qualities`` are those of its files, by their names;
    ``upgraded_to`` is the name of the file that was last told as an upgrade; ``addition`` the newest that was told of it."""

    seen_at: float
    connections: tuple[str, ...] = ()
    qualities: tuple[str, ...] = ()
    numbers: tuple[int, int, int] | None = None
    upgraded_to: str = ""
    addition: int = 0


class Judgement(msgspec.Struct, frozen=True):
    """``item`` None: a new one has to be kept. ``what`` None: nothing is to be told."""

    item: int | None
    what: What | None


def judge(
    sighting: Sighting,
    keys: Keys,
    known: Mapping[str, int],
    items: Mapping[int, KnownItem],
    *,
    floor: int | None,
    sure: bool,
    words: Mapping[str, Word],
    now: float,
) -> Judgement:
    """``known`` has the items of those keys that are known. ``floor``: what was added before it was there at first sight, unless
    the hub is ``sure`` that a file arrived. ``words`` are what was told of files by those who put them there, by place."""
    item = find_item(sighting, keys, known, items, now)
    told = {words[place] for place in sighting.places if place in words}
    if item is None:
        if not sure and floor is not None and sighting.added_at is not None and sighting.added_at < floor:
            return Judgement(None, None)
        return Judgement(None, "upgraded" if "upgraded" in told else "new")
    upgraded = _is_upgrade(sighting, keys, known, items[item], told)
    return Judgement(item, "upgraded" if upgraded else None)


def find_item(
    sighting: Sighting, keys: Keys, known: Mapping[str, int], items: Mapping[int, KnownItem], now: float
) -> int | None:
    """The item that it is, by the strongest key that is known; None for one of which nothing is known."""
    for key in (keys.ref, *keys.claims):
        if key in known:
            return known[key]
    for key in keys.files:
        if key in known and not _stands_beside(sighting, items[known[key]], now):
            return known[key]
    for title, said in zip(keys.titles, keys.said, strict=True):
        if title in known and not any(key in known for key in said):
            return known[title]
    return None


def _stands_beside(sighting: Sighting, other: KnownItem, now: float) -> bool:
    """Whether both are episodes of one file that came with it: another number at the same time. Later it is a re-match."""
    if sighting.numbers is None or other.numbers is None or now - other.seen_at > BESIDE_S:
        return False
    season, first, last = sighting.numbers
    return sighting.connection in other.connections and (
        season != other.numbers[0] or first > other.numbers[2] or last < other.numbers[1]
    )


def _is_upgrade(
    sighting: Sighting, keys: Keys, known: Mapping[str, int], item: KnownItem, told: set[Word]
) -> bool:
    places = zip(sighting.places, keys.files, strict=True)
    fresh = [name_of(place) for place, file in places if file not in known]
    if not fresh or sighting.connection not in item.connections or item.upgraded_to in fresh:
        return False
    if told & {"renamed", "upgraded"}:
        return "upgraded" in told
    qualities = [read_quality(name) for name in fresh]
    return bool(item.qualities) and all(
        differ(quality, old) for quality in qualities for old in item.qualities
    )


def name_of(place: str) -> str:
    """The name of the file alone."""
    return place.replace("\\", "/").rpartition("/")[2]


def keep(item: KnownItem | None, sighting: Sighting, what: What | None, now: float) -> KnownItem:
    """The item with what a sighting adds to it; one of which nothing is told was there for long, for all that is known."""
    names = [name_of(place) for place in sighting.places]
    if item is None:
        item = KnownItem(now if what else 0.0, numbers=sighting.numbers)
    qualities = dict.fromkeys((*item.qualities, *map(read_quality, names)))
    return msgspec.structs.replace(
        item,
        connections=tuple(dict.fromkeys((*item.connections, sighting.connection))),
        qualities=tuple(each for each in qualities if each != "? ?"),
        upgraded_to=names[-1] if what == "upgraded" and names else item.upgraded_to,
    )
