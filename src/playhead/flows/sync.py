"""One pass: what is new is reconciled, the plan is stored, and the changes are delivered.

Decides nothing itself (``domain.reconcile`` does) and knows no backend and no database. Everything that must survive a
kill goes through the ledger in transactions; a pass that ends halfway is taken up by the next one.
"""

from __future__ import annotations

import msgspec

from playhead.flows.context import Context, Progress, SettingsChanged, ignore_progress
from playhead.flows.deliver import Delivered, deliver_changes, free_stale_leases
from playhead.flows.reconcile import PlannedChange, reconcile
from playhead.ports.ledger import HeldRow, PendingRow


class PlannedPending(msgspec.Struct, frozen=True):
    """A change that waits until its target has the item."""

    connection: str
    account: str
    person: str
    row: PendingRow


class Plan(msgspec.Struct, frozen=True):
    """What a sync would do. ``waiting`` counts changes that an earlier pass queued and could not write yet."""

    changes: list[PlannedChange]
    pending: list[PlannedPending]
    held: list[HeldRow]
    waiting: int


class SyncResult(msgspec.Struct, frozen=True):
    """What a pass did. ``late`` counts those of ``planned`` that were not foreseen when the writing began: an earlier run had
    given them up for their item was missing, or a person did something meanwhile."""

    planned: int
    written: int
    failed: int
    pending: int
    held: int
    messages: tuple[str, ...] = ()
    late: int = 0


async def plan_changes(ctx: Context) -> Plan:
    """Work out everything that a sync would do now, and change nothing, neither here nor on a server."""
    with ctx.ledger.session(dry=True):
        changes = await reconcile(ctx, keep=True)
        pending = [_name_pending(ctx, row) for row in ctx.ledger.list_pending(ctx.roles.values())]
        held = ctx.ledger.list_held()
        waiting = ctx.ledger.count_open()
    return Plan(changes.kept, pending, held, max(0, waiting - changes.queued))


def _name_pending(ctx: Context, row: PendingRow) -> PlannedPending:
    role = ctx.roles[row.account_id]
    return PlannedPending(role.connection, role.user, role.person, row)


async def run_sync(
    ctx: Context,
    *,
    connections: set[str] | None = None,
    on_progress: Progress = ignore_progress,
    deliver: bool = True,
) -> SyncResult:
    """Reconcile, then deliver to the named connections (None = all), or leave that to somebody else. The readings must be stored
    already."""
    with ctx.ledger.session():
        await _reconcile_in_turn(ctx)
        targets = [
            role.account_id
            for role in ctx.roles.values()
            if role.write and (connections is None or role.connection in connections)
        ]
        planned = ctx.ledger.count_open(targets)
        ctx.ledger.commit()
        if not deliver:
            return conclude(ctx, planned, Delivered())
        delivered = await deliver_changes(ctx, targets, on_progress)
        if not ctx.still_holds():
            raise SettingsChanged
        if delivered.overtaken:  # what persons did meanwhile is news: once more, with it
            await _reconcile_in_turn(ctx)
            again = await deliver_changes(ctx, targets, on_progress)
            again.written += delivered.written
            again.missing = max(again.missing, delivered.missing)
            delivered = again
        return conclude(ctx, planned, delivered)


async def _reconcile_in_turn(ctx: Context) -> None:
    async with ctx.turns.reconciling():
        free_stale_leases(ctx)
        await reconcile(ctx, keep=False)


def conclude(ctx: Context, planned: int, delivered: Delivered) -> SyncResult:
    """The counts of a pass; ``planned`` is what was open when the writing began."""
    late = max(0, delivered.written + delivered.failed - planned)
    return SyncResult(
        planned=planned + late,
        written=delivered.written,
        failed=delivered.failed,
        pending=ctx.ledger.count_pending(ctx.roles.values()) + delivered.missing,
        held=len(ctx.ledger.list_held()),
        messages=tuple(delivered.messages),
        late=late,
    )
