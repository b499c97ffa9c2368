"""The world that the Plex tests look at: three movies, two shows, every quirk that a Plex placement knows."""

from __future__ import annotations

from playhead.sandbox.world import (
    Placement,
    World,
    WorldItem,
    WorldLibrary,
    WorldServer,
    WorldState,
    WorldUser,
)

NOW = 1_700_000_000
MATRIX, LEGACY, HOME = 101, 102, 103
SHOW, OLD_SHOW = 200, 300
E1, E2, E3, OLD_E1 = 211, 212, 213, 311


def make_world(**quirks: bool | int | str) -> World:
    """Keys are fixed, so that tests can name them."""
    return World(items=_items(), servers=[_server(quirks)], now=NOW)


def _items() -> list[WorldItem]:
    episodes = [
        WorldItem(
            id=f"e{number}",
            type="episode",
            title=f"Part {number}",
            show="show",
            season=1 if number < 4 else 2,
            episode=number if number < 4 else 1,
            ids={"tvdb": f"90{number}", "imdb": f"tt090{number}"},
            duration_s=1800,
            year=2008,
        )
        for number in (1, 2, 3, 4)
    ]
    return [
        WorldItem(
            id="matrix",
            type="movie",
            title="The Matrix",
            year=1999,
            ids={"imdb": "tt0133093", "tmdb": "603"},
            duration_s=8160,
            added_at="2020-01-01T00:00:00Z",
        ),
        WorldItem(
            id="legacy",
            type="movie",
            title="Legacy",
            year=1980,
            ids={"imdb": "tt0080684"},
            added_at=1_600_000_000,
        ),
        WorldItem(id="home", type="movie", title="Home Cut", duration_s=600),
        WorldItem(
            id="show", type="show", title="The Show", year=2008, ids={"tvdb": "81189", "imdb": "tt0903747"}
        ),
        *episodes,
        WorldItem(id="old", type="show", title="Old Show", year=1990, ids={"tvdb": "76703"}),
        WorldItem(
            id="old1", type="episode", title="Old One", show="old", season=1, episode=1, ids={"tvdb": "501"}
        ),
    ]


def _server(quirks: dict[str, bool | int | str]) -> WorldServer:
    placements = [
        Placement(item="matrix", native_id=str(MATRIX), versions=2),
        Placement(item="matrix", library="4K"),
        Placement(item="legacy", native_id=str(LEGACY), guid="com.plexapp.agents.imdb://tt0080684?lang=en"),
        Placement(item="home", native_id=str(HOME), ids={}),
        Placement(item="show", native_id=str(SHOW)),
        Placement(item="e1", native_id=str(E1), with_next=1),
        Placement(item="e2", native_id=str(E2)),
        Placement(item="e3", native_id=str(E3), numbers_only=True),
        Placement(item="old", native_id=str(OLD_SHOW), guid="com.plexapp.agents.thetvdb://76703?lang=en"),
        Placement(item="old1", native_id=str(OLD_E1)),
    ]
    alice = WorldUser(
        name="alice",
        state=[
            WorldState(item="legacy", watched=True, plays=2, last_played=1_690_000_000, rating=7.5),
            WorldState(item="e4", position_s=300, last_played=1_690_000_100),
        ],
    )
    return WorldServer(
        name="plex",
        kind="plex",
        users=[alice, WorldUser(name="bob"), WorldUser(name="kid", libraries=["Movies"])],
        libraries=[
            WorldLibrary(title="Movies", kind="movies", root="/data/movies"),
            WorldLibrary(title="4K", kind="movies", root="/data/4k"),
            WorldLibrary(title="Shows", kind="shows", root="/data/shows"),
        ],
        placements=placements,
        quirks=quirks,
    )
