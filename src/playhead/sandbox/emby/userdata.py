"""One user's data of one item on an emulated Emby, and what every kind of write does to it.

The rules are those of facts B3, measured on Emby 4.9.5.0, unless marked *assumed*; assumptions follow Emby's open
ancestor. Knows no tree and no HTTP. Times are epoch seconds, positions ticks.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

MIN_RESUME_PERCENT = 2
MAX_RESUME_PERCENT = 90
MIN_RESUME_SECONDS = 120
TICKS_PER_SECOND = 10_000_000


class UserData(msgspec.Struct, gc=False):
    """What Emby keeps for a user and an item."""

    played: bool = False
    play_count: int = 0
    last_played: int | None = None
    position_ticks: int = 0
    favourite: bool = False
    rating: float | None = None
    hidden_from_resume: bool = False
    playstate_modified: int | None = None
    rating_modified: int | None = None


def mark_played(data: UserData, *, date: int | None, now: int) -> None:
    """POST PlayedItems. A second mark without a date changes nothing; that a date replaces an older one is *assumed*,
    and so is that an item with the date of an unfinished play keeps it."""
    data.play_count = max(data.play_count, 1)
    data.last_played = date if date is not None else data.last_played or now
    data.position_ticks = 0
    data.played = True
    data.playstate_modified = now


def mark_unplayed(data: UserData, *, now: int) -> None:
    """DELETE PlayedItems: count, date and position go."""
    data.play_count = 0
    data.last_played = None
    data.position_ticks = 0
    data.played = False
    data.playstate_modified = now


class UserDataBody(msgspec.Struct, rename="pascal"):
    """The body of POST UserData. Members that the makers' schema calls nullable survive when omitted (PlayCount and
    LastPlayedDate measured, Rating *assumed*), the others fall to their zero (Played measured; position and favourite
    *assumed* from the same schema)."""

    played: bool = False
    playback_position_ticks: int = 0
    is_favorite: bool = False
    play_count: int | None = None
    last_played_date: str | None = None
    rating: float | None = None


def overwrite(data: UserData, body: UserDataBody, *, date: int | None, now: int) -> None:
    """POST UserData: the exact position is kept; Played false leaves count and date alone."""
    data.played = body.played
    data.position_ticks = body.playback_position_ticks
    data.favourite = body.is_favorite
    if body.play_count is not None:
        data.play_count = body.play_count
    if date is not None:
        data.last_played = date
    if body.rating is not None:
        data.rating = body.rating
    data.playstate_modified = data.rating_modified = now


def set_favourite(data: UserData, value: bool, *, now: int) -> None:
    """FavoriteItems."""
    data.favourite = value
    data.rating_modified = now


def set_rating(data: UserData, value: float | None, *, now: int) -> None:
    """Rating; likes stand as 10 and 1 (*assumed*)."""
    data.rating = value
    data.rating_modified = now


def start_play(data: UserData, *, now: int, keeps_played: bool) -> None:
    """Sessions/Playing: counts and dates at once. That a played item turns unplayed by it is *assumed* (Jellyfin 10.11,
    of the same ancestor, does so); the quirk ``start_keeps_played`` turns it off."""
    data.play_count += 1
    data.last_played = now
    if not keeps_played:
        data.played = False
    data.playstate_modified = now


def report_position(data: UserData, position: int | None, runtime: int | None, *, now: int) -> None:
    """Progress and Stopped: resume rules 2 %, 90 %, 120 s. No position at a stop counts as played (*assumed*)."""
    data.playstate_modified = now
    if position is None:
        data.play_count += 1
        data.played = True
        data.position_ticks = 0
        return
    if not runtime:
        data.position_ticks = position
        return
    percent = position / runtime * 100
    if percent < MIN_RESUME_PERCENT:
        data.position_ticks = 0
    elif percent > MAX_RESUME_PERCENT or runtime < MIN_RESUME_SECONDS * TICKS_PER_SECOND:
        data.position_ticks = 0
        data.played = True
    else:
        data.position_ticks = position


def percentage(position: int, runtime: int | None) -> float | None:
    """PlayedPercentage, a whole number where it is one; None without a position."""
    if not position or not runtime:
        return None
    value = position / runtime * 100
    return int(value) if value == int(value) else value


def show_leaf(
    data: UserData, runtime: int | None, *, with_count: bool = True, with_date: bool = True
) -> dict[str, Any]:
    """UserData of a movie or episode. Lists say 0 plays and no date unless asked (facts B2)."""
    shown: dict[str, Any] = {}
    if data.rating is not None:
        shown["Rating"] = data.rating
    if data.position_ticks:
        percent = percentage(data.position_ticks, runtime)
        if percent is not None:
            shown["PlayedPercentage"] = percent
    shown["PlaybackPositionTicks"] = data.position_ticks
    shown["PlayCount"] = data.play_count if with_count else 0
    shown["IsFavorite"] = data.favourite
    if with_date and data.last_played is not None:
        shown["LastPlayedDate"] = iso_date(data.last_played)
    shown["Played"] = data.played
    return shown


def show_folder(data: UserData, unplayed: int) -> dict[str, Any]:
    """UserData of a series or season: it is played when nothing below it is unplayed."""
    shown: dict[str, Any] = {} if data.rating is None else {"Rating": data.rating}
    return shown | {
        "UnplayedItemCount": unplayed,
        "PlaybackPositionTicks": 0,
        "PlayCount": 0,
        "IsFavorite": data.favourite,
        "Played": unplayed == 0,
    }


def iso_date(at: int) -> str:
    """Emby's form of a date: seven digits after the point."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.0000000Z")
