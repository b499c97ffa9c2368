"""From an event to the writes: whose item is it, what does the server say of it, what follows.

An event is a hint. Its item is read from the server through the account that it names, and only that reading counts; an event
of a login that nobody is linked to is kept and touches nobody. Knows no backend and no database.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence

import msgspec

from playhead.flows.context import Context, ignore_progress
from playhead.flows.deliver import Delivered, deliver_changes
from playhead.flows.reconcile import reconcile_heard
from playhead.ports.backend import Entry
from playhead.ports.errors import BackendError
from playhead.ports.events import Heard
from playhead.ports.inbox import Ended, Fate, WaitingEvent
from playhead.ports.ledger import AccountRole

FETCH_AT_ONCE = 100
FIRST_WAIT_S = 5.0
LONGEST_WAIT_S = 600.0
_SILENT = (Heard.test, Heard.other)
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
    """The items to read through one account, each with the events that ask for it."""

    role: AccountRole
    items: dict[str, list[WaitingEvent]] = {}


async def observe(ctx: Context, waiting: Sequence[WaitingEvent]) -> Observation:
    """Act on a batch of events, oldest first; several for one item are one reading. Opens the ledger's session itself; no
    other process reconciles or delivers meanwhile.

    ``ctx.backends`` are those that can be asked now; events for the others are failed and come again.
    """
    ctx = dataclasses.replace(ctx, began=ctx.now())
    result = Observation()
    ends: dict[int, Ended] = {}
    wanted: dict[int, _Wanted] = {}
    for event in waiting:
        if (end := _place(ctx, event, wanted, result)) is not None:
            ends[event.id] = end
    read = {account: await _read(ctx, one) for account, one in wanted.items()}
    with ctx.ledger.session():
        for account, one in wanted.items():
            _take_in(ctx, one, read[account], ends, result)
        ctx.ledger.commit()
        if result.changed:
            await _follow(ctx, result)
    result.ended = [ends[event.id] for event in waiting]
    return result


def _place(
    ctx: Context, waiting: WaitingEvent, wanted: dict[int, _Wanted], result: Observation
) -> Ended | None:
    """Find whose items are to be read; an end where there is nothing to read."""
    event = waiting.event
    roles = [role for role in ctx.roles.values() if role.connection_id == waiting.connection_id]
    if not roles:  # gone, or nobody is linked to any of its logins
        told = event.user_id is not None or event.user_name is not None
        return Ended(waiting.id, Fate.unmatched if told else Fate.nothing, "Nobody is linked to that login.")
    if event.server_id and roles[0].server_id and event.server_id != roles[0].server_id:
        return Ended(waiting.id, Fate.unknown, "Another server sent it than the one that is connected.")
    if event.what in _SILENT:
        return Ended(waiting.id, Fate.nothing)
    if event.what in _WHOLE:
        result.to_read.add(roles[0].connection)
        return Ended(waiting.id, Fate.nothing)
    own = _find_owners(roles, event.user_id, event.user_name)
    if not own:
        return Ended(waiting.id, Fate.unmatched, "Nobody is linked to that login.")
    if not event.native_ids:
        result.to_read.add(roles[0].connection)
        return Ended(waiting.id, Fate.nothing)
    for role in own:
        items = wanted.setdefault(role.account_id, _Wanted(role)).items
        for native_id in event.native_ids:
            items.setdefault(native_id, []).append(waiting)
    return None


def _find_owners(
    roles: Sequence[AccountRole], user_id: str | None, user_name: str | None
) -> list[AccountRole]:
    """The accounts that an event is about: by the server's own id, else by the very name (Plex posts plex.tv's ids, its
    servers have others), all of the connection where neither is told. A wrong guess costs a reading of one's own item."""
    if user_id is None and user_name is None:
        return list(roles)
    if own := [role for role in roles if user_id is not None and role.user_id == user_id]:
        return own
    return [role for role in roles if user_name is not None and role.user.casefold() == user_name.casefold()]


async def _read(ctx: Context, wanted: _Wanted) -> list[Entry] | BackendError | None:
    """What the server says of the items now; None where it is out of reach."""
    backend = ctx.backends.get(wanted.role.account_id)
    if backend is None:
        return None
    ids, found = list(wanted.items), list[Entry]()
    try:
        for start in range(0, len(ids), FETCH_AT_ONCE):
            found += await backend.fetch_entries(ids[start : start + FETCH_AT_ONCE])
    except BackendError as error:
        return error
    return found


def _take_in(
    ctx: Context,
    wanted: _Wanted,
    read: list[Entry] | BackendError | None,
    ends: dict[int, Ended],
    result: Observation,
) -> None:
    if not isinstance(read, list):
        message = f"{wanted.role.connection}: {read or 'It is out of reach.'}"
        result.messages.append(message)
        for waiting in _each(wanted.items):
            ends[waiting.id] = _fail(ctx, waiting, message)
        return
    taken = ctx.ledger.hear(wanted.role.account_id, read, int(ctx.now()))
    result.changed += taken.changed
    unplaced = (wanted.items.keys() - {entry.native_id for entry in read}) | set(taken.unknown)
    if unplaced:  # new there, a show or a season, or gone: the next read tells
        result.to_read.add(wanted.role.connection)
    for native_id, events in wanted.items.items():
        for waiting in events:
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
        else Ended(waiting.id, Fate.unknown, "No read has listed its item yet; its connection is read soon.")
    )


def _fail(ctx: Context, waiting: WaitingEvent, message: str) -> Ended:
    wait = min(FIRST_WAIT_S * 2**waiting.attempts, LONGEST_WAIT_S)
    return Ended(waiting.id, Fate.failed, message, ctx.now() + wait)


async def _follow(ctx: Context, result: Observation) -> None:
    """Reconcile what was touched and deliver what follows; once more where persons did something meanwhile."""
    ctx.ledger.release_stale_leases()
    ctx.ledger.commit()
    targets = [role.account_id for role in ctx.roles.values() if role.write]
    for _ in range(2):
        result.queued += (await reconcile_heard(ctx)).queued
        delivered: Delivered = await deliver_changes(
            ctx, [account for account in targets if ctx.ledger.count_open([account])], ignore_progress
        )
        result.written += delivered.written
        result.failed = delivered.failed
        result.messages += delivered.messages
        if not delivered.overtaken:
            return
