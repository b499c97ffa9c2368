"""Deliveries that go on beside everything else: one for each account, so that a slow server keeps only its own waiting.

What is to be written stands in the outbox; a lane that is cut off loses nothing. Knows no database and no backend.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection

from playhead.flows.context import Context, ignore_progress
from playhead.flows.deliver import deliver_changes
from playhead.kit.log import Log
from playhead.ports.errors import PlayheadError

log = Log(__name__)

END_WITHIN_S = 5.0


class Lanes:
    """The lanes of one event loop. ``make_context`` gives a context of its own for each use; ``look_again`` is called where a
    delivery leaves items that could not be settled meanwhile."""

    def __init__(self, make_context: Callable[[], Context], look_again: Callable[[], None]) -> None:
        self._make_context = make_context
        self._look_again = look_again
        self._asked: set[int] = set()
        self._running: dict[int, asyncio.Task[None]] = {}

    def ask(self, accounts: Collection[int]) -> None:
        """Have what is due for these accounts written; whoever is at it already looks once more at its end."""
        for account in accounts:
            self._asked.add(account)
            if account not in self._running:
                self._running[account] = asyncio.create_task(self._run(account))

    @property
    def busy(self) -> bool:
        """Whether anything is being written."""
        return bool(self._running)

    async def close(self, within_s: float = END_WITHIN_S) -> None:
        """Let them finish for a while, then cut them off."""
        self._asked.clear()
        tasks = list(self._running.values())
        if not tasks:
            return
        await asyncio.wait(tasks, timeout=within_s)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, account: int) -> None:
        try:
            while account in self._asked:
                self._asked.discard(account)
                await self._deliver(account)
        finally:
            del self._running[account]

    async def _deliver(self, account: int) -> None:
        try:
            ctx = self._make_context()
            if account not in ctx.roles or account not in ctx.backends:
                return
            with ctx.ledger.session():
                done = await deliver_changes(ctx, [account], ignore_progress, due_before=int(ctx.now()))
                if ctx.ledger.count_touched():
                    self._look_again()
        except PlayheadError as error:
            log.warning("a delivery was stopped", account=account, error=error.message)
            return
        except Exception as error:  # noqa: BLE001 - a fault of the program keeps no other account waiting
            log.warning("a delivery broke", account=account, error=repr(error))
            return
        connection = ctx.roles[account].connection
        if done.written or done.messages:
            log.info("delivered", connection=connection, written=done.written, failed=done.failed)
        for message in done.messages:
            log.info("observed", message=message)
