"""What was asked for becomes a job: a library by its name, paths, or a bare file name whose place is looked for.

Where it can be known at once that nothing will come of it, that is said at once, with where was looked. A server that does not
answer is no reason to refuse: the job waits for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

import msgspec

from playhead.domain.library.places import LibraryFolders, find_held
from playhead.flows.library_lane import Lane
from playhead.ports.disk import FindsFiles, Search
from playhead.ports.errors import BackendError, PlayheadError
from playhead.ports.library_jobs import Arrived, NewJob
from playhead.ports.scans import ScannedLibrary

ASK_WITHIN_S = 3.0
Libraries = Mapping[str, Sequence[ScannedLibrary] | None]
"""By connection; None = it did not answer."""
GuessKind = Callable[[str], str]
"""What a file name says: movies, shows, or "" where it says nothing."""


class NowhereToScan(PlayheadError):
    """No library holds what was named; the message says where was looked."""

    code = "nowhere"


class ScanRequest(msgspec.Struct, frozen=True):
    """What was asked for: one of ``library``, ``name`` and ``paths``."""

    source: str
    library: str = ""
    name: str = ""
    paths: tuple[str, ...] = ()
    gone: bool = False
    connections: tuple[str, ...] = ()
    hurry: bool = False


async def list_libraries(lanes: Sequence[Lane]) -> dict[str, Sequence[ScannedLibrary] | None]:
    """All libraries of all connections, asked at once and not waited for long."""

    async def ask(lane: Lane) -> Sequence[ScannedLibrary] | None:
        try:
            return await asyncio.wait_for(lane.scans.list_scanned(), ASK_WITHIN_S)
        except (BackendError, TimeoutError):
            return None

    found = await asyncio.gather(*(ask(lane) for lane in lanes))
    return {lane.connection: each for lane, each in zip(lanes, found, strict=True)}


async def plan_request(
    request: ScanRequest,
    lanes: Sequence[Lane],
    libraries: Libraries,
    finds: FindsFiles,
    guess: GuessKind,
    known_folders: Sequence[str] = (),
) -> NewJob:
    """The job for a request. Raises NowhereToScan."""
    if request.library:
        return _plan_library(request, libraries)
    if request.name:
        return await _plan_name(request, lanes, libraries, finds, guess, known_folders)
    return _plan_paths(request, lanes, libraries)


def _plan_library(request: ScanRequest, libraries: Libraries) -> NewJob:
    wanted = request.library.casefold()
    having = [
        name
        for name, found in libraries.items()
        if found is None or any(wanted in (each.title.casefold(), each.id.casefold()) for each in found)
    ]
    if not having:
        raise NowhereToScan(
            f"There is no library '{request.library}'.", hint=f"There are: {_name_libraries(libraries)}."
        )
    return _make(request, request.library, libraries=(request.library,), connections=tuple(having))


def _name_libraries(libraries: Libraries) -> str:
    names = [
        f"{', '.join(each.title for each in found)} on {name}" for name, found in libraries.items() if found
    ]
    return "; ".join(names) or "none"


def _plan_paths(request: ScanRequest, lanes: Sequence[Lane], libraries: Libraries) -> NewJob:
    held = [path for path in request.paths if _may_hold(path, lanes, libraries)]
    if not held:
        told = ", ".join(request.paths[:3])
        raise NowhereToScan(
            f"No library holds {told}. Looked in: {_name_folders(libraries)}.",
            hint=f"See how a path is mapped: playhead scan --explain '{request.paths[0]}'",
        )
    return _make(
        request, request.paths[0], arrived=tuple(Arrived(path, request.gone) for path in request.paths)
    )


def _may_hold(path: str, lanes: Sequence[Lane], libraries: Libraries) -> bool:
    for lane in lanes:
        found = libraries.get(lane.connection)
        if found is None:
            return True
        folders = [LibraryFolders(each.id, each.title, each.folders) for each in found]
        if any(find_held(mapped.path, folders) for mapped in lane.paths.to_server(path)):
            return True
    return False


def _name_folders(libraries: Libraries) -> str:
    names = [
        f"{', '.join(folder for each in found for folder in each.folders if folder) or 'no folder'} on {name}"
        for name, found in libraries.items()
        if found is not None
    ]
    return "; ".join(names) or "no server answered"


async def _plan_name(
    request: ScanRequest,
    lanes: Sequence[Lane],
    libraries: Libraries,
    finds: FindsFiles,
    guess: GuessKind,
    known_folders: Sequence[str],
) -> NewJob:
    hub_folders = dict.fromkeys(known_folders if any(each is None for each in libraries.values()) else ())
    for lane in lanes:
        for library in libraries.get(lane.connection) or ():
            hub_folders |= dict.fromkeys(hub for f in library.folders if (hub := lane.to_hub(f)) is not None)
    search = await finds.find(request.name, list(hub_folders))
    if search.paths:
        arrived = tuple(Arrived(path, request.gone) for path in search.paths)
        return _make(request, request.name, arrived=arrived)
    kind = guess(request.name)
    unseen = _list_unseen(lanes, libraries, search, kind)
    if unseen:
        return _make(request, request.name, libraries=tuple(unseen), names=(request.name,))
    looked = ", ".join(search.looked_in) or "nothing: Playhead sees none of the libraries' folders"
    raise NowhereToScan(
        f"Nothing is called '{request.name}'. Looked in: {looked}.",
        hint="Is it there already, and under that name? A path can be given instead.",
    )


def _list_unseen(lanes: Sequence[Lane], libraries: Libraries, search: Search, kind: str) -> list[str]:
    """Libraries of the kind that a name speaks of, with a folder that the hub does not see."""
    titles: dict[str, None] = {}
    for lane in lanes:
        for library in libraries.get(lane.connection) or ():
            hidden = [folder for folder in library.folders if lane.to_hub(folder) not in search.looked_in]
            if hidden and kind and library.kind == kind:
                titles[library.title] = None
    return list(titles)


def _make(
    request: ScanRequest,
    name: str,
    *,
    arrived: tuple[Arrived, ...] = (),
    libraries: tuple[str, ...] = (),
    names: tuple[str, ...] = (),
    connections: tuple[str, ...] | None = None,
) -> NewJob:
    return NewJob(
        request.source, name, arrived, libraries, names,
        connections if connections is not None else request.connections, hurry=request.hurry,
    )  # fmt: skip
