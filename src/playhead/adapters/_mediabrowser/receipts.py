"""How a write that went wrong becomes a receipt, and what a whole state to be written is.

Decides when to look again before answering; must not know routes.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable

from playhead.domain.state.reading import State
from playhead.ports.backend import Outcome, Receipt, Write
from playhead.ports.errors import (
    BackendError,
    NotFound,
    RateLimited,
    Refused,
    Retry,
    Unauthorized,
    WrongServer,
)

Read = Callable[[], Awaitable[State]]
Shows = Callable[[State], bool]


def describe_failure(error: BackendError) -> Receipt:
    """The receipt for a write that certainly did not take effect, or whose effect is not known."""
    if isinstance(error, NotFound):
        outcome = Outcome.missing
    elif isinstance(error, (Unauthorized, Refused, WrongServer)):
        outcome = Outcome.refused
    elif error.retry is Retry.unsure:
        outcome = Outcome.unsure
    else:
        outcome = Outcome.failed
    wait = error.retry_after_s if isinstance(error, RateLimited) else None
    return Receipt(outcome, None, error.code, str(error), wait)


async def look_again(error: BackendError, read: Read, shows: Shows) -> Receipt:
    """Settle a write of unknown effect by reading: done where the server shows it, failed where it does not."""
    try:
        now = await read()
    except NotFound:
        return Receipt(Outcome.missing, None, NotFound.code, str(error))
    except BackendError:
        return Receipt(Outcome.unsure, None, error.code, str(error))
    if shows(now):
        return Receipt(Outcome.done, now)
    return Receipt(Outcome.failed, now, error.code, str(error))


def complete_target(write: Write) -> State:
    """The whole state to write: the wished one, filled up from the newest known one, never an un-play by accident.

    What is not to be changed stays as it is known; what nobody knows stays None and is not sent.
    """
    target, before = write.target, write.before
    unwatch = "watched" in write.facets and target.watched is False
    watched = False if unwatch else _either(target.watched, before.watched)
    newly = watched is True and before.watched is not True and "watched" in write.facets
    if target.position_s is not None and ("progress" in write.facets or newly):
        position: int | None = target.position_s
    else:
        position = 0 if newly else before.position_s
    plays = max(before.plays or 0, target.plays or 0, 1 if watched else 0)
    known = watched or before.plays is not None or target.plays is not None
    rating = before.rating if before.rating is not None else target.rating
    return State(
        watched=watched,
        plays=plays if known else None,
        last_played=target.last_played if target.last_played is not None else before.last_played,
        position_s=position,
        rating=rating if rating is not None and math.isfinite(rating) and 0 <= rating <= 10 else None,
        favourite=before.favourite if before.favourite is not None else target.favourite,
    )


def _either(one: bool | None, other: bool | None) -> bool | None:
    if one or other:
        return True
    return False if one is False or other is False else None


def shows_state(now: State, wished: State) -> bool:
    """Whether ``now`` is ``wished``, as far as the wish says something. More plays than wished for are no difference."""
    return (
        (wished.watched is None or now.watched == wished.watched)
        and (wished.position_s is None or now.position_s == wished.position_s)
        and (wished.last_played is None or now.last_played == wished.last_played)
        and (not wished.plays or (now.plays or 0) >= wished.plays)
    )


def is_unwatched(now: State) -> bool:
    """Whether ``now`` is what an un-play leaves."""
    return now.watched is False and not now.position_s
