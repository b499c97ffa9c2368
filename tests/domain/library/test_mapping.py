"""Paths from the hub's words into a server's and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playhead.domain.library.mapping import MappedFolder, PathMap, check_expression

RULES = [
    MappedFolder("D:\\films", "/media/movies"),
    MappedFolder("\\\\nas\\tv", "/media/tv/"),
    MappedFolder("/data", "/media"),
    MappedFolder("E:\\", "/media/drive"),
    MappedFolder(r"/srv/\1", r"/mnt/(\w+)", "hub"),
    MappedFolder(r"/vol(\d)/", r"/array/\1/", "server"),
    MappedFolder(r"\\box\disk\\1", r"/disk(?P<n>\d)", "hub"),
]


@pytest.mark.parametrize(
    ("hub", "server"),
    [
        ("/media/movies/A (1999)/a.mkv", "D:\\films\\A (1999)\\a.mkv"),
        ("/media/movies", "D:\\films"),
        ("/media/tv/Show/s01e01.mkv", "\\\\nas\\tv\\Show\\s01e01.mkv"),
        ("/media/drive/a.mkv", "E:\\a.mkv"),
        ("/media/drive", "E:\\"),
        ("/media/moviesque/b.mkv", "/data/moviesque/b.mkv"),
        ("/mnt/disk2/c.mkv", "/srv/disk2/c.mkv"),
        ("/disk3/c.mkv", "\\\\box\\disk\\3\\c.mkv"),
        ("/elsewhere/d.mkv", "/elsewhere/d.mkv"),
        ("/Media/movies/e.mkv", "/Media/movies/e.mkv"),
    ],
)
def test_the_rule_that_covers_most_of_a_path_decides(hub: str, server: str) -> None:
    """Longest first, whatever the order; whole names only; case counts on the hub; what fits none stays."""
    for rules in (RULES, RULES[::-1]):
        assert [each.path for each in PathMap(rules).to_server(hub)] == [server]


@pytest.mark.parametrize(
    ("server", "hub"),
    [
        ("d:/FILMS/A/a.mkv", "/media/movies/A/a.mkv"),
        ("\\\\NAS\\TV\\x.mkv", "/media/tv/x.mkv"),
        ("E:\\a.mkv", "/media/drive/a.mkv"),
        ("/data/other/x.mkv", "/media/other/x.mkv"),
        ("/DATA/other/x.mkv", None),
        ("/vol3/x.mkv", "/array/3/x.mkv"),
        ("/nowhere/x.mkv", None),
    ],
)
def test_a_servers_path_becomes_the_hubs_or_none(server: str, hub: str | None) -> None:
    """Windows knows no case and takes either stroke."""
    assert PathMap(RULES).to_hub(server) == hub


def test_two_rules_that_fit_equally_well_both_count() -> None:
    """A folder that a server has under two names is looked for under both."""
    both = PathMap([MappedFolder("/a", "/media"), MappedFolder("/b", "/media")])
    assert [each.path for each in both.to_server("/media/x.mkv")] == ["/a/x.mkv", "/b/x.mkv"]


def test_case_can_be_told_not_to_count() -> None:
    """For a Mac's folders, say."""
    mac = PathMap([MappedFolder("/Volumes/Video", "/media", ignore_case=True)])
    assert mac.to_hub("/volumes/VIDEO/x.mkv") == "/media/x.mkv"


def test_a_wrong_expression_is_told() -> None:
    """Both a pattern that is none and a replacement that names a group that is not there."""
    assert check_expression(MappedFolder("/x", "/media/(", "hub"))
    assert check_expression(MappedFolder(r"/x/\2", "/media/(.)", "hub"))
    assert check_expression(MappedFolder(r"/x/\1", "/media/(.)", "hub")) == ""
    assert [each.path for each in PathMap([MappedFolder("/x", "(", "hub")]).to_server("/m")] == ["/m"]


NAMES = st.text("abAB ä&#", min_size=1, max_size=4).filter(lambda name: name.strip() == name)


@given(st.lists(NAMES, min_size=1, max_size=4), st.sampled_from(["/data", "Z:\\films", "\\\\nas\\share"]))
def test_there_and_back_is_where_one_was(parts: list[str], folder: str) -> None:
    """A plain folder maps both ways without loss, in every form."""
    paths = PathMap([MappedFolder(folder, "/media/films")])
    path = "/media/films/" + "/".join(parts)
    [mapped] = paths.to_server(path)
    assert paths.to_hub(mapped.path) == path


def test_a_root_holds_everything_on_its_side() -> None:
    """A container whose shares hang at / itself, or a hub's; Windows' paths lie below no such root."""
    rules = PathMap([MappedFolder("/", "/mnt/root"), MappedFolder("/data", "/srv")])
    assert rules.to_hub("/tv/a.mkv") == "/mnt/root/tv/a.mkv" and rules.to_hub("/data/a.mkv") == "/srv/a.mkv"
    assert rules.to_hub("D:\\a.mkv") is None and rules.to_hub("\\\\nas\\a.mkv") is None
    assert [each.path for each in rules.to_server("/mnt/root/a.mkv")] == ["/a.mkv"]
    below = PathMap([MappedFolder("/data", "/")])
    assert [each.path for each in below.to_server("/tv/a.mkv")] == ["/data/tv/a.mkv"]
    assert below.to_hub("/data/tv/a.mkv") == "/tv/a.mkv"


def test_accents_may_be_written_either_way_and_strokes_twice() -> None:
    """What follows the folder stays as it was told."""
    rules = PathMap([MappedFolder("/data/S\u00e9ries", "/mnt/s")])
    assert rules.to_hub("/data/Se\u0301ries/e\u0301.mkv") == "/mnt/s/e\u0301.mkv"
    assert rules.to_hub("/data//S\u00e9ries//a.mkv") == "/mnt/s/a.mkv"
