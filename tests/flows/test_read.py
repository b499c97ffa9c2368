"""The import: what is stored, what is skipped, and when a read counts as whole."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from playhead.ports.backend import Entry
from playhead.ports.errors import Unreachable
from tests.flows.hub import Hub, groups
from tests.flows.shelf import Shelf, ShelfBackend, episode, movie, show


def with_claims(entry, claims: tuple[str, ...]):  # type: ignore[no-untyped-def]
    return msgspec.structs.replace(entry, claims=claims)


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    return Hub(tmp_path)


def ten(**values: object) -> ShelfBackend:
    return ShelfBackend(m=Shelf("Movies", [], [movie(str(n), f"imdb:tt{n}", **values) for n in range(10)]))


def gone(hub: Hub) -> set[str]:
    return {row[0] for row in hub.rows("SELECT native_id FROM ref WHERE gone_at IS NOT NULL")}


def test_a_first_read_stores_refs_items_and_only_states_that_say_something(hub: Hub) -> None:
    """Ten movies, one watched: ten refs and items, one state row, one touched item."""
    backend = ten()
    backend.shelves["m"].entries[4] = movie("4", "imdb:tt4", watched=True, plays=2, last_played=77)
    [result] = hub.read(hub.request("a", backend))
    assert (result.status, result.items, result.changed) == ("complete", 10, 1)
    assert hub.rows("SELECT count(*), sum(gone_at IS NULL) FROM ref") == [(10, 10)]
    assert hub.rows("SELECT watched, plays, last_played, b_watched, read_before FROM state") == [
        (1, 2, 77, None, None)
    ]
    item = hub.rows("SELECT item_id FROM ref WHERE native_id='4'")[0][0]
    assert hub.touched() == {item}


def test_an_unchanged_read_decodes_no_page_and_writes_nothing(hub: Hub) -> None:
    """Pages whose bytes are stored are skipped; full reads look at all of them."""
    backend = ten(watched=True)
    hub.read(hub.request("a", backend))
    before = hub.rows("SELECT * FROM state"), hub.rows("SELECT * FROM ref")
    decoded = backend.decoded
    [again] = hub.read(hub.request("a", backend))
    assert (again.status, again.items, again.changed, backend.decoded) == ("complete", 10, 0, decoded)
    hub.read(hub.request("a", backend), full=True)
    assert backend.decoded > decoded
    assert (hub.rows("SELECT * FROM state"), hub.rows("SELECT * FROM ref")) == before


def test_a_changed_reading_keeps_the_time_of_the_one_before_and_touches_the_item(hub: Hub) -> None:
    """read_before is the old read_at; a later blank reading updates the row that exists."""
    backend = ten()
    backend.shelves["m"].entries[0] = movie("0", "imdb:tt0", position_s=300)
    hub.read(hub.request("a", backend))
    first = hub.now
    hub.settle()
    backend.shelves["m"].entries[0] = movie("0", "imdb:tt0")
    [result] = hub.read(hub.request("a", backend))
    assert result.changed == 1
    assert hub.rows("SELECT position_s, read_at, read_before FROM state") == [(0, hub.now, first)]
    assert len(hub.touched()) == 1


def test_the_servers_own_silence_about_a_state_is_no_reading(hub: Hub) -> None:
    """watched unknown: the older reading stands."""
    backend = ten(watched=True)
    hub.read(hub.request("a", backend))
    backend.shelves["m"].entries[0] = movie("0", "imdb:tt0", watched=None, plays=None, position_s=None)
    hub.read(hub.request("a", backend))
    assert hub.rows("SELECT count(*) FROM state WHERE watched") == [(10,)]


def test_a_row_marked_stale_is_read_again_although_its_page_is_unchanged(hub: Hub) -> None:
    """fp 0 means: what stands there is not what a list said."""
    backend = ten(watched=True)
    hub.read(hub.request("a", backend))
    with hub.database.write() as rows:
        rows.exec_driver_sql("UPDATE state SET fp=0, watched=0 WHERE ref_id=(SELECT min(ref_id) FROM state)")
    [result] = hub.read(hub.request("a", backend))
    assert result.changed == 1
    assert hub.rows("SELECT count(*) FROM state WHERE watched AND fp<>0") == [(10,)]


def test_what_a_complete_list_lacks_is_gone_and_touched(hub: Hub) -> None:
    """One of ten is missing: gone_at is set, the ref stays."""
    backend = ten()
    hub.read(hub.request("a", backend))
    del backend.shelves["m"].entries[9]
    [result] = hub.read(hub.request("a", backend))
    assert result.status == "complete"
    assert gone(hub) == {"9"}
    assert hub.rows("SELECT count(*) FROM ref") == [(10,)]
    assert len(hub.touched()) == 1


def test_a_ref_that_comes_back_is_a_new_item_without_news(hub: Hub) -> None:
    """gone_at null, first_run the run that saw it again, base forgotten, also where the page's bytes are the old ones."""
    backend = ten(watched=True)
    hub.read(hub.request("a", backend))
    with hub.database.write() as rows:
        rows.exec_driver_sql("UPDATE state SET b_watched=1, b_plays=1, b_position_s=0, b_at=5")
    last = backend.shelves["m"].entries.pop()
    hub.read(hub.request("a", backend))
    hub.settle()
    backend.shelves["m"].entries.append(last)
    hub.read(hub.request("a", backend))
    assert gone(hub) == set()
    assert hub.rows("SELECT first_run, (SELECT max(id) FROM run) FROM ref WHERE native_id='9'") == [(3, 3)]
    assert hub.rows("SELECT count(*) FROM state WHERE b_watched IS NULL AND b_at IS NULL") == [(1,)]
    assert len(hub.touched()) == 1


def test_another_file_behind_a_ref_drops_the_base(hub: Hub) -> None:
    """media_key changed, both known; unknown changes nothing."""
    backend = ten(watched=True, media_key="one")
    hub.read(hub.request("a", backend))
    with hub.database.write() as rows:
        rows.exec_driver_sql("UPDATE state SET b_watched=1")
    backend.shelves["m"].entries[1] = movie("1", "imdb:tt1", watched=True, media_key=None)
    backend.shelves["m"].entries[2] = movie("2", "imdb:tt2", watched=True, media_key="two")
    hub.read(hub.request("a", backend))
    assert hub.rows("SELECT native_id FROM state JOIN ref ON ref.id=ref_id WHERE b_watched IS NULL") == [
        ("2",)
    ]


def break_at(backend: ShelfBackend) -> None:
    backend.fail_at = ("leaf", 6)


def shorten(backend: ShelfBackend) -> None:
    backend.warp = lambda _l, start, entries: entries if start else entries[1:]


def duplicate(backend: ShelfBackend) -> None:
    backend.warp = lambda _l, start, entries: [entries[0]] * len(entries) if start == 3 else entries


def grow(backend: ShelfBackend) -> None:
    backend.total = lambda _l, start, total: total + (start > 3)


def drop(backend: ShelfBackend) -> None:
    backend.dropped = ("entry 3 has no id",)


def repeat(backend: ShelfBackend) -> None:
    backend.warp = lambda _l, _s, _e: backend.shelves["m"].entries[:3]


@pytest.mark.parametrize("spoil", [break_at, shorten, duplicate, grow, drop, repeat])
@pytest.mark.parametrize("known", [True, False], ids=["known", "first"])
def test_a_read_that_is_not_whole_is_partial_and_concludes_nothing(hub: Hub, spoil, known: bool) -> None:  # type: ignore[no-untyped-def]
    """Error midway, lost entries, duplicates, a changing total, unreadable entries: nothing is gone, the next read heals."""
    backend = ten(watched=True)
    if known:
        hub.read(hub.request("a", backend))
        backend.shelves["m"].entries.pop(0)
        backend.shelves["m"].entries.append(movie("10", "imdb:tt10"))
    spoil(backend)
    [result] = hub.read(hub.request("a", backend))
    assert result.status == "partial"
    assert "Movies" in result.message
    assert gone(hub) == set()
    healthy = ShelfBackend(**backend.shelves)
    [healed] = hub.read(hub.request("a", healthy))
    assert healed.status == "complete"
    assert gone(hub) == ({"0"} if known else set())
    assert hub.rows("SELECT count(*) FROM ref WHERE gone_at IS NULL") == [(10,)]


def test_a_short_page_in_the_middle_is_read_on_from_where_it_ended(hub: Hub) -> None:
    """The server gave two of three: the third comes with the next page, and the list is whole."""
    backend = ten()
    backend.warp = lambda _l, start, entries: entries[:2] if start == 3 else entries
    [result] = hub.read(hub.request("a", backend))
    assert (result.status, result.items) == ("complete", 10)


def test_a_list_without_a_total_is_read_to_an_empty_page(hub: Hub) -> None:
    """A short page alone does not prove the end."""
    backend = ten()
    backend.says_total = False
    [result] = hub.read(hub.request("a", backend))
    assert (result.status, result.items) == ("complete", 10)
    assert backend.requests[-1] == ("m", "leaf", 10)


def test_a_server_that_ignores_paging_is_read_once(hub: Hub) -> None:
    """All entries at once, with and without a total."""
    for says_total in (True, False):
        backend = ten()
        backend.says_total = says_total
        backend.warp = lambda _l, _s, _e: backend.shelves["m"].entries  # noqa: B023
        [result] = hub.read(hub.request(f"a{says_total}", backend))
        assert (result.status, result.items) == ("complete", 10)


@pytest.mark.parametrize("left", [0, 7, 1])
def test_a_list_far_shorter_than_known_is_shrunk(hub: Hub, left: int) -> None:
    """Nothing is marked gone; the message has both numbers. Released by a share of 1."""
    backend = ShelfBackend(m=Shelf("Movies", [], [movie(str(n), f"imdb:tt{n}") for n in range(20)]))
    hub.read(hub.request("a", backend))
    backend.shelves["m"].entries[left:] = []
    [result] = hub.read(hub.request("a", backend))
    assert result.status == "shrunk"
    assert str(left) in result.message
    assert "20" in result.message
    assert gone(hub) == set()
    [released] = hub.read(hub.request("a", backend, max_shrink_share=1.0))
    assert released.status == "complete"
    assert len(gone(hub)) == 20 - left


def test_a_vanished_library_is_guarded_like_a_shrunken_one(hub: Hub) -> None:
    """A small one is gone; all of a server is not."""
    backend = ten()
    backend.shelves["k"] = Shelf("Kids", [], [movie("k", "imdb:ttk")])
    hub.read(hub.request("a", backend))
    kids = backend.shelves.pop("k")
    [result] = hub.read(hub.request("a", backend))
    assert (result.status, gone(hub)) == ("complete", {"k"})
    backend.shelves["k"] = kids
    hub.read(hub.request("a", backend))
    assert gone(hub) == set()
    del backend.shelves["m"]
    [result] = hub.read(hub.request("a", backend))
    assert (result.status, gone(hub)) == ("shrunk", set())


def test_items_that_moved_to_another_library_are_not_missing(hub: Hub) -> None:
    """The old library is empty, but nothing is gone and nothing shrank."""
    backend = ten()
    hub.read(hub.request("a", backend))
    backend.shelves["n"] = Shelf("New", [], backend.shelves["m"].entries)
    backend.shelves["m"] = Shelf("Movies")
    [result] = hub.read(hub.request("a", backend))
    assert (result.status, gone(hub)) == ("complete", set())


def test_libraries_that_settings_leave_out_are_neither_read_nor_gone(hub: Hub) -> None:
    """Excluding a library later keeps its refs."""
    backend = ten()
    backend.shelves["k"] = Shelf("Kids", [], [movie("k")])
    hub.read(hub.request("a", backend))
    backend.requests.clear()
    [result] = hub.read(hub.request("a", backend, takes=lambda _id, title: title != "Kids"))
    assert result.status == "complete"
    assert {library for library, _, _ in backend.requests} == {"m"}
    assert gone(hub) == set()


def test_one_connection_that_fails_does_not_keep_the_others(hub: Hub) -> None:
    """Its result says why; results stand in the order of the requests."""
    bad, good = ten(), ten()
    bad.failing_libraries = Unreachable("It does not answer.", hint="Is it on?")
    results = hub.read(hub.request("a", bad), hub.request("b", good))
    assert [result.status for result in results] == ["failed", "complete"]
    assert "does not answer" in results[0].message


def test_accounts_of_one_connection_share_refs_and_not_states(hub: Hub) -> None:
    """Ten refs; each account's own readings; a ref is gone only when nobody lists it any more."""
    one, two = ten(watched=True), ten()
    results = hub.read(hub.request("a", one, "u1"), hub.request("a", two, "u2"))
    assert [result.status for result in results] == ["complete", "complete"]
    assert hub.rows("SELECT count(*) FROM ref") == [(10,)]
    assert hub.rows("SELECT account_id, count(*) FROM state GROUP BY account_id") == [(1, 10)]
    del two.shelves["m"].entries[9]
    hub.read(hub.request("a", one, "u1"), hub.request("a", two, "u2"))
    assert gone(hub) == set()
    del one.shelves["m"].entries[9]
    hub.read(hub.request("a", one, "u1"), hub.request("a", two, "u2"))
    assert gone(hub) == {"9"}


def test_an_account_that_sees_little_is_not_called_shrunk(hub: Hub) -> None:
    """What only others see is not missing."""
    one, two = ten(), ShelfBackend(m=Shelf("Movies", [], [movie("3", "imdb:tt3")]))
    hub.read(hub.request("a", one, "u1"), hub.request("a", two, "u2"))
    results = hub.read(hub.request("a", one, "u1"), hub.request("a", two, "u2"), full=True)
    assert [result.status for result in results] == ["complete", "complete"]
    assert gone(hub) == set()


def test_the_same_entry_in_two_libraries_is_one_ref(hub: Hub) -> None:
    """Listed twice, in two lists that are both whole."""
    backend = ten()
    backend.shelves["n"] = Shelf("All", [], backend.shelves["m"].entries)
    for _ in range(2):
        [result] = hub.read(hub.request("a", backend))
        assert result.status == "complete"
        assert hub.rows("SELECT count(*) FROM ref") == [(10,)]


def test_lean_reads_follow_a_full_one_and_fetch_what_is_new(hub: Hub) -> None:
    """States from the lean list; an unknown id is read on its own; the next day all is listed in full."""
    backend = ten()
    hub.read(hub.request("a", backend, lean=True))
    backend.shelves["m"].entries[0] = movie("0", "imdb:tt0", watched=True)
    backend.shelves["m"].entries.append(movie("10", "imdb:tt10", watched=True))
    [result] = hub.read(hub.request("a", backend, lean=True))
    assert (result.lean, result.status, result.items, backend.fetched) == (True, "complete", 11, ["10"])
    assert hub.rows("SELECT claims FROM ref WHERE native_id='10'") == [("imdb:movie:tt10",)]
    assert hub.rows("SELECT count(*) FROM state WHERE watched") == [(2,)]
    hub.now += 90_000
    [result] = hub.read(hub.request("a", backend, lean=True))
    assert not result.lean


def test_a_lean_list_full_of_news_is_read_in_full(hub: Hub) -> None:
    """More than a fifth is unknown: the full list is cheaper."""
    backend = ten()
    hub.read(hub.request("a", backend, lean=True))
    backend.shelves["m"].entries += [movie(f"n{n}", f"imdb:ttn{n}") for n in range(5)]
    [result] = hub.read(hub.request("a", backend, lean=True))
    assert (result.status, result.items, backend.fetched) == ("complete", 15, [])


def test_a_lean_change_is_not_hidden_by_an_old_full_page(hub: Hub) -> None:
    """Watched in a lean read, unwatched again: the full page has its old bytes and is read all the same."""
    backend = ten()
    hub.read(hub.request("a", backend, lean=True))
    backend.shelves["m"].entries[0] = movie("0", "imdb:tt0", watched=True)
    hub.read(hub.request("a", backend, lean=True))
    backend.shelves["m"].entries[0] = movie("0", "imdb:tt0")
    hub.now += 90_000
    hub.read(hub.request("a", backend, lean=True))
    assert hub.rows("SELECT watched FROM state") == [(0,)]


def test_a_file_of_several_episodes_is_several_items(hub: Hub) -> None:
    """One ref on the left, three on the right; whichever is read first."""
    left = ShelfBackend(
        t=Shelf("TV", [show("s", "tvdb:1")], [episode("e", "s", "1x1-3", "tvdb:11", watched=True)])
    )
    right = ShelfBackend(
        t=Shelf(
            "TV", [show("s", "tvdb:1")], [episode(f"e{n}", "s", f"1x{n}", f"tvdb:1{n}") for n in (1, 2, 3)]
        )
    )
    for names in (("a", "b"), ("d", "c")):
        connections = dict(zip(names, (left, right), strict=True))
        hub.read(*(hub.request(name, connections[name]) for name in sorted(names)))
    spans = hub.rows("SELECT item_id FROM ref_span")
    assert len(spans) == 4
    assert hub.groups() == groups(["a/e d/e b/e1 c/e1", "b/e2 c/e2", "b/e3 c/e3"])
    of_right = {row[0] for row in hub.rows("SELECT item_id FROM ref WHERE native_id IN ('e2', 'e3')")}
    assert {row[0] for row in spans} == of_right
    assert hub.touched() >= of_right


def test_a_ref_with_other_ids_moves_to_its_new_item(hub: Hub) -> None:
    """Identified anew on the server: both items are touched, the claim that nobody makes goes, the base is forgotten."""
    left = ShelfBackend(m=Shelf("M", [], [movie("1", "imdb:tt1", watched=True)]))
    right = ShelfBackend(m=Shelf("M", [], [movie("1", "imdb:tt1"), movie("2", "imdb:tt2")]))
    hub.read(hub.request("a", left), hub.request("b", right))
    with hub.database.write() as rows:
        rows.exec_driver_sql("UPDATE state SET b_watched=1")
    hub.settle()
    left.shelves["m"].entries[0] = movie("1", "imdb:tt2", watched=True)
    hub.read(hub.request("a", left), hub.request("b", right))
    assert hub.groups() == groups(["b/1", "a/1 b/2"])
    assert len(hub.touched()) == 2
    assert hub.rows("SELECT b_watched FROM state") == [(None,)]
    right.shelves["m"].entries[0] = movie("1", "tmdb:7")
    hub.read(hub.request("a", left), hub.request("b", right))
    assert hub.rows("SELECT value FROM claim ORDER BY value") == [("imdb:movie:tt2",), ("tmdb:movie:7",)]


def test_a_page_older_than_what_was_heard_meanwhile_does_not_undo_it(hub: Hub) -> None:
    """What an event or the hub's own write brought after the page was asked for stays; the next read compares anew."""
    backend = ten(watched=True)
    hub.read(hub.request("a", backend))
    backend.shelves["m"].entries = [movie(str(n), f"imdb:tt{n}", position_s=9) for n in range(10)]

    def hear(_listing: object, _start: int, entries: list[Entry]) -> list[Entry]:
        hub.now += 5
        with hub.database.write() as rows:
            rows.exec_driver_sql("UPDATE state SET plays = 7, read_at = ?", (hub.now,))
        return entries

    as_it_is, backend.warp = backend.warp, hear
    hub.read(hub.request("a", backend))
    assert hub.rows("SELECT DISTINCT watched, plays, fp FROM state") == [(1, 7, 0)]
    backend.warp = as_it_is
    hub.read(hub.request("a", backend))
    assert hub.rows("SELECT DISTINCT watched, position_s FROM state") == [(0, 9)]
