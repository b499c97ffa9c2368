"""The end of one account's read: is it whole, has the library shrunk, and what is gone.

A ref is gone only where its library's lists were read to the end, none of them is far shorter than what was known, and no
other account of the connection still lists it. Nothing here deletes a ref.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

from playhead.ports.store import ReadResult, ReadStatus, Sweep

if TYPE_CHECKING:
    from playhead.store.account_read import StoreRead

ACCEPT_SHRUNK = (
    "accept_shrunk:"  # fact, followed by the account: a person believes its next list, short as it is
)
WHATS = {"show": True, "leaf": False}


class Shelf(msgspec.Struct):
    """One library at the end of a read. ``known`` refs were there before, ``missing`` of them the read did not list."""

    library_id: int
    native_id: str
    whats: frozenset[str]
    vanished: bool
    listed: int = 0
    known: int = 0
    missing: list[tuple[int, int]] = []  # ref, item


def close_run(read: StoreRead, sweep: Sweep, now: int) -> ReadResult:
    """Judge the read, mark what is gone, close the run; one transaction."""
    status: ReadStatus = "failed" if sweep.failed else "partial" if sweep.faults else "complete"
    message = " ".join(dict.fromkeys(sweep.faults))
    if status == "complete":
        shelves = _load_shelves(read, sweep)
        shrunk = [text for shelf in shelves if (text := _describe_shrunk(read, shelf, sweep))]
        shrunk = shrunk or _describe_shrunk_whole(shelves, sweep)
        if shrunk and not _take_back_acceptance(read):
            status, message = "shrunk", " ".join(shrunk)
        else:
            _mark_gone(read, shelves, now)
    if sweep.listed is not None and status in ("complete", "shrunk"):
        _forget_pages(read, sweep)
    items = sum(count for (_, what), count in read.counts.items() if what == "leaf")
    read.ingest.rows.write(read.ingest.begin())
    read.ingest.connection.exec_driver_sql(
        "UPDATE run SET ended_at=?, status=?, items=?, changed=?, message=? WHERE id=?",
        (now, status, items, read.changed, message, read.run_id),
    )
    read.ingest.flush()
    return ReadResult(
        read.key.account_id, read.key.connection, status, items, read.changed, message, read.lean
    )


def _take_back_acceptance(read: StoreRead) -> bool:
    """Whether a person said that the short list is right; said once, it holds for one read."""
    taken = read.ingest.begin().exec_driver_sql(
        "DELETE FROM fact WHERE name=?", (f"{ACCEPT_SHRUNK}{read.key.account_id}",)
    )
    return bool(taken.rowcount)


def _load_shelves(read: StoreRead, sweep: Sweep) -> list[Shelf]:
    """The libraries that the read can tell about, each with what it lacks."""
    if read.fresh or _has_seen_all(read):
        return []
    counts: dict[tuple[int, bool], int] = {}
    rows = read.ingest.begin().exec_driver_sql(
        "SELECT library_id, is_show, count(*) FROM ref WHERE connection_id=? AND gone_at IS NULL AND first_run<>?"
        " GROUP BY library_id, is_show",
        (read.key.connection_id, read.run_id),
    )
    counts = {(row[0], bool(row[1])): row[2] for row in rows}
    elsewhere = _load_elsewhere(read)
    shelves = []
    for native_id, library_id in read.libraries.items():
        vanished = sweep.listed is not None and native_id not in sweep.listed
        whats = frozenset(WHATS) if vanished else sweep.covered.get(native_id, frozenset())
        if not whats or native_id in sweep.left_out:
            continue
        shelf = Shelf(library_id, native_id, whats, vanished)
        shelf.listed = sum(read.counts.get((native_id, what), 0) for what in whats)
        shelf.known = sum(counts.get((library_id, WHATS[what]), 0) for what in whats)
        if shelf.known:
            _find_missing(read, shelf, elsewhere)
        shelves.append(shelf)
    return shelves


def _has_seen_all(read: StoreRead) -> bool:
    """Whether every ref of the connection that is not gone was listed: then nothing is missing anywhere."""
    key = read.key.connection_id
    count = "SELECT count(*) FROM ref WHERE connection_id=?"
    known, gone, shows = (
        read.ingest.begin()
        .exec_driver_sql(
            f"SELECT ({count}), ({count} AND gone_at IS NOT NULL), ({count} AND is_show AND gone_at IS NULL)",
            (key,) * 3,
        )
        .one()
    )
    seen = len(read.marks) - read.marks.count(0)
    return bool(seen == known - gone - (shows if read.lean else 0))


def _find_missing(read: StoreRead, shelf: Shelf, elsewhere: bytearray) -> None:
    """Fill in the refs that were not listed; those that only other accounts see do not count as known."""
    rows = read.ingest.connection.exec_driver_sql(
        "SELECT id, item_id, is_show FROM ref WHERE connection_id=? AND library_id=? AND gone_at IS NULL"
        " AND first_run<>?",
        (read.key.connection_id, shelf.library_id, read.run_id),
    )
    marks, limit = read.marks, len(elsewhere)
    kinds = {WHATS[what] for what in shelf.whats}
    for ref, item, is_show in rows:
        if marks[ref] or bool(is_show) not in kinds:
            continue
        if ref < limit and elsewhere[ref]:
            shelf.known -= 1
        else:
            shelf.missing.append((ref, item))


def _load_elsewhere(read: StoreRead) -> bytearray:
    """By ref: whether another account of the connection listed it when it was read last."""
    seen = bytearray()
    others = [account for account in read.key.siblings if account != read.key.account_id]
    for account in others:
        for (packed,) in read.ingest.connection.exec_driver_sql(
            "SELECT refs FROM page WHERE account_id=?", (account,)
        ):
            refs = array("I", packed)
            if refs and max(refs) >= len(seen):
                seen.extend(bytes(max(refs) + 1 - len(seen)))
            for ref in refs:
                seen[ref] = 1
    return seen


def _is_shrunk(known: int, missing: int, sweep: Sweep) -> bool:
    return missing > sweep.few and missing > known * sweep.max_shrink_share


def _describe_shrunk(read: StoreRead, shelf: Shelf, sweep: Sweep) -> str:
    """Why a library that was listed is not believed; empty = it is."""
    if shelf.vanished or sweep.max_shrink_share >= 1:
        return ""
    empty = not shelf.listed and len(shelf.missing) == shelf.known > 0
    if not empty and not _is_shrunk(shelf.known, len(shelf.missing), sweep):
        return ""
    title = read.ingest.connection.exec_driver_sql(
        "SELECT title FROM library WHERE id=?", (shelf.library_id,)
    ).scalar_one()
    return (
        f"The library “{title}” lists {shelf.listed} entries where {shelf.known} were known;"
        " nothing was taken as removed."
    )


def _describe_shrunk_whole(shelves: Iterable[Shelf], sweep: Sweep) -> list[str]:
    """The same for all libraries together, those that vanished included."""
    known = listed = missing = 0
    for shelf in shelves:
        known += shelf.known
        listed += shelf.listed
        missing += len(shelf.missing)
    empty = not listed and missing == known > 0
    if sweep.max_shrink_share >= 1 or not (empty or _is_shrunk(known, missing, sweep)):
        return []
    return [f"The server lists {listed} entries where {known} were known; nothing was taken as removed."]


def _mark_gone(read: StoreRead, shelves: Iterable[Shelf], now: int) -> None:
    missing = [couple for shelf in shelves for couple in shelf.missing]
    if not missing:
        return
    connection = read.ingest.begin()
    connection.exec_driver_sql("UPDATE ref SET gone_at=? WHERE id=?", [(now, ref) for ref, _ in missing])
    for ref, item in missing:
        read.touch(item, ref, 2)
    read.changed += len(missing)
    unused = [key for key in read.hashes if not read.has_used(key)]
    if unused:  # they may list what is gone: if it comes back with the same bytes they must be read
        connection.exec_driver_sql(
            "UPDATE page SET body_hash=0 WHERE account_id=? AND request_key=?",
            [(read.key.account_id, key) for key in unused],
        )


def _forget_pages(read: StoreRead, sweep: Sweep) -> None:
    """Drop page rows beyond the end of lists that were read, and those of libraries that are no more."""
    assert sweep.listed is not None
    dead = []
    for key in read.hashes:
        mode, library, what, _ = key.split("|", 3)
        used = read.page_keys.get(f"{mode}|{library}|{what}")
        if library not in sweep.listed or (used is not None and key not in used):
            dead.append((read.key.account_id, key))
    if dead:
        read.ingest.begin().exec_driver_sql("DELETE FROM page WHERE account_id=? AND request_key=?", dead)
