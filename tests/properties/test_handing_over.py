"""Logins that change hands, any number of times and in any order: nothing of a former person reaches the next one.

Who acts on a login is whoever has it then; while it is nobody's, whoever had it last, if they get it again.
Judged: a person has nothing agreed that none of their own acts could have made, and nothing becomes unwatched that the login's
person did not take back.
"""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from playhead.store.accounts import begin_anew, ensure_account, load_unbegun, note_absence
from tests.properties.conftest import FEW, LONG
from tests.properties.servers import KINDS
from tests.properties.town import Town
from tests.properties.world import ModelServer

LOGINS = ("anna", "ben")
PERSONS = ("anna", "ben", "carol")
ITEMS = ("1", "2")
number = st.integers(0, 5)
steps = st.one_of(
    st.tuples(st.sampled_from(["play", "play", "mark", "unmark", "stop"]), number, number, number),
    st.tuples(st.just("link"), number, number, st.integers(0, 3)),
    st.tuples(st.just("link"), number, number, st.integers(0, 3)),
    st.tuples(st.just("hear"), number, number, number),
    st.tuples(st.just("break"), number, number, number),
    st.tuples(st.just("run"), number, number, number),
)


class House:
    """A town whose logins have owners."""

    def __init__(self, kinds: list[str]) -> None:
        self.town = Town([KINDS[kind] for kind in kinds], LOGINS, ITEMS)
        self.owners: dict[tuple[str, str], str | None] = {
            (server.name, login): login for server in self.town.servers for login in LOGINS
        }
        self.roles, self.requests = dict(self.town.roles), list(self.town.requests)
        self.last = dict(self.owners)
        self.did: set[tuple[str | None, str]] = set()
        self.took_back: set[tuple[str | None, str]] = set()
        self.meanwhile: dict[tuple[str, str], list[tuple[str, str]]] = {}

    def take(self, step: tuple[str, int, int, int]) -> None:
        what, s, login_number, n = step
        server, login = self.town.servers[s % len(self.town.servers)], LOGINS[login_number % 2]
        item, owner = ITEMS[n % 2], self.owners[server.name, login]
        if what == "link":
            self.link(server, login, (*PERSONS, None)[n])
        elif what == "hear":
            self.join()
            if any(role.connection == server.name for role in self.town.roles.values()):
                self.town.hear(login, server, item)
        elif what == "break":
            server.page_fault = ("error", "", "short")[n % 3]
        elif what == "run":
            self.run()
        else:
            self.town.act(what, login, server, item, 600)
            if owner is None:
                self.meanwhile.setdefault((server.name, login), []).append((what, item))
            self.count(what, owner, item)
        self.town.wait(1_000)

    def count(self, what: str, person: str | None, item: str) -> None:
        (self.took_back if what == "unmark" else self.did).add((person, item))

    def link(self, server: ModelServer, login: str, person: str | None) -> None:
        key = server.name, login
        self.owners[key] = person
        if person is not None:
            for what, item in self.meanwhile.pop(key, ()):
                if person == self.last[key]:
                    self.count(what, person, item)
            self.last[key] = person
        if person is not None:
            ensure_account(
                self.town.database,
                person_name=person,
                connection_name=server.name,
                kind=server.rules.name,
                server_id=server.name,
                user_id=login,
                user_name=login,
                now=self.town.now,
            )

    def join(self) -> None:
        """Roles as the wiring gives them: of logins that are somebody's and were read for them."""
        database = self.town.database
        with database.read() as rows:
            persons = {name: id for id, name in rows.exec_driver_sql("SELECT id, name FROM person")}
        linked: dict[int, Any] = {}
        for account, role in self.roles.items():
            person = self.owners[role.connection, role.user_id]
            if person is not None:
                linked[account] = msgspec.structs.replace(role, person=person, person_id=persons[person])
        note_absence(database, list(linked))
        waiting = load_unbegun(database)
        self.town.requests = [request for request in self.requests if request.account_id in linked]
        self.town.roles = {account: role for account, role in linked.items() if account not in waiting}

    def run(self) -> None:
        self.join()
        complete = [result.account_id for result in self.town.read() if result.status == "complete"]
        begin_anew(self.town.database, complete, self.town.now)
        self.join()
        before = self.cells()
        self.town.wait(5)
        self.town.sync()
        self.judge(before)

    def cells(self) -> dict[tuple[str, str, str], bool]:
        return {
            (server.name, login, item): server.cell(login, item).watched
            for server in self.town.servers
            for login in LOGINS
            for item in ITEMS
        }

    def judge(self, before: dict[tuple[str, str, str], bool]) -> None:
        for (person, item), agreed in self.town.agreed().items():
            if agreed["watched"] or agreed["position_s"]:
                assert (person, item) in self.did, f"{person} never touched {item}"
        for (server, login, item), watched in self.cells().items():
            if before[server, login, item] and not watched:
                owner = self.owners[server, login]
                assert (owner, item) in self.took_back, f"{item} of {login} on {server} was unwatched"
            if watched and not before[server, login, item]:
                owner = self.owners[server, login]
                assert (owner, item) in self.did, f"{item} was written to {login} on {server}"


@settings(FEW, max_examples=2_000 if LONG else 120)
@given(
    kinds=st.lists(st.sampled_from(sorted(KINDS)), min_size=2, max_size=3),
    steps=st.lists(steps, min_size=4, max_size=16),
)
def test_nothing_of_a_former_person_reaches_the_next(
    kinds: list[str], steps: list[tuple[str, int, int, int]]
) -> None:
    """Whoever has a login when, once it was read for the first of them."""
    house = House(kinds)
    try:
        house.run()
        for step in steps:
            house.take(step)
        for server in house.town.servers:
            server.page_fault = ""
        house.run()
        house.run()
    finally:
        house.town.close()
