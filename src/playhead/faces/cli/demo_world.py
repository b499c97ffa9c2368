"""The demo's little world: one person, three servers, fifteen things to watch, and a history that differs on each.

Holds what exists and what was watched where at the start, and what happens after the first sync. Times are relative to
now, so that nothing lies in the future. Only the sandbox reads this; Playhead itself sees servers.
"""

from __future__ import annotations

import msgspec

from playhead.sandbox.world import (
    Placement,
    World,
    WorldItem,
    WorldLibrary,
    WorldServer,
    WorldState,
    WorldUser,
)

PERSON = "alex"
PLEX, JELLYFIN, EMBY = "Plex", "Jellyfin", "Emby"
DAY = 86_400

_MOVIES = (
    # id, title, year, imdb, tmdb, minutes
    ("matrix", "The Matrix", 1999, "tt0133093", "603", 136),
    ("arrival", "Arrival", 2016, "tt2543164", "329865", 116),
    ("amelie", "Amélie", 2001, "tt0211915", "194", 122),
    ("spirited", "Spirited Away", 2001, "tt0245429", "129", 125),
    ("parasite", "Parasite", 2019, "tt6751668", "496243", 133),
    ("paris", "Paris, Texas", 1984, "tt0087884", "655", 145),
    ("runner", "Blade Runner", 1982, "tt0083658", "78", 118),
    ("alien", "Alien", 1979, "tt0078748", "348", 117),
    ("fury", "Mad Max: Fury Road", 2015, "tt1392190", "76341", 121),
    ("moonlight", "Moonlight", 2016, "tt4975722", "376867", 111),
    ("paddington", "Paddington 2", 2017, "tt4468740", "346648", 104),
    ("portrait", "Portrait of a Lady on Fire", 2019, "tt8613070", "531428", 122),
)
_SHOWS = (
    # id, title, year, ids, episodes, minutes
    ("dark", "Dark", 2017, {"imdb": "tt5753856", "tmdb": "70523", "tvdb": "334824"}, 4, 52),
    ("expanse", "The Expanse", 2015, {"imdb": "tt3230854", "tmdb": "63639", "tvdb": "280619"}, 3, 44),
)


class Deed(msgspec.Struct, frozen=True):
    """Something that the person does on one server between two syncs, and how the demo tells it."""

    server: str
    item: str
    act: str
    told: str
    args: dict[str, float] = {}


LATER = (
    Deed(JELLYFIN, "matrix", "unmark", "marks The Matrix as unwatched on Jellyfin, to see it again"),
    Deed(PLEX, "alien", "play", "watches Alien once more on Plex"),
    Deed(
        EMBY, "expanse2", "stop", "stops The Expanse S01E02 after 21 minutes on Emby", {"position_s": 21 * 60}
    ),
)


def make_demo_world(now: float) -> World:
    """The world as it is before Playhead has seen it."""
    at = int(now)
    return World(items=[*_make_movies(at), *_make_shows(at)], servers=[_plex(at), _jellyfin(at), _emby(at)])


def _make_movies(at: int) -> list[WorldItem]:
    return [
        WorldItem(
            id=item,
            type="movie",
            title=title,
            year=year,
            ids={"imdb": imdb, "tmdb": tmdb},
            duration_s=minutes * 60.0,
            added_at=at - 900 * DAY,
        )
        for item, title, year, imdb, tmdb, minutes in _MOVIES
    ]


def _make_shows(at: int) -> list[WorldItem]:
    """Episodes carry no ids of their own: they are known by show, season and episode."""
    items: list[WorldItem] = []
    for show, title, year, ids, episodes, minutes in _SHOWS:
        items.append(
            WorldItem(id=show, type="show", title=title, year=year, ids=ids, added_at=at - 900 * DAY)
        )
        items += [
            WorldItem(
                id=f"{show}{number}",
                type="episode",
                title=f"Episode {number}",
                year=year,
                show=show,
                season=1,
                episode=number,
                duration_s=minutes * 60.0,
                added_at=at - 900 * DAY,
            )
            for number in range(1, episodes + 1)
        ]
    return items


def _seen(item: str, days_ago: float, at: int, plays: int = 1) -> WorldState:
    return WorldState(item=item, watched=True, plays=plays, last_played=int(at - days_ago * DAY))


def _stopped(item: str, minutes: int, days_ago: float, at: int) -> WorldState:
    return WorldState(item=item, position_s=minutes * 60.0, last_played=int(at - days_ago * DAY))


def _libraries(root: str) -> list[WorldLibrary]:
    return [
        WorldLibrary(title="Movies", kind="movies", root=f"{root}/movies"),
        WorldLibrary(title="Shows", kind="shows", root=f"{root}/shows"),
    ]


def _plex(at: int) -> WorldServer:
    state = [
        _seen("matrix", 3, at),
        _seen("spirited", 200, at),
        _seen("runner", 31, at),
        _seen("parasite", 12, at),
        _seen("alien", 700, at),
        _seen("dark1", 9, at),
        _seen("dark2", 8, at),
        _stopped("dark3", 17, 7, at),
    ]
    # An item that was matched by an old agent years ago and never since.
    legacy = Placement(item="runner", guid="com.plexapp.agents.imdb://tt0083658?lang=en")
    return WorldServer(
        name=PLEX,
        kind="plex",
        users=[WorldUser(name=PERSON, admin=True, state=state)],
        libraries=_libraries("/data"),
        placements=[legacy],
    )


def _jellyfin(at: int) -> WorldServer:
    state = [
        _seen("arrival", 40, at),
        _seen("spirited", 200, at),
        _seen("alien", 700, at),
        _seen("paris", 5, at),
        _seen("expanse1", 2, at),
    ]
    here = [movie[0] for movie in _MOVIES if movie[0] != "parasite"]
    return WorldServer(
        name=JELLYFIN,
        kind="jellyfin",
        users=[WorldUser(name=PERSON, admin=True, state=state)],
        libraries=_libraries("/media"),
        items=[*here, "dark", "expanse"],
    )


def _emby(at: int) -> WorldServer:
    state = [
        _stopped("amelie", 47, 1, at),
        _seen("spirited", 200, at),
        _seen("paddington", 20, at),
        _seen("dark1", 9, at),
    ]
    here = [movie[0] for movie in _MOVIES if movie[0] not in ("moonlight", "fury")]
    return WorldServer(
        name=EMBY,
        kind="emby",
        users=[WorldUser(name=PERSON, admin=True, state=state)],
        libraries=_libraries("/mnt/share"),
        items=[*here, "dark", "expanse"],
    )
