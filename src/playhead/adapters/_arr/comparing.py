"""What two looks at the same series or movie differ in: files that came, changed or went, and a folder that moved. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from playhead.adapters._arr.memory import KeptHolder
from playhead.adapters._arr.paths import join_path
from playhead.adapters._arr.posts import make_key
from playhead.ports.arrivals import Arrival, What

NAME = "compared"
"""The word for what the sender never told by itself."""


def compare_holders(source: str, old: KeptHolder | None, new: KeptHolder | None) -> Iterator[Arrival]:
    """From nothing (new in the list), or to nothing (taken off it, its files perhaps kept). A number that stands for another
    series now says nothing: the sender began anew."""
    if new is None:
        if old is not None and old.files:
            yield _tell(source, old, "deleted", old.path, missing=True)
        return
    if old is not None and old.claims and new.claims and not set(old.claims) & set(new.claims):
        return
    if old is not None and old.path != new.path and old.path and old.files:
        yield _tell(source, new, "renamed", new.path, before=(old.path,))
        if old.files.keys() == new.files.keys():
            return
    yield from _compare_files(source, old, new)


def _compare_files(source: str, old: KeptHolder | None, new: KeptHolder) -> Iterator[Arrival]:
    before = old.files if old is not None else {}
    for relative, file in new.files.items():
        path, known = join_path(new.path, relative), before.get(relative)
        if path and known is None:
            yield _tell(source, new, "arrived", path, number=file.number)
        elif path and known is not None and known.size >= 0 and known.size != file.size:
            yield _tell(source, new, "upgraded", path, number=file.number)
    for relative in before.keys() - new.files.keys():
        path = join_path(old.path if old else new.path, relative)
        if path:
            yield _tell(source, new, "deleted", path, missing=True)


def _tell(
    source: str,
    holder: KeptHolder,
    what: What,
    path: str,
    *,
    number: int | None = None,
    before: tuple[str, ...] = (),
    missing: bool = False,
) -> Arrival:
    return Arrival(
        what,
        (path,),
        holder.path,
        holder.title,
        source,
        NAME,
        claims=holder.claims,
        key=make_key(source, what, number, path, *before),
        before=before,
        missing=missing,
    )
