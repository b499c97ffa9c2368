"""Everything of a running hub but HTTP: the inbox, and for the settings of the moment its listeners, runs and worker.

The settings file is looked at every few seconds; when it says something else, what follows from it is taken down and set up
anew. The inbox stays.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, cast

import msgspec
from sqlalchemy.exc import SQLAlchemyError

from playhead.kit.files import only_one, write_atomically
from playhead.kit.log import Log
from playhead.ports.errors import PlayheadError
from playhead.ports.events import Listens
from playhead.runtime.group_commit import GroupCommit
from playhead.runtime.health import Health
from playhead.runtime.home import Home
from playhead.runtime.listeners import Line, Listener
from playhead.runtime.measures import Measures
from playhead.runtime.reception import Receiver, Reception
from playhead.runtime.schedule import Run, Schedule, run_child
from playhead.settings import ConnectionSettings, ScheduleSettings, Settings
from playhead.store.database import Database, StoreError, open_database
from playhead.store.inbox import SqlInbox
from playhead.wiring.hub import open_hub
from playhead.wiring.installation import Installation, find_manifest, load_named
from playhead.wiring.webhooks import Serving, load_serving, make_receivers
from playhead.wiring.working import WorkerThread

log = Log(__name__)

LOOK_AT_SETTINGS_EVERY_S = 2.0


class Service:
    """A hub that runs. ``begin``, ``run`` and ``close`` belong to the event loop that answers HTTP."""

    def __init__(self, home: Home, database: Database) -> None:
        self._home = home
        self._database = database
        self.inbox = SqlInbox(home.inbox)
        self.measures = Measures(self.inbox)
        self.reception = Reception(GroupCommit(self.inbox.put, on_commit=self._wake))
        self._installation: Installation | None = None
        self._part: _Part | None = None
        self.health = Health(
            {
                "inbox": self.inbox.check_writable,
                "database": self._check_database,
                "worker": self._check_worker,
            },
            {"listeners": self._describe_listeners, "runs": self._describe_runs},
        )

    async def begin(self, installation: Installation) -> None:
        """Do what the settings say, from now on. Raises PlayheadError where that cannot be."""
        self._installation = installation
        self._part = await _prepare(installation, self)
        self._part.start(self)

    async def run(self, stop: asyncio.Event) -> None:
        """After ``begin``: follow the settings when they change, until ``stop`` is set."""
        assert self._installation is not None and self._part is not None
        try:
            while (change := await self._wait_for_change(self._installation, stop)) is not None:
                await self._part.end()
                self._installation, self._part = change
                self._part.start(self)
        finally:
            await self._part.end()

    async def close(self) -> None:
        """Store what was put, and close the inbox."""
        await self.reception.close()
        self.inbox.close()

    async def _wait_for_change(
        self, installation: Installation, stop: asyncio.Event
    ) -> tuple[Installation, _Part] | None:
        """Return when the settings are others than these, with what follows from them; None when ``stop`` is set."""
        seen = _stamp(self._home)
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_AT_SETTINGS_EVERY_S):
                    await stop.wait()
            if stop.is_set():
                return None
            if (now := _stamp(self._home)) == seen:
                continue
            seen, new = now, Installation(self._home)
            try:
                if new.settings != installation.settings:
                    log.info("the settings changed")
                    return new, await _prepare(new, self)
            except PlayheadError as error:
                log.warning("the settings cannot be used; the old ones hold", error=str(error))

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
        if worker is not None and worker.state != "working":
            raise PlayheadError(worker.state)

    def _describe_listeners(self) -> dict[str, str]:
        return {each.connection: each.state for each in self._part.listeners} if self._part else {}

    def _describe_runs(self) -> dict[str, Any]:
        return self._part.schedule.describe() if self._part else {}


class _Part:
    """What follows from one state of the settings."""

    def __init__(
        self,
        receivers: list[Receiver],
        listeners: list[Listener],
        schedule: Schedule,
        worker: WorkerThread | None,
    ) -> None:
        self.listeners = listeners
        self.schedule = schedule
        self.worker = worker
        self._receivers = receivers
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, service: Service) -> None:
        """Begin."""
        service.reception.open_for(self._receivers)
        self._tasks = [asyncio.create_task(listener.run()) for listener in self.listeners]
        self._tasks.append(asyncio.create_task(self.schedule.run()))
        for task in self._tasks:
            task.add_done_callback(_tell_fault)
        if self.worker is not None:
            self.worker.start()

    async def end(self) -> None:
        """Take it down; returns when all of it is gone."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
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
            name,
            ids[name],
            _make_opener(installation, connection),
            service.reception.put,
            service.measures.note_line,
        )
        for name, connection in settings.connections.items()
        if name in ids and connection.read and _can_listen(connection)
    ]
    schedule = Schedule(
        _make_plans(settings), lambda run: _run_sync(installation, run), service.measures.note_run
    )
    loop = asyncio.get_running_loop()

    def ask(names: Collection[str]) -> None:
        loop.call_soon_threadsafe(schedule.ask, frozenset(names))

    worker = WorkerThread(installation, service.inbox, ask) if settings.connections else None
    return _Part(make_receivers(installation, ids), listeners, schedule, worker)


def _find_ids(installation: Installation) -> dict[str, int]:
    """The database's ids of the connections; one that never answered has none yet."""
    if not installation.settings.connections:
        return {}
    with open_hub(installation) as hub:
        return {linked.link.connection: linked.key.connection_id for linked in hub.linked}


def _can_listen(connection: ConnectionSettings) -> bool:
    return hasattr(load_named(find_manifest(connection.kind).backend), "listen")


def _make_opener(installation: Installation, connection: ConnectionSettings) -> Callable[[], Line]:
    def open_line() -> Line:
        backend = installation.make_backend(connection)
        assert isinstance(backend, Listens)
        return cast(Line, backend)

    return open_line


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
    return await run_child([*command, "--full"] if run.full else command, os.environ)


def _stamp(home: Home) -> tuple[int, int] | None:
    try:
        found = home.settings.stat()
    except FileNotFoundError:
        return None
    return found.st_mtime_ns, found.st_size


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
