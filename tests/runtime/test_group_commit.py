"""Puts that come together share a transaction; nobody is told before it is committed, or when it was not."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence

import pytest

from playhead.ports.errors import PlayheadError
from playhead.ports.events import Event, Heard
from playhead.ports.inbox import NewEvent
from playhead.runtime.group_commit import GroupCommit, InboxFull


class Disk:
    """Commits when it is let to, and remembers each transaction."""

    def __init__(self) -> None:
        self.transactions: list[list[str]] = []
        self.go = threading.Event()
        self.begun = threading.Event()
        self.failing = False

    def put(self, events: Sequence[NewEvent]) -> None:
        self.begun.set()
        assert self.go.wait(10)
        if self.failing:
            raise PlayheadError("The disk is full.")
        self.transactions.append([new.event.name for new in events])


@pytest.fixture
def disk() -> Disk:
    return Disk()


@pytest.fixture
def commits() -> list[int]:
    return []


@pytest.fixture
async def group(disk: Disk, commits: list[int]) -> AsyncIterator[GroupCommit]:
    group = GroupCommit(disk.put, on_commit=lambda: commits.append(len(disk.transactions)), most_gathered=10)
    yield group
    disk.go.set()
    await group.close()


def heard(name: str) -> NewEvent:
    return NewEvent(1, Event("webhook", Heard.marked, name), 0.0)


async def settle() -> None:
    """Let every task run as far as it can."""
    for _ in range(20):
        await asyncio.sleep(0)


async def begin(group: GroupCommit, disk: Disk) -> list[asyncio.Task[None]]:
    """One put whose commit hangs, and three that came meanwhile."""
    tasks = [asyncio.create_task(group.put([heard("0")]))]
    await asyncio.to_thread(disk.begun.wait, 10)
    tasks += [asyncio.create_task(group.put([heard(str(n))])) for n in (1, 2, 3)]
    await settle()
    return tasks


async def test_nobody_is_told_before_the_commit(group: GroupCommit, disk: Disk, commits: list[int]) -> None:
    """Those that come while one commits go in together, in their order, and all are told then."""
    tasks = await begin(group, disk)
    assert not any(task.done() for task in tasks)
    assert commits == []
    disk.go.set()
    await asyncio.gather(*tasks)
    assert disk.transactions == [["0"], ["1", "2", "3"]]
    assert commits == [1, 2]


async def test_a_commit_that_fails_is_told_to_all_of_its_group(
    group: GroupCommit, disk: Disk, commits: list[int]
) -> None:
    """And to nobody else: the next put is stored."""
    tasks = await begin(group, disk)
    disk.failing = True
    disk.go.set()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert [str(outcome) for outcome in outcomes] == ["The disk is full."] * 4
    disk.failing = False
    await group.put([heard("4")])
    assert disk.transactions == [["4"]]
    assert commits == [1]


async def test_more_than_can_be_stored_is_turned_away_at_once(group: GroupCommit, disk: Disk) -> None:
    """What was taken is kept; room comes with the next commit."""
    tasks = await begin(group, disk)
    with pytest.raises(InboxFull) as full:
        await group.put([heard("x")] * 8)
    assert full.value.retry_after_s > 0
    disk.go.set()
    await asyncio.gather(*tasks)
    await group.put([heard("x")] * 8)
    assert [len(names) for names in disk.transactions] == [1, 3, 8]


async def test_who_gives_up_waiting_disturbs_nobody(group: GroupCommit, disk: Disk) -> None:
    """Its event is stored all the same."""
    tasks = await begin(group, disk)
    tasks[1].cancel()
    await settle()
    disk.go.set()
    await asyncio.gather(tasks[0], tasks[2], tasks[3])
    assert disk.transactions[1] == ["1", "2", "3"]


async def test_closing_waits_for_what_was_put(group: GroupCommit, disk: Disk) -> None:
    """A stop loses nothing that somebody waits for."""
    tasks = await begin(group, disk)
    closing = asyncio.create_task(group.close())
    await settle()
    assert not closing.done()
    disk.go.set()
    await closing
    assert disk.transactions == [["0"], ["1", "2", "3"]]
    await asyncio.gather(*tasks)
