"""From stored readings to agreed values and queued changes: guards first, then batch after batch.

Asks a backend only to look twice: at what seems to be a removal, and at an id that is new.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import msgspec

from playhead.domain.reconcile.guards import Question, ask_about_removals
from playhead.domain.reconcile.model import Agreed, Slot, Verdict, WantedWrite
from playhead.domain.reconcile.news import acknowledge, has_gone_back, is_undecided_removal
from playhead.domain.reconcile.resolve import resolve, tell
from playhead.domain.reconcile.writes import Reasons, next_base, plan_writes
from playhead.flows.context import Context, SettingsChanged
from playhead.ports.backend import Entry
from playhead.ports.errors import BackendError
from playhead.ports.ledger import Case, ItemLabel, Removal, Settlement

Key = tuple[int, int]
CONFIRM_AT_ONCE = 200
REMOVALS_TOGETHER_S = 600
LOOK_AGAIN_S = 60.0  # at an account that took too long


class PlannedChange(msgspec.Struct, frozen=True):
    """A change with the names of everything it touches."""

    id: str
    connection: str
    account: str
    person: str
    item_id: int
    item: ItemLabel
    write: WantedWrite


class Reconciled(msgspec.Struct):
    """What the pass queued; ``kept`` holds the changes themselves where they were asked for."""

    queued: int = 0
    kept: list[PlannedChange] = []


async def reconcile(ctx: Context, *, keep: bool) -> Reconciled:
    """Settle all touched items. Called within a session of the ledger; commits after each batch."""
    ctx.ledger.touch_new_refs()
    verdicts = await _judge_removals(ctx, trust_lists=keep)
    ctx.ledger.commit()
    done = await _settle_touched(ctx, verdicts, keep=keep)
    ctx.ledger.ask(ctx.ledger.find_conflicts(), ("conflict",), int(ctx.now()))
    ctx.ledger.ask([(q, {}) for q in ctx.ledger.find_shrunk()], ("shrunk",), int(ctx.now()))
    ctx.ledger.commit()
    return done


async def reconcile_heard(ctx: Context) -> Reconciled:
    """The same for what single readings touched, between two reads: nothing is new there but states.

    Un-plays that come one by one are counted together with those of the last minutes, so that the guard sees a mass of them.
    """
    verdicts = await _judge_removals(ctx, trust_lists=False, together_s=REMOVALS_TOGETHER_S)
    ctx.ledger.commit()
    return await _settle_touched(ctx, verdicts, keep=False)


async def _settle_touched(ctx: Context, verdicts: Mapping[Key, Verdict], *, keep: bool) -> Reconciled:
    done = Reconciled()
    after = 0
    while items := ctx.ledger.next_touched(after, ctx.batch):
        if not ctx.still_holds():
            raise SettingsChanged
        after = items[-1]
        cases = ctx.ledger.load_cases(items, ctx.roles, verdicts)
        settlement, cases = await _settle_twice(ctx, items, cases, verdicts)
        done.queued += ctx.ledger.settle(settlement, int(ctx.now()))
        ctx.ledger.note_went_back(settlement.went_back, int(ctx.now()))
        if keep:
            done.kept += _name_changes(ctx, settlement)
        ctx.ledger.commit()
    return done


async def _judge_removals(ctx: Context, *, trust_lists: bool, together_s: int = 0) -> dict[Key, Verdict]:
    """Say of every slot that looks like a removal whether to believe it. Removals of the last ``together_s`` seconds count
    with them; ``trust_lists``: for a plan that only shows, where no backend is at hand."""
    verdicts: dict[Key, Verdict] = {}
    answers = ctx.ledger.removal_answers()
    open_ones: list[Removal] = []
    believed: list[Removal] = []
    for removal in ctx.ledger.find_removals(ctx.roles):
        answer = answers.get((removal.account_id, removal.ref_id))
        if answer is None or removal.read_at > answer.answered_at:
            open_ones.append(removal)
        elif answer.verdict == "drop":
            verdicts[removal.account_id, removal.ref_id] = Verdict.dropped
        else:
            believed.append(removal)
    held = _hold_removals(ctx, open_ones, together_s)
    for removal in open_ones:
        if removal.account_id in held:
            verdicts[removal.account_id, removal.ref_id] = Verdict.held
        else:
            believed.append(removal)
    for key in await _look_twice(ctx, believed, trust_lists=trust_lists):
        verdicts[key] = Verdict.confirmed
    return verdicts


def _hold_removals(ctx: Context, removals: Collection[Removal], together_s: int) -> set[int]:
    if not removals:
        ctx.ledger.ask([], ("removals",), int(ctx.now()))
        return set()
    standing = ctx.ledger.list_asked_removals()
    before = ctx.ledger.count_removed_since(int(ctx.now()) - together_s) if together_s else {}
    by_account: dict[Key, list[Removal]] = defaultdict(list)
    for removal in removals:
        by_account[removal.person_id, removal.account_id].append(removal)
    questions = ask_about_removals(
        {key: len({r.item_id for r in own}) + before.get(key, 0) for key, own in by_account.items()},
        ctx.ledger.count_known(),
        {role.account_id: role.connection for role in ctx.roles.values()},
        ctx.limits,
        asked={r.account_id for r in removals if (r.account_id, r.ref_id) in standing},
        restored=ctx.ledger.find_restored({r.account_id for r in removals}, int(ctx.now())),
    )
    asked: list[tuple[Question, Any]] = []
    for question in questions:
        own = by_account[question.person_id or 0, question.account_id or 0]
        detail = {"slots": [[r.account_id, r.ref_id] for r in own], "items": sorted({r.item_id for r in own})}
        asked.append((question, detail))
    ctx.ledger.ask(asked, ("removals",), int(ctx.now()))
    return {question.account_id for question in questions if question.account_id is not None}


async def _look_twice(ctx: Context, removals: Iterable[Removal], *, trust_lists: bool) -> set[Key]:
    """Read the items directly; those that still look like a person's un-play are confirmed. What cannot be asked now stays
    undecided, but in a plan that only shows."""
    confirmed: set[Key] = set()
    by_account: dict[int, list[Removal]] = defaultdict(list)
    for removal in removals:
        by_account[removal.account_id].append(removal)
    for account, own in by_account.items():
        if account not in ctx.backends:
            confirmed |= {(account, r.ref_id) for r in own if trust_lists}
            continue
        found = await _fetch(ctx, account, {r.native_id for r in own})
        changed: dict[int, Entry] = {}
        for removal in own:
            entry = found.get(removal.native_id)
            if entry is None:
                continue
            same_file = not (entry.media_key and removal.media_key) or entry.media_key == removal.media_key
            if entry.unplayed and same_file:
                confirmed.add((account, removal.ref_id))
            else:
                changed[removal.ref_id] = entry
        ctx.ledger.record_entries(account, changed, int(ctx.now()))
    return confirmed


async def _fetch(ctx: Context, account: int, native_ids: Collection[str]) -> dict[str, Entry]:
    """Direct readings by native id; what cannot be read now, or was written to meanwhile, is left out and stays undecided."""
    found: dict[str, Entry] = {}
    ids = sorted(native_ids) if ctx.slow.get(account, 0.0) <= ctx.now() else []
    tries = ctx.ledger.count_tries(account, ids)
    ctx.ledger.commit()
    for start in range(0, len(ids), CONFIRM_AT_ONCE):
        try:
            async with asyncio.timeout(ctx.look_within_s):
                entries = await ctx.backends[account].fetch_entries(ids[start : start + CONFIRM_AT_ONCE])
        except TimeoutError:
            ctx.slow[account] = ctx.now() + LOOK_AGAIN_S
            break
        except BackendError:
            break  # the read of this connection has said so already; nothing is concluded
        found |= {entry.native_id: entry for entry in entries}
    now = ctx.ledger.count_tries(account, found)
    return {key: entry for key, entry in found.items() if -1 != now.get(key) == tries.get(key)}


async def _settle_twice(
    ctx: Context, items: list[int], cases: list[Case], verdicts: Mapping[Key, Verdict]
) -> tuple[Settlement, list[Case]]:
    """Settle a batch; where a write to a new id is wanted, look at that id directly first and settle anew."""
    settlement = settle_cases(ctx, items, cases)
    fresh: dict[int, dict[int, str]] = defaultdict(dict)
    for _, _, write in settlement.writes:
        if write.slot.fresh and write.slot.base is None and write.slot.account_id in ctx.backends:
            fresh[write.slot.account_id][write.slot.ref_id] = ""
    if not fresh:
        return settlement, cases
    for account, refs in fresh.items():
        native = ctx.ledger.native_ids(refs)
        found = await _fetch(ctx, account, set(native.values()))
        ctx.ledger.record_entries(
            account, {ref: found[key] for ref, key in native.items() if key in found}, int(ctx.now())
        )
    cases = ctx.ledger.load_cases(items, ctx.roles, verdicts)
    return settle_cases(ctx, items, cases), cases


def settle_cases(ctx: Context, items: Collection[int], cases: Collection[Case]) -> Settlement:
    """Pure but for the agreed values of siblings: resolve every case, then plan the writes with all of them known."""
    settlement = Settlement(settled=list(items))
    now = int(ctx.now())
    resolved: dict[Key, tuple[Agreed, bool]] = {}
    for case in cases:
        slots = [acknowledge(slot, ctx.policy) for slot in case.slots]
        result = resolve(case.agreed, slots, now=now, policy=ctx.policy, decided_at=case.decided_at)
        resolved[case.person_id, case.item_id] = (result.agreed, result.watched_moved)
        if result.agreed != case.agreed:
            settlement.agreed.append((case.person_id, case.item_id, result.agreed))
        settlement.decisions += [
            (case.person_id, case.item_id, case.agreed, result.agreed, d) for d in result.decisions
        ]
    unsettled: set[int] = set()
    for case in cases:
        agreed, moved = resolved[case.person_id, case.item_id]
        _plan_case(ctx, settlement, case, agreed, moved, resolved)
        if case.in_flight or any(is_undecided_removal(slot) for slot in case.slots):
            unsettled.add(case.item_id)
    settlement.settled = [item for item in settlement.settled if item not in unsettled]
    return settlement


def _plan_case(
    ctx: Context,
    settlement: Settlement,
    case: Case,
    agreed: Agreed,
    moved: bool,
    resolved: Mapping[Key, tuple[Agreed, bool]],
) -> None:
    reasons = _give_reasons(ctx, agreed)
    told = case.decided_at is not None or agreed != case.agreed  # else nobody has decided anything yet
    for stored in case.slots:
        slot = acknowledge(stored, ctx.policy)
        together = _siblings_agree(ctx, case, slot, agreed, resolved)
        writes = (
            plan_writes(slot, agreed, reasons, moved=moved, siblings_watched=together, policy=ctx.policy)
            if told
            else []
        )
        planned = {(w.slot.key, w.facet) for _, _, w in settlement.writes} if slot.span > 1 else set()
        settlement.writes += [
            (case.person_id, case.item_id, w) for w in writes if (slot.key, w.facet) not in planned
        ]
        settlement.refs.add(slot.key)
        base = next_base(slot, agreed, ctx.policy)
        if base is not None and base != stored.base:
            settlement.bases[slot.key] = base
            if has_gone_back(stored.base, base):
                settlement.went_back.add(slot.account_id)
            if 0 < slot.read_at < int(ctx.began):  # read before this pass: nobody looked since
                settlement.base_times[slot.key] = slot.read_at


def _siblings_agree(
    ctx: Context, case: Case, slot: Slot, agreed: Agreed, resolved: Mapping[Key, tuple[Agreed, bool]]
) -> bool:
    others = case.siblings.get(slot.ref_id, ())
    unknown = [item for item in others if (case.person_id, item) not in resolved]
    stored = ctx.ledger.load_agreed(case.person_id, unknown) if unknown else {}
    for item in others:
        known = resolved.get((case.person_id, item))
        value = known[0] if known is not None else stored.get(item, Agreed())
        if value.watched != agreed.watched:
            return False
    return True


def _give_reasons(ctx: Context, agreed: Agreed) -> Reasons:
    watched = _source(ctx, agreed.watched_from)
    if agreed.watched:
        watched_rule, watched_text = "watched", tell("watched", watched, agreed.watched_at)
    else:
        watched_rule, watched_text = "unplayed", tell("unplayed", watched)
    if agreed.position_s:
        source = _source(ctx, agreed.position_from)
        return Reasons(
            watched_rule,
            watched_text,
            "stopped",
            tell("stopped", source, agreed.position_at, agreed.position_s),
        )
    if agreed.watched:
        return Reasons(watched_rule, watched_text, "finished", tell("finished", watched, agreed.watched_at))
    return Reasons(watched_rule, watched_text, "cleared", tell("cleared", watched))


def _source(ctx: Context, account: int | None) -> str:
    role = ctx.roles.get(account) if account is not None else None
    return role.connection if role is not None else "another connection"


def _name_changes(ctx: Context, settlement: Settlement) -> list[PlannedChange]:
    labels = ctx.ledger.label({item for _, item, _ in settlement.writes})
    named: list[PlannedChange] = []
    for _person, item, write in settlement.writes:
        role = ctx.roles[write.slot.account_id]
        name = f"{write.slot.account_id}-{write.slot.ref_id}-{write.facet}"
        named.append(PlannedChange(name, role.connection, role.user, role.person, item, labels[item], write))
    return named
