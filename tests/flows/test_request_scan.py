"""What is asked for becomes a job, or is refused with where was looked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from playhead.flows.request_scan import NowhereToScan, ScanRequest, list_libraries, plan_request
from playhead.ports.disk import Search
from playhead.ports.library_jobs import Arrived, NewJob
from tests.flows.shelves import Row


class Names:
    """Meets ``FindsFiles``: paths by name, and the folders that can be seen."""

    def __init__(self, paths: dict[str, tuple[str, ...]], seen: tuple[str, ...]) -> None:
        self.paths, self.seen = paths, seen
        self.asked: list[str] = []

    async def find(self, name: str, folders: Sequence[str]) -> Search:
        self.asked += folders
        return Search(self.paths.get(name, ()), tuple(f for f in folders if f in self.seen))


NAMES = Names({"a.mkv": ("/tv/A/a.mkv", "/anime/a.mkv")}, ("/tv", "/anime", "/films"))


@pytest.fixture
def row(tmp_path: Path) -> Row:
    return Row(tmp_path, {"Serien": ("/tv",), "Anime": ("/anime",), "Filme": ("/films",)})


async def plan(row: Row, request: ScanRequest, names: Names = NAMES, kind: str = "") -> NewJob:
    libraries = await list_libraries([row.lane])
    return await plan_request(request, [row.lane], libraries, names, lambda name: kind, row.jobs.list_roots())


async def test_a_name_stands_for_every_path_that_has_it(row: Row) -> None:
    """In several libraries of a kind, whatever they are called."""
    job = await plan(row, ScanRequest("api", name="a.mkv"))
    assert job.arrived == (Arrived("/tv/A/a.mkv"), Arrived("/anime/a.mkv"))


async def test_a_name_that_is_nowhere_is_told_with_where_was_looked(row: Row) -> None:
    """All folders that can be seen."""
    with pytest.raises(NowhereToScan, match="/tv, /anime, /films"):
        await plan(row, ScanRequest("api", name="b.mkv"), kind="shows")


async def test_what_the_hub_cannot_see_is_chosen_by_what_the_name_says(row: Row) -> None:
    """Among the libraries with a folder that is hidden from it; a name that says nothing chooses none."""
    half = Names({}, ("/tv", "/films"))
    job = await plan(row, ScanRequest("api", name="Show S01E02.mkv"), half, "shows")
    assert (job.libraries, job.names) == (("Anime",), ("Show S01E02.mkv",))
    with pytest.raises(NowhereToScan):
        await plan(row, ScanRequest("api", name="what.mkv"), half, "")


async def test_a_library_that_is_not_there_is_told_with_those_that_are(row: Row) -> None:
    """Names are alike in upper and lower case."""
    assert (await plan(row, ScanRequest("api", library="serien"))).libraries == ("serien",)
    with pytest.raises(NowhereToScan) as told:
        await plan(row, ScanRequest("api", library="TV Shows"))
    assert "Serien, Anime, Filme on Den" in told.value.hint


async def test_a_server_that_does_not_answer_is_no_reason_to_refuse(row: Row) -> None:
    """The job waits for it; names are looked for where files were seen before."""
    row.jobs.note_root("/tv")
    row.server.down = True
    assert (await plan(row, ScanRequest("api", library="Any"))).connections == ("Den",)
    assert (await plan(row, ScanRequest("api", paths=("/any/x",)))).arrived == (Arrived("/any/x"),)
    names = Names(NAMES.paths, ("/tv",))
    assert (await plan(row, ScanRequest("api", name="a.mkv"), names)).arrived and names.asked == ["/tv"]


async def test_paths_that_no_library_holds_are_refused_if_none_of_them_is_held(row: Row) -> None:
    """One that is, is enough: the others end with a word of their own."""
    job = await plan(row, ScanRequest("api", paths=("/tv/x", "/nowhere"), gone=True))
    assert job.arrived == (Arrived("/tv/x", True), Arrived("/nowhere", True))
    with pytest.raises(NowhereToScan, match="Looked in: /tv, /anime, /films on Den"):
        await plan(row, ScanRequest("api", paths=("/nowhere",)))


async def test_the_kind_of_a_library_counts(row: Row) -> None:
    """A film is not looked for in a library of shows."""
    libraries = await list_libraries([row.lane])
    films = [
        msgspec.structs.replace(each, kind="movies" if each.title == "Filme" else "shows")
        for each in libraries["Den"] or ()
    ]
    request = ScanRequest("api", name="A Film (1999).mkv")
    job = await plan_request(request, [row.lane], {"Den": films}, Names({}, ()), lambda name: "movies")
    assert job.libraries == ("Filme",)
