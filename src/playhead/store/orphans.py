"""Refs without any usable claim, looked at after everything else is matched: same file, then same title and year.

Decided anew each time from all such refs, so that neither the order of connections nor what came first matters. What a
rule joins is recorded in ``ref.matched_by``; what no rule joins any more gets an item of its own again.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from sqlalchemy import Connection

from playhead.domain.identity.fallback import Key, Orphan, adopt, title_key
from playhead.domain.library.mapping import PathMap
from playhead.store.merge_items import take_in
from playhead.store.rows import RESET_BASE, as_rows, fetch_in

# Without claims; and of episodes those that have no number, or whose show has no claims either.
_ORPHANS = (
    "SELECT r.id, r.connection_id, r.item_id, r.files, r.matched_by, i.title, coalesce(r.year, i.year), i.kind"
    " FROM ref r JOIN item i ON i.id = r.item_id LEFT JOIN ref s ON s.id = r.show_ref"
    " WHERE r.claims = '' AND r.gone_at IS NULL AND r.is_show = {shows}"
    " AND NOT (r.matched_by = 'numbers' AND EXISTS (SELECT 1 FROM claim c WHERE c.item_id = r.item_id))"
    " AND (r.show_ref IS NULL OR r.season IS NULL OR r.episode IS NULL OR s.claims = '')"
)


class Fallbacks(msgspec.Struct, frozen=True):
    """Which rules apply, and each connection's mapped folders by connection id."""

    file: bool = True
    title: bool = True
    paths: Mapping[int, PathMap] = {}

    def describe(self) -> str:
        """All of it as one text, equal for equal rules."""
        paths = "; ".join(f"{key}: {self.paths[key].folders}" for key in sorted(self.paths))
        return f"file {self.file}, title {self.title}, {paths}"


class OrphanRow(msgspec.Struct):
    """A ref without claims as it stands."""

    ref: int
    connection: int
    item: int
    files: str
    matched_by: str
    title: str
    year: int | None
    kind: str


def settle_orphans(rows: Connection, rules: Fallbacks, *, shows: bool) -> set[int]:
    """Bring orphans to their items; the refs that moved. ``shows``: the shows, else movies and episodes."""
    orphans = [OrphanRow(*row) for row in rows.exec_driver_sql(_ORPHANS.format(shows=int(shows)))]
    if not orphans:
        return set()
    homes: dict[int, tuple[int, str]] = {}
    if rules.file and not shows:
        homes |= {ref: (item, "file") for ref, item in _by_file(rows, rules, orphans).items()}
    if rules.title:
        rest = [orphan for orphan in orphans if orphan.ref not in homes and orphan.kind != "episode"]
        homes |= {ref: (item, "title") for ref, item in _by_title(rows, rest).items()}
    return _move(rows, orphans, homes)


def _by_title(rows: Connection, orphans: list[OrphanRow]) -> dict[int, int]:
    keyed = [Orphan(o.ref, o.connection, o.item, title_key(o.kind, o.title, o.year)) for o in orphans]
    wanted = {orphan.key for orphan in keyed}
    strong: dict[Key, set[int]] = {}
    for kind in sorted({orphan.kind for orphan in orphans}):
        found = rows.exec_driver_sql(
            "SELECT id, title, year FROM item WHERE kind=? AND EXISTS (SELECT 1 FROM claim WHERE item_id=item.id)",
            (kind,),
        )
        for item, title, year in found:
            key = title_key(kind, title, year)
            if key is not None and key in wanted:
                strong.setdefault(key, set()).add(item)
    return adopt(keyed, strong)


def _by_file(rows: Connection, rules: Fallbacks, orphans: list[OrphanRow]) -> dict[int, int]:
    keyed = []
    for orphan in orphans:
        paths = rules.paths.get(orphan.connection)
        hub = [paths.to_hub(path) for path in orphan.files.split("\n")] if paths and orphan.files else []
        keyed.append(Orphan(orphan.ref, orphan.connection, orphan.item, _file_key(orphan.kind, hub)))
    wanted = {orphan.key for orphan in keyed if orphan.key is not None}
    if not wanted:
        return {}
    own = {orphan.ref for orphan in orphans}
    strong: dict[Key, set[int]] = {}
    for connection, paths in rules.paths.items():
        found = rows.exec_driver_sql(
            "SELECT r.id, r.item_id, r.files, i.kind FROM ref r JOIN item i ON i.id = r.item_id"
            " WHERE r.connection_id=? AND r.gone_at IS NULL AND r.files<>''",
            (connection,),
        )
        for ref, item, files, kind in found:
            if ref in own:
                continue
            for path in files.split("\n"):
                key = _file_key(kind, [paths.to_hub(path)])
                if key is not None and key in wanted:
                    strong.setdefault(key, set()).add(item)
    return adopt(keyed, strong)


def _file_key(kind: str, paths: list[str | None]) -> Key | None:
    """Kind and path; a ref with several files has no single one to be known by."""
    return (kind, paths[0]) if len(paths) == 1 and paths[0] is not None else None


def _move(rows: Connection, orphans: list[OrphanRow], homes: Mapping[int, tuple[int, str]]) -> set[int]:
    moves: list[tuple[OrphanRow, int, str]] = []
    for orphan in orphans:
        home, rule = homes.get(orphan.ref, (0, ""))
        if not home and orphan.matched_by in ("file", "title"):
            home = _part(rows, orphan)
        if home and (home != orphan.item or rule != orphan.matched_by):
            moves.append((orphan, home, rule))
    if not moves:
        return set()
    rows.exec_driver_sql(
        "UPDATE ref SET item_id=?, matched_by=? WHERE id=?", [(home, rule, o.ref) for o, home, rule in moves]
    )
    left = {orphan.item: home for orphan, home, _ in moves if orphan.item != home}
    alive = {row[0] for row in fetch_in(rows, "SELECT item_id FROM ref WHERE item_id IN", left)}
    alive |= {row[0] for row in fetch_in(rows, "SELECT item_id FROM ref_span WHERE item_id IN", left)}
    _reset_bases(
        rows, [orphan.ref for orphan, home, _ in moves if orphan.item in alive and orphan.item != home]
    )
    take_in(rows, {item: home for item, home in left.items() if item not in alive})
    touched = (alive & left.keys()) | set(left.values())
    if touched:
        rows.exec_driver_sql(
            "INSERT INTO touched (item_id) VALUES (?) ON CONFLICT DO NOTHING", as_rows(sorted(touched))
        )
    return {orphan.ref for orphan, home, _ in moves if orphan.item != home}


def _part(rows: Connection, orphan: OrphanRow) -> int:
    """The orphan's own item: the one it stands at if nothing else does, else a new one."""
    others = rows.exec_driver_sql(
        "SELECT EXISTS (SELECT 1 FROM ref WHERE item_id=? AND id<>?)", (orphan.item, orphan.ref)
    ).scalar()
    if not others:
        return orphan.item
    return int(
        rows.exec_driver_sql(
            "INSERT INTO item (kind, title, year) VALUES (?,?,?) RETURNING id",
            (orphan.kind, orphan.title, orphan.year),
        ).scalar_one()
    )


def _reset_bases(rows: Connection, refs: list[int]) -> None:
    bases = fetch_in(
        rows,
        "SELECT a.id, r.id FROM ref r JOIN account a ON a.connection_id = r.connection_id WHERE r.id IN",
        refs,
    )
    if bases:
        rows.exec_driver_sql(RESET_BASE, [tuple(row) for row in bases])
