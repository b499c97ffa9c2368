"""Dropping for good what a server kept of files that are gone: on a person's request alone, and only where nothing is missing."""

from __future__ import annotations

from collections.abc import Sequence

from playhead.flows.library_lane import Lane, find_missing
from playhead.ports.errors import BackendError, PlayheadError, UsageError
from playhead.ports.scans import EmptiesTrash, ScannedLibrary


class TrashStays(PlayheadError):
    """Something is missing, so that what looks deleted may only be away."""

    code = "trash-stays"


async def empty_trash(lanes: Sequence[Lane], library: str, *, dry: bool) -> list[tuple[str, str]]:
    """Empty the trash of a library by its name on every connection that has it and keeps one; gives (connection, what became of
    it). Raises UsageError where none has it, TrashStays before anything is emptied where an anchor or a folder is missing."""
    found: list[tuple[Lane, ScannedLibrary]] = []
    outcome: list[tuple[str, str]] = []
    for lane in lanes:
        try:
            of = [e for e in await lane.scans.list_scanned() if e.title.casefold() == library.casefold()]
        except BackendError as error:
            outcome.append((lane.connection, str(error)))
            continue
        found += [(lane, each) for each in of]
    if not found and not outcome:
        raise UsageError(f"There is no library '{library}'.", hint="See: playhead scan --explain PATH")
    for lane, each in found:
        if missing := await find_missing(lane, each) or await _find_unseen(lane, each):
            raise TrashStays(
                missing, hint="Nothing was emptied. Mount it, or take the anchor out of the settings."
            )
    for lane, each in found:
        outcome.append((lane.connection, await _empty(lane, each, dry=dry)))
    return outcome


async def _find_unseen(lane: Lane, library: ScannedLibrary) -> str:
    """Without an anchor every folder must be seen, and hold something: the hub has to know that the disk is there."""
    for folder in library.folders:
        hub = lane.to_hub(folder)
        there = await lane.disk.look(hub) if hub is not None else "absent"
        if there != "folder" and not lane.anchors:
            return f"Playhead does not see {hub or folder}, so that nothing tells whether the disk of {library.title} is there."
    return ""


async def _empty(lane: Lane, library: ScannedLibrary, *, dry: bool) -> str:
    if library.scanning:
        return f"{library.title} is being scanned; nothing was emptied."
    if not isinstance(lane.scans, EmptiesTrash):
        return "keeps no trash"
    if dry:
        return "would be emptied"
    try:
        await lane.scans.empty_trash(library.id)
    except BackendError as error:
        return str(error)
    return "emptied"
