"""After a scan was asked for: does an item have the file, or has none any more? Where it does not show, more is scanned, and in
the end it is said so. The library's own signals say when a scan has ended; where it gives none, a time does.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import msgspec

from playhead.domain.library.folding import Target, list_widening
from playhead.domain.library.places import base_name, key
from playhead.flows.library_lane import Lane
from playhead.flows.spare_scans import say_absent
from playhead.kit.log import Log
from playhead.ports.errors import BackendError
from playhead.ports.library_jobs import FoundItem, JobPart, PartState
from playhead.ports.scans import FileItem, ScannedLibrary

log = Log(__name__)

LOOK_AGAIN_S = (0.2, 0.3, 0.5, 1.0, 2.0, 4.0, 5.0)
AFTER_END_S = 2.0
SCAN_LONGEST_S = 3600.0
NEWEST = 100
OWN = "the server's own scan"
JOINED = "an earlier report"
ERROR_WAIT_S = 3.0
_replace = msgspec.structs.replace


async def prove(
    lane: Lane, parts: Sequence[JobPart], libraries: Mapping[str, ScannedLibrary]
) -> list[JobPart]:
    """Look once for all of these, store what came of it, and give those that were shown. ``libraries`` may be empty: then nothing
    is known of their scans."""
    shown: list[JobPart] = []
    by_library: dict[str, list[JobPart]] = defaultdict(list)
    for part in parts:
        by_library[part.library_id].append(part)
    for library_id, group in by_library.items():
        try:
            found = await _find(lane, library_id, group)
        except BackendError as error:
            lane.jobs.save([_put_off(lane, part, error) for part in group], lane.now())
            continue
        judged = [await _judge(lane, part, found, libraries.get(library_id)) for part in group]
        lane.jobs.save(judged, lane.now())
        shown += [part for part in judged if part.state in (PartState.proved, PartState.gone)]
        for part in judged:
            if not part.is_open:
                log.info(
                    "scan ended", connection=part.connection, library=part.library, path=part.path,
                    state=str(part.state), message=part.message,
                )  # fmt: skip
    return shown


async def _find(lane: Lane, library_id: str, parts: Sequence[JobPart]) -> dict[str, FileItem]:
    """The items by the files that were looked for, in the form in which paths compare; bare names by name. The whole list is
    read for what shall be gone, and before more is scanned or an end is made: an item may be an old one."""
    now = lane.now()
    paths = sorted({proof for part in parts for proof in part.proofs if not _is_bare(proof)})
    last = {proof for p in parts for proof in p.proofs if p.gone or now >= p.look_until}
    names = {proof.casefold() for part in parts for proof in part.proofs if _is_bare(proof)}
    found: dict[str, FileItem] = {}
    if paths:
        for item in await lane.scans.find_files(library_id, paths):
            found.update({key(file): item for file in item.files if item.available})
    if unseen := [path for path in paths if path in last and key(path) not in found]:
        for item in await lane.scans.find_files(library_id, unseen, thorough=True):
            found.update({key(file): item for file in item.files if item.available})
    if names:
        for item in await lane.scans.list_newest(library_id, NEWEST):
            found.update({name: item for file in item.files if (name := base_name(file).casefold()) in names})
    return found


def _put_off(lane: Lane, part: JobPart, error: BackendError) -> JobPart:
    due = lane.now() + ERROR_WAIT_S
    if due - part.known_at > lane.pace.give_up_s:
        return _replace(part, state=PartState.failed, message=str(error))
    return _replace(part, due_at=due, look_until=max(part.look_until, due + 1), message=error.message)


def _is_bare(proof: str) -> bool:
    return "/" not in proof and "\\" not in proof


async def _judge(
    lane: Lane, part: JobPart, found: Mapping[str, FileItem], library: ScannedLibrary | None
) -> JobPart:
    there = {
        proof: found[name]
        for proof in part.proofs
        if (name := proof.casefold() if _is_bare(proof) else key(proof)) in found
    }
    items = tuple({item.native_id: describe(item) for item in there.values()}.values())
    if part.proofs and not part.gone and len(there) == len(part.proofs):
        return _replace(part, state=PartState.proved, items=items, message="")
    if part.proofs and part.gone and not there:
        return _replace(part, state=PartState.gone, message="")
    part = _replace(part, items=items)
    return await _wait_or_widen(lane, part, library, there)


async def _wait_or_widen(
    lane: Lane, part: JobPart, library: ScannedLibrary | None, there: Mapping[str, FileItem]
) -> JobPart:
    now = lane.now()
    part, ended = _follow(lane, part, library, now)
    if not part.proofs and (ended or now >= part.look_until or (_tells_nothing(library) and part.looks > 1)):
        told = "" if ended else "The server did not tell that the scan has ended."
        return _replace(part, state=PartState.scanned, message=told)
    if now >= part.look_until:
        return await _widen(lane, part, there)
    wait = LOOK_AGAIN_S[min(part.looks, len(LOOK_AGAIN_S) - 1)]
    state = PartState.widened if part.width else PartState.proving
    return _replace(part, state=state, looks=part.looks + 1, due_at=min(now + wait, part.look_until))


def _tells_nothing(library: ScannedLibrary | None) -> bool:
    return library is not None and library.scanning is None and not library.mark


def _follow(lane: Lane, part: JobPart, library: ScannedLibrary | None, now: float) -> tuple[JobPart, bool]:
    """Look longer while the library is being scanned, and not much longer when that has ended. Gives whether it has."""
    if library is None or part.scan_ended:
        return part, part.scan_ended
    begun = part.begun_at if part.begun_at is not None else now
    if library.scanning and now - begun < SCAN_LONGEST_S:
        until = max(part.look_until, now + lane.pace.look_for_s)
        return _replace(part, seen_scanning=True, look_until=until), False
    ended = part.seen_scanning or bool(library.mark and library.mark != part.mark)
    if ended:
        return _replace(part, look_until=min(part.look_until, now + AFTER_END_S), scan_ended=True), True
    return part, False


async def _widen(lane: Lane, part: JobPart, there: Mapping[str, FileItem]) -> JobPart:
    """The next wider scan; after the widest the end."""
    now = lane.now()
    again = {"begun_at": None, "due_at": now, "looks": 0, "waits_since": None}
    if part.means in (OWN, JOINED):
        return _replace(part, state=PartState.waiting, message="", **again)
    if waits := await say_absent(lane, part):
        return _replace(part, state=PartState.waiting, message=waits, **again)
    first = Target(part.library_id, part.target or "")
    steps = list_widening(first, part.folder) if part.folder else [first]
    if part.width + 1 < len(steps):
        done, following = (steps[part.width + step].path or part.library for step in (0, 1))
        verb = "still there" if part.gone else "not there"
        message = f"It is {verb} after a scan of {done}; {following} is scanned."
        log.info(
            "scan widened", connection=part.connection, library=part.library, path=part.path, to=following
        )
        return _replace(part, state=PartState.widened, width=part.width + 1, message=message, **again)
    if part.gone:
        message = f"{part.connection} still has it after scans of {_name_steps(part, steps)}."
        if await lane.disk.look(part.path) == "file":
            message += f" The file is still at {part.path}."
        return _replace(part, state=PartState.still_there, message=message)
    return _replace(part, state=PartState.not_found, message=await _say_not_found(lane, part, steps, there))


async def _say_not_found(
    lane: Lane, part: JobPart, steps: Sequence[Target], there: Mapping[str, FileItem]
) -> str:
    missing = [proof for proof in part.proofs if proof not in there]
    text = f"{part.connection} made no item of {missing[0]}"
    text += f" and {len(missing) - 1} more" if len(missing) > 1 else ""
    text += f" after scans of {_name_steps(part, steps)}."
    if part.path and await lane.disk.look(part.path) == "absent":
        return text + f" There is nothing at {part.path} as Playhead sees it."
    return text + " Is its name one that the server understands, and may the server read it?"


def _name_steps(part: JobPart, steps: Sequence[Target]) -> str:
    return ", ".join(dict.fromkeys(step.path or f"all of {part.library}" for step in steps))


def describe(item: FileItem) -> FoundItem:
    """An item in a person's words."""
    title = f"{item.title} ({item.year})" if item.year and item.kind == "movie" else item.title
    if item.kind == "episode" and item.season is not None and item.episode is not None:
        title = f"{item.show_title or ''} - s{item.season:02}e{item.episode:02} - {item.title}"
    return FoundItem(item.native_id, title, item.kind, item.files, item.claims)
