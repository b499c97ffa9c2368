"""The same work under many names is one item; different works are never mixed up."""

from __future__ import annotations

import pytest

from playhead.sandbox.world import Placement, WorldLibrary
from tests.journeys.conftest import Travel
from tests.journeys.journey import Journey, movie, seen, server, show, world


def test_legacy_agents_hama_nfo_and_numbers_are_known(travel: Travel) -> None:
    """A Plex with old agents and shows by numbers only agrees with a new one, Jellyfin and Emby, specials included."""
    items = [
        movie("imdb", ids={"imdb": "tt0133093", "tmdb": "603"}),
        movie("tmdb", ids={"tmdb": "11"}),
        movie("nfo", ids={"imdb": "tt0000777"}),
        show("tvdb", [(1, 1), (1, 2), (0, 1)], ids={"tvdb": "81189"}),
        show("hama", [(1, 1), (1, 2)], ids={"tvdb": "7001"}),
        show("bare", [(1, 1), (1, 2)], ids={"tvdb": "9001", "imdb": "tt0900100"}, bare_episodes=True),
    ]
    yes = ["imdb", "tmdb", "nfo", "tvdb-1x1", "tvdb-0x1", "hama-1x2", "bare-1x2"]
    no = ["tvdb-1x2", "hama-1x1", "bare-1x1"]
    old = server(
        "plex",
        *(seen(item) for item in yes),
        placements=[
            Placement(item="imdb", guid="com.plexapp.agents.imdb://tt0133093?lang=en", ids={}),
            Placement(item="tmdb", guid="com.plexapp.agents.themoviedb://11?lang=en", ids={}),
            Placement(item="nfo", guid="tv.plex.agents.nfo.movie://movie/imdb_tt0000777", ids={}),
            Placement(item="tvdb", guid="com.plexapp.agents.thetvdb://81189?lang=en"),
            Placement(item="hama", guid="com.plexapp.agents.hama://tvdb-7001?lang=en"),
        ],
    )
    trip = travel(world(items, old, server("plex2"), server("jellyfin"), server("emby"))).connect_all()
    trip.settle()
    for item in yes:
        trip.all_say(item, True)
    for item in no:
        trip.all_say(item, False)
    assert trip.held() == []


def test_no_ids_at_all(travel: Travel) -> None:
    """Same title and year; then, with paths mapped, the same file under other titles; without either nothing."""
    items = [
        movie("film", ids={}, title="Home Film", year=2011),
        movie("loc", ids={}, title="Lokal", year=2012, file="x/lokal.mkv"),
        movie("other", ids={}, title="Lokal", year=2013, file="y/other.mkv"),
    ]
    trip = travel(
        world(
            items,
            server(
                "plex",
                seen("film"),
                seen("loc"),
                placements=[Placement(item="loc", title="Local", guid="local://")],
            ),
            server("jellyfin", placements=[Placement(item="loc", title="Der Film")]),
            server("emby"),
        )
    ).connect_all()
    trip.settle()
    trip.all_say("film", True)
    assert trip.watched("loc") == {"plex": True, "jellyfin": False, "emby": False}
    for name in trip.kinds:
        assert trip.cli("connections", "set", name, "--path", f"/{name}/movies=/films").code == 0
    trip.sync("--full")
    trip.settle()
    trip.all_say("loc", True)
    trip.all_say("other", False)


def test_two_shows_of_one_title_stay_apart(travel: Travel) -> None:
    """With ids, and without by their years."""
    items = [
        show("old", [(1, 1)], ids={"tvdb": "100"}, title="Battle", year=1978),
        show("new", [(1, 1)], ids={"tvdb": "200"}, title="Battle", year=2004),
        show("bare", [(1, 1)], ids={}, title="Twins", year=1978, bare_episodes=True),
        show("bare2", [(1, 1)], ids={}, title="Twins", year=2004, bare_episodes=True),
    ]
    trip = travel(
        world(items, server("plex", seen("old-1x1"), seen("bare-1x1")), server("jellyfin"), server("emby"))
    ).connect_all()
    trip.settle()
    for item, watched in (("old", True), ("new", False), ("bare", True), ("bare2", False)):
        trip.all_say(f"{item}-1x1", watched)


def test_localised_titles_and_other_years_are_one_film(travel: Travel) -> None:
    """Where the ids agree."""
    trip = travel(
        world(
            [movie("film")],
            server("plex", seen("film"), placements=[Placement(item="film", title="Le film")]),
            server("jellyfin", placements=[Placement(item="film", title="Der Film", year=2002)]),
            server("emby"),
        )
    ).connect_all()
    trip.settle()
    trip.all_say("film", True)


def shared_wrong_id(travel: Travel) -> Journey:
    """Plex gives Yankee the IMDb id of Xray."""
    items = [
        movie("x", ids={"imdb": "tt0000001", "tmdb": "1"}, title="Xray"),
        movie("y", ids={"imdb": "tt0000002", "tmdb": "2"}, title="Yankee"),
    ]
    wrong = Placement(item="y", ids={"imdb": "tt0000001", "tmdb": "2"})
    return travel(
        world(items, server("plex", seen("x"), placements=[wrong]), server("jellyfin"), server("emby"))
    ).connect_all()


def test_a_wrong_id_mixes_up_nothing_and_is_shown(travel: Travel) -> None:
    """The question names both films; dropped, they stay apart for good, also after they were read again."""
    trip = shared_wrong_id(travel)
    assert trip.sync(code=None)["held"] == 1
    trip.all_say("y", False)
    (question,) = trip.held()
    assert "Xray" in question["question"] and "Yankee" in question["question"]
    assert "Yankee" in trip.cli("explain", "Xray").out
    assert "contradict" in trip.cli("doctor").out
    assert trip.cli("held", "drop", str(question["id"])).code == 0
    trip.settle()
    trip.all_say("x", True)
    trip.all_say("y", False)
    trip.sync("--full")
    assert trip.held() == []
    trip.act("emby", "play", "y")
    trip.act("jellyfin", "unmark", "x")
    trip.sync(code=3)
    trip.all_say("x", False)
    assert trip.watched("y") == {"plex": False, "jellyfin": True, "emby": True}
    (question,) = (
        trip.held()
    )  # now something would be written over the contradiction: is that Yankee the other?
    assert question["question"].count("Yankee") == 2
    assert trip.cli("held", "release", str(question["id"]), "--yes").code == 0
    trip.settle()
    trip.all_say("y", True)
    trip.all_say("x", False)


def test_one_of_three_ids_that_differs_waits_for_a_person(travel: Travel) -> None:
    """Released, the two are one item."""
    trip = travel(
        world(
            [movie("x", ids={"imdb": "tt0000001", "tmdb": "1", "tvdb": "5"})],
            server("plex", seen("x")),
            server(
                "jellyfin",
                placements=[Placement(item="x", ids={"imdb": "tt0000001", "tmdb": "9", "tvdb": "5"})],
            ),
            server("emby"),
        )
    ).connect_all()
    assert trip.sync(code=None)["held"] == 1
    assert trip.watched("x") == {"plex": True, "jellyfin": False, "emby": True}
    (question,) = trip.held()
    assert trip.cli("held", "release", str(question["id"]), "--yes").code == 0
    trip.settle()
    trip.all_say("x", True)
    assert len(trip.items()) == 1


def test_an_item_twice_on_a_server_is_one(travel: Travel) -> None:
    """In two libraries and in two versions: both copies are marked, and an un-mark of one copy reaches all."""
    libraries = [
        WorldLibrary(title="Movies", kind="movies", root="/m"),
        WorldLibrary(title="4K", kind="movies", root="/k"),
    ]
    placements = [
        Placement(item="twice"),
        Placement(item="twice", library="4K"),
        Placement(item="versions", versions=2),
    ]
    doubled = [
        server(name, libraries=libraries, placements=placements) for name in ("plex", "jellyfin", "emby")
    ]
    trip = travel(
        world([movie("twice"), movie("versions")], *doubled, server("plex2", seen("twice"), seen("versions")))
    ).connect_all()
    trip.settle()
    trip.all_say("twice", True)
    trip.all_say("versions", True)
    trip.act("jellyfin", "unmark", "twice", library="4K")
    trip.settle()
    trip.all_say("twice", False)


def test_a_file_of_two_episodes(travel: Travel) -> None:
    """One watched on Plex: the file stays. Both: the file is watched. The file played: both are."""
    joined = [Placement(item="s-1x1", with_next=1)]
    trip = travel(
        world(
            [show("s", [(1, 1), (1, 2), (1, 3)], ids={"tvdb": "81189"})],
            server("plex", seen("s-1x1")),
            server("jellyfin", placements=joined),
            server("emby", placements=joined),
        )
    ).connect_all()
    trip.settle()
    assert trip.watched("s-1x1") == {"plex": True, "jellyfin": False, "emby": False}
    trip.act("plex", "play", "s-1x2")
    trip.settle()
    trip.all_say("s-1x1", True)
    trip.all_say("s-1x2", True)
    trip.act("jellyfin", "unmark", "s-1x1")
    trip.settle()
    trip.all_say("s-1x1", False)
    trip.all_say("s-1x2", False)
    trip.act("emby", "play", "s-1x1")
    trip.settle()
    trip.all_say("s-1x1", True)
    trip.all_say("s-1x2", True)
    trip.all_say("s-1x3", False)


def test_a_file_of_two_episodes_that_cannot_follow_one_of_them_says_why(travel: Travel) -> None:
    """Which other episode keeps it as it is; where all agree nothing is said of it."""
    trip = travel(
        world(
            [show("s", [(1, 1), (1, 2)], ids={"tvdb": "81189"})],
            server("plex", seen("s-1x1")),
            server("emby", placements=[Placement(item="s-1x1", with_next=1)]),
        )
    ).connect_all()
    trip.settle()
    why = "emby has one file and one mark for this and S S01E02: it stays unwatched there until S S01E02 is watched too."
    assert why in trip.cli("explain", "S S01E01").out
    [shared] = trip.cli("explain", "S S01E01", "--json").json["shared"]
    assert [other["episode"] for other in shared["others"]] == [2]
    trip.act("plex", "play", "s-1x2")
    trip.settle()
    assert trip.cli("explain", "S S01E01", "--json").json["shared"] == []
    trip.act("plex", "unmark", "s-1x2")
    trip.settle()
    assert trip.watched("s-1x2") == {"plex": False, "emby": True}
    why = "it stays watched there until S S01E01 is unwatched too."
    assert why in trip.cli("explain", "S S01E02").out


@pytest.mark.parametrize("first", ["plex", "emby"])
def test_an_item_is_found_by_the_title_of_any_server(travel: Travel, first: str) -> None:
    """Whichever was read first; a show's other title finds its episodes."""
    german = [
        Placement(item="escape", title="Die Verurteilten"),
        Placement(item="s", title="Haus des Geldes"),
    ]
    trip = travel(
        world(
            [
                movie("escape", title="The Shawshank Redemption"),
                show("s", [(1, 1)], ids={"tvdb": "327417"}, title="Heist"),
            ],
            server("plex", seen("escape"), placements=german),
            server("emby"),
        )
    )
    for name in sorted(("plex", "emby"), key=lambda name: name != first):
        trip.connect(name)
        trip.sync()
    for film in ("Verurteilten", "shawshank"):
        assert len(trip.items(film)) == 1
        assert trip.cli("explain", film).code == 0
    for series in ("haus geldes", "heist s01e01"):
        ran = trip.cli("explain", series, "--json")
        assert ran.code == 0, ran.err
        assert ran.json["item"]["type"] == "episode"
    assert len(trip.items("haus")) == 1
