"""The net under the webhooks: looks at the history, and now and then at all series or movies and the files of those that changed.

A look that fails changes nothing: what it would have told, the next one tells. What is missing below a root folder that cannot be
reached is not told as deleted, and is remembered until the root is back.
"""

from __future__ import annotations

import asyncio

import msgspec

from playhead.adapters._arr.answers import HistoryRow, HolderRow
from playhead.adapters._arr.client import ArrClient, Settings
from playhead.adapters._arr.comparing import compare_holders
from playhead.adapters._arr.memory import (
    KeptFile,
    KeptHolder,
    Memory,
    count_files,
    keep_files,
    load_memory,
    note_arrival,
)
from playhead.adapters._arr.past import holder_of, read_date, read_records
from playhead.adapters._arr.paths import is_below, trim_folder
from playhead.adapters._arr.products import Product
from playhead.adapters._arr.registering import list_webhooks, register_webhook, remove_webhook
from playhead.domain.identity.claims import make_claim
from playhead.ports.arrivals import ArrInfo, Arrival, Caught

PAGE = 250
OVERLAP_S = 60.0
LONGEST_BACK_S = 24 * 3600.0
MOST_PAGES = 400
AT_ONCE = 4
FEW = 4  # so many series are asked for singly before the whole list is
TRIES = 3


class ArrNet:
    """A ``CatchesUp`` and ``RegistersWebhooks`` for one program."""

    def __init__(self, settings: Settings, key: str, product: Product) -> None:
        self._client = ArrClient(settings, key, product)
        self._product = product

    async def probe(self) -> ArrInfo:
        """Who answers there."""
        return await self._client.probe()

    async def close(self) -> None:
        """Release the connection."""
        await self._client.close()

    async def find_offline(self) -> tuple[str, ...]:
        """Root folders that cannot be reached."""
        return tuple(
            trim_folder(root.path) for root in await self._client.list_roots() if not root.accessible
        )

    async def list_webhooks(self) -> list[str]:
        """The addresses to which it posts now."""
        return await list_webhooks(self._client)

    async def register_webhook(self, url: str) -> None:
        """Have it post there what the hub can use. It tries the address at once."""
        await register_webhook(self._client, url)

    async def remove_webhook(self, url: str) -> None:
        """Have it post there no more."""
        await remove_webhook(self._client, url)

    async def catch_up(self, memory: bytes | None, *, now: float, sweep: bool) -> Caught:
        """Look at the history, with ``sweep`` at everything."""
        kept = load_memory(memory) if memory is not None else None
        look = Look(self._client, self._product, kept or Memory())
        told, spared = await self._spare(await look.read_past(now=now, first=kept is None))
        look.note(told)
        if sweep:
            found, unsure = await self._spare(await look.compare())
            look.take_back(unsure)
            told, spared = [*told, *found], [*spared, *unsure]
        offline = await self.find_offline() if spared else ()
        return Caught(tuple(told), msgspec.json.encode(look.memory), offline)

    async def _spare(self, told: list[Arrival]) -> tuple[list[Arrival], list[Arrival]]:
        """What is sure, and what is missing below a root folder that cannot be reached."""
        gone = await self.find_offline() if any(each.missing for each in told) else ()
        spared = [each for each in told if each.missing and any(is_below(each.paths[0], r) for r in gone)]
        return [each for each in told if each not in spared], spared


class Look:
    """One look: what was remembered, and what is to be remembered afterwards."""

    def __init__(self, client: ArrClient, product: Product, memory: Memory) -> None:
        self._client = client
        self._product = product
        self._touched: set[int] = set()
        self._before: dict[int, KeptHolder] = {}
        self.memory = memory

    # --- the history

    async def read_past(self, *, now: float, first: bool) -> list[Arrival]:
        """What the history says since the last look. The first look only remembers where it is."""
        if first:
            page = await self._client.page_history(1, 1)
            self._remember(page.records)
            return []
        rows = await self._read_rows(now)
        new = self._pick_new(rows)
        self._touched = {holder_of(row) for row in new}
        await self._know(self._touched)
        self._remember(rows)
        return read_records(new, self._product, self.memory.holders.get)

    def _pick_new(self, rows: list[HistoryRow]) -> list[HistoryRow]:
        """By number; where all numbers are below the known ones the sender was set back, and only dates can tell."""
        if max((row.id for row in rows), default=0) < self.memory.last_id:
            return [row for row in rows if read_date(row.date) > self.memory.last_at]
        return [row for row in rows if row.id > self.memory.last_id]

    def _remember(self, rows: list[HistoryRow]) -> None:
        if rows:
            self.memory.last_id = max(row.id for row in rows)
            self.memory.last_at = max(self.memory.last_at, *(read_date(row.date) for row in rows))

    async def _read_rows(self, now: float) -> list[HistoryRow]:
        """Pages back to the last look, a minute more, at most a day. Records that come meanwhile push others to the next page,
        where they are seen again; where records went meanwhile all is read anew."""
        for _ in range(TRIES):
            rows: dict[int, HistoryRow] = {}
            total: int | None = None
            for number in range(1, MOST_PAGES + 1):
                page = await self._client.page_history(number, PAGE)
                if total is not None and page.totalRecords < total:
                    break
                total = page.totalRecords
                rows |= {row.id: row for row in page.records}
                oldest = min((read_date(row.date) for row in page.records), default=0.0)
                if len(page.records) < PAGE or oldest < self._back_to(now):
                    return self._within(rows, now)
            else:
                break
        return self._within(rows, now)

    def _within(self, rows: dict[int, HistoryRow], now: float) -> list[HistoryRow]:
        since = self._back_to(now)
        return [row for row in rows.values() if read_date(row.date) >= since]

    def _back_to(self, now: float) -> float:
        theirs = now + (self._client.http.clock_skew_s or 0.0)
        return max(self.memory.last_at - OVERLAP_S, theirs - LONGEST_BACK_S)

    async def _know(self, numbers: set[int]) -> None:
        """Series and movies of which nothing is remembered yet: what they are called and where they lie."""
        unknown = numbers - self.memory.holders.keys()
        if len(unknown) > FEW:
            rows = [row for row in await self._client.list_holders() if row.id in unknown]
        else:
            fetched = [await self._client.fetch_holder(number) for number in sorted(unknown)]
            rows = [row for row in fetched if row is not None]
        for row in rows:
            self.memory.holders[row.id] = msgspec.structs.replace(self._keep(row, {}), count=-1)

    def note(self, told: list[Arrival]) -> None:
        """Remember what the history told, so that comparing does not tell it again."""
        by_path = {holder.path: holder for holder in self.memory.holders.values()}
        for arrival in told:
            if arrival.folder in by_path:
                note_arrival(by_path[arrival.folder], arrival)

    # --- everything

    async def compare(self) -> list[Arrival]:
        """What nobody told: files that came or went unsaid, folders that moved, series and movies that are new or gone."""
        rows = {row.id: row for row in await self._client.list_holders()}
        known, first = self.memory.holders, not self.memory.swept
        changed = [row for row in rows.values() if first or self._changed(row, known.get(row.id))]
        fresh = dict(zip([row.id for row in changed], await self._read_files(changed), strict=True))
        found: list[Arrival] = []
        if not first:
            for number in (*fresh, *(known.keys() - rows.keys())):
                found += compare_holders(self._product.source, known.get(number), fresh.get(number))
        self._before = known
        self.memory.holders = {number: fresh.get(number) or known[number] for number in rows}
        self.memory.swept = True
        return found

    def _changed(self, row: HolderRow, kept: KeptHolder | None) -> bool:
        if kept is None or row.id in self._touched:
            return True
        return (kept.path, kept.count, kept.size) != (trim_folder(row.path), *count_files(row))

    async def _read_files(self, rows: list[HolderRow]) -> list[KeptHolder]:
        """Each with its files: from the list itself, or by a request for each that has any, a few at a time."""
        gate = asyncio.Semaphore(AT_ONCE)

        async def read(row: HolderRow) -> KeptHolder:
            if self._client.routes.files_inside:
                files = [] if row.movieFile is None else [row.movieFile]
                return self._keep(row, keep_files(files, row.path))
            if count_files(row)[0] == 0:
                return self._keep(row, {})
            async with gate:
                return self._keep(row, keep_files(await self._client.list_files(row.id), row.path))

        tasks = [asyncio.create_task(read(row)) for row in rows]
        try:
            return await asyncio.gather(*tasks)
        except BaseException:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            raise

    def _keep(self, row: HolderRow, files: dict[str, KeptFile]) -> KeptHolder:
        kind = self._product.claims_kind
        ids = {"tvdb": row.tvdbId, "tvmaze": row.tvMazeId, "tmdb": row.tmdbId, "imdb": row.imdbId}
        claims = {make_claim(source, kind, value) for source, value in ids.items()} if kind else set()
        count, size = count_files(row)
        known = tuple(sorted(claim for claim in claims if claim))
        return KeptHolder(trim_folder(row.path), row.title, known, count, size, files)

    def take_back(self, unsure: list[Arrival]) -> None:
        """What is not told now is remembered as it was, so that a later look finds the difference again."""
        folders = {each.folder for each in unsure}
        for number, kept in self._before.items():
            now = self.memory.holders.get(number, kept)
            if kept.path in folders or now.path in folders:
                self.memory.holders[number] = kept
