"""What is new on one connection, whoever caused it: its newest items are read until known ones are met, and kept at once.

Decides what is read and when that is enough; what is new is decided by ``domain.news`` over all that was ever seen. A look
that breaks off has kept nothing, so that the next one sees it all again.
"""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence

from playhead.domain.library.mapping import PathMap
from playhead.domain.library.places import is_file, key
from playhead.domain.news.addition import Addition
from playhead.domain.news.judging import Word
from playhead.domain.news.sighting import Sighting
from playhead.kit.log import Log
from playhead.ports.additions import Additions, Shelf
from playhead.ports.errors import NotFound
from playhead.ports.scans import FileItem, ListsSaved, ScannedLibrary, Scans

log = Log(__name__)

PAGE = 50
FIRST_PAGE = 500  # as a library is seen for the first time
ENOUGH_KNOWN_PAGES = 4
CLOCKS_APART_S = 900.0  # of the hub and a server
FUTURE_S = 86_400  # a date beyond is nobody's clock


@dataclasses.dataclass(frozen=True)
class NewsLane:
    """One connection, as far as its news are concerned. ``saved`` where its dates of adding may be the files' own."""

    connection: str
    scans: Scans
    additions: Additions
    now: Callable[[], float]
    paths: PathMap = dataclasses.field(default_factory=lambda: PathMap(()))
    saved: ListsSaved | None = None
    takes: Callable[[str, str], bool] = lambda library_id, title: True
    page: int = PAGE
    first_page: int = FIRST_PAGE


async def look(lane: NewsLane, words: Mapping[str, Word] | None = None) -> list[Addition]:
    """What is new in all libraries that take part; of one that is seen for the first time nothing is. ``words`` are what was told
    of files, by the hub's path. Raises BackendError."""
    found: list[Addition] = []
    for library in await lane.scans.list_scanned():
        if lane.takes(library.id, library.title):
            try:
                found += await _look_at(lane, library, words or {})
            except NotFound as error:  # it went meanwhile
                log.info("library gone", connection=lane.connection, library=library.title, why=error.message)
    return found


async def take_proved(
    lane: NewsLane,
    library: ScannedLibrary,
    server_paths: Sequence[str],
    words: Mapping[str, Word] | None = None,
) -> list[Addition]:
    """What files that arrived became, whatever dates the server gives them. ``words`` are what was told of them, by the
    hub's path. Raises BackendError."""
    shelf = lane.additions.load_shelf(lane.connection, library.id)
    if shelf is None or not shelf.complete or not lane.takes(library.id, library.title):
        return []
    items = await lane.scans.find_files(library.id, server_paths)
    return _take(lane, library, items, words or {}, sure=True)


def _take(
    lane: NewsLane, library: ScannedLibrary, items: Iterable[FileItem], words: Mapping[str, Word],
    *, sure: bool = False, high: int | None = None,
) -> list[Addition]:  # fmt: skip
    """Have them judged and kept, in this order."""
    items = [item for item in items if _counts(item)]
    told = {key(path): word for path, word in words.items()}
    by_place = {
        _place(lane, file): told[hub]
        for item in (items if told else ())
        for file in item.files
        if (hub := key(lane.paths.to_hub(file) or file)) in told
    }
    sightings = [_make_sighting(lane, item) for item in items]
    return lane.additions.take(
        lane.connection,
        library.id,
        library.title,
        sightings,
        lane.now(),
        high=high,
        sure=sure,
        words=by_place,
    )


async def _look_at(lane: NewsLane, library: ScannedLibrary, words: Mapping[str, Word]) -> list[Addition]:
    shelf = lane.additions.load_shelf(lane.connection, library.id)
    if shelf is not None and shelf.complete:
        found = await _look_for_new(lane, library, shelf, words)
        if found:
            log.info("additions", connection=lane.connection, library=library.title, count=len(found))
        return found
    if not library.scanning:  # what is still being found is not all that there is
        await _see_first(lane, library, shelf)
    return []


async def _see_first(lane: NewsLane, library: ScannedLibrary, shelf: Shelf | None) -> None:
    """Learn all that is there. What is newer than its beginning is left for the next look, also after a kill."""
    count, began_at = 0, lane.now()
    async for page in _walk(lane, library.id, lane.first_page, lane.first_page // 20):
        if shelf is None:
            shelf = lane.additions.open_shelf(lane.connection, library.id, _newest(lane, page))
        there = [item for item in page if _was_there(lane, item, shelf.floor)]
        lane.additions.learn([_make_sighting(lane, item) for item in there], lane.now())
        count += len(there)
    if shelf is None:
        shelf = lane.additions.open_shelf(lane.connection, library.id, None)
    lane.additions.end_first_sight(lane.connection, library.id, shelf.floor, began_at)
    log.info(
        "library seen for the first time", connection=lane.connection, library=library.title, items=count
    )


async def _look_for_new(
    lane: NewsLane, library: ScannedLibrary, shelf: Shelf, words: Mapping[str, Word]
) -> list[Addition]:
    """Until a page is known that reaches further back than the last look began; at most some pages that are known."""
    seen: dict[str, FileItem] = {}
    known_pages, began_at = 0, lane.now()
    async for page in _walk(lane, library.id, lane.page):
        items = [item for item in page if _counts(item)]
        known = lane.additions.find_known(lane.connection, [item.native_id for item in items])
        seen.update((item.native_id, item) for item in items if item.native_id not in seen)
        known_pages = known_pages + 1 if len(known) == len({item.native_id for item in items}) else 0
        dates = [item.added_at for item in items if item.added_at is not None]
        back = shelf.high is None or not dates or min(dates) < shelf.high
        if known_pages and (back or known_pages >= ENOUGH_KNOWN_PAGES):
            break
    high = _newest(lane, list(seen.values()))
    dated = [item for item in reversed(seen.values()) if lane.saved is None or not _is_old(item, shelf)]
    found = _take(lane, library, dated, words, high=high)
    found += await _look_for_saved(lane, library, shelf, words)
    lane.additions.end_look(lane.connection, library.id, began_at)
    return found


async def _look_for_saved(
    lane: NewsLane, library: ScannedLibrary, shelf: Shelf, words: Mapping[str, Word]
) -> list[Addition]:
    """What the server stored since the last look, whatever its dates say: new files with old dates, and better ones."""
    if lane.saved is None or shelf.looked_at is None:
        return []
    found: list[Addition] = []
    since, start, before = int(shelf.looked_at - CLOCKS_APART_S), 0, ""
    while items := await lane.saved.list_saved_since(library.id, since, lane.first_page, start):
        if items[0].native_id == before:
            break
        found += _take(lane, library, items, words, sure=True)
        before = items[0].native_id
        start += lane.first_page
    return found


async def _walk(
    lane: NewsLane, library_id: str, size: int, overlap: int = 0
) -> AsyncIterator[list[FileItem]]:
    """Pages of the newest, to the end; a server that pages not sends all at once, or the same again. ``overlap``: so many may be
    deleted between two pages without one being missed."""
    start, before = 0, ""
    while page := await lane.scans.list_newest(library_id, size, start):
        if page[0].native_id == before:
            return
        yield page
        if len(page) > size:
            return
        before = page[0].native_id
        start += size - overlap


def _is_old(item: FileItem, shelf: Shelf) -> bool:
    """Whether it was there at first sight, if its date is to be believed."""
    return item.added_at is not None and shelf.floor is not None and item.added_at < shelf.floor


def _newest(lane: NewsLane, items: Sequence[FileItem]) -> int | None:
    latest = lane.now() + FUTURE_S
    return max((at for item in items if (at := item.added_at) is not None and at <= latest), default=None)


def _was_there(lane: NewsLane, item: FileItem, floor: int | None) -> bool:
    if not _counts(item):
        return False
    at = item.added_at
    return at is None or floor is None or at <= floor or at > lane.now() + FUTURE_S


def _counts(item: FileItem) -> bool:
    """What has no file is nothing that came; a folder that a server shows as an item comes with what it holds."""
    if not item.available or not item.files:
        return False
    return item.kind != "other" or any(map(is_file, item.files))


def _place(lane: NewsLane, file: str) -> str:
    hub = lane.paths.to_hub(file)
    return key(hub) if hub is not None else f"{lane.connection}\n{key(file)}"


def _make_sighting(lane: NewsLane, item: FileItem) -> Sighting:
    return Sighting(
        connection=lane.connection,
        library_id=item.library_id,
        native_id=item.native_id,
        kind=item.kind,
        places=tuple(_place(lane, file) for file in item.files),
        claims=item.claims,
        title=item.title,
        year=item.year,
        show_title=item.show_title,
        season=item.season,
        episode=item.episode,
        episode_end=item.episode_end,
        added_at=item.added_at,
        poster=item.poster,
    )
