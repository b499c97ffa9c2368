"""Whatever happens in whatever order: files that come and go, a server that is down, a killed hub, a share that is away.
In the end each file that is there is an item, none that went is, and every job has ended with a true word."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from playhead.flows.update_library import LibraryUpdate
from playhead.ports.library_jobs import PartState
from tests.flows.shelves import Row

FOLDERS = ("/tv/A/S1", "/tv/A/S2", "/tv/B", "/tv", "/films/C", "/films/C D")
FILES = st.builds(
    lambda folder, number: f"{folder}/{number}.mkv", st.sampled_from(FOLDERS), st.integers(0, 3)
)
SECONDS = st.sampled_from([0.1, 1.0, 5.0, 150.0])
STEPS = st.one_of(
    st.tuples(st.just("come"), FILES, st.booleans()),
    st.tuples(st.just("go"), FILES, st.booleans()),
    st.tuples(st.just("pass"), SECONDS),
    st.tuples(st.just("away"), SECONDS),
    st.tuples(st.just("down"), SECONDS),
    st.tuples(st.sampled_from(["kill", "own scan", "blind"])),
)


async def play(row: Row, steps: list[tuple[object, ...]]) -> dict[int, tuple[str, bool]]:
    """Everything that is told to the hub, by the job's number."""
    jobs: dict[int, tuple[str, bool]] = {}
    for what, *more in steps:
        if what == "come":
            path, hurry = str(more[0]), bool(more[1])
            row.put(path)
            row.disk.files.add(path)
            jobs[row.ask(path, hurry=hurry)] = (path, False)
        elif what == "go":
            path, hurry = str(more[0]), bool(more[1])
            row.server.disk.discard(path)
            row.disk.files.discard(path)
            jobs[row.ask(path, gone=True, hurry=hurry)] = (path, True)
        elif what == "pass":
            await row.run(float(more[0]))  # type: ignore[arg-type]
        elif what == "away":
            await be_away(row, float(more[0]))  # type: ignore[arg-type]
        elif what == "down":
            row.server.down = True
            await row.run(float(more[0]))  # type: ignore[arg-type]
            row.server.down = False
        elif what == "kill":
            row.update = LibraryUpdate(row.lane)
        elif what == "own scan":
            row.server.begin("1", None)
        elif what == "blind":
            row.server.blind_for ^= {"/tv/A/S1"}
    return jobs


async def be_away(row: Row, seconds: float) -> None:
    """The share is gone for the hub and the server alike, after the scans that go on, and comes back with what it held."""
    row.clock.now += row.server.scan_s
    row.server.settle()
    held, row.server.disk = row.server.disk, set()
    row.disk.files = set()
    await row.run(seconds)
    row.server.disk, row.disk.files = held, set(held)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(STEPS, max_size=25), st.sampled_from([0.0, 3.0]), st.booleans())
def test_in_the_end_servers_hold_what_is_there(
    steps: list[tuple[object, ...]], scan_s: float, tells: bool
) -> None:
    """The two stay in the store's hands whatever breaks; a share that was away has cost no item."""

    async def run() -> None:
        with tempfile.TemporaryDirectory() as folder:
            row = Row(Path(folder), {"Shows": ("/tv/",), "Films": ("/films",)})
            for kept in ("/tv/kept.mkv", "/films/kept.mkv"):
                row.put(kept)
                row.disk.files.add(kept)
            row.server.shelved = {"1": {"/tv/kept.mkv"}, "2": {"/films/kept.mkv"}}
            row.server.scan_s, row.server.tells = scan_s, tells
            await row.update.look_around()
            jobs = await play(row, steps)
            await row.run(2000)
            shelved = row.server.shelved["1"] | row.server.shelved["2"]
            told = {path for path, _ in jobs.values()}
            assert told & row.server.disk <= shelved
            assert not (told - row.server.disk) & shelved
            assert {"/tv/kept.mkv", "/films/kept.mkv"} <= shelved
            for number, (path, gone) in jobs.items():
                [part] = row.job(number).parts
                assert not part.is_open, part
                if (path not in row.server.disk) == gone:  # what was told holds still
                    assert part.state is (PartState.gone if gone else PartState.proved), part
            row.jobs.close()

    asyncio.run(run())
