"""Persons with accounts on model servers, and a real hub between them: the flows, the ledger and the import on SQLite.

Keeps what persons did, so that the end can be judged without asking the merge.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from playhead.flows import deliver
from playhead.flows.context import Context
from playhead.flows.observe import Observation, observe
from playhead.flows.read import ReadRequest, read_accounts
from playhead.flows.sync import Plan, SyncResult, plan_changes, run_sync
from playhead.ports.events import Event, Heard
from playhead.ports.inbox import WaitingEvent
from playhead.ports.ledger import AccountRole
from playhead.store.accounts import ensure_account
from playhead.store.database import Database, open_database
from playhead.store.ledger import SqlLedger
from playhead.store.readings import Readings
from tests.properties.servers import Cell, Rules, unmark
from tests.properties.world import Killed, ModelBackend, ModelServer

START = 1_700_000_000


@cache
def _template() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="playhead-town-"))
    open_database(folder).close()
    return folder


class Town:
    """``kinds`` are servers; every person has an account on each, under their own name."""

    def __init__(
        self,
        kinds: Sequence[Rules],
        persons: Sequence[str] = ("anna",),
        items: Sequence[str] = ("1", "2"),
        *,
        skews: Sequence[int] = (),
        read_only: Iterable[int] = (),
    ) -> None:
        self.clock = [START]
        self.began = START  # the newest pass
        self.persons, self.items = tuple(persons), tuple(items)
        self.servers = [
            ModelServer(f"{rules.name}-{n}", rules, self.persons, skews[n] if n < len(skews) else 0)
            for n, rules in enumerate(kinds)
        ]
        for server in self.servers:
            for item in items:
                server.add(item)
        self.home = Path(tempfile.mkdtemp(prefix="playhead-town-"))
        shutil.copy(_template() / "playhead.db", self.home / "playhead.db")
        self.database: Database = open_database(self.home)
        self.roles: dict[int, AccountRole] = {}
        self.backends: dict[int, ModelBackend] = {}
        self.requests: list[ReadRequest] = []
        for number, server in enumerate(self.servers):
            for person in self.persons:
                self._connect(server, person, write=number not in set(read_only))
        self.acts: list[tuple[int, str, str, str, str]] = []  # time, what, person, server, item
        self.dates: dict[
            tuple[str, str], set[int]
        ] = {}  # person, item -> dates that servers gave to their plays
        self.stops: dict[tuple[str, str], set[int]] = {}

    def _connect(self, server: ModelServer, person: str, *, write: bool) -> None:
        key = ensure_account(
            self.database,
            person_name=person,
            connection_name=server.name,
            kind=server.rules.name,
            server_id=server.name,
            user_id=person,
            user_name=person,
            now=self.now,
        )
        backend = ModelBackend(server, person, self.clock)
        with self.database.read() as rows:
            person_id = rows.exec_driver_sql(
                "SELECT person_id FROM account WHERE id=?", (key.account_id,)
            ).scalar_one()
        self.roles[key.account_id] = AccountRole(
            key.account_id, person_id, key.connection_id, person, server.name, person, server.rules.name,
            write=write, takes_date=server.rules.takes_date, skew_s=server.skew_s, user_id=person,
            server_id=server.name,
        )  # fmt: skip
        self.backends[key.account_id] = backend
        self.requests.append(
            ReadRequest(
                key.account_id,
                key.connection_id,
                server.name,
                backend,
                backend.capabilities,
                max_shrink_share=1.0,
            )
        )

    def close(self) -> None:
        self.database.close()
        shutil.rmtree(self.home)

    @property
    def now(self) -> int:
        return self.clock[0]

    def wait(self, seconds: int) -> None:
        self.clock[0] += seconds

    # -- what persons do

    def act(self, what: str, person: str, server: ModelServer, item: str, position_s: int = 0) -> bool:
        """Let a person do something; False where the server has no such item."""
        if item not in server.ids:
            return False
        rules, before, at = server.rules, server.cell(person, item), self.now + server.skew_s
        if what == "play":
            after = rules.play(before, at)
        elif what == "mark":
            after = rules.mark(before, at)
        elif what == "stop":
            after = rules.stop(before, at, position_s)
            self.stops.setdefault((person, item), set()).add(position_s)
        else:
            after = unmark(before)
        server.cells[person, item] = after
        if what in ("play", "mark") and after.date is not None:
            self.dates.setdefault((person, item), set()).update({after.date, after.date - server.skew_s})
        if not after.watched:
            server.shown.discard((person, item))
        self.acts.append((self.now, what, person, server.name, item))
        return True

    # -- what the hub does

    def context(self) -> Context:
        return Context(
            ledger=SqlLedger(self.database),
            roles=self.roles,
            now=lambda: self.now,
            backends=self.backends,
            began=self.began,
        )

    def read(self, servers: Iterable[str] | None = None, *, full: bool = False) -> list[Any]:
        """Import from some servers, or all."""
        self.began = self.now
        wanted = [r for r in self.requests if servers is None or r.connection in set(servers)]
        with Readings(self.database) as store:
            return asyncio.run(read_accounts(wanted, store, clock=lambda: self.now, full=full))

    def sync(self) -> SyncResult | None:
        """Reconcile and deliver; None where the process was killed."""
        rounds, deliver.ROUNDS = deliver.ROUNDS, 1  # what failed is left to the next pass
        try:
            return asyncio.run(run_sync(self.context()))
        except Killed:
            return None
        finally:
            deliver.ROUNDS = rounds

    def hear(
        self, person: str | None, server: ModelServer, item: str, *, what: Heard = Heard.state
    ) -> Observation | None:
        """The server tells of an item of a person (None = not of whom); None where the process was killed."""
        connection = next(r.connection_id for r in self.roles.values() if r.connection == server.name)
        event = Event(
            "socket", what, "Changed", (server.ids.get(item, "gone"),), person, server_id=server.name
        )
        rounds, deliver.ROUNDS = deliver.ROUNDS, 1
        try:
            return asyncio.run(observe(self.context(), [WaitingEvent(1, connection, event, self.now)]))
        except Killed:
            return None
        finally:
            deliver.ROUNDS = rounds

    def plan(self) -> Plan:
        return asyncio.run(plan_changes(self.context()))

    def run(self, servers: Iterable[str] | None = None) -> SyncResult | None:
        self.read(servers)
        self.wait(5)
        return self.sync()

    def settle(self, most: int = 8) -> int:
        """Heal every server, then read and sync until a pass plans nothing; how many passes that took."""
        for server in self.servers:
            server.page_fault = server.write_fault = ""
            server.lying.clear()
        for turn in range(most):
            self.wait(1_200)
            done = self.run()
            if done is not None and not (done.planned or done.written or done.failed):
                return turn + 1
        raise AssertionError(f"not at rest after {most} passes: {done}")

    # -- what can be seen

    def agreed(self) -> dict[tuple[str, str], Any]:
        """The hub's own values by person and item."""
        with self.database.read() as rows:
            found = rows.exec_driver_sql(
                "SELECT p.name, i.title, a.* FROM agreed a JOIN person p ON p.id = a.person_id"
                " JOIN item i ON i.id = a.item_id"
            ).mappings()
            return {(row["name"], row["title"]): dict(row) for row in found}

    def bases(self) -> dict[tuple[str, str, str], bool | None]:
        """Whether the accounts' bases are watched: by server, person, item; None = no base."""
        with self.database.read() as rows:
            found = rows.exec_driver_sql(
                "SELECT c.name, u.user_id, i.title, s.b_watched FROM state s JOIN ref r ON r.id = s.ref_id"
                " JOIN item i ON i.id = r.item_id JOIN account u ON u.id = s.account_id"
                " JOIN connection c ON c.id = u.connection_id WHERE r.gone_at IS NULL"
            )
            return {(row[0], row[1], row[2]): row[3] for row in found}

    def cells(self, person: str, item: str) -> dict[str, Cell]:
        """What each server that has the item keeps for the person."""
        return {s.name: s.cell(person, item) for s in self.servers if item in s.ids}
