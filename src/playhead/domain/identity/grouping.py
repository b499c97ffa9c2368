"""Refs that share claims, sorted into items: pure, and the same for every order of the refs.

Same item: claims agree and none contradicts. Two sets of claims contradict where both have a source and no value in
common, where one show's numbers differ, or where years are far apart. Groups that agree and contradict are a
``Conflict``; a person's decision on two items overrides both ways. Knows neither store nor connections.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from playhead.domain.identity.match import YEARS_APART, same_show, unpack_number


class Evidence(msgspec.Struct, frozen=True):
    """What one ref says of itself, and the item it stands at now. ``number`` is packed, 0 = none; ``year`` 0 = unknown.

    ``show`` names the show in a way that does not depend on what was read first; it only settles ties.
    """

    ref: int
    item: int
    claims: tuple[str, ...] = ()
    number: int = 0
    year: int = 0
    show: str = ""


class Conflict(msgspec.Struct, frozen=True):
    """Two groups (by place in ``Grouping.groups``) that agree on some claims and contradict on others."""

    first: int
    second: int
    ref: int
    agree: tuple[str, ...]
    differ: tuple[str, ...]


class Grouping(msgspec.Struct, frozen=True):
    """Refs by item, each group a tuple of its evidence, and the conflicts between groups."""

    groups: tuple[tuple[Evidence, ...], ...]
    conflicts: tuple[Conflict, ...]


Pairs = frozenset[tuple[int, int]]


def pair(one: int, other: int) -> tuple[int, int]:
    """Two items in the order in which pairs are kept."""
    return (one, other) if one < other else (other, one)


class _Group:
    """A growing set of evidence with its values by source. ``says`` holds all claims and numbers."""

    __slots__ = ("alive", "items", "members", "numbers", "says", "values", "years")

    def __init__(self, members: Sequence[Evidence]) -> None:
        first = members[0]  # all members say the same
        self.members = list(members)
        self.items = {member.item for member in members}
        self.values: dict[str, set[str]] = {}
        for claim in first.claims:
            self.values.setdefault(claim[: claim.index(":")], set()).add(claim)
        self.numbers = {first.number} if first.number else set()
        self.years = {first.year} if first.year else set()
        self.says: set[str | int] = {*first.claims, *self.numbers}
        self.alive = True

    def take(self, other: _Group) -> None:
        self.members += other.members
        for source, values in other.values.items():
            self.values.setdefault(source, set()).update(values)
        self.items |= other.items
        self.numbers |= other.numbers
        self.years |= other.years
        self.says |= other.says


def group_refs(
    evidence: Sequence[Evidence], same: Pairs = frozenset(), different: Pairs = frozenset()
) -> Grouping:
    """Sort refs into items. ``same`` and ``different`` are the decided pairs of current items."""
    decided = {item for couple in same | different for item in couple}
    groups: list[tuple[Evidence, ...]] = []
    conflicts: list[Conflict] = []
    for island in _split(evidence, same | different):
        sorter = _Sorter(same, different)
        for bucket in _bucket(island, decided):
            sorter.put(_Group(bucket))
        sorter.join_decided()
        sorter.join_agreeing()
        alive = [group for group in sorter.groups if group.alive]
        conflicts += sorter.find_conflicts(alive, len(groups))
        groups += (tuple(group.members) for group in alive)
    return Grouping(tuple(groups), tuple(conflicts))


def _split(evidence: Sequence[Evidence], decided: Pairs) -> list[list[Evidence]]:
    """Evidence that hangs together by claims, numbers or a decision; what does not cannot meet."""
    leaders = list(range(len(evidence)))
    first: dict[object, int] = {}
    linked = {item for couple in decided for item in couple}

    def lead(place: int) -> int:
        while leaders[place] != place:
            leaders[place] = leaders[leaders[place]]
            place = leaders[place]
        return place

    for place, one in enumerate(evidence):
        keys: list[object] = [*one.claims]
        if one.number:
            keys.append(one.number)
        if one.item in linked:
            keys += [("decided", couple) for couple in decided if one.item in couple]
        for key in keys:
            other = first.setdefault(key, place)
            if other != place:
                leaders[lead(place)] = lead(other)
    islands: dict[int, list[Evidence]] = {}
    for place, one in enumerate(evidence):
        islands.setdefault(lead(place), []).append(one)
    return list(islands.values())


def _bucket(evidence: Sequence[Evidence], decided: set[int]) -> list[list[Evidence]]:
    """Refs that say the very same, most telling first: the order of everything that follows."""
    buckets: dict[tuple[object, ...], list[Evidence]] = {}
    for one in evidence:
        claims = tuple(sorted(one.claims))
        show, season, episode = unpack_number(one.number)
        at = one.item if one.item in decided or not (claims or one.number) else 0
        key = (-len(claims) - bool(one.number), claims, season, episode, one.year, one.show, show, at)
        buckets.setdefault(key, []).append(one)
    return [buckets[key] for key in sorted(buckets)]


class _Sorter:
    """Groups under way. ``places`` leads from a claim or number to groups; ``shared`` are those with more than one."""

    def __init__(self, same: Pairs, different: Pairs) -> None:
        self.same = same
        self.different = different
        self.groups: list[_Group] = []
        self.places: dict[str | int, list[int]] = {}
        self.shared: set[str | int] = set()

    def put(self, group: _Group) -> None:
        """Add a group, joined with those that it agrees with and does not contradict, best agreement first."""
        here = len(self.groups)
        self.groups.append(group)
        agreeing: dict[int, int] = {}
        for key in group.says:
            holders = self.places.setdefault(key, [])
            for place in holders:
                if self.groups[place].alive:
                    agreeing[place] = agreeing.get(place, 0) + 1
            if holders:
                self.shared.add(key)
            holders.append(here)
        for place in sorted(agreeing, key=lambda place: (-agreeing[place], place)):
            if self.groups[place].alive and not self.differ(self.groups[place], self.groups[here]):
                here = self.merge(min(place, here), max(place, here))

    def merge(self, keep: int, drop: int) -> int:
        kept, dropped = self.groups[keep], self.groups[drop]
        dropped.alive = False
        for key in dropped.says - kept.says:
            holders = self.places[key]
            holders.append(keep)
            self.shared.add(key)
        kept.take(dropped)
        return keep

    def join_decided(self) -> None:
        """Join what a person called the same, whatever the claims say."""
        for one, other in sorted(self.same):
            holders = [i for i, g in enumerate(self.groups) if g.alive and g.items & {one, other}]
            for place in holders[1:]:
                self.merge(holders[0], place)

    def join_agreeing(self) -> None:
        """Join groups that came to agree only after both had grown."""
        again = True
        while again:
            again = False
            for one, other in self.pairs_that_agree():
                if not self.groups[one].alive or not self.groups[other].alive:
                    continue
                if not self.differ(self.groups[one], self.groups[other]):
                    self.merge(one, other)
                    again = True

    def pairs_that_agree(self) -> list[tuple[int, int]]:
        found: set[tuple[int, int]] = set()
        for key in self.shared:
            alive = sorted({place for place in self.places[key] if self.groups[place].alive})
            found.update((one, other) for i, one in enumerate(alive) for other in alive[i + 1 :])
        return sorted(found)

    def differ(self, one: _Group, other: _Group) -> tuple[str, ...]:
        """What contradicts between two groups, in words; empty = nothing."""
        if self._decided(self.different, one, other):
            return ("decision|decision",)
        if self._decided(self.same, one, other):
            return ()
        found = []
        for source in sorted(one.values.keys() & other.values.keys()):
            if one.values[source].isdisjoint(other.values[source]):
                found.append(f"{min(one.values[source])}|{min(other.values[source])}")
        if one.numbers != other.numbers:
            found += _differing_numbers(one.numbers, other.numbers)
        years = one.years | other.years
        if len(years) > 1 and one.years and other.years and max(years) - min(years) >= YEARS_APART:
            found.append(f"year:movie:{min(one.years)}|year:movie:{min(other.years)}")
        return tuple(found)

    @staticmethod
    def _decided(pairs: Pairs, one: _Group, other: _Group) -> bool:
        return bool(pairs) and any(pair(a, b) in pairs for a in one.items for b in other.items)

    def find_conflicts(self, groups: Sequence[_Group], base: int) -> Iterable[Conflict]:
        """Pairs of groups that agree and contradict; ``base`` is the place of the first group in the whole."""
        number = {id(group): base + i for i, group in enumerate(groups)}
        for one, other in self.pairs_that_agree():
            first, second = self.groups[one], self.groups[other]
            differ = self.differ(first, second)
            if differ == ("decision|decision",):
                continue
            agree = tuple(sorted(_name(key) for key in first.says & second.says))
            newest = max(first.members[0].ref, second.members[0].ref)
            yield Conflict(number[id(first)], number[id(second)], newest, agree, differ)


def _differing_numbers(numbers: set[int], others: set[int]) -> list[str]:
    for one in sorted(numbers):
        for other in sorted(others):
            if one != other and same_show(one, other) and one not in others and other not in numbers:
                return [f"{_name(one)}|{_name(other)}"]
    return []


def _name(key: str | int) -> str:
    if isinstance(key, str):
        return key
    _, season, episode = unpack_number(key)
    return f"numbers:episode:{season}x{episode}"
