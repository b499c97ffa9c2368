"""Any number of persons and servers, any order of acts, faults and runs, on the real flows, import and SQLite ledger.

What is judged: it comes to rest in agreement; what was watched stays watched unless its person took it back; nothing is
invented; nobody's state reaches another person; an un-play made in peace reaches every server.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)

from tests.properties.conftest import ON_SQLITE
from tests.properties.servers import KINDS
from tests.properties.town import Town
from tests.properties.world import ModelServer

PERSONS = ("anna", "ben", "kid")
ITEMS = ("1", "2", "3")
numbers = st.integers(min_value=0, max_value=5)
kinds = st.lists(st.sampled_from(sorted(KINDS)), min_size=2, max_size=4)


class TownMachine(RuleBasedStateMachine):
    """One town from its founding to the day it is judged."""

    def __init__(self) -> None:
        super().__init__()
        self.town: Town

    @initialize(
        names=kinds,
        persons=st.integers(1, 3),
        items=st.integers(1, 3),
        skews=st.lists(st.sampled_from([0, 0, 90, -4_000]), max_size=4),
        read_only=st.sets(st.integers(1, 5), max_size=1),
    )
    def found(
        self, names: list[str], persons: int, items: int, skews: list[int], read_only: set[int]
    ) -> None:
        self.town = Town(
            [KINDS[n] for n in names], PERSONS[:persons], ITEMS[:items], skews=skews, read_only=read_only
        )

    def pick(self, person: int, server: int, item: int) -> tuple[str, ModelServer, str]:
        town = self.town
        persons = town.persons[:-1] if len(town.persons) == 3 else town.persons  # the kid never does anything
        return (
            persons[person % len(persons)],
            town.servers[server % len(town.servers)],
            town.items[item % len(town.items)],
        )

    @rule(
        what=st.sampled_from(["play", "play", "mark", "unmark"]),
        p=numbers,
        s=numbers,
        i=numbers,
        wait=st.sampled_from([40, 4_000]),
    )
    def act(self, what: str, p: int, s: int, i: int, wait: int) -> None:
        person, server, item = self.pick(p, s, i)
        self.town.act(what, person, server, item)
        self.town.wait(wait)

    @rule(p=numbers, s=numbers, i=numbers, minutes=st.integers(2, 80))
    def stop(self, p: int, s: int, i: int, minutes: int) -> None:
        person, server, item = self.pick(p, s, i)
        self.town.act("stop", person, server, item, 60 * minutes + 10 * (len(self.town.acts) % 6))
        self.town.wait(1_000)

    @rule(s=numbers, i=numbers)
    def lose_or_return(self, s: int, i: int) -> None:
        _, server, item = self.pick(0, s, i)
        if item in server.ids:
            del server.ids[item]
            if server.rules.returns_blank:
                self.forget(server, item)
        else:
            server.add(item)

    @rule(s=numbers, i=numbers, lies=st.booleans())
    def rename(self, s: int, i: int, lies: bool) -> None:
        """The file gets a new name: a new id, the state kept, the lists maybe blank for a while."""
        _, server, item = self.pick(0, s, i)
        if item in server.ids:
            server.add(item)
            if lies:
                server.lying.add(item)

    @rule(s=numbers, i=numbers)
    def replace_file(self, s: int, i: int) -> None:
        """Another file under the same id; its state is blank."""
        _, server, item = self.pick(0, s, i)
        if item in server.ids:
            server.files[item] += 1
            self.forget(server, item)

    def forget(self, server: ModelServer, item: str) -> None:
        for person in self.town.persons:
            server.cells.pop((person, item), None)

    @rule(s=numbers, fault=st.sampled_from(["before", "after", "kill"]))
    def break_write(self, s: int, fault: str) -> None:
        self.pick(0, s, 0)[1].write_fault = fault

    @rule(s=numbers, fault=st.sampled_from(["", "error", "short", "stale", "once"]))
    def break_pages(self, s: int, fault: str) -> None:
        self.pick(0, s, 0)[1].page_fault = fault

    @rule(some=st.none() | st.sets(numbers, min_size=1, max_size=3))
    def run(self, some: set[int] | None) -> None:
        town = self.town
        names = None if some is None else {town.servers[n % len(town.servers)].name for n in some}
        town.run(names)
        town.wait(600)

    @rule(p=numbers, s=numbers, i=numbers, named=st.booleans())
    def hear(self, p: int, s: int, i: int, named: bool) -> None:
        """A server tells that something changed, true or not, with or without saying whose it is."""
        person, server, item = self.pick(p, s, i)
        self.town.hear(person if named else None, server, item)
        self.town.wait(40)

    @rule(p=numbers, s=numbers, i=numbers)
    def play_in_peace(self, p: int, s: int, i: int) -> None:
        """In peace, an event of a play is enough: all servers have it at once, and no other person has."""
        person, server, item = self.pick(p, s, i)
        self.town.settle()
        others = {q: self.town.cells(q, item) for q in self.town.persons if q != person}
        self.town.wait(4_000)
        if not self.town.act("play", person, server, item):
            return
        self.town.wait(5)
        self.town.hear(person, server, item)
        for name, cell in self.town.cells(person, item).items():
            assert cell.watched or not self.writable(name), f"{name} was not told of {item}"
        assert others == {q: self.town.cells(q, item) for q in others}

    @rule(p=numbers, s=numbers, i=numbers)
    def unmark_in_peace(self, p: int, s: int, i: int) -> None:
        """All agree that it is watched; a person un-plays it on one server: it is unwatched on all."""
        person, server, item = self.pick(p, s, i)
        self.town.settle()
        agreed = self.town.agreed().get((person, item))
        said = self.town.cells(person, item)
        if (
            not agreed
            or not agreed["watched"]
            or item not in server.ids
            or not all(c.watched for c in said.values())
        ):
            return
        self.town.wait(4_000)
        self.town.act("unmark", person, server, item)
        self.town.wait(4_000)
        self.town.settle()
        for name, cell in self.town.cells(person, item).items():
            assert not cell.watched or not self.writable(name), f"{name} still has {item} of {person} watched"

    def writable(self, name: str) -> bool:
        return any(r.connection == name and r.write for r in self.town.roles.values())

    @rule(p=numbers, s=numbers, i=numbers)
    def stop_in_peace(self, p: int, s: int, i: int) -> None:
        """In peace, a stop on one server is the resume point on all, and watched stays watched."""
        person, server, item = self.pick(p, s, i)
        self.town.settle()
        if item not in server.ids:
            return
        before = self.town.agreed().get((person, item), {"watched": False})
        self.town.wait(4_000)
        position = 600 + 10 * len(self.town.acts)
        self.town.act("stop", person, server, item, position)
        self.town.wait(4_000)
        self.town.settle()
        after = self.town.agreed()[person, item]
        assert after["position_s"] == position
        assert bool(after["watched"]) == bool(before["watched"])

    def teardown(self) -> None:
        if not hasattr(self, "town"):
            return
        try:
            self.town.wait(4_000)
            self.town.settle()
            Judge(self.town, self.writable).judge()
        finally:
            self.town.close()


class Judge:
    """Looks at servers, hub and the record of acts once all is at rest."""

    def __init__(self, town: Town, writable: Any) -> None:
        self.town = town
        self.writable = writable
        self.agreed = town.agreed()
        self.bases = town.bases()

    def judge(self) -> None:
        for person in self.town.persons:
            for item in self.town.items:
                self.judge_one(person, item)
        plan = self.town.plan()
        assert not plan.changes, "a plan after agreement"

    def judge_one(self, person: str, item: str) -> None:
        value = self.agreed.get((person, item), {"watched": 0, "position_s": 0, "watched_at": None})
        own = [what for _, what, who, _, which in self.town.acts if (who, which) == (person, item)]
        watched = bool(value["watched"])
        shown = any((person, item) in s.shown for s in self.town.servers)
        if shown and "unmark" not in own:
            assert watched, f"{item} of {person} was watched, and nobody took it back"
        if watched:
            assert "play" in own or "mark" in own, f"nobody watched {item} for {person}"
        if value["position_s"]:
            assert value["position_s"] in self.town.stops.get((person, item), ()), "a position nobody left"
        if value["watched_at"] is not None:
            assert value["watched_at"] in self.town.dates.get((person, item), ()), (
                "a date on which nobody watched"
            )
        for server in self.town.servers:
            if item in server.ids and self.writable(server.name):
                self.judge_account(server, person, item, value)

    def judge_account(self, server: ModelServer, person: str, item: str, value: dict[str, Any]) -> None:
        cell = server.cell(person, item)
        if cell.watched != bool(value["watched"]):
            assert cell.watched and self.bases.get((server.name, person, item)) is None, (
                f"{server.name} says {cell}, the hub {value}"
            )
            return
        stuck = server.rules.name == "plex" and cell.watched and not value["position_s"]
        assert stuck or cell.position_s == value["position_s"], f"{server.name} says {cell}, the hub {value}"


def test_towns_come_to_rest_in_agreement() -> None:
    """200 histories (5,000 in the long profile)."""
    run_state_machine_as_test(TownMachine, settings=ON_SQLITE)
