"""When accounts are looked at: every minute where no line tells of marks, and after a line was down.

What is found is put into the inbox as if the server had told it. Knows no backend and no database.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Mapping, Sequence

import msgspec

from playhead.flows.context import Context
from playhead.flows.look import Sight, conclude, look
from playhead.kit.log import Log
from playhead.ports.errors import PlayheadError
from playhead.ports.events import Event, Heard
from playhead.ports.inbox import NewEvent

log = Log(__name__)

SETTLE_S = 3.0  # what was found is read and written meanwhile
LONG_S = 600.0  # a line that was down for longer: new items may have come as well


class Looks:
    """The looks of one event loop. ``make_context`` gives a context of its own for each use; ``ask_to_read`` has connections
    read, where a look does not tell all."""

    def __init__(
        self,
        make_context: Callable[[], Context],
        put: Callable[[Sequence[NewEvent]], None],
        ask_to_read: Callable[[Collection[str]], None],
        *,
        settle_s: float = SETTLE_S,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._make_context = make_context
        self._put = put
        self._ask_to_read = ask_to_read
        self._settle_s = settle_s
        self._now = now
        self._sights: dict[int, Sight] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def keep_looking(self, every_s: Mapping[int, float]) -> None:
        """Look at these accounts, each so often, until cancelled."""
        await asyncio.gather(
            *(self._keep_looking_at(account, each) for account, each in every_s.items() if each)
        )

    def look_back(self, accounts: Collection[int], since: int | None) -> None:
        """A line is open again that last told something ``since`` (hub's clock; None = not in this process)."""
        for account in accounts:
            task = asyncio.create_task(self._look_back_at(account, since))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    @property
    def busy(self) -> bool:
        """Whether a line is being looked back at."""
        return bool(self._tasks)

    async def close(self) -> None:
        """End what is under way."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _keep_looking_at(self, account: int, every_s: float) -> None:
        while True:
            await asyncio.sleep(every_s)
            await self.look_at(account, None)

    async def _look_back_at(self, account: int, since: int | None) -> None:
        told = await self.look_at(account, since)
        if told and since is not None and self._now() - since <= LONG_S:
            return
        if (
            since is None and (sight := self._sights.get(account)) is not None
        ):  # the read changes what is known
            self._sights[account] = msgspec.structs.replace(sight, surplus=None)
        self._read(account)

    async def look_at(self, account: int, since: int | None) -> bool:
        """Look once. False where that does not tell all that happened since."""
        try:
            ctx, before = self._make_context(), self._sights.get(account)
            found = await look(ctx, account, before, since)
            if found is None:
                return False
            self._sights[account] = found.sight
            self._tell(ctx, account, found.native_ids)
            if found.differs:
                await self._conclude(account)
            return found.tells_all
        except PlayheadError as error:
            log.debug("not looked at", account=account, error=error.message)
            return False

    async def _conclude(self, account: int) -> None:
        await asyncio.sleep(self._settle_s)
        ctx = self._make_context()
        concluded = await conclude(ctx, account, self._sights[account])
        self._sights[account] = concluded.sight
        self._tell(ctx, account, concluded.native_ids)
        if concluded.whole:
            self._read(account)

    def _tell(self, ctx: Context, account: int, native_ids: tuple[str, ...]) -> None:
        if native_ids:
            role = ctx.roles[account]
            event = Event("poll", Heard.state, "look", native_ids, user_id=role.user_id)
            self._put([NewEvent(role.connection_id, event, self._now())])

    def _read(self, account: int) -> None:
        if (role := self._make_context().roles.get(account)) is not None:
            self._ask_to_read({role.connection})
