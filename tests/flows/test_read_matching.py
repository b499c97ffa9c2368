"""Matching over a whole import: any order of connections gives the same items; what has no ids is known by file or title."""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playhead.domain.library.mapping import MappedFolder, PathMap
from playhead.ports.backend import Entry
from playhead.store.orphans import Fallbacks
from tests.flows.hub import Hub, groups
from tests.flows.shelf import Shelf, ShelfBackend, episode, movie, show


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    return Hub(tmp_path)


def movies(*entries: Entry) -> ShelfBackend:
    return ShelfBackend(m=Shelf("Movies", [], list(entries)))


def test_a_third_server_joins_what_two_could_not(hub: Hub) -> None:
    """imdb here, tmdb there, both on the third: one item, whichever is read last."""
    parts = {
        "a": movies(movie("1", "imdb:tt1")),
        "b": movies(movie("1", "tmdb:1")),
        "c": movies(movie("1", "imdb:tt1 tmdb:1")),
    }
    for name, backend in parts.items():
        hub.read(hub.request(name, backend))
    assert hub.groups() == groups(["a/1 b/1 c/1"])
    assert len(hub.rows("SELECT id FROM item")) == 1


def test_what_was_agreed_of_two_items_goes_to_the_one_they_become(hub: Hub) -> None:
    """Watched wins, the newest date wins, the further resume point's date wins."""
    hub.read(hub.request("a", movies(movie("1", "imdb:tt1"))), hub.request("b", movies(movie("1", "tmdb:1"))))
    with hub.database.write() as rows:
        for item, watched, at, position, changed in ((1, 1, 50, 0, 60), (2, 0, None, 300, 70)):
            rows.exec_driver_sql(
                "INSERT INTO agreed (person_id, item_id, watched, plays, watched_at, position_s, position_at, changed_at)"
                " VALUES (1,?,?,1,?,?,?,?)",
                (item, watched, at, position, changed if position else None, changed),
            )
    hub.read(hub.request("c", movies(movie("1", "imdb:tt1 tmdb:1"))))
    assert hub.rows("SELECT watched, watched_at, position_s, changed_at FROM agreed") == [(1, 50, 300, 70)]


def test_shows_that_turn_out_to_be_one_bring_their_episodes_together(hub: Hub) -> None:
    """Episodes known by number only follow their shows."""
    left = ShelfBackend(t=Shelf("TV", [show("s", "tvdb:1")], [episode("e", "s", "1x1")]))
    right = ShelfBackend(t=Shelf("TV", [show("s", "tmdb:9", title="B")], [episode("e", "s", "1x1")]))
    both = ShelfBackend(t=Shelf("TV", [show("s", "tvdb:1 tmdb:9")], [episode("e", "s", "1x1", "tvdb:11")]))
    hub.read(hub.request("a", left), hub.request("b", right))
    assert hub.groups() == groups(["a/e", "b/e"])
    hub.read(hub.request("c", both))
    assert hub.groups() == groups(["a/e b/e c/e"])
    assert hub.rows("SELECT DISTINCT matched_by FROM ref WHERE claims='' AND NOT is_show") == [("numbers",)]


def test_contradicting_ids_are_a_conflict_that_a_decision_settles(hub: Hub) -> None:
    """Same imdb, other tmdb: two items, one conflict; "same" joins them for good."""
    a, b = movies(movie("1", "imdb:tt1 tmdb:1")), movies(movie("1", "imdb:tt1 tmdb:2"))
    hub.read(hub.request("a", a), hub.request("b", b))
    assert hub.groups() == groups(["a/1", "b/1"])
    assert hub.rows("SELECT agree, differ, decision FROM conflict") == [
        ("imdb:movie:tt1", "tmdb:movie:1|tmdb:movie:2", None)
    ]
    with hub.database.write() as rows:
        rows.exec_driver_sql("UPDATE conflict SET decision='same'")
        rows.exec_driver_sql("INSERT INTO unsettled SELECT id FROM item")
    hub.read(hub.request("a", a), hub.request("b", b))
    assert hub.groups() == groups(["a/1 b/1"])
    hub.read(hub.request("c", movies(movie("1", "imdb:tt1 tmdb:2"))))
    assert hub.groups() == groups(["a/1 b/1 c/1"])
    assert hub.rows("SELECT decision FROM conflict WHERE decision IS NULL") == []


def test_a_conflict_that_the_servers_repair_goes(hub: Hub) -> None:
    """The wrong id is corrected: one item, no conflict."""
    a, b = movies(movie("1", "imdb:tt1 tmdb:1")), movies(movie("1", "imdb:tt1 tmdb:2"))
    hub.read(hub.request("a", a), hub.request("b", b))
    b.shelves["m"].entries[0] = movie("1", "imdb:tt1 tmdb:1")
    hub.read(hub.request("a", a), hub.request("b", b))
    assert hub.groups() == groups(["a/1 b/1"])
    assert hub.rows("SELECT * FROM conflict") == []


@pytest.mark.parametrize("order", list(itertools.permutations("abc")))
def test_same_title_and_year_match_what_has_no_ids(hub: Hub, order: tuple[str, ...]) -> None:
    """Exact but for upper case; another year or two candidates match nothing; recorded as the reason."""
    parts = {
        "a": movies(
            movie("1", "imdb:tt1", title="Dune", year=2021), movie("2", "imdb:tt2", title="Twin", year=2000)
        ),
        "b": movies(
            movie("1", title="DUNE", year=2021),
            movie("2", title="Twin", year=2000),
            movie("3", title="Dune", year=1984),
        ),
        "c": movies(movie("1", title="dune", year=2021), movie("2", "imdb:tt3", title="Twin", year=2000)),
    }
    for name in order:
        hub.read(hub.request(name, parts[name]))
    assert hub.groups() == groups(["a/1 b/1 c/1", "a/2", "c/2", "b/2", "b/3"])
    assert hub.rows("SELECT count(*) FROM ref WHERE matched_by='title'") == [(2,)]
    assert hub.rows("SELECT count(*) FROM item") == [(5,)]


def test_a_show_without_ids_is_known_by_title_and_year_and_its_episodes_by_number(hub: Hub) -> None:
    """Both directions."""
    bare = ShelfBackend(
        t=Shelf("TV", [show("s", title="Lost", year=2004)], [episode("e", "s", "1x1", watched=True)])
    )
    full = ShelfBackend(
        t=Shelf("TV", [show("s", "tvdb:1", title="LOST", year=2004)], [episode("e", "s", "1x1", "tvdb:11")])
    )
    for names in (("a", "b"), ("d", "c")):
        for name, backend in zip(names, (bare, full), strict=True):
            hub.read(hub.request(name, backend))
    assert hub.groups() == groups(["a/e b/e c/e d/e"])


def test_the_same_file_under_mapped_folders_matches_what_has_no_ids(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Compared as the hub calls it; without a mapping paths say nothing."""
    a = movies(movie("1", "imdb:tt1", files=("/data/movies/x.mkv",), title="X"))
    b = movies(
        movie("1", files=("D:\\films\\x.mkv",), title="Y"), movie("2", files=("D:\\films\\z.mkv",), title="Z")
    )
    requests = hub.request("a", a), hub.request("b", b)
    hub.read(*requests)
    assert len(hub.groups()) == 3
    hub.rules = Fallbacks(
        paths={
            requests[0].connection_id: PathMap([MappedFolder("/data/movies/", "/media/movies")]),
            requests[1].connection_id: PathMap([MappedFolder("D:\\films", "/media/movies")]),
        }
    )
    hub.read(*requests, full=True)
    assert hub.groups() == groups(["a/1 b/1", "b/2"])
    assert hub.rows("SELECT matched_by FROM ref WHERE claims='' ORDER BY native_id") == [("file",), ("",)]
    hub.rules = Fallbacks(file=False)
    hub.read(*requests, full=True)
    assert len(hub.groups()) == 3


CLAIM = st.integers(1, 2)


@st.composite
def libraries(draw: st.DrawFn) -> dict[str, ShelfBackend]:
    backends = {}
    for name in "abc":
        shows = [show(f"s{n}", f"tvdb:{n}" if draw(st.booleans()) else f"tvdb:{n} tmdb:{n}") for n in (1, 2)]
        entries = []
        for place in range(draw(st.integers(1, 4))):
            ids = " ".join(
                f"{source}:{draw(CLAIM)}"
                for source in draw(st.lists(st.sampled_from(["tmdb", "tvdb", "anidb"]), unique=True))
            )
            if draw(st.booleans()):
                entries.append(
                    movie(
                        f"m{place}",
                        ids,
                        year=draw(st.sampled_from([1999, 2001, 2004])),
                        title=f"{name}{place}",
                    )
                )
            else:
                entries.append(episode(f"e{place}", f"s{draw(CLAIM)}", f"1x{draw(CLAIM)}", ids))
        backends[name] = ShelfBackend(t=Shelf("All", shows, entries))
    return backends


@settings(max_examples=25, deadline=None)
@given(libraries(), st.permutations("abc"), st.booleans())
def test_the_order_of_connections_does_not_matter(
    backends: dict[str, ShelfBackend], order: list[str], at_once: bool
) -> None:
    """Read one after another, in any order, or side by side: the same items and as many conflicts."""
    found = []
    for names, together in (("abc", False), (order, at_once)):
        with tempfile.TemporaryDirectory() as folder:
            hub = Hub(Path(folder))
            requests = [hub.request(name, backends[name]) for name in names]
            if together:
                hub.read(*requests)
            else:
                for request in requests:
                    hub.read(request)
            found.append((hub.groups(), len(hub.rows("SELECT * FROM conflict"))))
            assert hub.rows("SELECT * FROM unsettled") == []
            assert (
                hub.rows("SELECT r.id FROM ref r LEFT JOIN item i ON i.id=r.item_id WHERE i.id IS NULL") == []
            )
            assert (
                hub.rows("SELECT c.id FROM claim c LEFT JOIN item i ON i.id=c.item_id WHERE i.id IS NULL")
                == []
            )
            hub.database.close()
    assert found[0] == found[1]
