"""Events are acted on at once and in their order; what fails comes again, and nothing is lost to a fault or a restart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from playhead.flows.observe import Observation
from playhead.ports.errors import Unreachable
from playhead.ports.events import Event, Heard
from playhead.ports.inbox import Ended, Fate, NewEvent, WaitingEvent
from playhead.runtime.worker import GIVE_UP_AFTER_S, LONGEST_WAIT_S, Worker
from playhead.store.inbox import SqlInbox

NOW = 1_700_000_000.0


class Desk:
    """Acts on events as a test wants, and remembers the batches."""

    def __init__(self, inbox: SqlInbox) -> None:
        self.inbox = inbox
        self.now = NOW
        self.batches: list[list[str]] = []
        self.to_read: list[set[str]] = []
        self.acted = asyncio.Event()
        self.act: Callable[[Sequence[WaitingEvent]], Observation] = done
        self.worker = Worker(inbox, self.observe, ask_to_read=self.ask, now=lambda: self.now)

    async def observe(self, waiting: Sequence[WaitingEvent]) -> Observation:
        self.batches.append([each.event.name for each in waiting])
        self.acted.set()
        return self.act(waiting)

    def ask(self, connections: Collection[str]) -> None:
        self.to_read.append(set(connections))

    def put(self, *names: str) -> None:
        events = [NewEvent(1, Event("socket", Heard.marked, name), self.now) for name in names]
        self.inbox.put(events)
        self.worker.wake()

    async def rest(self) -> None:
        """Wait until it has acted, and ended what it acted on."""
        async with asyncio.timeout(10):
            await self.acted.wait()
            for _ in range(5):
                await asyncio.sleep(0)
        self.acted.clear()


def done(waiting: Sequence[WaitingEvent]) -> Observation:
    return Observation(ended=[Ended(each.id, Fate.done) for each in waiting])


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    inbox = SqlInbox(tmp_path / "inbox.db")
    desk = Desk(inbox)
    running = asyncio.create_task(desk.worker.run())
    await asyncio.sleep(0)
    yield desk
    desk.worker.stop()
    async with asyncio.timeout(10):
        await running
    inbox.close()


async def test_events_are_acted_on_when_they_are_stored(desk: Desk) -> None:
    """No waiting for a next look; those that came together are one batch, in their order."""
    desk.put("a", "b")
    await desk.rest()
    desk.put("c")
    await desk.rest()
    assert desk.batches == [["a", "b"], ["c"]]
    assert desk.inbox.count_waiting() == 0
    assert desk.inbox.count_fates() == {("socket", name, "done"): 1 for name in "abc"}


async def test_a_server_that_is_down_is_asked_again_later_each_time(desk: Desk) -> None:
    """The waits grow up to a longest one; it is done when it works."""

    def refuse(_waiting: Sequence[WaitingEvent]) -> Observation:
        raise Unreachable("Plex is down.")

    desk.act = refuse
    desk.put("a")
    waits = []
    for _ in range(12):
        await desk.rest()
        due = desk.inbox.next_due()
        assert due is not None
        waits.append(due - desk.now)
        desk.now = due
        desk.worker.wake()
    assert waits[0] < 3
    assert all(later > earlier * 0.6 for earlier, later in zip(waits, waits[1:], strict=False))
    assert 0.8 * LONGEST_WAIT_S <= waits[-1] <= 1.2 * LONGEST_WAIT_S
    desk.act = done
    await desk.rest()
    assert desk.inbox.count_fates() == {("socket", "a", "done"): 1}


async def test_what_nobody_could_act_on_for_days_is_given_up(desk: Desk) -> None:
    """It is counted as failed, and keeps nothing waiting."""
    desk.act = lambda waiting: Observation(ended=[Ended(e.id, Fate.failed, "down", 9e9) for e in waiting])
    desk.put("a")
    await desk.rest()
    assert desk.inbox.next_due() == 9e9
    desk.inbox.put([NewEvent(1, Event("socket", Heard.marked, "old"), desk.now - GIVE_UP_AFTER_S - 1)])
    desk.worker.wake()
    await desk.rest()
    assert desk.inbox.count_fates() == {("socket", "old", "failed"): 1}
    assert desk.inbox.count_waiting() == 1


async def test_a_fault_of_the_program_stops_only_the_event_that_meets_it(desk: Desk) -> None:
    """The others of its batch are done; it is kept and tried again."""

    def stumble(waiting: Sequence[WaitingEvent]) -> Observation:
        if any(each.event.name == "bad" for each in waiting):
            raise KeyError("oops")
        return done(waiting)

    desk.act = stumble
    desk.put("a", "bad", "b")
    await desk.rest()
    assert desk.batches == [["a", "bad", "b"], ["a"], ["bad"], ["b"]]
    assert desk.inbox.count_waiting() == 1
    assert desk.inbox.count_fates() == {("socket", "a", "done"): 1, ("socket", "b", "done"): 1}


async def test_an_event_of_which_nothing_is_said_comes_again(desk: Desk) -> None:
    """It is not taken over and over, and not lost."""
    desk.act = lambda waiting: done(waiting[:1])
    desk.put("a", "b")
    await desk.rest()
    assert desk.batches == [["a", "b"]]
    assert desk.inbox.count_waiting() == 1
    due = desk.inbox.next_due()
    assert due is not None and due > desk.now


async def test_connections_that_must_be_read_are_asked_for(desk: Desk) -> None:
    """As observe says."""
    desk.act = lambda waiting: Observation(ended=done(waiting).ended, to_read={"Plex"})
    desk.put("library.new")
    await desk.rest()
    assert desk.to_read == [{"Plex"}]


async def test_what_is_being_acted_on_at_the_end_comes_again(tmp_path: Path) -> None:
    """A worker that is cut off in the middle ends nothing; the next process takes it up."""
    inbox = SqlInbox(tmp_path / "inbox.db")
    begun = asyncio.Event()

    async def hang(_waiting: Sequence[WaitingEvent]) -> Observation:
        begun.set()
        await asyncio.Event().wait()
        raise AssertionError

    inbox.put([NewEvent(1, Event("socket", Heard.marked, "a"), NOW)])
    running = asyncio.create_task(Worker(inbox, hang, ask_to_read=lambda _names: None).run())
    await begun.wait()
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    inbox.close()
    again = SqlInbox(tmp_path / "inbox.db")
    assert [each.event.name for each in again.take(10, NOW)] == ["a"]
