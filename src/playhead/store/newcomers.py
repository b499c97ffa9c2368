"""Refs that a connection shows for the first time, or describes anew: matched to items and buffered.

The hot path of a first import. What the index cannot decide goes to an item of its own and on the ``unsettled``
list, for ``regroup``.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat
from typing import TYPE_CHECKING, Any

from msgspec.structs import astuple

from playhead.domain.identity.match import CONTESTED, ClaimIndex, pack_number, unpack_number
from playhead.ports.backend import Entry, ShowEntry
from playhead.store.fingerprints import fingerprint, fingerprint_entry, fingerprint_show, is_blank_said
from playhead.store.rows import Leaves, fetch_in

if TYPE_CHECKING:
    from playhead.store.account_read import StoredRef, StoreRead

LONGEST_SPAN = 50
NO_NUMBER: tuple[int, None, None] = (0, None, None)
NO_SHOW = (None, 0)


class Newcomers:
    """New and re-described refs of one account's read. ``waiting``: refs are buffered that the database cannot find yet."""

    def __init__(self, read: StoreRead) -> None:
        self.read = read
        self.waiting = False
        self._met: set[int] = set()  # hashes of native ids, on a connection that had no refs at the start
        self._shows = self._load_shows()  # native id -> (ref, item)

    def _load_shows(self) -> dict[str, tuple[int, int]]:
        if self.read.fresh:
            return {}
        rows = self.read.ingest.connection.exec_driver_sql(
            "SELECT native_id, id, item_id FROM ref WHERE connection_id=? AND is_show",
            (self.read.key.connection_id,),
        )
        return {row[0]: (row[1], row[2]) for row in rows}

    def forget(self) -> None:
        """Let go of what only the read itself needed."""
        self._met = set()

    # -- new refs

    def add_shows(self, library: int, shows: Sequence[ShowEntry], refs: list[int]) -> None:
        """Buffer shows that the store does not hold."""
        if not shows:
            return
        claims = (claim for show in shows for claim in show.claims)
        self.read.ingest.prepare_index(claims, (), len(shows))
        for show in shows:
            key = hash(show.native_id)
            if key not in self._met or self._is_new(show.native_id, refs):
                self._met.add(key)
                refs.append(self._add_show(library, show, fingerprint_show(show)))
        self.read.mark_new(refs)

    def _add_show(self, library: int, show: ShowEntry, fp: int) -> int:
        item = self._place("show", show.title, show.year, show.claims, NO_NUMBER, 0, 0)
        ref = self.read.ingest.take_refs(1)
        key = self.read.key
        self.read.ingest.rows.refs.append(
            (
                ref,
                key.connection_id,
                show.native_id,
                library,
                item,
                True,
                show.year,
                None,
                None,
                None,
                1,
                None,
            )
            + (None, None, "", " ".join(show.claims), "", fp, self.read.run_id)
        )
        self._shows[show.native_id] = (ref, item)
        self.waiting = True
        return ref

    def add_leaves(self, library: int, entries: Sequence[Entry], read_at: int, refs: list[int]) -> None:
        """Buffer movies and episodes that the store does not hold, and what the account says of them."""
        ingest = self.read.ingest
        shows = self._find_shows(library, entries)
        if not ingest.knows_all:
            numbered = {shows[entry.show_id][1] for entry in entries if entry.show_id}
            ingest.prepare_index(
                (claim for entry in entries for claim in entry.claims), numbered, len(entries)
            )
        entries = self._pick_new(entries, refs)
        first = ingest.take_refs(len(entries))
        if entries:
            self._add_refs(library, first, entries, shows, read_at)
        refs.extend(range(first, first + len(entries)))
        self.read.mark_new(refs)
        self.waiting = True

    def _pick_new(self, entries: Sequence[Entry], refs: list[int]) -> Sequence[Entry]:
        """Those whose ids this read has not met; an id that looks like one it met is looked up."""
        met = self._met
        hashes = {hash(entry.native_id) for entry in entries}
        if len(hashes) == len(entries) and met.isdisjoint(hashes):
            met |= hashes
            return entries
        picked: dict[str, Entry] = {}
        for entry in entries:
            native_id = entry.native_id
            if native_id not in picked and (hash(native_id) not in met or self._is_new(native_id, refs)):
                picked[native_id] = entry
        met |= hashes
        return list(picked.values())

    def _add_refs(
        self,
        library: int,
        first: int,
        entries: Sequence[Entry],
        shows: dict[str, tuple[int, int]],
        read_at: int,
    ) -> None:
        """Match and buffer, by columns: most of what is done for each ref is done by the interpreter's own loops."""
        columns = [*zip(*map(astuple, entries), strict=True)]
        native_ids, _, _, years, show_ids, _, seasons, episodes, _, runtimes, claims, files = columns[:12]
        places = [shows[show_id] if show_id else NO_SHOW for show_id in show_ids]
        items, spans = self._match(first, entries, places)
        read = self.read
        # fmt: off
        read.ingest.rows.leaves.append(Leaves(read.key.connection_id, library, read.run_id, (
            range(first, first + len(entries)), native_ids, items, years, [show[0] for show in places],
            seasons, episodes, spans, runtimes, *columns[12:14],
            [*map("\n".join, files)], [*map(" ".join, claims)],
            ["" if said or not show[1] else "numbers" for said, show in zip(claims, places, strict=True)],
            [*map(fingerprint, zip(*columns[2:5], *columns[6:14], strict=True))],
        )))
        # fmt: on
        for ref, (item, span, *said) in enumerate(zip(items, spans, *columns[14:], strict=True), first):
            if said[0] is not None and not is_blank_said(said):
                self._add_state(ref, item, span, said, read_at)

    def _match(
        self, first: int, entries: Sequence[Entry], places: Sequence[tuple[int | None, int]]
    ) -> tuple[list[int], list[int]]:
        """For each entry its item, and how many items are in its file. Decides here what is plain: number and claims are
        those of a ref that an item has already."""
        index = self.read.ingest.index
        numbered, numbers, masks = index.numbers.get, index.own_number, index.mask
        said_once, said_too = index.said, index.said_too
        items, spans = [], [1] * len(entries)
        for place, (entry, (_, show_item)) in enumerate(zip(entries, places, strict=True)):
            season, episode, claims = entry.season, entry.episode, entry.claims
            number = pack_number(show_item, season, episode) if show_item else 0
            item = numbered(number)
            if (
                item is None
                or (said_too[item] != (known := hash(claims)) and said_once[item] != known)
                or numbers[item] != number
                or masks[item] >= CONTESTED
            ):
                where = (show_item, season, episode)
                movie_year = 0 if show_item or entry.kind != "movie" else entry.year or 0
                item = self._place(entry.kind, entry.title, entry.year, claims, where, number, movie_year)
            items.append(item)
            if entry.episode_end is not None:
                spans[place] = self._add_span(first + place, entry, show_item)
        return items, spans

    def _add_state(self, ref: int, item: int, span: int, said: Sequence[Any], read_at: int) -> None:
        """Buffer what the account says of a ref that was buffered just now."""
        read, rows = self.read, self.read.ingest.rows
        rows.states.append((read.key.account_id, ref, *said, fingerprint(said), read.run_id, read_at))
        rows.touched.add(item)
        read.changed += 1
        if span > 1:
            rows.touched.update(other for owner, other in rows.spans if owner == ref)

    def _is_new(self, native_id: str, refs: list[int]) -> bool:
        """Look for a ref whose id this read has met; one that is there is marked as listed again."""
        read = self.read
        read.mark_new(refs)
        read.ingest.flush()
        read.ingest.build_indexes()
        found = (
            read.ingest.begin()
            .exec_driver_sql(
                "SELECT id FROM ref WHERE connection_id=? AND native_id=?",
                (read.key.connection_id, native_id),
            )
            .scalar()
        )
        if found is None:
            return True
        read.see(found, refs)
        return False

    def _find_shows(self, library: int, entries: Sequence[Entry]) -> dict[str, tuple[int, int]]:
        """All shows by native id; one that no list has named yet gets a ref to hang its episodes on."""
        named = {entry.show_id for entry in entries}
        for entry in entries if not named <= self._shows.keys() else ():
            if entry.show_id and entry.show_id not in self._shows:
                show = ShowEntry(entry.show_id, entry.show_title or "", None, ())
                self._met.add(hash(entry.show_id))
                self.read.ingest.prepare_index((), (), 1)
                self._add_show(library, show, 0)
        return self._shows

    def _place(
        self,
        kind: str,
        title: str,
        year: int | None,
        claims: Sequence[str],
        where: tuple[int, int | None, int | None],
        number: int,
        movie_year: int,
    ) -> int:
        """The item of a new ref; one of its own, for good or until what it met is grouped, where it joins none.

        ``where``: show item, season, episode; ``number`` the same, packed.
        """
        ingest = self.read.ingest
        index, rows, new = ingest.index, ingest.rows, ingest.next_item
        item = index.place(claims, number, movie_year, new)
        if item == ClaimIndex.UNSETTLED:
            rows.unsettled.update(index.met)
            rows.unsettled.add(new)
            ingest.make_item(kind, title, year, where)
            return new
        if index.novel:
            rows.claims.extend(zip(index.novel, repeat(item)))
        if index.contested:
            rows.unsettled.add(item)
        if item == new:
            ingest.make_item(kind, title, year, where)
            return item
        if index.renumbered:
            rows.also_numbers.append((*unpack_number(number), item))
        if kind != "episode":
            rows.call(item, title)
        return item

    def _add_span(self, ref: int, entry: Entry, show_item: int) -> int:
        """The items of a file's further episodes, found by number or made; the number of items in the file."""
        if entry.episode is None or entry.episode_end is None or entry.episode_end <= entry.episode:
            return 1
        last = min(entry.episode_end, entry.episode + LONGEST_SPAN - 1)
        if not show_item or entry.season is None:
            return 1
        for episode in range(entry.episode + 1, last + 1):
            where = (show_item, entry.season, episode)
            item = self._place("episode", entry.title, entry.year, (), where, pack_number(*where), 0)
            self.read.ingest.rows.spans.append((ref, item))
        return last - entry.episode + 1

    # -- refs described anew

    def change_shows(self, library: int, changed: Sequence[tuple[StoredRef, ShowEntry]]) -> None:
        """Buffer what a list says of known shows now."""
        rows = self.read.ingest.rows
        found = fetch_in(
            self.read.ingest.connection,
            "SELECT id, claims FROM ref WHERE id IN",
            [ref.id for ref, _ in changed],
        )
        before = {row[0]: row[1] for row in found}
        for ref, show in changed:
            claims = " ".join(show.claims)
            rows.changed_refs.append(
                (library, show.year, None, None, None, 1, None, None, None, "", claims, "")
                + (fingerprint_show(show), ref.id)
            )
            rows.titles.append((show.title, show.year, ref.item_id))
            rows.call(ref.item_id, show.title)
            self.read.changed += 1
            if claims != before[ref.id]:
                rows.unsettled.add(ref.item_id)

    def change_leaves(self, library: int, changed: Sequence[tuple[StoredRef, Entry]]) -> None:
        """Buffer what a list says of known movies and episodes now; a changed file drops the bases."""
        ingest = self.read.ingest
        shows = self._find_shows(library, [entry for _, entry in changed])
        found = fetch_in(
            ingest.connection,
            "SELECT id, claims, year, show_ref, season, episode, media_key FROM ref WHERE id IN",
            [ref.id for ref, _ in changed],
        )
        before = {row[0]: row for row in found}
        for ref, entry in changed:
            self._change_leaf(library, ref, entry, shows, before[ref.id])

    def _change_leaf(
        self,
        library: int,
        ref: StoredRef,
        entry: Entry,
        shows: dict[str, tuple[int, int]],
        old: Sequence[object],
    ) -> None:
        ingest, rows = self.read.ingest, self.read.ingest.rows
        show_ref, show_item = shows[entry.show_id] if entry.show_id else (None, 0)
        claims = " ".join(entry.claims)
        span = self._change_span(ref, entry, show_item)
        matched_by = "" if entry.claims else "numbers" if show_item else ""
        rows.changed_refs.append(
            (library, entry.year, show_ref, entry.season, entry.episode, span, entry.runtime_s)
            + (entry.state_key, entry.media_key, "\n".join(entry.files), claims, matched_by)
            + (fingerprint_entry(entry), ref.id)
        )
        rows.titles.append((entry.title, entry.year, ref.item_id))
        if entry.kind != "episode":
            rows.call(ref.item_id, entry.title)
        self.read.changed += 1
        if old[6] is not None and entry.media_key is not None and old[6] != entry.media_key:
            ingest.reset_bases(self.read.key.siblings, [ref.id])
            self.read.touch(ref.item_id, ref.id, ref.span)
        if (claims, entry.year, show_ref, entry.season, entry.episode) != tuple(old[1:6]):
            rows.unsettled.add(ref.item_id)
            rows.touched.add(ref.item_id)

    def _change_span(self, ref: StoredRef, entry: Entry, show_item: int) -> int:
        several = entry.episode is not None and (entry.episode_end or 0) > entry.episode
        if ref.span == 1 and not several:
            return 1
        self.read.touch(ref.item_id, ref.id, ref.span)
        self.read.ingest.rows.dropped_spans.append((ref.id,))
        if not several:
            return 1
        ingest = self.read.ingest
        ingest.prepare_index((), {show_item}, 1)
        span = self._add_span(ref.id, entry, show_item)
        ingest.rows.touched.update(item for owner, item in ingest.rows.spans if owner == ref.id)
        return span
