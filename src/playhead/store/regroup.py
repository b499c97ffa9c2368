"""Items whose refs must be looked at together: loaded with all they touch, grouped by ``domain.identity``, moved.

Shows first, because episodes are known by their show and numbers. Nothing is deleted but items that others took in; what
was agreed of such an item goes to the one that took it in.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import msgspec
from sqlalchemy import Connection

from playhead.domain.identity.grouping import Evidence, Grouping, group_refs, pair
from playhead.domain.identity.match import pack_number, unpack_number
from playhead.store.merge_items import take_in
from playhead.store.orphans import Fallbacks, settle_orphans
from playhead.store.rows import ALSO_NUMBER, RESET_BASE, as_rows, fetch_in


class Scene(msgspec.Struct):
    """Everything that a set of unsettled items can meet. ``idle`` refs say nothing and follow their item."""

    items: dict[int, tuple[str, str, int | None]] = {}  # id -> kind, title, year
    numbers: dict[int, int] = {}  # item -> packed number as stored
    evidence: list[Evidence] = []
    idle: list[tuple[int, int]] = []  # ref, item
    stored: dict[str, int] = {}  # claim -> item, of these items
    spans: list[tuple[int, int]] = []  # place in evidence is -1 - place here; (ref, item)
    same: set[tuple[int, int]] = set()
    different: set[tuple[int, int]] = set()


def regroup_unsettled(rows: Connection, now: int, rules: Fallbacks | None = None) -> int:
    """Settle all unsettled items in the caller's transaction; the number of items looked at.

    With ``rules`` the refs without claims are looked at too, shows before the episodes that hang on them.
    """
    shows = _load_unsettled(rows, "= 'show'")
    looked = len(shows)
    moved = _regroup(rows, shows, now) if shows else set()
    if rules is not None:
        moved |= settle_orphans(rows, rules, shows=True)
    _requeue_episodes(rows, moved)
    leaves = _load_unsettled(rows, "<> 'show'")
    looked += len(leaves)
    if leaves:
        _regroup(rows, leaves, now)
    if rules is not None:
        settle_orphans(rows, rules, shows=False)
    rows.exec_driver_sql("DELETE FROM unsettled")
    return looked


def _load_unsettled(rows: Connection, kind: str) -> set[int]:
    found = rows.exec_driver_sql(
        f"SELECT u.item_id FROM unsettled u JOIN item i ON i.id = u.item_id WHERE i.kind {kind}"
    )
    return {row[0] for row in found}


def _requeue_episodes(rows: Connection, moved: set[int]) -> None:
    """Episodes of shows that were joined or parted have other numbers now."""
    if not moved:
        return
    items = {row[0] for row in fetch_in(rows, "SELECT item_id FROM ref WHERE show_ref IN", moved)}
    if items:
        rows.exec_driver_sql(
            "INSERT INTO unsettled (item_id) VALUES (?) ON CONFLICT DO NOTHING", as_rows(sorted(items))
        )


def _regroup(rows: Connection, items: set[int], now: int) -> set[int]:
    """Group everything that these items meet; the refs that moved."""
    scene = _load_scene(rows, items)
    grouping = group_refs(scene.evidence, frozenset(scene.same), frozenset(scene.different))
    homes = _choose_homes(rows, scene, grouping)
    moved = _move(rows, scene, grouping, homes)
    _write_claims(rows, scene, grouping, homes)
    _write_conflicts(rows, scene, grouping, homes, now)
    return moved


# -- loading


def _load_scene(rows: Connection, items: set[int]) -> Scene:
    scene = Scene()
    todo = set(items)
    while todo:
        for row in fetch_in(
            rows, "SELECT id, kind, title, year, show_id, season, episode FROM item WHERE id IN", todo
        ):
            scene.items[row[0]] = (row[1], row[2], row[3])
            scene.numbers[row[0]] = pack_number(row[4] or 0, row[5], row[6])
        todo &= scene.items.keys()
        met = _load_evidence(rows, scene, todo) | _load_decisions(rows, scene, todo)
        todo = met - scene.items.keys()
    return scene


def _load_evidence(rows: Connection, scene: Scene, items: set[int]) -> set[int]:
    """Take in what the refs of these items say; the items that this leads to."""
    claims: set[str] = set()
    numbers: set[int] = set()
    select = (
        "SELECT r.id, r.item_id, r.claims, r.year, s.item_id, r.season, r.episode, r.matched_by FROM ref r"
        " LEFT JOIN ref s ON s.id = r.show_ref WHERE r.item_id IN"
    )
    found = fetch_in(rows, select, items)
    names = _name_shows(rows, {row[4] for row in found if row[4]})
    for ref, item, text, year, show, season, episode, matched_by in found:
        number = pack_number(show or 0, season, episode)
        if matched_by in ("file", "title") or not (text or number):
            scene.idle.append((ref, item))
            continue
        movie = scene.items[item][0] == "movie"
        said = tuple(text.split())
        scene.evidence.append(
            Evidence(ref, item, said, number, (year or 0) if movie else 0, names.get(show, ""))
        )
        claims.update(said)
        if number:
            numbers.add(number)
    for ref, item in fetch_in(rows, "SELECT ref_id, item_id FROM ref_span WHERE item_id IN", items):
        scene.spans.append((ref, item))
        number = scene.numbers[item]
        scene.evidence.append(Evidence(-len(scene.spans), item, (), number, 0))
        if number:
            numbers.add(number)
    for value, item in fetch_in(rows, "SELECT value, item_id FROM claim WHERE item_id IN", items):
        scene.stored[value] = item
    return _find_claimed(rows, claims - scene.stored.keys()) | _find_numbered(rows, numbers)


def _name_shows(rows: Connection, shows: set[int]) -> dict[int, str]:
    """A name for each show item that is the same whatever was read first: its least claim."""
    select = "SELECT item_id, min(value) FROM claim WHERE item_id IN"
    return {row[0]: row[1] for row in fetch_in(rows, select, shows, tail=" GROUP BY item_id")}


def _find_claimed(rows: Connection, claims: set[str]) -> set[int]:
    return {row[0] for row in fetch_in(rows, "SELECT item_id FROM claim WHERE value IN", claims)}


def _find_numbered(rows: Connection, numbers: Iterable[int]) -> set[int]:
    wanted = [unpack_number(number) for number in numbers]
    found: set[int] = set()
    for start in range(0, len(wanted), 300):
        bundle = wanted[start : start + 300]
        marks = ",".join(["(?,?,?)"] * len(bundle))
        values = tuple(value for number in bundle for value in number)
        for select in ("SELECT id FROM item", "SELECT item_id FROM also_number"):
            result = rows.exec_driver_sql(
                f"{select} WHERE (show_id, season, episode) IN (VALUES {marks})", values
            )
            found.update(row[0] for row in result)
    return found


def _load_decisions(rows: Connection, scene: Scene, items: set[int]) -> set[int]:
    """Take in the conflicts that these items are known to have; the items at their other ends."""
    met: set[int] = set()
    for column in ("item_id", "other_id"):
        select = f"SELECT item_id, other_id, decision FROM conflict WHERE {column} IN"
        for one, other, decision in fetch_in(rows, select, items):
            met |= {one, other}
            if decision == "same":
                scene.same.add((one, other))
            elif decision == "different":
                scene.different.add((one, other))
    return met


# -- deciding which group keeps which item


_NOTHING: frozenset[str] = frozenset()


def _choose_homes(rows: Connection, scene: Scene, grouping: Grouping) -> list[int]:
    """An item for each group: the one whose claims and refs most of it stood for, else a new one."""
    stored: dict[int, set[str]] = {}
    for value, item in scene.stored.items():
        stored.setdefault(item, set()).add(value)
    bids = []
    for place, group in enumerate(grouping.groups):
        claims = {claim for member in group for claim in member.claims}
        for item, count in Counter(member.item for member in group).items():
            bids.append((-len(claims & stored.get(item, _NOTHING)), -count, item, place))
    homes = [0] * len(grouping.groups)
    taken: set[int] = set()
    for _, _, item, place in sorted(bids):
        if not homes[place] and item not in taken:
            homes[place] = item
            taken.add(item)
    for place, home in enumerate(homes):
        if not home:
            homes[place] = _make_item(rows, scene, grouping.groups[place])
    return homes


def _make_item(rows: Connection, scene: Scene, group: tuple[Evidence, ...]) -> int:
    kind, title, year = scene.items[group[0].item]
    made = rows.exec_driver_sql(
        "INSERT INTO item (kind, title, year) VALUES (?,?,?) RETURNING id", (kind, title, year)
    ).scalar_one()
    scene.items[made] = (kind, title, year)
    scene.numbers[made] = 0
    return int(made)


# -- moving


def _move(rows: Connection, scene: Scene, grouping: Grouping, homes: list[int]) -> set[int]:
    """Bring refs to the items of their groups; items left without any go to where most of their refs went."""
    went: dict[int, Counter[int]] = {}
    moves: list[tuple[int, int, int]] = []  # ref or span, from, to
    for group, home in zip(grouping.groups, homes, strict=True):
        for member in group:
            went.setdefault(member.item, Counter())[home] += 1
            if member.item != home:
                moves.append((member.ref, member.item, home))
    alive = set(homes)
    heirs = {
        item: min(to, key=lambda home: (-to[home], home)) for item, to in went.items() if item not in alive
    }
    moves += [(ref, item, heirs[item]) for ref, item in scene.idle if item in heirs]
    _write_moves(rows, scene, moves, heirs)
    _write_numbers(rows, scene, grouping, homes)
    take_in(rows, heirs)
    return {ref for ref, _, _ in moves if ref > 0}


def _write_moves(
    rows: Connection, scene: Scene, moves: list[tuple[int, int, int]], heirs: dict[int, int]
) -> None:
    refs = [(to, ref) for ref, _, to in moves if ref > 0]
    if refs:
        rows.exec_driver_sql("UPDATE ref SET item_id=? WHERE id=?", refs)
    for place, _, to in moves:
        if place < 0:
            ref, item = scene.spans[-1 - place]
            rows.exec_driver_sql("DELETE FROM ref_span WHERE ref_id=? AND item_id=?", (ref, item))
            rows.exec_driver_sql(
                "INSERT INTO ref_span (ref_id, item_id) VALUES (?,?) ON CONFLICT DO NOTHING", (ref, to)
            )
    parted = [ref for ref, item, to in moves if ref > 0 and heirs.get(item) != to]
    bases = fetch_in(
        rows,
        "SELECT a.id, r.id FROM ref r JOIN account a ON a.connection_id = r.connection_id WHERE r.id IN",
        parted,
    )
    if bases:  # what was agreed was agreed of another item
        rows.exec_driver_sql(RESET_BASE, [tuple(row) for row in bases])
    touched = {item for _, old, new in moves for item in (old, new)}
    if touched:
        rows.exec_driver_sql(
            "INSERT INTO touched (item_id) VALUES (?) ON CONFLICT DO NOTHING", as_rows(sorted(touched))
        )


def _write_numbers(rows: Connection, scene: Scene, grouping: Grouping, homes: list[int]) -> None:
    """Each item's row has one of its numbers; the others stand in ``also_number``."""
    changes, others = [], []
    for group, home in zip(grouping.groups, homes, strict=True):
        numbers = {member.number for member in group if member.number}
        if numbers and scene.numbers.get(home) not in numbers:
            scene.numbers[home] = min(numbers)
            changes.append((*unpack_number(min(numbers)), home))
        others += [(*unpack_number(number), home) for number in numbers - {scene.numbers.get(home, 0)}]
    rows.exec_driver_sql("DELETE FROM also_number WHERE item_id=?", as_rows(sorted(scene.items)))
    if others:
        rows.exec_driver_sql(ALSO_NUMBER, sorted(others))
    if changes:
        rows.exec_driver_sql("UPDATE item SET show_id=?, season=?, episode=? WHERE id=?", changes)


def _write_claims(rows: Connection, scene: Scene, grouping: Grouping, homes: list[int]) -> None:
    """Claims point to the group in which most refs make them; those that nobody makes any more go."""
    owners: dict[str, int] = {}
    contested: dict[str, Counter[int]] = {}
    for group, home in zip(grouping.groups, homes, strict=True):
        for member in group:
            for claim in member.claims:
                if owners.setdefault(claim, home) != home:
                    contested[claim] = Counter()
    if contested:
        for group, home in zip(grouping.groups, homes, strict=True):
            for member in group:
                for claim in member.claims:
                    if claim in contested:
                        contested[claim][home] += 1
    for claim, votes in contested.items():
        owners[claim] = min((-count, home) for home, count in votes.items())[1]
    left = [(claim,) for claim in scene.stored.keys() - owners.keys()]
    if left:
        rows.exec_driver_sql("DELETE FROM claim WHERE value=?", left)
    changed = sorted((claim, item) for claim, item in owners.items() if scene.stored.get(claim) != item)
    if changed:
        rows.exec_driver_sql(
            "INSERT INTO claim (value, item_id) VALUES (?,?)"
            " ON CONFLICT (value) DO UPDATE SET item_id=excluded.item_id",
            changed,
        )


def _write_conflicts(rows: Connection, scene: Scene, grouping: Grouping, homes: list[int], now: int) -> None:
    """Keep what contradicts now; undecided conflicts between these items that are none any more go."""
    found = {}
    for conflict in grouping.conflicts:
        one, other = pair(homes[conflict.first], homes[conflict.second])
        found[one, other] = (conflict.ref, " ".join(conflict.agree), " ".join(conflict.differ), now)
    known = {
        (row[0], row[1])
        for row in fetch_in(
            rows, "SELECT item_id, other_id FROM conflict WHERE decision IS NULL AND item_id IN", scene.items
        )
    }
    over = sorted(known - found.keys())
    if over:
        rows.exec_driver_sql("DELETE FROM conflict WHERE item_id=? AND other_id=? AND decision IS NULL", over)
    if found:
        rows.exec_driver_sql(
            "INSERT INTO conflict (item_id, other_id, ref_id, agree, differ, found_at) VALUES (?,?,?,?,?,?)"
            " ON CONFLICT (item_id, other_id) DO UPDATE SET agree=excluded.agree, differ=excluded.differ",
            [(*couple, *what) for couple, what in sorted(found.items())],
        )
        rows.exec_driver_sql(
            "INSERT INTO touched (item_id) VALUES (?) ON CONFLICT DO NOTHING",
            as_rows(sorted({item for couple in found for item in couple})),
        )
