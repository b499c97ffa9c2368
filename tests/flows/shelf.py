"""A small backend in memory that meets the port, with the ways in which lists go wrong as switches."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import msgspec
from xxhash import xxh3_64_intdigest

from playhead.ports.backend import Capabilities, Entry, Library, Listing, PageContent, RawPage, ShowEntry
from playhead.ports.errors import BackendError, ServerFault

CAPABILITIES = Capabilities(
    reads=frozenset({"watched", "progress"}),
    writes=frozenset({"watched", "progress"}),
    takes_date=True,
    lean_lists=False,
    page_size=3,
)
_BODY = msgspec.json.Decoder(tuple[list[Entry], list[ShowEntry], int, int | None])


class Shelf(msgspec.Struct):
    """One library's contents."""

    title: str
    shows: list[ShowEntry] = []
    entries: list[Entry] = []


class ShelfBackend:
    """Serves ``shelves`` (by library id). ``warp`` may replace what a page holds; ``requests`` counts pages asked for."""

    def __init__(self, **shelves: Shelf) -> None:
        self.shelves = shelves
        self.says_total = True
        self.requests: list[tuple[str, str, int]] = []
        self.decoded = 0
        self.warp: Callable[[Listing, int, list[Entry]], list[Entry]] = lambda _l, _s, entries: entries
        self.total: Callable[[Listing, int, int], int] = lambda _l, _s, total: total
        self.dropped: tuple[str, ...] = ()
        self.failing_libraries: BackendError | None = None
        self.fail_at: tuple[str, int] | None = None
        self.fetched: list[str] = []

    async def list_libraries(self) -> list[Library]:
        if self.failing_libraries:
            raise self.failing_libraries
        return [Library(key, shelf.title, ("movie", "episode")) for key, shelf in self.shelves.items()]

    def plan_listings(self, library: Library, *, lean: bool) -> list[Listing]:
        leaf = Listing(library.id, "leaf", lean=lean)
        return [leaf] if lean else [Listing(library.id, "show"), leaf]

    async def fetch_page(self, listing: Listing, start: int, size: int) -> RawPage:
        await asyncio.sleep(0)
        self.requests.append((listing.library_id, listing.what, start))
        if self.fail_at == (listing.what, start):
            raise ServerFault("It broke.")
        shelf = self.shelves[listing.library_id]
        entries = (
            self.warp(listing, start, shelf.entries[start : start + size]) if listing.what == "leaf" else []
        )
        if listing.lean:
            entries = [_strip(entry) for entry in entries]
        shows = shelf.shows[start : start + size] if listing.what == "show" else []
        whole = len(shelf.entries if listing.what == "leaf" else shelf.shows)
        total = self.total(listing, start, whole) if self.says_total else None
        body = msgspec.json.encode((entries, shows, len(entries) + len(shows), total))
        key = f"/{listing.library_id}/{listing.what}?lean={listing.lean}&start={start}"
        return RawPage(listing, start, size, key, body, xxh3_64_intdigest(body) - (1 << 63))

    def decode_page(self, page: RawPage) -> PageContent:
        self.decoded += 1
        entries, shows, returned, total = _BODY.decode(page.body)
        return PageContent(entries, shows, returned, total, self.dropped)

    async def fetch_entries(self, native_ids: Sequence[str]) -> list[Entry]:
        self.fetched += native_ids
        return [e for s in self.shelves.values() for e in s.entries if e.native_id in native_ids]


def _strip(entry: Entry) -> Entry:
    return msgspec.structs.replace(
        entry,
        title="",
        year=None,
        claims=(),
        files=(),
        season=None,
        episode=None,
        show_id=None,
        media_key=None,
    )


def movie(native_id: str, claims: str = "", **values: object) -> Entry:
    """A movie, unwatched unless said otherwise. ``claims``: ``imdb:1 tmdb:2``."""
    said = tuple(sorted(f"{c.partition(':')[0]}:movie:{c.partition(':')[2]}" for c in claims.split()))
    values = {"title": f"Movie {native_id}", "watched": False, "plays": 0, "position_s": 0, **values}
    return Entry(native_id, "movie", claims=said, **values)  # type: ignore[arg-type]


def show(native_id: str, claims: str = "", title: str = "A show", year: int | None = 2001) -> ShowEntry:
    """A show."""
    said = tuple(sorted(f"{c.partition(':')[0]}:show:{c.partition(':')[2]}" for c in claims.split()))
    return ShowEntry(native_id, title, year, said)


def episode(native_id: str, show_id: str, number: str, claims: str = "", **values: object) -> Entry:
    """An episode; ``number``: ``1x2`` or ``1x2-4``."""
    said = tuple(sorted(f"{c.partition(':')[0]}:episode:{c.partition(':')[2]}" for c in claims.split()))
    season, _, rest = number.partition("x")
    first, _, last = rest.partition("-")
    values = {"title": f"Episode {number}", "watched": False, "plays": 0, "position_s": 0, **values}
    return Entry(
        native_id,
        "episode",
        show_id=show_id,
        show_title="A show",
        season=int(season),
        episode=int(first),
        episode_end=int(last) if last else None,
        claims=said,
        **values,  # type: ignore[arg-type]
    )
