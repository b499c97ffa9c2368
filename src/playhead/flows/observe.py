"""From an event to the writes: whose item is it, what does the server say of it, what follows.

An event is a hint. Its item is read from the server through the account that it names, and only that reading counts; an event
of a login that nobody is linked to is kept and touches nobody. Knows no backend and no database.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Collection, Mapping, Sequence

import msgspec

from playhead.flows.context import Context, ignore_progress
from playhead.flows.deliver import Delivered, deliver_changes, free_stale_leases
from playhead.flows.reconcile import reconcile_heard
from playhead.ports.backend import Entry, RemoteUser
from playhead.ports.errors import BackendError
from playhead.ports.events import Event, Heard
from playhead.ports.inbox import Ended, Fate, WaitingEvent
from playhead.ports.ledger import AccountRole

FETCH_AT_ONCE = 100
FIRST_WAIT_S = 5.0
LONGEST_WAIT_S = 600.0
READ_AGAIN_S = 1.0  # what was read beside a write of the hub's own
_SILENT = (Heard.test, Heard.other, Heard.scan)
_WHOLE = (Heard.library, Heard.missed)


class Observation(msgspec.Struct):
    """What became of a batch of events. ``to_read`` are connections whose next read should come soon: something happened
    there that no single reading tells. ``messages`` are for a person."""

    ended: list[Ended] = []
    to_read: set[str] = set()
    changed: int = 0
    queued: int = 0
    written: int = 0
    failed: int = 0
    messages: list[str] = []


class _Wanted(msgspec.Struct):
    """The items to read through one account, each with the events that ask for it; ``tries`` are the hub's own writes to them
    before they were read, ``entries`` what the server said."""

    role: AccountRole
    items: dict[str, list[WaitingEvent]] = {}
    tries: dict[str, int] = {}
    entries: list[Entry] | BackendError | None = None


async def observe(ctx: Context, waiting: Sequence[WaitingEvent]) -> Observation:
    """Act on a batch of events, oldest first; several for one item are one reading. Opens the ledger's session and takes the
    turns itself: others may observe, reconcile and deliver meanwhile.

    ``ctx.backends`` are those that can be asked now; events for the others are failed and come again.
    """
    ctx = dataclasses.replace(ctx, began=ctx.now())
    result = Observation()
    ends: dict[int, Ended] = {}
    wanted: dict[int, _Wanted] = {}
    waiting = await _name_callers(ctx, waiting)
    for event in waiting:
        if (end := _place(ctx, event, wanted, result)) is not None:
            ends[event.id] = end
    await asyncio.gather(*(_read(ctx, one) for one in wanted.values()))
    if not ctx.still_holds():
        return Observation([Ended(w.id, Fate.failed, "The settings changed.", ctx.now()) for w in waiting])
    if wanted:
        async with ctx.turns.reconciling():
            with ctx.ledger.session():
                for one in wanted.values():
                    _take_in(ctx, one, ends, result)
                ctx.ledger.commit()
                due = await _reconcile(ctx, result) if result.changed else set()
        await _deliver(ctx, result, due)
    result.ended = [ends[event.id] for event in waiting]
    return result


async def follow_up(ctx: Context) -> Observation:
    """Look again at what could not be settled while it was being written, and have what is due written."""
    ctx = dataclasses.replace(ctx, began=ctx.now())
    result = Observation()
    async with ctx.turns.reconciling():
        with ctx.ledger.session():
            due = await _reconcile(ctx, result)
    await _deliver(ctx, result, due)
    return result


async def _name_callers(ctx: Context, waiting: Sequence[WaitingEvent]) -> Sequence[WaitingEvent]:
    """The same events, with the logins of those who were seen at a proxy. Whom nobody can tell stays without: then the item is
    read through every account of the connection, each for itself."""
    wanted = {each.event.caller: each.connection_id for each in waiting if each.event.caller}
    if not wanted or ctx.callers is None:
        return waiting
    found = await ctx.callers.find(wanted)
    return [_name(each, found.get(each.event.caller or "")) for each in waiting]


def _name(waiting: WaitingEvent, user: RemoteUser | None) -> WaitingEvent:
    if user is None:
        return waiting
    named = msgspec.structs.replace(waiting.event, user_id=user.id, user_name=user.name)
    return msgspec.structs.replace(waiting, event=named)


def _place(
    ctx: Context, waiting: WaitingEvent, wanted: dict[int, _Wanted], result: Observation
) -> Ended | None:
    """Find whose items are to be read; an end where there is nothing to read."""
    event = waiting.event
    roles = [role for role in ctx.roles.values() if role.connection_id == waiting.connection_id]
    if not roles:  # gone, or nobody is linked to any of its logins
        told = event.user_id is not None or event.user_name is not None
        kept = told and event.what not in _SILENT
        return _leave_unmatched(waiting) if kept else Ended(waiting.id, Fate.nothing)
    if event.server_id and roles[0].server_id and event.server_id != roles[0].server_id:
        return Ended(waiting.id, Fate.unknown, "Another server sent it than the one that is connected.")
    if event.what in _SILENT:
        return Ended(waiting.id, Fate.nothing)
    if event.what is Heard.missed and ctx.look_back is not None:
        whose = find_owners(roles, event)
        ctx.look_back([role.account_id for role in whose], event.at)
        return Ended(waiting.id, Fate.nothing)
    if event.what in _WHOLE:
        result.to_read.add(roles[0].connection)
        return Ended(waiting.id, Fate.nothing)
    own = find_owners(roles, event)
    if not own:
        return _leave_unmatched(waiting)
    if not event.native_ids:
        result.to_read.add(roles[0].connection)
        return Ended(waiting.id, Fate.nothing)
    for role in own:
        items = wanted.setdefault(role.account_id, _Wanted(role)).items
        for native_id in event.native_ids:
            items.setdefault(native_id, []).append(waiting)
    return None


def _leave_unmatched(waiting: WaitingEvent) -> Ended:
    named = waiting.event if waiting.event.caller else None
    return Ended(waiting.id, Fate.unmatched, "Nobody is linked to that login.", event=named)


def find_owners(roles: Sequence[AccountRole], event: Event) -> list[AccountRole]:
    """The accounts that an event is about: by an id, else by the very name (where plex.tv could not be asked for its id of the
    owner), all of the connection where nobody is told. A wrong guess costs a reading of one's own item."""
    id, name = event.user_id, (event.user_name or "").casefold()
    if id is None and not name:
        return list(roles)
    if own := [role for role in roles if id is not None and (role.user_id == id or id in role.other_ids)]:
        return own
    return [role for role in roles if role.user.casefold() == name and (id is None or not role.other_ids)]


async def _read(ctx: Context, wanted: _Wanted) -> None:
    """Ask the server for the items as they are now; nothing where it is out of reach."""
    backend = ctx.backends.get(wanted.role.account_id)
    if backend is None:
        return
    ids, found = list(wanted.items), list[Entry]()
    wanted.tries = ctx.ledger.count_tries(wanted.role.account_id, ids)
    try:
        for start in range(0, len(ids), FETCH_AT_ONCE):
            found += await backend.fetch_entries(ids[start : start + FETCH_AT_ONCE])
        wanted.entries = found
    except BackendError as error:
        wanted.entries = error


def _take_in(ctx: Context, wanted: _Wanted, ends: dict[int, Ended], result: Observation) -> None:
    role, read = wanted.role, wanted.entries
    if not isinstance(read, list):
        message = f"{role.connection}: {read or 'It is out of reach.'}"
        result.messages.append(message)
        for waiting in _each(wanted.items):
            ends[waiting.id] = _fail(ctx, waiting, message)
        return
    tries = ctx.ledger.count_tries(role.account_id, wanted.items)
    beside = {key for key, count in tries.items() if count < 0 or count != wanted.tries.get(key, 0)}
    taken = ctx.ledger.hear(
        role.account_id, [entry for entry in read if entry.native_id not in beside], int(ctx.now())
    )
    result.changed += taken.changed
    unplaced = (wanted.items.keys() - {entry.native_id for entry in read} - beside) | set(taken.unknown)
    # New there, a show or a season, gone, or of a library that is not read: the next read tells. What merely goes on playing
    # asks for none, because it goes on asking; its stop does.
    if any(each.event.what is not Heard.playing for key in unplaced for each in wanted.items[key]):
        result.to_read.add(role.connection)
    for native_id, events in wanted.items.items():
        for waiting in events:
            if native_id in beside:
                message = "It was being written to while it was read."
                ends[waiting.id] = Ended(waiting.id, Fate.failed, message, ctx.now() + READ_AGAIN_S)
            else:
                _end(ends, waiting, known=native_id not in unplaced)


def _each(items: Mapping[str, Collection[WaitingEvent]]) -> list[WaitingEvent]:
    return list({waiting.id: waiting for events in items.values() for waiting in events}.values())


def _end(ends: dict[int, Ended], waiting: WaitingEvent, *, known: bool) -> None:
    """An event of several items or accounts is done where any of them was read, and failed where any could not be."""
    before = ends.get(waiting.id)
    if before is not None and before.fate in (Fate.failed, Fate.done):
        return
    ends[waiting.id] = (
        Ended(waiting.id, Fate.done)
        if known
        else Ended(waiting.id, Fate.unknown, "No read has listed its item yet; the next one tells.")
    )


def _fail(ctx: Context, waiting: WaitingEvent, message: str) -> Ended:
    wait = min(FIRST_WAIT_S * 2**waiting.attempts, LONGEST_WAIT_S)
    return Ended(waiting.id, Fate.failed, message, ctx.now() + wait)


async def _reconcile(ctx: Context, result: Observation) -> set[int]:
    """Reconcile what was touched; the accounts to which something is due."""
    free_stale_leases(ctx)
    result.queued += (await reconcile_heard(ctx)).queued
    due = ctx.ledger.list_due(int(ctx.now()))
    ctx.ledger.commit()
    return due & {role.account_id for role in ctx.roles.values() if role.write}


async def _deliver(ctx: Context, result: Observation, due: set[int]) -> None:
    """Deliver what follows, or have it delivered; once more where persons did something meanwhile."""
    if ctx.hand_over is not None:
        ctx.hand_over(due)
        return
    for _ in range(2):
        with ctx.ledger.session():
            delivered: Delivered = await deliver_changes(ctx, sorted(due), ignore_progress)
        result.written += delivered.written
        result.failed = delivered.failed
        result.messages += delivered.messages
        if not delivered.overtaken:
            return
        async with ctx.turns.reconciling():
            with ctx.ledger.session():
                due = await _reconcile(ctx, result)
