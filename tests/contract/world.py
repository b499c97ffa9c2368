"""The world that every adapter is tried on: a few films and episodes, two people, states of every sort.

Knows the sandbox's words, no backend's.
"""

from __future__ import annotations

from playhead.sandbox.world import World, WorldItem, WorldLibrary, WorldServer, WorldState, WorldUser

NOW = 1_790_000_000
PLAYED_AT = 1_780_000_000
HOUR = 3600.0
SERVER = "home"
ANNA, BEN = "anna", "ben"
PASSWORDS = {ANNA: "swordfish & salt", BEN: "bens-own-word"}

FILMS = ("seen", "paused", "loved", "fresh", "again", "rated", "spare")
EPISODES = {"e0": (0, 1), "e1": (1, 1), "e2": (1, 2), "e3": (1, 3), "e4": (2, 1)}
ADDED_LATER = "newcomer"


def make_world(kind: str, version: str | None = None, kinds_beside: tuple[str, ...] = ()) -> World:
    """One server of ``kind`` that holds everything but the newcomer, and empty ones of other kinds beside it."""
    return World(
        now=NOW,
        items=[
            *_films(),
            *_episodes(),
            WorldItem(id=ADDED_LATER, type="movie", title="Aaa Newcomer", year=2020, ids={"tmdb": "999"}),
        ],
        servers=[_server(kind, version), *(_empty(other) for other in kinds_beside)],
    )


def claim_of(item: str) -> str:
    """The one claim by which every backend shows this item of the world."""
    if item in EPISODES:
        return f"tvdb:episode:{_number(item)}"
    return f"tmdb:movie:{_number(item)}"


def _number(item: str) -> int:
    order = (*FILMS, *EPISODES, ADDED_LATER)
    return 999 if item == ADDED_LATER else 101 + order.index(item)


def _films() -> list[WorldItem]:
    return [
        WorldItem(
            id=film,
            type="movie",
            title=f"The {film.capitalize()} Film",
            year=1990 + place,
            ids={"tmdb": str(_number(film)), "imdb": f"tt{_number(film):07d}"},
            duration_s=2 * HOUR,
        )
        for place, film in enumerate(FILMS)
    ]


def _episodes() -> list[WorldItem]:
    show = WorldItem(
        id="show", type="show", title="The Show", year=2001, ids={"tvdb": "7001", "imdb": "tt0007001"}
    )
    return [
        show,
        *(
            WorldItem(
                id=episode,
                type="episode",
                title=f"Part {episode}",
                show="show",
                season=season,
                episode=number,
                ids={"tvdb": str(_number(episode))},
                duration_s=HOUR,
            )
            for episode, (season, number) in EPISODES.items()
        ),
    ]


def _server(kind: str, version: str | None) -> WorldServer:
    anna = [
        WorldState(item="seen", watched=True, plays=2, last_played=PLAYED_AT),
        WorldState(item="paused", position_s=1500, last_played=PLAYED_AT + 60),
        WorldState(
            item="loved", watched=True, plays=1, last_played=PLAYED_AT + 120, rating=8.0, favourite=True
        ),
        WorldState(item="again", watched=True, plays=1, last_played=PLAYED_AT + 180, position_s=1200),
        WorldState(item="rated", rating=6.0, favourite=True),
        WorldState(item="e1", watched=True, plays=1, last_played=PLAYED_AT + 240),
        WorldState(item="e0", watched=True, plays=1, last_played=PLAYED_AT + 300),
    ]
    ben = [WorldState(item="fresh", watched=True, plays=1, last_played=PLAYED_AT)]
    return WorldServer(
        name=SERVER,
        kind=kind,  # type: ignore[arg-type]  # a dropped-in adapter names the emulator that it wants
        version=version,
        users=[
            WorldUser(name=ANNA, admin=True, password=PASSWORDS[ANNA], state=anna),
            WorldUser(name=BEN, password=PASSWORDS[BEN], state=ben),
        ],
        libraries=[
            WorldLibrary(title="Films", kind="movies", root="/media/films"),
            WorldLibrary(title="Series", kind="shows", root="/media/series"),
        ],
        items=[*FILMS, "show"],
    )


def _empty(kind: str) -> WorldServer:
    return WorldServer(name=f"other-{kind}", kind=kind, users=[WorldUser(name=ANNA, admin=True)], items=[])  # type: ignore[arg-type]
