"""Watched folders on a real disk: files are told when they are whole, by events and by polling, over restarts and lost disks."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from playhead.ports.arrivals import Arrival
from playhead.ports.file_index import Root
from playhead.runtime import watching
from playhead.runtime.folder_events import FolderEvents, Hint
from playhead.runtime.watching import FolderWatch, WatchedFolder
from playhead.store.file_index import SqlFileIndex

DEADLINE_S = 30.0
POLLING_S = 0.05
QUEUE = Path("/proc/sys/fs/inotify/max_queued_events")
MOST_QUEUED = int(QUEUE.read_text()) if QUEUE.exists() else 0

needs_inotify = pytest.mark.skipif(sys.platform != "linux", reason="events of folders are Linux' inotify")
either = pytest.mark.parametrize(
    "polling_s", [pytest.param(None, marks=needs_inotify), POLLING_S], ids=["events", "polling"]
)


@pytest.fixture
def tv(tmp_path: Path) -> Path:
    (tmp_path / "tv" / "Show" / "Season 01").mkdir(parents=True)
    (tmp_path / "tv" / "Show" / "Season 01" / "old.mkv").write_text("old")
    return tmp_path / "tv"


@pytest.fixture
def index(tmp_path: Path, tv: Path) -> Iterator[SqlFileIndex]:
    index = SqlFileIndex(tmp_path / "files.db")
    index.keep_roots([Root(str(tv))])
    index.compare(str(tv))
    yield index
    index.close()


class Ear:
    """What was told, as (what, path below the folder)."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.arrivals: list[Arrival] = []

    async def hear(self, arrival: Arrival) -> None:
        self.arrivals.append(arrival)

    @property
    def told(self) -> set[tuple[str, str]]:
        return {
            (each.what, os.path.relpath(path, self.root)) for each in self.arrivals for path in each.paths
        }

    async def hears(self, *expected: tuple[str, str]) -> None:
        """Wait until these were told; then nothing else was."""
        await until(lambda: set(expected) <= self.told, lambda: f"told only {self.told}")
        assert self.told == set(expected)
        self.arrivals.clear()


async def until(
    holds: Callable[[], bool], otherwise: Callable[[], str] = lambda: "it did not happen"
) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not holds():
        assert time.monotonic() < deadline, otherwise()
        await asyncio.sleep(0.01)


@asynccontextmanager
async def watch(
    index: SqlFileIndex,
    root: Path,
    polling_s: float | None,
    settle_s: float = 0.2,
    tell: Callable[[Arrival], Awaitable[None]] | None = None,
) -> AsyncIterator[tuple[FolderWatch, Ear]]:
    ear = Ear(root)
    folder = FolderWatch(WatchedFolder(str(root) + "/", polling_s, settle_s), index, tell or ear.hear)
    task = asyncio.create_task(folder.run())
    try:
        await until(lambda: folder.state != "starting", lambda: folder.state)
        yield folder, ear
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@either
async def test_files_are_told_as_they_come_change_and_go(
    polling_s: float | None, index: SqlFileIndex, tv: Path
) -> None:
    """Written, moved in, replaced, renamed and deleted; what was there before is not told."""
    season = tv / "Show" / "Season 01"
    async with watch(index, tv, polling_s) as (_, ear):
        (season / "new.mkv").write_text("whole")
        await ear.hears(("arrived", "Show/Season 01/new.mkv"))
        outside = tv.with_name("film.mkv")
        outside.write_text("film")
        outside.rename(tv / "film.mkv")
        await ear.hears(("arrived", "film.mkv"))
        (season / "better.mkv.part").write_text("better")
        (season / "better.mkv.part").rename(season / "new.mkv")
        await ear.hears(("upgraded", "Show/Season 01/new.mkv"))
        (season / "new.mkv").rename(tv / "Show" / "moved.mkv")
        await until(lambda: bool(ear.arrivals))
        assert ear.arrivals[0].before == (str(season / "new.mkv"),)
        await ear.hears(("renamed", "Show/moved.mkv"))
        (tv / "Show" / "moved.mkv").unlink()
        await ear.hears(("deleted", "Show/moved.mkv"))
    assert index.list_untold(str(tv)) == []


@either
async def test_folders_come_with_all_in_them(polling_s: float | None, index: SqlFileIndex, tv: Path) -> None:
    """Moved in whole, made deep at once, renamed, and removed; and what comes into them later is heard."""
    ready = tv.with_name("ready")
    (ready / "Season 01").mkdir(parents=True)
    (ready / "Season 01" / "e1.mkv").write_text("1")
    (ready / "Season 01" / "e2.mkv").write_text("2")
    async with watch(index, tv, polling_s) as (_, ear):
        ready.rename(tv / "Ready")
        await ear.hears(("arrived", "Ready/Season 01/e1.mkv"), ("arrived", "Ready/Season 01/e2.mkv"))
        (tv / "A" / "B" / "C").mkdir(parents=True)
        (tv / "A" / "B" / "C" / "deep.mkv").write_text("deep")
        await ear.hears(("arrived", "A/B/C/deep.mkv"))
        (tv / "A").rename(tv / "Z")
        await ear.hears(("renamed", "Z"))
        (tv / "Z" / "B" / "C" / "later.mkv").write_text("later")
        await ear.hears(("arrived", "Z/B/C/later.mkv"))
        shutil.rmtree(tv / "Z")
        await until(lambda: ("deleted", "Z") in ear.told, lambda: str(ear.told))


@either
async def test_a_file_that_grows_is_told_when_it_is_whole(
    polling_s: float | None, index: SqlFileIndex, tv: Path
) -> None:
    """Once, with the size that it has in the end; names of unfinished downloads and samples are never told."""
    async with watch(index, tv, polling_s, settle_s=2.0) as (_, ear):
        for name in ("x.mkv.part", "x.mkv.!qB", ".hidden.mkv", "film-sample.mkv", "x.tmp"):
            (tv / name).write_text("no")
        (tv / "@eaDir").mkdir()
        (tv / "@eaDir" / "thumb.mkv").write_text("no")
        with (tv / "grows.mkv").open("wb") as file:
            for _ in range(30):
                file.write(b"x" * 1000)
                file.flush()
                await asyncio.sleep(
                    0.1
                )  # what a slow download does: the time between two pieces is its point
                assert not ear.arrivals
        await ear.hears(("arrived", "grows.mkv"))
        assert (tv / "grows.mkv").stat().st_size == 30_000


@needs_inotify
async def test_a_file_that_was_closed_is_told_before_it_settled(index: SqlFileIndex, tv: Path) -> None:
    """Nobody waits an hour for a copy that has ended; a known file that is written anew is told as well."""
    async with watch(index, tv, None, settle_s=3600) as (_, ear):
        shutil.copy(tv / "Show" / "Season 01" / "old.mkv", tv / "copy.mkv")
        await ear.hears(("arrived", "copy.mkv"))
        with (tv / "copy.mkv").open("a") as file:
            file.write("more")
        await ear.hears(("upgraded", "copy.mkv"))


@either
async def test_a_folder_that_is_not_there_is_waited_for(
    polling_s: float | None, index: SqlFileIndex, tv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing in it is told to have gone, and what came meanwhile is told when it is back."""
    monkeypatch.setattr(watching, "AWAY_AGAIN_S", 0.05)
    async with watch(index, tv, polling_s) as (folder, ear):
        aside = tv.with_name("aside")
        shutil.move(tv, aside)
        await until(lambda: "is not there" in folder.state, lambda: folder.state)
        (aside / "meanwhile.mkv").write_text("came while away")
        aside.rename(tv)
        await ear.hears(("arrived", "meanwhile.mkv"))
        assert "is not there" not in folder.state
        (tv / "after.mkv").write_text("events again")
        await ear.hears(("arrived", "after.mkv"))
    assert len(index.find("old.mkv")) == 1


@either
async def test_what_happened_while_nobody_watched_is_told(
    polling_s: float | None, index: SqlFileIndex, tv: Path
) -> None:
    """Came, renamed and went; and what was seen but not told when the hub was killed."""
    (tv / "waited.mkv").write_text("seen and not told")
    index.compare(str(tv))
    (tv / "came.mkv").write_text("came")
    (tv / "Show" / "Season 01" / "old.mkv").rename(tv / "Show" / "Season 01" / "renamed.mkv")
    async with watch(index, tv, polling_s) as (_, ear):
        await ear.hears(
            ("arrived", "waited.mkv"), ("arrived", "came.mkv"), ("renamed", "Show/Season 01/renamed.mkv")
        )
    assert index.list_untold(str(tv)) == []


async def test_what_nobody_took_notice_of_is_told_again(
    index: SqlFileIndex, tv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever is told may fail."""
    monkeypatch.setattr(watching, "BROKEN_AGAIN_S", 0.05)
    heard: list[Arrival] = []

    async def fail_once(arrival: Arrival) -> None:
        heard.append(arrival)
        if len(heard) == 1:
            raise RuntimeError("the store is full")

    async with watch(index, tv, POLLING_S, tell=fail_once):
        (tv / "new.mkv").write_text("new")
        await until(lambda: len(heard) == 2)
        assert [each.paths for each in heard] == [(str(tv / "new.mkv"),)] * 2
        await until(lambda: index.list_untold(str(tv)) == [])


@needs_inotify
async def test_a_lost_queue_of_events_makes_all_folders_be_compared(
    index: SqlFileIndex, tv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel says that it dropped events, not which."""
    take = FolderEvents.take

    async def lose(self: FolderEvents) -> Hint:
        hint = await take(self)
        return Hint(lost=True) if hint else hint

    monkeypatch.setattr(FolderEvents, "take", lose)
    async with watch(index, tv, None) as (_, ear):
        for number in range(20):
            (tv / f"{number}").mkdir()
            (tv / f"{number}" / "x.mkv").write_text("x")
        await ear.hears(*(("arrived", f"{number}/x.mkv") for number in range(20)))


@needs_inotify
@pytest.mark.skipif(MOST_QUEUED > 100_000, reason="the kernel queues more events here than a test can make")
async def test_a_real_overflow_is_heard(tv: Path) -> None:
    """More events than the kernel queues, while nobody reads."""
    events = FolderEvents(str(tv), lambda: None)
    events.add([str(tv)])
    for number in range(MOST_QUEUED // 2 + 10):
        os.close(os.open(tv / f"{number % 50}.mkv", os.O_CREAT | os.O_WRONLY))
        os.unlink(tv / f"{number % 50}.mkv")
    events.begin()
    hint = Hint()
    deadline = time.monotonic() + DEADLINE_S
    while not hint.lost and time.monotonic() < deadline:
        await asyncio.sleep(0.01)
        hint = await events.take()
    await events.close()
    assert hint.lost


@needs_inotify
async def test_where_the_kernel_has_no_events_left_the_folder_is_polled(
    index: SqlFileIndex, tv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where the number of watches is used up."""

    def refuse(self: FolderEvents, folders: object) -> list[str]:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(FolderEvents, "add", refuse)
    monkeypatch.setattr(watching, "NO_EVENTS_POLLING_S", POLLING_S)
    async with watch(index, tv, None) as (folder, ear):
        await until(lambda: folder.state.startswith("looking every"), lambda: folder.state)
        (tv / "new.mkv").write_text("new")
        await ear.hears(("arrived", "new.mkv"))


async def test_what_another_look_finds_is_told_as_well(index: SqlFileIndex, tv: Path) -> None:
    """Whoever compares the folders, also from further above: no difference is lost to the watch."""
    index.keep_roots([Root(str(tv)), Root(str(tv.parent / "tv" / "Show"))])
    index.compare(str(tv / "Show"))
    async with watch(index, tv / "Show", 3600.0) as (_, ear):
        (tv / "Show" / "new.mkv").write_text("new")
        (tv / "beside.mkv").write_text("not watched")
        (tv / "Show" / "Season 01" / "old.mkv").unlink()
        await asyncio.to_thread(index.compare, str(tv))
        await ear.hears(("arrived", "new.mkv"), ("deleted", "Season 01/old.mkv"))


@needs_inotify
async def test_a_thousand_files_in_forty_folders_are_each_told_once(index: SqlFileIndex, tv: Path) -> None:
    """Written by several at once; none is lost and none told twice."""

    def write(folder: int) -> None:
        (tv / f"Show {folder}").mkdir()
        for number in range(25):
            (tv / f"Show {folder}" / f"{number}.mkv").write_text("episode")

    async with watch(index, tv, None) as (_, ear):
        await asyncio.gather(*(asyncio.to_thread(write, folder) for folder in range(40)))
        await until(lambda: len(ear.told) >= 1000, lambda: str(len(ear.told)))
        paths = [path for each in ear.arrivals if each.what == "arrived" for path in each.paths]
        assert len(paths) == len(set(paths)) == 1000
