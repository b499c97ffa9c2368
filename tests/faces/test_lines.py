"""Which lines ``serve`` keeps open, and what is heard on them without any webhook."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from playhead.runtime.home import Home
from playhead.sandbox.run import SandboxHandle, run_world_in_thread
from playhead.sandbox.world import WorldUser
from playhead.wiring.hub import open_hub
from playhead.wiring.installation import Installation
from tests.faces.conftest import Cli
from tests.faces.test_serve import QUIET, Hub, fates, hooks, post, until
from tests.journeys.journey import movie, server, world

Start = Callable[..., Hub]


@pytest.fixture
def start(home: Path) -> Iterator[Start]:
    """Starts hubs on the test's home; those still up at the end are killed."""
    hubs: list[Hub] = []

    def start(*arguments: str) -> Hub:
        hubs.append(Hub(home, *arguments))
        return hubs[-1]

    yield start
    for hub in hubs:
        hub.process.kill()
        hub.process.wait()


@pytest.fixture
def box(cli: Cli, home: Path) -> Iterator[SandboxHandle]:
    """Three servers of alice and bob: Jellyfin and Emby by an administrator's key, bob there with tokens of his own."""
    users = [WorldUser(name="alice", admin=True), WorldUser(name="bob")]
    films = [movie("a"), movie("b")]
    made = world(films, *(server(kind, users=users) for kind in ("plex", "jellyfin", "emby")))
    with run_world_in_thread(made) as running:
        keys = {each["name"]: each["admin_token"] for each in running.start_line()["servers"]}
        keys["plex"] = running.token("plex", "alice")
        for name, key in keys.items():
            more = ["--plex-tv-url", running.extra_urls["plextv"]] if name == "plex" else []
            place = ["--url", running.url(name), "--token", key, "--user", "alice", "--person", "alice"]
            assert cli("connect", name, "--name", name, *place, "--yes", *more).code == 0
            cli("people", "add", "bob")
            (home.parent / name).write_text(running.token(name, "bob"))
            own = ["--token", f"file:{home.parent / name}"]
            ran = cli("people", "link", "bob", name, "bob", *own)
            assert ran.code == 0, ran.err
        assert cli("sync").code == 0
        with (home / "playhead.yaml").open("a") as settings:
            settings.write(QUIET)
        yield running


def watched(box: SandboxHandle, user: str, item: str) -> set[str]:
    """The servers on which the user has watched it."""
    return {
        name
        for name in ("plex", "jellyfin", "emby")
        for row in box.server(name).state_rows(user)
        if row.item == item and row.watched
    }


LINES = {"plex", "jellyfin", "emby", "jellyfin (bob)", "emby (bob)"}


@pytest.mark.parametrize("name", ["jellyfin", "emby"])
def test_a_login_with_a_token_of_its_own_has_a_line_of_its_own(
    box: SandboxHandle, start: Start, name: str
) -> None:
    """The key's line hears no marks; bob's own does, and they are bob's. One line to Plex hears of everybody."""
    hub = start()
    until(lambda: hub.be_ready()["listeners"] == dict.fromkeys(LINES, "open"), hub.log)
    until(lambda: not (runs := hub.ask("/readyz")[1]["runs"])["running"] and runs["last"], hub.log)
    box.server(name).act("bob", "b", "mark", at=None, args={})
    until(lambda: watched(box, "bob", "b") == {"plex", "jellyfin", "emby"}, hub.log)
    assert watched(box, "alice", "b") == set()


def test_a_mark_of_any_login_of_a_plex_is_heard_on_one_line(box: SandboxHandle, start: Start) -> None:
    """Its timeline goes to the owner's line, and names nobody: every account is asked."""
    hub = start()
    until(lambda: hub.be_ready()["listeners"] == dict.fromkeys(LINES, "open"), hub.log)
    until(lambda: not (runs := hub.ask("/readyz")[1]["runs"])["running"] and runs["last"], hub.log)
    box.server("plex").act("bob", "b", "mark", at=None, args={})
    until(lambda: watched(box, "bob", "b") == {"plex", "jellyfin", "emby"}, hub.log)
    assert watched(box, "alice", "b") == set()


@pytest.mark.parametrize("name", ["jellyfin", "emby"])
def test_marks_by_hand_show_where_only_a_key_listens(
    box: SandboxHandle, start: Start, home: Path, name: str
) -> None:
    """Alice has no line of her own there, and no webhook: a look finds her mark, and that there was an un-mark."""
    settings = (home / "playhead.yaml").read_text()
    (home / "playhead.yaml").write_text(settings.replace("look_every_s: 45", "look_every_s: 1"))
    hub = start()
    until(lambda: hub.be_ready()["listeners"] == dict.fromkeys(LINES, "open"), hub.log)
    until(lambda: not (runs := hub.ask("/readyz")[1]["runs"])["running"] and runs["last"], hub.log)
    box.server(name).act("alice", "b", "mark", at=None, args={})
    until(lambda: watched(box, "alice", "b") == {"plex", "jellyfin", "emby"}, hub.log)
    box.server(name).act("alice", "b", "unmark", at=None, args={})
    until(lambda: watched(box, "alice", "b") == set(), hub.log)
    assert watched(box, "bob", "b") == set()


def test_what_was_kept_of_a_stranger_is_acted_on_once_they_are_linked(
    cli: Cli, box: SandboxHandle, start: Start, home: Path
) -> None:
    """At once, in the running hub, and once: it is no longer unmatched, and reading it again changes nothing."""
    assert cli("people", "unlink", "emby", "bob", "--yes").code == 0
    hub = start()
    hub.be_ready()
    emby, url = box.server("emby"), hooks(cli)["emby"]
    emby.act("bob", "b", "mark", at=None, args={})
    bob = next(
        u
        for s in box.start_line()["servers"]
        if s["name"] == "emby"
        for u in s["users"]
        if u["name"] == "bob"
    )
    told = {
        "Event": "item.markplayed",
        "User": {"Id": bob["id"], "Name": "bob"},
        "Item": {"Id": find_film(home, "B"), "Type": "Movie"},
    }
    assert post(url, told) == 202
    until(lambda: fates(hub).get("unmatched") == 1, hub.log)
    assert cli("people", "link", "bob", "emby", "bob", "--token", f"file:{home.parent / 'emby'}").code == 0
    until(lambda: watched(box, "bob", "b") == {"plex", "jellyfin", "emby"}, hub.log)
    until(lambda: fates(hub)["waiting"] == 0, hub.log)
    assert (fates(hub).get("unmatched"), fates(hub)["done"]) == (0, 1)
    assert watched(box, "alice", "b") == set()


def test_a_refused_login_is_tried_again_by_itself(box: SandboxHandle, home: Path) -> None:
    """Without a restart, and without touching the logins that work."""
    token = home.parent / "emby"
    right = token.read_text()
    token.write_text("wrong")

    async def run() -> tuple[int, bool, bool, int]:
        with open_hub(Installation(Home(home))) as hub:
            async with hub.reach():
                before, others = len(hub.backends), dict(hub.backends)
                in_vain = await hub.reach_refused("emby")
                token.write_text(right)
                tried = await hub.reach_refused("emby")
                assert all(hub.backends[key] is backend for key, backend in others.items())
                return before, in_vain, tried, len(hub.backends)

    assert asyncio.run(run()) == (5, False, True, 6)
    assert box.url("emby")


def find_film(home: Path, title: str) -> str:
    """What Emby calls it."""
    with closing(sqlite3.connect(home / "playhead.db")) as rows:
        return str(
            rows.execute(
                "SELECT r.native_id FROM ref r JOIN item i ON i.id = r.item_id JOIN connection c ON c.id = r.connection_id"
                " WHERE c.name = 'emby' AND i.title = ?",
                (title,),
            ).fetchone()[0]
        )


def test_a_sync_can_leave_the_writing_to_a_hub_that_is_up(cli: Cli, box: SandboxHandle, start: Start) -> None:
    """It queues what is to be written and says so; whoever comes next writes it, once."""
    box.server("emby").act("bob", "a", "mark", at=None, args={})
    ran = cli("sync", "--leave-writing", "--json")
    assert (ran.code, ran.json["planned"], ran.json["written"]) == (0, 2, 0)
    assert watched(box, "bob", "a") == {"emby"}
    hub = start()
    until(lambda: watched(box, "bob", "a") == {"plex", "jellyfin", "emby"}, hub.log)
    assert hub.end() == 0
    assert cli("sync", "--json").json["planned"] == 0
