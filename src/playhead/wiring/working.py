"""The worker in a thread and an event loop of its own, with the hub's database and the servers it writes to.

A thread, because it waits for the database while an import writes, and a sender of webhooks must not wait with it.
"""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from functools import partial

from playhead.flows.context import Context
from playhead.flows.observe import Observation, find_owners, follow_up, observe
from playhead.kit.log import Log
from playhead.ports.errors import PlayheadError
from playhead.ports.events import Event
from playhead.ports.inbox import Ended, Fate, Inbox, NewEvent, WaitingEvent
from playhead.ports.ledger import AccountRole
from playhead.runtime.callers import CallerBook
from playhead.runtime.lanes import Lanes
from playhead.runtime.looks import Looks
from playhead.runtime.loop_thread import WORKING, LoopThread
from playhead.runtime.turns import FileTurns
from playhead.runtime.worker import Worker
from playhead.store.ledger import SqlLedger
from playhead.wiring.callers import HubCallers
from playhead.wiring.hub import Hub, open_hub
from playhead.wiring.installation import Installation
from playhead.wiring.lines import list_lines
from playhead.wiring.other_ids import OtherIds

log = Log(__name__)

FIRST_REACH_WITHIN_S = 3.0  # then it begins, with whoever has answered
REACH_WAITS_S = (2.0, 5.0, 15.0, 30.0, 60.0)
REFUSED_EVERY_S = 300.0  # a person may have mended it
SETTLED_AGAIN_S = 0.05  # the settings are being looked at
END_WITHIN_S = 10.0
CONTEXT_FOR_S = 1.0
LOOK_WITHIN_S = 3.0  # a second look at an item, for which others wait
LEASE_AT_ONCE = 40  # what is leased is out of the merge's hands until its receipt is there
FOLLOW_UP_EVERY_S = 2.0  # while something is being written
DUE_EVERY_S = 30.0  # for what failed and is due again
CANCEL_WITHIN_S = 35.0  # longer than the database is waited for


class WorkerThread(LoopThread):
    """Begins at ``start``. ``state`` is "working" or what keeps it from that."""

    def __init__(
        self,
        installation: Installation,
        inbox: Inbox,
        callers: CallerBook,
        ask_to_read: Callable[[Collection[str]], None],
        still_holds: Callable[[], bool],
    ) -> None:
        super().__init__("worker")
        self._inbox = inbox
        self._still_holds = still_holds
        self._other_ids = OtherIds()
        self._roles: frozenset[tuple[int, frozenset[str]]] = (
            frozenset()
        )  # of those whose kept events were taken up
        self._installation = installation
        self._callers = callers
        self._worker = Worker(inbox, self._observe, ask_to_read=ask_to_read)
        self._hub: Hub | None = None
        self._context: Context | None = None  # made anew now and then: that asks the database
        self._made_at = 0.0
        self._slow: dict[int, float] = {}
        self._turns = FileTurns(installation.home)
        self._lanes = Lanes(self._make_context, self._look_again)
        self._looks = Looks(self._make_context, self._put, ask_to_read)
        self._left_over = asyncio.Event()
        self._writes_all = False

    def wake(self) -> None:
        """An event was stored."""
        self._worker.wake()

    def write_all(self) -> None:
        """A run has queued what is to be written, or has found items that writes wait for."""
        self.call(self._ask_for_all)

    def _ask_for_all(self) -> None:
        self._writes_all = True
        self._left_over.set()

    def end(self) -> None:
        """Let it finish what it is at, for a while; then cut it off, which loses nothing. Returns when it is gone."""
        self.stopping.set()
        self._worker.stop()
        if not self.join(END_WITHIN_S):
            self.cut_off()
            self.join(CANCEL_WITHIN_S)

    async def work(self) -> None:
        """Act on the events of the inbox, with the hub's database and servers."""
        with open_hub(self._installation) as hub:
            async with hub.reach(()), asyncio.TaskGroup() as group:
                self._hub, self._context = hub, None
                reaching = [group.create_task(self._keep_reaching(hub, name)) for name in self._names()]
                await asyncio.wait(reaching, timeout=FIRST_REACH_WITHIN_S)
                self.state = WORKING
                beside = [self._keep_following_up(), self._keep_trying_refused(hub)]
                beside.append(self._looks.keep_looking(self._list_looks(hub)))
                tasks = [*reaching, *(group.create_task(each) for each in beside)]
                try:
                    await self._worker.run()
                finally:
                    await self._looks.close()
                    await self._lanes.close()
                for task in tasks:
                    task.cancel()

    def _names(self) -> list[str]:
        connections = self._installation.settings.connections
        return [name for name, each in connections.items() if each.read or each.write]

    async def _keep_reaching(self, hub: Hub, name: str) -> None:
        """Try until the server answers."""
        tries = 0
        while not await hub.reach_one(name):
            if tries == 0:
                log.warning("out of reach", connection=name, error=str(hub.errors.get(name, "")))
            await asyncio.sleep(REACH_WAITS_S[min(tries, len(REACH_WAITS_S) - 1)])
            tries += 1
        self._context = None  # there is one more to ask
        await self._other_ids.learn(hub, name)
        self._context = None

    async def _keep_trying_refused(self, hub: Hub) -> None:
        """Try single logins again that were refused, now and then."""
        while True:
            await asyncio.sleep(REFUSED_EVERY_S)
            for name in {name for name, _ in hub.refused if name not in hub.errors}:
                if await hub.reach_refused(name):
                    self._context = None
            for name in self._names():
                await self._other_ids.learn(hub, name)

    def _list_looks(self, hub: Hub) -> dict[int, float]:
        """How often each account is looked at: those without a line that tells of their marks."""
        settings = self._installation.settings.connections
        found: dict[int, float] = {}
        for linked in hub.linked:
            connection = settings[linked.link.connection]
            lines = list_lines(connection) if connection.listen else []
            heard = {login.user_id for login in lines if login is not None}
            if connection.read and linked.link.user_id not in heard:
                found[linked.key.account_id] = connection.look_every_s
        return found

    def _put(self, events: Sequence[NewEvent]) -> None:
        self._inbox.put(events)
        self._worker.wake()

    def _look_again(self) -> None:
        self._left_over.set()

    async def _keep_following_up(self) -> None:
        """Settle what could not be while it was being written, and take up what failed and is due again; at first what an
        earlier process left."""
        looked_at = -DUE_EVERY_S
        while True:
            if self._left_over.is_set() or self._lanes.busy or time.monotonic() - looked_at >= DUE_EVERY_S:
                self._left_over.clear()
                looked_at = time.monotonic()
                try:
                    ctx = self._make_context()
                    self._take_up_kept(ctx)
                    await follow_up(ctx)
                    if self._writes_all:
                        self._writes_all = False
                        self._lanes.ask([role.account_id for role in ctx.roles.values() if role.write])
                except PlayheadError as error:
                    log.warning("what was left could not be looked at", error=error.message)
            with suppress(TimeoutError):
                async with asyncio.timeout(FOLLOW_UP_EVERY_S):
                    await self._left_over.wait()

    def _make_context(self) -> Context:
        """A context for one use: its ledger is nobody else's."""
        assert self._hub is not None
        if self._context is None or time.monotonic() - self._made_at > CONTEXT_FOR_S:
            made = self._hub.context()
            self._context = dataclasses.replace(
                made,
                roles=self._other_ids.add_to(made.roles),
                callers=HubCallers(self._callers, self._hub),
                turns=self._turns,
                hand_over=self._lanes.ask,
                look_back=self._looks.look_back,
                lease_at_once=LEASE_AT_ONCE,
                still_holds=self._still_holds,
                look_within_s=LOOK_WITHIN_S,
                slow=self._slow,
            )
            self._made_at = time.monotonic()
        return dataclasses.replace(self._context, ledger=SqlLedger(self._hub.database))

    def _take_up_kept(self, ctx: Context) -> None:
        """Events of logins that were nobody's and are somebody's now are acted on."""
        known = frozenset((account, role.other_ids) for account, role in ctx.roles.items())
        if known == self._roles:
            return
        self._roles = known
        own: dict[int, list[AccountRole]] = {}
        for role in ctx.roles.values():
            own.setdefault(role.connection_id, []).append(role)
        for connection_id, roles in own.items():
            if count := self._inbox.take_up(connection_id, partial(_is_of, roles)):
                log.info("kept events are taken up", connection=roles[0].connection, count=count)
                self._worker.wake()

    async def _observe(self, waiting: Sequence[WaitingEvent]) -> Observation:
        while not self._still_holds():  # whose they are may have changed
            if self.stopping.is_set():
                now = time.time()
                return Observation(
                    [Ended(each.id, Fate.failed, "The settings changed.", now) for each in waiting]
                )
            await asyncio.sleep(SETTLED_AGAIN_S)
        return await observe(self._make_context(), waiting)


def _is_of(roles: Sequence[AccountRole], event: Event) -> bool:
    return bool(find_owners(roles, event))
