"""What would happen for a path, step by step and without doing it: how each server sees it, where it lies, what is asked."""

from __future__ import annotations

import msgspec

from playhead.domain.library.folding import Target, list_widening
from playhead.domain.library.mapping import MappedFolder
from playhead.flows.library_lane import Lane, find_missing
from playhead.flows.place_paths import place
from playhead.ports.errors import PlayheadError
from playhead.ports.library_jobs import JobPart, PartState


class TriedRule(msgspec.Struct, frozen=True):
    """A mapping that fits the path, and what it makes of it; the one that covers most is taken."""

    rule: str
    becomes: str
    taken: bool


class ExplainedPlace(msgspec.Struct, frozen=True):
    """A library that holds the path: what is scanned there, what after that, what is looked for, and what it waits for."""

    library: str
    folder: str
    server_path: str
    scans: tuple[str, ...]
    proofs: tuple[str, ...]
    waits: str = ""


class ExplainedPath(msgspec.Struct, frozen=True):
    """A path on one connection. ``message`` says why there is no place."""

    connection: str
    path: str
    here: str
    rules: tuple[TriedRule, ...] = ()
    places: tuple[ExplainedPlace, ...] = ()
    message: str = ""


async def explain_path(lane: Lane, path: str, *, gone: bool = False) -> ExplainedPath:
    """All of it; a server that does not answer is told as such."""
    here = await lane.disk.look(path)
    taken = {each.path for each in lane.paths.to_server(path)}
    rules = tuple(
        TriedRule(_say_rule(each.rule), each.path, each.path in taken)
        for each in lane.paths.try_server(path)
        if each.rule is not None
    )
    try:
        libraries = {each.id: each for each in await lane.scans.list_scanned()}
    except PlayheadError as error:
        return ExplainedPath(lane.connection, path, here, rules, message=str(error))
    part = JobPart(0, lane.connection, path, lane.now(), lane.now(), gone=gone)
    placed = await place(lane, part, libraries)
    if placed[0].state is PartState.no_library:
        return ExplainedPath(lane.connection, path, here, rules, message=placed[0].message)
    places = []
    for each in placed:
        library = libraries[each.library_id]
        steps = list_widening(Target(each.library_id, each.target or ""), each.folder)
        waits = await find_missing(lane, library, [each.folder])
        if not waits and library.scanning:
            waits = f"{library.title} is being scanned; it waits for the end."
        scans = tuple(step.path or f"all of {library.title}" for step in steps)
        places.append(ExplainedPlace(library.title, each.folder, each.server_path, scans, each.proofs, waits))
    return ExplainedPath(lane.connection, path, here, rules, tuple(places))


def _say_rule(rule: MappedFolder) -> str:
    kind = f" ({rule.expression} is an expression)" if rule.expression else ""
    return f"{rule.hub} = {rule.server}{kind}"
