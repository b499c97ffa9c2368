"""Few scans for many arrivals: each arrival is covered, no scan leaves its library, order does not matter."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playhead.domain.library.folding import (
    Target,
    choose_target,
    covers,
    find_covering,
    fold,
    list_widening,
)
from playhead.domain.library.places import LibraryFolders, find_held, holds, is_file, key, parent, tidy

LIBRARIES = [
    LibraryFolders("1", "Shows", ("/tv/", "/more/tv")),
    LibraryFolders("2", "Films", ("/films", "/media/films/")),
    LibraryFolders("3", "Everything", ("/media",)),
    LibraryFolders("4", "Windows", ("D:\\Films\\", "\\\\nas\\tv")),
    LibraryFolders("5", "Nothing", ()),
]


@pytest.mark.parametrize(
    ("path", "held"),
    [
        ("/tv/Show/x.mkv", [("1", "/tv/")]),
        ("/tv", [("1", "/tv/")]),
        ("/tv/", [("1", "/tv/")]),
        ("/tvs/x.mkv", []),
        ("/media/films/x.mkv", [("2", "/media/films/"), ("3", "/media")]),
        ("d:/films/A/a.mkv", [("4", "D:\\Films\\")]),
        ("\\\\NAS\\TV\\a.mkv", [("4", "\\\\nas\\tv")]),
        ("relative/x.mkv", []),
    ],
)
def test_all_libraries_that_hold_a_path_are_found_the_nearest_first(
    path: str, held: list[tuple[str, str]]
) -> None:
    """Strokes at the end, a path that is a library's own folder, and Windows' forms included."""
    for libraries in (LIBRARIES, LIBRARIES[::-1]):
        assert [(each.library_id, each.folder) for each in find_held(path, libraries)] == held


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/tv/Show/Season 1/x.mkv", "/tv/Show/Season 1"),
        ("/tv/Show/Season 1/", "/tv/Show/Season 1"),
        ("/tv/Mr. Robot", "/tv/Mr. Robot"),
        ("/tv/x.mkv", "/tv/x.mkv"),
        ("/tv/", "/tv"),
        ("/tv/Show/x.en.srt", "/tv/Show"),
    ],
)
def test_the_smallest_scan_is_chosen(path: str, target: str) -> None:
    """The folder of a file, a folder itself, and at a library's root the file alone."""
    assert choose_target("1", "/tv/", path) == Target("1", target)


def test_it_widens_from_the_folder_to_the_one_above_to_the_library() -> None:
    """And never out of it."""
    assert list_widening(Target("1", "/tv/Show/Season 1"), "/tv") == [
        Target("1", "/tv/Show/Season 1"),
        Target("1", "/tv/Show"),
        Target("1"),
    ]
    assert list_widening(Target("1", "/tv/x.mkv"), "/tv/") == [
        Target("1", "/tv/x.mkv"),
        Target("1", "/tv"),
        Target("1"),
    ]
    assert list_widening(Target("1", "/tv"), "/tv/") == [Target("1", "/tv"), Target("1")]
    assert list_widening(Target("1"), "/tv") == [Target("1")]


def test_ten_episodes_are_one_scan_and_a_parents_covers_its_children() -> None:
    """Names that merely begin alike are not below one another."""
    episodes = [choose_target("1", "/tv", f"/tv/Show/S1/e{n}.mkv") for n in range(10)]
    assert fold(episodes) == [Target("1", "/tv/Show/S1")]
    apart = [Target("1", "/tv/A"), Target("1", "/tv/A B"), Target("1", "/tv/A/x"), Target("2", "/tv/A/x")]
    assert fold(apart) == [Target("1", "/tv/A"), Target("1", "/tv/A B"), Target("2", "/tv/A/x")]
    assert fold([*apart, Target("1")]) == [Target("1"), Target("2", "/tv/A/x")]


NAMES = st.sampled_from(["A", "A B", "A-1", "B.mkv", "ä", "C & D", "Season 1"])
PATHS = st.builds(
    lambda root, parts, last: root.rstrip("/") + "".join("/" + each for each in parts) + last,
    st.sampled_from(["/tv", "/more/tv", "/films", "/media/films", "/media"]),
    st.lists(NAMES, max_size=4),
    st.sampled_from(["", "/", "/x.mkv", "/y.srt"]),
)


@given(st.lists(PATHS, max_size=12), st.randoms())
def test_every_arrival_is_covered_and_no_scan_leaves_its_library(paths: list[str], random: object) -> None:
    """For any arrivals in any order; folding twice is folding once, and nothing that is kept lies in another."""
    wanted = [
        (path, held, choose_target(held.library_id, held.folder, path))
        for path in paths
        for held in find_held(path, LIBRARIES)
    ]
    scans = fold(target for _, _, target in wanted)
    for path, held, target in wanted:
        covering = find_covering(scans, target)
        assert covering is not None and holds(held.folder, covering.path) and holds(covering.path, path)
        for wider in list_widening(target, held.folder):
            assert covers(wider, target)
            assert not wider.path or holds(held.folder, wider.path)
    assert fold(scans) == scans
    assert fold(reversed([target for _, _, target in wanted])) == scans
    assert not [1 for one in scans for other in scans if one is not other and covers(one, other)]


@given(PATHS)
def test_what_is_above_holds_what_is_below(path: str) -> None:
    """And tidying changes no place."""
    assert holds(parent(path), path)
    assert key(tidy(path)) == key(path)
    assert tidy(tidy(path)) == tidy(path)
    assert is_file(path) == (path.rsplit("/", 1)[-1].endswith((".mkv", ".srt")))


@pytest.mark.parametrize("root", ["/", "C:\\", "C:/", "\\\\nas", "//nas"])
def test_a_root_is_its_own_parent(root: str) -> None:
    """Going up ends."""
    assert key(parent(root)) == key(root)


def test_a_library_may_be_the_root_itself() -> None:
    """It holds every path, others more particularly."""
    libraries = [LibraryFolders("1", "All", ("/",)), LibraryFolders("2", "Shows", ("/tv",))]
    assert [held.library_id for held in find_held("/tv/a.mkv", libraries)] == ["2", "1"]
    assert [held.library_id for held in find_held("/a.mkv", libraries)] == ["1"]
    assert find_held("/a.mkv", [LibraryFolders("3", "None", ("",))]) == []
