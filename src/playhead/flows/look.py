"""A quick look at an account: which items to read now, and whether more changed there than can be told so.

An un-mark shows in no list of what was played; but then the server counts fewer watched items than the hub knows of, and does
not list it among the watched. That difference never is zero for good (other libraries, versions of films), so only its change
means something. Knows no backend.
"""

from __future__ import annotations

import msgspec

from playhead.flows.context import Context
from playhead.ports.errors import BadAnswer
from playhead.ports.looking import Play, Recent, TellsRecent

MOST_PLAYS = 50
MOST_UNMARKED = 200  # more at once is no person's doing: the whole account is read, and the guards see all
MARGIN_S = 60  # clocks, and what was under way


class Sight(msgspec.Struct, frozen=True):
    """What an account showed when it was looked at last. ``surplus``: how many more watched items than the hub knows of, None =
    not known yet; ``sought``: the one for which what is watched was listed; ``asked``: the one for which a read was asked."""

    plays: frozenset[Play]
    surplus: int | None
    asked: int | None = None
    sought: int | None = None


class Look(msgspec.Struct, frozen=True):
    """What a look found. ``native_ids`` are to be read now; ``differs``: the count does not fit what is known; ``tells_all``:
    what was watched or unwatched since the time asked about shows in these two."""

    sight: Sight
    native_ids: tuple[str, ...] = ()
    differs: bool = False
    tells_all: bool = True


async def look(ctx: Context, account_id: int, before: Sight | None, since: int | None = None) -> Look | None:
    """Look at an account; None where its backend cannot be looked at, or not now. ``since``: of when the plays are wanted at
    least, on the hub's clock; else those are that were not there before. Raises BackendError."""
    backend = ctx.backends.get(account_id)
    if not isinstance(backend, TellsRecent):
        return None
    recent = await backend.fetch_recent(MOST_PLAYS)
    surplus = recent.watched - ctx.ledger.count_watched(account_id)
    known = before.surplus if before is not None else None
    seen = before.plays if before is not None else frozenset(recent.plays)
    start = None if since is None else since - MARGIN_S + int(ctx.roles[account_id].skew_s)
    wanted = [p for p in recent.plays if p not in seen or (start is not None and p[1] >= start)]
    return Look(
        Sight(
            frozenset(recent.plays),
            surplus if known is None else known,
            before.asked if before is not None else None,
            before.sought if before is not None else None,
        ),
        tuple(dict.fromkeys(native_id for native_id, _ in wanted)),
        differs=known is not None and surplus != known,
        tells_all=known is not None and _reaches(recent, start),
    )


def _reaches(recent: Recent, start: int | None) -> bool:
    return start is None or recent.told_back_to is None or recent.told_back_to < start


class Concluded(msgspec.Struct, frozen=True):
    """What to remember, which items are to be read now, and whether the whole account is."""

    sight: Sight
    native_ids: tuple[str, ...] = ()
    whole: bool = False


async def conclude(ctx: Context, account_id: int, sight: Sight) -> Concluded:
    """After what was found has been read: where the count still differs, what is watched no more is read, then the whole account;
    a difference that neither explained is taken as it is. Raises BackendError."""
    backend = ctx.backends.get(account_id)
    if not isinstance(backend, TellsRecent):
        return Concluded(sight)
    surplus = (await backend.fetch_recent(MOST_PLAYS)).watched - ctx.ledger.count_watched(account_id)
    if surplus == sight.surplus:
        return Concluded(msgspec.structs.replace(sight, asked=None, sought=None))
    if surplus == sight.asked:
        return Concluded(Sight(sight.plays, surplus))
    if surplus != sight.sought:
        unmarked = await _find_unmarked(ctx, backend, account_id)
        if 0 < len(unmarked) <= MOST_UNMARKED:
            return Concluded(msgspec.structs.replace(sight, sought=surplus), tuple(unmarked))
    return Concluded(msgspec.structs.replace(sight, asked=surplus, sought=None), whole=True)


async def _find_unmarked(ctx: Context, backend: TellsRecent, account_id: int) -> list[str]:
    """What the hub knows as watched and the server does not; nothing where it cannot list that."""
    try:
        watched = await backend.fetch_watched()
    except BadAnswer:
        return []
    return sorted(ctx.ledger.list_watched(account_id) - watched)
