"""A backend that scans: libraries as they are, the smallest scan asked for, and the item that proves a file, on real folders.

``SCANS`` of the harness says who can; ``REAL_FOLDERS`` whether the emulated server finds what lies on this machine.
"""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from importlib import import_module
from pathlib import Path

import pytest

from playhead.domain.library.places import key
from playhead.ports.backend import Manifest
from playhead.ports.errors import NotFound, Unauthorized
from playhead.ports.scans import EmptiesTrash, Scans

from .rig import Rig, load_harness, open_rig
from .shelf import FILM, FIRST, SECOND, Place, open_place
from .world import ANNA, BEN, SERVER


@pytest.fixture
async def place(manifest: Manifest, version: str | None, tmp_path: Path) -> AsyncIterator[Place]:
    async with open_place(manifest, version, tmp_path, "/data/tv & more #1") as opened:
        yield opened


@pytest.fixture
async def scanning(manifest: Manifest, version: str | None) -> AsyncIterator[tuple[Rig, Scans]]:
    """The usual world, whose libraries have no real folders."""
    if not hasattr(load_harness(manifest), "SCANS"):
        pytest.skip(f"{manifest.name} declares that it scans nothing")
    async with open_rig(manifest, version=version) as rig:
        backend = rig.connect()
        assert isinstance(backend, Scans)
        yield rig, backend


def test_who_scans_says_so(manifest: Manifest) -> None:
    """Else nothing here would be tried on it."""
    module, _, name = manifest.backend.partition(":")
    able = hasattr(getattr(import_module(module), name), "begin_scan")
    assert able == hasattr(load_harness(manifest), "SCANS") == hasattr(load_harness(manifest), "REAL_FOLDERS")


async def test_libraries_are_told_with_their_folders(scanning: tuple[Rig, Scans]) -> None:
    """Each under the id by which its items are listed."""
    _, backend = scanning
    libraries = {library.title: library for library in await backend.list_scanned()}
    films, series = libraries["Films"], libraries["Series"]
    assert (films.kind, films.folders) == ("movies", ("/media/films",))
    assert (series.kind, series.folders) == ("shows", ("/media/series",))
    assert not films.scanning


async def test_every_file_is_found_by_its_path(scanning: tuple[Rig, Scans]) -> None:
    """As the lists name it; what nobody has is not there."""
    _, backend = scanning
    for library in await backend.list_scanned():
        newest = await backend.list_newest(library.id, 50)
        files = sorted({file for item in newest for file in item.files})
        assert files
        found = await backend.find_files(library.id, [*files, library.folders[0] + "/none.mkv"])
        assert {item.native_id for item in found} == {item.native_id for item in newest}
        assert {item.library_id for item in found} == {library.id}
        assert all(item.claims and item.title and item.added_at is not None for item in found)


async def test_what_was_added_last_comes_in_pages(scanning: tuple[Rig, Scans]) -> None:
    """No item twice and none left out."""
    _, backend = scanning
    library = next(each for each in await backend.list_scanned() if each.kind == "movies")
    whole = [item.native_id for item in await backend.list_newest(library.id, 50)]
    pages = [await backend.list_newest(library.id, 3, start) for start in range(0, len(whole) + 3, 3)]
    assert [item.native_id for page in pages for item in page] == whole
    assert len(set(whole)) == len(whole) > 3


@pytest.mark.parametrize("path", ["/media/elsewhere/a.mkv", "/media/series2/a.mkv", "/media/series/../x"])
async def test_a_path_that_a_library_does_not_hold_is_refused(scanning: tuple[Rig, Scans], path: str) -> None:
    """A server would take it and do nothing."""
    rig, backend = scanning
    library = next(each for each in await backend.list_scanned() if each.kind == "shows")
    rig.asked.clear()
    with pytest.raises(NotFound, match="is in no folder"):
        await backend.begin_scan(library.id, path)
    assert len(rig.asked) == 1


async def test_a_library_that_is_gone_is_told_so(scanning: tuple[Rig, Scans]) -> None:
    """By every method that names one."""
    _, backend = scanning
    for asking in (
        backend.begin_scan("424242", None),
        backend.find_files("424242", ["/media/a.mkv"]),
        backend.list_newest("424242", 5),
    ):
        with pytest.raises(NotFound, match="no library 424242"):
            await asking


async def test_a_plain_user_may_not_scan(scanning: tuple[Rig, Scans], manifest: Manifest) -> None:
    """The hint says whose token it takes."""
    rig, backend = scanning
    library = (await backend.list_scanned())[0]
    plain = rig.connect(BEN, token=rig.box.token(SERVER, BEN))
    assert isinstance(plain, Scans)
    with pytest.raises(Unauthorized, match="scanned") as caught:
        await plain.begin_scan(library.id, None)
    assert f"playhead connect {load_harness(manifest).KIND}" in caught.value.hint


async def test_a_new_file_in_a_known_folder_is_shown_by_a_handful_of_requests(place: Place) -> None:
    """Three at most for the scan, two for each look; neither reads a whole list."""
    series = await place.library("Series")
    place.put(SECOND)
    path = place.named(SECOND)
    place.rig.asked.clear()
    begun = await place.backend.begin_scan(series.id, path)
    assert len(place.rig.asked) <= 4
    assert key(begun.covers or "") == key(place.named("The Show (2008)/Season 01"))
    items = await place.settle(series.id, path)
    assert [(item.kind, item.season, item.episode) for item in items] == [("episode", 1, 2)]
    place.rig.asked.clear()
    await place.backend.find_files(series.id, [path])
    assert len(place.rig.asked) <= 2


async def test_an_administrators_own_token_scans_as_well(place: Place) -> None:
    """Where a server has keys that belong to nobody, they are not needed."""
    own = place.rig.connect(ANNA, token=place.rig.box.token(SERVER, ANNA))
    assert isinstance(own, Scans)
    place.backend = own
    series = await place.library("Series")
    place.put(SECOND)
    begun = await own.begin_scan(series.id, place.named(SECOND))
    assert key(begun.covers or "") == key(place.named("The Show (2008)/Season 01"))
    assert await place.settle(series.id, place.named(SECOND))


@pytest.mark.parametrize(
    "name",
    [
        "New & Old #2 + Ä (2024)/Season 01/New & Old #2 + Ä - S01E01.mkv",
        "The Show (2008)/Season 02/The Show - S02E01.mkv",
        "The Show - S01E03.mkv",
    ],
)
async def test_a_file_in_a_new_folder_or_at_the_root_is_shown(place: Place, name: str) -> None:
    """A show that is new, a season that is new, and no folder at all."""
    series = await place.library("Series")
    place.put(name)
    await place.backend.begin_scan(series.id, place.named(name))
    (item,) = await place.settle(series.id, place.named(name))
    assert [key(file) for file in item.files] == [key(place.named(name))]


async def test_a_whole_library_is_scanned(place: Place) -> None:
    """Wherever the file lies."""
    series = await place.library("Series")
    place.put(SECOND)
    assert (await place.backend.begin_scan(series.id, None)).covers is None
    await place.settle(series.id, place.named(SECOND))


async def test_a_file_of_several_episodes_is_proved_for_all_of_them(place: Place) -> None:
    """One item with a last number, or an item for each."""
    series = await place.library("Series")
    name = "The Show (2008)/Season 01/The Show - S01E02-E03.mkv"
    place.put(name)
    await place.backend.begin_scan(series.id, place.named(name))
    items = await place.settle(series.id, place.named(name))
    numbers = {
        number
        for item in items
        if item.episode is not None
        for number in range(item.episode, (item.episode_end or item.episode) + 1)
    }
    assert numbers == {2, 3}


async def test_what_is_gone_is_noticed_by_a_scan_of_its_folder(place: Place) -> None:
    """Dropped, or not available until the trash is emptied."""
    series = await place.library("Series")
    place.put(SECOND)
    await place.backend.begin_scan(series.id, place.named(SECOND))
    await place.settle(series.id, place.named(SECOND))
    (place.shows / SECOND).unlink()
    await place.backend.begin_scan(series.id, place.named("The Show (2008)/Season 01"))
    left = await place.settle(series.id, place.named(SECOND), found=False)
    if isinstance(place.backend, EmptiesTrash):
        assert left
        await place.backend.empty_trash(series.id)
    assert await place.backend.find_files(series.id, [place.named(SECOND)], thorough=True) == []
    assert await place.backend.find_files(series.id, [place.named(FIRST)])


async def test_a_folder_that_is_gone_is_noticed_by_a_scan_of_its_parent(place: Place) -> None:
    """As the port says; another show is left, for a library that is empty is taken for an absent disk."""
    series = await place.library("Series")
    shutil.rmtree(place.shows / "The Show (2008)")
    await place.backend.begin_scan(series.id, place.named(""))
    await place.settle(series.id, place.named(FIRST), found=False)


async def test_a_renamed_file_is_the_item_of_its_new_path(place: Place) -> None:
    """The old path proves nothing any more."""
    series = await place.library("Series")
    (place.shows / FIRST).rename(place.shows / FIRST.replace(".mkv", " - Part 1.mkv"))
    await place.backend.begin_scan(series.id, place.named("The Show (2008)/Season 01"))
    new = place.named(FIRST.replace(".mkv", " - Part 1.mkv"))
    await place.settle(series.id, new, thorough=True)
    assert not any(item.available for item in await place.backend.find_files(series.id, [place.named(FIRST)]))


async def test_an_upgrade_is_proved_by_the_new_file(place: Place) -> None:
    """The old file is gone and another lies in its place; on a thorough look at the latest."""
    films = await place.library("Films")
    new = FILM.replace(").mkv", ") - 2160p.mkv")
    place.put(new, below=place.films)
    (place.films / FILM).unlink()
    await place.backend.begin_scan(films.id, f"/data/films/{new}")
    items = await place.settle(films.id, f"/data/films/{new}", thorough=True)
    assert {item.kind for item in items} == {"movie"}
    left = await place.backend.find_files(films.id, [f"/data/films/{FILM}"], thorough=True)
    assert not any(f"/data/films/{FILM}" in item.files for item in left if item.available)


async def test_a_further_version_of_a_film_is_proved(place: Place) -> None:
    """Beside the first one, which stays."""
    films = await place.library("Films")
    more = FILM.replace(").mkv", ") - 2160p.mkv")
    place.put(more, below=place.films)
    await place.backend.begin_scan(films.id, f"/data/films/{more}")
    assert await place.settle(films.id, f"/data/films/{more}", thorough=True)
    assert await place.settle(films.id, f"/data/films/{FILM}", thorough=True)


async def test_the_newest_item_stands_in_front(place: Place) -> None:
    """A file that came after all others."""
    films = await place.library("Films")
    name = "New Film (2024)/New Film (2024).mkv"
    place.put(name, below=place.films)
    await place.backend.begin_scan(films.id, f"/data/films/{name}")
    (item,) = await place.settle(films.id, f"/data/films/{name}")
    (newest,) = await place.backend.list_newest(films.id, 1)
    assert (newest.native_id, newest.kind, newest.title) == (item.native_id, "movie", item.title)


@pytest.mark.parametrize("root", [r"D:\TV", r"\\nas\tv shows"])
async def test_a_server_on_windows_is_asked_in_its_own_words(
    manifest: Manifest, version: str | None, tmp_path: Path, root: str
) -> None:
    """Whatever strokes the hub writes; a drive and a share."""
    async with open_place(manifest, version, tmp_path, root) as place:
        series = await place.library("Series")
        assert series.folders == (root,)
        place.put(SECOND)
        await place.backend.begin_scan(series.id, f"{root}/{SECOND}".replace("\\", "/"))
        (item,) = await place.settle(series.id, place.named(SECOND))
        assert item.files == (place.named(SECOND),)
