"""A world that does not fit together is refused with the place of the mistake."""

from __future__ import annotations

import pytest

from playhead.sandbox.checking import check_world
from playhead.sandbox.generate import generate_world
from playhead.sandbox.world import (
    Placement,
    World,
    WorldItem,
    WorldLibrary,
    WorldServer,
    WorldState,
    WorldUser,
)

MOVIE = WorldItem(id="m", type="movie", title="M")
SHOW = WorldItem(id="s", type="show", title="S")
LIBRARY = WorldLibrary(title="Movies", kind="movies", root="/m")


def episode(show: str = "s", season: int | None = 1, duration_s: float = 60) -> WorldItem:
    return WorldItem(
        id="e", type="episode", title="E", show=show, season=season, episode=1, duration_s=duration_s
    )


def server(**fields: object) -> WorldServer:
    return WorldServer(name="p", kind="plex", **fields)  # type: ignore[arg-type]


def user(**fields: object) -> WorldUser:
    return WorldUser(name="u", state=[WorldState(item="m", **fields)])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("world", "word"),
    [
        (World(items=[MOVIE, MOVIE], servers=[]), "two items have the id 'm'"),
        (World(items=[episode()], servers=[]), "names the show 's'"),
        (World(items=[SHOW, episode(season=None)], servers=[]), "no season"),
        (World(items=[SHOW, episode(duration_s=0)], servers=[]), "lasts 0 s"),
        (World(items=[], servers=[server(), server()]), "two servers are named 'p'"),
        (World(items=[], servers=[server(items=["m"])]), "is to hold 'm'"),
        (World(items=[], servers=[server(placements=[Placement(item="m")])]), "placement names 'm'"),
        (
            World(
                items=[MOVIE],
                servers=[server(libraries=[LIBRARY], placements=[Placement(item="m", library="4K")])],
            ),
            "there are: Movies",
        ),
        (World(items=[], servers=[server(users=[user()])]), "a state of 'm'"),
        (
            World(items=[MOVIE], servers=[server(users=[user(last_played="noon")])]),
            "last_played of 'm': 'noon' is no time",
        ),
        (
            World(items=[MOVIE], servers=[server(users=[WorldUser(name="u"), WorldUser(name="u")])]),
            "two users",
        ),
        (World(items=[], servers=[server(webhooks=["http://example.org/"])]), "leads away from this machine"),
    ],
)
def test_each_mistake_is_named(world: World, word: str) -> None:
    """What is wrong, and of which item, server or user."""
    with pytest.raises(ValueError, match=word):
        check_world(world)


def test_generated_worlds_are_right() -> None:
    """With every oddity."""
    check_world(generate_world(2000, servers=["plex", "jellyfin", "emby"], contradictions=True))
