"""Scans that need not be: of a folder in which a file is not there yet, and of many folders where one above costs less.

What the hub sees of its own disks decides; where it sees nothing, every scan is asked for as it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from unicodedata import normalize

import msgspec

from playhead.domain.library.folding import Target
from playhead.domain.library.places import climb, holds, tidy
from playhead.flows.library_lane import Lane
from playhead.ports.library_jobs import JobPart

FIRST_HOLD_S = 10.0  # then it is scanned all the same: the server may see what the hub does not see yet
SHORTEST_LOOK_S = 0.25
LONGEST_LOOK_S = 5.0
FEW = 3
FOLDERS_EACH = 8  # so many folders are read in the time in which another scan is begun (*assumed*)
_replace = msgspec.structs.replace


async def hold_absent(lane: Lane, parts: Sequence[JobPart]) -> list[JobPart]:
    """Those that may be scanned. A file that was told of and is not there yet is waited for; the job says so."""
    free: list[JobPart] = []
    later: list[JobPart] = []
    now = lane.now()
    for part in parts:
        age = now - part.known_at
        tried = bool(part.means)
        why = "" if part.hurry or (age >= FIRST_HOLD_S and not tried) else await say_absent(lane, part)
        if why:
            wait = min(max(age / 4, SHORTEST_LOOK_S), LONGEST_LOOK_S)
            later.append(_replace(part, due_at=now + wait, message=why))
        else:
            free.append(part)
    lane.jobs.save(later, now)
    return free


async def say_absent(lane: Lane, part: JobPart) -> str:
    """That a file is not there yet, and how long it is still waited for; "" = it is there, the hub cannot know, or it was waited
    for long enough."""
    left = part.known_at + lane.pace.appear_within_s - lane.now()
    if left <= 0 or part.gone or not part.path:
        return ""
    root = lane.to_hub(part.folder)
    if root is None or not holds(root, part.path) or await lane.disk.look(root) != "folder":
        return ""
    for spelled in dict.fromkeys((part.path, normalize("NFC", part.path), normalize("NFD", part.path))):
        if await lane.disk.look(spelled) != "absent":
            return ""
    return f"Playhead does not see {part.path} yet; it is waited for, {left:.0f} s at most."


async def gather(lane: Lane, folders: Sequence[str], targets: Sequence[Target]) -> list[Target]:
    """The same scans, or one of a folder above several where that means little more to read: below it there are no more than
    FOLDERS_EACH folders for each of them. None is wider than one of a library's ``folders``."""
    kept = list(targets)
    for folder in folders:
        below = [each for each in kept if each.path and holds(folder, each.path)]
        kept = [each for each in kept if each not in below] + await _gather_below(lane, tidy(folder), below)
    return kept


async def _gather_below(lane: Lane, above: str, group: Sequence[Target]) -> list[Target]:
    if len(group) < FEW:
        return list(group)
    hub, most = lane.to_hub(above), FOLDERS_EACH * len(group)
    if hub is not None and 0 < await lane.disk.count_folders(hub, most + 1) <= most:
        return [Target(group[0].library_id, above)]
    branches: dict[str, list[Target]] = defaultdict(list)
    for target in group:
        branches[([*climb(target.path, above)[:-1]] or [""])[-1]].append(target)
    gathered: list[Target] = []
    for branch, targets in branches.items():
        gathered += await _gather_below(lane, branch, targets) if branch else targets
    return gathered
