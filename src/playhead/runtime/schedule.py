"""When the hub reads by itself: at set times, at its start, and soon after an event that no single reading answers.

A run is a process of its own, ``playhead sync``, so that its memory goes back and answers stay quick. One runs at a time; what
becomes due meanwhile is put together and runs next.
"""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from typing import Any

import msgspec
from apscheduler.schedulers.asyncio import AsyncIOScheduler  # type: ignore[import-untyped]
from apscheduler.triggers.cron import CronTrigger  # type: ignore[import-untyped]

from playhead.kit.log import Log
from playhead.ports.errors import UsageError
from playhead.settings import ScheduleSettings

log = Log(__name__)

SOON_S = 5.0  # events that ask for a read come in bursts
MISSED_FOR_S = 3600  # a sleeping machine makes up for what it missed in the last hour, once
END_WITHIN_S = 10.0


class Run(msgspec.Struct, frozen=True):
    """One sync: of which connections, and whether everything is read again."""

    connections: frozenset[str]
    full: bool = False


RunSync = Callable[[Run], Awaitable[int]]
"""Carries out a run and gives its exit code."""


class Schedule:
    """The runs of one hub. ``plans`` has the connections that go together, each with their times."""

    def __init__(
        self,
        plans: Sequence[tuple[Collection[str], ScheduleSettings]],
        run_sync: RunSync,
        note: Callable[[str, int], None],
        *,
        soon_s: float = SOON_S,
    ) -> None:
        self._plans = [(frozenset(names), times) for names, times in plans]
        self._run_sync = run_sync
        self._note = note
        self._soon_s = soon_s
        self._due: dict[bool, set[str]] = {True: set(), False: set()}
        self._woken = asyncio.Event()
        self._asked: set[str] = set()
        self._running: Run | None = None
        self._last: dict[str, Any] | None = None
        self._scheduler = AsyncIOScheduler(
            job_defaults={"coalesce": True, "misfire_grace_time": MISSED_FOR_S, "max_instances": 1}
        )
        for names, times in self._plans:
            for words, full in ((times.sync, False), (times.full, True)):
                trigger = _read_cron(words) if words else None
                if trigger is not None and names:
                    self._scheduler.add_job(self._come_due, trigger, args=(Run(names, full),))

    async def run(self) -> None:
        """Run what is due until cancelled; the run that goes on then is ended."""
        for names, times in self._plans:
            if times.at_start:
                self._add(Run(names))
        self._scheduler.start()
        try:
            while True:
                await self._woken.wait()
                self._woken.clear()
                while (run := self._next()) is not None:
                    await self._carry_out(run)
        finally:
            self._scheduler.shutdown(wait=False)

    def ask(self, connections: Collection[str]) -> None:
        """Read these soon; those asked for within the next seconds go with them. From the loop's own thread."""
        if not self._asked:
            asyncio.get_running_loop().call_later(self._soon_s, self._take_asked)
        self._asked |= set(connections)

    def describe(self) -> dict[str, Any]:
        """For ``/readyz``: what runs, what ran last and how it ended, and when the next one is due."""
        due = [job.next_run_time for job in self._scheduler.get_jobs() if getattr(job, "next_run_time", None)]
        return {
            "running": _describe(self._running) if self._running else None,
            "last": self._last,
            "next_at": int(min(due).timestamp()) if due else None,
        }

    async def _come_due(self, run: Run) -> None:
        self._add(run)

    def _take_asked(self) -> None:
        asked, self._asked = self._asked, set()
        known = frozenset().union(*(names for names, _ in self._plans))
        self._add(Run(frozenset(asked) & known))

    def _add(self, run: Run) -> None:
        self._due[run.full] |= run.connections
        self._woken.set()

    def _next(self) -> Run | None:
        """What is due, a full one first; it answers for a quick one of the same connections."""
        for full in (True, False):
            if names := frozenset(self._due[full]):
                self._due[full].clear()
                if full:
                    self._due[False] -= names
                return Run(names, full)
        return None

    async def _carry_out(self, run: Run) -> None:
        self._running, began = run, time.time()
        log.info("run begins", **_describe(run))
        try:
            code = await self._run_sync(run)
        except OSError as error:
            log.warning("a run could not be started", error=str(error))
            code = -1
        finally:
            self._running = None
        self._last = {**_describe(run), "exit": code, "ended_at": int(time.time())}
        self._note("full" if run.full else "sync", code)
        log.info("run ended", **_describe(run), exit=code, seconds=round(time.time() - began, 1))


def _describe(run: Run) -> dict[str, Any]:
    return {"connections": sorted(run.connections), "full": run.full}


def _read_cron(words: str) -> CronTrigger:
    try:
        return CronTrigger.from_crontab(words)
    except ValueError as error:
        raise UsageError(
            f"'{words}' is no schedule ({error}).", hint="Give cron's five fields, such as '*/15 * * * *'."
        ) from error


async def run_child(
    command: Sequence[str], environment: Mapping[str, str], told: Collection[str] = ()
) -> int:
    """Run a command to its end and log what it says; gives its exit code. When cancelled it is interrupted first. Lines that hold
    one of ``told`` were said before."""
    child = await asyncio.create_subprocess_exec(
        *command,
        env=dict(environment),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,  # Ctrl-C at the terminal is ours to pass on
    )
    assert child.stdout is not None
    try:
        async for line in child.stdout:
            text = line.decode(errors="replace").rstrip()
            known = any(each in text for each in told)
            (log.debug if known else log.info)("run says", line=text)
        return await child.wait()
    finally:
        if child.returncode is None:
            await _end_child(child)


async def _end_child(child: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        child.send_signal(signal.SIGINT)
        try:
            async with asyncio.timeout(END_WITHIN_S):
                await child.wait()
        except TimeoutError:
            child.kill()
            await child.wait()
