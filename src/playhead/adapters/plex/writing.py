"""How one write is carried out on Plex: what is looked at before, what is sent, and what may be claimed afterwards.

Knows the order of requests, not their form (``client``). Every mark looks at the item first, unless the caller has just
done so, because Plex counts each scrobble and has no way to say "only once": a write that is repeated after a crash or a
doubt then finds itself done.
Source: facts, api-plex.md 3.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec

from playhead.domain.state.reading import State
from playhead.ports.backend import Entry, Outcome, Receipt, Write
from playhead.ports.errors import (
    BackendError,
    BadAnswer,
    Interrupted,
    NotFound,
    RateLimited,
    Refused,
    ServerFault,
    Unauthorized,
    Unreachable,
    WrongServer,
)

from .client import PlexClient

READ_BACK_TOLERANCE_S = 1
SHORTEST_POSITION_S = 60  # the server's default MinimumProgressTime: nothing below is kept
WATCHED_SHARE = 0.9  # a stop past this share of the runtime counts as watched

Look = Callable[[str], Awaitable[Entry | None]]

_OUTCOMES: tuple[tuple[type[BackendError], Outcome], ...] = (
    (NotFound, Outcome.missing),
    (Interrupted, Outcome.unsure),
    (ServerFault, Outcome.unsure),
    (Unreachable, Outcome.failed),
    (RateLimited, Outcome.failed),
    (BadAnswer, Outcome.failed),
    (Unauthorized, Outcome.refused),
    (Refused, Outcome.refused),
    (WrongServer, Outcome.refused),
)


def receipt_for(error: BackendError) -> Receipt:
    """The receipt that a failure of each class makes."""
    outcome = next((outcome for kind, outcome in _OUTCOMES if isinstance(error, kind)), Outcome.failed)
    after_s = error.retry_after_s if isinstance(error, RateLimited) else None
    return Receipt(outcome, error_code=error.code, message=str(error), retry_after_s=after_s)


async def carry_out(client: PlexClient, look: Look, write: Write) -> Receipt:
    """Bring the item to the wished state; every failure becomes a receipt."""
    try:
        return await _Errand(client, look, write).run()
    except BackendError as error:
        return receipt_for(error)


class _Declined(Exception):
    """Plex has no request that would do this and nothing else."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class _Errand:
    """One write, from the first look to the receipt. ``now`` is what the item is known to be after each step.

    Without a date as soon as something was sent: Plex's own stamp on a write must not come back as news.
    """

    def __init__(self, client: PlexClient, look: Look, write: Write) -> None:
        self.client = client
        self.look = look
        self.write = write
        self.key = write.native_id
        self.now = State()
        self.runtime_s = write.runtime_s

    async def run(self) -> Receipt:
        if self.write.looked:
            self.now = self.write.before
            return await self._act()
        entry = await self.look(self.key)
        if entry is None:
            return Receipt(
                Outcome.missing, error_code="not-found", message="Plex does not have this item any more."
            )
        if entry.watched is None:
            raise BadAnswer(
                "Plex does not say whether this was watched.", hint="It is tried again on the next run."
            )
        self.now, self.runtime_s = _state_of(entry), entry.runtime_s or self.write.runtime_s
        return await self._act()

    async def _act(self) -> Receipt:
        try:
            await self._settle()
        except _Declined as declined:
            return Receipt(Outcome.refused, self.now, error_code=declined.code, message=str(declined))
        return Receipt(Outcome.done, self.now)

    async def _settle(self) -> None:
        wished, facets, position_s = self.write.target, self.write.facets, self.write.target.position_s
        marks = "watched" in facets and wished.watched is not None and wished.watched != self.now.watched
        if marks:
            await (self._mark() if wished.watched else self._unmark())
        if position_s is None or position_s == self.now.position_s:
            return
        if "progress" in facets:
            await (self._move(position_s) if position_s else self._clear_position())
        elif marks and self._why_not(position_s) is None:
            await self._move(position_s)  # marking took the position away, and the whole state has one

    async def _mark(self) -> None:
        plays = self.now.plays or 0
        marked = msgspec.structs.replace(
            self.now, watched=True, plays=plays + 1, position_s=0, last_played=None
        )
        await self._send(
            self.client.scrobble(self.key), marked, lambda seen: bool(seen.watched) and seen.plays != plays
        )

    async def _unmark(self) -> None:
        unmarked = msgspec.structs.replace(self.now, watched=False, plays=0, position_s=0, last_played=None)
        await self._send(self.client.unscrobble(self.key), unmarked, lambda seen: seen.watched is False)

    async def _clear_position(self) -> None:
        """No request clears only the position: an unscrobble does for the unwatched, a counted play for the watched."""
        if not self.now.watched:
            await self._unmark()
        elif (self.write.target.plays or 0) > (self.now.plays or 0):
            await self._mark()  # it was watched again elsewhere: one more play is the truth
        else:
            raise _Declined(
                "cannot-clear-position",
                "Plex cannot forget where a watched item was stopped without counting a play or forgetting the plays.",
            )

    async def _move(self, position_s: int) -> None:
        if self.now.position_s is not None and abs(self.now.position_s - position_s) <= READ_BACK_TOLERANCE_S:
            return
        if declined := self._why_not(position_s):
            raise declined
        assert self.runtime_s
        moved = msgspec.structs.replace(self.now, position_s=position_s, last_played=None)
        request = self.client.report_stop(self.key, position_s * 1000, self.runtime_s * 1000)
        await self._send(request, moved, lambda seen: _is_near(seen.position_s, position_s))

    def _why_not(self, position_s: int) -> _Declined | None:
        if not self.runtime_s:
            return _Declined(
                "unknown-runtime", "Plex does not know how long this is, so no position can be set."
            )
        if position_s < SHORTEST_POSITION_S:
            return _Declined("position-too-short", "Plex keeps no position in the first minute.")
        if position_s >= WATCHED_SHARE * self.runtime_s:
            return _Declined(
                "position-past-watched", "Plex would count a stop there as watched, so it was not sent."
            )
        return None

    async def _send(self, request: Awaitable[None], expected: State, shows: Callable[[State], bool]) -> None:
        """Send once. Where it may or may not have worked, the item itself is asked before anyone says so."""
        try:
            await request
        except (Interrupted, ServerFault):
            entry = await self._look_again()
            if entry is None or not shows(_state_of(entry)):
                raise
            self.now = msgspec.structs.replace(_state_of(entry), last_played=None)
            return
        self.now = expected

    async def _look_again(self) -> Entry | None:
        try:
            return await self.look(self.key)
        except BackendError:
            return None  # still in doubt: the first failure is the one to report


def _state_of(entry: Entry) -> State:
    """The state as read."""
    return State(entry.watched, entry.plays, entry.last_played, entry.position_s, entry.rating, None)


def _is_near(seen: int | None, wished: int) -> bool:
    return seen is not None and abs(seen - wished) <= READ_BACK_TOLERANCE_S
