"""Rows on their way into the database: what stands in them is what is stored, and what goes wrong is told as elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from playhead.store.database import open_database
from playhead.store.rows import ROWS_AT_ONCE, Leaves, Rows

SEVERAL = ROWS_AT_ONCE + 1  # a full bundle, and one beside it
NUMBERS = range(1, SEVERAL + 1)


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    """A database with a write transaction that is rolled back."""
    database = open_database(tmp_path)
    with database.connect_writer() as connection:
        connection.begin()
        yield connection
        connection.rollback()
    database.close()


def test_what_is_not_known_is_stored_as_null_and_a_yes_or_no_as_an_integer(connection: Connection) -> None:
    rows = Rows()
    for ref in NUMBERS:
        rows.states.append((1, ref, True, None, None, 0, 1.0, None, False, 7, 1, 100))
    rows.write(connection)
    stored = connection.exec_driver_sql(
        "SELECT watched, plays, last_played, position_s, rating, favourite, unplayed, typeof(watched), typeof(rating),"
        " count(*) FROM state GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9"
    ).all()
    assert [tuple(row) for row in stored] == [
        (1, None, None, 0, 1.0, None, 0, "integer", "real", SEVERAL),
    ]


def test_columns_of_new_refs_keep_their_places_and_their_gaps(connection: Connection) -> None:
    rows, count = Rows(), SEVERAL
    years = [None if ref % 2 else 1990 for ref in NUMBERS]
    nothing, empty = [None] * count, [""] * count
    names = [f"n{ref}" for ref in NUMBERS]
    rows.leaves.append(
        Leaves(
            *(2, 3, 4),
            (
                *(
                    NUMBERS,
                    names,
                    NUMBERS,
                    years,
                    nothing,
                    nothing,
                    nothing,
                    [1] * count,
                    [60] * count,
                    nothing,
                ),
                *(nothing, names, empty, empty, NUMBERS),
            ),
        )
    )
    assert len(rows) == count
    rows.write(connection)
    stored = connection.exec_driver_sql(
        "SELECT id, native_id, item_id, year, season, runtime_s, state_key, files, connection_id, library_id, first_run"
        " FROM ref ORDER BY id"
    ).all()
    assert [tuple(row) for row in stored] == [
        (ref, f"n{ref}", ref, year, None, 60, None, f"n{ref}", 2, 3, 4)
        for ref, year in zip(NUMBERS, years, strict=True)
    ]


@pytest.mark.parametrize("count", [1, 4_000])
def test_a_full_disk_is_told_as_an_error_of_the_database(connection: Connection, count: int) -> None:
    pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
    rows = Rows()
    rows.claims += [(f"imdb:movie:tt{number:07}" * (4_000 // count), number) for number in range(count)]
    with pytest.raises(DBAPIError) as told:
        rows.write(connection)
    assert "full" in str(told.value.orig)
