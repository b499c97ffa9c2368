"""What the update of one connection's libraries works with, and what keeps a library from being scanned: an anchor or a folder
that is not there. Knows neither how a server scans nor how jobs are stored.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import msgspec

from playhead.domain.library.mapping import PathMap
from playhead.domain.library.places import holds, parent
from playhead.kit.log import Log
from playhead.ports.disk import Disk
from playhead.ports.library_jobs import LibraryJobs
from playhead.ports.scans import ScannedLibrary, Scans

log = Log(__name__)


class Pace(msgspec.Struct, frozen=True):
    """How long is waited for what, in seconds: for more of a burst, at most for it, for an item after a scan was asked for, for a
    library that is being scanned, for a server that is away before a job is given up, and for a file that is not there yet."""

    quiet_s: float = 1.0
    longest_quiet_s: float = 10.0
    look_for_s: float = 20.0
    busy_longest_s: float = 600.0
    give_up_s: float = 3 * 24 * 3600.0
    appear_within_s: float = 300.0


@dataclass
class Lane:
    """One connection. ``waits`` says of each library and folder that may not be scanned why."""

    connection: str
    scans: Scans
    jobs: LibraryJobs
    disk: Disk
    now: Callable[[], float]
    paths: PathMap = field(default_factory=lambda: PathMap(()))
    anchors: tuple[str, ...] = ()
    pace: Pace = Pace()
    waits: dict[str, str] = field(default_factory=dict)

    def to_hub(self, path: str) -> str | None:
        """A server's path as the hub calls it; without mapped folders both call it the same."""
        return self.paths.to_hub(path) if self.paths else path


async def find_missing(lane: Lane, library: ScannedLibrary, folders: Sequence[str] | None = None) -> str:
    """What keeps a library from being scanned, in words; "" = nothing. Of its folders only ``folders`` count, None = all.

    Each anchor must be there; a folder with something in it once must have something now. One never seen does not count: the
    hub may have no disk at all. What is new is told once, and its end once.
    """
    missing = await _find_missing_anchor(lane, library) or await _find_missing_folder(
        lane, library.folders if folders is None else folders
    )
    place = " ".join((library.title, *(folders or ())))
    before = lane.waits.get(place, "")
    if missing and not before:
        log.warning("scans wait", connection=lane.connection, library=library.title, why=missing)
    if before and not missing:
        log.warning("scans go on", connection=lane.connection, library=library.title, after=before)
    if missing:
        lane.waits[place] = missing
    else:
        lane.waits.pop(place, None)
    return missing


async def _find_missing_anchor(lane: Lane, library: ScannedLibrary) -> str:
    for anchor in lane.anchors:
        if _concerns(lane, anchor, library) and await lane.disk.look(anchor) in ("absent", "empty"):
            return f"The anchor {anchor} is not there: is the disk mounted? {library.title} is not scanned until it is back."
    return ""


def _concerns(lane: Lane, anchor: str, library: ScannedLibrary) -> bool:
    """An anchor guards the libraries beside and below it; one that lies nowhere near any folder guards all."""
    folders = [hub for folder in library.folders if (hub := lane.to_hub(folder)) is not None]
    return not folders or any(
        holds(folder, anchor) or holds(anchor, folder) or _beside(anchor, folder) for folder in folders
    )


def _beside(anchor: str, folder: str) -> bool:
    above = parent(anchor)
    return above not in ("", "/") and holds(above, folder)


async def _find_missing_folder(lane: Lane, folders: Sequence[str]) -> str:
    for folder in folders:
        hub = lane.to_hub(folder)
        if hub is None:
            continue
        there = await lane.disk.look(hub)
        if there == "folder":
            lane.jobs.note_root(hub)
        elif there in ("absent", "empty") and lane.jobs.knows_root(hub):
            word = "is not there" if there == "absent" else "is empty"
            return f"{hub} {word}, and it held files: is the disk mounted? Nothing below it is scanned until it is back."
    return ""
