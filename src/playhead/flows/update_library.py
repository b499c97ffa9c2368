"""One connection's jobs, step by step: a path is mapped, its libraries are found, few scans are begun, and items are looked for.

Everything that must outlive the process stands in the job store; each turn takes what is due and stores how far it came. No clock
of a server is read: whether a scan covers an arrival is known from what the hub itself saw, in order.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import msgspec

from playhead.domain.library.folding import Target, covers, fold, list_widening
from playhead.flows.library_lane import Lane, find_missing
from playhead.flows.place_paths import place
from playhead.flows.prove_library import AFTER_END_S, JOINED, LOOK_AGAIN_S, OWN, prove
from playhead.flows.spare_scans import gather, hold_absent
from playhead.kit.log import Log
from playhead.ports.errors import BackendError, NotFound, Retry
from playhead.ports.library_jobs import JobPart, PartState
from playhead.ports.scans import ScanBegun, ScannedLibrary

log = Log(__name__)

MOST_AT_ONCE = 2000
BUSY_LOOK_S = 1.0
ALONE_S = 1.0  # a server may not say at once that it scans
TOLD_DELAY_S = 5.0
MISSING_LOOK_S = 5.0
FIRST_WAIT_S = 2.0
LONGEST_WAIT_S = 300.0
_replace = msgspec.structs.replace


class _Seen:
    """What the hub saw of a library, in the hub's own order of things."""

    def __init__(self) -> None:
        self.idle_at = -1.0
        self.heard_at = -1.0  # when the server said that a scan began
        self.begun_at = -1.0
        self.begun: tuple[Target, ...] = ()
        self.recent: dict[Target, float] = {}
        self.reported: dict[Target, float] = {}  # until when the server waits before it looks
        self.looked: dict[Target, float] = {}  # when what such a wait was for had come
        self.alone_until = -1.0  # so long another scan may be lost, though the server says that none goes on

    def note(self, scan: Target, begun: ScanBegun, now: float) -> None:
        """A scan was asked for."""
        self.begun_at, self.begun = now, (*self.begun, scan)
        self.recent[scan] = now
        if begun.shows_within_s >= TOLD_DELAY_S:
            self.reported[scan] = now + begun.shows_within_s - BUSY_LOOK_S
            self.looked.pop(scan, None)
        if begun.alone:
            self.alone_until = now + ALONE_S

    def see_looked(self, shown: Target, now: float) -> None:
        """An item came from there: what the server was told of is not pending any more."""
        for scan in [each for each in self.reported if covers(each, shown)]:
            del self.reported[scan]
            self.looked[scan] = now


class LibraryUpdate:
    """The update of one connection. One at a time takes turns."""

    def __init__(self, lane: Lane) -> None:
        self.lane = lane
        self.error = ""
        self._heard_end = False
        self._seen: dict[str, _Seen] = defaultdict(_Seen)

    async def turn(self) -> int:
        """Do what is due now; gives how many parts that was. Raises what the job store raises, nothing of the server's."""
        lane, now = self.lane, self.lane.now()
        soon_s = LOOK_AGAIN_S[-1] if self._heard_end else 0.0
        self._heard_end = False
        parts = lane.jobs.take(lane.connection, now + max(lane.pace.quiet_s, soon_s), MOST_AT_ONCE)
        due = [part for part in parts if part.due_at <= now or (soon_s and part.begun_at is not None)]
        if not due:
            return 0
        near = now + lane.pace.quiet_s
        fresh = [part for part in parts if now < part.due_at <= near and _is_fresh(part)]
        try:
            libraries = await self._list_libraries(due)
        except BackendError as error:
            self._postpone_all(due, error)
            return len(due)
        lane.jobs.save(self._come_back(due), lane.now())
        waiting = [part for part in due if part.begun_at is None]
        if libraries is not None:
            await self._begin(await self._place(waiting + fresh, libraries), libraries)
        begun = lane.jobs.take(lane.connection, lane.now() + soon_s, MOST_AT_ONCE)
        shown = await prove(
            lane, [self._shorten(part) for part in begun if part.begun_at is not None], libraries or {}
        )
        for part in shown:
            self._seen[part.library_id].see_looked(_target(part), lane.now())
        return len(due)

    def _shorten(self, part: JobPart) -> JobPart:
        """What joined a report needs not wait any more when the server was seen to have looked."""
        if part.means != JOINED or part.begun_at is None:
            return part
        looked = self._seen[part.library_id].looked
        at = max((at for scan, at in looked.items() if covers(scan, _target(part))), default=0.0)
        return (
            _replace(part, look_until=min(part.look_until, at + AFTER_END_S)) if at > part.begun_at else part
        )

    def hear(self, library_id: str | None, *, began: bool) -> None:
        """The server says that a scan of a library (None = of which is not told) began or has ended."""
        if not began:
            self._heard_end = True
            for seen in self._seen.values():
                seen.alone_until = -1.0
        elif library_id is not None:
            self._seen[library_id].heard_at = self.lane.now()

    async def look_around(self) -> None:
        """Note which folders are there and hold something, so that their going is noticed. Raises BackendError."""
        for library in (await self._look()).values():
            await find_missing(self.lane, library)

    def put_off(self, why: str, seconds: float) -> None:
        """Let what is due wait, for a fault that is not the server's."""
        lane, now = self.lane, self.lane.now()
        due = lane.jobs.take(lane.connection, now, MOST_AT_ONCE)
        lane.jobs.save([_replace(part, due_at=now + seconds, message=why) for part in due], now)

    async def _list_libraries(self, due: Sequence[JobPart]) -> dict[str, ScannedLibrary] | None:
        """All of them, anew, with what is seen of them noted; None = not asked for, while items are looked for the first few
        times."""
        if all(part.begun_at is not None and 0 < part.looks < 3 for part in due):
            return None
        return await self._look()

    async def _look(self) -> dict[str, ScannedLibrary]:
        asked_at = self.lane.now()
        libraries = {each.id: each for each in await self.lane.scans.list_scanned()}
        for library in libraries.values():
            seen = self._seen[library.id]
            if not library.scanning and asked_at >= seen.alone_until:
                seen.idle_at, seen.begun = asked_at, ()
        return libraries

    # -- a server that is away

    def _postpone_all(self, due: Sequence[JobPart], error: BackendError) -> None:
        if not self.error:
            log.warning("scans wait", connection=self.lane.connection, why=error.message)
        self.error = error.message
        self.lane.jobs.save([self._postpone(part, error) for part in due], self.lane.now())

    def _postpone(self, part: JobPart, error: BackendError) -> JobPart:
        """Later, each time later still; what waited for days has failed."""
        now = self.lane.now()
        if now - part.known_at > self.lane.pace.give_up_s:
            return _replace(part, state=PartState.failed, message=str(error))
        wait = min(FIRST_WAIT_S * 2.0 ** min(part.attempts, 20), LONGEST_WAIT_S)
        why = error.message if error.retry is not Retry.never else str(error)
        return _replace(part, attempts=part.attempts + 1, due_at=now + wait, message=why)

    def _come_back(self, due: Sequence[JobPart]) -> list[JobPart]:
        """After the first answer of a server that was away: what was put off is due at once."""
        if not self.error:
            return []
        log.warning("scans go on", connection=self.lane.connection, after=self.error)
        self.error = ""
        lane, now = self.lane, self.lane.now()
        known = {part.id for part in due}
        later = lane.jobs.take(lane.connection, now + LONGEST_WAIT_S, MOST_AT_ONCE)
        return [_replace(part, due_at=now) for part in later if part.attempts and part.id not in known]

    # -- which libraries

    async def _place(self, parts: Sequence[JobPart], libraries: dict[str, ScannedLibrary]) -> list[JobPart]:
        """Each part in its libraries; those that have none end here."""
        placed: list[JobPart] = []
        changed: list[JobPart] = []
        for part in parts:
            if part.library_id in libraries and part.library_id:
                placed.append(part)
            else:
                changed += await place(self.lane, _replace(part, library_id="", target=None), libraries)
        if changed:
            now = self.lane.now()
            self.lane.jobs.save(changed, now)
            ids = {part.job_id for part in changed}
            again = self.lane.jobs.take(self.lane.connection, now + self.lane.pace.quiet_s, MOST_AT_ONCE)
            have = {part.id for part in placed}
            placed += [
                p for p in again
                if p.job_id in ids and p.library_id and p.begun_at is None and p.id not in have
            ]  # fmt: skip
        return placed

    # -- scans

    async def _begin(self, parts: Sequence[JobPart], libraries: dict[str, ScannedLibrary]) -> None:
        by_library: dict[str, list[JobPart]] = defaultdict(list)
        for part in parts:
            by_library[part.library_id].append(part)
        for library_id, group in by_library.items():
            library = libraries[library_id]
            ready, later = self._choose_ready(group)
            self.lane.jobs.save(later, self.lane.now())
            free = await hold_absent(self.lane, await self._check_missing(ready, library))
            await self._begin_in(library, self._join(self._check_busy(free, library), library))

    def _choose_ready(self, group: Sequence[JobPart]) -> tuple[list[JobPart], list[JobPart]]:
        """Those whose burst is over, and whose folder was not scanned just now; the others with the time when it may be."""
        now, pace = self.lane.now(), self.lane.pace
        ready: list[JobPart] = []
        later: list[JobPart] = []
        bursts: dict[Target, list[JobPart]] = defaultdict(list)
        for part in group:
            bursts[_target(part)].append(part)
        for burst in bursts.values():
            newest, oldest = max(p.known_at for p in burst), min(p.known_at for p in burst)
            until = min(newest + pace.quiet_s, oldest + pace.longest_quiet_s)
            again = self._find_last(burst[0]) + pace.longest_quiet_s
            why = "Its folder was scanned just now; more may come." if again > until else ""
            until = max(until, again)
            if until <= now or any(part.hurry or not _is_fresh(part) for part in burst):
                ready += burst
            else:
                later += [_replace(part, due_at=until, message=why) for part in burst]
        scans = fold(_target(part) for part in ready)
        along = [part for part in later if _covered(part, scans)]
        return ready + along, [part for part in later if part not in along]

    def _find_last(self, part: JobPart) -> float:
        """When a scan of what a part wants was begun last, of those that count."""
        recent = self._seen[part.library_id].recent
        for scan in [s for s, at in recent.items() if at < self.lane.now() - self.lane.pace.longest_quiet_s]:
            del recent[scan]
        return max((at for scan, at in recent.items() if covers(scan, _target(part))), default=float("-inf"))

    async def _check_missing(self, parts: Sequence[JobPart], library: ScannedLibrary) -> list[JobPart]:
        """Those that may be scanned: with every anchor and folder there."""
        free: list[JobPart] = []
        for folder in {part.folder if _target(part).path else "" for part in parts}:
            group = [part for part in parts if (part.folder if _target(part).path else "") == folder]
            missing = await find_missing(self.lane, library, [folder] if folder else None)
            if not missing:
                free += group
                continue
            due = self.lane.now() + MISSING_LOOK_S
            self.lane.jobs.save(
                [_replace(part, due_at=due, message=missing) for part in group], self.lane.now()
            )
        return free

    def _check_busy(self, parts: Sequence[JobPart], library: ScannedLibrary) -> list[JobPart]:
        """Those that may be scanned now. One that came before the scan that goes on began is looked for when it has ended;
        the others wait for its end, with a bound."""
        now, seen = self.lane.now(), self._seen[library.id]
        if not library.scanning and now >= seen.alone_until:
            return list(parts)
        ours = seen.begun_at >= seen.idle_at and bool(seen.begun)
        free, changed = [], []
        for part in parts:
            since = part.waits_since if part.waits_since is not None else now
            if now - since > self.lane.pace.busy_longest_s:
                free.append(part)
            elif ours and seen.begun_at >= part.known_at and _covered(part, seen.begun):
                changed.append(self._begun(part, library, ScanBegun("a scan that goes on"), now))
            elif not ours and max(seen.idle_at, seen.heard_at) >= part.known_at and not part.means:
                changed.append(self._begun(part, library, ScanBegun(OWN), now))
            else:
                text = f"{library.title} is being scanned; this waits for its end."
                changed.append(_replace(part, waits_since=since, due_at=now + BUSY_LOOK_S, message=text))
        self.lane.jobs.save(changed, now)
        return free

    def _join(self, parts: Sequence[JobPart], library: ScannedLibrary) -> list[JobPart]:
        """Those that need a scan of their own. The others wait for one that the server was told of and has not begun: telling it
        again would only make it wait longer."""
        now, seen = self.lane.now(), self._seen[library.id]
        seen.reported = {scan: until for scan, until in seen.reported.items() if until > now}
        alone, joined = [], []
        for part in parts:
            until = max(
                (at for scan, at in seen.reported.items() if covers(scan, _target(part))), default=now
            )
            if until > now and not part.means:
                joined.append(self._begun(part, library, ScanBegun(JOINED, None, until - now), now))
            else:
                alone.append(part)
        self.lane.jobs.save(joined, now)
        return alone

    async def _begin_in(self, library: ScannedLibrary, parts: Sequence[JobPart]) -> None:
        """Ask for as few scans as do for all; what was asked is stored at once."""
        seen = self._seen[library.id]
        done: list[tuple[Target, ScanBegun]] = []
        first = {_target(part): part.known_at for part in reversed(parts)}
        targets = await gather(self.lane, library.folders, fold(first))
        for target in sorted(targets, key=lambda each: min(at for t, at in first.items() if covers(each, t))):
            group = [part for part in parts if covers(target, _target(part))]
            if wider := next((begun for scan, begun in done if covers(scan, target)), None):
                self._save_begun(group, library, wider)
                continue
            if any(begun.alone for _, begun in done):
                self._wait_for_end(group, library)
                continue
            try:
                begun = await self.lane.scans.begin_scan(library.id, target.path or None)
            except BackendError as error:
                lost = {"library_id": ""} if isinstance(error, NotFound) else {}
                later = [_replace(self._postpone(part, error), **lost) for part in group]
                self.lane.jobs.save(later, self.lane.now())
                continue
            done.append((Target(library.id, begun.covers or ""), begun))
            seen.note(done[-1][0], begun, self.lane.now())
            log.info(
                "scan", connection=self.lane.connection, library=library.title, path=target.path, means=begun.means,
                for_paths=len(group),
            )  # fmt: skip
            self._save_begun(group, library, begun)

    def _wait_for_end(self, parts: Sequence[JobPart], library: ScannedLibrary) -> None:
        """Their turn comes when the scan that was just asked for has ended."""
        text = f"{library.title} is scanned folder by folder; this is not its turn yet."
        now = self.lane.now()
        due = now + BUSY_LOOK_S
        self.lane.jobs.save([_replace(p, due_at=due, waits_since=None, message=text) for p in parts], now)

    def _save_begun(self, parts: Sequence[JobPart], library: ScannedLibrary, begun: ScanBegun) -> None:
        now = self.lane.now()
        self.lane.jobs.save([self._begun(part, library, begun, now) for part in parts], now)

    def _begun(self, part: JobPart, library: ScannedLibrary, begun: ScanBegun, now: float) -> JobPart:
        return _replace(
            part,
            state=PartState.widened if part.width else PartState.scanning,
            means=begun.means,
            begun_at=now,
            due_at=now,
            looks=0,
            attempts=0,
            mark=library.mark,
            seen_scanning=False,
            scan_ended=False,
            look_until=now + begun.shows_within_s + self.lane.pace.look_for_s,
            message=part.message if part.width else _say_delay(part, begun),
        )


def _say_delay(part: JobPart, begun: ScanBegun) -> str:
    if begun.shows_within_s < TOLD_DELAY_S:
        return ""
    return f"{part.connection} may wait {begun.shows_within_s:.0f} s before it begins."


def _is_fresh(part: JobPart) -> bool:
    return part.begun_at is None and not (part.attempts or part.width or part.waits_since or part.means)


def _target(part: JobPart) -> Target:
    """What is scanned for a part, as wide as it has come."""
    first = Target(part.library_id, part.target or "")
    steps = list_widening(first, part.folder) if part.folder else [first]
    return steps[min(part.width, len(steps) - 1)]


def _covered(part: JobPart, scans: Iterable[Target]) -> bool:
    return any(covers(scan, _target(part)) for scan in scans)
