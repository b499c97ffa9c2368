"""The newest plays of a list that was asked for by date, newest first. Pure.

Jellyfin and Emby sort by ``DatePlayed``, and count without listing where nothing but the total is asked for. Source: facts,
api-jellyfin-emby.md A3 and B2.
"""

from __future__ import annotations

from playhead.adapters._mediabrowser.decode import decode_items
from playhead.adapters._mediabrowser.translate import read_entries
from playhead.ports.errors import BadAnswer
from playhead.ports.looking import Recent

NEWEST: dict[str, str | int] = {
    "Recursive": "true",
    "IncludeItemTypes": "Movie,Episode",
    "SortBy": "DatePlayed",
    "SortOrder": "Descending",
    "EnableImages": "false",
    "EnableTotalRecordCount": "false",
}
WATCHED: dict[str, str | int] = {
    "Recursive": "true",
    "IncludeItemTypes": "Movie,Episode",
    "Filters": "IsPlayed",
    "Limit": 0,
    "EnableTotalRecordCount": "true",
}


def read_recent(newest: bytes, counted: bytes, most: int, title: str) -> Recent:
    """From the answers to ``NEWEST`` with a limit, and to ``WATCHED``. Raises BadAnswer."""
    items, _, _ = decode_items(newest, title)
    _, watched, _ = decode_items(counted, title)
    plays = [(entry.native_id, entry.last_played) for entry in read_entries(items) if entry.last_played]
    dates = [date for _, date in plays]
    if watched is None or dates != sorted(dates, reverse=True):
        raise BadAnswer(
            f"{title} does not sort by date or does not count.", hint="It is read as a whole instead."
        )
    cut_off = len(items) >= most and len(plays) == len(items)
    return Recent(tuple(plays), watched, dates[-1] if cut_off else None)
