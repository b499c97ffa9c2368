"""Runs come when they are due, one at a time, and what becomes due meanwhile is put together."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from unittest.mock import Mock

import pytest

from playhead.ports.errors import UsageError
from playhead.runtime.schedule import Run, Schedule, run_child
from playhead.settings import ScheduleSettings

NEVER = ScheduleSettings(sync="", full="", at_start=False)
AT_START = ScheduleSettings(sync="", full="", at_start=True)
Plans = Sequence[tuple[Collection[str], ScheduleSettings]]


class Runs:
    """Carries out runs as a test lets it."""

    def __init__(self) -> None:
        self.begun: list[Run] = []
        self.at_once = 0
        self.most_at_once = 0
        self.go = asyncio.Event()
        self.code = 0
        self.noted: list[tuple[str, int]] = []

    async def carry_out(self, run: Run) -> int:
        self.begun.append(run)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await self.go.wait()
        self.at_once -= 1
        return self.code

    def note(self, what: str, code: int) -> None:
        self.noted.append((what, code))


@asynccontextmanager
async def scheduled(plans: Plans, runs: Runs) -> AsyncIterator[Schedule]:
    schedule = Schedule(plans, runs.carry_out, runs.note, soon_s=0.01)
    running = asyncio.create_task(schedule.run())
    await asyncio.sleep(0.02)
    yield schedule
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def test_one_run_at_the_start_for_all_that_want_one() -> None:
    """Those without a schedule of their own go together; who does not want it is left out."""
    runs = Runs()
    async with scheduled([({"A", "B"}, AT_START), ({"C"}, AT_START), ({"D"}, NEVER)], runs):
        assert runs.begun == [Run(frozenset("ABC"))]


async def test_what_becomes_due_during_a_run_is_one_run_afterwards() -> None:
    """Never two at once, however often it was asked for; asking for strangers is asking for nothing."""
    runs = Runs()
    async with scheduled([({"A", "B"}, AT_START)], runs) as schedule:
        for names in ({"A"}, {"B"}, {"A"}, {"Z"}):
            schedule.ask(names)
            await asyncio.sleep(0.02)
        assert len(runs.begun) == 1
        assert schedule.describe()["running"] == {"connections": ["A", "B"], "full": False}
        runs.go.set()
        await asyncio.sleep(0.02)
        assert runs.begun[1:] == [Run(frozenset("AB"))]
        assert runs.most_at_once == 1
        assert runs.noted == [("sync", 0), ("sync", 0)]
        assert schedule.describe()["last"]["exit"] == 0


async def test_cron_times_are_kept() -> None:
    """The next time is the one that the words say, for the installation and for a connection of its own."""
    own = ScheduleSettings(sync="30 4 * * *", full="", at_start=False)
    daily = ScheduleSettings(sync="", full="0 5 * * *", at_start=False)
    for times, hour, minute in ((own, 4, 30), (daily, 5, 0)):
        async with scheduled([({"A"}, times)], Runs()) as schedule:
            due = datetime.fromtimestamp(schedule.describe()["next_at"])
            assert (due.hour, due.minute) == (hour, minute)
            assert due - datetime.now() < timedelta(days=1, hours=2)


async def test_a_full_run_answers_for_a_quick_one() -> None:
    """Both due at once: everything is read once; the connections of the quick one alone are read quickly."""
    runs = Runs()
    runs.go.set()
    schedule = Schedule([({"A", "B"}, NEVER)], runs.carry_out, runs.note)
    schedule._add(Run(frozenset("AB")))
    schedule._add(Run(frozenset("A"), full=True))
    running = asyncio.create_task(schedule.run())
    await asyncio.sleep(0.02)
    running.cancel()
    assert runs.begun == [Run(frozenset("A"), full=True), Run(frozenset("B"))]


def test_words_that_are_no_schedule_are_refused() -> None:
    """With the words."""
    with pytest.raises(UsageError, match="61 \\* \\* \\* \\*"):
        Schedule([({"A"}, ScheduleSettings(sync="61 * * * *"))], Runs().carry_out, Runs().note)


async def test_a_childs_exit_code_comes_back() -> None:
    """Whatever it prints."""
    assert await run_child([sys.executable, "-c", "print('hello'); raise SystemExit(3)"], os.environ) == 3


async def test_what_was_told_before_is_not_said_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of what a child prints."""
    log = Mock()
    monkeypatch.setattr("playhead.runtime.schedule.log", log)
    command = [sys.executable, "-c", "print('sign in: do this'); print('hello')"]
    for told, said in (([], ["sign in: do this", "hello"]), (["do this"], ["hello"])):
        log.reset_mock()
        await run_child(command, os.environ, told)
        assert [call.kwargs["line"] for call in log.info.call_args_list] == said


async def test_a_child_is_interrupted_when_the_hub_ends(tmp_path: Path) -> None:
    """It can end cleanly, and is gone afterwards."""
    mark = tmp_path / "ended"
    code = (
        "import sys, time\n"
        "try:\n    print('up', flush=True)\n    open(sys.argv[1] + '.up', 'w').close()\n    time.sleep(60)\n"
        "except KeyboardInterrupt:\n    open(sys.argv[1], 'w').close()\n"
    )
    running = asyncio.create_task(run_child([sys.executable, "-c", code, str(mark)], os.environ))
    async with asyncio.timeout(20):
        while not mark.with_suffix(".up").exists():  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.02)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    assert mark.exists()
