"""Makes a world of any size from a number, a seed and a list of servers; the same input gives the same world.

Decides how large collections look: what share is movies, how long seasons are, which oddities occur how often, and what
two persons have watched where. Knows the world's shapes, nothing of an API. Shares are those of ordinary
collections (*assumed*), dates lie before ``LATEST``.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Literal

import msgspec

from playhead.sandbox.words import make_name
from playhead.sandbox.world import (
    Placement,
    World,
    WorldItem,
    WorldLibrary,
    WorldServer,
    WorldState,
    WorldUser,
)

LATEST = 1_748_736_000  # 2025-06-01
EARLIEST = LATEST - 6 * 365 * 86400
ITEMS_PER_MOVIE = 36
EPISODES_PER_SHOW = 50
EPISODES_PER_SEASON = 10
PERSONS = ("alice", "bob")
_ROOTS = {"plex": "/data", "jellyfin": "/media", "emby": "/mnt/share"}
_WATCHED_SHARE = {"alice": 0.4, "bob": 0.2}
_SEEN_ON_SERVER = 0.8  # of what a person watched, this share stands on any one server
_DEFAULT_SERVERS = ("plex", "jellyfin", "emby")

Kind = Literal["plex", "jellyfin", "emby"]


class Plays(msgspec.Struct, frozen=True, gc=False):
    """What a person did with an item, before any server knows of it."""

    watched: bool
    plays: int
    last: int
    position_s: float
    rating: float | None
    favourite: bool


def generate_world(
    items: int,
    *,
    seed: int = 1,
    servers: Sequence[str] = _DEFAULT_SERVERS,
    plain: bool = False,
    contradictions: bool = False,
    rich: bool = False,
) -> World:
    """A world of ``items`` movies and episodes (their shows come on top).

    ``servers`` are kinds with an optional version (``jellyfin:10.11.11``). ``plain`` leaves out every oddity;
    ``contradictions`` gives a few items the ids of others; ``rich`` asks for bodies of real size.
    Raises ValueError for no items or an unknown kind.
    """
    if items < 1:
        raise ValueError("a world needs at least one item")
    made = _Collection(random.Random(f"{seed}:items"), items)
    lives = _make_lives(made, seed, plain)
    names: dict[str, int] = {}
    specs = []
    for place, text in enumerate(servers):
        spec = _make_server(text, names, rich)
        rng = random.Random(f"{seed}:server:{place}")
        oddities = _Oddities(rng, made, spec)
        if not plain:
            oddities.place_all(contradictions=contradictions and place > 0)
        spec.users = [
            WorldUser(
                name=who, admin=who == PERSONS[0], state=_make_state(rng, made, lives[who], spec, plain)
            )
            for who in PERSONS
        ]
        specs.append(spec)
    return World(items=made.items, servers=specs)


class _Collection:
    """The items, in order: movies, then each show with its episodes. ``pairs`` are first halves of shared files."""

    def __init__(self, rng: random.Random, count: int) -> None:
        self.items: list[WorldItem] = []
        self.movies: list[WorldItem] = []
        self.shows: list[tuple[WorldItem, list[WorldItem]]] = []
        self.pairs: dict[str, str] = {}
        self._rng = rng
        self._imdb = rng.randrange(1_000_000, 1_500_000)
        self._tmdb = {
            "movie": rng.randrange(1000, 9000),
            "show": rng.randrange(1000, 9000),
            "episode": 900_000,
        }
        self._tvdb = rng.randrange(70_000, 90_000)
        movies = max(1, count // ITEMS_PER_MOVIE) if count > 1 else 1
        for number in range(movies):
            self._add_movie(number)
        left, number = count - movies, 0
        while left > 0:
            size = min(left, rng.randint(EPISODES_PER_SHOW - 30, EPISODES_PER_SHOW + 30))
            self._add_show(number, size)
            left, number = left - size, number + 1

    def _make_ids(self, kind: str) -> dict[str, str]:
        self._imdb += self._rng.randint(1, 7)
        self._tmdb[kind] += self._rng.randint(1, 5)
        ids = {"imdb": f"tt{self._imdb:07d}", "tmdb": str(self._tmdb[kind])}
        if kind != "movie":
            self._tvdb += self._rng.randint(1, 5)
            ids["tvdb"] = str(self._tvdb)
        return ids

    def _add_movie(self, number: int) -> None:
        year = self._rng.randint(1950, 2025)
        title = make_name(number, "The {adjective} {noun}")
        movie = WorldItem(
            id=f"m{number + 1}",
            type="movie",
            title=title,
            year=year,
            ids=self._make_ids("movie"),
            duration_s=float(self._rng.randint(4200, 10800)),
            file=f"{title} ({year})/{title} ({year}).mkv",
            added_at=self._rng.randint(EARLIEST, LATEST),
        )
        self.items.append(movie)
        self.movies.append(movie)

    def _add_show(self, number: int, size: int) -> None:
        title, year = make_name(number, "{noun} of {adjective} Days"), self._rng.randint(1980, 2022)
        added = self._rng.randint(EARLIEST, LATEST)
        show = WorldItem(
            id=f"s{number + 1}",
            type="show",
            title=title,
            year=year,
            ids=self._make_ids("show"),
            added_at=added,
        )
        self.items.append(show)
        runtime = float(self._rng.choice((1320, 1500, 2520, 2700, 3300)))
        episodes = []
        season, episode = 1, 0
        for place in range(size):
            episode += 1
            if episode > EPISODES_PER_SEASON:
                season, episode = season + 1, 1
            episodes.append(self._make_episode(show, season, episode, runtime, added + place))
        self.items.extend(episodes)
        self.shows.append((show, episodes))
        for first, second in zip(episodes, episodes[1:], strict=False):
            if (
                first.season == second.season
                and first.id not in self.pairs.values()
                and self._rng.random() < 0.01
            ):
                self.pairs[first.id] = second.id

    def _make_episode(
        self, show: WorldItem, season: int, episode: int, runtime: float, added: int
    ) -> WorldItem:
        folder = f"{show.title} ({show.year})"
        title = f"Chapter {(season - 1) * EPISODES_PER_SEASON + episode}"
        return WorldItem(
            id=f"{show.id}e{(season - 1) * EPISODES_PER_SEASON + episode}",
            type="episode",
            title=title,
            year=(show.year or 1980) + season - 1,
            ids=self._make_ids("episode"),
            show=show.id,
            season=season,
            episode=episode,
            duration_s=runtime + self._rng.randint(-60, 60),
            file=f"{folder}/Season {season:02d}/{show.title} - S{season:02d}E{episode:02d} - {title}.mkv",
            added_at=added,
        )


def _make_lives(made: _Collection, seed: int, plain: bool) -> dict[str, dict[str, Plays]]:
    """What each person did, by item; both halves of a shared file the same."""
    lives: dict[str, dict[str, Plays]] = {}
    for who in PERSONS:
        rng = random.Random(f"{seed}:person:{who}")
        life: dict[str, Plays] = {}
        for item in made.items:
            if item.type != "show" and (plays := _live(rng, item, _WATCHED_SHARE[who])) is not None:
                life[item.id] = plays
        if not plain:
            for first, second in made.pairs.items():
                life.pop(second, None)
                if first in life:
                    life[first] = life[second] = msgspec.structs.replace(life[first], position_s=0.0)
        lives[who] = life
    return lives


def _live(rng: random.Random, item: WorldItem, share: float) -> Plays | None:
    chance = rng.random()
    watched, begun = chance < share, share <= chance < share + 0.02
    if not watched and not begun:
        return None
    return Plays(
        watched=watched,
        plays=(rng.randint(2, 4) if rng.random() < 0.1 else 1) if watched else 0,
        last=rng.randint(EARLIEST, LATEST),
        position_s=float(int(item.duration_s * rng.uniform(0.1, 0.7))) if begun else 0.0,
        rating=float(rng.randint(1, 10)) if rng.random() < 0.03 else None,
        favourite=rng.random() < 0.02,
    )


def _make_server(text: str, names: dict[str, int], rich: bool) -> WorldServer:
    kind, _, version = text.partition(":")
    if kind not in _ROOTS:
        raise ValueError(f"unknown kind of server {kind!r}; there are: {', '.join(_ROOTS)}")
    names[kind] = names.get(kind, 0) + 1
    root = _ROOTS[kind]
    return WorldServer(
        name=kind if names[kind] == 1 else f"{kind}{names[kind]}",
        kind=kind,  # type: ignore[arg-type]
        version=version or None,
        libraries=[
            WorldLibrary(title="Movies", kind="movies", root=f"{root}/movies"),
            WorldLibrary(title="Shows", kind="shows", root=f"{root}/shows"),
        ],
        quirks={"rich": True} if rich and kind == "plex" else {},
    )


class _Oddities:
    """What is not plain about one server: a few percent of everything that real collections have."""

    def __init__(self, rng: random.Random, made: _Collection, spec: WorldServer) -> None:
        self._rng = rng
        self._made = made
        self._spec = spec
        self._in_pairs = {*made.pairs, *made.pairs.values()}

    def place_all(self, *, contradictions: bool) -> None:
        """Fill the server's placements and what it holds."""
        placed = self._spec.placements
        placed += [Placement(item=first, with_next=1) for first in self._made.pairs]
        for movie in self._made.movies:
            self._place_movie(movie)
        for show, episodes in self._made.shows:
            self._place_show(show, episodes)
        self._leave_out()
        if contradictions:
            self._contradict()

    def _place_movie(self, movie: WorldItem) -> None:
        chance, placed = self._rng.random(), self._spec.placements
        if chance < 0.02 and self._spec.kind == "plex":
            guid = f"com.plexapp.agents.imdb://{movie.ids['imdb']}?lang=en"
            placed.append(Placement(item=movie.id, guid=guid))
        elif chance < 0.04:
            placed.append(Placement(item=movie.id, versions=2))
        elif chance < 0.06:
            self._add_library()
            placed += [Placement(item=movie.id), Placement(item=movie.id, library="Movies 4K")]
        elif chance < 0.09:
            placed.append(Placement(item=movie.id, ids=self._some_ids(movie)))

    def _add_library(self) -> None:
        if self._spec.libraries[-1].title != "Movies 4K":
            root = f"{_ROOTS[self._spec.kind]}/movies-4k"
            self._spec.libraries.append(WorldLibrary(title="Movies 4K", kind="movies", root=root))

    def _place_show(self, show: WorldItem, episodes: list[WorldItem]) -> None:
        chance, placed = self._rng.random(), self._spec.placements
        if chance < 0.05 and self._spec.kind == "plex":
            agent = f"thetvdb://{show.ids['tvdb']}" if chance < 0.03 else f"hama://tvdb-{show.ids['tvdb']}"
            placed.append(Placement(item=show.id, guid=f"com.plexapp.agents.{agent}?lang=en"))
            return
        for episode in episodes:
            if episode.id in self._in_pairs:
                continue
            chance = self._rng.random()
            if chance < 0.01:
                placed.append(Placement(item=episode.id, numbers_only=True))
            elif chance < 0.04:
                placed.append(Placement(item=episode.id, ids=self._some_ids(episode)))
            elif chance < 0.045:
                placed.append(Placement(item=episode.id, versions=2))

    def _some_ids(self, item: WorldItem) -> dict[str, str]:
        kept = self._rng.sample(sorted(item.ids), self._rng.randint(1, len(item.ids) - 1))
        return {source: item.ids[source] for source in kept}

    def _leave_out(self) -> None:
        """Half a percent of the movies, episodes and shows are not on this server."""
        rng, held = self._rng, []
        held = [movie.id for movie in self._made.movies if rng.random() >= 0.005]
        for show, episodes in self._made.shows:
            if rng.random() < 0.005:
                continue
            gone = {e.id for e in episodes if rng.random() < 0.005 and e.id not in self._in_pairs}
            held += [show.id] if not gone else [e.id for e in episodes if e.id not in gone]
        self._spec.items = held or "all"

    def _contradict(self) -> None:
        """Some movies carry one id of another movie."""
        placed = {placement.item for placement in self._spec.placements}
        movies = [movie for movie in self._made.movies if movie.id not in placed]
        for one, other in zip(movies[::20], movies[10::20], strict=False):
            ids = {**one.ids, "tmdb": other.ids["tmdb"]}
            self._spec.placements.append(Placement(item=one.id, ids=ids))


def _make_state(
    rng: random.Random, made: _Collection, life: dict[str, Plays], spec: WorldServer, plain: bool
) -> list[WorldState]:
    """What of a person's life this server knows: most of it, some of it from an earlier play."""
    seconds = {} if plain else {second: first for first, second in made.pairs.items()}
    known: dict[str, WorldState | None] = {}
    for item, plays in life.items():
        if item in seconds:
            first = known.get(seconds[item])
            known[item] = msgspec.structs.replace(first, item=item) if first else None
            continue
        known[item] = _know(rng, item, plays, spec.kind, plain) if rng.random() < _SEEN_ON_SERVER else None
    return [state for state in known.values() if state is not None]


def _know(rng: random.Random, item: str, plays: Plays, kind: str, plain: bool) -> WorldState:
    earlier = plays.plays > 1 and rng.random() < 0.5
    undated = not plain and kind != "plex" and plays.watched and rng.random() < 0.01
    last = plays.last - rng.randint(86400, 30 * 86400) if earlier else plays.last
    return WorldState(
        item=item,
        watched=plays.watched,
        plays=plays.plays - 1 if earlier else plays.plays,
        last_played=None if undated else last,
        position_s=plays.position_s,
        rating=plays.rating,
        favourite=plays.favourite and kind != "plex",
    )
