"""Every sequence of acts up to a length, on model servers and the memory hub, judged by what persons did.

The world and the record of acts walk together; equal pairs at equal depth are visited once, accounts of one kind are
interchangeable. Judgement looks at servers, hub and the record of acts, never at rules of the merge.
"""

from __future__ import annotations

from typing import NamedTuple

from tests.properties.memory_hub import Account, MemoryHub, Pass, World, _put
from tests.properties.servers import BLANK_CELL, unmark

T0 = 1_700_000_000
ACTS = ("play", "stop", "mark", "unmark", "read", "read-part", "lose", "fail")
QUIET_AFTER = 6


class Record(NamedTuple):
    """What persons did, as far as it bears on the judgement. Times are those of acts, None = never."""

    plays: tuple[int, ...] = ()  # times of plays and marks, dated by the servers
    stops: tuple[int, ...] = ()  # positions that were ever taken
    last_act: str = ""
    last_on: int = -1
    unmarked_at: int | None = None  # the last un-play by a person
    witnessed: int | None = None  # newest play that the hub read while it stood
    unseen: tuple[
        tuple[int, int], ...
    ] = ()  # account and time of plays that stand there and were not read yet
    clean_unmark: bool = (
        False  # the last act was an un-play on an account when all agreed that it was watched
    )
    pending_stop: bool = False  # the last act was a stop, and its server still shows it


class Step(NamedTuple):
    world: World
    record: Record


class Broken(AssertionError):
    """An invariant does not hold."""


def act(hub: MemoryHub, step: Step, name: str, number: int, now: int) -> Step | None:
    """One letter; None where it makes no sense."""
    world, record = step
    account = world.accounts[number]
    if name in ("read", "read-part"):
        record = witness(record, account, number)
        world = hub.read(world, number, now, whole=name == "read")
        return Step(hub.run_pass(world, now + 5).world, settle_record(record, number))
    if name == "fail":
        return (
            Step(_put(world, number, account._replace(failing=True)), record) if not account.failing else None
        )
    if name == "lose":
        return lose(hub, step, number)
    if account.cell is None:
        return None
    return person_acts(hub, step, name, number, now)


def witness(record: Record, account: Account, number: int) -> Record:
    """The hub reads an account: plays that stand there are known from now on."""
    if record.pending_stop and record.last_on == number:
        stands = account.cell is not None and account.cell.position_s == record.stops[-1]
        record = record._replace(pending_stop=stands)
    times = [at for owner, at in record.unseen if owner == number]
    if account.cell is None or not times:
        return record
    newest = max([*times, record.witnessed or 0])
    return record._replace(witnessed=newest, unseen=tuple(u for u in record.unseen if u[0] != number))


def settle_record(record: Record, number: int) -> Record:
    if not record.unseen:
        return record
    return record._replace(unseen=tuple(u for u in record.unseen if u[0] != number))


def lose(hub: MemoryHub, step: Step, number: int) -> Step:
    """The server loses the item, or has it again."""
    world, record = step
    account = world.accounts[number]
    kind = hub.kinds[number]
    if account.cell is not None:
        kept = None if kind.returns_blank else account.cell
        lost = account._replace(cell=None, remembers=kept)
        unseen = record.unseen if kept is not None else tuple(u for u in record.unseen if u[0] != number)
        gone = record.last_on == number
        record = record._replace(
            unseen=unseen,
            clean_unmark=record.clean_unmark and not gone,
            pending_stop=record.pending_stop and not (gone and kept is None),
        )
        return Step(_put(world, number, lost), record)
    native = account.native + kind.returns_blank
    back = account._replace(cell=account.remembers or BLANK_CELL, remembers=None, native=native)
    return Step(_put(world, number, back), record)


def person_acts(hub: MemoryHub, step: Step, name: str, number: int, now: int) -> Step:
    world, record = step
    account, kind = world.accounts[number], hub.kinds[number]
    cell = account.cell
    assert cell is not None
    record = record._replace(clean_unmark=False, pending_stop=False, last_act=name, last_on=number)
    others = tuple(u for u in record.unseen if u[0] != number)
    if name in ("play", "mark"):
        after = kind.play(cell, now) if name == "play" else kind.mark(cell, now)
        record = record._replace(plays=(*record.plays, after.date or now))
        if after[:3] != cell[:3]:  # a mark that changes nothing cannot be seen
            at = min(now, after.date or now)  # a mark that keeps an old date looks as old as that
            record = record._replace(unseen=(*others, (number, at)))
    elif name == "stop":
        position_s = 1_200 + 10 * ((now - T0) // 3_600)
        after = kind.stop(cell, now, position_s)
        known = find_known_plays(account)
        hidden = kind.name == "emby" or after.plays <= known  # watched as before, for all that can be read
        if cell.watched and (hidden or not after.watched):  # or the server itself forgot
            record = record._replace(unseen=others)
        record = record._replace(stops=(*record.stops, position_s), pending_stop=True)
    else:
        after = unmark(cell)
        agree = world.agreed.watched and all(is_up_to_date(a) for a in world.accounts)
        record = record._replace(
            unseen=others,
            unmarked_at=now,
            clean_unmark=agree
            and not record.unseen
            and (account.complete_at or 0) + 300 >= (world.decided_at or 0),
        )
    return Step(_put(world, number, account._replace(cell=after)), record)


def find_known_plays(account: Account) -> int:
    """Plays that the hub may compare with: an un-play that no complete read showed has not taken any away yet."""
    read = (account.reading.plays or 0) if account.reading is not None else 0
    base = (account.base.plays or 0) if account.base is not None else 0
    return max(read, base)


def is_up_to_date(account: Account) -> bool:
    """Whether the hub knows what this account says, and that is watched."""
    if account.cell is None or account.reading is None or not account.known or account.native != account.ref:
        return False
    said, cell = account.reading, account.cell
    same = (said.watched, said.plays, said.position_s) == (cell.watched, cell.plays, cell.position_s)
    return same and cell.watched


# -- judgement


def settle_all(hub: MemoryHub, step: Step, now: int) -> tuple[World, Record, list[Pass]]:
    """Read everything fully and pass until nothing happens."""
    world, record = step
    for number in range(len(world.accounts)):
        record = witness(record, world.accounts[number], number)
    passes = []
    for turn in range(QUIET_AFTER):
        at = now + 3_600 * (turn + 1)
        for number in range(len(world.accounts)):
            world = hub.read(world, number, at, whole=True)
        done = hub.run_pass(world, at + 5)
        passes.append(done)
        world = done.world
        if not done.planned and not done.written and not any(a.queue for a in world.accounts):
            break
    return world, record, passes


def judge(hub: MemoryHub, step: Step, now: int) -> None:
    """Raise Broken where the world does not come to rest as it must."""
    world, record, passes = settle_all(hub, step, now)
    last = passes[-1]
    if last.planned or last.written:
        raise Broken("does not come to rest: every pass plans and writes again")
    judge_agreement(hub, world)
    judge_watched(world, record)
    judge_progress(hub, world, record)
    judge_dates(world, record, step)


def judge_agreement(hub: MemoryHub, world: World) -> None:
    agreed = world.agreed
    for number, account in enumerate(world.accounts):
        cell = account.cell
        if cell is None:
            continue
        if cell.watched != agreed.watched and not (cell.watched and account.base is None):
            raise Broken(f"account {number} says watched={cell.watched}, the hub {agreed.watched}")
        stuck = hub.kinds[number].name == "plex" and cell.watched and not agreed.position_s
        if cell.position_s != agreed.position_s and not stuck and cell.watched == agreed.watched:
            raise Broken(f"account {number} stands at {cell.position_s}, the hub at {agreed.position_s}")


def judge_watched(world: World, record: Record) -> None:
    watched = world.agreed.watched
    newest = record.witnessed
    if newest is not None and (record.unmarked_at is None or record.unmarked_at < newest) and not watched:
        raise Broken("a play that the hub had read and that nobody took back is lost")
    if watched and not record.plays:
        raise Broken("watched, though nobody watched it")
    if record.clean_unmark and watched:
        raise Broken("a person's un-play is lost")


def judge_progress(hub: MemoryHub, world: World, record: Record) -> None:
    position = world.agreed.position_s
    if position and position not in record.stops:
        raise Broken(f"progress {position} that nobody left")
    if record.pending_stop and position != record.stops[-1]:
        raise Broken(f"stopped at {record.stops[-1]} last, but the hub has {position}")
    ended = world.agreed.watched_at == max(
        record.plays, default=None
    )  # a mark of the hub may have replaced the date
    if ended and record.last_act == "play" and position and hub.kinds[record.last_on].name != "emby":
        raise Broken(f"watched to the end, but {position} stands")


def judge_dates(world: World, record: Record, before: Step) -> None:
    date = world.agreed.watched_at
    if date is not None and date not in record.plays:
        raise Broken(f"watched at {date}, when nobody watched")
    if before.world.decided_at is not None:
        return  # a mark of the hub may have met a play that was not read yet, and hidden its date
    cells = [
        a.cell
        for a in before.world.accounts
        if a.cell is not None and a.cell.watched and not a.cell.position_s
    ]
    shown = [cell.date for cell in cells if cell.date in record.plays]
    if shown and record.unmarked_at is None and (date or 0) < max(at for at in shown if at is not None):
        raise Broken(f"watched at {date}, though a server shows a later play")
