"""The newest plays of a Plex account and how much is watched: two short lists for each library, whatever they hold.

Sorted by ``lastViewedAt`` and stopped early, for its date filters are not to be trusted; ``unwatched=0`` on leaves is the
whole truth (facts, api-plex.md 2.1). A sort by the date of a rating is not among those that a server names.
"""

from __future__ import annotations

from collections.abc import Sequence

from playhead.ports.errors import BadAnswer
from playhead.ports.looking import Play, Recent

from .client import PlexClient
from .translate import read_page, translate_entries

PAGE = 1000


async def fetch_recent(client: PlexClient, libraries: Sequence[tuple[str, str]], most: int) -> Recent:
    """``libraries`` are ids, each with what its leaves are. Raises BackendError."""
    plays, watched, back_to = list[Play](), 0, list[int]()
    for library, what in libraries:
        items = read_page(await client.fetch_newest(library, what, most)).items
        own = [(e.native_id, e.last_played) for e in translate_entries(items, []) if e.last_played]
        dates = [date for _, date in own]
        total = read_page(await client.count_watched(library, what)).total
        if total is None or dates != sorted(dates, reverse=True):
            raise BadAnswer(
                f"{client.title} does not sort by date or does not count.",
                hint="It is read as a whole instead.",
            )
        plays += own
        watched += total
        if len(items) >= most and len(own) == len(items):
            back_to.append(dates[-1])
    plays.sort(key=lambda play: -play[1])
    return Recent(tuple(plays), watched, max(back_to, default=None))


async def fetch_watched(client: PlexClient, libraries: Sequence[tuple[str, str]]) -> frozenset[str]:
    """The rating keys of all watched leaves. Raises BackendError."""
    found = set[str]()
    for library, what in libraries:
        own, start, total = set[str](), 0, 1
        while start < total:
            page = read_page(await client.fetch_watched(library, what, start, PAGE))
            own |= {str(item.ratingKey) for item in page.items if item.ratingKey is not None}
            start, total = start + PAGE, page.total or 0
        if len(own) != total:
            raise BadAnswer(
                f"{client.title} lists {len(own)} watched items of {total}.",
                hint="It is read as a whole instead.",
            )
        found |= own
    return frozenset(found)
