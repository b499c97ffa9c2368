"""From Plex's shapes to Playhead's: pure, and all of Plex's quirks in one place.

Knows no requests. Source of the rules: facts, api-plex.md 2.2 and 10. In short: absent counters mean none, null ones
mean unknown; ``viewCount >= 1`` is watched, whatever stands beside it; ``lastViewedAt`` is set by mere progress too, so
it is handed on as it is and the merge decides what it dates. ``translate_entries`` is the hot path of an import:
a few microseconds an item, decoding included.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec
from msgspec import UNSET
from xxhash import xxh3_64_hexdigest

from playhead.domain.identity.claims import ClaimKind, parse_plex_guid
from playhead.kit.decoding import decode_json, decode_members
from playhead.ports.backend import Entry, Kind, ShowEntry
from playhead.ports.errors import BadAnswer

from . import wire

# Main guids that name one item of one server, or nothing at all: no state is shared under them.
_UNSHARED = ("local://", "com.plexapp.agents.none://", "tv.plex.agents.none://")
_LEAVES: dict[str | None, Kind] = {"movie": "movie", "episode": "episode"}
_WORDS = 160  # longest description of something unreadable

_anything = msgspec.json.Decoder()
_pages = msgspec.json.Decoder(wire.Page, strict=False)
_raw_pages = msgspec.json.Decoder(wire.RawPage, strict=False)
# What an item is, which one, and whether it was watched: where one of these cannot be read nothing can be said of the item.
NEEDED = frozenset(
    {"ratingKey", "type", "guid", "Guid", "grandparentRatingKey", "parentIndex", "index", "viewCount"}
)


class ReadPage(msgspec.Struct):
    """A decoded envelope: items that could be read, words for those that could not, the server's own counts."""

    items: list[wire.Item]
    dropped: list[str]
    returned: int
    total: int | None = None
    offset: int | None = None


def read_page(body: bytes) -> ReadPage:
    """Decode a page; one unreadable item costs that item only. Raises BadAnswer when the page itself is unreadable, or lacks
    all items that it says it has: an empty list must be told as one."""
    try:
        container = decode_json(_pages, body).MediaContainer
    except msgspec.ValidationError:
        return _read_one_by_one(body)
    except msgspec.DecodeError as error:
        raise _unreadable(error) from error
    items = container.Metadata or []
    _check_size(container.size, len(items))
    return ReadPage(items, [], len(items), container.totalSize, container.offset)


def _check_size(told: int | None, sent: int) -> None:
    """A list that has some of what it says is taken, and not called whole, as any that ends early."""
    if told and not sent:
        raise BadAnswer(
            f"Plex says that its list has {told} items and sent none.",
            hint="It is read again on the next run; does a proxy in front change answers, or is the server very old?",
        )


def _read_one_by_one(body: bytes) -> ReadPage:
    try:
        container = decode_json(_raw_pages, body).MediaContainer
    except msgspec.DecodeError as error:
        raise _unreadable(error) from error
    raws = container.Metadata or []
    _check_size(container.size, len(raws))
    page = ReadPage([], [], len(raws), container.totalSize, container.offset)
    for place, raw in enumerate(raws, 1):
        try:
            page.items.append(decode_members(wire.Item, bytes(raw), NEEDED))
        except msgspec.DecodeError as error:
            page.dropped.append(f"entry {place} of the page ({_name_of(raw)}): {error}"[:_WORDS])
    return page


def _unreadable(error: Exception) -> BadAnswer:
    return BadAnswer(
        f"Plex sent a list that cannot be read ({str(error)[:_WORDS]}).",
        hint="It is read again on the next run; if it stays so, look at the server's log.",
    )


def _name_of(raw: msgspec.Raw) -> str:
    try:
        fields = decode_json(_anything, bytes(raw))
    except msgspec.DecodeError:
        return "unreadable"
    if not isinstance(fields, dict):
        return f"a {type(fields).__name__}"
    return str(fields.get("title") or fields.get("ratingKey") or "without a name")


def translate_entries(items: Sequence[wire.Item], dropped: list[str]) -> list[Entry]:
    """The movies and episodes among ``items``; what has no rating key is described in ``dropped``."""
    entries: list[Entry] = []
    add = entries.append
    for item in items:
        kind = _LEAVES.get(item.type)
        if kind is None:
            if item.type is None:
                dropped.append(f"{item.title or item.ratingKey or 'an entry'}: no type")
        elif item.ratingKey:
            add(_translate_entry(item, kind))
        else:
            dropped.append(f"{item.title or 'an entry'}: no ratingKey")
    return entries


def _translate_entry(item: wire.Item, kind: Kind) -> Entry:
    guid = item.guid or ""
    season = episode = show_id = None
    if kind == "episode":
        season, episode, show_id = item.parentIndex, item.index, item.grandparentRatingKey
        if season is None or episode is None:
            season, episode = _fill_numbers(guid, season, episode)
    duration, media = item.duration, item.Media
    files, media_key = _read_files(media) if media else ((), None)
    count, offset, viewed, rating = item.viewCount, item.viewOffset, item.lastViewedAt, item.userRating
    # UNSET is none, None is unknown; positional, because keywords double the cost of the call.
    return Entry(
        str(item.ratingKey),
        kind,
        item.title or "",
        item.year,
        str(show_id) if show_id else None,
        item.grandparentTitle,
        season,
        episode,
        None,  # a file of several episodes is several entries on Plex
        int(duration + 500) // 1000 or None if duration else None,
        _claims_of(guid, item.Guid, kind),
        files,
        guid if guid and not guid.startswith(_UNSHARED) else None,
        media_key,
        False if count is UNSET else None if count is None else count >= 1,
        0 if count is UNSET else None if count is None else int(count),
        int(viewed) if viewed else None,
        0 if offset is UNSET else None if offset is None else int(offset + 500) // 1000,
        None if rating is UNSET else rating,
        None,  # Plex keeps no favourites
        count is UNSET and viewed is UNSET and offset is UNSET,
    )


def translate_shows(items: Sequence[wire.Item], dropped: list[str]) -> list[ShowEntry]:
    """The shows among ``items``."""
    shows = []
    for item in items:
        if item.type != "show":
            continue
        if not item.ratingKey:
            dropped.append(f"{item.title or 'a show'}: no ratingKey")
            continue
        claims = _claims_of(item.guid or "", item.Guid, "show")
        shows.append(ShowEntry(str(item.ratingKey), item.title or "", item.year, claims))
    return shows


def _fill_numbers(guid: str, season: int | None, episode: int | None) -> tuple[int | None, int | None]:
    meaning = parse_plex_guid(guid, "episode")
    return (
        meaning.season if season is None else season,
        meaning.episode if episode is None else episode,
    )


# Nearly every item of a new agent has up to three ids in this order and form, and a plex guid: read at one stroke,
# which more than halves the cost. A test holds it against the domain's own reading, which takes everything else.
_KINDS: tuple[ClaimKind, ...] = ("movie", "show", "episode")
_PLAIN = {
    kind: re.compile(
        r"(?:imdb://(tt(?!0000000\n)(?:[0-9]{7}|[1-9][0-9]{7}))\n)?"
        r"(?:tmdb://([1-9][0-9]{0,10})\n)?"
        r"(?:tvdb://([1-9][0-9]{0,10})\n)?"
        rf"plex://{kind}/([0-9a-f]{{24}})\Z"
    ).match
    for kind in _KINDS
}


def _claims_of(guid: str, ids: Sequence[wire.ExternalId] | None, kind: ClaimKind) -> tuple[str, ...]:
    """Claims of the main guid and the ``Guid`` list, sorted."""
    if ids and len(ids) == 3:
        first, second, third = ids
        match = _PLAIN[kind](f"{first.id}\n{second.id}\n{third.id}\n{guid}")
        if match:  # three newlines and three ids: all groups are there
            imdb, tmdb, tvdb, plex = match.groups()
            return (
                f"imdb:{kind}:{imdb}",
                f"plex:{kind}:{plex}",
                f"tmdb:{kind}:{tmdb}",
                f"tvdb:{kind}:{tvdb}",
            )
    texts = [external.id for external in ids or () if external.id]
    if match := _PLAIN[kind]("\n".join((*texts, guid))):
        imdb, tmdb, tvdb, plex = match.groups()
        found = zip(("imdb", "plex", "tmdb", "tvdb"), (imdb, plex, tmdb, tvdb), strict=True)
        claims = tuple([f"{source}:{kind}:{value}" for source, value in found if value])
        if len(claims) == len(texts) + 1:  # else a newline stood inside an id
            return claims
    return tuple(sorted({claim for text in (*texts, guid) for claim in parse_plex_guid(text, kind).own}))


def _read_files(media: Sequence[wire.Version]) -> tuple[tuple[str, ...], str | None]:
    """Paths of all files, and a key that changes with any of them, whatever the order of the versions."""
    if len(media) == 1 and (parts := media[0].Part) and len(parts) == 1:
        part = parts[0]
        file = part.file
        if not file:
            return (), None
        return (file,), xxh3_64_hexdigest(f"{file}\0{part.size}\0{part.duration}".encode())
    found = sorted(
        f"{part.file}\0{part.size}\0{part.duration}"
        for version in media
        for part in version.Part or ()
        if part.file
    )
    files = tuple(dict.fromkeys(text.partition("\0")[0] for text in found))
    return files, xxh3_64_hexdigest("\n".join(found).encode()) if found else None
