"""Walks over every sequence of acts up to a length: a step is visited once, however it was reached.

Two steps are the same where one becomes the other by renaming accounts of one kind, or by renaming the times and positions in
an order-preserving way: servers, hub and judgement only compare them. How many acts it took is of no concern either
(``tests/properties/test_walking.py`` holds both).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

import msgspec

from playhead.domain.reconcile.model import Base
from playhead.domain.state.reading import State
from tests.properties.exhaustive import ACTS, T0, Broken, Record, Step, act, judge
from tests.properties.memory_hub import Account, MemoryHub, Pass, World
from tests.properties.servers import EMBY, JELLYFIN_12, JELLYFIN_1011, PLEX, Cell, Rules

STEP_S = 3_600
SAME_MOMENT_S = 1_000  # times closer than that keep their distance: no margin of the merge reaches further
OLDEST = T0 - 500_000
Names = dict[int | None, int | None]


def starts(hub: MemoryHub) -> Iterator[tuple[str, Step]]:
    """Three beginnings: nothing read yet, all read and blank, all watched and in agreement."""
    fresh = World(tuple(Account() for _ in hub.kinds))
    yield "unread", Step(fresh, Record())
    world = fresh
    for number in range(len(hub.kinds)):
        world = hub.read(world, number, T0 - 90_000, whole=True)
    blank = hub.run_pass(world, T0 - 90_000).world
    yield "blank", Step(blank, Record())
    seen: Step | None = Step(blank, Record())
    for turn, (name, number) in enumerate([("play", 0), *(("read", n) for n in range(len(hub.kinds)))]):
        assert seen is not None
        seen = act(hub, seen, name, number, T0 - 80_000 + 3_600 * turn)
    assert seen is not None
    for turn in range(2):
        for number in range(len(hub.kinds)):
            seen = act(hub, seen, "read", number, T0 - 30_000 + 3_600 * turn + 10 * number)
            assert seen is not None
    yield "watched", Step(seen.world, seen.record._replace(last_act="", last_on=-1))


def walk(
    hub: MemoryHub,
    start: Step,
    depth: int,
    on_step: Callable[[Step, int, tuple[str, ...]], None],
) -> int:
    """Visit every step that one to ``depth`` acts reach, once, when the fewest reach it; the number of steps."""
    plain = tuple(range(len(hub.kinds)))
    first, order = reduce_and_order(hub, start)
    layer: dict[Step, Way] = {first: Way((), tuple(plain[old] for old in order))}
    seen: set[int] = set()  # hashes alone: the last layer is too big to keep
    for level in range(1, depth + 1):
        now = T0 + STEP_S * level
        following: dict[Step, Way] = {}
        for step, way in layer.items():
            for after, letter, number, order in follow(hub, step, now):
                if (key := hash(after)) in seen:
                    continue
                seen.add(key)
                path = (*way.path, f"{letter} {way.names[number]}")
                on_step(after, now, path)
                if level < depth:
                    following[after] = Way(path, tuple(way.names[old] for old in order))
        layer = following
    return len(seen)


class Way(NamedTuple):
    """How a step was reached first; ``names`` are the accounts of the beginning, by their place in the step."""

    path: tuple[str, ...]
    names: tuple[int, ...]


def follow(hub: MemoryHub, step: Step, now: int) -> Iterator[tuple[Step, str, int, tuple[int, ...]]]:
    """Every step that one act reaches, reduced: with the act, on which account, and the new order."""
    for number in range(len(hub.kinds)):
        for name in ACTS:
            after = act(hub, step, name, number, now)
            if after is not None:
                reduced, order = reduce_and_order(hub, after)
                yield reduced, name, number, order


# -- the reduction


def reduce_step(hub: MemoryHub, step: Step) -> Step:
    """The step that stands for all that are the same."""
    return reduce_and_order(hub, step)[0]


def reduce_and_order(hub: MemoryHub, step: Step) -> tuple[Step, tuple[int, ...]]:
    """The same, and where its accounts come from: place ``i`` has what was at ``order[i]``."""
    times, positions = find_numbers(step.world)
    renamed = _rename(_forget(step, times, positions), times, positions)
    order = _order_accounts(hub.kinds, renamed)
    return (renamed if order == tuple(sorted(order)) else swap(renamed, order)), order


def _forget(step: Step, times: set[int], positions: set[int]) -> Step:
    """Without times and positions of the record that nobody shows any more: only the newest play and stop still count."""
    world, record = step
    plays = {at for at in record.plays if at in times}
    if record.plays:
        plays.add(max(record.plays))
    stops = (*(at for at in record.stops[:-1] if at in positions), *record.stops[-1:])
    return Step(world, record._replace(plays=tuple(sorted(plays)), stops=stops))


def find_numbers(world: World) -> tuple[set[int], set[int]]:
    """All times and all positions of a world."""
    agreed = world.agreed
    times = {agreed.watched_at, agreed.unwatched_at, agreed.position_at, world.decided_at}
    positions: set[int | None] = {agreed.position_s}
    for account in world.accounts:
        times.update((account.complete_at, account.read_at, account.read_before))
        times.update((account.base_at, account.written_at))
        for cell in (account.cell, account.remembers):
            if cell is not None:
                times.add(cell.date)
                positions.add(cell.position_s)
        queued = (state for _, state in account.queue)
        for state in (account.reading, account.sent, account.base, *queued, *(account.refused or ())):
            if state is not None:
                times.add(state.last_played)
                positions.add(state.position_s)
    return {at for at in times if at}, {at for at in positions if at}


def _rename(step: Step, times: set[int], positions: set[int]) -> Step:
    world, record = step
    acts = {
        at
        for at in (record.unmarked_at, record.witnessed, *(at for _, at in record.unseen))
        if at is not None
    }
    at, to = _name_times(times.union(record.plays, acts)), _name_positions(positions.union(record.stops))
    agreed = msgspec.structs.replace(
        world.agreed,
        watched_at=at[world.agreed.watched_at],
        unwatched_at=at[world.agreed.unwatched_at],
        position_at=at[world.agreed.position_at],
        position_s=to[world.agreed.position_s],
    )
    accounts = tuple(_rename_account(account, at, to) for account in world.accounts)
    record = record._replace(
        plays=tuple(at[x] for x in record.plays),
        stops=tuple(to[x] for x in record.stops),
        unmarked_at=at[record.unmarked_at],
        witnessed=at[record.witnessed],
        unseen=tuple(sorted((number, at[x]) for number, x in record.unseen)),
    )
    return Step(World(accounts, agreed, at[world.decided_at], world.touched), record)


def _name_times(times: set[int]) -> Names:
    names: Names = {None: None, 0: 0}
    moment, last, first = -1, -SAME_MOMENT_S, 0
    for at in sorted(times):
        if at - last > SAME_MOMENT_S:
            moment, first = moment + 1, at
        names[at] = OLDEST + STEP_S * moment + at - first
        last = at
    return names


def _name_positions(positions: set[int]) -> Names:
    names: Names = {None: None, 0: 0}
    names.update({at: 1_200 + 10 * rank for rank, at in enumerate(sorted(positions))})
    return names


def _rename_account(account: Account, at: Names, to: Names) -> Account:
    def cell(one: Cell | None) -> Cell | None:
        return None if one is None else Cell(one.watched, one.plays, at[one.date], to[one.position_s] or 0)

    def state(one: State) -> State:
        return State(
            one.watched, one.plays, at[one.last_played], to[one.position_s], one.rating, one.favourite
        )

    base, refused = account.base, account.refused
    return account._replace(
        cell=cell(account.cell),
        remembers=cell(account.remembers),
        complete_at=at[account.complete_at],
        reading=None if account.reading is None else state(account.reading),
        read_at=at[account.read_at],
        read_before=at[account.read_before],
        base=None
        if base is None
        else Base(base.watched, base.plays, at[base.last_played], to[base.position_s]),
        base_at=at[account.base_at],
        written_at=at[account.written_at],
        queue=tuple((facet, state(one)) for facet, one in account.queue),
        sent=None if account.sent is None else state(account.sent),
        refused=None if refused is None else (state(refused[0]), state(refused[1])),
    )


def _order_accounts(kinds: Sequence[Rules], step: Step) -> tuple[int, ...]:
    """The accounts of each kind in an order that only depends on what they are."""
    world, record = step
    agreed = world.agreed

    def key(number: int) -> int:
        unseen = tuple(at for owner, at in record.unseen if owner == number)
        marks = (number == record.last_on, number == agreed.watched_from, number == agreed.position_from)
        return hash((world.accounts[number], unseen, marks))

    keys = [key(number) for number in range(len(kinds))]
    order = list(range(len(kinds)))
    for rules in set(kinds):
        places = [number for number in order if kinds[number] is rules]
        for place, number in zip(places, sorted(places, key=keys.__getitem__), strict=True):
            order[place] = number
    return tuple(order)


def swap(step: Step, order: tuple[int, ...]) -> Step:
    """The same step with the accounts in another order: place ``i`` gets what was at ``order[i]``."""
    world, record = step
    to = {old: new for new, old in enumerate(order)}
    agreed = world.agreed
    named = {
        field: to[value]
        for field in ("watched_from", "position_from")
        if (value := getattr(agreed, field)) is not None
    }
    if named:
        agreed = msgspec.structs.replace(agreed, **named)
    return Step(
        world._replace(accounts=tuple(world.accounts[old] for old in order), agreed=agreed),
        record._replace(
            last_on=to.get(record.last_on, -1), unseen=tuple(sorted((to[n], at) for n, at in record.unseen))
        ),
    )


# -- as tests run it


class WalkedHub(MemoryHub):
    """The same, but a pass over an equal world at an equal time is done once: many steps differ in what persons did alone."""

    def __init__(self, kinds: Sequence[Rules], *, lost_after_effect: bool = True) -> None:
        super().__init__(kinds, lost_after_effect=lost_after_effect)
        self._run_once = lru_cache(maxsize=4_096)(super().run_pass)

    def run_pass(self, world: World, now: int) -> Pass:
        return self._run_once(world, now)


PROFILES: dict[str, tuple[Rules, Rules, Rules]] = {
    "plex": (PLEX, PLEX, PLEX),
    "jellyfin-10.11": (JELLYFIN_1011, JELLYFIN_1011, JELLYFIN_1011),
    "jellyfin-12": (JELLYFIN_12, JELLYFIN_12, JELLYFIN_12),
    "emby": (EMBY, EMBY, EMBY),
    "mixed": (PLEX, JELLYFIN_1011, EMBY),
    "mixed-12": (PLEX, JELLYFIN_12, JELLYFIN_1011),
}
FAR = ("plex", "jellyfin-10.11", "emby", "mixed")  # walked by four acts, with receipts that are lost
STARTS = ("unread", "blank", "watched")


def find_broken(
    profile: str, start: str, depth: int, *, lost_after_effect: bool = True
) -> tuple[int, list[str]]:
    """How many steps all sequences reach, and what is wrong in the first of them."""
    hub = WalkedHub(PROFILES[profile], lost_after_effect=lost_after_effect)
    step = dict(starts(hub))[start]
    found: list[str] = []

    def look(step: Step, now: int, path: tuple[str, ...]) -> None:
        if len(found) < 5:
            try:
                judge(hub, step, now)
            except Broken as broken:
                found.append(f"{', '.join(path)}: {broken}")

    return walk(hub, step, depth, look), found
