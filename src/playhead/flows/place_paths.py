"""A path that arrived, in each library that holds it: what is scanned there for it, and which files must become items."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from playhead.domain.library.folding import choose_target
from playhead.domain.library.ignoring import makes_no_item
from playhead.domain.library.mapping import Mapped
from playhead.domain.library.places import (
    Held,
    LibraryFolders,
    find_held,
    holds,
    is_file,
    is_video,
    key,
    parent,
)
from playhead.flows.library_lane import Lane
from playhead.ports.library_jobs import JobPart, PartState
from playhead.ports.scans import ScannedLibrary

MOST_PROOFS = 300
_replace = msgspec.structs.replace


async def place(lane: Lane, part: JobPart, libraries: dict[str, ScannedLibrary]) -> list[JobPart]:
    """A part once for each library that holds its path, as the server calls it; without one it has ended."""
    if not part.path:
        return _place_whole(part, libraries)
    folders = [LibraryFolders(each.id, each.title, each.folders) for each in libraries.values()]
    mapped = lane.paths.to_server(part.path)
    found = [(each.path, held) for each in mapped for held in find_held(each.path, folders)]
    if not found:
        return [_replace(part, state=PartState.no_library, message=_say_no_library(part, mapped, folders))]
    placed: dict[str, JobPart] = {}
    there = await lane.disk.look(part.path) if not part.gone else "absent"
    for server_path, held in found:
        proofs = await _list_proofs(lane, part, server_path, held, libraries[held.library_id].kind, there)
        as_folder = "/" if there in ("folder", "empty") else ""  # it may be called like a file
        target = choose_target(held.library_id, held.folder, server_path + as_folder).path
        if part.gone:
            target = await _climb_to_what_is_there(lane, target, held.folder)
        placed.setdefault(
            held.library_id,
            _replace(
                part,
                id=0 if placed else part.id,
                library_id=held.library_id,
                library=held.title,
                folder=held.folder,
                server_path=server_path,
                target=target,
                proofs=proofs,
            ),
        )
    return list(placed.values())


async def _climb_to_what_is_there(lane: Lane, target: str, folder: str) -> str:
    """A folder that is gone itself is noticed by a scan of one above alone; the hub's own disk tells which is there."""
    root = lane.to_hub(folder)
    if root is None or await lane.disk.look(root) != "folder":
        return target
    while key(target) != key(folder):
        hub = lane.to_hub(target)
        if hub is None or await lane.disk.look(hub) != "absent" or key(parent(target)) == key(target):
            break
        target = parent(target)
    return target


def _place_whole(part: JobPart, libraries: dict[str, ScannedLibrary]) -> list[JobPart]:
    wanted = part.library.casefold()
    found = [each for each in libraries.values() if wanted in (each.title.casefold(), each.id.casefold())]
    if not found:
        titles = ", ".join(each.title for each in libraries.values()) or "none"
        message = f"There is no library '{part.library}' on {part.connection}. It has: {titles}."
        return [_replace(part, state=PartState.no_library, message=message)]
    return [
        _replace(part, id=0 if number else part.id, library_id=each.id, library=each.title)
        for number, each in enumerate(found)
    ]


def _say_no_library(part: JobPart, mapped: Sequence[Mapped], libraries: Sequence[LibraryFolders]) -> str:
    as_seen = " or ".join(each.path for each in mapped)
    places = ", ".join(folder for library in libraries for folder in library.folders) or "none"
    return f"No library of {part.connection} holds {as_seen}. Its libraries' folders: {places}."


async def _list_proofs(
    lane: Lane, part: JobPart, server_path: str, held: Held, kind: str, there: str
) -> tuple[str, ...]:
    """The files that must become items, or be no more: the file itself, or those in a folder that the hub sees. Samples, extras
    and what is not whole yet become none."""
    root = lane.to_hub(held.folder) or ""
    root = root if holds(root, part.path) else parent(parent(part.path))
    if there not in ("folder", "empty") and is_file(part.path):
        proves = kind in ("music", "photos", "other") or (
            is_video(part.path) and (part.gone or not makes_no_item(root, part.path))
        )
        return (server_path,) if proves else ()
    if there != "folder":
        return ()
    videos = await lane.disk.list_videos(part.path, MOST_PROOFS)
    return tuple(
        mapped.path
        for video in videos
        if not makes_no_item(root, video)
        for mapped in lane.paths.to_server(video)[:1]
    )
