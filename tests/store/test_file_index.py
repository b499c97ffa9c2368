"""The index of file names: found by any spelling, kept by comparing, never emptied because a disk is away."""

from __future__ import annotations

import os
import shutil
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from playhead.domain.library.ignoring import is_ignored, is_ignored_below
from playhead.ports.file_index import FileChange, Root
from playhead.store import file_index, folder_reading
from playhead.store.file_index import SqlFileIndex

EPISODE = "My Fancy Show S07E22 Awesome Episode.mp4"


def age(root: Path) -> None:
    """Folders whose times can be believed: what changes from here on moves them."""
    for at, _, _ in os.walk(root):
        os.utime(at, (1_700_000_000, 1_700_000_000))


@pytest.fixture
def tv(tmp_path: Path) -> Path:
    season = tmp_path / "tv" / "My Fancy Show" / "Season 07"
    season.mkdir(parents=True)
    for name in (EPISODE, "My Fancy Show S07E21.mkv"):
        (season / name).touch()
    return tmp_path / "tv"


@pytest.fixture
def index(tmp_path: Path, tv: Path) -> Iterator[SqlFileIndex]:
    index = SqlFileIndex(tmp_path / "files.db")
    index.keep_roots([Root(str(tv))])
    yield index
    index.close()


def told(index: SqlFileIndex, root: Path, *folders: Path) -> list[str]:
    """What a look tells, without the inodes: ``came Season 07/x.mkv``."""
    found = (
        index.compare_folders(str(root), [str(each) for each in folders])
        if folders
        else index.compare(str(root))
    )
    assert not found.away
    return sorted(f"{each.what} {os.path.relpath(each.path, root)}" for each in found.changes)


def test_a_file_and_a_folder_are_found_by_their_bare_name(index: SqlFileIndex, tv: Path) -> None:
    """With their whole path; the first look tells no change."""
    assert index.compare(str(tv)).changes == ()
    assert index.find(EPISODE) == [str(tv / "My Fancy Show" / "Season 07" / EPISODE)]
    assert index.find("Season 07") == [str(tv / "My Fancy Show" / "Season 07")]
    assert index.find("Season 07/" + EPISODE) == index.find("Season 07\\" + EPISODE) == index.find(EPISODE)
    assert index.find("Season 08/" + EPISODE) == index.find("nothing") == index.find("/") == []
    assert index.list_untold(str(tv)) == []


def test_spelling_does_not_matter_unless_both_are_there(index: SqlFileIndex, tv: Path) -> None:
    """Upper and lower case, accents composed or not; the exact spelling wins."""
    decomposed = unicodedata.normalize("NFD", "Amélie (2001).mkv")
    (tv / decomposed).touch()
    (tv / "AMÉLIE (2001).MKV").touch()
    (tv / "Straße.mkv").touch()
    index.compare(str(tv))
    assert index.find("Amélie (2001).mkv") == [str(tv / decomposed)]
    assert index.find("amélie (2001).mkv") == sorted([str(tv / decomposed), str(tv / "AMÉLIE (2001).MKV")])
    assert index.find("STRASSE.mkv") == [str(tv / "Straße.mkv")]


def test_a_name_that_is_no_text_is_kept_and_found(index: SqlFileIndex, tv: Path) -> None:
    """As old disks have them."""
    name = os.fsdecode(b"caf\xe9.mkv")
    (tv / name).touch()
    index.compare(str(tv))
    assert index.find(name) == [str(tv / name)]


def test_only_folders_that_changed_are_read_again(index: SqlFileIndex, tv: Path) -> None:
    """By their times; what came, went and was replaced is told."""
    age(tv)
    index.compare(str(tv))
    assert index.compare(str(tv)).folders_read == 0
    season = tv / "My Fancy Show" / "Season 07"
    (season / "S07E23.mkv").touch()
    (season / EPISODE).unlink()
    (season / "new").touch()
    (season / "new").replace(season / "My Fancy Show S07E21.mkv")
    assert told(index, tv) == [
        "came My Fancy Show/Season 07/S07E23.mkv",
        "replaced My Fancy Show/Season 07/My Fancy Show S07E21.mkv",
        f"went My Fancy Show/Season 07/{EPISODE}",
    ]
    assert index.find(EPISODE) == []
    assert sorted(map(os.path.basename, index.list_untold(str(tv)))) == [
        "My Fancy Show S07E21.mkv",
        "S07E23.mkv",
    ]
    index.mark_told(index.list_untold(str(tv)))
    assert index.list_untold(str(tv)) == []
    index.mark_untold(str(season / "S07E23.mkv"))
    assert index.list_untold(str(tv)) == [str(season / "S07E23.mkv")]
    assert index.knows(str(season / "S07E23.mkv"))
    assert not index.knows(str(season / EPISODE))


def test_a_folder_comes_with_all_in_it_and_goes_as_one(index: SqlFileIndex, tv: Path) -> None:
    """However deep."""
    index.compare(str(tv))
    (tv / "A" / "B").mkdir(parents=True)
    (tv / "A" / "B" / "c.mkv").touch()
    assert told(index, tv) == ["came A", "came A/B", "came A/B/c.mkv"]
    shutil.rmtree(tv / "A")
    assert told(index, tv) == ["went A"]
    assert index.find("c.mkv") == []
    assert len(index.list_folders(str(tv))) == 3


def test_a_renamed_folder_keeps_its_inode(index: SqlFileIndex, tv: Path) -> None:
    """By which whoever hears of it knows that one is the other."""
    index.compare(str(tv))
    (tv / "My Fancy Show").rename(tv / "My Fancier Show")
    changes = {each.what: each for each in index.compare(str(tv)).changes if each.path.endswith("Show")}
    assert changes["went"].inode == changes["came"].inode
    assert isinstance(changes["went"], FileChange)
    assert index.find(EPISODE) == [str(tv / "My Fancier Show" / "Season 07" / EPISODE)]


def test_single_folders_are_looked_at_whatever_their_times(index: SqlFileIndex, tv: Path) -> None:
    """One that is not known is found from the next above it that is."""
    age(tv)
    index.compare(str(tv))
    season = tv / "My Fancy Show" / "Season 07"
    before = season.stat()
    (season / "x.mkv").touch()
    os.utime(season, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert told(index, tv) == []
    assert told(index, tv, season) == ["came My Fancy Show/Season 07/x.mkv"]
    (tv / "New" / "Deep").mkdir(parents=True)
    (tv / "New" / "Deep" / "y.mkv").touch()
    assert told(index, tv, tv / "New" / "Deep") == ["came New", "came New/Deep", "came New/Deep/y.mkv"]


@pytest.mark.parametrize("how", ["absent", "empty", "anchor"])
def test_a_root_that_is_away_keeps_its_files(how: str, index: SqlFileIndex, tv: Path) -> None:
    """Not there at all, a mount point without its disk, or without its anchor; then it is back as it was."""
    anchor = tv / "anchor"
    anchor.touch()
    index.keep_roots([Root(str(tv), (str(anchor),))])
    index.compare(str(tv))
    aside = tv.with_name("aside")
    tv.rename(aside)
    if how != "absent":
        tv.mkdir()
    if how == "anchor":
        (tv / "something").touch()
    for look in (index.compare(str(tv)), index.compare_folders(str(tv), [str(tv)])):
        assert (look.away, look.changes) == ((str(tv),), ())
    assert index.find(EPISODE) == [str(tv / "My Fancy Show" / "Season 07" / EPISODE)]
    shutil.rmtree(tv, ignore_errors=True)
    aside.rename(tv)
    assert told(index, tv) == []


def test_a_disk_mounted_below_a_root_may_be_away(
    index: SqlFileIndex, tv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its mount point is empty and of another device: nothing is believed to have gone."""
    read = folder_reading.read_folder
    mounted, disk = True, str(tv / "My Fancy Show")

    def mount(path: str, known: int) -> folder_reading.Listing | None:
        listing = read(path, known)
        if listing is None or not path.startswith(disk):
            return listing
        if mounted:
            return folder_reading.Listing(path, listing.mtime_ns, 77, listing.files, listing.folders)
        return folder_reading.Listing(path, 1, 1) if path == disk else folder_reading.Listing(path, gone=True)

    monkeypatch.setattr(folder_reading, "read_folder", mount)
    index.compare(str(tv))
    mounted = False
    look = index.compare_folders(str(tv), [disk, disk + "/Season 07"])
    assert (look.away, look.changes) == ((disk,), ())
    assert len(index.find(EPISODE)) == 1


def test_a_disk_that_comes_later_is_no_crowd_of_arrivals(index: SqlFileIndex, tmp_path: Path) -> None:
    """A root that was an empty mount point at first sight."""
    root = tmp_path / "share"
    root.mkdir()
    index.keep_roots([Root(str(root))])
    index.compare(str(root))
    (root / "old.mkv").touch()
    with index._write() as cursor:
        cursor.execute("UPDATE folder SET device = device + 1 WHERE path = ?", (os.fsencode(root),))
    assert told(index, root) == []
    assert index.find("old.mkv") == [str(root / "old.mkv")]
    (root / "new.mkv").touch()
    assert told(index, root) == ["came new.mkv"]


def test_a_folder_that_may_not_be_read_is_told_and_keeps_its_files(
    index: SqlFileIndex, tv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the system's own word."""
    age(tv)
    index.compare(str(tv))
    (tv / "My Fancy Show" / "Season 07" / "x.mkv").touch()

    def refuse(path: str) -> Iterator[os.DirEntry[str]]:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(folder_reading.os, "scandir", refuse)
    season = str(tv / "My Fancy Show" / "Season 07")
    monkeypatch.setattr(index, "_is_there", lambda _: True)
    assert index.compare(str(tv)).unreadable == ((season, "Permission denied"),)
    assert len(index.find(EPISODE)) == 1


def test_a_first_look_that_is_broken_off_goes_on_where_it_was(
    index: SqlFileIndex, tv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also after a restart; what it finds is not told, and what was read is not read again."""
    for number in range(30):
        (tv / f"Show {number}").mkdir()
        (tv / f"Show {number}" / f"{number}.mkv").touch()
    age(tv)
    monkeypatch.setattr(file_index, "LISTINGS_A_TRANSACTION", 10)

    def break_off(folders: int, _files: int) -> None:
        if folders > 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        index.compare(str(tv), break_off)
    assert not index.list_states()[0].whole
    index.close()
    again = SqlFileIndex(tmp_path / "files.db")
    look = again.compare(str(tv))
    assert look.changes == ()
    assert look.folders_read < 30
    (state,) = again.list_states()
    assert (state.files, state.folders, state.whole) == (32, 33, True)
    again.close()


def test_roots_that_are_no_longer_asked_for_are_forgotten(
    index: SqlFileIndex, tv: Path, tmp_path: Path
) -> None:
    """And nothing of the others."""
    other = tmp_path / "tv2"
    other.mkdir()
    (other / "film.mkv").touch()
    index.keep_roots([Root(str(tv) + "/"), Root(str(other))])
    index.compare(str(tv))
    index.compare(str(other))
    index.keep_roots([Root(str(other))])
    assert index.find(EPISODE) == []
    assert index.find("film.mkv") == [str(other / "film.mkv")]


def test_links_to_folders_are_followed_but_never_in_a_circle(
    index: SqlFileIndex, tv: Path, tmp_path: Path
) -> None:
    """A library of links works as one of files."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "linked.mkv").touch()
    (tv / "link").symlink_to(tmp_path / "elsewhere")
    (tv / "My Fancy Show" / "loop").symlink_to(tv)
    (tv / "broken").symlink_to(tmp_path / "nowhere")
    index.compare(str(tv))
    assert index.find("linked.mkv") == [str(tv / "link" / "linked.mkv")]
    assert index.find("broken") == [str(tv / "broken")]
    assert len(index.list_folders(str(tv))) == 4


def test_a_file_of_another_version_is_made_anew(tmp_path: Path, index: SqlFileIndex, tv: Path) -> None:
    """The disks know it all."""
    index.compare(str(tv))
    with index._write() as cursor:
        cursor.execute("UPDATE root SET whole = 0")
    index._writer.execute("PRAGMA user_version = 99")
    index.close()
    again = SqlFileIndex(tmp_path / "files.db")
    assert again.list_states() == []
    again.close()


@pytest.mark.parametrize(
    "name",
    [
        ".hidden.mkv",
        "Film.mkv.part",
        "Film.mkv.!qB",
        "Film.crdownload",
        "Film.mkv.!sync",
        "Film.mkv.jc!",
        "Film.tmp",
        "@eaDir",
        "#recycle",
        "$RECYCLE.BIN",
        "Sample",
        "sample.mkv",
        "film-sample.mkv",
        "the.film.2020.sample.mkv",
        "sample-film.mkv",
        "_UNPACK_Film",
        "Film.mkv~",
    ],
)
def test_what_is_not_whole_or_means_nothing_is_ignored(name: str) -> None:
    """By its name, and all that is below it."""
    assert is_ignored(name)
    assert is_ignored_below("/tv", f"/tv/{name}/x.mkv")


@pytest.mark.parametrize(
    "name",
    ["Film.mkv", "The Sampler (2010).mkv", "Samples of Life.mkv", "Part.mkv", "@eaDirector.mkv", "Temp.mkv"],
)
def test_other_names_are_not_ignored(name: str) -> None:
    """Whatever they resemble."""
    assert not is_ignored(name)


NAMES = st.sampled_from(["a", "b", "c"])
ACTS = st.lists(
    st.tuples(
        st.sampled_from(["file", "folder", "remove", "move"]), st.lists(NAMES, min_size=1, max_size=3), NAMES
    ),
    max_size=12,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rounds=st.lists(ACTS, min_size=1, max_size=4))
def test_after_any_changes_a_look_knows_what_a_walk_sees(
    rounds: list[list[tuple[str, list[str], str]]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Files and folders made, removed and moved in any order: every name is found exactly where it is."""
    base = tmp_path_factory.mktemp("any")
    root = base / "root"
    root.mkdir()
    (root / "stays").touch()
    index = SqlFileIndex(base / "files.db")
    index.keep_roots([Root(str(root))])
    index.compare(str(root))
    for acts in rounds:
        for act, parts, name in acts:
            _act(root, act, root.joinpath(*parts), root / name)
        index.compare(str(root))
        age(root)
        index.compare(str(root))
        walked = {
            os.path.join(at, each) for at, folders, files in os.walk(root) for each in (*folders, *files)
        }
        found = {path for name in ("a", "b", "c", "stays") for path in index.find(name, limit=1000)}
        assert found == walked
        assert set(index.list_untold(str(root))) <= {path for path in walked if os.path.isfile(path)}
    index.close()


def _act(root: Path, act: str, path: Path, other: Path) -> None:
    try:
        if act == "file":
            path.touch()
        elif act == "folder":
            path.mkdir(parents=True)
        elif act == "remove":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        else:
            path.rename(other)
    except OSError:
        return  # what cannot be done is not done
