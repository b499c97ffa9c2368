"""Which item a ref belongs to, decided from what is known while a library streams by.

Only the plain cases are decided here: every claim leads to one item, or none leads anywhere. Whatever contradicts or
leads to several items is left to ``grouping``, which sees all refs concerned at once, so that the order in which
connections are read does not matter. Knows no database: the store fills a ``ClaimIndex`` with all it has, or
with the part that the refs at hand can meet.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence

# The item has two values of one source, or contradicts another: only ``grouping`` can judge what else belongs to it.
CONTESTED = 1 << 40
YEARS_APART = 3  # movies that differ by so many years are different
_SEASON_BITS = 15
_EPISODE_BITS = 20


def pack_number(show: int, season: int | None, episode: int | None) -> int:
    """Show item, season and episode as one integer; 0 where a number is missing or out of any sensible range."""
    if not show or season is None or episode is None:
        return 0
    if not (0 <= season < 1 << _SEASON_BITS and 0 <= episode < 1 << _EPISODE_BITS):
        return 0
    return (show << _SEASON_BITS | season) << _EPISODE_BITS | episode


def unpack_number(number: int) -> tuple[int, int, int]:
    """Show item, season and episode of a packed number."""
    rest = number >> _EPISODE_BITS
    return rest >> _SEASON_BITS, rest & (1 << _SEASON_BITS) - 1, number & (1 << _EPISODE_BITS) - 1


def same_show(number: int, other: int) -> bool:
    """Whether two packed numbers count the episodes of one show."""
    return number >> _SEASON_BITS + _EPISODE_BITS == other >> _SEASON_BITS + _EPISODE_BITS


class _Bits(dict[str, int]):
    """A bit for each source, given out when it is first met; sources beyond the 38th share the last."""

    def __missing__(self, source: str) -> int:
        bit = self[source] = 1 << min(len(self), 38)
        return bit


# Claims of one source begin alike. Should two sources ever do, an item that has both is judged by ``grouping``.
_SOURCE = 5


class ClaimIndex:
    """Claims and numbers to items, and for each item which sources have spoken.

    Items are small integers; the arrays are indexed by them. Claims are kept as their 64-bit hashes (of this process), a
    third of the memory. What the newest ``place`` found: ``met`` the items that the claims led to, where it returned
    ``UNSETTLED``; else ``novel`` the claims that the item did not have yet, ``renumbered`` whether it gained a number,
    ``contested`` whether it has to be grouped again all the same.
    """

    UNSETTLED = -1

    def __init__(self) -> None:
        self.claims: dict[int, int] = {}  # hash of the claim -> item
        self.numbers: dict[int, int] = {}
        self.novel: Sequence[str] = ()
        self.met: Sequence[int] = ()
        self.renumbered = False
        self.contested = False
        self._bits = _Bits()
        self.mask = array("q")
        self.own_number = array("q")
        self.said = array("q")  # hash of claims that a ref of the item had, all of which lead to it; 0 = none
        self.said_too = array("q")  # the same of another ref with other claims, the newest
        self._first_year = array("h")
        self._last_year = array("h")
        self._fields = (
            *(self.mask, self.own_number, self.said, self.said_too, self._first_year, self._last_year),
        )

    def place(self, claims: Sequence[str], number: int, year: int, new: int) -> int:
        """The item that a ref with these claims joins, or ``UNSETTLED``. ``year`` (0 = unknown) is for movies only.

        Where none of it is known that is ``new``, which is known from then on.
        """
        keys = [*map(hash, claims)]
        found = {*map(self.claims.get, keys)}
        missing = None in found
        if number:
            found.add(self.numbers.get(number))
        found.discard(None)
        if not found:
            self._add(new, claims, keys, number, year)
            return new
        item = found.pop()
        if found or item is None:
            return self._unsettled(keys, number)
        at_home = (
            number and not year and self.own_number[item] == number
        )  # nothing to compare, nothing to learn
        if not at_home and not self._joins(item, number, year):
            return self._unsettled(keys, number)
        if missing:
            if not self._gains(item, claims, keys):
                return self._unsettled(keys, number)
        else:
            self.novel = ()
        self.renumbered = not at_home and self._learn(item, number, year)
        self.contested = self.mask[item] >= CONTESTED
        self.said_too[item] = hash(tuple(claims))
        return item

    def _add(self, item: int, claims: Sequence[str], keys: list[int], number: int, year: int) -> None:
        if item >= len(self.mask):
            self._reserve(item)
        mask, bits, known = 0, self._bits, self.claims
        for claim, key in zip(claims, keys, strict=True):
            known[key] = item
            bit = bits[claim[:_SOURCE]]
            mask |= CONTESTED if mask & bit else bit
        self.mask[item] |= mask
        self.said[item] = hash(tuple(claims))
        if number:
            self.numbers[number] = item
            self.own_number[item] = number
        if year:
            self._first_year[item] = self._last_year[item] = year
        self.novel = claims
        self.renumbered = self.contested = False

    def load_claim(self, claim: str, item: int) -> None:
        """Take in a stored claim."""
        self._reserve(item)
        self.claims[hash(claim)] = item
        bit = self._bits[claim[:_SOURCE]]
        self.mask[item] |= CONTESTED if self.mask[item] & bit else bit

    def load_number(self, item: int, number: int) -> None:
        """Take in a stored item's season and episode."""
        self._reserve(item)
        if number:
            self.numbers[number] = item
            self.own_number[item] = self.own_number[item] or number

    def load_years(self, item: int, first: int, last: int) -> None:
        """Take in the span of years that a stored movie's refs give."""
        self._reserve(item)
        self._first_year[item], self._last_year[item] = first, last

    def load_contested(self, item: int) -> None:
        """Take in that an item contradicts another."""
        self._reserve(item)
        self.mask[item] |= CONTESTED

    def forget_masks(self, items: Iterable[int]) -> None:
        """Drop what is known of the sources of some items, before their claims are loaded (again)."""
        for item in items:
            self._reserve(item)
            self.mask[item] = 0

    def _joins(self, item: int, number: int, year: int) -> bool:
        own = self.own_number[item]
        if number and own and number != own and same_show(number, own):
            return False
        first = self._first_year[item]
        return not (
            year and first and (year - first >= YEARS_APART or self._last_year[item] - year >= YEARS_APART)
        )

    def _gains(self, item: int, claims: Sequence[str], keys: list[int]) -> bool:
        known, bits = self.claims, self._bits
        novel = [couple for couple in zip(keys, claims, strict=True) if couple[0] not in known]
        mask = self.mask[item]
        for _, claim in novel:
            bit = bits[claim[:_SOURCE]]
            if mask & bit:
                return False
            mask |= bit
        self.mask[item] = mask
        for key, _ in novel:
            known[key] = item
        self.novel = [claim for _, claim in novel]
        return True

    def _learn(self, item: int, number: int, year: int) -> bool:
        """Note number and year; whether the item gained a number that its row does not have."""
        gained = False
        if number:
            gained = self.numbers.get(number) != item
            self.numbers[number] = item
            if not self.own_number[item]:
                self.own_number[item] = number
        if year:
            first = self._first_year[item]
            if not first or year < first:
                self._first_year[item] = year
            if year > self._last_year[item]:
                self._last_year[item] = year
        return gained

    def _unsettled(self, keys: list[int], number: int) -> int:
        met = {self.claims[key] for key in keys if key in self.claims}
        if number in self.numbers:
            met.add(self.numbers[number])
        self.met = sorted(met)
        for item in met:
            self.mask[item] |= CONTESTED
        return self.UNSETTLED

    def _reserve(self, item: int) -> None:
        lacking = item + 1 - len(self.mask)
        if lacking > 0:
            room = lacking + (len(self.mask) >> 2) + 64
            for field in self._fields:
                field.frombytes(bytes(room * field.itemsize))
