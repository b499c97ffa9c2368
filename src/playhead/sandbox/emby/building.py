"""Makes Emby's tree from a world: which entry stands for which item, under which ids, names and paths.

Knows the world's shapes and the tree; knows no user state and no HTTP.
"""

from __future__ import annotations

import posixpath
from collections.abc import Sequence

import msgspec

from playhead.sandbox.emby.catalogue import TICKS_PER_SECOND, Catalogue, Node, Shelf, digest
from playhead.sandbox.folders import RealFolders, VideoFile, is_absolute, is_only_a_name, root_of
from playhead.sandbox.known import KnownItems
from playhead.sandbox.times import to_epoch
from playhead.sandbox.world import Placement, World, WorldItem, WorldLibrary, WorldServer

PROVIDER_KEYS = {
    "imdb": "Imdb",
    "tmdb": "Tmdb",
    "tvdb": "Tvdb",
    "tvmaze": "TvMaze",
    "tvrage": "TvRage",
    "anidb": "AniDB",
    "anilist": "AniList",
    "mal": "MyAnimeList",
}
ODD_KEYS = {"Imdb": "IMDB", "Tmdb": "tmdb", "Tvdb": "TVDB", "TvMaze": "TV Maze"}
BYTES_PER_SECOND = 500_000
DEFAULT_ADDED = 1_700_000_000


def epoch(value: float | str | None, otherwise: int = DEFAULT_ADDED) -> int:
    """Whole epoch seconds from a number or ISO 8601 text."""
    seconds = to_epoch(value)
    return otherwise if seconds is None else int(seconds)


class Builder:
    """Puts items of the world on one server; also used when an item comes later or comes back.

    Quirks: ``own_state`` keeps user data by item id instead of by external ids; ``odd_provider_keys`` writes some keys
    in other capitals and some IMDb ids without ``tt``, as 1.2 % of a real library's did (facts B2).
    """

    def __init__(self, world: World, server: WorldServer, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.items = {item.id: item for item in world.items}
        self.known = KnownItems(self.items)
        self.placements: dict[str, list[Placement]] = {}
        for placement in server.placements:
            self.placements.setdefault(placement.item, []).append(placement)
        self.own_state = bool(server.quirks.get("own_state"))
        self.odd_keys = bool(server.quirks.get("odd_provider_keys"))
        self._series: dict[tuple[str, str], Node] = {}
        self._seasons: dict[tuple[str, int], Node] = {}

    def build(self, server: WorldServer) -> None:
        """Make all libraries and place all items that the server holds."""
        for library in _libraries(server):
            self.make_shelf(library)
        swallowed: set[str] = set()
        for item in self._held(server):
            if item.type == "show" or is_only_a_name(item, server.libraries):
                continue
            if item.id not in swallowed:
                for placement in self.placements.get(item.id) or [Placement(item=item.id)]:
                    if not self._choose_shelf(item, placement).reals:
                        swallowed.update(self._place_one(item, placement, None).world)

    def _held(self, server: WorldServer) -> list[WorldItem]:
        if server.items == "all":
            return list(self.items.values())
        wanted = set(server.items)
        return [i for i in self.items.values() if i.id in wanted or (i.show is not None and i.show in wanted)]

    def make_shelf(self, library: WorldLibrary) -> Shelf:
        """Open a library."""
        guid = digest("library", library.title)
        view_id = self.catalogue.take_id(library.native_id)
        shelf = Shelf(
            view_id=view_id,
            folder_id=self.catalogue.take_id(),
            guid=guid,
            title=library.title,
            kind=library.kind,
            root=root_of(library) if library.root or library.folder else RealFolders(library).roots[0],
            created=DEFAULT_ADDED,
            reals=RealFolders(library),
        )
        self.catalogue.add_shelf(shelf)
        return shelf

    def settle_at(self, shelf: Shelf, library: WorldLibrary) -> None:
        """Give a library another folder."""
        shelf.root, shelf.reals = root_of(library), RealFolders(library)
        self.catalogue.touch()

    def place_file(
        self, items: Sequence[WorldItem], shelf: Shelf, file: VideoFile, added: int | None
    ) -> None:
        """Put an item on the server whose file was found in a library's real folder; several episodes are one entry."""
        told = [p for p in self.placements.get(items[0].id, ()) if p.library in (None, shelf.title)]
        placement = msgspec.structs.replace(
            told[0] if told else Placement(item=items[0].id),
            library=shelf.title,
            file=file.path,
            with_next=len(items) - 1,
            versions=1,
        )
        node = self._place_one(items[0], placement, added)
        if node.series is not None and node.season is not None and "/" in file.below:
            above = file.path.removesuffix(file.below)
            node.series.path = above + file.below.split("/")[0]
            node.season.path = posixpath.dirname(node.path)
            if node.season.path == node.series.path:
                node.season.path = f"{node.series.path}/Season {node.parent_index or 0:02d}"

    def place(
        self, item: WorldItem, placements: Sequence[Placement] | None = None, added: int | None = None
    ) -> list[Node]:
        """Put an item on the server, once for each of its placements. Raises KeyError without a fitting library."""
        chosen = placements or self.placements.get(item.id) or [Placement(item=item.id)]
        return [self._place_one(item, placement, added) for placement in chosen]

    def _place_one(self, item: WorldItem, placement: Placement, added: int | None) -> Node:
        shelf = self._choose_shelf(item, placement)
        make = self._movie if item.type == "movie" else self._episode
        node = make(item, placement, shelf, added)
        self.catalogue.add(node)
        return node

    def home_of(self, item: WorldItem, library: object) -> Shelf:
        """The library in which an item would be put. Raises KeyError."""
        told = next(iter(self.placements.get(item.id, ())), Placement(item=item.id))
        return self._choose_shelf(
            item, told if library is None else Placement(item=item.id, library=str(library))
        )

    def _choose_shelf(self, item: WorldItem, placement: Placement) -> Shelf:
        if placement.library is not None:
            return self.catalogue.find_shelf(placement.library)
        kind = "movies" if item.type == "movie" else "shows"
        for shelf in self.catalogue.shelves.values():
            if shelf.kind == kind:
                return shelf
        raise KeyError(f"no library of kind {kind} for {item.id!r}")

    def _movie(self, item: WorldItem, placement: Placement, shelf: Shelf, added: int | None) -> Node:
        title = placement.title or item.title
        year = placement.year or item.year
        folder = f"{title} ({year})" if year else title
        path = _path(shelf, placement.file or item.file or f"{folder}/{folder}.mkv")
        ids = self._provider_ids(item, placement)
        return self._leaf(
            item, placement, shelf, added, "Movie", title, path, ids, state_key=self._movie_key(ids, path)
        )

    def _episode(self, item: WorldItem, placement: Placement, shelf: Shelf, added: int | None) -> Node:
        season_number = placement.season if placement.season is not None else item.season or 0
        number = placement.episode if placement.episode is not None else item.episode
        series = self._series_for(item, shelf, added)
        season = self._season_for(series, season_number, added)
        title = placement.title or item.title
        code = f"S{season_number:02d}E{number or 0:02d}"
        path = _path(
            shelf,
            placement.file
            or item.file
            or f"{posixpath.basename(series.path)}/Season {season_number:02d}/{series.name} - {code} - {title}.mkv",
        )
        ids = {} if placement.numbers_only else self._provider_ids(item, placement)
        node = self._leaf(item, placement, shelf, added, "Episode", title, path, ids, state_key="")
        node.series, node.season, node.parent_id = series, season, season.id
        node.parent_index, node.index = season_number, number
        node.sort_name = f"{season_number:03d} - {number or 0:04d} - {title.lower()}"
        if placement.with_next:
            node.index_end = (number or 0) + placement.with_next
            node.world = (item.id, *self._followers(item, placement.with_next))
        node.state_key = self._episode_key(node)
        return node

    def _followers(self, item: WorldItem, count: int) -> list[str]:
        number = item.episode or 0
        numbers = range(number + 1, number + count + 1)
        found = [self.known.find_episode(item.show or "", item.season or 0, each) for each in numbers]
        return [each.id for each in found if each is not None]

    def _leaf(
        self,
        item: WorldItem,
        placement: Placement,
        shelf: Shelf,
        added: int | None,
        kind: str,
        title: str,
        path: str,
        ids: dict[str, str],
        *,
        state_key: str,
    ) -> Node:
        created = added if added is not None else epoch(item.added_at)
        duration = placement.duration_s if placement.duration_s is not None else item.duration_s
        stem, suffix = posixpath.splitext(path)
        node_id = self.catalogue.take_id(self._free(placement.native_id))
        return Node(
            id=node_id,
            type=kind,
            name=title,
            sort_name=title.lower(),
            shelf=shelf,
            parent_id=shelf.folder_id,
            path=path,
            created=created,
            modified=created,
            state_key=f"item:{node_id}" if self.own_state else state_key,
            world=(item.id,),
            year=placement.year or item.year,
            provider_ids=ids,
            runtime_ticks=round(duration * TICKS_PER_SECOND) or None,
            size=round(duration * BYTES_PER_SECOND),
            versions=tuple(f"{stem} - version {n}{suffix}" for n in range(2, placement.versions + 1)),
        )

    def _free(self, wished: str | None) -> str | None:
        # An item that comes back gets a new number (assumed: Emby's ids are those of its database rows).
        return wished if wished is not None and not self.catalogue.was_taken(wished) else None

    def _series_for(self, item: WorldItem, shelf: Shelf, added: int | None) -> Node:
        show = self.items.get(item.show or "")
        key = (shelf.view_id, item.show or item.id)
        known = self._series.get(key)
        if known is not None and known.id in self.catalogue.nodes:
            return known
        placement = next(iter(self.placements.get(item.show or "", [])), Placement(item=item.show or item.id))
        title = placement.title or (show.title if show else "Unknown")
        year = placement.year or (show.year if show else None)
        ids = self._provider_ids(show, placement) if show else {}
        path = _path(shelf, placement.file or (f"{title} ({year})" if year else title))
        created = added if added is not None else epoch(show.added_at if show else None)
        node = Node(
            id=self.catalogue.take_id(self._free(placement.native_id)),
            type="Series",
            name=title,
            sort_name=title.lower(),
            shelf=shelf,
            parent_id=shelf.folder_id,
            path=path,
            created=created,
            modified=created,
            state_key=f"series:{_series_identity(ids) or digest(path)}",
            world=(show.id,) if show else (),
            year=year,
            provider_ids=ids,
        )
        self._series[key] = node
        self.catalogue.add(node)
        return node

    def _season_for(self, series: Node, number: int, added: int | None) -> Node:
        key = (series.id, number)
        known = self._seasons.get(key)
        if known is not None and known.id in self.catalogue.nodes:
            return known
        name = f"Season {number}" if number else "Specials"
        node = Node(
            id=self.catalogue.take_id(),
            type="Season",
            name=name,
            sort_name=f"{number:04d}",
            shelf=series.shelf,
            parent_id=series.id,
            path=f"{series.path}/Season {number:02d}",
            created=added if added is not None else series.created,
            modified=added if added is not None else series.modified,
            state_key=f"{series.state_key}:season{number:03d}",
            series=series,
            index=number,
        )
        self._seasons[key] = node
        self.catalogue.add(node)
        return node

    def episodes_of(self, show_id: str) -> list[WorldItem]:
        """The world's episodes of a show."""
        return [item for item in self.items.values() if item.show == show_id]

    def placement_of(self, node: Node) -> Placement:
        """The placement that would make this node again, apart from its id."""
        return Placement(
            item=node.world[0],
            library=node.shelf.title,
            ids=plain_ids(node.provider_ids),
            title=node.name,
            year=node.year,
            season=node.parent_index,
            episode=node.index,
            file=node.path,
            duration_s=(node.runtime_ticks or 0) / TICKS_PER_SECOND,
            with_next=len(node.world) - 1,
            versions=len(node.versions) + 1,
            numbers_only=node.type == "Episode" and not node.provider_ids,
        )

    def _provider_ids(self, item: WorldItem, placement: Placement) -> dict[str, str]:
        ids = item.ids if placement.ids is None else placement.ids
        named = {PROVIDER_KEYS.get(source.lower(), source): value for source, value in ids.items()}
        if not self.odd_keys or int(digest(item.id)[:4], 16) % 5:
            return named
        return {
            ODD_KEYS.get(key, key): value.removeprefix("tt") if key == "Imdb" else value
            for key, value in named.items()
        }

    def _movie_key(self, ids: dict[str, str], path: str) -> str:
        # Assumed, after Emby's open ancestor: user data hangs on the external ids and outlives the file.
        plain = {key.lower(): value for key, value in ids.items()}
        for source in ("tmdb", "imdb"):
            if plain.get(source):
                return f"{source}:{plain[source]}"
        return f"path:{digest(path)}"

    def _episode_key(self, node: Node) -> str:
        if self.own_state or node.series is None:
            return f"item:{node.id}"
        if node.index is None:
            return f"path:{digest(node.path)}"
        return f"{node.series.state_key}:{node.parent_index or 0:03d}{node.index:04d}"


def _series_identity(ids: dict[str, str]) -> str | None:
    plain = {key.lower(): value for key, value in ids.items()}
    for source in ("tvdb", "imdb", "tmdb"):
        if plain.get(source):
            return f"{source}:{plain[source]}"
    return None


def _path(shelf: Shelf, below: str) -> str:
    return below if is_absolute(below) else f"{shelf.root}/{below}"


def _libraries(server: WorldServer) -> list[WorldLibrary]:
    if server.libraries:
        return server.libraries
    return [
        WorldLibrary(title="Movies", kind="movies", root="/media/movies"),
        WorldLibrary(title="Shows", kind="shows", root="/media/shows"),
    ]


def plain_ids(provider_ids: dict[str, str]) -> dict[str, str]:
    """External ids by the world's source names."""
    sources = {key.lower(): source for source, key in PROVIDER_KEYS.items()} | {"tv maze": "tvmaze"}
    return {sources.get(key.lower(), key.lower()): value for key, value in provider_ids.items()}
