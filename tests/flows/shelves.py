"""A server whose libraries can be scanned, in memory, with a clock that is moved by hand; a disk; and a connection's lane."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from playhead.domain.library.places import climb, holds, is_video, key
from playhead.flows.library_lane import Lane, Pace
from playhead.flows.update_library import LibraryUpdate
from playhead.ports.errors import NotFound, Unreachable
from playhead.ports.library_jobs import Arrived, Job, NewJob
from playhead.ports.scans import FileItem, ScanBegun, ScannedLibrary
from playhead.store.library_jobs import SqlLibraryJobs


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Shelves:
    """Meets ``Scans``. ``disk`` holds the files as the server sees them; a scan of ``scan_s`` seconds shelves what lies there."""

    def __init__(self, clock: Clock, libraries: dict[str, tuple[str, ...]]) -> None:
        self.clock = clock
        self.libraries = {str(n): (title, folders) for n, (title, folders) in enumerate(libraries.items(), 1)}
        self.disk: set[str] = set()
        self.shelved: dict[str, set[str]] = {number: set() for number in self.libraries}
        self.scans: list[tuple[str, str | None]] = []
        self.running: dict[str, list[tuple[float, str | None, set[str]]]] = {}
        self.scan_s = 0.0
        self.blind_for: set[str] = set()  # folders whose own scan finds nothing
        self.tells = True
        self.nearest = ""  # the folder that is scanned for any
        self.down = False
        self.requests = 0
        self.old: set[str] = set()  # found by a thorough look only
        self.forgets = False  # what is asked for while a scan of the library goes on
        self.delay_s = 0.0  # of quiet before it begins; each further report starts it anew
        self.reported: dict[tuple[str, str | None], float] = {}
        self._marks: dict[str, int] = {}

    def title(self, number: str) -> str:
        return self.libraries[number][0]

    def begin(self, number: str, path: str | None) -> None:
        """As if the server had begun by itself."""
        self.running.setdefault(number, []).append((self.clock.now + self.scan_s, path, set(self.disk)))

    def settle(self) -> None:
        """Begin what was reported and left alone since, and end the scans that are over."""
        for (number, path), at in list(self.reported.items()):
            if at <= self.clock.now:
                del self.reported[number, path]
                self.begin(number, path)
        for number, running in self.running.items():
            for scan in [each for each in running if each[0] <= self.clock.now]:
                running.remove(scan)
                _, path, seen = scan
                self._marks[number] = self._marks.get(number, 0) + 1
                if path not in self.blind_for:
                    self._shelve(number, path, seen)

    def _shelve(self, number: str, path: str | None, disk: set[str]) -> None:
        """Shelve what was there when the scan began: it may have passed a folder before a file came."""
        roots = {key(folder) for folder in self.libraries[number][1]}
        if path and key(path) not in roots and not any(holds(path, file) for file in disk):
            return  # a folder that is gone is noticed from above alone
        folders = [path] if path else list(self.libraries[number][1])
        below = {file for file in disk | self.shelved[number] if any(holds(f, file) for f in folders)}
        self.shelved[number] = (self.shelved[number] - below) | (below & disk)

    async def list_scanned(self) -> list[ScannedLibrary]:
        self._answer()
        return [
            ScannedLibrary(
                number, title, "shows", folders,
                bool(self.running.get(number)) if self.tells else None,
                str(self._marks.get(number, 0)) if self.tells else "",
            )
            for number, (title, folders) in self.libraries.items()
        ]  # fmt: skip

    async def begin_scan(self, library_id: str, path: str | None) -> ScanBegun:
        self._answer()
        if library_id not in self.libraries:
            raise NotFound("There is no such library.")
        self.scans.append((self.title(library_id), path))
        covers = self.nearest if path and self.nearest else path
        if self.delay_s:
            self.reported[library_id, covers] = self.clock.now + self.delay_s
        elif not (self.forgets and self.running.get(library_id)):
            self.begin(library_id, covers)
        self.settle()
        return ScanBegun("folder" if path else "library", covers, self.delay_s, self.forgets)

    async def find_files(
        self, library_id: str, paths: Sequence[str], *, thorough: bool = False
    ) -> list[FileItem]:
        self._answer()
        wanted = {key(path) for path in paths if thorough or path not in self.old}
        return [_item(library_id, file) for file in sorted(self.shelved[library_id]) if key(file) in wanted]

    async def list_newest(self, library_id: str, count: int, start: int = 0) -> list[FileItem]:
        self._answer()
        return [_item(library_id, file) for file in sorted(self.shelved[library_id])][start : start + count]

    def _answer(self) -> None:
        self.requests += 1
        if self.down:
            raise Unreachable("Nobody answers.")
        self.settle()


def _item(library_id: str, file: str) -> FileItem:
    return FileItem(f"n{abs(hash(file))}", library_id, "movie", (file,), title=Path(file).stem)


class HubDisk:
    """Meets ``Disk``: a set of files; every folder above one is there. ``absent`` hides all below; ``bare`` are empty folders."""

    def __init__(self, files: set[str] | None = None) -> None:
        self.files = files if files is not None else set()
        self.absent: set[str] = set()
        self.bare: set[str] = set()

    async def look(self, path: str) -> Literal["file", "folder", "empty", "absent"]:
        if any(holds(each, path) for each in self.absent):
            return "absent"
        if path in self.files:
            return "file"
        if any(holds(path, file) for file in self.files):
            return "folder"
        return "empty" if path in self.bare else "absent"

    async def list_videos(self, folder: str, limit: int) -> list[str]:
        return [file for file in sorted(self.files) if holds(folder, file) and is_video(file)][:limit]

    async def count_folders(self, folder: str, limit: int) -> int:
        below = {place for file in self.files for place in climb(file, folder)[1:]}
        return min(len(below), limit)


class Row:
    """A lane with everything it needs; ``run`` takes turns as time passes."""

    def __init__(self, folder: Path, libraries: dict[str, tuple[str, ...]], pace: Pace | None = None) -> None:
        self.clock = Clock()
        self.server = Shelves(self.clock, libraries)
        self.disk = HubDisk()
        self.jobs = SqlLibraryJobs(folder / "library.db")
        self.lane = Lane("Den", self.server, self.jobs, self.disk, self.clock, pace=pace or Pace())
        self.update = LibraryUpdate(self.lane)

    def ask(self, *paths: str, gone: bool = False, hurry: bool = True, **more: object) -> int:
        """A job for these paths."""
        job = NewJob("api", "", tuple(Arrived(path, gone) for path in paths), hurry=hurry, **more)  # type: ignore[arg-type]
        quiet = 0.0 if hurry else self.lane.pace.quiet_s
        return self.jobs.add(job, ["Den"], self.clock.now, self.clock.now + quiet)

    def put(self, *paths: str) -> None:
        """Files on the server's disk."""
        self.server.disk |= set(paths)

    async def run(self, seconds: float = 200.0) -> None:
        """Take turns until nothing is open, at most for so long."""
        end = self.clock.now + seconds
        while (due := self.jobs.next_due("Den")) is not None and due <= end:
            self.clock.now = max(self.clock.now, due)
            await self.update.turn()
        if due is not None:
            self.clock.now = end

    def job(self, number: int) -> Job:
        found = self.jobs.load(number)
        assert found is not None
        return found

    def states(self, number: int) -> list[str]:
        return [str(part.state) for part in self.job(number).parts]
