"""Jobs outlive their process, are taken until they end, and are forgotten after a while."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import msgspec
import pytest

from playhead.ports.errors import PlayheadError
from playhead.ports.library_jobs import Arrived, FoundItem, NewJob, PartState
from playhead.store.library_jobs import SqlLibraryJobs

replace = msgspec.structs.replace
JOB = NewJob("api", "two files", (Arrived("/tv/A/a.mkv"), Arrived("/tv/A/b.mkv", gone=True)))


@pytest.fixture
def jobs(tmp_path: Path) -> SqlLibraryJobs:
    return SqlLibraryJobs(tmp_path / "library.db")


def test_a_job_has_a_part_for_each_path_on_each_connection(jobs: SqlLibraryJobs) -> None:
    """And they come when they are due, the oldest first."""
    number = jobs.add(JOB, ["Den", "Attic"], 10.0, 12.0)
    assert jobs.take("Den", 11.9, 10) == []
    parts = jobs.take("Den", 12.0, 10)
    assert [(part.path, part.gone, part.job_id) for part in parts] == [
        ("/tv/A/a.mkv", False, number),
        ("/tv/A/b.mkv", True, number),
    ]
    assert jobs.next_due("Attic") == 12.0 and jobs.next_due("Cellar") is None


def test_it_is_there_after_a_kill_as_it_was_saved(tmp_path: Path) -> None:
    """Another process opens the file while the first never closed it."""
    first = SqlLibraryJobs(tmp_path / "library.db")
    number = first.add(JOB, ["Den"], 10.0, 10.0)
    [one, _] = first.take("Den", 10.0, 10)
    first.save([replace(one, state=PartState.scanning, due_at=20.0, target="/tv/A")], 11.0)
    again = SqlLibraryJobs(tmp_path / "library.db")
    loaded = again.load(number)
    assert loaded is not None and loaded.new == JOB and loaded.state is PartState.scanning
    assert [part.target for part in loaded.parts] == ["/tv/A", None]
    assert [part.path for part in again.take("Den", 15.0, 10)] == ["/tv/A/b.mkv"]


def test_a_job_ends_with_its_last_part_and_an_end_is_final(jobs: SqlLibraryJobs) -> None:
    """What is saved after its end changes nothing and is not counted twice."""
    number = jobs.add(JOB, ["Den"], 10.0, 10.0)
    one, two = jobs.take("Den", 10.0, 10)
    found = (FoundItem("7", "A"),)
    jobs.save([replace(one, state=PartState.proved, items=found)], 11.0)
    half = jobs.load(number)
    assert half is not None and half.ended_at is None and half.state is PartState.waiting
    jobs.save([replace(one, state=PartState.failed), replace(two, state=PartState.gone)], 12.0)
    done = jobs.load(number)
    assert done is not None and done.ended_at == 12.0 and done.state is PartState.proved
    assert done.parts[0].items == found
    assert jobs.count() == {("Den", "proved"): 1, ("Den", "gone"): 1}
    assert jobs.take("Den", 99.0, 10) == []


def test_a_part_can_become_several(jobs: SqlLibraryJobs) -> None:
    """Where several libraries hold its path; the job waits for each."""
    number = jobs.add(NewJob("api", "", (Arrived("/tv/a.mkv"),)), ["Den"], 10.0, 10.0)
    [part] = jobs.take("Den", 10.0, 10)
    jobs.save([replace(part, library="A"), replace(part, id=0, library="B")], 10.0)
    job = jobs.load(number)
    assert job is not None and [each.library for each in job.parts] == ["A", "B"]
    assert len({each.id for each in job.parts}) == 2


def test_two_reports_of_one_thing_are_one_job(jobs: SqlLibraryJobs) -> None:
    """By the key, within minutes, and only where the second says nothing new."""
    first = jobs.add(replace(JOB, key="import 7"), ["Den"], 10.0, 10.0)
    assert jobs.add(NewJob("sonarr", "", JOB.arrived[:1], key="import 7"), ["Den"], 20.0, 20.0) == first
    assert jobs.add(replace(JOB, key="import 7", arrived=(Arrived("/new"),)), ["Den"], 21.0, 21.0) != first
    assert jobs.add(replace(JOB, key="import 7"), ["Den"], 4000.0, 4000.0) != first
    assert jobs.add(JOB, ["Den"], 22.0, 22.0) != jobs.add(JOB, ["Den"], 22.0, 22.0)


def test_what_ended_is_forgotten_after_weeks_and_what_is_open_never(tmp_path: Path) -> None:
    """Its parts go with it; the counts stay."""
    jobs = SqlLibraryJobs(tmp_path / "library.db", keep_s=100.0)
    over = jobs.add(NewJob("api", "", (Arrived("/a"),)), ["Den"], 10.0, 10.0)
    still = jobs.add(JOB, ["Attic"], 10.0, 10.0)
    jobs.save([replace(part, state=PartState.proved) for part in jobs.take("Den", 10.0, 9)], 11.0)
    jobs.add(JOB, [], 5000.0, 5000.0)
    assert jobs.load(over) is None and jobs.load(still) is not None
    assert jobs.count()["Den", "proved"] == 1
    assert sqlite3.connect(tmp_path / "library.db").execute("SELECT count(*) FROM part").fetchone() == (2,)


def test_a_job_without_a_connection_has_ended_at_once(jobs: SqlLibraryJobs) -> None:
    """Nobody has a library for it."""
    job = jobs.load(jobs.add(JOB, [], 5.0, 5.0))
    assert job is not None and job.ended_at == 5.0 and job.state is PartState.no_library
    assert [each.id for each in jobs.list_newest(10)] == [job.id]


def test_roots_are_remembered(tmp_path: Path) -> None:
    """Also by the next process."""
    jobs = SqlLibraryJobs(tmp_path / "library.db")
    jobs.note_root("/tv")
    jobs.note_root("/tv")
    assert SqlLibraryJobs(tmp_path / "library.db").knows_root("/tv") and not jobs.knows_root("/films")


def test_a_file_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    """And said so."""
    with sqlite3.connect(tmp_path / "library.db") as other:
        other.execute("PRAGMA user_version=99")
    with pytest.raises(PlayheadError, match="another version"):
        SqlLibraryJobs(tmp_path / "library.db")
