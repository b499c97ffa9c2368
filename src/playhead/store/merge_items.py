"""One item takes in another: what was agreed, the history and the open questions of the two become one's.

Loses least: watched wins over not watched, the newer date over the older. Moving refs is the caller's part.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, RowMapping, delete, insert, select

from playhead.store.rows import as_rows, fetch_in
from playhead.store.schema import agreed

_FOLLOW = ("change", "decision")


def take_in(rows: Connection, heirs: Mapping[int, int]) -> None:
    """Let each heir stand for the item that it takes in (``heirs``: item -> heir); the items are deleted."""
    if not heirs:
        return
    for item in fetch_in(rows, "SELECT DISTINCT item_id FROM agreed WHERE item_id IN", heirs):
        _merge_agreed(rows, heirs[item[0]], item[0])
    _follow_decisions(rows, heirs)
    couples = [(heir, item) for item, heir in sorted(heirs.items())]
    for table in _FOLLOW:
        rows.exec_driver_sql(f"UPDATE {table} SET item_id=? WHERE item_id=?", couples)
    rows.exec_driver_sql("UPDATE item SET show_id=? WHERE show_id=?", couples)
    _keep_titles(rows, couples)
    dead = as_rows(sorted(heirs))
    for table in ("ref_span", "touched", "claim", "also_number", "also_title"):
        rows.exec_driver_sql(f"DELETE FROM {table} WHERE item_id=?", dead)
    rows.exec_driver_sql("DELETE FROM item WHERE id=?", dead)


def _keep_titles(rows: Connection, couples: list[tuple[int, int]]) -> None:
    """The heir is found by the titles of what it took in; episodes are found by their show's."""
    for source in ("id, title FROM item WHERE kind <> 'episode'", "item_id AS id, title FROM also_title"):
        rows.exec_driver_sql(
            f"INSERT INTO also_title (item_id, title) SELECT h.id, t.title FROM (SELECT {source}) t, item h"
            " WHERE h.id=? AND t.id=? AND t.title<>h.title AND t.title<>'' ON CONFLICT DO NOTHING",
            couples,
        )


def _follow_decisions(rows: Connection, heirs: Mapping[int, int]) -> None:
    """Conflicts of items that are no more go; decisions stay with the heirs.

    "Same" about two that became one stands as a row of the item with itself: its refs are one item, whatever they claim.
    """
    found = rows.exec_driver_sql(
        "SELECT id, item_id, other_id, ref_id, agree, differ, decision, found_at FROM conflict"
    ).fetchall()
    for row in found:
        if row[1] not in heirs and row[2] not in heirs:
            continue
        rows.exec_driver_sql("DELETE FROM conflict WHERE id=?", (row[0],))
        one, other = sorted((heirs.get(row[1], row[1]), heirs.get(row[2], row[2])))
        if row[6] is not None and (one != other or row[6] == "same"):
            rows.exec_driver_sql(
                "INSERT INTO conflict (item_id, other_id, ref_id, agree, differ, decision, found_at)"
                " VALUES (?,?,?,?,?,?,?) ON CONFLICT (item_id, other_id) DO UPDATE SET decision=excluded.decision",
                (one, other, *row[3:]),
            )


def _merge_agreed(rows: Connection, heir: int, item: int) -> None:
    held = {row["person_id"]: row for row in _load(rows, heir)}
    for row in _load(rows, item):
        person = row["person_id"]
        values = merge_agreed(held[person], row) if person in held else dict(row)
        rows.execute(delete(agreed).where(agreed.c.person_id == person, agreed.c.item_id.in_((heir, item))))
        rows.execute(insert(agreed).values({**values, "item_id": heir}))


def _load(rows: Connection, item: int) -> list[RowMapping]:
    return list(rows.execute(select(agreed).where(agreed.c.item_id == item)).mappings())


def merge_agreed(one: RowMapping, other: RowMapping) -> dict[str, object]:
    """One agreed value of two: the watched one, the newest date; the newest resume point."""
    watched = max((one, other), key=lambda row: (row["watched"], row["watched_at"] or 0, row["changed_at"]))
    position = max((one, other), key=lambda row: (row["position_at"] or 0, row["position_s"]))
    merged = dict(watched)
    merged["plays"] = max(one["plays"], other["plays"])
    merged["changed_at"] = max(one["changed_at"], other["changed_at"])
    for name in ("position_s", "position_at", "position_from", "runtime_s"):
        merged[name] = position[name]
    return merged
