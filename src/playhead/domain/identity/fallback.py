"""Which item a ref without any usable claim belongs to, by a key that it shares with others: a file, a title and year.

Exact keys and a single candidate only; where two could be meant, none is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

Rule = Literal["file", "title"]
Key = tuple[object, ...]


class Orphan(msgspec.Struct, frozen=True):
    """A ref without claims, the connection that has it, the item it stands at, and its key (None = it has none)."""

    ref: int
    connection: int
    item: int
    key: Key | None


def title_key(kind: str, title: str, year: int | None) -> Key | None:
    """Kind, title and year, upper and lower case alike; no key without a title or a year."""
    folded = " ".join(title.casefold().split())
    return (kind, folded, year) if folded and year else None


def adopt(orphans: Sequence[Orphan], strong: Mapping[Key, set[int]]) -> dict[int, int]:
    """Ref to item for the orphans that belong somewhere. ``strong``: items that have claims, by key.

    One strong item takes all its orphans. Where there is none, orphans of different connections belong together;
    two of one connection are two candidates for the others, so nothing is said.
    """
    homes: dict[int, int] = {}
    by_key: dict[Key, list[Orphan]] = {}
    for orphan in orphans:
        if orphan.key is not None:
            by_key.setdefault(orphan.key, []).append(orphan)
    for key, group in by_key.items():
        items = strong.get(key, set())
        if len(items) == 1:
            homes.update((orphan.ref, min(items)) for orphan in group)
        elif not items and len({orphan.connection for orphan in group}) == len(group) > 1:
            home = min(orphan.item for orphan in group)
            homes.update((orphan.ref, home) for orphan in group)
    return homes
