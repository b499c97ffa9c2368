"""Jellyfin's own quirks between its shapes and Playhead's values. Pure.

Holds: what one write is, and which of three sources is believed where Jellyfin contradicts itself after a rename
(facts, api-jellyfin-emby.md A8.4). The rest is shared with Emby in ``_mediabrowser.translate``.
"""

from __future__ import annotations

from collections.abc import Container

from playhead.adapters._mediabrowser.dates import TICKS_PER_S, format_iso
from playhead.adapters._mediabrowser.translate import set_state
from playhead.adapters._mediabrowser.wire import UserData
from playhead.adapters.jellyfin.wire import UserDataUpdate
from playhead.domain.state.reading import State
from playhead.ports.backend import Entry


def make_update(wished: State) -> UserDataUpdate:
    """The whole state as one body: a partial one can destroy what the server knows and does not show (A8.4).

    No, zero plays and no favourite are not sent: absent members stay as they are, and saying no could only undo what a
    person did since the last read. An un-play has its own request.
    """
    return UserDataUpdate(
        Played=True if wished.watched else None,
        PlayCount=wished.plays or None,
        LastPlayedDate=format_iso(wished.last_played) if wished.last_played is not None else None,
        PlaybackPositionTicks=None if wished.position_s is None else wished.position_s * TICKS_PER_S,
        IsFavorite=True if wished.favourite else None,
        Rating=wished.rating,
    )


def settle_state(entry: Entry, single: UserData, played: Container[str], favourites: Container[str]) -> None:
    """Put the most believable state into ``entry``, which holds what a list said.

    Lists and the UserData route can show a blank state for a renamed file while the filters know better. If any source
    says played it is played, and what the blank ones say beside it (count, date, position, rating) is not known.
    """
    list_played = entry.watched is True
    list_plays, list_date, list_position = entry.plays, entry.last_played, entry.position_s
    list_rating, list_favourite = entry.rating, entry.favourite
    set_state(entry, single)
    if entry.watched is not True and (list_played or entry.native_id in played):
        entry.watched, entry.unplayed = True, False
        entry.plays = list_plays if list_played else None
        entry.last_played = list_date if list_played else None
        entry.position_s = list_position if list_played else None
        entry.rating = list_rating if list_played else None
        entry.favourite = list_favourite if list_played else None
    if entry.native_id in favourites:
        entry.favourite = True
