"""Writes queued changes through the backends: leased, a few at once for each connection, receipts stored as they come.

A write that fails stays queued. A connection that is down is left alone for the rest of the pass; the others go on. A write
whose fate is unknown (a killed process, a cut connection) is looked at before it is tried again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import msgspec

from playhead.domain.reconcile.model import Policy
from playhead.domain.reconcile.news import is_stamp
from playhead.domain.reconcile.writes import base_after_write, is_plain_mark
from playhead.domain.state.reading import State
from playhead.flows.context import Context, Progress
from playhead.kit.log import Log
from playhead.ports.backend import Backend, Entry, Outcome, Receipt, Write
from playhead.ports.errors import BackendError, TokenRefused, Unauthorized
from playhead.ports.ledger import AccountRole, Delivery, Result

log = Log(__name__)

STORE_AT_ONCE = 200
ROUNDS = 3  # a failed write is tried again within the pass, the rest on the next one
LONGEST_WAIT_S = 30.0
DOWN_AFTER = 8  # failures in a row after which a connection is left alone
SAME_POSITION_S = 2
FOR_EVER = 2**53


class Delivered(msgspec.Struct):
    """What became of the changes of a pass."""

    written: int = 0
    failed: int = 0
    missing: int = 0
    overtaken: int = 0  # not written, because the item had changed since it was read
    messages: list[str] = []


class _Line:
    """The delivery to one account: what it did, and whether its server is down."""

    def __init__(self, role: AccountRole, backend: Backend) -> None:
        self.role = role
        self.backend = backend
        self.failures_in_a_row = 0
        self.pause_s = 0.0
        self.done = 0
        self.last_message = ""

    @property
    def down(self) -> bool:
        return self.failures_in_a_row >= DOWN_AFTER

    def note(self, receipt: Receipt) -> None:
        if receipt.outcome in (Outcome.failed, Outcome.unsure) or receipt.error_code == Unauthorized.code:
            self.failures_in_a_row += 1
            self.pause_s = max(self.pause_s, min(receipt.retry_after_s or 0.0, LONGEST_WAIT_S))
        else:
            self.failures_in_a_row = 0
        if receipt.outcome is not Outcome.done:
            self.last_message = receipt.message


async def deliver_changes(
    ctx: Context, accounts: Sequence[int], on_progress: Progress, *, due_before: int = FOR_EVER
) -> Delivered:
    """Deliver the open changes of the accounts that have a backend. Within a session of the ledger; takes the turns itself."""
    total = Delivered()
    lines = [_Line(ctx.roles[a], ctx.backends[a]) for a in accounts if a in ctx.backends]
    parts = await asyncio.gather(*(_take_turn(ctx, line, on_progress, due_before) for line in lines))
    for part in parts:
        total.written += part.written
        total.failed += part.failed
        total.missing += part.missing
        total.overtaken += part.overtaken
        total.messages += part.messages
    total.failed += _count_open(ctx, [a for a in accounts if a not in ctx.backends])
    return total


def free_stale_leases(ctx: Context) -> None:
    """Free the leases of those who are gone, so that what is leased is being written now. Within a session of the ledger."""
    for account in ctx.ledger.list_leased():
        with ctx.turns.idle(account) as idle:
            if idle:
                ctx.ledger.release_stale_leases(account)
                ctx.ledger.commit()


def _count_open(ctx: Context, accounts: Sequence[int]) -> int:
    count = ctx.ledger.count_open(accounts)
    ctx.ledger.commit()
    return count


async def _take_turn(ctx: Context, line: _Line, on_progress: Progress, due_before: int) -> Delivered:
    async with ctx.turns.writing(line.role.account_id) as mine:
        if mine:
            if line.role.account_id in ctx.ledger.list_leased():
                ctx.ledger.release_stale_leases(line.role.account_id)
                ctx.ledger.commit()
            return await _deliver_line(ctx, line, on_progress, due_before)
    left = _count_open(ctx, [line.role.account_id])
    message = f"{line.role.connection}: another process is writing there and goes on with it"
    return Delivered(failed=left, messages=[message] if left else [])


async def _deliver_line(ctx: Context, line: _Line, on_progress: Progress, due_before: int) -> Delivered:
    account = line.role.account_id
    everything = due_before == FOR_EVER
    total = _count_open(ctx, [account]) if everything else 0
    result = Delivered()
    for attempt in range(ROUNDS):
        if attempt:
            await asyncio.sleep(max(line.pause_s, 0.2 * 2**attempt))
            line.pause_s = 0.0
        due = FOR_EVER if attempt else due_before
        await _deliver_round(ctx, line, total, result, on_progress, due_before=due, again=bool(attempt))
        left = _count_open(ctx, [account])
        if line.down or not left or not (everything or line.last_message):
            break
    result.failed += left
    if line.last_message or (left and everything):
        result.messages.append(f"{line.role.connection}: {line.last_message or 'not all could be written'}")
    return result


async def _deliver_round(
    ctx: Context,
    line: _Line,
    total: int,
    result: Delivered,
    on_progress: Progress,
    *,
    due_before: int,
    again: bool,
) -> None:
    """Every open change once that is due; a person who starts a sync does not want to wait for any."""
    after = 0
    while not line.down and ctx.still_holds():
        batch = ctx.ledger.lease(
            line.role.account_id,
            after_ref=after,
            limit=ctx.lease_at_once,
            due_before=due_before,
            now=int(ctx.now()),
            lease_s=ctx.lease_s,
            again=again,
        )
        ctx.ledger.commit()
        if not batch:
            return
        after = batch[-1].ref_id
        await _write_batch(ctx, line, batch, total, result, on_progress)


async def _write_batch(
    ctx: Context,
    line: _Line,
    batch: Sequence[Delivery],
    total: int,
    result: Delivered,
    on_progress: Progress,
) -> None:
    ready: list[Result] = []
    seen, unseen = await _look_at_all(ctx, line, batch)
    ready += unseen
    queue = _take_back_overtaken(ctx, batch, seen, result, line.role.skew_s)
    left_out = {r.delivery.ref_id for r in unseen}
    queue = [d for d in reversed(queue) if d.ref_id not in left_out]

    async def work() -> None:
        while queue and not line.down and ctx.still_holds():
            if line.pause_s:
                await asyncio.sleep(line.pause_s)
                line.pause_s = 0.0
            delivery = queue.pop()
            receipt = await _write_one(line, delivery, seen.get(delivery.native_id))
            line.note(receipt)
            ready.append(_store_as(ctx, line.role, delivery, receipt))
            _count(result, delivery, receipt)
            line.done += len(delivery.change_ids) if receipt.outcome is Outcome.done else 0
            on_progress(line.role.connection, line.done, total)
            if len(ready) >= STORE_AT_ONCE:
                _store(ctx, ready)

    await asyncio.gather(*(work() for _ in range(line.role.writes_at_once)))
    now = int(ctx.now())
    ready += [Result(d, Outcome.failed, None, line.last_message, now) for d in queue]
    _store(ctx, ready)


def _store(ctx: Context, ready: list[Result]) -> None:
    results, ready[:] = list(ready), []
    ctx.ledger.store_results(results, int(ctx.now()))
    ctx.ledger.commit()


async def _look_at_all(
    ctx: Context, line: _Line, batch: Sequence[Delivery]
) -> tuple[dict[str, Entry], list[Result]]:
    """Direct readings before writing: of everything where one request tells of many, else of what a write could destroy
    and where a try went unanswered. Also the deliveries that wait because nobody could look."""
    needed = [d for d in batch if _may_destroy(d)]
    wanted = [d.native_id for d in batch if line.role.cheap_looks or d.maybe_written or _may_destroy(d)]
    if not wanted:
        return {}, []
    try:
        return {entry.native_id: entry for entry in await line.backend.fetch_entries(wanted)}, []
    except BackendError as error:  # a plain mark looks for itself then
        line.note(Receipt(Outcome.failed, error_code=error.code, message=_say(error)))
        now = int(ctx.now())
        return {}, [Result(d, Outcome.failed, None, _say(error), now) for d in needed]


def _say(error: BackendError) -> str:
    """The words for it; the command to sign in again is told once, and elsewhere."""
    return error.message if isinstance(error, TokenRefused) else str(error)


def _may_destroy(delivery: Delivery) -> bool:
    return bool(delivery.doubts) or not is_plain_mark(delivery.facets, delivery.target, delivery.before)


def _take_back_overtaken(
    ctx: Context, batch: Sequence[Delivery], seen: Mapping[str, Entry], result: Delivered, skew_s: float
) -> list[Delivery]:
    """The deliveries that may go out; the others would overwrite what a person did since the item was read."""
    going: list[Delivery] = []
    for delivery in batch:
        entry = seen.get(delivery.native_id)
        if (
            entry is None
            or not _may_destroy(delivery)
            or not has_changed(delivery, _state_of(entry), ctx.policy, skew_s=skew_s)
        ):
            going.append(delivery)
            continue
        ctx.ledger.give_up(delivery, entry, int(ctx.now()))
        result.overtaken += 1
    ctx.ledger.commit()
    return going


def has_changed(delivery: Delivery, now: State, policy: Policy, *, skew_s: float = 0.0) -> bool:
    """Whether somebody has changed the item since it was read, other than to what is wished for.

    Where the reading has no date, because the server stamped the hub's own mark and did not say so, another date than that
    stamp is a person's.
    """
    before = delivery.before
    if now.watched is None or find_done(delivery, now) is not None:
        return False
    pairs = ((now.plays, before.plays), (now.last_played, before.last_played))
    moved = any(one is not None and other is not None and one != other for one, other in pairs)
    if before.last_played is None and now.last_played is not None:
        moved = moved or not is_stamp(now.last_played - int(skew_s), delivery.written_at, policy)
    return moved or now.watched != before.watched or (now.position_s or 0) != (before.position_s or 0)


async def _write_one(line: _Line, delivery: Delivery, seen: Entry | None) -> Receipt:
    if delivery.maybe_written and seen is None:
        try:
            seen = next(iter(await line.backend.fetch_entries([delivery.native_id])), None)
        except BackendError as error:
            return Receipt(Outcome.failed, error_code=error.code, message=_say(error))
    before = delivery.before
    if seen is not None and seen.watched is not None:
        before = _state_of(seen)
        if (receipt := find_done(delivery, before)) is not None:
            return receipt
    write = Write(
        native_id=delivery.native_id,
        kind=delivery.kind,
        facets=delivery.facets,
        target=msgspec.structs.replace(delivery.target, rating=before.rating, favourite=before.favourite),
        before=before,
        runtime_s=delivery.runtime_s,
        looked=before is not delivery.before,
    )
    receipt = await line.backend.apply(write)
    if receipt.outcome is Outcome.missing and await _is_there(line, delivery):
        receipt = Receipt(
            Outcome.failed, error_code=receipt.error_code, message=f"It is there, yet: {receipt.message}"
        )
    log.debug(
        "write",
        connection=line.role.connection,
        item=delivery.native_id,
        facets=sorted(delivery.facets),
        outcome=receipt.outcome.value,
        message=receipt.message,
    )
    return receipt


async def _is_there(line: _Line, delivery: Delivery) -> bool:
    """Whether an item that a write did not find can be read after all."""
    try:
        return bool(await line.backend.fetch_entries([delivery.native_id]))
    except BackendError:
        return True  # nothing proves that it is gone


def find_done(delivery: Delivery, now: State) -> Receipt | None:
    """A receipt where the item already is as wished; None where it must be written."""
    target = delivery.target
    if "watched" in delivery.facets:
        dated = target.last_played is not None and delivery.before.watched  # a date is to be moved
        if now.watched != target.watched or (dated and now.last_played != target.last_played):
            return None
    near = now.position_s is not None and abs(now.position_s - (target.position_s or 0)) <= SAME_POSITION_S
    if ("progress" in delivery.facets or delivery.doubts) and not near:
        return None
    return Receipt(Outcome.done, after=now, message="It was so already.")


def _state_of(entry: Entry) -> State:
    return State(
        entry.watched, entry.plays, entry.last_played, entry.position_s, entry.rating, entry.favourite
    )


def _store_as(ctx: Context, role: AccountRole, delivery: Delivery, receipt: Receipt) -> Result:
    now = int(ctx.now())
    pause = receipt.retry_after_s or min(3600.0, 30.0 * 2**delivery.attempts)
    due = now if receipt.outcome is Outcome.done else now + int(pause)
    after = receipt.after
    if receipt.outcome is Outcome.done and after is None:
        after = delivery.target
    base = delivery.base
    if after is not None:
        base = base_after_write(
            delivery.base,
            delivery.target,
            after,
            ctx.policy,
            tries=[at + int(role.skew_s) for at in _list_tries(delivery, now)],
            all_known=role.takes_date or delivery.doubts < 2,
        )
    return Result(delivery, receipt.outcome, after, receipt.message, due, base)


def _list_tries(delivery: Delivery, now: int) -> list[int]:
    """When the write went out, on the hub's clock: the first try and the last."""
    first = delivery.written_at if delivery.attempts or delivery.doubts else None
    return [now] if first is None else [first, now]


def _count(result: Delivered, delivery: Delivery, receipt: Receipt) -> None:
    """Changes are counted as they were planned, also where one request carries several."""
    if receipt.outcome is Outcome.done:
        result.written += len(delivery.change_ids)
    elif receipt.outcome is Outcome.missing:
        result.missing += len(delivery.change_ids)
