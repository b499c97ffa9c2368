"""Emby's own quirks between its shapes and Playhead's values. Pure; what Jellyfin shares stands in ``_mediabrowser``.

Holds which of Emby's two ways of marking fits a write (facts, api-jellyfin-emby.md B3).
"""

from __future__ import annotations

from playhead.adapters._mediabrowser.dates import TICKS_PER_S, format_compact, format_iso
from playhead.adapters.emby.wire import UserDataUpdate
from playhead.domain.state.reading import State


def find_mark_date(wished: State, before: State) -> str | None:
    """The date for ``PlayedItems`` where that route does all that is wished for, None where the whole state must go.

    Emby ignores the route for what is played already, always counts one play and clears the position; without a date it
    stamps its own present. What an earlier play left behind (count, date) may win over the given date: *assumed*.
    """
    fresh = before.watched is False and not before.plays and before.last_played is None
    if (
        not fresh
        or not wished.watched
        or wished.position_s
        or (wished.plays or 0) > 1
        or wished.last_played is None
    ):
        return None
    return format_compact(wished.last_played)


def make_update(wished: State) -> UserDataUpdate:
    """The whole state as one body."""
    return UserDataUpdate(
        Played=wished.watched is True,
        PlaybackPositionTicks=None if wished.position_s is None else wished.position_s * TICKS_PER_S,
        PlayCount=wished.plays,
        LastPlayedDate=format_iso(wished.last_played) if wished.last_played is not None else None,
        IsFavorite=wished.favourite,
        Rating=wished.rating,
    )
