"""Each item is told exactly once over random histories of three servers: additions, refreshes, re-matches, moves, renames,
deletions, upgrades, looks that break off or run two at a time, processes that are killed."""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playhead.flows.find_additions import NewsLane, look, take_proved
from playhead.ports.errors import Unreachable
from playhead.ports.scans import FileItem
from playhead.store.additions import SqlAdditions
from tests.flows.newsroom import FakeServer, Newsroom, change, library

from .conftest import LONG, ON_SQLITE

STEPS = (
    "add",
    "add_many",
    "add_old",
    "copy",
    "refresh",
    "rematch",
    "move",
    "rename",
    "delete",
    "upgrade",
    "look",
    "two",
    "broken",
    "kill",
)
SERVERS = ("Plex", "Jellyfin", "Emby")
JELLYFIN = "Jellyfin"  # gives old dates, and tells what it stored lately
FOLDERS = {"Plex": "/srv", "Jellyfin": "/media", "Emby": ""}  # Emby's are not mapped


class Killed(Exception):
    """The process is gone."""


class _Dying(SqlAdditions):
    """Dies within or after its next transaction, so that it is there whole or not at all."""

    def take(self, *arguments: Any, **options: Any) -> Any:
        super().take(*arguments, **options)
        raise Killed


class Town:
    """Works, by number, on servers; and what a person would say was new."""

    def __init__(self, room: Newsroom, seed: int) -> None:
        self.room = room
        self.random = random.Random(seed)
        self.servers = {name: FakeServer(library("1", "Films")) for name in SERVERS}
        self.works: dict[str, dict[str, int]] = {name: {} for name in SERVERS}  # native id -> work
        self.count = 0
        self.ids = 0
        self.known: set[int] = set()
        self.expected: Counter[tuple[str, str]] = Counter()

    def lane(self, name: str, additions: Any = None) -> NewsLane:
        server = self.servers[name]
        server.now = lambda: self.room.now
        saved = server if name == JELLYFIN else None
        return self.room.lane(
            name, server, FOLDERS[name], additions=additions, page=3, first_page=3, saved=saved
        )

    async def look(self, name: str) -> None:
        await look(self.lane(name))
        self.note(name)

    def note(self, name: str) -> None:
        for work in self.works[name].values():
            if work not in self.known:
                self.known.add(work)
                self.expected["new", f"Work {work}"] += 1

    def put(
        self, name: str, work: int, item: FileItem | None = None, dated: int | None = None, **fields: Any
    ) -> None:
        self.ids += 1
        self.room.now += self.random.choice((0, 1, 30, 500))
        folder = FOLDERS[name] or "/emby"
        fresh = FileItem(
            native_id=f"{self.ids}", library_id="1", kind="movie", files=(f"{folder}/w{work}/w{work}.720p.web.mkv",),
            title=f"Work {work}", year=1990, claims=(f"imdb:movie:tt{work:07}",), added_at=dated or int(self.room.now),
        )  # fmt: skip
        made = change(
            item or fresh,
            native_id=fresh.native_id,
            **({"added_at": fresh.added_at} if item else {}),
            **fields,
        )
        self.servers[name].put(made)
        self.works[name][made.native_id] = work

    def take_away(self, name: str, native_id: str) -> FileItem:
        del self.works[name][native_id]
        return self.servers[name].items.pop(native_id)

    async def step(self, what: str, name: str) -> None:
        if what in ("add", "add_many"):
            for _ in range(1 if what == "add" else 11):
                self.count += 1
                self.put(name, self.count)
        elif what == "add_old":
            self.count += 1
            self.put(JELLYFIN, self.count, dated=1)
        elif what == "copy":
            there = [work for works in self.works.values() for work in works.values()]
            if missing := sorted(set(there) - set(self.works[name].values())):
                self.put(name, self.random.choice(missing), **self.random.choice(({}, {"claims": ()})))
        elif what in ("look", "two", "broken", "kill"):
            await self.look_badly(what, name)
        elif self.works[name]:
            await self.look(name)  # what changes before it was seen is another thing that came
            await self.alter(what, name, self.random.choice(sorted(self.works[name])))
            await self.look(name)

    async def alter(self, what: str, name: str, native_id: str) -> None:
        server = self.servers[name]
        item, work = server.items[native_id], self.works[name][native_id]
        if what == "refresh":
            server.put(
                change(
                    item,
                    claims=(*item.claims, f"tmdb:movie:{work}"),
                    poster=f"/p{self.ids}",
                    added_at=item.added_at,
                )
            )
        elif what == "delete":
            self.take_away(name, native_id)
        elif what == "rematch":
            self.take_away(name, native_id)
            self.put(
                name, work, item, claims=(f"imdb:movie:tt{5000 + self.ids:07}",), title=f"Work {work} again"
            )
        elif what == "move":
            self.take_away(name, native_id)
            self.put(
                name, work, item, files=tuple(file.replace("/w", f"/m{self.ids}/w", 1) for file in item.files)
            )
        elif what == "rename":
            self.take_away(name, native_id)
            self.put(name, work, item, files=tuple(file.replace(".mkv", " x.mkv") for file in item.files))
        elif what == "upgrade":
            await self.upgrade(name, native_id, item)

    async def upgrade(self, name: str, native_id: str, item: FileItem) -> None:
        """Told by whoever put it there, with a date that did not move."""
        file = f"{item.files[0]}.{self.ids}.mkv"
        self.ids += 1
        self.servers[name].put(change(item, files=(file,)))
        hub = self.lane(name).paths.to_hub(file) or file
        self.expected["upgraded", f"Work {self.works[name][native_id]}"] += 1
        for _ in range(2):
            await take_proved(self.lane(name), library("1", "Films"), [file], {hub: "upgraded"})

    async def look_badly(self, what: str, name: str) -> None:
        lane = self.lane(name)
        if what == "two":
            await asyncio.gather(look(lane), look(lane))
            self.note(name)
        elif what == "broken":
            self.servers[name].breaks_after = self.random.randrange(3)
            with suppress(Unreachable):
                await look(lane)
                self.note(name)
            self.servers[name].breaks_after = None
        elif what == "kill":
            with pytest.raises(Killed):
                await look(self.lane(name, _Dying(self.room.file)))
            self.note(name)  # what was stored is told
            self.room.restart()
        else:
            await self.look(name)


@settings(ON_SQLITE, max_examples=3_000 if LONG else 60)
@given(
    there=st.lists(st.sampled_from(SERVERS), max_size=8),
    history=st.lists(st.tuples(st.sampled_from(STEPS), st.sampled_from(SERVERS)), max_size=25),
    seed=st.integers(0, 2**32),
)
def test_each_item_is_told_exactly_once(there: list[str], history: list[tuple[str, str]], seed: int) -> None:
    """Whatever happened, what was told is what came after the servers were first seen: no item twice, none missing."""
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_live(Newsroom(Path(folder)), there, history, seed))


async def _live(room: Newsroom, there: list[str], history: list[tuple[str, str]], seed: int) -> None:
    town = Town(room, seed)
    for name in there:
        town.count += 1
        town.put(name, town.count)
    room.now += 1
    for name in SERVERS:
        town.known |= set(town.works[name].values())
    for name in SERVERS:
        await town.look(name)
    room.now += 1
    for what, name in history:
        await town.step(what, name)
    for name in SERVERS:
        await town.look(name)
        await town.look(name)
    told = room.told()
    assert Counter(town_title(each) for each in told) == town.expected
    room.file.close()


def town_title(told: tuple[str, str]) -> tuple[str, str]:
    """A re-match changes the words, not the work."""
    return told[0], told[1].replace(" again", "")
