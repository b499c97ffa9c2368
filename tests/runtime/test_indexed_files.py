"""Names are found through the index: new folders are taken in, news is noticed, and nothing slow keeps anybody waiting."""

from __future__ import annotations

import asyncio
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from playhead.ports.disk import FindsFiles, Search
from playhead.ports.file_index import Compared, Progress
from playhead.runtime.indexed_files import IndexedFiles
from playhead.store.file_index import SqlFileIndex


@pytest.fixture
def index(tmp_path: Path) -> Iterator[SqlFileIndex]:
    index = SqlFileIndex(tmp_path / "files.db")
    yield index
    index.close()


@pytest.fixture
def tv(tmp_path: Path) -> Path:
    (tmp_path / "tv" / "Show").mkdir(parents=True)
    (tmp_path / "tv" / "Show" / "one.mkv").touch()
    return tmp_path / "tv"


async def test_a_name_is_found_in_folders_that_were_never_looked_at(
    index: SqlFileIndex, tv: Path, tmp_path: Path
) -> None:
    """They join the index; the answer says which of them can be seen."""
    files: FindsFiles = IndexedFiles(index)
    gone = str(tmp_path / "gone")
    found = await files.find("one.mkv", [str(tv) + "/", gone])
    assert found == Search((str(tv / "Show" / "one.mkv"),), (str(tv),))
    assert await files.find("one.mkv", [gone]) == Search((), ())
    assert (await files.find("Show", [str(tv)])).paths == (str(tv / "Show"),)


async def test_a_folder_within_a_known_one_needs_no_look_of_its_own(index: SqlFileIndex, tv: Path) -> None:
    """A folder around known ones joins them; only what is below the asked folder is told."""
    files = IndexedFiles(index)
    await files.find("x", [str(tv / "Show")])
    await files.find("x", [str(tv)])
    await files.find("x", [str(tv / "Show" / "deeper")])
    assert [state.path for state in index.list_states()] == [str(tv), str(tv / "Show")]
    (tv / "Other").mkdir()
    (tv / "Other" / "one.mkv").touch()
    await files.refresh()
    assert (await files.find("one.mkv", [str(tv / "Show")])).paths == (str(tv / "Show" / "one.mkv"),)


async def test_a_file_that_just_came_is_found_and_one_that_went_is_not(index: SqlFileIndex, tv: Path) -> None:
    """A miss compares the folders; a hit that is no longer there is no hit."""
    files = IndexedFiles(index)
    await files.find("one.mkv", [str(tv)])
    (tv / "Show" / "two.mkv").touch()
    assert (await files.find("two.mkv", [str(tv)])).paths == (str(tv / "Show" / "two.mkv"),)
    (tv / "Show" / "one.mkv").unlink()
    assert (await files.find("one.mkv", [str(tv)])).paths == ()


async def test_folders_of_an_earlier_run_are_known(index: SqlFileIndex, tv: Path) -> None:
    """Nothing is read anew because the hub was started again."""
    await IndexedFiles(index).find("x", [str(tv)])
    await IndexedFiles(index).find("x", [])
    assert [(state.path, state.whole) for state in index.list_states()] == [(str(tv), True)]


async def test_a_hundred_misses_at_once_compare_the_folders_once(index: SqlFileIndex, tv: Path) -> None:
    """They share one look."""
    looks: list[str] = []
    compare = index.compare

    def count(root: str, on_progress: Progress | None = None) -> Compared:
        looks.append(root)
        return compare(root, on_progress)

    files = IndexedFiles(index)
    await files.find("one.mkv", [str(tv)])
    index.compare = count  # type: ignore[method-assign]
    await asyncio.gather(*(files.find(f"{number}.mkv", [str(tv)]) for number in range(100)))
    assert len(looks) <= 1


async def test_a_share_that_hangs_keeps_nobody_waiting(index: SqlFileIndex, tv: Path) -> None:
    """What is known is told after the time that one waits, and the folder is not among those that were looked in."""
    go_on = threading.Event()
    compare = index.compare

    def hang(root: str, on_progress: Progress | None = None) -> Compared:
        go_on.wait(30)
        return compare(root, on_progress)

    index.compare = hang  # type: ignore[method-assign]
    files = IndexedFiles(index, find_within_s=0.05)
    assert await files.find("one.mkv", [str(tv)]) == Search((), ())
    go_on.set()
    patient = IndexedFiles(index)
    assert (await patient.find("one.mkv", [str(tv)])).paths == (str(tv / "Show" / "one.mkv"),)


async def test_what_a_job_tells_is_known_at_once(index: SqlFileIndex, tv: Path) -> None:
    """Its folder alone is read; paths that no known folder holds are passed over."""
    files = IndexedFiles(index)
    await files.find("one.mkv", [str(tv)])
    (tv / "Show" / "told.mkv").touch()
    await files.note([str(tv / "Show" / "told.mkv"), "/elsewhere/x.mkv"])
    assert index.find("told.mkv") == [str(tv / "Show" / "told.mkv")]


async def test_at_the_start_what_is_known_is_brought_up_to_date(index: SqlFileIndex, tv: Path) -> None:
    """Nothing is walked that nobody asked about."""
    await IndexedFiles(index).begin()
    assert index.list_states() == []
    await IndexedFiles(index).find("one.mkv", [str(tv)])
    (tv / "Show" / "meanwhile.mkv").touch()
    await IndexedFiles(index).begin()
    assert index.find("meanwhile.mkv") == [str(tv / "Show" / "meanwhile.mkv")]


async def test_a_disk_that_is_away_is_not_among_what_was_looked_in(index: SqlFileIndex, tv: Path) -> None:
    """Its mount point is there and empty; nobody says that the file does not exist."""
    files = IndexedFiles(index)
    await files.find("one.mkv", [str(tv)])
    shutil.move(tv, tv.with_name("aside"))
    os.mkdir(tv)
    assert await files.find("one.mkv", [str(tv)]) == Search((), ())
    os.rmdir(tv)
    shutil.move(tv.with_name("aside"), tv)
    assert (await files.find("one.mkv", [str(tv)])).paths == (str(tv / "Show" / "one.mkv"),)
    assert await files.find("other.mkv", [str(tv)]) == Search((), (str(tv),))


async def test_a_file_that_came_after_a_look_began_is_found_by_another(index: SqlFileIndex, tv: Path) -> None:
    """However short a time ago that was."""
    compare = index.compare
    beyond, go_on = threading.Event(), threading.Event()

    def be_slow(root: str, on_progress: Progress | None = None) -> Compared:
        compared = compare(root, on_progress)
        beyond.set()
        go_on.wait(30)
        return compared

    files = IndexedFiles(index)
    await files.find("one.mkv", [str(tv)])
    index.compare = be_slow  # type: ignore[method-assign]
    early = asyncio.create_task(files.find("later.mkv", [str(tv)]))
    await asyncio.to_thread(beyond.wait, 30)
    (tv / "Show" / "later.mkv").touch()
    late = asyncio.create_task(files.find("later.mkv", [str(tv)]))
    await asyncio.sleep(0)
    go_on.set()
    await early
    assert (await late).paths == (str(tv / "Show" / "later.mkv"),)
    (tv / "Show" / "last.mkv").touch()
    assert (await files.find("last.mkv", [str(tv)])).paths == (str(tv / "Show" / "last.mkv"),)
