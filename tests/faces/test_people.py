"""``people``: what is asked at a terminal, and what is shown of logins that are nobody's."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from playhead.flows.observe import observe
from playhead.ports.events import Event, Heard
from playhead.ports.inbox import Ended, Fate, NewEvent, WaitingEvent
from playhead.runtime.home import Home
from playhead.sandbox.run import SandboxHandle, run_world_in_thread
from playhead.sandbox.world import WorldUser
from playhead.store.inbox import SqlInbox
from playhead.wiring.hub import open_hub
from playhead.wiring.installation import Installation
from tests.faces.conftest import Cli
from tests.faces.test_terminal import Terminal, terminal
from tests.journeys.journey import movie, seen, server, world

__all__ = ["terminal"]


@pytest.fixture
def box() -> Iterator[SandboxHandle]:
    """Two servers with alice, bob and a guest; on Emby bob has a mail address that is carol's on Plex."""
    plex = [WorldUser(name="alice", admin=True), WorldUser(name="bob"), WorldUser(name="carol")]
    emby = [WorldUser(name="alice", admin=True), WorldUser(name="bob", state=[seen("a")])]
    emby += [WorldUser(name="carol@example.com"), WorldUser(name="guest", state=[seen("b")])]
    made = world([movie("a"), movie("b")], server("plex", users=plex), server("emby", users=emby))
    with run_world_in_thread(made) as running:
        yield running


@pytest.fixture
def connected(cli: Cli, box: SandboxHandle) -> None:
    for name in ("plex", "emby"):
        more = ["--plex-tv-url", box.extra_urls["plextv"]] if name == "plex" else []
        place = ["--url", box.url(name), "--token", box.token(name, "alice")]
        who = ["--name", name, "--user", "alice", "--person", "alice", "--yes"]
        ran = cli("connect", name, *place, *who, *more)
        assert ran.code == 0, ran.err


def list_linked(cli: Cli) -> set[tuple[str, str, str]]:
    return {
        (each["person"], login["connection"], login["user"])
        for each in cli("people", "list", "--json").json
        for login in each["logins"]
    }


OWN = {("alice", "plex", "alice"), ("alice", "emby", "alice")}


@pytest.mark.usefixtures("connected")
def test_each_proposal_is_asked_about(cli: Cli, terminal: Callable[..., Terminal]) -> None:
    """A yes links, a no does not."""
    screen = terminal("people", "propose")
    screen.wait_for("Link 'bob' on 'plex', 'bob' on 'emby' to bob?")
    screen.type("y")
    screen.wait_for("Link 'carol' on 'plex', 'carol@example.com' on 'emby' to carol?")
    screen.type("n")
    assert screen.end() == 0, screen.shown
    assert "Nobody's, and like no other: 'guest' on 'emby'" in screen.shown
    assert list_linked(cli) == OWN | {("bob", "plex", "bob"), ("bob", "emby", "bob")}


@pytest.mark.usefixtures("connected")
def test_a_login_that_fits_two_persons_is_asked_about(cli: Cli, terminal: Callable[..., Terminal]) -> None:
    """Carol by name, dave by mail address; with --yes it is left and the exit code says so."""
    assert cli("people", "add", "dave").code == 0
    assert cli("people", "add", "carol").code == 0
    assert cli("people", "link", "dave", "emby", "carol@example.com").code == 0
    held = cli("people", "propose", "--yes", "--json")
    assert held.code == 3
    assert [(each["user"], set(each["persons"])) for each in held.json["doubts"]] == [
        ("carol", {"dave", "carol"})
    ]
    screen = terminal("people", "propose")
    screen.wait_for("Whose is 'carol' on 'plex'? It fits dave and carol")
    screen.type("carol")
    assert screen.end() == 0, screen.shown
    assert ("carol", "plex", "carol") in list_linked(cli)


@pytest.mark.usefixtures("connected")
def test_events_of_logins_that_are_nobodys_are_counted_and_shown(cli: Cli, home: Path) -> None:
    """Until somebody is linked to them."""
    assert cli("people", "unmatched", "--json").json == []
    assert cli("import").code == 0
    users = cli("people", "propose", "--json").json
    guest = next(each for each in users["alone"] if each["user"] == "guest")
    inbox = SqlInbox(Home(home).inbox)
    for n, name in enumerate(("guest", "guest", None)):
        event = Event("webhook", Heard.marked, "item.markplayed", ("1",), guest["user_id"], name)
        inbox.put([NewEvent(find_connection(home, "emby"), event, 1_700_000_000.0 + n)])
    inbox.end([Ended(each.id, Fate.unmatched) for each in inbox.take(9, time.time())], time.time())
    (shown,) = cli("people", "unmatched", "--json").json
    assert (shown["connection"], shown["user_id"], shown["events"]) == ("emby", guest["user_id"], 3)
    assert "item.markplayed" in cli("people", "unmatched").out
    assert cli("people", "add", "guest").code == 0
    assert cli("people", "link", "guest", "emby", "guest").code == 0
    assert cli("people", "unmatched", "--json").json == []
    inbox.close()


def find_connection(home: Path, name: str) -> int:
    with open_hub(Installation(Home(home))) as hub:
        return next(one.key.connection_id for one in hub.linked if one.link.connection == name)


@pytest.mark.usefixtures("connected")
def test_an_event_reaches_the_person_whose_login_it_names(cli: Cli, box: SandboxHandle, home: Path) -> None:
    """One of a login that is nobody's is unmatched, and so is one of a login that is nobody's any more."""
    for command in (["add", "bob"], ["link", "bob", "plex", "bob"], ["link", "bob", "emby", "bob"]):
        assert cli("people", *command).code == 0
    assert cli("sync").code == 0
    for user in ("alice", "bob", "guest"):
        box.server("emby").act(user, "b", "play", at=None, args={})
    hear = Hearer(home)
    assert hear("guest", None) == Fate.unmatched
    assert hear("bob", "bob") == Fate.done
    watched = {user: is_watched(box, "plex", user) for user in ("alice", "bob", "carol")}
    assert watched == {"alice": False, "bob": True, "carol": False}
    assert cli("people", "unlink", "emby", "alice", "--yes").code == 0
    assert hear("alice", "alice") == Fate.unmatched
    assert not is_watched(box, "plex", "alice")


def is_watched(box: SandboxHandle, name: str, user: str) -> bool:
    return any(row.watched for row in box.server(name).state_rows(user) if row.item == "b")


class Hearer:
    """Emby tells of film b: by the login's own id, or by its name alone."""

    def __init__(self, home: Path) -> None:
        self.home = Home(home)
        self.ids = {
            login.user: login.user_id
            for login in Installation(self.home).settings.connections["emby"].logins()
        }

    def __call__(self, user: str, by_id_of: str | None) -> Fate:
        async def run() -> Fate:
            with open_hub(Installation(self.home)) as hub:
                async with hub.reach():
                    event = Event(
                        "webhook", Heard.marked, "x", (self._find_film(hub.database),),
                        self.ids[by_id_of] if by_id_of else None, user,
                    )  # fmt: skip
                    waiting = WaitingEvent(1, find_connection(self.home.path, "emby"), event, time.time())
                    return (await observe(hub.context(), [waiting])).ended[0].fate

        return asyncio.run(run())

    def _find_film(self, database: object) -> str:
        with database.read() as rows:  # type: ignore[attr-defined]
            found = rows.exec_driver_sql(
                "SELECT r.native_id FROM ref r JOIN item i ON i.id = r.item_id JOIN connection c ON c.id = r.connection_id"
                " WHERE c.name = 'emby' AND i.title = 'B'"
            )
            return str(found.scalar_one())


@pytest.mark.usefixtures("connected")
def test_items_history_status_and_explain_keep_persons_apart(cli: Cli) -> None:
    """A row for each person whom an item concerns; whoever has nothing to do with it is in none of its cells."""
    cli("people", "add", "bob")
    for name in ("plex", "emby"):
        assert cli("people", "link", "bob", name, "bob").code == 0
    cli("people", "link", "bob", "emby", "guest", "--also")
    assert cli("sync").code == 0
    rows = [line.split() for line in cli("items").out.splitlines()]
    assert rows[0] == ["id", "item", "person", "plex", "emby", "agreed"]
    assert rows[1][-4:] == ["bob", "watched", "watched", "watched"]
    assert rows[2][-4:] == ["bob", "watched", "watched", "watched"]
    assert [line.split()[-3:] for line in cli("items", "--person", "alice").out.splitlines()[1:]] == [
        ["-"] * 3
    ] * 2
    written = cli("history").out.splitlines()
    assert "person" in written[0]
    dated = [line for line in written[1:] if line.startswith("20")]
    assert dated
    assert all(" bob " in line for line in dated)
    assert "bob (as guest)" in cli("status").out
    why = cli("explain", "1").out
    assert "Unwatched by: alice" in why
    assert "bob: written to plex: watched, because watched on emby" in why
    cli("people", "unlink", "emby", "guest", "--yes")
    assert "guest" not in cli("status").out


def test_without_a_connection_nothing_is_proposed_or_set_up(cli: Cli) -> None:
    """And the next step is told."""
    ran = cli("people", "propose")
    assert ran.code == 2
    assert "Start with: playhead connect" in ran.err
    for command in ("list", "register", "remove"):
        assert "Start with: playhead connect" in cli("webhooks", command).out


@pytest.mark.usefixtures("connected")
def test_how_to_undo_an_unlink_is_told(cli: Cli) -> None:
    """By the very command that links it again, a shared login as shared."""
    cli("people", "add", "the kids")
    shared = cli("people", "link", "the kids", "emby", "guest", "--shared")
    assert (
        "'guest' on 'emby' counts for the kids: it is read for each who shares it, and never written."
        in shared.out
    )
    told = cli("people", "unlink", "emby", "guest", "--yes").out
    assert "To undo it: playhead people link 'the kids' emby guest --shared" in told
    assert cli("people", "link", "the kids", "emby", "guest", "--shared").code == 0
    forgotten = cli("people", "remove", "the kids", "--yes").out.splitlines()
    assert forgotten[1:] == [
        "To undo it: playhead people add 'the kids'",
        "            playhead people link 'the kids' emby guest --shared",
    ]
