"""What Sonarr and its kin tell becomes jobs."""

from __future__ import annotations

from playhead.domain.library.mapping import MappedFolder, PathMap
from playhead.flows.take_arrivals import plan_arrivals
from playhead.ports.arrivals import Arrival
from playhead.ports.library_jobs import Arrived

PATHS = PathMap([MappedFolder("/tv", "/mnt/tv")])


def plan(what: str, *paths: str, **more: object) -> list[tuple[Arrived, ...]]:
    arrival = Arrival(what, paths, "/tv/A", "A", "sonarr", "Told", **more)  # type: ignore[arg-type]
    return [job.arrived for job in plan_arrivals([arrival], PATHS)]


def test_files_that_came_are_in_the_hubs_words() -> None:
    """What is mapped nowhere is taken as it is."""
    assert plan("arrived", "/tv/A/1.mkv", "/other/2.mkv") == [
        (Arrived("/mnt/tv/A/1.mkv"), Arrived("/other/2.mkv"))
    ]


def test_what_gave_way_goes() -> None:
    """Of an upgrade and of a rename; a path that is there again has not gone."""
    assert plan("upgraded", "/tv/A/new.mkv", before=("/tv/A/old.mkv", "/tv/A/new.mkv")) == [
        (Arrived("/mnt/tv/A/new.mkv"), Arrived("/mnt/tv/A/old.mkv", gone=True))
    ]
    assert plan("deleted", "/tv/A/x.mkv") == [(Arrived("/mnt/tv/A/x.mkv", gone=True),)]


def test_half_of_an_upgrade_waits_for_its_other_half() -> None:
    """The download that follows tells both files."""
    assert plan("deleted", "/tv/A/old.mkv", half=True) == []


def test_without_a_file_the_folder_is_scanned() -> None:
    """And where not even a folder is told, nothing."""
    assert plan("arrived") == [(Arrived("/mnt/tv/A"),)]
    assert plan_arrivals([Arrival("arrived", (), "", "", "sonarr", "Told")], PATHS) == []


def test_the_key_folds_two_posts_of_one_import_by_sender() -> None:
    """Two senders may use the same one."""
    arrivals = [
        Arrival("arrived", ("/tv/a.mkv",), "", "", source, "Told", key="7") for source in ("sonarr", "radarr")
    ]
    assert [job.key for job in plan_arrivals(arrivals, PATHS)] == ["sonarr:7", "radarr:7"]
