"""What happens to files, libraries, users, servers and clocks unwatches nothing, and the next run heals it."""

from __future__ import annotations

import pytest

from playhead.sandbox.world import Placement, WorldState, WorldUser
from tests.journeys.conftest import Travel
from tests.journeys.journey import DAY, KINDS, Journey, movie, now, seen, server, show, stopped, world

FILMS = ("a", "b", "c")


def house(travel: Travel, where: str) -> Journey:
    """All sorts of server; two of three films are watched, known from ``where``."""
    films = [movie(name) for name in FILMS]
    state = (seen("a"), seen("b"))
    trip = travel(world(films, *(server(name, *(state if name == where else ())) for name in KINDS)))
    trip.connect_all().settle()
    return trip


def still_there(trip: Journey) -> None:
    trip.all_say("a", True)
    trip.all_say("b", True)
    trip.all_say("c", False)


@pytest.mark.parametrize("where", KINDS)
def test_files_and_libraries_come_and_go(travel: Travel, where: str) -> None:
    """Moved, replaced, removed and added again, a library gone and back: nothing is unwatched, and what is back is told."""
    trip = house(travel, where)
    others = {name: True for name in KINDS if name != where}
    trip.act(where, "move_file", "a", file="elsewhere/a.mkv")
    trip.act(where, "replace_file", "b", file="elsewhere/b2.mkv", duration_s=6010)
    trip.settle()
    trip.settle()
    still_there(trip)
    trip.act(where, "remove", "a")
    assert trip.sync()["pending"] == 1
    assert {k: v for k, v in trip.watched("a").items() if k != where} == others
    trip.act(where, "add", "a")
    trip.settle()
    trip.settle()
    still_there(trip)
    trip.act(where, "remove_library", library="Movies")
    assert trip.sync(code=3)["held"] == 1
    assert {k: v for k, v in trip.watched("b").items() if k != where} == others
    trip.act(where, "restore_library", library="Movies")
    trip.sync()
    trip.settle()
    still_there(trip)
    assert trip.held() == []


@pytest.mark.parametrize(("where", "hours"), [*((name, 3) for name in KINDS), ("plex", -3), ("jelly10", -3)])
def test_a_clock_that_is_hours_off(travel: Travel, where: str, hours: int) -> None:
    """The order in which a person did things holds, and true dates arrive."""
    skewed = [server(name, clock_skew_s=hours * 3600 if name == where else 0) for name in KINDS]
    trip = travel(world([movie("a"), movie("c")], *skewed)).connect_all()
    trip.settle()
    other = next(name for name in reversed(KINDS) if name != where)
    trip.act(where, "play", "a")
    trip.settle()
    for name in ("jellyfin", "jelly10", "emby", "emby48"):
        if name != where:
            assert abs(trip.row(name, "a")["last_played"] - now()) < 120
    for server_name, position in ((where, 1800), (other, 3600), (where, 1200)):
        trip.act(server_name, "stop", "a", position_s=position)
        trip.settle()
        trip.all_say("a", True, position)
    trip.act(other, "play", "a")
    trip.settle()
    trip.all_say("a", True)
    for server_name, what, watched in (
        (other, "unmark", False),
        (where, "play", True),
        (where, "unmark", False),
    ):
        trip.act(server_name, what, "a")
        trip.settle()
        trip.all_say("a", watched)


def test_dates_that_cannot_be_mark_without_a_date(travel: Travel) -> None:
    """In the future and of 1970: watched everywhere, and a later un-mark and play still count."""
    trip = travel(
        world(
            [movie("a"), movie("b")],
            server("plex"),
            server(
                "jellyfin",
                WorldState(item="a", watched=True, last_played=now() + 400 * DAY),
                WorldState(item="b", watched=True, last_played=1000),
            ),
            server("emby"),
        )
    ).connect_all()
    trip.settle()
    trip.all_say("a", True)
    trip.all_say("b", True)
    trip.act("plex", "unmark", "a")
    trip.settle()
    trip.all_say("a", False)
    trip.act("emby", "play", "a")
    trip.settle()
    trip.all_say("a", True)


@pytest.mark.parametrize("where", ["plex", "jellyfin", "jelly10", "emby48"])
def test_a_recreated_user_unwatches_nothing(travel: Travel, where: str) -> None:
    """The old token is refused; the new one does not slip into the old connection; connected anew it only gains."""
    users = [WorldUser(name="root", admin=True), WorldUser(name="alice", state=[seen("a")])]
    trip = travel(world([movie("a")], server(where, users=users), server("emby")))
    trip.connect(where, "--person", "alice", "--user", "alice")
    trip.connect("emby")
    trip.settle()
    trip.act(where, "recreate_user")
    trip.sync(code=4)
    token = trip.box.token(where, "alice")
    assert trip.cli("connections", "set", where, "--token", token).code != 0
    trip.sync(code=4)
    assert trip.row("emby", "a")["watched"] is True
    assert trip.cli("connections", "remove", where, "--yes").code == 0
    trip.connect(where, "--person", "alice", "--user", "alice")
    if where == "jelly10":  # until a restart its lists show the new user what the deleted one had
        ran = trip.cli("sync")
        assert ran.code == 4 and "Restart that server" in ran.err
        assert trip.row("emby", "a")["watched"] is True
        trip.act(where, "restart")
    trip.settle()
    trip.all_say("a", True)


def test_a_new_user_does_not_inherit_what_a_deleted_one_had(travel: Travel) -> None:
    """Jellyfin 10.11 lists Bob's state as Carol's, who has the number that was his: nobody else takes it for hers."""
    users = [WorldUser(name="root", admin=True), WorldUser(name="bob", state=[seen("a"), seen("b")])]
    trip = travel(
        world(
            [movie("a"), movie("b")],
            server("jelly10", users=users),
            server("emby", users=[WorldUser(name="root", admin=True), WorldUser(name="carol")]),
        )
    )
    trip.connect("jelly10", "--person", "bob", user="bob", called="of bob")
    trip.sync()
    trip.act("jelly10", "delete_user", user="bob")
    trip.cli("connections", "remove", "of bob", "--yes")
    trip.act("jelly10", "recreate_user", user="carol")
    trip.connect("jelly10", "--person", "carol", user="carol")
    trip.connect("emby", "--person", "carol", "--user", "carol", user="carol")
    assert trip.sync(code=4)["planned"] == 0
    trip.act("jelly10", "restart")
    trip.settle()
    trip.act("jelly10", "play", "b", user="carol")
    trip.settle()
    assert [trip.row("emby", film, "carol")["watched"] for film in "ab"] == [False, True]


def test_a_new_empty_server_only_gains(travel: Travel) -> None:
    """However much the others have."""
    films = [f"m{number}" for number in range(20)]
    trip = travel(
        world(
            [movie(film) for film in films],
            server("plex", *map(seen, films)),
            server("emby"),
            server("jellyfin"),
        )
    )
    trip.connect("plex")
    trip.connect("emby")
    trip.settle()
    trip.later(DAY)
    trip.connect("jellyfin")
    assert trip.settle()["written"] == 20
    for film in films:
        trip.all_say(film, True)


def test_a_server_that_was_down_catches_up(travel: Travel) -> None:
    """The others go on meanwhile, exit 4; nothing is lost, read or write."""
    trip = travel(
        world([movie("a"), movie("b")], server("plex"), server("emby", seen("b")), server("jellyfin"))
    ).connect_all()
    trip.settle()
    trip.act("plex", "play", "a")
    trip.fault("jellyfin", "reset")
    trip.sync(code=4)
    assert trip.row("emby", "a")["watched"] is True
    trip.act("emby", "unmark", "b")
    trip.sync(code=4)
    trip.heal()
    trip.settle()
    trip.all_say("a", True)
    trip.all_say("b", False)


def test_an_item_that_appears_later_is_marked_then(travel: Travel) -> None:
    """Pending until it is there, with its resume point."""
    trip = travel(
        world(
            [movie("a"), movie("b"), movie("x")],
            server("plex", seen("a"), stopped("b", 1500)),
            server("emby", items=["x"]),
        )
    ).connect_all()
    assert trip.settle()["pending"] == 2
    trip.act("emby", "add", "a")
    trip.act("emby", "add", "b")
    assert trip.settle()["pending"] == 0
    trip.all_say("a", True)
    trip.all_say("b", False, 1500)


def test_two_persons_are_never_mixed(travel: Travel) -> None:
    """Whatever they do on the same servers."""

    def people(alice: list[WorldState], bob: list[WorldState]) -> list[WorldUser]:
        return [
            WorldUser(name="root", admin=True),
            WorldUser(name="alice", state=alice),
            WorldUser(name="bob", state=bob),
        ]

    trip = travel(
        world(
            [movie("a"), movie("b"), movie("c")],
            server("plex", users=people([], [stopped("c", 900)])),
            server("jellyfin", users=people([seen("a")], [seen("b")])),
            server("jelly10", users=people([], [])),
        )
    )
    for person in ("alice", "bob"):
        for name in trip.kinds:
            trip.connect(name, "--person", person, user=person, called=f"{name} {person}")
    trip.settle()
    assert [set(trip.watched(film, "alice").values()) for film in "abc"] == [{True}, {False}, {False}]
    assert [set(trip.watched(film, "bob").values()) for film in "abc"] == [{False}, {True}, {False}]
    assert set(trip.position("c", "alice").values()) == {0}
    trip.act("jelly10", "unmark", "a", user="alice")
    trip.act("plex", "play", "c", user="bob")
    trip.settle()
    assert [set(trip.watched(film, "alice").values()) for film in "abc"] == [{False}, {False}, {False}]
    assert [set(trip.watched(film, "bob").values()) for film in "abc"] == [{False}, {True}, {True}]
    for film in "abc":
        assert set(trip.watched(film, "root").values()) == {False}


def test_another_accounts_token_does_not_take_a_connections_place(travel: Travel) -> None:
    """Bob's token on Alice's connection is refused, and nothing is saved."""
    users = [WorldUser(name="alice", admin=True, state=[seen("a")]), WorldUser(name="bob", state=[seen("b")])]
    trip = travel(world([movie("a"), movie("b")], server("plex", users=users), server("emby"))).connect_all()
    trip.settle()
    ran = trip.cli("connections", "set", "plex", "--token", trip.box.token("plex", "bob"))
    assert ran.code != 0 and ran.err.startswith("error: ")
    trip.settle()
    trip.all_say("a", True)
    assert trip.row("emby", "b")["watched"] is False


def test_connections_that_only_read_or_only_write(travel: Travel) -> None:
    """No news from the one, no writes to the other."""
    trip = travel(
        world(
            [movie("a"), movie("b"), movie("c")],
            server("plex", seen("a")),
            server("jellyfin", seen("b")),
            server("emby", seen("c")),
        )
    )
    trip.connect("plex")
    trip.connect("jellyfin", "--no-read")
    trip.connect("emby", "--no-write")
    trip.settle()
    assert trip.watched("a") == {"plex": True, "jellyfin": True, "emby": False}
    assert trip.watched("b") == {"plex": False, "jellyfin": True, "emby": False}
    assert trip.watched("c") == {"plex": True, "jellyfin": True, "emby": True}
    trip.act("jellyfin", "unmark", "a")
    trip.act("plex", "unmark", "c")
    trip.settle()
    assert trip.watched("a") == {"plex": True, "jellyfin": True, "emby": False}
    assert trip.watched("c") == {"plex": False, "jellyfin": False, "emby": True}


def test_a_connection_that_only_writes_is_listed_all_the_same(travel: Travel) -> None:
    """Its items must be known to be written, new ones too; one that neither reads nor writes is left alone."""
    trip = travel(
        world(
            [movie("a"), movie("b")],
            server("plex", seen("a"), seen("b")),
            server("jellyfin", items=["a"]),
            server("emby"),
        )
    )
    trip.connect("plex")
    trip.connect("jellyfin", "--no-read")
    trip.connect("emby", "--no-read", "--no-write")
    done = trip.sync()
    assert {name: read["items"] for name, read in done["read"].items()} == {"plex": 2, "jellyfin": 1}
    assert (done["written"], done["pending"]) == (1, 1)
    assert trip.row("jellyfin", "a")["watched"] is True
    trip.act("jellyfin", "add", "b")
    assert trip.settle()["written"] == 1
    assert trip.row("jellyfin", "b")["watched"] is True
    assert [trip.row("emby", film)["watched"] for film in "ab"] == [False, False]
    trip.act("jellyfin", "unmark", "b")
    trip.settle()
    assert trip.row("plex", "b")["watched"] is True
    assert trip.cli("connections", "set", "emby", "--write").code == 0
    assert trip.settle()["written"] == 2


def test_libraries_in_and_out(travel: Travel) -> None:
    """What is left out is neither read nor written; leaving out later is no news."""
    trip = travel(
        world(
            [movie("a"), show("s", [(1, 1)], ids={"tvdb": "5"})],
            server("plex", seen("a"), seen("s-1x1")),
            server("jellyfin"),
            server("emby"),
        )
    )
    trip.connect("plex")
    trip.connect("jellyfin", "--libraries", "Movies")
    trip.connect("emby")
    assert trip.cli("connections", "set", "emby", "--exclude", "Movies").code == 0
    trip.settle()
    assert trip.watched("a") == {"plex": True, "jellyfin": True, "emby": False}
    assert trip.watched("s-1x1") == {"plex": True, "jellyfin": False, "emby": True}
    assert trip.cli("connections", "set", "plex", "--exclude", "Shows").code == 0
    trip.settle()
    assert trip.watched("s-1x1") == {"plex": True, "jellyfin": False, "emby": True}
    for name in ("plex", "emby"):
        assert trip.cli("connections", "set", name, "--exclude", "").code == 0
    trip.settle()
    trip.all_say("a", True)


def test_a_token_elsewhere_that_becomes_another_accounts(
    travel: Travel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Alice's connection reads nothing with Bob's token, and unwatches nothing."""
    users = [WorldUser(name="alice", admin=True, state=[seen("a")]), WorldUser(name="bob", state=[seen("b")])]
    trip = travel(world([movie("a"), movie("b")], server("plex", users=users), server("emby")))
    trip.connect_all()
    monkeypatch.setenv("PLEX_TOKEN", trip.box.token("plex", "alice"))
    assert trip.cli("connections", "set", "plex", "--token", "env:PLEX_TOKEN").code == 0
    trip.settle()
    monkeypatch.setenv("PLEX_TOKEN", trip.box.token("plex", "bob"))
    trip.sync(code=None)
    assert trip.watched("a")["emby"] is True
    assert trip.watched("b")["emby"] is False


@pytest.mark.parametrize("flag", ["--libraries", "--exclude"])
def test_a_library_that_does_not_exist_is_refused(travel: Travel, flag: str) -> None:
    """With those that there are; what exists is taken in the server's own spelling."""
    trip = travel(world([movie("a")], server("plex", seen("a")), server("emby"))).connect_all()
    ran = trip.cli("connections", "set", "plex", flag, "Nonsense")
    assert ran.code == 2
    assert ran.err == "error: There is no library 'Nonsense'. Libraries there: Movies, Shows.\n"
    ran = trip.cli("connections", "set", "plex", flag, "movies", "--json")
    assert "Movies" in ran.json["libraries"][{"--libraries": "include"}.get(flag, "exclude")]


def test_a_library_that_is_not_there_any_more_is_told_by_every_sync(travel: Travel) -> None:
    """Set while the server was away: where nothing is left to read that is a failed read, else a warning."""
    trip = travel(world([movie("a")], server("plex", seen("a")), server("emby"))).connect_all()
    trip.settle()
    trip.fault("plex", "reset")
    ran = trip.cli("connections", "set", "plex", "--libraries", "Nonsense")
    assert ran.code == 0 and "could not be checked" in ran.err
    trip.heal()
    ran = trip.cli("sync")
    assert ran.code == 4
    assert "plex: The settings name 'Nonsense', which is no library of this account." in ran.err
    assert trip.row("emby", "a")["watched"] is True
    trip.fault("plex", "reset")
    assert trip.cli("connections", "set", "plex", "--libraries", "Nonsense,Movies").code == 0
    trip.heal()
    ran = trip.cli("sync")
    assert ran.code == 0
    assert "'Nonsense'" in ran.err and "Libraries there: Movies, Shows." in ran.err


def test_paths_mapped_later_match_on_the_next_sync(travel: Travel) -> None:
    """Also where nothing on the servers changed since."""
    trip = travel(
        world(
            [movie("loc", ids={}, title="Lokal", file="x/lokal.mkv")],
            server("plex", seen("loc"), placements=[Placement(item="loc", title="Local", guid="local://")]),
            server("emby"),
        )
    ).connect_all()
    trip.settle()
    for name in trip.kinds:
        assert trip.cli("connections", "set", name, "--path", f"/{name}/movies=/films").code == 0
    trip.settle()
    trip.all_say("loc", True)
