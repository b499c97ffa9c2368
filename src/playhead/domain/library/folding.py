"""Many arrivals become few scans: which folder is scanned for a file, which scan answers for which, and what is scanned next
where an item does not appear. Paths are a server's; no disk is looked at.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from playhead.domain.library.places import holds, is_file, key, parent, tidy


class Target(msgspec.Struct, frozen=True, order=True):
    """What is scanned: a folder (or a file that lies at a library's root) of a library; path "" = the whole library."""

    library_id: str
    path: str = ""


def covers(scan: Target, wanted: Target) -> bool:
    """Whether one scan does what another would."""
    if scan.library_id != wanted.library_id:
        return False
    return not scan.path or (bool(wanted.path) and holds(scan.path, wanted.path))


def choose_target(library_id: str, folder: str, path: str) -> Target:
    """The smallest scan in which a path of a library's ``folder`` is noticed: of the folder that a file lies in, of a folder
    itself, and of a file alone where it lies at the library's root."""
    if is_file(path) and key(parent(path)) != key(folder):
        return Target(library_id, parent(path))
    return Target(library_id, tidy(path))


def widen(target: Target, folder: str) -> Target | None:
    """The next wider scan: the folder above as far as the library's ``folder`` reaches, then the whole library, then none."""
    if not target.path:
        return None
    if key(target.path) == key(folder):
        return Target(target.library_id)
    return Target(target.library_id, parent(target.path))


def list_widening(target: Target, folder: str) -> list[Target]:
    """A scan and what is tried after it: the folder above, and the library; a step that brings nothing is left out."""
    steps = [target]
    above = widen(target, folder)
    if above is not None:
        steps.append(above)
        if above.path:
            steps.append(Target(target.library_id))
    return steps


def fold(targets: Iterable[Target]) -> list[Target]:
    """The fewest of these scans that do the work of all: what lies in another is left out. Their order does not matter."""
    kept: list[Target] = []
    unique = {(each.library_id, key(each.path)): each for each in sorted(targets)}
    for target in sorted(unique.values(), key=_order):
        if not (kept and covers(kept[-1], target)):
            kept.append(target)
    return kept


def _order(target: Target) -> tuple[str, list[str]]:
    """What lies below a folder stands right behind it."""
    return target.library_id, key(target.path).split("/")


def find_covering(scans: Iterable[Target], wanted: Target) -> Target | None:
    """The one of these scans that does what is wanted; None where none does."""
    return next((scan for scan in scans if covers(scan, wanted)), None)
