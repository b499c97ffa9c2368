"""The newest plays of a list that was asked for by date, newest first, and the list of what is watched.

Jellyfin and Emby sort by ``DatePlayed``, and count without listing where nothing but the total is asked for. Source: facts,
api-jellyfin-emby.md A3 and B2.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

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
PLAYED: dict[str, str | int] = {
    "Recursive": "true",
    "IncludeItemTypes": "Movie,Episode",
    "Filters": "IsPlayed",
    "EnableTotalRecordCount": "true",
}
WATCHED: dict[str, str | int] = {**PLAYED, "Limit": 0}
PAGE = 1000


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


async def list_watched(
    read: Callable[[dict[str, str | int]], Awaitable[bytes]], title: str
) -> frozenset[str]:
    """The ids of all that is watched; ``read`` gives the answer to a query. Raises BackendError."""
    found, start, total = set[str](), 0, 1
    while start < total:
        more: dict[str, str | int] = {"StartIndex": start, "Limit": PAGE, "SortBy": "DateCreated,SortName"}
        items, counted, _ = decode_items(await read({**PLAYED, **more, "EnableImages": "false"}), title)
        found |= {item.Id for item in items}
        start, total = start + PAGE, counted or 0
    if len(found) != total:
        raise BadAnswer(
            f"{title} lists {len(found)} watched items of {total}.", hint="It is read as a whole instead."
        )
    return frozenset(found)
