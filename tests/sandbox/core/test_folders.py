"""Real folders below emulated libraries: what names say, which item a file is, and how paths look to a server."""

from __future__ import annotations

import os
from pathlib import Path

import aiohttp
import pytest

from playhead.sandbox.checking import check_world
from playhead.sandbox.filenames import is_video, read_episode, read_movie
from playhead.sandbox.folders import RealFolder, RealFolders, root_of, shown, taken
from playhead.sandbox.known import KnownItems
from playhead.sandbox.run import run_world
from playhead.sandbox.world import World, WorldFolder, WorldItem, WorldLibrary, WorldServer, WorldUser

MOVIES = [
    ("The Matrix (1999)/The Matrix (1999).mkv", "The Matrix", 1999, {}),
    ("Blade Runner 2049 (2017) {tmdb-335984}/x.1080p.mkv", "Blade Runner 2049", 2017, {"tmdb": "335984"}),
    ("X [imdbid-tt0133093]/a.mkv", "X", None, {"imdb": "tt0133093"}),
    ("X (2001) [tmdbid-603]/a.mkv", "X", 2001, {"tmdb": "603"}),
    ("La.Luna.2011.720p.BluRay.mkv", "La Luna", 2011, {}),
    ("1917 (2019)/1917.mkv", "1917", 2019, {}),
    ("2012.2009.mkv", "2012", 2009, {}),
    ("Home Cut.mkv", "Home Cut", None, {}),
    ("2001 A Space Odyssey.mkv", "2001 A Space Odyssey", None, {}),
    ("Films A-C/Alien (1979).mkv", "Alien", 1979, {}),
]
EPISODES = [
    ("My Fancy Show/Season 07/My Fancy Show S07E22 Awesome Episode.mp4", "My Fancy Show", 7, (22,)),
    ("Lost (2004) {tvdb-73739}/Season 6/Lost - S06E01-E02.mkv", "Lost", 6, (1, 2)),
    ("Show/S01E01E02E03.mkv", "Show", 1, (1, 2, 3)),
    ("Show/Season 1/S01E01-02 - Bar.mkv", "Show", 1, (1, 2)),
    ("Show/S01E01-1080p.mkv", "Show", 1, (1,)),
    ("Show/S01E01 - 24 Hours.mkv", "Show", 1, (1,)),
    ("Show.Name.S01E05.1080p.WEB.mkv", "Show Name", 1, (5,)),
    ("Show/1x02 - Foo.avi", "Show", 1, (2,)),
    ("Bebop (1998)/Specials/Bebop - S00E02 - Film.mkv", "Bebop", 0, (2,)),
]


@pytest.mark.parametrize(("path", "title", "year", "ids"), MOVIES)
def test_a_movies_name_tells_title_year_and_ids(
    path: str, title: str, year: int | None, ids: dict[str, str]
) -> None:
    """The folder wins where it has a year or ids."""
    named = read_movie(path)
    assert (named.title, named.year, named.ids) == (title, year, ids)


@pytest.mark.parametrize(("path", "title", "season", "episodes"), EPISODES)
def test_an_episodes_name_tells_show_and_numbers(
    path: str, title: str, season: int, episodes: tuple[int, ...]
) -> None:
    """The first folder names the show; a resolution is no second episode."""
    named = read_episode(path)
    assert named is not None
    assert (named.title, named.season, named.episodes) == (title, season, episodes)


def test_a_name_without_numbers_is_no_episode() -> None:
    """Servers leave such a file out of a library of shows."""
    assert read_episode("Show/Season 1/extra.mkv") is None


def test_what_is_no_video_is_left_out() -> None:
    """Hidden files, samples and what lies beside the film."""
    names = ["a.mkv", ".a.mkv", "a.nfo", "sample.mkv", "a-sample.mkv", "a.mkv.part", "B.MP4"]
    assert [name for name in names if is_video(name)] == ["a.mkv", "B.MP4"]


def make_items() -> dict[str, WorldItem]:
    items = [
        WorldItem(id="matrix", type="movie", title="The Matrix", year=1999, ids={"tmdb": "603"}),
        WorldItem(id="odd", type="movie", title="Nothing Like It", file="a/b.mkv"),
        WorldItem(id="show", type="show", title="The Show", year=2008, ids={"tvdb": "81189"}),
        WorldItem(id="e1", type="episode", title="One", show="show", season=1, episode=1),
    ]
    return {item.id: item for item in items}


def test_a_name_of_the_world_is_the_worlds_item() -> None:
    """By its file, its ids, or its title with no other year."""
    known = KnownItems(make_items())
    for below in ("The Matrix (1999)/x.mkv", "the.matrix.mkv", "Something (2001) {tmdb-603}/x.mkv"):
        assert [item.id for item in known.items_in(below, "movies")] == ["matrix"]
    assert [item.id for item in known.items_in("a/b.mkv", "movies")] == ["odd"]
    assert [item.id for item in known.items_in("The Matrix (2021)/x.mkv", "movies")] == ["The Matrix (2021)"]
    found = known.items_in("The Show/S01E01-E02.mkv", "shows")
    assert [item.id for item in found] == ["e1", "show S01E02"]


def test_an_item_made_of_a_name_is_the_same_each_time() -> None:
    """Its id is the name, its ids those in the name."""
    known = KnownItems(make_items())
    [first] = known.items_in("New One (2024) [tmdbid-9]/x.mkv", "movies")
    assert known.items_in("New.One.2024.mkv", "movies") == [first]
    assert (first.id, first.ids) == ("New One (2024)", {"tmdb": "9"})
    assert known.items_in("The Show/notes.mkv", "shows") == []


@pytest.mark.parametrize(
    ("written", "inner"),
    [
        ("D:\\Media\\TV", "D:/Media/TV"),
        ("\\\\nas\\video\\TV", "//nas/video/TV"),
        ("/srv/a\\b", "/srv/a\\b"),
    ],
)
def test_windows_and_unc_paths_come_out_as_they_went_in(written: str, inner: str) -> None:
    """Inside they are written with slashes; a backslash in a Linux name stays."""
    assert taken(written) == inner
    assert shown(inner) == written
    assert root_of(WorldLibrary(title="TV", kind="shows", root=written + "\\")).rstrip("\\") == inner


def test_a_real_folder_is_seen_under_the_servers_root(tmp_path: Path) -> None:
    """Files, folders and paths outside."""
    (tmp_path / "Show/Season 1").mkdir(parents=True)
    (tmp_path / "Show/Season 1/S01E01.mkv").touch()
    (tmp_path / "Show/note.txt").touch()
    os.symlink(tmp_path / "nowhere.mkv", tmp_path / "broken.mkv")
    os.symlink(tmp_path, tmp_path / "Show/again")
    folder = RealFolder(str(tmp_path), "D:/TV")
    assert list(folder.videos()) == ["D:/TV/Show/Season 1/S01E01.mkv"]
    assert list(folder.videos("D:/TV/Show")) == ["D:/TV/Show/Season 1/S01E01.mkv"]
    assert folder.videos("D:/TV/Other") == {}
    assert folder.has_folder("D:/TV/Show")
    assert not folder.has_folder("D:/TV/Other")
    assert not folder.has_folder("/TV/Show")


def test_an_unmounted_share_and_an_emptied_folder_are_told_apart(tmp_path: Path) -> None:
    """Neither shows a file; only one of them is there."""
    (tmp_path / "a.mkv").touch()
    [folder] = RealFolders(WorldLibrary(title="Films", kind="movies", folder=str(tmp_path))).all
    assert list(folder.videos()) == [f"{tmp_path}/a.mkv"]
    folder.mounted = False
    assert (folder.present, folder.videos()) == (False, {})
    folder.emptied = True
    assert (folder.present, folder.videos()) == (True, {})
    gone = RealFolder(str(tmp_path / "gone"), "/media")
    assert not gone.present


def test_a_library_may_have_several_folders(tmp_path: Path) -> None:
    """Each under its own root; where it was looked at is told, and what is not there was not looked at."""
    for name in ("one/a.mkv", "two/b.mkv"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()
    more = [WorldFolder(folder=str(tmp_path / each), root=f"/{each}") for each in ("two", "three")]
    reals = RealFolders(
        WorldLibrary(title="Films", kind="movies", folder=str(tmp_path / "one"), root="/one", more=more)
    )
    found, looked = reals.look(None, RealFolder.has_folder)
    assert (list(found), looked) == (["/one/a.mkv", "/two/b.mkv"], ["/one", "/two"])
    assert reals.at("/two/b.mkv") is reals.all[1]
    assert reals.at("/twofold") is None


def test_a_library_needs_a_root_or_a_folder() -> None:
    """Else nobody knows where its files are."""
    library = WorldLibrary(title="Films", kind="movies")
    with pytest.raises(ValueError, match="needs"):
        check_world(World(items=[], servers=[WorldServer(name="a", kind="emby", libraries=[library])]))


async def test_each_kind_of_server_sees_one_folder_under_its_own_path(
    tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    """The items are the same everywhere, named alike; a movie of the world needs no library where folders are real."""
    for name in ("The Show (2008)/S01E01.mkv", "Fresh (2024)/Season 02/Fresh - S02E03.mkv"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
    roots = {"plex": "/data/tv", "jellyfin": "D:\\TV", "emby": "\\\\nas\\tv"}
    servers = [
        WorldServer(
            name=kind,
            kind=kind,  # type: ignore[arg-type]
            users=[WorldUser(name="ann", admin=True)],
            libraries=[WorldLibrary(title="Shows", kind="shows", folder=str(tmp_path), root=root)],
        )
        for kind, root in roots.items()
    ]
    async with run_world(World(items=list(make_items().values()), servers=servers)) as box:
        for kind in roots:
            rows = {row.item for row in box.server(kind).state_rows("ann")}
            assert rows == {"e1", "Fresh (2024) S02E03"}
        order = {"server": "emby", "user": "ann", "item": "Fresh (2024) S02E03", "act": "mark"}
        async with http.post(f"{box.control_url}/_sandbox/act", json=order) as answer:
            assert answer.status == 200
        order = {"server": "plex", "item": "e1", "act": "remove"}
        async with http.post(f"{box.control_url}/_sandbox/act", json=order) as answer:
            assert (answer.status, "change the files" in await answer.text()) == (400, True)
