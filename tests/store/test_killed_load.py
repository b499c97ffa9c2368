"""A first import that is killed while the indexes are missing: what comes after finds all it wrote, and its indexes."""

from __future__ import annotations

import multiprocessing
import os
from pathlib import Path

import pytest

from playhead.ports.backend import Entry, Listing
from playhead.store import ingest
from playhead.store.database import open_database
from playhead.store.ingest import finish_load
from playhead.store.schema import BUILT_LAST
from tests.flows.hub import Hub
from tests.flows.shelf import Shelf, ShelfBackend, episode, movie, show

DIES_AT = 18
MOVIES = 30


def make_backend() -> ShelfBackend:
    """Movies, and a show whose episodes are known by number too."""
    films = [movie(f"m{n}", f"imdb:tt{n} tmdb:{n}", watched=n % 2 == 0) for n in range(MOVIES)]
    episodes = [episode(f"e{n}", "s", f"1x{n}", f"tvdb:{n}" if n % 3 else "") for n in range(1, 13)]
    return ShelfBackend(
        tv=Shelf("TV", [show("s", "tvdb:9")], episodes),
        movies=Shelf("Movies", [], films),
    )


def load_and_die(home: str) -> None:
    """Import with small transactions, and end as a killed process does when a late page is asked for."""
    ingest.FLUSH_ROWS = 5

    def die(listing: Listing, start: int, entries: list[Entry]) -> list[Entry]:
        if (listing.library_id, start) == ("movies", DIES_AT):
            os._exit(9)
        return entries

    backend = make_backend()
    backend.warp = die
    hub = Hub(Path(home))
    hub.read(hub.request("a", backend))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The folder of a hub whose first import was killed: refs are there, the indexes are not."""
    child = multiprocessing.get_context("spawn").Process(target=load_and_die, args=(str(tmp_path),))
    child.start()
    child.join()
    assert child.exitcode == 9
    hub = Hub(tmp_path)
    assert 12 < hub.rows("SELECT count(*) FROM ref")[0][0] < MOVIES + 13
    assert not find_indexes(hub) & {str(index.name) for index in BUILT_LAST}
    hub.database.close()
    return tmp_path


def find_indexes(hub: Hub) -> set[str]:
    return {row[0] for row in hub.rows("SELECT name FROM sqlite_master WHERE type='index'")}


def dump(hub: Hub) -> dict[str, list[tuple[object, ...]]]:
    """What a hub knows, ids of its own left out."""
    return {
        "refs": hub.rows("SELECT native_id, claims, season, episode, gone_at FROM ref ORDER BY native_id"),
        "claims": hub.rows("SELECT value FROM claim ORDER BY value"),
        "states": hub.rows(
            "SELECT r.native_id, s.watched FROM state s JOIN ref r ON r.id = s.ref_id ORDER BY r.native_id"
        ),
        "items": hub.rows("SELECT kind, title, season, episode FROM item ORDER BY kind, title, episode"),
        "indexes": [(name,) for name in sorted(find_indexes(hub))],
        "page": hub.rows("SELECT request_key, body_hash FROM page ORDER BY request_key"),
    }


def test_the_next_import_ends_where_an_import_in_one_go_ends(home: Path, tmp_path: Path) -> None:
    """Nothing twice, nothing missing, all indexes; a second connection then meets the same items."""
    hub, whole = Hub(home), Hub(tmp_path / "whole")
    for each in (hub, whole):
        [result] = each.read(each.request("a", make_backend()))
        assert (result.status, result.items) == ("complete", MOVIES + 12)
        each.read(each.request("b", make_backend()))
    assert dump(hub) == dump(whole)
    assert hub.groups() == whole.groups()
    assert hub.rows("SELECT status FROM run ORDER BY id LIMIT 1") == [("failed",)]


def test_another_connection_read_first_meets_what_the_killed_load_wrote(home: Path) -> None:
    """The new account is matched against the rows of the killed load, by ids and by numbers."""
    hub = Hub(home)
    written = hub.rows("SELECT count(*) FROM ref WHERE NOT is_show")[0][0]
    hub.read(hub.request("b", make_backend()))
    assert sum(len(names) == 2 for names in hub.groups()) == written
    assert hub.rows("SELECT count(*) FROM item WHERE kind <> 'show'") == [(MOVIES + 12,)]


def test_who_only_looks_things_up_gets_the_indexes_built(home: Path) -> None:
    """A plan without a read searches by index instead of walking through all refs."""
    database = open_database(home)
    finish_load(database)
    with database.read() as rows:
        steps = [
            str(row[-1])
            for select in (
                "SELECT id FROM ref WHERE item_id IN (1, 2)",
                "SELECT id FROM ref WHERE connection_id=1 AND native_id='m1'",
                "SELECT item_id FROM claim WHERE value='imdb:movie:tt1'",
            )
            for row in rows.exec_driver_sql(f"EXPLAIN QUERY PLAN {select}")
        ]
    assert len(steps) == 3 and all("USING" in step and "SEARCH" in step for step in steps), steps
    database.close()
