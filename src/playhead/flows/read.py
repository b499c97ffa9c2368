"""The import: reads what accounts say, page by page, and decides whether a read was whole.

Written against the ports: where pages go is the store's part, how they are asked for the backend's. A read is whole only
when every list was paged to its end, the server's own total was met by distinct entries, and nothing was unreadable.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import msgspec

from playhead.flows.connect import list_titles
from playhead.ports.backend import (
    Backend,
    Capabilities,
    ConfirmsPlayed,
    Library,
    Listing,
    PageContent,
    RawPage,
)
from playhead.ports.errors import BackendError
from playhead.ports.store import AccountRead, ReadingStore, ReadResult, Sweep, Tally

Progress = Callable[[str, int, int | None], None]
"""Called with the connection's name, entries read so far, and how many there will be (None = not known)."""

Clock = Callable[[], int]
ENTRIES_AT_ONCE = 100
CONFIRMED_AT_ONCE = 200
UNKNOWN_SHARE = 0.2  # of a library: more news than this are read faster as a full list
MOST_PAGES = 100_000


class ReadRequest(msgspec.Struct, frozen=True):
    """One account to read. ``takes`` says of a library's id and title whether it takes part; ``named`` are those that a
    person named when choosing."""

    account_id: int
    connection_id: int
    connection: str
    backend: Backend
    capabilities: Capabilities
    takes: Callable[[str, str], bool] = lambda _id, _title: True
    max_shrink_share: float = 0.2
    page_size: int | None = None
    named: tuple[str, ...] = ()


def _say_nothing(_connection: str, _done: int, _total: int | None) -> None:
    return


async def read_accounts(
    requests: Sequence[ReadRequest],
    store: ReadingStore,
    *,
    clock: Clock,
    full: bool = False,
    progress: Progress = _say_nothing,
) -> list[ReadResult]:
    """Read all accounts, connections side by side, accounts of one connection one after another; then settle matches.

    Results stand in the order of the requests; a connection that fails has a result that says so.
    """
    queues: dict[int, list[ReadRequest]] = {}
    for request in requests:
        queues.setdefault(request.connection_id, []).append(request)

    async def read_queue(queue: list[ReadRequest]) -> list[ReadResult]:
        return [
            await read_account(request, store, clock=clock, full=full, progress=progress) for request in queue
        ]

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(read_queue(queue)) for queue in queues.values()]
    store.settle_matches(clock())
    results = {result.account_id: result for task in tasks for result in task.result()}
    return [results[request.account_id] for request in requests]


async def read_account(
    request: ReadRequest,
    store: ReadingStore,
    *,
    clock: Clock,
    full: bool = False,
    progress: Progress = _say_nothing,
) -> ReadResult:
    """Read one account. Failures of the server end up in the result; matches are settled by the caller."""
    lean = (
        request.capabilities.lean_lists and not full and store.may_read_lean(request.connection_id, clock())
    )
    read = store.start_read(request.account_id, lean=lean, full=full, now=clock())
    return await _AccountReader(request, read, clock, progress, lean).run()


class _Fault(Exception):
    """The list at hand cannot be read to its end; the text is for a person."""


class _AccountReader:
    """One read under way: what was covered, and what went wrong."""

    def __init__(
        self, request: ReadRequest, read: AccountRead, clock: Clock, progress: Progress, lean: bool
    ) -> None:
        self.request = request
        self.backend = request.backend
        self.read = read
        self.clock = clock
        self.progress = progress
        self.lean = lean
        self.size = request.page_size or request.capabilities.page_size
        self.faults: list[str] = []
        self.covered: dict[str, frozenset[str]] = {}
        self.done = 0
        self.expected: dict[tuple[str, str], int] = {}

    async def run(self) -> ReadResult:
        """All libraries, then the verdict."""
        try:
            libraries = await self.backend.list_libraries()
        except BackendError as error:
            return self._finish(None, failed=str(error))
        self.read.note_libraries(libraries)
        chosen = [library for library in libraries if self.request.takes(library.id, library.title)]
        unknown = self._note_unknown(libraries)
        if unknown and not chosen:
            return self._finish(None, failed=unknown[0])
        for library in chosen:
            try:
                await self._read_library(library)
            except BackendError as error:
                self.faults.append(f"{library.title}: {error}")
        left_out = frozenset(library.id for library in libraries) - {library.id for library in chosen}
        result = self._finish(frozenset(library.id for library in libraries), left_out=left_out)
        return msgspec.structs.replace(result, notes=unknown) if unknown else result

    def _note_unknown(self, libraries: Sequence[Library]) -> tuple[str, ...]:
        """A line where the settings name libraries that the server does not have (any more)."""
        unknown = [name for name in self.request.named if not any(lib.is_named(name) for lib in libraries)]
        if not unknown:
            return ()
        names = ", ".join(f"'{name}'" for name in unknown)
        return (f"The settings name {names}, which is no library of this account. {list_titles(libraries)}",)

    def _finish(
        self, listed: frozenset[str] | None, *, left_out: frozenset[str] = frozenset(), failed: str = ""
    ) -> ReadResult:
        nothing = bool(failed) or (bool(self.faults) and self.done == 0)
        sweep = Sweep(
            covered=self.covered,
            listed=listed,
            left_out=left_out,
            faults=(failed,) if failed else tuple(self.faults),
            failed=nothing,
            max_shrink_share=self.request.max_shrink_share,
        )
        return self.read.finish(sweep, self.clock())

    # -- one library

    async def _read_library(self, library: Library) -> None:
        whole = await self._read_listings(library, lean=self.lean)
        if self.lean and not await self._read_unknown(library):
            whole = await self._read_listings(library, lean=False)
        self.covered[library.id] = whole

    async def _read_listings(self, library: Library, *, lean: bool) -> frozenset[str]:
        whole: set[str] = set()
        for listing in self.backend.plan_listings(library, lean=lean):
            try:
                await self._read_listing(listing)
                whole.add(listing.what)
            except _Fault as fault:
                self.faults.append(f"{library.title}: {fault}")
        return frozenset(whole)

    async def _read_unknown(self, library: Library) -> bool:
        """Read what a lean list named and nobody knows; False where a full list is the better way."""
        wanted = self.read.take_unknown()
        if not wanted:
            return True
        if len(wanted) > UNKNOWN_SHARE * max(1, self.read.count_known(library.id)):
            return False
        for start in range(0, len(wanted), ENTRIES_AT_ONCE):
            read_at = self.clock()
            entries = await self.backend.fetch_entries(wanted[start : start + ENTRIES_AT_ONCE])
            self.read.put_entries(library.id, entries, read_at)
        return True

    # -- one list

    async def _read_listing(self, listing: Listing) -> None:
        """Page through a list, the next page under way while one is stored. Raises _Fault where it is not whole."""
        self.read.start_listing(listing)
        pager = _Pager()
        ahead: asyncio.Task[tuple[int, RawPage]] | None = None
        try:
            for _ in range(MOST_PAGES):
                if ahead is None:
                    ahead = self._fetch(listing, pager.next)
                arrived = [await ahead]
                after = arrived[0][1].start + self.size
                ahead = self._fetch(listing, pager.next + self.size) if pager.expects(self.size) else None
                pager.count(await self._take(arrived), self.size)
                self._tell(listing, pager)
                if pager.ended:
                    break
                if ahead is not None and pager.next != after:
                    await _drop(ahead)
                    ahead = None
        except BackendError as error:
            raise _Fault(str(error)) from error
        finally:
            if ahead is not None:
                await _drop(ahead)
        if pager.faults:
            raise _Fault(" ".join(pager.faults))

    def _fetch(self, listing: Listing, start: int) -> asyncio.Task[tuple[int, RawPage]]:
        """A page under way, with the time when it was asked for: what it says is no older."""

        async def fetch() -> tuple[int, RawPage]:
            asked_at = self.clock()
            return asked_at, await self.backend.fetch_page(listing, start, self.size)

        return asyncio.ensure_future(fetch())

    async def _take(self, arrived: list[tuple[int, RawPage]]) -> Tally:
        """Store the page, which is taken out of the list: its megabytes are let go of once they are decoded."""
        read_at, page = arrived.pop()
        tally = self.read.skip_page(page)
        if tally is None:
            content = self.backend.decode_page(page)
            if self.read.first and isinstance(self.backend, ConfirmsPlayed):
                await _refuse_inherited(self.backend, content)
            page = msgspec.structs.replace(page, body=b"")
            tally = self.read.put_page(page, content, read_at)
        return tally

    def _tell(self, listing: Listing, pager: _Pager) -> None:
        self.done += pager.last_fresh
        self.expected[listing.library_id, listing.what] = pager.total or pager.fresh
        self.progress(self.request.connection, self.done, sum(self.expected.values()))


class _Pager:
    """Where paging through one list stands, and what was wrong with it."""

    def __init__(self) -> None:
        self.next = 0
        self.fresh = self.last_fresh = 0
        self.total: int | None = None
        self.ended = False
        self.faults: list[str] = []

    def expects(self, size: int) -> bool:
        """Whether a page after the one at hand is known to exist."""
        return self.total is not None and self.next + size < self.total

    def count(self, tally: Tally, size: int) -> None:
        """Take in a page; sets ``ended`` and, where the list is not whole, ``faults``."""
        self.next += tally.returned
        self.fresh += tally.fresh
        self.last_fresh = tally.fresh
        if tally.dropped:
            self.faults.append("Not readable: " + "; ".join(tally.dropped[:3]) + ".")
        if tally.total is not None:
            if self.total is not None and tally.total != self.total:
                self._end(f"the list changed from {self.total} to {tally.total} entries while it was read.")
            self.total = tally.total
        if (
            tally.returned == 0
            or (self.total is not None and self.next >= self.total)
            or tally.returned > size
        ):
            self._end()
        elif tally.fresh == 0:
            self._end("the server gave the same entries again instead of the next page.")

    def _end(self, fault: str = "") -> None:
        self.ended = True
        if fault:
            self.faults.append(fault[0].upper() + fault[1:])
        if self.total is not None and self.fresh != self.total and not self.faults:
            self.faults.append(
                f"The server says {self.total} entries and listed {self.fresh} different ones."
            )


async def _refuse_inherited(backend: ConfirmsPlayed, content: PageContent) -> None:
    """Raises _Fault where most of what a page calls watched is not found by the server's own filter: it shows what was another
    account's, and would show none of it after its next restart."""
    said = [entry.native_id for entry in content.entries if entry.watched][:CONFIRMED_AT_ONCE]
    found = await backend.confirm_played(said) if said else None
    if found is not None and 2 * len(found) < len(said):
        raise _Fault(
            f"Of {len(said)} items that the list shows as watched, the server itself finds {len(found)}: it takes this user"
            " for one that was deleted. Restart that server, then run this again."
        )


async def _drop(task: asyncio.Task[tuple[int, RawPage]]) -> None:
    """Cancel a page that is not wanted any more."""
    task.cancel()
    await asyncio.wait([task])
    if not task.cancelled():
        task.exception()  # seen: it is of no concern
