"""A running hub asks a Sonarr and a Radarr what its webhooks did not tell; all are on one real folder with the media servers."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from playhead.faces.cli.demo_world import EMBY, JELLYFIN, PERSON, PLEX
from playhead.sandbox.faults import FaultOrder
from playhead.sandbox.run import SandboxHandle, run_world_in_thread
from playhead.sandbox.world import World, WorldItem, WorldLibrary, WorldServer, WorldUser
from tests.faces.acting import ask
from tests.faces.conftest import Cli
from tests.faces.test_scan import states
from tests.faces.test_serve import QUIET, Hub, Start, start, until

__all__ = ["start"]

SERVERS = (PLEX, JELLYFIN, EMBY)
PROVED = dict.fromkeys(SERVERS, "proved")
ROOTS = {"sonarr": "/tv", "radarr": "D:\\Films"}
NEW = {"sonarr": "e2", "radarr": "m2"}


def make_items() -> list[WorldItem]:
    items = [WorldItem(id="show", type="show", title="Severance", year=2022, ids={"tvdb": "371980"})]
    for number in range(1, 9):
        items.append(
            WorldItem(
                id=f"e{number}", type="episode", title=f"Part {number}", show="show", season=1, episode=number
            )
        )
    for number in (1, 2):
        items.append(
            WorldItem(
                id=f"m{number}", type="movie", title=f"Film {number}", year=2020, ids={"tmdb": f"9{number}"}
            )
        )
    return items


def make_servers(media: Path) -> list[WorldServer]:
    """Sonarr calls the folder /tv, Radarr D:\\Films, the media servers as this machine does."""
    tv, movies = (str(media / name) for name in ("tv", "movies"))
    shelves = [
        WorldLibrary(title="Shows", kind="shows", folder=tv),
        WorldLibrary(title="Movies", kind="movies", folder=movies),
    ]
    alice, delays = [WorldUser(name=PERSON, admin=True)], {"scan_s": 0.1}
    own = [
        WorldLibrary(title="TV", kind="shows", root=ROOTS["sonarr"], folder=tv),
        WorldLibrary(title="Films", kind="movies", root=ROOTS["radarr"], folder=movies),
    ]
    return [
        WorldServer(name=PLEX, kind="plex", users=alice, libraries=shelves, delays=delays),
        WorldServer(name=JELLYFIN, kind="jellyfin", users=alice, libraries=shelves, delays=delays),
        WorldServer(
            name=EMBY, kind="emby", users=alice, libraries=shelves, delays=delays | {"monitor_s": 0.2}
        ),
        WorldServer(name="sonarr", kind="sonarr", items=[], libraries=own),
        WorldServer(name="radarr", kind="radarr", items=[], libraries=own),
    ]


@pytest.fixture
def media(tmp_path: Path) -> Path:
    for name in ("tv", "movies"):
        (tmp_path / "media" / name).mkdir(parents=True)
    return tmp_path / "media"


@pytest.fixture
def house(media: Path, cli: Cli, home: Path, connect: Any) -> Iterator[SandboxHandle]:
    """Three media servers connected, a Sonarr and a Radarr with one file each as senders."""
    with run_world_in_thread(World(items=make_items(), servers=make_servers(media))) as box:
        for name in SERVERS:
            ran = connect(box, name)
            assert ran.code == 0, ran.err
        do(box, "sonarr", "import", "e1")
        do(box, "radarr", "import", "m1")
        with (home / "playhead.yaml").open("a") as settings:
            settings.write(QUIET + "senders:\n")
            for kind, folder in (("sonarr", "tv"), ("radarr", "movies")):
                (home.parent / kind).write_text(box.server(kind).admin_token)
                settings.write(
                    f"  {kind.title()}:\n    kind: {kind}\n    url: {box.url(kind)}\n    key: file:{home.parent / kind}\n"
                    f"    paths: [{{server: '{ROOTS[kind]}', hub: {media / folder}}}]\n"
                    "    look_every_s: 1\n    sweep_every_s: 1\n"
                )
        yield box


def do(box: SandboxHandle, kind: str, act: str, item: str = "", **args: Any) -> None:
    ask(box, "/_sandbox/act", {"server": kind, "user": "", "item": item, "act": act, **args})


def be_asking(hub: Hub) -> None:
    """Wait until every sender answered, so that its past is known."""
    until(
        lambda: all(state == "answers" for state in hub.be_ready()["senders"].values()), f"asking\n{hub.log}"
    )


def jobs(cli: Cli) -> list[dict[str, Any]]:
    return list(cli("scans", "--json").json)


def wait_for_last(hub: Hub, cli: Cli, wanted: dict[str, str]) -> None:
    until(lambda: jobs(cli) and states(jobs(cli)[0]) == wanted, f"{wanted}\n{hub.log}")


def looks(hub: Hub, sender: str, outcome: str = "answered") -> float:
    with urllib.request.urlopen(hub.url + "/metrics") as answer:
        lines = answer.read().decode().splitlines()
    wanted = f'playhead_sender_looks_total{{outcome="{outcome}",sender="{sender}"}} '
    return next((float(line.removeprefix(wanted)) for line in lines if line.startswith(wanted)), 0.0)


def failed_looks(hub: Hub, sender: str) -> float:
    return sum(looks(hub, sender, outcome) for outcome in ("unreachable", "interrupted"))


def look_again(hub: Hub, sender: str) -> None:
    """Two looks: the one that may be under way, and one more."""
    wanted = looks(hub, sender) + 2
    until(lambda: looks(hub, sender) >= wanted, f"asked again\n{hub.log}")


@pytest.mark.parametrize("kind", ["sonarr", "radarr"])
def test_an_import_of_which_no_post_came_is_scanned(
    kind: str, house: SandboxHandle, start: Start, cli: Cli
) -> None:
    """Its path is that of the sender, mapped; what was there before the first look is not scanned."""
    hub = start()
    be_asking(hub)
    assert jobs(cli) == []
    do(house, kind, "import", NEW[kind])
    wait_for_last(hub, cli, PROVED)
    [job] = jobs(cli)
    assert job["source"] == kind
    look_again(hub, kind.title())
    assert len(jobs(cli)) == 1


def test_what_is_posted_and_found_is_scanned_once(house: SandboxHandle, start: Start, cli: Cli) -> None:
    """The post maps as its sender does."""
    hub = start()
    be_asking(hub)
    assert cli("webhooks", "register", "sonarr", "--json").json[0]["state"] == "registered"
    assert cli("api-key", "show", "--json").json["key"] not in hub.log
    do(house, "sonarr", "import", "e2")
    do(house, "sonarr", "import", "e3")
    until(
        lambda: len(jobs(cli)) == 2 and all(states(job) == PROVED for job in jobs(cli)), f"proved\n{hub.log}"
    )
    until(lambda: hub.log.count("told='Download'") == 2, f"posted\n{hub.log}")
    until(lambda: hub.log.count("told='look'") >= 1, f"found\n{hub.log}")
    look_again(hub, "Sonarr")
    assert len(jobs(cli)) == 2, jobs(cli)


def test_what_happened_while_the_hub_was_killed_is_scanned_at_its_next_start(
    house: SandboxHandle, start: Start, cli: Cli
) -> None:
    """And again after a kill in the midst of it: each file once."""
    hub = start()
    be_asking(hub)
    hub.end(9)
    for number in range(2, 9):
        do(house, "sonarr", "import", f"e{number}")
    hub = start()
    until(lambda: jobs(cli), f"the first job\n{hub.log}")
    hub.end(9)
    hub = start()
    until(
        lambda: len(jobs(cli)) == 7 and all(states(job) == PROVED for job in jobs(cli)), f"proved\n{hub.log}"
    )
    be_asking(hub)
    look_again(hub, "Sonarr")
    assert len(jobs(cli)) == 7


def test_a_sender_that_is_down_is_told_once_and_asked_again(
    house: SandboxHandle, start: Start, cli: Cli
) -> None:
    """The hub stays ready; what happened meanwhile is found."""
    hub = start()
    be_asking(hub)
    house.faults.add(FaultOrder(kind="reset", server="sonarr", count=None))
    until(lambda: failed_looks(hub, "Sonarr") >= 2, f"asked again\n{hub.log}")
    state = hub.be_ready()["senders"]
    assert "Sonarr at" in state["Sonarr"] and state["Radarr"] == "answers"
    assert hub.log.count("a look at a sender failed") == 1
    do(house, "sonarr", "import", "e2")
    house.faults.clear()
    wait_for_last(hub, cli, PROVED)
    assert "a sender answers again" in hub.log
    assert house.server("sonarr").admin_token not in hub.log


def test_a_disk_that_is_offline_deletes_nothing(
    house: SandboxHandle, start: Start, cli: Cli, media: Path
) -> None:
    """What Sonarr misses meanwhile is not scanned; that the disk is away is told. Back again, nothing is missing."""
    hub = start()
    be_asking(hub)
    do(house, "sonarr", "offline")
    do(house, "sonarr", "rescan", "show")
    until(lambda: hub.be_ready()["senders"]["Sonarr"] == "offline: /tv", f"offline\n{hub.log}")
    assert jobs(cli) == []
    do(house, "sonarr", "online")
    do(house, "sonarr", "rescan", "show")
    be_asking(hub)
    look_again(hub, "Sonarr")
    assert [job for job in jobs(cli) if "gone" in str(job)] == []


def test_a_file_that_is_missed_but_is_there_is_not_scanned_and_one_that_is_gone_is(
    house: SandboxHandle, start: Start, cli: Cli, media: Path
) -> None:
    """The hub sees the folder itself."""
    hub = start()
    be_asking(hub)
    do(house, "sonarr", "delete", "show")
    look_again(hub, "Sonarr")
    assert jobs(cli) == []
    do(house, "sonarr", "add", "show")
    do(house, "sonarr", "rescan", "show")
    (media / "tv" / "Other").mkdir()
    look_again(hub, "Sonarr")
    before = len(jobs(cli))
    do(house, "sonarr", "lose", "e1")
    do(house, "sonarr", "rescan", "show")
    until(lambda: len(jobs(cli)) > before, f"scanned\n{hub.log}")
    until(lambda: set(states(jobs(cli)[0]).values()) == {"gone"}, f"gone\n{hub.log}")


def test_an_upgrade_is_one_scan_though_it_is_told_in_halves(
    house: SandboxHandle, start: Start, cli: Cli
) -> None:
    """The deletion of the old file is posted first, and waits for the new one; the look finds both."""
    hub = start()
    be_asking(hub)
    assert cli("webhooks", "register", "sonarr", "--json").json[0]["state"] == "registered"
    do(house, "sonarr", "import", "e1", quality="2160p.WEB-DL")
    until(lambda: hub.log.count("told='EpisodeFileDelete'") == 1, f"the first half\n{hub.log}")
    until(lambda: hub.log.count("told='look'") == 1, f"found\n{hub.log}")
    until(lambda: jobs(cli) and jobs(cli)[0]["ended_at"], f"proved\n{hub.log}")
    [job] = jobs(cli)
    assert sorted(
        (part["gone"], part["state"]) for part in job["parts"] if part["state"] != "no library"
    ) == [
        *[(False, "proved")] * 3,
        *[(True, "gone")] * 3,
    ]
    look_again(hub, "Sonarr")
    assert len(jobs(cli)) == 1
