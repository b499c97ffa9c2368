"""Imports recorded lists through the real adapters, over HTTP from the replay server, and sets them against the files."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from aiohttp import web

from playhead.adapters.emby.adapter import EmbyBackend
from playhead.adapters.emby.settings import EmbySettings
from playhead.adapters.jellyfin.adapter import JellyfinBackend
from playhead.adapters.jellyfin.settings import JellyfinSettings
from playhead.adapters.plex.adapter import PlexBackend
from playhead.adapters.plex.settings import PlexSettings
from playhead.ports.backend import Backend, Entry, Listing, RawPage
from playhead.sandbox.replay import Recording, RecordingSet, make_replay
from tests.replay.counting import Counted, Row, count

MUSIC = frozenset({"album", "artist", "track", "photo"})
"""Kinds of lists that Plex libraries have and that Playhead does not offer."""


EXPLAINED = {
    "pms_watched_incremental": {
        "state Row(id='10003', watched=True, in_progress=False, rated=False, favourite=None) became "
        "Row(id='10003', watched=False, in_progress=False, rated=False, favourite=None)": (
            "the entry has lastViewedAt and neither viewCount nor viewOffset; the server's own filter unwatched=0 returned "
            "it, by the recorder's word after a mark as watched. The adapter goes by viewCount; it does not call the entry "
            "an un-play, so nothing is unwatched by it"
        )
    }
}
"""Known differences by the list's key, each with its reason. Their number is held by a test."""


class Comparison(NamedTuple):
    """One recorded list: what the file holds and what the adapter made of it."""

    set_name: str
    recording: Recording
    counted: Counted
    entries: list[Row]
    shows: list[str]
    returned: int
    dropped: tuple[str, ...]
    page_body: bytes

    @property
    def unexplained(self) -> list[str]:
        """Differences that stand on no list."""
        return [text for text in self.differences if text not in EXPLAINED.get(self.recording.key, {})]

    @property
    def differences(self) -> list[str]:
        """In words; none when the adapter read what the file holds."""
        found = (
            []
            if self.returned == self.recording.size
            else [f"returned {self.returned} of {self.recording.size}"]
        )
        found += [f"dropped: {text}" for text in self.dropped]
        if sorted(self.shows) != sorted(self.counted.shows):
            found.append(f"shows {sorted(set(self.shows) ^ set(self.counted.shows))}")
        want, got = sorted(self.counted.leaves), sorted(self.entries)
        if [row.id for row in want] != [row.id for row in got]:
            return [*found, f"items {sorted({r.id for r in want} ^ {r.id for r in got})}"]
        return found + [f"state {a} became {b}" for a, b in zip(want, got, strict=True) if a != b]


@asynccontextmanager
async def serve(
    recorded: RecordingSet, *, in_turn: bool = False
) -> AsyncIterator[tuple[Backend, web.Application]]:
    """Run a set on a free port, with the adapter for it."""
    app = make_replay(recorded, in_turn=in_turn)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        backend = make_backend(recorded, f"http://127.0.0.1:{runner.addresses[0][1]}")
        try:
            yield backend, app
        finally:
            await backend.close()
    finally:
        await runner.cleanup()


def make_backend(recorded: RecordingSet, url: str) -> Backend:
    """The adapter for a set."""
    token, user = recorded.token, recorded.user_id
    if recorded.kind == "plex":
        return PlexBackend(PlexSettings(url=url, plex_tv_url=""), token, user, client_id="replay")
    if recorded.kind == "jellyfin":
        return JellyfinBackend(JellyfinSettings(url=url), token, user, client_id="replay")
    return EmbyBackend(EmbySettings(url=url), token, user, client_id="replay")


async def compare_lists(recorded: RecordingSet) -> list[Comparison]:
    """Import every list of a set."""
    async with serve(recorded) as (backend, _):
        return [await _compare(recorded, entry, backend) for entry in recorded.lists]


async def _compare(recorded: RecordingSet, entry: Recording, backend: Backend) -> Comparison:
    assert entry.file is not None
    counted = count(entry.file, entry.place)
    leaf = Listing(entry.key, "leaf")
    if entry.listed in MUSIC:  # not offered as a library: the page is put before the adapter all the same
        page = RawPage(leaf, entry.start, entry.size, entry.key, entry.body, 0)
    else:
        page = await backend.fetch_page(leaf, entry.start, entry.size)
    content = backend.decode_page(page)
    shows: list[str] = []
    if counted.shows:
        listing = Listing(entry.key, "show")
        again = await backend.fetch_page(listing, entry.start, entry.size)
        shows = [show.native_id for show in backend.decode_page(again).shows]
    return Comparison(
        recorded.name,
        entry,
        counted,
        [row_of(found, recorded.kind) for found in content.entries],
        shows,
        content.returned,
        tuple(content.dropped),
        page.body,
    )


def row_of(entry: Entry, kind: str) -> Row:
    """An adapter's entry in the counting's words. Plex keeps no favourites."""
    moved = None if entry.position_s is None else entry.position_s > 0
    favourite = None if kind == "plex" else entry.favourite
    return Row(entry.native_id, entry.watched, moved, entry.rating is not None, favourite)


class Totals(NamedTuple):
    """Sums over some lists, from the files or from the adapter."""

    items: int
    ids: int
    shows: int
    watched: int
    in_progress: int
    rated: int
    favourite: int


def total(rows: Sequence[Row], shows: Sequence[str]) -> Totals:
    """Sum up rows; ``ids`` are the different ones."""
    return Totals(
        len(rows),
        len({row.id for row in rows}),
        len(shows),
        sum(row.watched is True for row in rows),
        sum(row.in_progress is True for row in rows),
        sum(row.rated for row in rows),
        sum(row.favourite is True for row in rows),
    )


def flatten(lists: Sequence[Comparison], side: str) -> tuple[list[Row], list[str]]:
    """All rows and shows of one side, ``file`` or ``adapter``."""
    rows: list[Any] = []
    shows: list[str] = []
    for entry in lists:
        rows += entry.counted.leaves if side == "file" else entry.entries
        shows += entry.counted.shows if side == "file" else entry.shows
    return rows, shows
