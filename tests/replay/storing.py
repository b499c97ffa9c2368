"""Imports recorded lists the whole way: adapter, paging, database. Every recorded list stands as a library of its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from playhead.flows.read import ReadRequest, read_accounts
from playhead.ports.backend import Backend, Capabilities, Library
from playhead.ports.store import ReadResult
from playhead.sandbox.replay import Recording, RecordingSet
from playhead.store.accounts import ensure_account
from playhead.store.database import Database, open_database
from playhead.store.readings import Readings
from tests.replay.counting import Row, count
from tests.replay.importing import MUSIC, serve

NOW = 1_790_000_000
FACETS = frozenset({"watched", "progress"})
CAPABILITIES = Capabilities(reads=FACETS, writes=FACETS, takes_date=True, lean_lists=False, page_size=1000)


class Stored(NamedTuple):
    """What came of an import, and what the files hold."""

    results: list[ReadResult]
    rows: dict[str, Row | None]
    shows: set[str]
    expected: dict[str, Row]
    expected_shows: set[str]


class Offered:
    """A backend whose libraries are the recorded lists; everything else is the backend's own."""

    def __init__(self, backend: Backend, lists: Iterable[Recording], kind: str) -> None:
        self._backend = backend
        self._libraries = [Library(entry.key, entry.key, _holds(entry, kind)) for entry in lists]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)

    async def list_libraries(self) -> list[Library]:
        return self._libraries

    async def confirm_played(self, _native_ids: Sequence[str]) -> None:
        """The lists are to be believed: no tape asked the filter about the very items of each list."""


def _holds(entry: Recording, kind: str) -> Any:
    if kind != "plex":
        return ("movie", "episode")
    return ("movie",) if entry.listed == "movie" else ("episode",)


def importable(recorded: RecordingSet) -> list[Recording]:
    """Lists that begin at their beginning and hold what Playhead keeps in agreement."""
    return [entry for entry in recorded.lists if entry.start == 0 and entry.listed not in MUSIC]


async def import_set(recorded: RecordingSet, home: Path) -> Stored:
    """Import a set into a new database and read back what is there."""
    lists = importable(recorded)
    database = open_database(home)
    async with serve(recorded) as (backend, _):
        key = ensure_account(
            database,
            person_name="replay",
            connection_name=recorded.name,
            kind=recorded.kind,
            server_id=recorded.name,
            user_id="replay",
            user_name="replay",
            now=NOW,
        )
        offered: Any = Offered(backend, lists, recorded.kind)
        results: list[ReadResult] = []
        with Readings(database) as store:
            for number, entry in enumerate(lists):  # one run a list, in the order in which they were recorded
                request = ReadRequest(
                    key.account_id,
                    key.connection_id,
                    recorded.name,
                    offered,
                    CAPABILITIES,
                    takes=lambda library_id, _title, wanted=entry.key: library_id == wanted,
                )
                results += await read_accounts([request], store, clock=lambda at=NOW + 100 * number: at)
    rows, shows = _read_back(database, recorded.kind)
    return Stored(results, rows, shows, *_expect(lists))


def _read_back(database: Database, kind: str) -> tuple[dict[str, Row | None], set[str]]:
    with database.read() as connection:
        shows = connection.exec_driver_sql("SELECT native_id FROM ref WHERE is_show")
        told = {str(native_id) for (native_id,) in shows}
        found = connection.exec_driver_sql(
            "SELECT r.native_id, s.ref_id, s.watched, s.position_s, s.rating, s.favourite FROM ref r"
            " LEFT JOIN state s ON s.ref_id = r.id WHERE NOT r.is_show"
        )
        rows = {str(row[0]): _as_row(row, kind) for row in found}
    return rows, told


def _as_row(row: Sequence[Any], kind: str) -> Row | None:
    """None without a row in ``state``: blank and never another, or never told (``store.schema``)."""
    native_id, stored, watched, position, rating, favourite = row
    if stored is None:
        return None
    liked = None if kind == "plex" or favourite is None else bool(favourite)
    return Row(
        str(native_id), bool(watched), position is not None and position > 0, rating is not None, liked
    )


def agrees(expected: Row, stored: Row | None) -> bool:
    """Whether the database says of an item what the files say."""
    if stored is None:
        return not (expected.watched or expected.in_progress or expected.rated or expected.favourite)
    return stored == expected


def _expect(lists: list[Recording]) -> tuple[dict[str, Row], set[str]]:
    """The files' rows, a later list's over an earlier one's; what a later list does not tell stays."""
    rows: dict[str, Row] = {}
    shows: set[str] = set()
    for entry in lists:
        assert entry.file is not None
        counted = count(entry.file, entry.place)
        shows |= {*counted.shows, *counted.named}
        for row in counted.leaves:
            if row.watched is not None or row.id not in rows:
                rows[row.id] = row
    return rows, shows
