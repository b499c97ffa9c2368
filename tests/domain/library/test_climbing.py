"""The way from a path up to a folder of a library, in the spelling of that folder, which a server takes for its own."""

from __future__ import annotations

import pytest

from playhead.domain.library.places import climb, find_home


@pytest.mark.parametrize(
    ("path", "root", "way"),
    [
        ("/tv/Show/S1/a.mkv", "/tv", ("/tv/Show/S1/a.mkv", "/tv/Show/S1", "/tv/Show", "/tv")),
        ("/tv/a.mkv", "/tv/", ("/tv/a.mkv", "/tv")),
        ("/tv/", "/tv", ("/tv",)),
        ("/a/b", "/", ("/a/b", "/a", "/")),
        ("/tv//Show/", "/tv", ("/tv/Show", "/tv")),
        (r"d:\TV\Show\a.mkv", "D:/tv", ("D:/tv/Show/a.mkv", "D:/tv/Show", "D:/tv")),
        (r"D:\a.mkv", "D:\\", (r"D:\a.mkv", "D:\\")),
        (r"\\NAS\tv\Show", r"\\nas\TV", (r"\\nas\TV\Show", r"\\nas\TV")),
        ("//nas/tv/Show", r"\\nas\tv", (r"\\nas\tv\Show", r"\\nas\tv")),
        ("/tv/Cafe\u0301/a.mkv", "/tv/Caf\u00e9", ("/tv/Caf\u00e9/a.mkv", "/tv/Caf\u00e9")),
        (r"/tv/AC\DC", "/tv", (r"/tv/AC\DC", "/tv")),
    ],
)
def test_a_path_climbs_to_its_root_in_the_roots_spelling(path: str, root: str, way: tuple[str, ...]) -> None:
    """Trailing slashes, the case of Windows and composed letters make no difference; a backslash on POSIX is a letter."""
    assert climb(path, root) == way


@pytest.mark.parametrize(
    ("path", "root"),
    [
        ("/tv2/a.mkv", "/tv"),
        ("/TV/a.mkv", "/tv"),
        ("/tv/../etc/passwd", "/tv"),
        ("tv/a.mkv", "/tv"),
        ("", "/tv"),
        ("/tv", ""),
        (r"\nas\tv\a", r"\\nas\tv"),
        (r"E:\tv\a", r"D:\tv"),
    ],
)
def test_what_is_not_below_has_no_way(path: str, root: str) -> None:
    """A neighbour whose name begins alike, another case on POSIX, and steps back are all outside."""
    assert climb(path, root) == ()


def test_the_most_particular_folder_is_the_home() -> None:
    """A library may have a folder and one inside it."""
    assert find_home("/m/kids/a.mkv", ("/m", "/m/kids")) == ("/m/kids/a.mkv", "/m/kids")
    assert find_home("/x/a.mkv", ("/m", "/m/kids")) == ()
