"""When a file is whole, and what is a rename: decided from changes, looks and times alone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from playhead.ports.arrivals import Arrival
from playhead.ports.file_index import FileChange
from playhead.runtime.settling import CLOSED_FOR_S, RENAMED_WITHIN_S, Settling

SETTLE_S = 5.0


def came(path: str, inode: int, *, is_folder: bool = False) -> FileChange:
    return FileChange("came", path, inode, is_folder)


def went(path: str, inode: int, *, is_folder: bool = False) -> FileChange:
    return FileChange("went", path, inode, is_folder)


def tell(settling: Settling, now: float, size: int = 9) -> list[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    looks = dict.fromkeys(settling.list_pending(), (size, size))
    return [(each.what, each.paths, each.before) for each in settling.tell(looks, now)]


def test_a_file_that_grows_is_left_alone_until_it_has_stood_still() -> None:
    """For the whole of the time that was set, from its last move on."""
    settling = Settling(SETTLE_S)
    settling.take([came("/tv/a.mkv", 1)], 0.0)
    for second in range(20):
        assert tell(settling, float(second), size=second) == []
    assert tell(settling, 19 + SETTLE_S - 0.1, size=19) == []
    assert tell(settling, 19 + SETTLE_S, size=19) == [("arrived", ("/tv/a.mkv",), ())]
    assert settling.is_idle()


def test_a_file_that_was_closed_is_whole_at_once() -> None:
    """Unless it is empty, or goes on growing."""
    settling = Settling(SETTLE_S)
    settling.take([came("/tv/a.mkv", 1), came("/tv/empty.mkv", 2), came("/tv/more.mkv", 3)], 0.0)
    for name in ("a", "empty", "more"):
        settling.note_closed(f"/tv/{name}.mkv", 0.0)
    sizes = {"/tv/a.mkv": (9, 9), "/tv/empty.mkv": (0, 0), "/tv/more.mkv": (1, 1)}
    assert settling.tell(sizes, 0.1) == []
    told = settling.tell(sizes | {"/tv/more.mkv": (2, 2)}, 0.1 + CLOSED_FOR_S)
    assert [each.paths for each in told] == [("/tv/a.mkv",)]
    assert settling.tell({"/tv/more.mkv": (2, 2), "/tv/empty.mkv": (0, 0)}, 1.0) == []
    assert tell(settling, 30.0) == []
    assert tell(settling, 36.0) == [("arrived", ("/tv/empty.mkv", "/tv/more.mkv"), ())]


def test_the_files_of_a_folder_are_one_arrival() -> None:
    """Ten episodes that are whole at the same time."""
    settling = Settling(SETTLE_S)
    settling.take([came(f"/tv/S/{n}.mkv", n) for n in range(1, 4)] + [came("/tv/T/x.mkv", 9)], 0.0)
    tell(settling, 0.0)
    told = tell(settling, SETTLE_S)
    assert told == [
        ("arrived", ("/tv/S/1.mkv", "/tv/S/2.mkv", "/tv/S/3.mkv"), ()),
        ("arrived", ("/tv/T/x.mkv",), ()),
    ]


def test_a_file_that_went_is_deleted_once_no_new_name_of_it_came() -> None:
    """The folder of both names may be looked at one after the other, in either order."""
    settling = Settling(SETTLE_S)
    settling.take([went("/tv/a.mkv", 1)], 0.0)
    assert tell(settling, RENAMED_WITHIN_S / 2) == []
    assert tell(settling, RENAMED_WITHIN_S) == [("deleted", ("/tv/a.mkv",), ())]
    for batches in (
        [[went("/tv/a.mkv", 1)], [came("/tv/b.mkv", 1)]],
        [[came("/tv/b.mkv", 1)], [went("/tv/a.mkv", 1)]],
        [[came("/tv/b.mkv", 1), went("/tv/a.mkv", 1)]],
    ):
        settling = Settling(SETTLE_S)
        for number, changes in enumerate(batches):
            settling.take(changes, number / 10)
        tell(settling, 0.2)
        assert tell(settling, 10.0) == [("renamed", ("/tv/b.mkv",), ("/tv/a.mkv",))]
        assert settling.is_idle()


def test_a_file_that_is_renamed_before_it_is_whole_arrives_under_its_new_name() -> None:
    """Nobody knew the old one; one that goes before it is whole is not told at all."""
    settling = Settling(SETTLE_S)
    settling.take([came("/tv/a.mkv", 1), came("/tv/x.mkv", 2)], 0.0)
    settling.take([went("/tv/a.mkv", 1), came("/tv/b.mkv", 1), went("/tv/x.mkv", 2)], 1.0)
    tell(settling, 1.0)
    assert tell(settling, 10.0) == [("arrived", ("/tv/b.mkv",), ())]
    assert settling.is_idle()


def test_a_chain_of_names_is_one_rename() -> None:
    """From the first, which somebody was told, to the last."""
    settling = Settling(SETTLE_S)
    settling.take([went("/tv/a.mkv", 1), came("/tv/b.mkv", 1)], 0.0)
    settling.take([went("/tv/b.mkv", 1), came("/tv/c.mkv", 1)], 0.5)
    tell(settling, 1.0)
    assert tell(settling, 10.0) == [("renamed", ("/tv/c.mkv",), ("/tv/a.mkv",))]


def test_a_renamed_folder_is_told_as_one_and_its_files_are_not() -> None:
    """But those that were still waiting arrive under the new name."""
    settling = Settling(SETTLE_S)
    settling.take([came("/tv/Old/new.mkv", 5)], 0.0)
    known = settling.take(
        [
            went("/tv/Old", 1, is_folder=True),
            came("/tv/New", 1, is_folder=True),
            came("/tv/New/S", 2, is_folder=True),
            came("/tv/New/S/old.mkv", 3),
            came("/tv/New/new.mkv", 5),
        ],
        1.0,
    )
    assert known == ["/tv/New/S/old.mkv"]
    tell(settling, 1.0)
    assert tell(settling, 10.0) == [
        ("arrived", ("/tv/New/new.mkv",), ()),
        ("renamed", ("/tv/New",), ("/tv/Old",)),
    ]


def test_a_replaced_file_is_an_upgrade() -> None:
    """The same name, another file; and so is one that was written anew."""
    settling = Settling(SETTLE_S)
    settling.take([FileChange("replaced", "/tv/a.mkv", 2)], 0.0)
    settling.note_closed("/tv/b.mkv", 0.0)
    tell(settling, 0.0)
    assert tell(settling, 10.0) == [("upgraded", ("/tv/a.mkv", "/tv/b.mkv"), ())]


def test_a_deleted_folder_takes_what_waited_in_it_along() -> None:
    """It is told as one."""
    settling = Settling(SETTLE_S)
    settling.take([came("/tv/S/a.mkv", 1)], 0.0)
    settling.take([went("/tv/S", 7, is_folder=True)], 1.0)
    assert tell(settling, 10.0) == [("deleted", ("/tv/S",), ())]
    assert settling.is_idle()


def test_a_path_that_is_no_text_is_told_by_its_folder() -> None:
    """Where it goes, only text can be kept."""
    settling = Settling(SETTLE_S)
    settling.take([came("/tv/S/caf\udce9.mkv", 1)], 0.0)
    tell(settling, 0.0)
    assert tell(settling, 10.0) == [("arrived", ("/tv/S",), ())]


NAMES = st.sampled_from([f"/tv/{name}" for name in "abcd"])
STEPS = st.lists(st.tuples(st.sampled_from(["make", "remove", "rename", "wait"]), NAMES, NAMES), max_size=20)


@given(STEPS)
def test_who_hears_all_arrivals_knows_what_is_there(steps: list[tuple[str, str, str]]) -> None:
    """Whatever is made, removed and renamed in any order: told names, less those told gone, are what is there in the end."""
    settling, disk, heard, now, inode = Settling(SETTLE_S), {}, set(), 0.0, 0
    for act, path, other in steps:
        now += 0.3
        changes: list[FileChange] = []
        if act == "make" and path not in disk:
            inode += 1
            disk[path] = inode
            changes = [came(path, inode)]
        elif act == "remove" and path in disk:
            changes = [went(path, disk.pop(path))]
        elif act == "rename" and path in disk and other not in disk:
            disk[other] = disk.pop(path)
            changes = [came(other, disk[other]), went(path, disk[other])]
        elif act == "wait":
            now += 3.0
        settling.take(changes, now)
        _hear(heard, settling, disk, now)
    for _ in range(3):
        now += 10.0
        _hear(heard, settling, disk, now)
    assert heard == set(disk)
    assert settling.is_idle()


def _hear(heard: set[str], settling: Settling, disk: dict[str, int], now: float) -> None:
    looks = {path: (disk[path], 1) if path in disk else None for path in settling.list_pending()}
    for arrival in settling.tell(looks, now):
        _apply(heard, arrival)


def _apply(heard: set[str], arrival: Arrival) -> None:
    if arrival.what == "deleted":
        heard -= set(arrival.paths)
    else:
        heard -= set(arrival.before)
        heard |= set(arrival.paths)
