"""What a server tells of its scans, and what became of its libraries meanwhile."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import aclosing
from importlib import import_module
from pathlib import Path

import pytest

from playhead.ports.backend import Manifest
from playhead.ports.events import SCAN_BEGAN, SCAN_ENDED, Event, Heard, Listens
from playhead.ports.scans import ListsSaved, Scans

from .rig import Rig, load_harness, open_rig
from .shelf import LONGEST_S, STEP_S, Place, open_place
from .world import ANNA, NOW, SERVER


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


async def test_the_end_of_a_whole_scan_moves_the_mark(place: Place) -> None:
    """Where a server tells one, and that it scans meanwhile."""
    films = await place.library("Films")
    await place.backend.begin_scan(films.id, None)
    for _ in range(int(LONGEST_S / STEP_S)):
        place.rig.box.clock.advance(STEP_S)
        now = await place.library("Films")
        if now.mark != films.mark and not now.scanning:
            return
    raise AssertionError(f"the mark stays {films.mark!r}")


async def test_a_scan_is_heard_to_begin_and_to_end(place: Place) -> None:
    """On the server's line, with its library; a playback that is told after it ends the wait."""
    films = await place.library("Films")
    assert isinstance(place.backend, Listens)
    heard: list[Event] = []
    async with aclosing(place.backend.listen()) as events:
        assert (await anext(events)).what is Heard.missed
        await place.backend.begin_scan(films.id, None)
        place.rig.box.clock.advance(LONGEST_S)
        place.rig.act("play_start", "matrix", user=ANNA)
        async with asyncio.timeout(10):
            async for event in events:
                if event.what is Heard.playing:
                    break
                heard += [event] if event.what is Heard.scan else []
    assert [(event.name, event.library_id) for event in heard] == [
        (SCAN_BEGAN, films.id),
        (SCAN_ENDED, films.id),
    ]


def test_who_lists_what_was_saved_says_so(manifest: Manifest) -> None:
    """``LISTS_SAVED`` of the harness; else that would not be tried on it."""
    module, _, name = manifest.backend.partition(":")
    able = hasattr(getattr(import_module(module), name), "list_saved_since")
    assert able == hasattr(load_harness(manifest), "LISTS_SAVED")


async def test_a_file_with_an_old_date_is_listed_among_what_was_saved(place: Place) -> None:
    """Where the date of adding is the file's own, the newest do not show it; what the server stored since then does."""
    if not isinstance(place.backend, ListsSaved):
        pytest.skip("its dates of adding are its own")
    films = await place.library("Films")
    name = "Old Film (1950)/Old Film (1950).mkv"
    path = f"/data/films/{name}"
    place.rig.box.clock.advance(STEP_S)
    assert await place.backend.list_saved_since(films.id, NOW + 1, 50) == []
    place.put(name, below=place.films)
    os.utime(place.films / name, (NOW - 10**8, NOW - 10**8))
    await place.backend.begin_scan(films.id, path)
    (item,) = await place.settle(films.id, path)
    saved = await place.backend.list_saved_since(films.id, NOW + 1, 50)
    assert [each.native_id for each in saved] == [item.native_id]


def act(place: Place, what: str, **args: object) -> None:
    """What an administrator does at the server."""
    place.rig.box.server(SERVER).act("", "", what, at=None, args=dict(args))


async def test_a_library_made_or_renamed_meanwhile_is_known(place: Place, tmp_path: Path) -> None:
    """Without a new connection; the one that was renamed is scanned under its new name, whatever its id is then."""
    before = {library.title for library in await place.backend.list_scanned()}
    name = "Heat (1995)/Heat (1995).mkv"
    more = tmp_path / "more"
    more.mkdir()
    act(place, "add_library", title="Klassiker", kind="movies", folder=str(more), root="/data/klassiker")
    act(place, "rename_library", library="Films", title="Spielfilme")
    after = {library.title for library in await place.backend.list_scanned()}
    assert after == before - {"Films"} | {"Klassiker", "Spielfilme"}
    for title, folder, root in (
        ("Klassiker", more, "/data/klassiker"),
        ("Spielfilme", place.films, "/data/films"),
    ):
        library = await place.library(title)
        assert library.folders == (root,)
        place.put(name, below=folder)
        await place.backend.begin_scan(library.id, f"{root}/{name}")
        await place.settle(library.id, f"{root}/{name}")


async def test_a_folder_that_a_library_got_meanwhile_is_scanned_alone(place: Place, tmp_path: Path) -> None:
    """A new film in it is found; what came into the other folder at the same time is not looked for there."""
    more = tmp_path / "more"
    more.mkdir()
    act(place, "add_folder", library="Films", folder=str(more), root="/data/more films")
    films = await place.library("Films")
    assert sorted(films.folders) == ["/data/films", "/data/more films"]
    name, other = "Heat (1995)/Heat (1995).mkv", "Ronin (1998)/Ronin (1998).mkv"
    place.put("Alien (1979)/Alien (1979).mkv", below=more)
    await place.backend.begin_scan(films.id, None)
    await place.settle(films.id, "/data/more films/Alien (1979)/Alien (1979).mkv")
    place.rig.box.clock.advance(LONGEST_S)
    place.put(name, below=more)
    place.put(other, below=place.films)
    begun = await place.backend.begin_scan(films.id, f"/data/more films/{name}")
    assert (begun.covers or "").startswith("/data/more films")
    await place.settle(films.id, f"/data/more films/{name}")
    assert await place.backend.find_files(films.id, [f"/data/films/{other}"]) == []


async def test_a_file_that_two_libraries_hold_is_proved_in_each(place: Place) -> None:
    """A scan of each; the ids may be one or two."""
    act(place, "add_library", title="Twice", kind="movies", folder=str(place.films), root="/data/films")
    name = "Heat (1995)/Heat (1995).mkv"
    place.put(name, below=place.films)
    libraries = [each for each in await place.backend.list_scanned() if each.folders == ("/data/films",)]
    assert len(libraries) == 2
    for library in libraries:
        await place.backend.begin_scan(library.id, f"/data/films/{name}")
    for library in libraries:
        (item,) = await place.settle(library.id, f"/data/films/{name}")
        assert item.library_id == library.id
