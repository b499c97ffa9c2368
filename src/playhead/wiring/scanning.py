"""The libraries' worker in a thread and an event loop of its own, and the desk at which scans are asked for.

A thread, because it waits for disks and servers while senders of webhooks want their answer.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from playhead.adapters import find_arr_manifests
from playhead.domain.library.mapping import PathMap
from playhead.flows.library_lane import Lane
from playhead.flows.request_scan import Libraries, ScanRequest, list_libraries, plan_request
from playhead.flows.take_arrivals import ArrivalDesk
from playhead.flows.update_library import LibraryUpdate
from playhead.kit.files import only_one
from playhead.kit.log import Log
from playhead.ports.arrivals import ArrivalPost, ReadsArrivals
from playhead.ports.disk import FindsFiles
from playhead.ports.errors import PlayheadError, UsageError
from playhead.ports.events import SCAN_BEGAN, Heard
from playhead.ports.inbox import NewEvent
from playhead.ports.library_jobs import Job, LibraryJobs, NewJob
from playhead.runtime.disk import OwnDisk
from playhead.runtime.library_worker import LibraryWorker
from playhead.runtime.loop_thread import WORKING, LoopThread
from playhead.sender_settings import SenderSettings
from playhead.store.library_jobs import SqlLibraryJobs
from playhead.wiring.api_key import KeyInForce
from playhead.wiring.guessing import guess_kind
from playhead.wiring.installation import Installation, load_named
from playhead.wiring.lanes import close_lanes, list_scanning, make_lanes
from playhead.wiring.senders import AskedSenders, NoteLook, find_told
from playhead.wiring.watching import WatchedFiles

log = Log(__name__)

LOCKED = "waiting for a command that scans by itself"
LOCKED_WAIT_S = 1.0
END_WITHIN_S = 10.0
LIBRARIES_FOR_S = 10.0  # so long a list of libraries serves to judge requests


class ScanDesk:
    """Takes requests and stores them as jobs. Belongs to the event loop that its lanes are used in."""

    def __init__(self, jobs: LibraryJobs, lanes: Sequence[Lane], finds: FindsFiles) -> None:
        self.jobs = jobs
        self.lanes = lanes
        self._finds = finds
        self._libraries: Libraries = {}
        self._listed_at = float("-inf")
        self._listing = asyncio.Lock()

    async def ask(self, request: ScanRequest) -> int:
        """Store the job that a request is; gives its number. Raises NowhereToScan."""
        job = await self.plan(request)
        return self.put(job)

    async def plan(self, request: ScanRequest) -> NewJob:
        """The job alone; nothing is stored."""
        lanes = [
            each for each in self.lanes if not request.connections or each.connection in request.connections
        ]
        if not lanes:
            raise UsageError(
                "There is no connection whose libraries can be scanned.",
                hint="Connect a server first: playhead connect plex|jellyfin|emby",
            )
        libraries = {lane.connection: (await self._list()).get(lane.connection) for lane in lanes}
        roots = self.jobs.list_roots()
        return await plan_request(request, lanes, libraries, self._finds, guess_kind, roots)

    def put(self, job: NewJob) -> int:
        """Store a job as it is."""
        now = time.time()
        names = [
            each.connection
            for each in self.lanes
            if not job.connections or each.connection in job.connections
        ]
        quiet_s = 0.0 if job.hurry or not self.lanes else self.lanes[0].pace.quiet_s
        return self.jobs.add(job, names, now, now + quiet_s)

    async def _list(self) -> Libraries:
        async with self._listing:
            if time.monotonic() - self._listed_at > LIBRARIES_FOR_S:
                self._libraries = await list_libraries(self.lanes)
                self._listed_at = time.monotonic()
            return self._libraries


class ScanThread(LoopThread):
    """Begins at ``start``. ``state`` is "working" or what keeps it from that."""

    def __init__(
        self, installation: Installation, jobs: SqlLibraryJobs, note_look: NoteLook = lambda *_: None
    ) -> None:
        super().__init__("scans")
        self._installation = installation
        self._jobs = jobs
        self._disk = OwnDisk()
        self._lanes = make_lanes(installation, jobs, self._disk)
        self._key = KeyInForce(installation)
        self.triggers = installation.settings.triggers
        self.arr_names = tuple(find_arr_manifests())
        self._sender_paths = PathMap(each.folder for each in self.triggers.paths)
        self._arrivals = ArrivalDesk(jobs, self._disk, self.put)
        self._senders = AskedSenders(installation, jobs, self._arrivals, note_look)
        self._updates = [LibraryUpdate(lane) for lane in self._lanes]
        self._worker: LibraryWorker | None = None
        self._desk: ScanDesk | None = None
        self._files: WatchedFiles | None = None

    @property
    def key(self) -> str:
        """What opens the addresses for scans, now. Raises PlayheadError."""
        return self._key.read()

    def end(self) -> None:
        """Let the turns that are being taken end, for a while; then cut them off, which loses nothing."""
        self.stopping.set()
        if self._worker is not None:
            self._worker.stop()
        if not self.join(END_WITHIN_S):
            self.cut_off()
            self.join(END_WITHIN_S)

    async def take_post(
        self, sender: str, body: bytes, headers: Mapping[str, str], name: str = ""
    ) -> tuple[ArrivalPost, list[int]]:
        """Store the jobs that a program's post says; ``name`` is the sender's own, "" = not told. Raises BadAnswer. What a sender
        misses is left to the look at it, which knows whether a disk is offline."""
        read: ReadsArrivals = load_named(find_arr_manifests()[sender].webhook)
        post = read(body, headers)
        told = find_told(self._installation, sender, name)
        arrivals = [each for each in post.arrivals if not (each.missing and told and told.look_every_s)]
        taken = await self._arrivals.take([] if post.test else arrivals, self._map_sender(told))
        log.info("arrivals", sender=sender, told=post.name, known=post.known, scans=len(taken.jobs))
        return post, list(taken.jobs)

    def _map_sender(self, told: SenderSettings | None) -> PathMap:
        return PathMap(each.folder for each in told.paths) if told and told.paths else self._sender_paths

    def map_trigger(self, path: str) -> str:
        """Another program's path in the hub's words."""
        return self._sender_paths.to_hub(path) or path

    async def ask(self, request: ScanRequest) -> int:
        """Store the job that a request is, from any event loop. Raises NowhereToScan, PlayheadError."""
        if self._desk is None or (loop := self.loop) is None:
            raise PlayheadError("The hub is starting.", hint="Try again in a moment.")
        number = await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self._desk.ask(request), loop))
        self._wake()
        return number

    def put(self, job: NewJob, after_s: float = 0.0) -> int:
        """Store a job as it is; ``after_s``: nothing is done before."""
        now = time.time()
        names = list_scanning(self._installation, job.connections)
        quiet_s = 0.0 if job.hurry else self._installation.settings.scans.quiet_s
        number = self._jobs.add(job, names, now, now + max(quiet_s, after_s))
        self._wake()
        if self._files is not None and (loop := self.loop) is not None:
            asyncio.run_coroutine_threadsafe(self._files.note(job), loop)
        return number

    def hear(self, connection: str, events: Sequence[NewEvent]) -> None:
        """What a server's line tells of scans, from any thread."""
        for new in events:
            if new.event.what is Heard.scan and self._worker is not None:
                began = new.event.name == SCAN_BEGAN
                self._worker.hear(connection, new.event.library_id, began=began)

    def load(self, number: int) -> Job | None:
        """A job, from any thread."""
        return self._jobs.load(number)

    def list_newest(self, limit: int) -> list[Job]:
        """The newest jobs, from any thread."""
        return self._jobs.list_newest(limit)

    def describe(self) -> dict[str, Any]:
        """For ``/readyz``: what each connection waits for, "" = nothing."""
        return {
            update.lane.connection: update.error or "; ".join(update.lane.waits.values())
            for update in self._updates
        }

    def describe_watches(self) -> dict[str, str]:
        """For ``/readyz``: how it stands with each watched folder."""
        return self._files.describe() if self._files else {}

    def describe_senders(self) -> dict[str, str]:
        """For ``/readyz``: how it stands with each sender."""
        return self._senders.describe()

    def _wake(self) -> None:
        if self._worker is not None:
            self._worker.wake()

    async def work(self) -> None:
        """Carry out the jobs, while no command does so by itself."""
        with ExitStack() as held:
            if await self._take_lock(held):
                await self._work_alone()

    async def _take_lock(self, held: ExitStack) -> bool:
        """Wait until no command does this work by itself. Gives False where the hub is to end first."""
        while not self.stopping.is_set():
            try:
                held.enter_context(only_one(self._installation.home.library_lock, "Scanning"))
                return True
            except PlayheadError:
                self.state = LOCKED
                await self.rest(LOCKED_WAIT_S)
        return False

    async def _work_alone(self) -> None:
        self._worker = LibraryWorker(self._jobs, self._updates)
        self._files = WatchedFiles(self._installation.home, self._installation.settings.watch, self.put)
        self._desk = ScanDesk(self._jobs, self._lanes, self._files.finds)
        self.state = WORKING
        if self.stopping.is_set():
            return
        beside = [asyncio.create_task(self._files.run()), asyncio.create_task(self._senders.run())]
        for task in beside:
            task.add_done_callback(_tell_fault)
        try:
            await self._worker.run()
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
            self._files.close()
            await close_lanes(self._lanes)


def _tell_fault(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.warning("folders or senders are no longer watched", error=repr(error))
