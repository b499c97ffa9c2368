"""What the programs that fetch files tell becomes jobs: what came, and what gave way to it.

A half of an upgrade is a job that waits for its other half, which tells both and takes its place. What is merely missing is
looked for by the hub's own eyes. A key folds two reports of one thing.
"""

from __future__ import annotations

import asyncio
import posixpath
import time
from collections.abc import Callable, Iterable, Sequence

import msgspec

from playhead.domain.library.mapping import PathMap
from playhead.ports.arrivals import Arrival
from playhead.ports.disk import Disk
from playhead.ports.library_jobs import Arrived, LibraryJobs, NewJob

HALF_WAIT_S = 120.0
TOLD_WITHIN_S = 600.0
MOST_LOOKED_AT = 200
FEW_UNSEEN = (
    5  # so many files that the hub cannot look for are taken as gone at once; more may be a disk that is away
)

PutJob = Callable[[NewJob, float], int]
"""Stores a job that is due after so many seconds, 0 = after the usual quiet time; gives its number."""


class Taken(msgspec.Struct, frozen=True):
    """The jobs, and the hub's paths of missing files of which no job was made: nobody can tell whether they are gone."""

    jobs: tuple[int, ...] = ()
    unseen: tuple[str, ...] = ()


class ArrivalDesk:
    """Stores the jobs. ``put`` may be called from any thread."""

    def __init__(
        self, jobs: LibraryJobs, disk: Disk, put: PutJob, *, now: Callable[[], float] = time.time
    ) -> None:
        self._jobs = jobs
        self._disk = disk
        self._put = put
        self._now = now

    async def take(self, arrivals: Sequence[Arrival], paths: PathMap) -> Taken:
        """Store what these say; on disk when this returns."""
        sure, unseen = await self._look(arrivals, paths)
        if len(unseen) <= FEW_UNSEEN:
            sure, unseen = [*sure, *unseen], []
        numbers = await asyncio.to_thread(self._store, sure, paths)
        hidden = dict.fromkeys(path for each in unseen for path in _map(each.paths, paths))
        return Taken(tuple(numbers), tuple(hidden))

    async def _look(self, arrivals: Sequence[Arrival], paths: PathMap) -> tuple[list[Arrival], list[Arrival]]:
        """What is sure, and what is missing where the hub sees nothing. A missing file that the hub sees says nothing."""
        sure: list[Arrival] = []
        unseen: list[Arrival] = []
        mounted: dict[str, bool] = {}
        for arrival in arrivals:
            if not arrival.missing:
                sure.append(arrival)
                continue
            [root, path] = _map((arrival.folder or arrival.paths[0], arrival.paths[0]), paths)
            root = posixpath.dirname(root)
            if root not in mounted:
                mounted[root] = await self._disk.look(root) == "folder"
            if not mounted[root]:
                unseen.append(arrival)
            elif await self._disk.look(path) in ("absent", "empty"):
                sure.append(arrival)
        return sure, unseen

    def _store(self, arrivals: Sequence[Arrival], paths: PathMap) -> list[int]:
        whole = plan_arrivals(arrivals, paths)
        numbers = [self._put(job, 0.0) for job in whole]
        named = {(job.source, each.path) for job in whole for each in job.arrived}
        self._jobs.withdraw([_name_half(source, path) for source, path in named])
        halves = [job for job in plan_halves(arrivals, paths) if not _is_named(job, named)]
        if halves:
            named |= self._list_told()
        return numbers + [self._put(job, HALF_WAIT_S) for job in halves if not _is_named(job, named)]

    def _list_told(self) -> set[tuple[str, str]]:
        """What jobs of the last minutes told already."""
        since = self._now() - TOLD_WITHIN_S
        newest = [job for job in self._jobs.list_newest(MOST_LOOKED_AT) if job.made_at > since]
        return {(job.new.source, each.path) for job in newest for each in job.new.arrived}


def plan_arrivals(arrivals: Iterable[Arrival], paths: PathMap) -> list[NewJob]:
    """A job for each arrival that says what to scan, halves left out. ``paths`` maps the senders' words to the hub's; a path that
    it does not know is taken as it is."""
    return [job for each in arrivals if not each.half and (job := _plan(each, paths)) is not None]


def plan_halves(arrivals: Iterable[Arrival], paths: PathMap) -> list[NewJob]:
    """A job for each half of an upgrade."""
    planned = [job for each in arrivals if each.half and (job := _plan(each, paths)) is not None]
    return [msgspec.structs.replace(job, key=_name_half(job.source, job.arrived[0].path)) for job in planned]


def _name_half(source: str, path: str) -> str:
    return f"{source}:half|{path}"


def _is_named(half: NewJob, named: set[tuple[str, str]]) -> bool:
    return all((half.source, each.path) in named for each in half.arrived)


def _plan(arrival: Arrival, paths: PathMap) -> NewJob | None:
    goes = arrival.what == "deleted"
    there = {} if goes else dict.fromkeys(_map(arrival.paths, paths))
    gone = dict.fromkeys(_map(arrival.paths if goes else arrival.before, paths))
    arrived = [Arrived(path) for path in there]
    arrived += [Arrived(path, gone=True) for path in gone if path not in there]
    if not arrived:
        arrived = [Arrived(path) for path in _map((arrival.folder,), paths)]
    if not arrived:
        return None
    name = arrival.title or arrived[0].path
    key = f"{arrival.source}:{arrival.key}" if arrival.key else ""
    return NewJob(arrival.source, name, tuple(arrived), key=key, word=arrival.what)


def _map(told: Iterable[str], paths: PathMap) -> list[str]:
    return [paths.to_hub(path) or path for path in told if path]
