"""One reading of one account on its way into the database: what is new, what differs, what was seen.

Compares each page with what is stored and buffers the differences in an ``Ingest``. Judging the whole read is
``verdict``'s part. Knows no server.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence

import msgspec

from playhead.ports.backend import Entry, Library, Listing, PageContent, RawPage, ShowEntry
from playhead.ports.store import ReadResult, Sweep, Tally
from playhead.store.fingerprints import fingerprint_entry, fingerprint_show, fingerprint_state, is_blank
from playhead.store.ingest import Ingest
from playhead.store.newcomers import Newcomers
from playhead.store.rows import fetch_in
from playhead.store.verdict import close_run


class AccountKey(msgspec.Struct, frozen=True):
    """Who is read: ids, the connection's name, and all accounts of the connection."""

    account_id: int
    connection_id: int
    connection: str
    siblings: tuple[int, ...]


class StoredRef(msgspec.Struct, gc=False):
    """A ref as the comparison needs it. ``state_fp`` None = no state row of this account."""

    native_id: str
    id: int
    item_id: int
    meta_fp: int
    runtime_s: int | None
    gone_at: int | None
    span: int
    state_fp: int | None


_STORED = (
    "SELECT r.native_id, r.id, r.item_id, r.meta_fp, r.runtime_s, r.gone_at, r.span, s.fp"
    " FROM ref r LEFT JOIN state s ON s.account_id = {account} AND s.ref_id = r.id"
    " WHERE r.connection_id = {connection} AND r.native_id IN"
)


class StoreRead:
    """The store's side of ``ports.store.AccountRead``."""

    def __init__(
        self, ingest: Ingest, key: AccountKey, run_id: int, *, lean: bool, full: bool, first: bool
    ) -> None:
        self.ingest = ingest
        self.key = key
        self.run_id = run_id
        self.lean = lean
        self.full = full
        self.first = first
        self.changed = 0
        self.counts: dict[tuple[str, str], int] = {}  # (native library, what) -> distinct refs listed
        self.libraries: dict[str, int] = {}
        self.page_keys: dict[str, set[str]] = {}  # listing -> keys used
        self.marks = bytearray(ingest.ref_limit + 1)  # by ref: the newest listing that showed it
        self._mark = 0
        self._listing = ""
        self._unknown: dict[str, None] = {}
        rows = ingest.begin()
        self.fresh = not rows.exec_driver_sql(
            "SELECT EXISTS (SELECT 1 FROM ref WHERE connection_id=?)", (key.connection_id,)
        ).scalar()
        self._voided = False  # pages of the other kind of list may be skipped no more
        self._stale = {
            row[0]
            for row in rows.exec_driver_sql(
                "SELECT ref_id FROM state WHERE account_id=? AND fp=0", (key.account_id,)
            )
        }
        self.hashes = self._load_hashes()
        ingest.end_page()
        self.newcomers = Newcomers(self)

    def _load_hashes(self) -> dict[str, int]:
        rows = self.ingest.connection.exec_driver_sql(
            "SELECT request_key, body_hash FROM page WHERE account_id=?", (self.key.account_id,)
        )
        return {row[0]: row[1] for row in rows}

    # -- libraries and listings

    def note_libraries(self, libraries: Sequence[Library]) -> None:
        """Remember ids and titles of the libraries."""
        rows = self.ingest.begin()
        for library in libraries:
            rows.exec_driver_sql(
                "INSERT INTO library (connection_id, native_id, title) VALUES (?,?,?)"
                " ON CONFLICT (connection_id, native_id) DO UPDATE SET title=excluded.title",
                (self.key.connection_id, library.id, library.title),
            )
        found = rows.exec_driver_sql(
            "SELECT native_id, id FROM library WHERE connection_id=?", (self.key.connection_id,)
        )
        self.libraries = {row[0]: row[1] for row in found}
        self.ingest.flush()

    def start_listing(self, listing: Listing) -> None:
        """Pages of this list follow; a list started again counts from nothing."""
        self._mark = self._mark % 255 + 1
        if self._mark == 255:  # marks are bytes: keep "seen at all", forget which listing
            self.marks = bytearray(self.marks.translate(bytes([0] + [255] * 255)))
            self._mark = 1
        self._listing = f"{'lean' if listing.lean else 'full'}|{listing.library_id}|{listing.what}"
        self.page_keys[self._listing] = set()
        self.counts[listing.library_id, listing.what] = 0

    def _key(self, page: RawPage) -> str:
        key = f"{self._listing}|{page.request_key}"
        self.page_keys[self._listing].add(key)
        return key

    def has_used(self, key: str) -> bool:
        """Whether this read asked for the page."""
        return any(key in keys for keys in self.page_keys.values())

    # -- pages

    def skip_page(self, page: RawPage) -> Tally | None:
        """Count a page whose bytes are stored unchanged; None where it must be decoded."""
        key = self._key(page)
        if self.full or not page.body_hash or self.hashes.get(key) != page.body_hash:
            return None
        rows = self.ingest.begin()
        total, returned, packed = rows.exec_driver_sql(
            "SELECT total, returned, refs FROM page WHERE account_id=? AND request_key=?",
            (self.key.account_id, key),
        ).one()
        self.ingest.end_page()
        refs = array("I", packed)
        if self._stale and not self._stale.isdisjoint(refs):
            return None
        marks, mark, fresh = self.marks, self._mark, 0
        for ref in refs:
            if marks[ref] != mark:
                marks[ref] = mark
                fresh += 1
        self.counts[page.listing.library_id, page.listing.what] += fresh
        others = returned - len(refs)
        return Tally(returned, fresh + others, page.total if page.total is not None else total)

    def put_page(self, page: RawPage, content: PageContent, read_at: int) -> Tally:
        """Store what differs on a page, and its hash."""
        refs: list[int] = []
        library = self.libraries[page.listing.library_id]
        unknown = len(self._unknown)
        changed = self.changed
        first_new = self.ingest.ref_limit
        self.ingest.pages_read += 1
        if content.shows:
            self._put_shows(library, content.shows, refs)
        if content.entries:
            self._put_leaves(library, content.entries, read_at, refs, lean=page.listing.lean)
        unknown = len(self._unknown) - unknown
        self.counts[page.listing.library_id, page.listing.what] += len(refs)
        known = len(content.entries) + len(content.shows)
        others = max(0, content.returned - known)
        total = content.total if content.total is not None else page.total
        settled = unknown == 0 and not content.dropped
        self.ingest.rows.pages.append(
            (
                self.key.account_id,
                self._key(page),
                page.body_hash if settled and len(refs) == known else 0,
                total,
                content.returned,
                array("I", refs).tobytes(),
            )
        )
        if self.changed > changed or self.ingest.ref_limit > first_new:
            self._void_others()
        self.ingest.end_page()
        return Tally(content.returned, len(refs) + unknown + others, total, content.dropped)

    def _void_others(self) -> None:
        """What a lean list changed, an unchanged page of a full one could hide, and the other way round."""
        if not self._voided:
            self._voided = True
            other = "full|%" if self.lean else "lean|%"
            self.ingest.rows.voids.append((self.key.account_id, other))

    def take_unknown(self) -> list[str]:
        """Native ids that lean lists showed and that the store does not know; asked once."""
        wanted = list(self._unknown)
        self._unknown = {}
        return wanted

    def count_known(self, library_id: str) -> int:
        """Refs that the store holds in a library of this connection and that are not gone."""
        rows = self.ingest.begin()
        count = rows.exec_driver_sql(
            "SELECT count(*) FROM ref WHERE connection_id=? AND library_id=? AND gone_at IS NULL",
            (self.key.connection_id, self.libraries.get(library_id, 0)),
        ).scalar_one()
        self.ingest.end_page()
        return int(count)

    def put_entries(self, library_id: str, entries: Sequence[Entry], read_at: int) -> None:
        """Store entries that were read one by one."""
        if entries:
            refs: list[int] = []
            self.ingest.pages_read += 1
            self._put_leaves(self.libraries[library_id], entries, read_at, refs, lean=False)
            self.counts[library_id, "leaf"] = self.counts.get((library_id, "leaf"), 0) + len(refs)
            self.ingest.end_page()

    def finish(self, sweep: Sweep, now: int) -> ReadResult:
        """Judge the read, mark what is gone where that is certain, close the run."""
        self.newcomers.forget()
        self.ingest.flush()
        return close_run(self, sweep, now)

    # -- comparing

    def _load_stored(self, native_ids: list[str]) -> dict[str, StoredRef]:
        self.ingest.build_indexes()
        select = _STORED.format(account=self.key.account_id, connection=self.key.connection_id)
        rows = self.ingest.begin()
        if self.newcomers.waiting:
            self.ingest.rows.write(rows)  # refs of earlier pages, so that they are found
            self.newcomers.waiting = False
        return {row[0]: StoredRef(*row) for row in fetch_in(rows, select, native_ids)}

    def see(self, ref: int, refs: list[int]) -> bool:
        """Mark a ref as listed; False where this listing had shown it already."""
        if self.marks[ref] == self._mark:
            return False
        self.marks[ref] = self._mark
        refs.append(ref)
        return True

    def mark_new(self, refs: list[int]) -> None:
        """Mark refs that were made just now."""
        marks, mark = self.marks, self._mark
        lacking = self.ingest.ref_limit - len(marks)
        if lacking > 0:
            marks.extend(bytes(lacking + 4096))
        for ref in refs:
            marks[ref] = mark

    def _put_shows(self, library: int, shows: Sequence[ShowEntry], refs: list[int]) -> None:
        stored = {} if self.fresh else self._load_stored([show.native_id for show in shows])
        news: list[ShowEntry] = []
        changed: list[tuple[StoredRef, ShowEntry]] = []
        for show in shows:
            ref = stored.get(show.native_id)
            if ref is None:
                news.append(show)
                continue
            if not self.see(ref.id, refs):
                continue
            if ref.gone_at is not None:
                self._bring_back(ref)
            if fingerprint_show(show) != ref.meta_fp:
                changed.append((ref, show))
        self.newcomers.add_shows(library, news, refs)
        if changed:
            self.newcomers.change_shows(library, changed)

    def _put_leaves(
        self, library: int, entries: Sequence[Entry], read_at: int, refs: list[int], *, lean: bool
    ) -> None:
        news: Sequence[Entry] = entries
        if not self.fresh:
            news = self._compare(library, entries, read_at, refs, lean=lean)
        if lean:
            self._unknown.update((entry.native_id, None) for entry in news)
            return
        if news:
            self.newcomers.add_leaves(library, news, read_at, refs)

    def _compare(
        self, library: int, entries: Sequence[Entry], read_at: int, refs: list[int], *, lean: bool
    ) -> list[Entry]:
        """Buffer what differs from the store; give back the entries that it does not hold."""
        stored = self._load_stored([entry.native_id for entry in entries])
        news: list[Entry] = []
        changed: list[tuple[StoredRef, Entry]] = []
        for entry in entries:
            ref = stored.get(entry.native_id)
            if ref is None:
                news.append(entry)
                continue
            if not self.see(ref.id, refs):
                continue
            if ref.gone_at is not None:
                self._bring_back(ref)
            if lean:
                if entry.runtime_s is not None and entry.runtime_s != ref.runtime_s:
                    self.ingest.rows.runtimes.append((entry.runtime_s, ref.id))
            elif fingerprint_entry(entry) != ref.meta_fp:
                changed.append((ref, entry))
            if ref.state_fp is not None or not is_blank(entry):
                self._compare_state(ref, entry, read_at)
        if changed:
            self.newcomers.change_leaves(library, changed)
        return news

    def _compare_state(self, ref: StoredRef, entry: Entry, read_at: int) -> None:
        if entry.watched is None:  # the server said nothing: the older reading stands
            return
        fp = fingerprint_state(entry)
        if fp != ref.state_fp:
            self.put_state(ref.id, entry, fp, read_at)
            self.touch(ref.item_id, ref.id, ref.span)
            self.changed += 1

    def put_state(self, ref: int, entry: Entry, fp: int, read_at: int) -> None:
        """Buffer a reading."""
        self.ingest.rows.states.append(
            (
                self.key.account_id,
                ref,
                entry.watched,
                entry.plays,
                entry.last_played,
                entry.position_s,
                entry.rating,
                entry.favourite,
                entry.unplayed,
                fp,
                self.run_id,
                read_at,
            )
        )

    def touch(self, item: int, ref: int, span: int) -> None:
        """Mark the items of a ref for reconcile."""
        touched = self.ingest.rows.touched
        touched.add(item)
        if span > 1:
            rows = self.ingest.connection.exec_driver_sql(
                "SELECT item_id FROM ref_span WHERE ref_id=?", (ref,)
            )
            touched.update(row[0] for row in rows)

    def _bring_back(self, ref: StoredRef) -> None:
        """A ref that was gone is there again: a new item without news."""
        self.ingest.rows.returned_refs.append((self.run_id, ref.id))
        self.ingest.reset_bases(self.key.siblings, [ref.id])
        self.touch(ref.item_id, ref.id, ref.span)
        self.changed += 1
