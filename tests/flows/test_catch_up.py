"""What a sender tells becomes jobs before it is remembered; halves, missing files and offline disks."""

from __future__ import annotations

from pathlib import Path

import pytest

from playhead.domain.library.mapping import MappedFolder, PathMap
from playhead.flows.catch_up import CatchUp
from playhead.flows.take_arrivals import FEW_UNSEEN, HALF_WAIT_S, ArrivalDesk
from playhead.ports.arrivals import ArrInfo, Arrival, Caught
from playhead.ports.errors import PlayheadError, Unreachable
from playhead.ports.library_jobs import Arrived, NewJob
from playhead.runtime.disk import OwnDisk
from playhead.store.library_jobs import SqlLibraryJobs

NOW = 1_000_000.0
SHOW = "/tv/Show"


class Net:
    """A sender that tells what it is given."""

    def __init__(self) -> None:
        self.told: list[Arrival] = []
        self.offline: tuple[str, ...] = ()
        self.looks: list[tuple[bytes | None, bool]] = []
        self.fails = False

    async def probe(self) -> ArrInfo:
        return ArrInfo("Sonarr", "Sonarr", "4.0")

    async def catch_up(self, memory: bytes | None, *, now: float, sweep: bool) -> Caught:
        if self.fails:
            raise Unreachable("no")
        self.looks.append((memory, sweep))
        told, self.told = self.told, []
        return Caught(tuple(told), b"%d" % len(self.looks), self.offline if told else ())

    async def find_offline(self) -> tuple[str, ...]:
        return self.offline

    async def close(self) -> None:
        """Nothing is held."""


class House:
    """A hub with one connection, and a sender whose /tv is a folder here."""

    def __init__(self, home: Path) -> None:
        self.tv = home / "tv"
        self.tv.mkdir()
        self.jobs = SqlLibraryJobs(home / "library.db")
        self.net = Net()
        self.now = NOW
        self.full = False
        self.waits: dict[int, float] = {}

    def put(self, job: NewJob, after_s: float) -> int:
        if self.full:
            raise PlayheadError("The disk is full.")
        number = self.jobs.add(job, ["Den"], self.now, self.now + after_s)
        self.waits[number] = after_s
        return number

    async def look(self) -> tuple[str, ...]:
        desk = ArrivalDesk(self.jobs, OwnDisk(), self.put, now=lambda: self.now)
        paths = PathMap([MappedFolder("/tv", str(self.tv))])
        looked = await CatchUp("Sonarr", paths, 3600, self.jobs, desk).look(self.net, self.now)
        return looked.unseen

    async def tell(self, *arrivals: Arrival) -> tuple[str, ...]:
        self.net.told = list(arrivals)
        return await self.look()

    @property
    def arrived(self) -> list[Arrived]:
        """Of all jobs, paths below the folder."""
        prefix = str(self.tv)
        return [
            Arrived(each.path.removeprefix(prefix), each.gone)
            for job in reversed(self.jobs.list_newest(1000))
            for each in job.new.arrived
        ]


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def tell(name: str, what: str = "arrived", **more: object) -> Arrival:
    path = f"{SHOW}/{name}.mkv"
    return Arrival(what, (path,), SHOW, "Show", "sonarr", "x", key=f"{what}|{path}", **more)  # type: ignore[arg-type]


async def test_what_was_told_is_remembered_only_once_it_is_a_job(house: House) -> None:
    """Where a job cannot be stored the next look gets the old memory."""
    await house.look()
    house.full = True
    with pytest.raises(PlayheadError):
        await house.tell(tell("a"))
    house.full = False
    await house.tell(tell("a"))
    assert [memory for memory, _ in house.net.looks] == [None, b"1", b"1"]
    assert house.arrived == [Arrived("/Show/a.mkv")]


async def test_it_is_swept_at_first_and_then_rarely_also_across_restarts(house: House) -> None:
    """What a failed look would have swept the next one sweeps."""
    house.net.fails = True
    with pytest.raises(Unreachable):
        await house.look()
    house.net.fails = False
    for passed in (0, 60, 3600, 60):
        house.now += passed
        await house.look()
    assert [sweep for _, sweep in house.net.looks] == [True, False, True, False]


async def test_the_half_of_an_upgrade_waits_and_goes_alone_after_a_while(house: House) -> None:
    """Then it is a deletion."""
    await house.tell(tell("old", "deleted", half=True))
    assert house.arrived == [Arrived("/Show/old.mkv", gone=True)]
    assert list(house.waits.values()) == [HALF_WAIT_S]
    assert house.jobs.take("Den", house.now + HALF_WAIT_S - 1, 10) == []
    assert len(house.jobs.take("Den", house.now + HALF_WAIT_S, 10)) == 1


@pytest.mark.parametrize("replaced", ["old", "new"])
async def test_the_other_half_takes_the_place_of_the_first(house: House, replaced: str) -> None:
    """Whether the file has another name then or the same, and whichever is told first."""
    half = Arrival("deleted", (f"{SHOW}/{replaced}.mkv",), SHOW, "Show", "sonarr", "x", half=True, key="h")
    before = (f"{SHOW}/{replaced}.mkv",) if replaced == "old" else ()
    whole = tell("new", "upgraded", before=before)
    expected = [Arrived("/Show/new.mkv"), *([Arrived("/Show/old.mkv", gone=True)] if before else [])]
    await house.tell(half)
    await house.tell(whole)
    assert house.arrived == expected
    await house.tell(half)
    assert house.arrived == expected


async def test_a_missing_file_that_is_there_says_nothing_and_one_that_is_not_is_gone(house: House) -> None:
    """However many: the hub sees the folder."""
    (house.tv / "Show").mkdir()
    (house.tv / "Show" / "a.mkv").touch()
    names = [f"b{number}" for number in range(3 * FEW_UNSEEN)]
    unseen = await house.tell(*(tell(name, "deleted", missing=True) for name in ("a", *names)))
    assert house.arrived == [Arrived(f"/Show/{name}.mkv", gone=True) for name in names]
    assert unseen == ()


async def test_many_missing_files_where_the_hub_sees_nothing_are_told_and_not_scanned(house: House) -> None:
    """An empty folder may be a mount that is away. A few are looked for by the servers."""
    many = [tell(f"b{number}", "deleted", missing=True) for number in range(FEW_UNSEEN + 1)]
    unseen = await house.tell(tell("new"), *many)
    assert house.arrived == [Arrived("/Show/new.mkv")]
    assert len(unseen) == len(many)
    assert await house.tell(*many[:FEW_UNSEEN]) == ()
    assert len(house.arrived) == 1 + FEW_UNSEEN


async def test_what_lies_on_an_offline_disk_waits_until_it_is_back(house: House) -> None:
    """Across restarts; other folders do not wait."""
    house.net.offline = ("/tv",)
    elsewhere = Arrival("arrived", ("/more/X/x.mkv",), "/more/X", "X", "sonarr", "x", key="x")
    await house.tell(tell("a"), elsewhere)
    await house.look()
    assert house.arrived == [Arrived("/more/X/x.mkv")]
    house.net.offline = ()
    await house.look()
    assert house.arrived == [Arrived("/more/X/x.mkv"), Arrived("/Show/a.mkv")]
    await house.look()
    assert len(house.arrived) == 2


async def test_what_is_remembered_of_a_sender_that_is_gone_is_forgotten(house: House) -> None:
    """One that comes again under its name begins anew."""
    await house.look()
    house.jobs.forget_senders(["Sonarr"])
    assert house.jobs.load_sender("Sonarr") is not None
    house.jobs.forget_senders([])
    assert house.jobs.load_sender("Sonarr") is None
