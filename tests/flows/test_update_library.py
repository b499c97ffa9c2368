"""From a path that arrived to the proof, on one connection, step by step."""

from __future__ import annotations

from pathlib import Path

import pytest

from playhead.domain.library.mapping import MappedFolder, PathMap
from playhead.flows.library_lane import Pace
from playhead.flows.prove_library import OWN
from playhead.flows.update_library import LibraryUpdate
from playhead.ports.library_jobs import NewJob
from tests.flows.shelves import Row


@pytest.fixture
def row(tmp_path: Path) -> Row:
    return Row(tmp_path, {"Shows": ("/tv/",), "Films": ("/films",)})


async def test_a_file_is_proved_by_a_scan_of_its_folder(row: Row) -> None:
    """One scan, and the item that has it is named."""
    row.put("/tv/A/S1/e1.mkv")
    number = row.ask("/tv/A/S1/e1.mkv")
    await row.run()
    [part] = row.job(number).parts
    assert (part.state, part.library, part.means) == ("proved", "Shows", "folder")
    assert [item.title for item in part.items] == ["e1"]
    assert row.server.scans == [("Shows", "/tv/A/S1")]
    assert row.server.requests == 3


async def test_ten_files_of_a_folder_in_ten_jobs_are_one_scan(row: Row) -> None:
    """Each within the quiet time of the one before; all are proved."""
    numbers = []
    for episode in range(10):
        row.put(f"/tv/A/S1/e{episode}.mkv")
        numbers.append(row.ask(f"/tv/A/S1/e{episode}.mkv", hurry=False))
        row.clock.now += 0.5
        await row.run(0)
    await row.run()
    assert row.server.scans == [("Shows", "/tv/A/S1")]
    assert {state for number in numbers for state in row.states(number)} == {"proved"}


async def test_a_burst_that_does_not_end_is_scanned_all_the_same(row: Row) -> None:
    """After the longest quiet time."""
    for episode in range(40):
        row.put(f"/tv/A/S1/e{episode}.mkv")
        row.ask(f"/tv/A/S1/e{episode}.mkv", hurry=False)
        row.clock.now += 0.5
        await row.run(0)
    assert row.server.scans == [("Shows", "/tv/A/S1")] * 2


async def test_a_scan_of_the_folder_above_does_for_those_below(row: Row) -> None:
    """Also for one whose own quiet time is not over."""
    row.put("/tv/A/S1/e1.mkv", "/tv/A/S2/e1.mkv")
    first = row.ask("/tv/A/S1/e1.mkv", hurry=False)
    row.ask("/tv/A")
    await row.run()
    assert row.server.scans == [("Shows", "/tv/A")]
    assert row.states(first) == ["proved"]


async def test_it_widens_from_folder_to_parent_to_library_and_in_the_end_says_so(row: Row) -> None:
    """A server that never makes an item of it."""
    number = row.ask("/tv/A/S1/e1.mkv")
    await row.run()
    assert row.server.scans == [("Shows", "/tv/A/S1"), ("Shows", "/tv/A"), ("Shows", None)]
    [part] = row.job(number).parts
    assert part.state == "not found"
    assert "/tv/A/S1, /tv/A, all of Shows" in part.message and "nothing at /tv/A/S1/e1.mkv" in part.message


async def test_a_brand_new_folder_that_its_own_scan_misses_is_found_by_the_one_above(row: Row) -> None:
    """The wider scan is tried, and no wider than needed."""
    row.put("/tv/A/S1/e1.mkv")
    row.server.blind_for = {"/tv/A/S1"}
    number = row.ask("/tv/A/S1/e1.mkv")
    await row.run()
    assert row.server.scans == [("Shows", "/tv/A/S1"), ("Shows", "/tv/A")]
    assert row.states(number) == ["proved"]


async def test_all_libraries_that_hold_a_path_are_scanned(tmp_path: Path) -> None:
    """One part for each, and the job waits for all."""
    row = Row(tmp_path, {"All": ("/media",), "Films": ("/media/films/",)})
    row.put("/media/films/A/a.mkv")
    number = row.ask("/media/films/A/a.mkv")
    await row.run()
    assert sorted(row.server.scans) == [("All", "/media/films/A"), ("Films", "/media/films/A")]
    assert row.states(number) == ["proved", "proved"]


async def test_a_path_of_no_library_is_told_with_where_the_libraries_are(row: Row) -> None:
    """Nothing is scanned."""
    number = row.ask("/music/a.flac")
    await row.run()
    [part] = row.job(number).parts
    assert part.state == "no library" and "/tv/, /films" in part.message and not row.server.scans


async def test_a_library_made_or_renamed_meanwhile_is_known(row: Row) -> None:
    """Libraries are asked for anew each time."""
    row.server.libraries["9"] = ("Anime", ("/anime",))
    row.server.shelved["9"] = set()
    row.server.libraries["1"] = ("Serien", ("/tv",))
    row.put("/anime/x.mkv", "/tv/A/a.mkv")
    number = row.ask("/anime/x.mkv", "/tv/A/a.mkv")
    await row.run()
    assert {(part.library, part.state) for part in row.job(number).parts} == {
        ("Anime", "proved"),
        ("Serien", "proved"),
    }


async def test_a_deletion_is_proved_when_no_item_has_the_file_any_more(row: Row) -> None:
    """And what the server keeps is told."""
    row.put("/tv/A/a.mkv", "/tv/A/b.mkv")
    row.server.shelved["1"] = {"/tv/A/a.mkv", "/tv/A/b.mkv"}
    row.server.disk.discard("/tv/A/a.mkv")
    went, stays = row.ask("/tv/A/a.mkv", gone=True), row.ask("/tv/A/b.mkv", gone=True)
    row.disk.files = {"/tv/A/b.mkv"}
    await row.run()
    assert row.states(went) == ["gone"] and row.states(stays) == ["still there"]
    assert "still at /tv/A/b.mkv" in row.job(stays).parts[0].message


async def test_a_folder_that_the_hub_sees_is_proved_by_its_files(row: Row) -> None:
    """All of them; without a disk of its own the hub only says that the folder was scanned."""
    row.put("/tv/A/e1.mkv", "/tv/A/e2.mkv")
    row.disk.files = {"/tv/A/e1.mkv", "/tv/A/e2.mkv", "/tv/A/e1.srt"}
    seen = row.ask("/tv/A")
    unseen = row.ask("/films/B")
    await row.run()
    assert row.states(seen) == ["proved"] and len(row.job(seen).parts[0].items) == 2
    assert row.states(unseen) == ["scanned"]


async def test_a_library_that_is_being_scanned_is_waited_for(row: Row) -> None:
    """A scan that began before the file was known may have passed its folder: one of its own follows."""
    row.server.scan_s = 30.0
    row.server.begin("1", None)
    row.put("/tv/A/a.mkv")
    await row.update.look_around()
    number = row.ask("/tv/A/a.mkv")
    await row.run(10)
    assert row.server.scans == [] and "waits for its end" in row.job(number).parts[0].message
    await row.run()
    assert row.states(number) == ["proved"] and row.server.scans == [("Shows", "/tv/A")]


async def test_the_wait_for_a_busy_library_has_a_bound(tmp_path: Path) -> None:
    """A server that scans for ever is asked all the same."""
    row = Row(tmp_path, {"Shows": ("/tv",)}, Pace(busy_longest_s=60.0))
    row.server.scan_s = 1e6
    row.server.begin("1", None)
    row.ask("/tv/A/a.mkv")
    await row.run(100)
    assert row.server.scans == [("Shows", "/tv/A")]


async def test_a_scan_that_the_server_began_after_the_file_was_known_is_enough(row: Row) -> None:
    """Known from the order in which the hub saw things: it was idle, and then it was scanning."""
    row.server.scan_s = 5.0
    row.put("/tv/A/a.mkv")
    number = row.ask("/tv/A/a.mkv", hurry=False)
    row.clock.now += 0.2
    await row.update.look_around()
    row.server.begin("1", None)
    await row.run()
    assert row.states(number) == ["proved"] and row.server.scans == []
    assert row.job(number).parts[0].means == OWN


async def test_a_scan_of_the_servers_own_that_missed_the_file_is_followed_by_one_that_is_asked_for(
    row: Row,
) -> None:
    """It may have been of another folder."""
    row.server.scan_s = 5.0
    row.put("/tv/A/a.mkv")
    number = row.ask("/tv/A/a.mkv", hurry=False)
    await row.update.look_around()
    row.server.begin("1", "/tv/Other")
    await row.run()
    assert row.states(number) == ["proved"] and row.server.scans == [("Shows", "/tv/A")]


async def test_a_server_that_is_down_is_tried_again_until_it_is_back(row: Row) -> None:
    """Later each time, and at once for all when it answers; nothing is lost."""
    row.server.down = True
    row.put(*(f"/tv/A/e{n}.mkv" for n in range(5)))
    numbers = [row.ask(f"/tv/A/e{n}.mkv") for n in range(5)]
    await row.run(3600)
    assert row.server.requests < 80
    assert "Nobody answers" in row.job(numbers[0]).parts[0].message and row.update.error
    row.server.down = False
    await row.run(301)
    assert row.server.scans == [("Shows", "/tv/A")] and not row.update.error
    assert all(row.states(number) == ["proved"] for number in numbers)


async def test_a_job_that_waited_for_days_has_failed(row: Row) -> None:
    """And says what the server said."""
    row.server.down = True
    number = row.ask("/tv/A/a.mkv")
    await row.run(4 * 24 * 3600)
    assert row.states(number) == ["failed"] and "Nobody answers" in row.job(number).parts[0].message


async def test_a_missing_anchor_keeps_its_libraries_from_being_scanned(row: Row) -> None:
    """Until it is back; the other libraries go on."""
    row.lane.anchors = ("/tv/.here",)
    row.put("/tv/A/a.mkv", "/films/B/b.mkv")
    waits, goes = row.ask("/tv/A/a.mkv"), row.ask("/films/B/b.mkv")
    await row.run(60)
    assert row.server.scans == [("Films", "/films/B")]
    assert row.states(goes) == ["proved"] and "/tv/.here" in row.job(waits).parts[0].message
    assert list(row.lane.waits) == ["Shows /tv/"]
    row.disk.files |= {"/tv/.here"}
    await row.run(60)
    assert row.states(waits) == ["proved"] and not row.lane.waits


@pytest.mark.parametrize("how", ["absent", "bare"])
async def test_a_folder_that_held_files_and_is_away_or_empty_waits(row: Row, how: str) -> None:
    """A share that is not mounted looks like a library from which everything was deleted."""
    row.disk.files = {"/tv/A/a.mkv"}
    await row.update.look_around()
    row.server.shelved["1"] = {"/tv/A/a.mkv"}
    row.disk.files = set()
    getattr(row.disk, how).add("/tv/")
    number = row.ask("/tv/A/a.mkv", gone=True)
    await row.run(60)
    assert row.server.scans == [] and row.server.shelved["1"] and row.states(number) == ["waiting"]


async def test_paths_are_mapped_to_the_servers_words(tmp_path: Path) -> None:
    """Windows' form included."""
    row = Row(tmp_path, {"Films": ("D:\\Films\\",)})
    row.lane.paths = PathMap([MappedFolder("D:\\Films", "/media/films")])
    row.put("D:\\Films\\A\\a.mkv")
    number = row.ask("/media/films/A/a.mkv")
    await row.run()
    assert row.states(number) == ["proved"] and row.server.scans == [("Films", "D:\\Films\\A")]


async def test_a_whole_library_is_scanned_by_its_name(row: Row) -> None:
    """Upper and lower case alike; one that is not there is told with those that are."""
    number = row.jobs.add(
        NewJob("plexlib", libraries=("shows", "Music"), hurry=True), ["Den"], 1000.0, 1000.0
    )
    await row.run()
    assert row.states(number) == ["scanned", "no library"]
    assert row.server.scans == [("Shows", None)] and "Shows, Films" in row.job(number).parts[1].message


async def test_a_bare_name_is_proved_by_name_in_a_library_that_is_scanned_whole(row: Row) -> None:
    """For a file that the hub cannot see."""
    row.put("/tv/A/a.s01e02.mkv")
    job = NewJob("api", libraries=("Shows",), names=("A.s01e02.mkv",), hurry=True)
    number = row.jobs.add(job, ["Den"], 1000.0, 1000.0)
    await row.run()
    assert row.states(number) == ["proved"]


async def test_a_killed_process_goes_on_where_it_was(row: Row) -> None:
    """What was asked of the server is not asked again."""
    row.server.scan_s = 20.0
    row.put("/tv/A/a.mkv")
    number = row.ask("/tv/A/a.mkv")
    await row.run(2)
    row.update = LibraryUpdate(row.lane)
    await row.run()
    assert row.states(number) == ["proved"] and row.server.scans == [("Shows", "/tv/A")]


async def test_a_server_that_tells_nothing_of_its_scans_is_given_time(row: Row) -> None:
    """Proof by path needs no signal."""
    row.server.tells = False
    row.server.scan_s = 8.0
    row.put("/tv/A/a.mkv")
    number, whole = row.ask("/tv/A/a.mkv"), row.ask("/films")
    await row.run()
    assert row.states(number) == ["proved"] and row.states(whole) == ["scanned"]


async def test_an_old_item_is_not_taken_for_gone(row: Row) -> None:
    """A quick look knows only what came lately; what is to be gone is looked for in the whole list."""
    row.put("/tv/A/old.mkv")
    row.server.shelved["1"] = row.server.old = {"/tv/A/old.mkv"}
    number, again = row.ask("/tv/A/old.mkv", gone=True), row.ask("/tv/A/old.mkv")
    await row.run()
    assert row.states(number) == ["still there"]
    assert row.states(again) == ["proved"] and row.job(again).parts[0].width == 0


async def test_a_folder_that_is_gone_is_scanned_from_above(row: Row) -> None:
    """As far up as the hub's own disk shows; without a disk it widens to there."""
    row.server.shelved["1"] = {"/tv/A/S1/e1.mkv", "/tv/B/e1.mkv"}
    row.put("/tv/B/e1.mkv")
    row.disk.files = {"/tv/B/e1.mkv"}
    number = row.ask("/tv/A/S1/e1.mkv", gone=True)
    await row.run()
    assert row.states(number) == ["gone"] and row.server.scans == [("Shows", "/tv")]


async def test_files_that_keep_coming_into_many_folders_are_few_scans(row: Row) -> None:
    """The first of a folder goes at once; then a folder is scanned every ten seconds at most, and nothing is left out."""
    numbers = []
    for place in range(300):
        file = f"/tv/Show {place % 40}/e{place}.mkv"
        row.put(file)
        numbers.append(row.ask(file, hurry=False))
        row.clock.now += 0.12
        await row.run(0)
    await row.run()
    assert all(row.states(number) == ["proved"] for number in numbers)
    assert len(row.server.scans) <= 40 * 5
    assert row.job(numbers[0]).ended_at - row.job(numbers[0]).made_at < 2  # type: ignore[operator]


async def test_a_server_that_scans_more_than_was_asked_is_asked_once(row: Row) -> None:
    """A new show's nearest folder that it knows is the library's: one scan does for all new shows."""
    row.put("/tv/A/a.mkv", "/tv/B/b.mkv")
    row.server.nearest = "/tv/"
    number = row.ask("/tv/A/a.mkv", "/tv/B/b.mkv")
    await row.run()
    assert row.states(number) == ["proved", "proved"] and len(row.server.scans) == 1


async def test_a_scan_whose_beginning_the_server_told_is_known_to_have_begun_after_the_file(row: Row) -> None:
    """Its end is told as well: the item is looked for at once."""
    row.server.scan_s = 30.0
    row.put("/tv/A/a.mkv")
    number = row.ask("/tv/A/a.mkv", hurry=False)
    row.clock.now += 0.5
    row.server.begin("1", None)
    row.update.hear("1", began=True)
    await row.run(29)
    assert row.states(number) == ["proving"] and row.server.scans == []
    row.clock.now = 1030.6
    row.update.hear("1", began=False)
    await row.update.turn()
    assert row.states(number) == ["proved"] and row.server.scans == []


async def test_what_servers_make_no_item_of_is_not_looked_for(row: Row) -> None:
    """A film's folder with a sample, a trailer, extras, a subtitle and an unfinished file; the film itself is the proof."""
    film = "/films/Heat (1995)/Heat (1995).mkv"
    beside = ("Heat-trailer.mkv", "sample.mkv", "Sample/heat.mkv", "Featurettes/On set.mkv", "Heat.en.srt")
    files = {film, *(f"/films/Heat (1995)/{name}" for name in (*beside, "Other/b.mkv", "_UNPACK_x/c.mkv"))}
    row.disk.files = files
    row.put(film)
    folder, alone = row.ask("/films/Heat (1995)"), row.ask("/films/Heat (1995)/Heat-trailer.mkv")
    await row.run()
    assert row.states(folder) == ["proved"] and row.states(alone) == ["scanned"]
    assert row.job(folder).parts[0].proofs == (film,) and row.server.scans == [
        ("Films", "/films/Heat (1995)")
    ]


async def test_a_show_that_is_called_like_a_folder_of_extras_has_its_proof(row: Row) -> None:
    """So has a file whose name merely begins so."""
    files = ("/tv/Shorts/S1/Shorts - s01e01.mkv", "/tv/A/S1/Trailer Park Boys s01e01.mkv")
    row.disk.files = set(files)
    row.put(*files)
    numbers = [row.ask(file) for file in files]
    await row.run()
    assert [row.states(number) for number in numbers] == [["proved"], ["proved"]]


async def test_a_folder_that_is_called_like_a_file_is_a_folder(row: Row) -> None:
    """Downloads come so; the disk knows."""
    file = "/films/Heat.1995.mkv/heat.mkv"
    row.disk.files = {file}
    row.put(file)
    number = row.ask("/films/Heat.1995.mkv")
    await row.run()
    assert row.states(number) == ["proved"] and row.server.scans == [("Films", "/films/Heat.1995.mkv")]
