"""How a command has libraries scanned: by the hub that runs on this home folder, or without one by itself.

Both look alike: ``ask`` stores a job, ``watch`` tells how far it is until it has ended.
"""

from __future__ import annotations

import asyncio
import json
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from typing import Any, Protocol

from playhead.flows.request_scan import NowhereToScan, ScanRequest
from playhead.flows.update_library import LibraryUpdate
from playhead.kit.files import only_one
from playhead.ports.errors import PlayheadError, UsageError
from playhead.ports.library_jobs import Job, LibraryJobs
from playhead.runtime.disk import OwnDisk
from playhead.runtime.indexed_files import IndexedFiles
from playhead.runtime.library_worker import LibraryWorker
from playhead.store.file_index import SqlFileIndex
from playhead.store.library_jobs import SqlLibraryJobs
from playhead.wiring.api_key import find_api_key
from playhead.wiring.installation import Installation
from playhead.wiring.lanes import close_lanes, make_lanes
from playhead.wiring.scanning import ScanDesk
from playhead.wiring.webhooks import load_serving

ASK_WITHIN_S = 30.0
LOOK_EVERY_S = 0.1
DAY_S = 24 * 3600.0


class Scanner(Protocol):
    """What a command asks."""

    async def ask(self, request: ScanRequest) -> int:
        """Store a job. Raises NowhereToScan, PlayheadError."""

    def watch(self, number: int) -> AsyncIterator[Job]:
        """The job whenever it came further, the last time when it has ended."""


@contextmanager
def open_jobs(installation: Installation) -> Iterator[SqlLibraryJobs]:
    """The job store of a home folder, also while a hub runs."""
    installation.home.prepare()
    keep_s = installation.settings.scans.keep_days * DAY_S
    jobs = SqlLibraryJobs(installation.home.library_jobs, keep_s=keep_s)
    try:
        yield jobs
    finally:
        jobs.close()


@asynccontextmanager
async def open_desk(
    installation: Installation, jobs: SqlLibraryJobs, names: Collection[str] = ()
) -> AsyncIterator[ScanDesk]:
    """Lanes to the servers, for looking and planning. Raises UsageError where nothing can be scanned."""
    lanes = make_lanes(installation, jobs, OwnDisk(), names)
    if not lanes:
        raise UsageError(
            f"No connection of {installation.home.path} has libraries that can be scanned.",
            hint="Connect a server first: playhead connect plex|jellyfin|emby",
        )
    files = SqlFileIndex(installation.home.files)
    try:
        yield ScanDesk(jobs, lanes, IndexedFiles(files))
    finally:
        files.close()
        await close_lanes(lanes)


@asynccontextmanager
async def open_scanner(
    installation: Installation, jobs: SqlLibraryJobs, *, work: bool
) -> AsyncIterator[Scanner]:
    """The hub that runs here; where none does, this process. ``work`` False: jobs are only stored."""
    with ExitStack() as held:
        try:
            held.enter_context(only_one(installation.home.library_lock, "Scanning"))
        except PlayheadError as error:
            serving = load_serving(installation.home)
            if serving is None:
                raise error
            yield _Remote(serving.url, find_api_key(installation), jobs)
            return
        async with open_desk(installation, jobs) as desk:
            yield _Alone(desk, work=work)


class _Alone:
    def __init__(self, desk: ScanDesk, *, work: bool) -> None:
        self._desk = desk
        self._work = work

    async def ask(self, request: ScanRequest) -> int:
        return await self._desk.ask(request)

    async def watch(self, number: int) -> AsyncIterator[Job]:
        worker = LibraryWorker(self._desk.jobs, [LibraryUpdate(lane) for lane in self._desk.lanes])
        running = asyncio.create_task(worker.run_jobs([number])) if self._work else None
        try:
            async for job in _watch(self._desk.jobs, number):
                yield job
        finally:
            if running is not None:
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)


class _Remote:
    """The job is posted; how far it is, is read from the store that both share."""

    def __init__(self, url: str, key: str, jobs: SqlLibraryJobs) -> None:
        self._url = url
        self._key = key
        self._jobs = jobs

    async def ask(self, request: ScanRequest) -> int:
        body: dict[str, Any] = {"connections": list(request.connections), "gone": request.gone}
        body |= {"library": request.library} if request.library else {}
        body |= {"name": request.name} if request.name else {}
        body |= {"paths": list(request.paths)} if request.paths else {}
        return int((await asyncio.to_thread(self._post, body))["id"])

    def watch(self, number: int) -> AsyncIterator[Job]:
        return _watch(self._jobs, number)

    def _post(self, body: dict[str, Any]) -> dict[str, Any]:
        headers = {"X-Api-Key": self._key, "Content-Type": "application/json"}
        url = f"{self._url}/api/v1/scans"
        asked = urllib.request.Request(url, json.dumps(body).encode(), headers, method="POST")
        straight = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with straight.open(asked, timeout=ASK_WITHIN_S) as answer:
                return dict(json.load(answer))
        except urllib.error.HTTPError as error:
            raise _read_refusal(error) from error
        except (OSError, ValueError) as error:
            raise PlayheadError(
                f"The hub at {self._url} does not answer ({error}).",
                hint="Is it starting? Try again in a moment.",
            ) from error


def _read_refusal(error: urllib.error.HTTPError) -> PlayheadError:
    try:
        told = json.load(error)
        message, hint = str(told["message"]), str(told.get("hint", ""))
    except (ValueError, KeyError, TypeError):
        message, hint = f"The hub answered {error.code}.", "See its log."
    kind = NowhereToScan if error.code == 404 else UsageError if error.code in (400, 409) else PlayheadError
    return kind(message, hint=hint)


async def _watch(jobs: LibraryJobs, number: int) -> AsyncIterator[Job]:
    before: Job | None = None
    while True:
        job = await asyncio.to_thread(jobs.load, number)
        if job is None:
            raise PlayheadError(f"There is no scan {number} any more.", hint="See: playhead scans")
        if job != before:
            yield job
            before = job
        if job.ended_at is not None:
            return
        await asyncio.sleep(LOOK_EVERY_S)


def wait_s(job: Job) -> float:
    """How long a job has been there, in seconds."""
    return (job.ended_at or time.time()) - job.made_at
