"""A town whose hub runs as ``serve`` runs it: events from an inbox, lanes to the servers, and servers that take their time."""

from __future__ import annotations

import asyncio
import dataclasses
import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from playhead.flows.context import Context
from playhead.flows.observe import Observation, follow_up, observe
from playhead.ports.backend import Entry, Receipt, Write
from playhead.ports.events import Event, Heard
from playhead.ports.inbox import NewEvent, WaitingEvent
from playhead.ports.looking import Recent
from playhead.runtime.home import Home
from playhead.runtime.lanes import Lanes
from playhead.runtime.looks import Looks
from playhead.runtime.turns import FileTurns
from playhead.runtime.worker import Worker
from playhead.store.inbox import SqlInbox
from playhead.store.ledger import SqlLedger
from tests.properties.servers import Rules
from tests.properties.town import Town
from tests.properties.world import ModelBackend, ModelServer


class Slow:
    """A backend before which a test stands: ``write`` and ``read`` are waited for before or after the server acts."""

    def __init__(self, backend: ModelBackend, ledgers: Sequence[SqlLedger]) -> None:
        self.backend = backend
        self.ledgers = ledgers
        self.before_write: Callable[[], Any] = lambda: asyncio.sleep(0)
        self.after_write: Callable[[], Any] = lambda: asyncio.sleep(0)
        self.before_read: Callable[[], Any] = lambda: asyncio.sleep(0)
        self.after_read: Callable[[], Any] = lambda: asyncio.sleep(0)
        self.taken = 0
        self.elsewhere = int(backend.server.rules.name == "emby")  # watched there in another library

    def __getattr__(self, name: str) -> Any:
        return getattr(self.backend, name)

    async def fetch_entries(self, native_ids: Sequence[str]) -> list[Entry]:
        self._see_no_transaction()
        await self.before_read()
        found = await self.backend.fetch_entries(native_ids)
        await self.after_read()
        return found

    async def fetch_recent(self, most: int) -> Recent:
        self._see_no_transaction()
        entries = self.backend.server.entries(self.backend.user, direct=True)
        plays = sorted(
            ((e.native_id, e.last_played) for e in entries if e.last_played), key=lambda play: -play[1]
        )
        back_to = plays[most - 1][1] if len(plays) >= most else None
        watched = sum(bool(e.watched) for e in entries) + self.elsewhere
        return Recent(tuple(plays[:most]), watched, back_to)

    async def fetch_watched(self) -> frozenset[str]:
        self._see_no_transaction()
        entries = self.backend.server.entries(self.backend.user, direct=True)
        hidden = (f"elsewhere {number}" for number in range(self.elsewhere))
        return frozenset([*(e.native_id for e in entries if e.watched), *hidden])

    async def apply(self, write: Write) -> Receipt:
        self._see_no_transaction()
        await self.before_write()
        receipt = await self.backend.apply(write)
        self.taken += 1
        await self.after_write()
        return receipt

    def _see_no_transaction(self) -> None:
        """Who waits for a server with the database's write lock in hand keeps everybody else waiting."""
        held = [
            ledger for ledger in self.ledgers if ledger._open is not None and ledger._open.in_transaction()
        ]
        assert not held


class Street:
    """Run it with ``async with``; ``put`` tells an event, ``rest`` waits until nothing is left to do."""

    def __init__(self, town: Town, folder: Path) -> None:
        self.town = town
        self.inbox = SqlInbox(folder / "inbox.db")
        self.ledgers: list[SqlLedger] = []
        self.turns = FileTurns(Home(folder))
        self.lanes = Lanes(self.make_context, self.look_again)
        self.worker = Worker(self.inbox, self._observe, ask_to_read=lambda _: None, now=lambda: town.now)
        self.slow = {
            (role.connection, role.user): Slow(town.backends[role.account_id], self.ledgers)
            for role in town.roles.values()
        }
        self.to_read: list[set[str]] = []
        self.told: list[str] = []
        self.looks = Looks(
            self.make_context,
            self.tell,
            lambda names: self.to_read.append(set(names)),
            settle_s=0.1,
            now=lambda: town.now,
        )
        self.faults: list[str] = []
        self.holds = True
        self.left = False

    async def __aenter__(self) -> Street:
        self._running = asyncio.create_task(self.worker.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self.worker.stop()
        await self.lanes.close(0.1)
        self._running.cancel()
        with suppress(asyncio.CancelledError):
            await self._running
        self.inbox.close()

    def backend(self, server: ModelServer, person: str = "anna") -> Slow:
        return self.slow[server.name, person]

    def make_context(self) -> Context:
        town = self.town
        backends: Any = {
            role.account_id: self.slow[role.connection, role.user] for role in town.roles.values()
        }
        ctx = dataclasses.replace(
            town.context(),
            backends=backends,
            turns=self.turns,
            hand_over=self.lanes.ask,
            lease_at_once=8,
            still_holds=lambda: self.holds,
        )
        assert isinstance(ctx.ledger, SqlLedger)
        self.ledgers.append(ctx.ledger)
        return ctx

    def look_again(self) -> None:
        self.left = True

    async def _observe(self, waiting: Sequence[WaitingEvent]) -> Observation:
        seen = await observe(self.make_context(), waiting)
        self.faults += [end.message for end in seen.ended if "Error" in end.message]
        return seen

    def put(self, server: ModelServer, item: str, person: str | None = "anna") -> None:
        """The server tells that something of an item changed."""
        connection = next(r.connection_id for r in self.town.roles.values() if r.connection == server.name)
        event = Event("socket", Heard.state, "Changed", (server.ids[item],), person)
        self.inbox.put([NewEvent(connection, event, self.town.now)])
        self.worker.wake()

    def tell(self, events: Sequence[NewEvent]) -> None:
        self.told += [native for each in events for native in each.event.native_ids]
        self.inbox.put(events)
        self.worker.wake()

    async def look(self, server: ModelServer, since: int | None = None) -> None:
        """At anna's account there; with ``since`` as after a line that was down."""
        account = next(
            r.account_id for r in self.town.roles.values() if (r.connection, r.user) == (server.name, "anna")
        )
        if since is None:
            await self.looks.look_at(account, None)
        else:
            self.looks.look_back([account], since)
            await self.until(lambda: not self.looks.busy)

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(30):
            while not holds():  # noqa: ASYNC110 - nothing to wait on from outside
                await asyncio.sleep(0.002)

    async def rest(self) -> None:
        """Until no event waits, nothing is written and nothing is left to look at; the clock goes on meanwhile."""
        for _ in range(200):
            self.worker.wake()
            await asyncio.sleep(0.01)
            if self.left and not self.lanes.busy:
                self.left = False
                await follow_up(self.make_context())
            elif not (self.lanes.busy or self.inbox.count_waiting() or self.worker.busy):
                assert self.faults == []
                return
            self.town.wait(1)
        raise AssertionError("never at rest")


def make_town(kinds: Sequence[Rules], items: int) -> Town:
    town = Town(kinds, ("anna",), tuple(str(number) for number in range(1, items + 1)))
    town.settle()
    town.wait(4_000)
    return town


def dawdle(rng: random.Random, most: int) -> Callable[[], Any]:
    """Lets others go first, some of the time."""

    async def wait() -> None:
        for _ in range(rng.randrange(most)):
            await asyncio.sleep(0)

    return wait
