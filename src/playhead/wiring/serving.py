"""Everything of a running hub but HTTP: the inbox, and for the settings of the moment its listeners, runs and worker.

The settings file is looked at every few seconds; when it says something else, what follows from it is taken down and set up
anew. The inbox stays.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from typing import Any

import msgspec
from sqlalchemy.exc import SQLAlchemyError

from playhead.kit.files import only_one, write_atomically
from playhead.kit.log import Log
from playhead.kit.shapes import prepare_shapes
from playhead.ports.errors import PlayheadError
from playhead.ports.events import Heard
from playhead.ports.inbox import NewEvent
from playhead.ports.notices import Trouble
from playhead.runtime.group_commit import GroupCommit
from playhead.runtime.health import Health
from playhead.runtime.home import Home
from playhead.runtime.listeners import Listener
from playhead.runtime.loop_thread import WORKING
from playhead.runtime.measures import Measures
from playhead.runtime.reception import Reception
from playhead.runtime.schedule import Run, Schedule, run_child
from playhead.runtime.stamp import Stamp
from playhead.settings import ConnectionSettings, ScheduleSettings, Settings
from playhead.store.database import Database, StoreError, open_database
from playhead.store.inbox import SqlInbox
from playhead.store.library_jobs import SqlLibraryJobs
from playhead.wiring import troubles as troubles_now
from playhead.wiring.callers import list_own, open_callers
from playhead.wiring.hub import open_hub
from playhead.wiring.installation import Installation, find_manifest, load_named
from playhead.wiring.lines import list_lines
from playhead.wiring.news import NewsThread
from playhead.wiring.renewing import list_refused, open_line
from playhead.wiring.scanning import LOCKED, ScanThread
from playhead.wiring.webhooks import Serving, find_cluster_token, load_serving, make_receivers
from playhead.wiring.working import WorkerThread

log = Log(__name__)

LOOK_AT_SETTINGS_EVERY_S = 0.5
DAY_S = 24 * 3600.0
NEWEST_JOBS = 50
_BRING_NEWS = (Heard.library, Heard.missed, Heard.scan)

Seen = tuple[int, int, int] | None  # a stamp of the settings file


class Service:
    """A hub that runs. ``begin``, ``run`` and ``close`` belong to the event loop that answers HTTP."""

    def __init__(self, home: Home, database: Database) -> None:
        self._home = home
        self._database = database
        self.inbox = SqlInbox(home.inbox)
        self.library_jobs = SqlLibraryJobs(home.library_jobs)
        self.measures = Measures(self.inbox, self.library_jobs)
        self.callers = open_callers(home)
        self.reception = Reception(GroupCommit(self._put, on_commit=self._wake), self.callers.note)
        self._installation: Installation | None = None
        self._part: _Part | None = None
        self.stamp = Stamp(home.settings)
        self.health = Health(
            {
                "inbox": self.inbox.check_writable,
                "library_jobs": self.library_jobs.check_writable,
                "database": self._check_database,
                "worker": self._check_worker,
                "scans_worker": self._check_scans,
            },
            {
                "listeners": self._describe_listeners,
                "runs": self._describe_runs,
                "scans": self._describe_scans,
                "news": self._describe_news,
                "watches": self._describe_watches,
                "senders": self._describe_senders,
            },
        )

    async def begin(self, installation: Installation) -> None:
        """Do what the settings say, from now on. Raises PlayheadError where that cannot be."""
        installation.patient = True
        self._installation = installation
        self._part = await _prepare(installation, self)
        self._part.start()

    async def run(self, stop: asyncio.Event) -> None:
        """After ``begin``: follow the settings when they change, until ``stop`` is set."""
        assert self._installation is not None and self._part is not None
        try:
            while (change := await self._wait_for_change(self._installation, stop)) is not None:
                await self._part.end()
                self._installation, self._part, seen = change
                self.stamp.accept(seen)
                self._part.start()
        finally:
            await self._part.end()

    async def close(self) -> None:
        """Store what was put, and close the inbox."""
        await self.reception.close()
        self.inbox.close()
        self.library_jobs.close()

    async def take_in(self, connection: str, events: Sequence[NewEvent]) -> None:
        """What a connection's line tells: to the inbox, and of scans to those who wait for them."""
        if self._part is not None:
            self._part.scans.hear(connection, events)
        await self.reception.put(events)

    def find_scans(self) -> ScanThread | None:
        """What answers requests for scans now."""
        return self._part.scans if self._part else None

    async def _wait_for_change(
        self, installation: Installation, stop: asyncio.Event
    ) -> tuple[Installation, _Part, Seen] | None:
        """Return when the settings are others than these, with what follows from them; None when ``stop`` is set. While they
        are looked at nothing is acted on: whose a login is may have changed."""
        while not stop.is_set():
            if not self.stamp.holds():
                seen, new = self.stamp.read(), Installation(self._home)
                new.patient = True
                try:
                    if new.settings != installation.settings:
                        log.info("the settings changed")
                        return new, await _prepare(new, self), seen
                except PlayheadError as error:
                    log.warning("the settings cannot be used; the old ones hold", error=str(error))
                self.stamp.accept(seen)
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_AT_SETTINGS_EVERY_S):
                    await stop.wait()
        return None

    def _put(self, events: Sequence[NewEvent]) -> None:
        self.inbox.put(events)
        if self._part is not None:
            self._part.ask_for_news(events)

    async def find_troubles(self, looks: dict[str, str]) -> list[Trouble]:
        """What fails now; ``looks`` are the connections that could not be looked at for news."""
        assert self._installation is not None
        report = await self.health.look()
        checks = {name: str(report[name]) for name in self.health.checks}
        return await asyncio.to_thread(self._list_troubles, self._installation, report, checks, looks)

    def _list_troubles(
        self,
        installation: Installation,
        report: dict[str, Any],
        checks: dict[str, str],
        looks: dict[str, str],
    ) -> list[Trouble]:
        troubles = troubles_now.list_own(self._home.path, checks)
        troubles += troubles_now.list_down(installation, report["listeners"], looks)
        troubles += troubles_now.list_failed_runs(report["runs"])
        troubles += troubles_now.list_failed_jobs(self.library_jobs.list_newest(NEWEST_JOBS), time.time())
        return troubles + troubles_now.list_questions(self._database)

    def _wake(self) -> None:
        if self._part is not None and self._part.worker is not None:
            self._part.worker.wake()

    def _check_database(self) -> None:
        try:
            with self._database.write():
                pass
        except SQLAlchemyError as error:
            raise StoreError(f"The database cannot be written ({getattr(error, 'orig', error)}).") from error

    def _check_worker(self) -> None:
        worker = self._part.worker if self._part else None
        if worker is not None and worker.state != WORKING:
            raise PlayheadError(worker.state)

    def _check_scans(self) -> None:
        if self._part is not None and self._part.scans.state not in (WORKING, LOCKED):
            raise PlayheadError(self._part.scans.state)

    def _describe_listeners(self) -> dict[str, str]:
        return {each.name: each.state for each in self._part.listeners} if self._part else {}

    def _describe_news(self) -> dict[str, Any]:
        return self._part.news.describe() if self._part else {}

    def _describe_scans(self) -> dict[str, Any]:
        return self._part.scans.describe() if self._part else {}

    def _describe_watches(self) -> dict[str, str]:
        return self._part.scans.describe_watches() if self._part else {}

    def _describe_senders(self) -> dict[str, str]:
        return self._part.scans.describe_senders() if self._part else {}

    def _describe_runs(self) -> dict[str, Any]:
        return self._part.schedule.describe() if self._part else {}


class _Part:
    """What follows from one state of the settings."""

    def __init__(
        self,
        open_reception: Callable[[], None],
        listeners: list[Listener],
        schedule: Schedule,
        worker: WorkerThread | None,
        scans: ScanThread,
        news: NewsThread,
        names: Mapping[int, str],
    ) -> None:
        self.scans = scans
        self.news = news
        self._names = names
        self.listeners = listeners
        self.schedule = schedule
        self.worker = worker
        self._open_reception = open_reception
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin."""
        prepare_shapes()
        self._open_reception()
        self._tasks = [asyncio.create_task(listener.run()) for listener in self.listeners]
        self._tasks.append(asyncio.create_task(self.schedule.run()))
        for task in self._tasks:
            task.add_done_callback(_tell_fault)
        self.scans.start()
        self.news.start()
        if self.worker is not None:
            self.worker.start()

    def ask_for_news(self, events: Sequence[NewEvent]) -> None:
        """Something may have come on the connections that tell these; from any thread."""
        for number in {each.connection_id for each in events if each.event.what in _BRING_NEWS}:
            if number in self._names:
                self.news.ask(self._names[number])

    async def end(self) -> None:
        """Take it down; returns when all of it is gone."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.to_thread(self.news.end)
        await asyncio.to_thread(self.scans.end)
        if self.worker is not None:
            await asyncio.to_thread(self.worker.end)


def _tell_fault(task: asyncio.Task[None]) -> None:
    """A part that ended by itself is a fault of the program: say so, the others go on."""
    if not task.cancelled() and (error := task.exception()) is not None:
        log.warning("a part of the hub ended", error=repr(error))


async def _prepare(installation: Installation, service: Service) -> _Part:
    settings = installation.settings
    ids = await asyncio.to_thread(_find_ids, installation)
    listeners = [
        Listener(
            name if login is None else f"{name} ({login.user})",
            ids[name],
            partial(open_line, installation, name, connection, login),
            partial(service.take_in, name),
            service.measures.note_line,
            user_id=login.user_id if login else None,
        )
        for name, connection in settings.connections.items()
        if name in ids and connection.read and connection.listen and _can_listen(connection)
        for login in list_lines(connection)
    ]

    async def carry_out(run: Run) -> int:
        code = await _run_sync(installation, run)
        if worker is not None:  # beside the runs, so that a slow server keeps none waiting
            worker.write_all()
        return code

    schedule = Schedule(_make_plans(settings), carry_out, service.measures.note_run)
    loop = asyncio.get_running_loop()

    def ask(names: Collection[str]) -> None:
        loop.call_soon_threadsafe(schedule.ask, frozenset(names))

    worker = None
    if settings.connections:
        worker = WorkerThread(installation, service.inbox, service.callers, ask, service.stamp.holds)
    service.library_jobs.keep_s = settings.scans.keep_days * DAY_S
    scans = await asyncio.to_thread(
        ScanThread, installation, service.library_jobs, service.measures.note_look
    )
    news = NewsThread(installation, service.library_jobs, service.find_troubles)
    names = {number: name for name, number in ids.items()}
    open_reception = _prepare_reception(installation, service, ids)
    return _Part(open_reception, listeners, schedule, worker, scans, news, names)


def _prepare_reception(
    installation: Installation, service: Service, ids: Mapping[str, int]
) -> Callable[[], None]:
    receivers, token = make_receivers(installation, ids), find_cluster_token(installation)
    own, client = list_own(installation, ids), installation.home.client_id()

    def open_reception() -> None:
        service.callers.set_own(own)
        service.reception.open_for(receivers, cluster_token=token, own_client=client)

    return open_reception


def _find_ids(installation: Installation) -> dict[str, int]:
    """The database's ids of the connections; one that never answered has none yet."""
    if not installation.settings.connections:
        return {}
    with open_hub(installation) as hub:
        return {linked.link.connection: linked.key.connection_id for linked in hub.linked}


def _can_listen(connection: ConnectionSettings) -> bool:
    return hasattr(load_named(find_manifest(connection.kind).backend), "listen")


def _make_plans(settings: Settings) -> list[tuple[frozenset[str], ScheduleSettings]]:
    """The connections that go together, and each with times of its own."""
    taking_part = {name: each for name, each in settings.connections.items() if each.read or each.write}
    own = [(frozenset({name}), each.schedule) for name, each in taking_part.items() if each.schedule]
    together = frozenset(name for name, each in taking_part.items() if not each.schedule)
    return [(together, settings.schedule), *own]


async def _run_sync(installation: Installation, run: Run) -> int:
    everyone = {n for n, each in installation.settings.connections.items() if each.read or each.write}
    command = [sys.executable, "-m", "playhead", "sync", "--home", str(installation.home.path)]
    if run.connections != everyone:
        command += [word for name in sorted(run.connections) for word in ("--connection", name)]
    told = [each.hint for each in list_refused(installation)]
    command += ["--full"] if run.full else []
    return await run_child([*command, "--leave-writing"], os.environ, told)


@contextmanager
def open_service(installation: Installation) -> Iterator[Service]:
    """The service of a home folder. Raises PlayheadError where another process serves it already."""
    home = installation.home
    home.prepare()
    with _serve_alone(home):
        database = open_database(home.path)
        try:
            yield Service(home, database)
        finally:
            database.close()
            home.serving.unlink(missing_ok=True)


def say_where(home: Home, url: str, base_url: str) -> None:
    """Note in the home folder where this process answers, for the commands that tell addresses."""
    told = msgspec.json.encode(Serving(os.getpid(), url, base_url))
    write_atomically(home.serving, told + b"\n", mode=0o600)


@contextmanager
def _serve_alone(home: Home) -> Iterator[None]:
    with ExitStack() as held:
        try:
            held.enter_context(only_one(home.serve_lock, "Serving"))
        except PlayheadError as error:
            other = load_serving(home)
            where = f" at {other.url} (process {other.pid})" if other else ""
            raise PlayheadError(
                f"Playhead already serves {home.path}{where}.",
                hint="Stop that one first, or choose another folder with --home.",
            ) from error
        yield
