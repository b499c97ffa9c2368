"""Model servers that meet ``ports.backend``, with what people, disks and networks do to them. In memory, several users each.

The rules of each kind stand in ``servers``; here are ids, pages, lists that lie, faults, and a record of what was shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec
from xxhash import xxh3_64_intdigest

from playhead.ports.backend import (
    Capabilities,
    Entry,
    Library,
    Listing,
    Outcome,
    PageContent,
    RawPage,
    Receipt,
    Write,
)
from playhead.ports.errors import ServerFault
from tests.properties.servers import BLANK_CELL, RUNTIME_S, Cell, Rules, is_unplayed, show

_BODY = msgspec.json.Decoder(tuple[list[Entry], int])
Key = tuple[str, str]  # user, item


class Killed(BaseException):
    """The process is gone in the middle of a write."""


@dataclass
class ModelServer:
    """One server. ``cells`` hold each user's state of each item; ``ids`` the native ids of the items it has."""

    name: str
    rules: Rules
    users: tuple[str, ...]
    skew_s: int = 0
    ids: dict[str, str] = field(default_factory=dict)
    files: dict[str, int] = field(default_factory=dict)  # item -> version of its file
    cells: dict[Key, Cell] = field(default_factory=dict)
    numbers: int = 0
    page_fault: str = ""  # "", error, short, stale, once
    write_fault: str = ""  # "", before, after, kill: of the next write
    lying: set[str] = field(default_factory=set)  # items that lists show blank, the direct route does not
    shown: set[Key] = field(default_factory=set)  # watched, as a page said
    writes: list[tuple[str, Write]] = field(default_factory=list)
    pages: dict[str, bytes] = field(default_factory=dict)

    def add(self, item: str) -> None:
        """Put an item into the library, under an id that was never used."""
        self.numbers += 1
        self.ids[item] = f"{self.name}-{self.numbers}"
        self.files.setdefault(item, 1)

    def cell(self, user: str, item: str) -> Cell:
        return self.cells.get((user, item), BLANK_CELL)

    def entries(self, user: str, *, direct: bool) -> list[Entry]:
        """What the user's list shows, in the order of ids."""
        return [self._entry(user, item, direct=direct) for item in sorted(self.ids, key=self.ids.__getitem__)]

    def _entry(self, user: str, item: str, *, direct: bool) -> Entry:
        cell = BLANK_CELL if item in self.lying and not direct else self.cell(user, item)
        return Entry(
            self.ids[item],
            "movie",
            title=item,
            year=2000,
            runtime_s=RUNTIME_S,
            claims=(f"imdb:movie:tt{item}",),
            files=(f"/films/{item}.mkv",),
            media_key=f"{item}-{self.files[item]}",
            watched=cell.watched,
            plays=cell.plays,
            last_played=cell.date,
            position_s=cell.position_s,
            unplayed=is_unplayed(cell),
        )


class ModelBackend:
    """One user's account on a model server. ``clock`` gives the hub's time."""

    def __init__(self, server: ModelServer, user: str, clock: list[int]) -> None:
        self.server = server
        self.user = user
        self.clock = clock

    @property
    def capabilities(self) -> Capabilities:
        both = frozenset({"watched", "progress"})
        return Capabilities(both, both, self.server.rules.takes_date, lean_lists=False, page_size=2)

    async def list_libraries(self) -> list[Library]:
        return [Library("1", "Films", ("movie",))]

    def plan_listings(self, library: Library, *, lean: bool) -> list[Listing]:
        return [Listing(library.id, "leaf", lean=lean)]

    async def fetch_page(self, listing: Listing, start: int, size: int) -> RawPage:
        server = self.server
        key = f"{self.user}/{start}"
        entries = server.entries(self.user, direct=False)
        body = msgspec.json.encode((entries[start : start + size], len(entries)))
        if server.page_fault == "error" and start:
            raise ServerFault("It broke in the middle.")
        if server.page_fault == "short" and start:
            body = msgspec.json.encode(([], len(entries)))
        if server.page_fault == "stale" and key in server.pages:
            body = server.pages[key]
        else:
            server.pages[key] = body
        if server.page_fault == "once":
            server.page_fault = ""
            raise ServerFault("It broke at the start.")
        return RawPage(listing, start, size, key, body, xxh3_64_intdigest(body) - (1 << 63))

    def decode_page(self, page: RawPage) -> PageContent:
        entries, total = _BODY.decode(page.body)
        names = {native: item for item, native in self.server.ids.items()}
        self.server.shown |= {
            (self.user, names[entry.native_id])
            for entry in entries
            if entry.watched and entry.native_id in names
        }
        return PageContent(entries, (), len(entries), total)

    async def fetch_entries(self, native_ids: Sequence[str]) -> list[Entry]:
        if self.server.page_fault in ("error", "once"):
            raise ServerFault("It is down.")
        return [e for e in self.server.entries(self.user, direct=True) if e.native_id in native_ids]

    async def apply(self, write: Write) -> Receipt:
        server = self.server
        fault, server.write_fault = server.write_fault, ""
        item = next((item for item, native in server.ids.items() if native == write.native_id), None)
        if item is None:
            return Receipt(Outcome.missing, message="It is not there.")
        if fault == "before":
            return Receipt(Outcome.failed, message="It is down.")
        now = self.clock[0] + server.skew_s
        cell, after = server.rules.write(server.cell(self.user, item), write, now)
        server.cells[self.user, item] = cell
        server.writes.append((self.user, write))
        if fault == "kill":
            raise Killed
        if fault == "after":
            return Receipt(Outcome.unsure, message="No answer came.")
        if after is None:
            seen = msgspec.structs.replace(show(cell), last_played=None)
            return Receipt(Outcome.refused, seen, "cannot-clear-position", "It cannot be cleared.")
        return Receipt(Outcome.done, after)

    async def close(self) -> None:
        return
