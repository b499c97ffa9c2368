"""From the shapes that both servers share to Playhead's values. Pure; the hot path of every import.

Decides what a member means: PlayCount 0 on a played item is *unknown*, an un-play is only what has a person's un-play's
form, ids become claims. Must not know routes or which of the two servers spoke.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

import xxhash

from playhead.adapters._mediabrowser.dates import TICKS_PER_S, parse_date
from playhead.adapters._mediabrowser.wire import Item, LeanItem, UserData, View
from playhead.domain.identity.claims import ClaimKind, make_claim
from playhead.domain.state.reading import State
from playhead.ports.backend import Entry, Kind, Library, ShowEntry

_KINDS: dict[str | None, Kind] = {"Movie": "movie", "Episode": "episode"}
_HOLDS: dict[str | None, tuple[Kind, ...]] = {
    "movies": ("movie",),
    "tvshows": ("episode",),
    None: ("movie", "episode"),  # a mixed library has no CollectionType
    "mixed": ("movie", "episode"),
    "unknown": ("movie", "episode"),
}
_IS_NUMBER = re.compile(r"[1-9][0-9]{0,11}\Z").match
_IS_IMDB = re.compile(r"tt(?!0{7}\Z)(?:[0-9]{7}|[1-9][0-9]{7,9})\Z").match
_CLAIM_KINDS: tuple[ClaimKind, ...] = ("movie", "show", "season", "episode")
_PLAIN_FORMS = {
    kind: {
        "Imdb": (f"imdb:{kind}:", _IS_IMDB),
        "Tmdb": (f"tmdb:{kind}:", _IS_NUMBER),
        "Tvdb": (f"tvdb:{kind}:", _IS_NUMBER),
    }
    for kind in _CLAIM_KINDS
}
# Nearly every item has these three: read at one stroke, which halves the cost.
_ARE_PLAIN = re.compile(
    r"(tt(?!0{7}\n)(?:[0-9]{7}|[1-9][0-9]{7,9}))\n([1-9][0-9]{0,11})\n([1-9][0-9]{0,11})\Z"
).match

MOST_EPISODES_IN_A_FILE = 40  # *assumed*: beyond, the number was misread from a file name ("S01E01-720p")

_StateRow = tuple[bool | None, int | None, int | None, int | None, float | None, bool | None, bool]
_UNKNOWN: _StateRow = (None, None, None, None, None, None, False)


def read_entries(items: Iterable[Item]) -> list[Entry]:
    """The movies and episodes among ``items``; other types and virtual (missing, unaired) ones are left out."""
    entries = []
    for item in items:
        kind = _KINDS.get(item.Type)
        if kind is None or item.LocationType == "Virtual":
            continue
        data, ticks, path, ids = item.UserData, item.RunTimeTicks, item.Path, item.ProviderIds
        first, last = item.IndexNumber, item.IndexNumberEnd
        entries.append(
            Entry(
                item.Id,
                kind,
                item.Name or "",
                item.ProductionYear or None,
                item.SeriesId,
                item.SeriesName,
                item.ParentIndexNumber if kind == "episode" else None,
                first if kind == "episode" else None,
                last
                if last and first is not None and first < last < first + MOST_EPISODES_IN_A_FILE
                else None,
                ticks // TICKS_PER_S if ticks else None,
                read_claims(ids, kind) if ids else (),
                (path,) if path else (),
                None,
                make_media_key(path, ticks, item.DateCreated) if path and ticks else None,
                *(_read_row(data) if data is not None else _UNKNOWN),
            )
        )
    return entries


def read_lean_entries(items: Iterable[LeanItem]) -> list[Entry]:
    """As ``read_entries``, for lists that carry the state alone."""
    entries = []
    for item in items:
        kind = _KINDS.get(item.Type)
        if kind is None or item.LocationType == "Virtual":
            continue
        entry = Entry(
            item.Id, kind, runtime_s=item.RunTimeTicks // TICKS_PER_S if item.RunTimeTicks else None
        )
        if item.UserData is not None:
            set_state(entry, item.UserData)
        entries.append(entry)
    return entries


def read_shows(items: Iterable[Item]) -> list[ShowEntry]:
    """The series among ``items``. What a series says of being played is not read: it lies on Jellyfin 10.11."""
    return [
        ShowEntry(
            item.Id, item.Name or "", item.ProductionYear or None, read_claims(item.ProviderIds or {}, "show")
        )
        for item in items
        if item.Type == "Series" and item.LocationType != "Virtual"
    ]


def _read_row(data: UserData) -> _StateRow:
    """Watched, plays, last played, position, rating, favourite, unplayed: the last seven members of an Entry."""
    played, plays, date, ticks = data.Played, data.PlayCount, data.LastPlayedDate, data.PlaybackPositionTicks
    if plays is not None and plays <= 0:
        plays = None if played else 0
    return (
        played,
        plays,
        parse_date(date) if date else None,
        None if ticks is None else max(ticks // TICKS_PER_S, 0),
        data.Rating,
        data.IsFavorite,
        played is False and plays == 0 and not date and ticks == 0,
    )


def read_state(data: UserData) -> State:
    """The state that a single answer tells."""
    return State(*_read_row(data)[:6])


def set_state(entry: Entry, data: UserData) -> None:
    """Put what ``data`` says into ``entry``."""
    (
        entry.watched,
        entry.plays,
        entry.last_played,
        entry.position_s,
        entry.rating,
        entry.favourite,
        entry.unplayed,
    ) = _read_row(data)


def read_claims(ids: dict[str, str | int | None], kind: ClaimKind) -> tuple[str, ...]:
    """The same claims as ``make_claims`` gives; the plain forms of the three common sources take a short way."""
    if len(ids) == 3 and (match := _ARE_PLAIN(f"{ids.get('Imdb')}\n{ids.get('Tmdb')}\n{ids.get('Tvdb')}")):
        imdb, tmdb, tvdb = match.groups()
        return (f"imdb:{kind}:{imdb}", f"tmdb:{kind}:{tmdb}", f"tvdb:{kind}:{tvdb}")
    plain_forms = _PLAIN_FORMS[kind]
    found: list[str] = []
    newest, in_order = "", True
    for source, value in ids.items():
        form = plain_forms.get(source)
        claim: str | None
        if form is not None and type(value) is str and form[1](value):
            claim = form[0] + value
        else:
            claim = make_claim(source, kind, value)
            if claim is None:
                continue
        in_order = in_order and claim > newest
        newest = claim
        found.append(claim)
    return tuple(found) if in_order else tuple(sorted(set(found)))


def make_media_key(path: str, ticks: int, created: str | None) -> str:
    """A short name of the file behind an item: another path, length or file date is another file."""
    return xxhash.xxh3_64_hexdigest(f"{path}\n{ticks}\n{created}".encode())


def read_library(view: View, locations: dict[str, tuple[str, ...]]) -> Library | None:
    """The library behind a view, None where it holds neither movies nor episodes (music, collections, photos ...)."""
    kind = (view.CollectionType or "").casefold() or None
    holds: tuple[Literal["movie", "episode"], ...] | None = _HOLDS.get(kind)
    if holds is None or view.Type not in (None, "CollectionFolder", "UserView", "Folder"):
        return None
    return Library(view.Id, view.Name or view.Id, holds, locations.get(view.Id, ()))
