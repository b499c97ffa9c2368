"""A hub for one person and one item that keeps everything in memory: the real merge between model servers.

Keeps what the SQL ledger keeps for a slot, moves it at the same moments, and drives ``flows.reconcile.settle_cases``. Values
are frozen, so that a whole hub can be copied, compared and hashed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from playhead.domain.reconcile.model import Agreed, Base, Policy, Slot, Verdict
from playhead.domain.reconcile.news import is_undecided_removal
from playhead.domain.reconcile.writes import base_after_write, is_plain_mark
from playhead.domain.state.reading import BLANK, State
from playhead.flows.context import Context
from playhead.flows.deliver import find_done, has_changed
from playhead.flows.reconcile import settle_cases
from playhead.ports.backend import Write
from playhead.ports.ledger import AccountRole, Case, Delivery
from tests.properties.servers import BLANK_CELL, RUNTIME_S, Cell, Rules, is_unplayed, show

PERSON, ITEM = 1, 1


class Account(NamedTuple):
    """One account: its server's cell (None = the server has no such item), and what the hub keeps of it."""

    cell: Cell | None = BLANK_CELL
    native: int = 0  # the item's id there
    ref: int = 0  # the id that the hub knows
    remembers: Cell | None = None  # what a server keeps of an item that it lost
    failing: bool = False  # the next delivery to it fails
    known: bool = False  # the hub has a ref
    complete_at: int | None = None  # when the newest complete read was taken
    reading: State | None = None
    unplayed: bool = False
    believed: bool = False  # the reading stands in a complete read
    stale: bool = False  # the next read is taken in whatever it says
    read_at: int = 0
    read_before: int | None = None
    base: Base | None = None
    base_at: int | None = None
    written_at: int | None = None
    queue: tuple[tuple[str, State], ...] = ()  # facet and whole target
    sent: State | None = None  # went out, no receipt came
    doubts: int = 0  # so many times, 2 = more
    refused: tuple[State, State] | None = (
        None  # a reading, and a target that the server will not take beside it
    )


class World(NamedTuple):
    """Everything at one moment."""

    accounts: tuple[Account, ...]
    agreed: Agreed = Agreed()
    decided_at: int | None = None
    touched: bool = False


class Pass(NamedTuple):
    """What a pass did."""

    world: World
    planned: int
    written: int
    refused: int


class MemoryHub:
    """The rules of the servers and of the merge; holds no state between calls."""

    def __init__(self, kinds: Sequence[Rules], *, lost_after_effect: bool = True) -> None:
        self.kinds = tuple(kinds)
        self.lost_after_effect = lost_after_effect
        self.policy = Policy()
        self.roles = {
            number: AccountRole(
                number, PERSON, number, "anna", f"{rules.name}-{number}", "anna", rules.name,
                takes_date=rules.takes_date,
            )
            for number, rules in enumerate(self.kinds)
        }  # fmt: skip

    # -- reading

    def read(self, world: World, number: int, now: int, *, whole: bool) -> World:
        """Take in what the account's server says now; ``whole`` = the read was complete."""
        account = world.accounts[number]
        touched = world.touched
        if account.cell is None:
            if whole and account.known:
                account = account._replace(known=False, complete_at=now, queue=())
                touched = True
            elif whole:
                account = account._replace(complete_at=now)
            return _put(world, number, account, touched=touched)
        if not account.known or account.native != account.ref:  # a new ref, or one that was gone: no base
            account = account._replace(
                known=True, ref=account.native, base=None, base_at=None, sent=None, doubts=0, queue=()
            )
            touched = True
        said, unplayed = show(account.cell), is_unplayed(account.cell)
        if account.reading is None and said == BLANK:
            pass  # a blank reading that never was another has no row
        elif account.stale or (said, unplayed) != (account.reading, account.unplayed):
            bound = max(account.read_at, account.complete_at or 0)
            account = account._replace(
                reading=said, unplayed=unplayed, read_at=now, believed=whole,
                read_before=account.read_before if said == account.reading else bound or None,
                stale=False,
            )  # fmt: skip
            touched = True
        believed = account.believed or whole
        account = account._replace(believed=believed, complete_at=now if whole else account.complete_at)
        return _put(world, number, account, touched=touched)

    # -- a pass

    def run_pass(self, world: World, now: int) -> Pass:
        """Reconcile what is touched, then deliver what waits."""
        planned = written = refused = 0
        for _ in range(2):  # a second time where an account was found to have changed meanwhile
            if world.touched:
                world, more = self._reconcile(world, now)
                planned += more
            undecided = world.touched
            for number in range(len(world.accounts)):
                world, done, no = self._deliver(world, number, now)
                written += done
                refused += no
            if not world.touched or undecided:
                break
        return Pass(world, planned, written, refused)

    def slots(self, world: World) -> list[Slot]:
        """The merge's view of the accounts whose refs are known."""
        return [self._slot(world, number) for number, account in enumerate(world.accounts) if account.known]

    def _slot(self, world: World, number: int) -> Slot:
        account, role = world.accounts[number], self.roles[number]
        verdict = Verdict.open
        there = account.cell is not None and account.ref == account.native
        if there and self._looks_removed(account) and is_unplayed(account.cell):  # type: ignore[arg-type]
            verdict = Verdict.confirmed
        return Slot(
            account_id=number,
            ref_id=number,
            connection=role.connection,
            reading=account.reading or BLANK,
            base=account.base,
            base_at=account.base_at,
            sent=account.sent,
            doubts=account.doubts,
            unplayed=account.unplayed,
            verdict=verdict,
            read_at=account.read_at,
            read_before=account.read_before,
            written_at=account.written_at,
            runtime_s=RUNTIME_S,
            takes_date=role.takes_date,
        )

    def _look_twice(self, world: World, now: int) -> World:
        """What a direct look at a seeming removal shows is taken in where it is none."""
        for number, account in enumerate(world.accounts):
            there = account.known and account.ref == account.native and account.cell is not None
            if there and self._looks_removed(account) and not is_unplayed(account.cell):  # type: ignore[arg-type]
                seen = account._replace(
                    reading=show(account.cell or BLANK_CELL), unplayed=False, read_at=now, stale=True
                )
                world = _put(world, number, seen)
        return world

    @staticmethod
    def _looks_removed(account: Account) -> bool:
        """What the ledger calls a removal: an un-play's form against the base, in a complete read."""
        base = account.base
        if base is None or not account.unplayed or not account.believed:
            return False
        return base.watched or bool(base.position_s)

    def settle(self, world: World, now: int, slots: list[Slot]) -> Any:
        """The real settlement of the one case."""
        began = now - 5
        context = Context(None, self.roles, lambda: now, policy=self.policy, began=began)  # type: ignore[arg-type]
        return settle_cases(context, [ITEM], [Case(PERSON, ITEM, world.agreed, slots, world.decided_at)])

    def _reconcile(self, world: World, now: int) -> tuple[World, int]:
        world = self._look_twice(world, now)
        slots = self.slots(world)
        settlement = self.settle(world, now, slots)
        accounts = list(world.accounts)
        for key, base in settlement.bases.items():
            if accounts[key[0]].reading is not None:
                accounts[key[0]] = accounts[key[0]]._replace(
                    base=base, base_at=settlement.base_times.get(key, now)
                )
        wanted: dict[int, list[tuple[str, State]]] = {slot.account_id: [] for slot in slots}
        for _, _, write in settlement.writes:
            account = accounts[write.slot.account_id]
            if account.refused != (account.reading, write.new):
                wanted[write.slot.account_id].append((write.facet, write.new))
        for number, writes in wanted.items():
            accounts[number] = accounts[number]._replace(queue=tuple(writes))
        agreed, decided_at = world.agreed, world.decided_at
        for _, _, value in settlement.agreed:
            agreed, decided_at = value, now
        undecided = any(is_undecided_removal(slot) for slot in slots)
        world = World(tuple(accounts), agreed, decided_at, undecided)
        return world, sum(map(len, wanted.values()))

    def _deliver(self, world: World, number: int, now: int) -> tuple[World, int, int]:
        account = world.accounts[number]
        if not account.queue or not account.known:
            return world, 0, 0
        before = account.reading or BLANK
        target, earlier, earlier_at = account.queue[-1][1], account.sent, account.written_at
        account = account._replace(
            written_at=now if earlier is None or account.written_at is None else account.written_at,
            sent=target,
            reading=before,
            read_at=account.read_at or now,
            stale=account.stale or account.reading is None,
        )
        if account.cell is None or account.ref != account.native:  # missing
            unsent = account._replace(sent=earlier, written_at=earlier_at)
            return _put(world, number, unsent), 0, 0  # tried again
        delivery = self._make_delivery(account, number, target, before, earlier_at)
        plain = is_plain_mark(delivery.facets, target, before) and not delivery.doubts
        if not plain and has_changed(delivery, show(account.cell), self.policy):
            seen = account._replace(
                reading=show(account.cell), unplayed=is_unplayed(account.cell), stale=True
            )
            seen = seen._replace(
                read_before=account.read_at, read_at=now, queue=(), sent=earlier, written_at=earlier_at
            )
            return _put(world, number, seen, touched=True), 0, 0
        done = None if plain else find_done(delivery, show(account.cell))
        write = Write("x", "movie", delivery.facets, target, before, RUNTIME_S)
        failing = account.failing
        account = account._replace(failing=False)
        if failing:
            account = account._replace(doubts=min(account.doubts + 1, 2))
        if failing and not self.lost_after_effect:
            return _put(world, number, account), 0, 0
        cell, after = account.cell, done.after if done is not None else None
        if done is None:
            cell, after = self.kinds[number].write(account.cell, write, now)
        account = account._replace(cell=cell)
        if failing:
            return _put(world, number, account), 0, 0
        if after is None:
            refused = account._replace(queue=(), sent=None, doubts=0, refused=(before, target))
            return _put(world, number, refused), 0, 1
        after = State(after.watched, after.plays, after.last_played, after.position_s)
        known = self.roles[number].takes_date or account.doubts < 2
        tries = {now, account.written_at or now}
        base = base_after_write(account.base, target, after, self.policy, tries=tries, all_known=known)
        told = base == Base(bool(after.watched), after.plays, after.last_played, after.position_s)
        account = account._replace(
            reading=after, unplayed=False, read_before=account.read_at, read_at=now, base=base,
            base_at=now if told else account.base_at, written_at=now,
            queue=(), sent=None, doubts=0, stale=True,
        )  # fmt: skip
        return _put(world, number, account), 1, 0

    @staticmethod
    def _make_delivery(
        account: Account, number: int, target: State, before: State, written_at: int | None
    ) -> Delivery:
        return Delivery(
            change_ids=(1,),
            account_id=number,
            ref_id=account.ref,
            item_id=ITEM,
            native_id="x",
            kind="movie",
            runtime_s=RUNTIME_S,
            facets=frozenset(facet for facet, _ in account.queue),
            target=target,
            before=before,
            attempts=0,
            maybe_written=False,
            written_at=written_at,
            doubts=account.doubts,
        )


def _put(world: World, number: int, account: Account, *, touched: bool | None = None) -> World:
    accounts = list(world.accounts)
    accounts[number] = account
    kept = world.touched if touched is None else touched
    return World(tuple(accounts), world.agreed, world.decided_at, kept)
