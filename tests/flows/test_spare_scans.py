"""Scans that need not be, and files that are waited for."""

from __future__ import annotations

from pathlib import Path

import pytest

from playhead.flows.library_lane import Pace
from tests.flows.shelves import Row

OTHERS = {f"/tv/Old {number}/S1/e.mkv" for number in range(300)}


@pytest.fixture
def row(tmp_path: Path) -> Row:
    """The hub sees what the server sees, a library of 300 shows."""
    row = Row(tmp_path, {"Shows": ("/tv/",)})
    row.disk.files = set(OTHERS)
    row.server.disk = set(OTHERS)
    row.server.shelved = {"1": set(OTHERS)}
    return row


def arrive(row: Row, *paths: str) -> None:
    row.put(*paths)
    row.disk.files |= set(paths)


async def test_a_file_that_is_not_there_yet_is_waited_for(row: Row) -> None:
    """Nothing is scanned, the job says why; when it is there one scan does."""
    number = row.ask("/tv/A/S1/e1.mkv", hurry=False)
    await row.run(6)
    [part] = row.job(number).parts
    assert part.state == "waiting" and "does not see /tv/A/S1/e1.mkv yet" in part.message
    assert row.server.scans == []
    arrive(row, "/tv/A/S1/e1.mkv")
    await row.run(5)
    assert row.states(number) == ["proved"] and row.server.scans == [("Shows", "/tv/A/S1")]


async def test_a_file_that_only_the_server_sees_is_scanned_soon(row: Row) -> None:
    """A share shows it to the hub later."""
    row.put("/tv/A/S1/e1.mkv")
    number = row.ask("/tv/A/S1/e1.mkv", hurry=False)
    await row.run(15)
    assert row.states(number) == ["proved"] and row.server.scans == [("Shows", "/tv/A/S1")]


async def test_a_move_that_takes_minutes_is_followed_by_a_scan_of_its_folder_and_no_wider_one(
    row: Row,
) -> None:
    """The post came before the move had ended."""
    number = row.ask("/tv/A/S1/e1.mkv", hurry=False)
    await row.run(120)
    arrive(row, "/tv/A/S1/e1.mkv")
    await row.run(30)
    assert row.states(number) == ["proved"]
    assert row.server.scans == [("Shows", "/tv/A/S1")] * 2


async def test_what_never_comes_is_told_in_the_end(row: Row) -> None:
    """After the wait, with what is not there."""
    number = row.ask("/tv/A/S1/e1.mkv", hurry=False)
    await row.run(1000)
    [part] = row.job(number).parts
    assert part.state == "not found" and "There is nothing at /tv/A/S1/e1.mkv" in part.message


async def test_a_name_that_is_spelled_with_other_accents_is_there(row: Row) -> None:
    """Macs write them separately."""
    arrive(row, "/tv/Am\u00e9lie/e1.mkv")
    number = row.ask("/tv/Ame\u0301lie/e1.mkv", hurry=False)
    await row.run(3)
    assert row.states(number) == ["proved"]


async def test_many_folders_are_one_scan_of_that_above_where_little_else_is_in_it(row: Row) -> None:
    """Five seasons of a show."""
    files = [f"/tv/New/S{season}/e1.mkv" for season in range(5)]
    arrive(row, *files)
    number = row.ask(*files)
    await row.run()
    assert set(row.states(number)) == {"proved"} and row.server.scans == [("Shows", "/tv/New")]


async def test_few_folders_of_a_large_library_are_scanned_each(row: Row) -> None:
    """All of it would cost more."""
    files = [f"/tv/New {show}/S1/e1.mkv" for show in range(5)]
    arrive(row, *files)
    number = row.ask(*files)
    await row.run()
    assert set(row.states(number)) == {"proved"} and len(row.server.scans) == 5


async def test_many_folders_of_it_are_one_scan(row: Row) -> None:
    """Then all of it costs less."""
    files = [f"/tv/New {show}/S1/e1.mkv" for show in range(200)]
    arrive(row, *files)
    number = row.ask(*files)
    await row.run()
    assert set(row.states(number)) == {"proved"} and row.server.scans == [("Shows", "/tv")]


async def test_a_server_that_forgets_what_it_is_asked_meanwhile_is_asked_when_it_is_idle(row: Row) -> None:
    """One folder after another, each once."""
    row.server.forgets, row.server.scan_s = True, 3.0
    files = [f"/tv/New {show}/S1/e1.mkv" for show in range(5)]
    arrive(row, *files)
    numbers = [row.ask(file) for file in files]
    await row.run(60)
    assert [row.states(number) for number in numbers] == [["proved"]] * 5
    assert sorted(path or "" for _, path in row.server.scans) == [f"/tv/New {show}/S1" for show in range(5)]


async def test_a_server_that_waits_for_quiet_is_told_once(tmp_path: Path) -> None:
    """Telling it again would start its wait anew: a folder with a file every 15 seconds would never be scanned."""
    row = Row(tmp_path, {"Shows": ("/tv",)}, Pace(look_for_s=10.0))
    row.server.delay_s = 60.0
    numbers = []
    for episode in range(20):
        arrive(row, f"/tv/A/S1/e{episode}.mkv")
        numbers.append(row.ask(f"/tv/A/S1/e{episode}.mkv", hurry=False))
        await row.run(15)
        if episode == 6:
            assert row.states(numbers[0]) == ["proved"]
    await row.run(200)
    assert {state for number in numbers for state in row.states(number)} == {"proved"}
    assert len(row.server.scans) <= 8 and set(row.server.scans) == {("Shows", "/tv/A/S1")}


async def test_a_file_that_came_too_late_for_a_report_gets_one_of_its_own(tmp_path: Path) -> None:
    """The server looked sooner than it had said."""
    row = Row(tmp_path, {"Shows": ("/tv",)}, Pace(look_for_s=10.0, longest_quiet_s=1.0))
    row.server.delay_s = 60.0
    arrive(row, "/tv/A/S1/e1.mkv")
    first = row.ask("/tv/A/S1/e1.mkv")
    await row.run(5)
    row.server.begin("1", "/tv/A/S1")
    row.server.reported.clear()
    row.server.settle()
    arrive(row, "/tv/A/S1/e2.mkv")
    second = row.ask("/tv/A/S1/e2.mkv")
    await row.run(20)
    assert row.states(first) == ["proved"] and len(row.server.scans) == 2
    await row.run(70)
    assert row.states(second) == ["proved"] and row.server.scans == [("Shows", "/tv/A/S1")] * 2
