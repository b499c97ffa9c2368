"""Puts items of the world on one emulated Plex, at the start and when one comes later or comes back.

Decides guids, keys, files and numbers from the world's item and its placement; knows no state and no HTTP.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from playhead.sandbox.folders import RealFolders, is_absolute, is_only_a_name, root_of
from playhead.sandbox.known import KnownItems
from playhead.sandbox.plex.catalogue import Catalogue, Node, Section, default_file
from playhead.sandbox.plex.guids import derive_guid, make_plex_guid
from playhead.sandbox.times import to_epoch
from playhead.sandbox.world import Placement, World, WorldItem, WorldLibrary, WorldServer

_DEFAULT_LIBRARIES = (
    WorldLibrary(title="Movies", kind="movies", root="/data/movies"),
    WorldLibrary(title="TV Shows", kind="shows", root="/data/tv"),
)
Numbers = tuple[str, int, int]


class Builder:
    """Joins the world's items with how this server holds them. Raises ValueError for what does not fit together."""

    def __init__(self, world: World, spec: WorldServer, catalogue: Catalogue, now: int) -> None:
        self.items = {item.id: item for item in world.items}
        self.known = KnownItems(self.items)
        self.catalogue = catalogue
        self.placements: dict[str, list[Placement]] = {}
        for placement in spec.placements:
            if placement.item not in self.items:
                raise ValueError(
                    f"{spec.name}: a placement names {placement.item!r}, which the world does not have"
                )
            self.placements.setdefault(placement.item, []).append(placement)
        self._now = now
        self._numbers = _index_numbers(world)
        self._shared: dict[str, tuple[str, int]] = {}
        self._shows: dict[tuple[str, int], Node] = {}
        for library in spec.libraries or _DEFAULT_LIBRARIES:
            self.add_library(library, now)
        self._note_shared_files()
        for item in choose_items(world, spec):
            if item.type != "show" and not is_only_a_name(item, spec.libraries):
                self._place_held(item)

    def add_library(self, library: WorldLibrary, now: int) -> Section:
        """Make a library; what lies in its real folder comes with a scan."""
        reals = RealFolders(library)
        root = root_of(library) if library.root or library.folder else reals.roots[0]
        made = self.catalogue.add_section(library.title, library.kind, root, library.native_id, now)
        made.reals = reals
        return made

    def _place_held(self, item: WorldItem) -> None:
        """At the start: what a library with a real folder holds, its first scan says."""
        kind = "movie" if item.type == "movie" else "show"
        for placement in self.placements.get(item.id) or [Placement(item=item.id)]:
            if not self._section(placement, kind).reals:
                self.place(item, [placement])

    def place_file(self, item: WorldItem, section: Section, path: str, now: int) -> None:
        """Put an item on the server whose file was found in one of a section's real folders."""
        told = [p for p in self.placements.get(item.id, ()) if p.library in (None, section.title)]
        placement = told[0] if told else Placement(item=item.id)
        used = placement.native_id is not None and self.catalogue.was_used(placement.native_id)
        native = None if used else placement.native_id
        self.place(
            item,
            [copy_placement(placement, library=section.title, file=path, native_id=native, versions=1)],
            added=now,
        )

    def place(
        self, item: WorldItem, placements: Sequence[Placement] | None = None, added: int | None = None
    ) -> None:
        """Put a movie or an episode (with its show and season) on the server, once for each placement."""
        for placement in placements or self.placements.get(item.id) or [Placement(item=item.id)]:
            if item.type == "movie":
                self._place_movie(item, placement, added)
            else:
                self._place_episode(item, placement, added)

    def _place_movie(self, item: WorldItem, placement: Placement, added: int | None) -> None:
        section = self._section(placement, "movie")
        key = self.catalogue.take_key(placement.native_id)
        ids = item.ids if placement.ids is None else placement.ids
        guid = _spelled(placement.guid, key) or self._own_guid("movie", item, placement, key)
        node = Node(key, "movie", section, guid, placement.title or item.title, item.id)
        node.ids = ids
        node.year = placement.year or item.year
        node.files = _versions(section, placement, item.file or default_file(item, None, 0, 0))
        node.duration = int((placement.duration_s or item.duration_s) * 1000)
        self._finish(node, item, added)

    def _place_episode(self, item: WorldItem, placement: Placement, added: int | None) -> None:
        show_item = self._show_of(item)
        show = self._find_show(show_item, self._section(placement, "show"), added)
        number = placement.season if placement.season is not None else item.season
        episode = placement.episode if placement.episode is not None else item.episode
        if number is None or episode is None:
            raise ValueError(f"episode {item.id!r} has no season or no episode number")
        season = self._find_season(show, number, item, added)
        key = self.catalogue.take_key(placement.native_id)
        ids = {} if placement.numbers_only else item.ids if placement.ids is None else placement.ids
        guid = _spelled(placement.guid, key) or derive_guid(show.guid, ids, number, episode)
        node = Node(
            key,
            "episode",
            show.section,
            guid or self._own_guid("episode", item, placement, key),
            placement.title or item.title,
            item.id,
        )
        node.ids = ids
        node.year = placement.year or item.year
        node.index = episode
        node.parent = season
        file, duration = self._shared.get(item.id) or (
            item.file or default_file(item, show_item, number, episode),
            int(item.duration_s * 1000),
        )
        node.files = _versions(show.section, placement, file)
        node.duration = int(placement.duration_s * 1000) if placement.duration_s else duration
        self._finish(node, item, added)

    def _own_guid(self, kind: str, item: WorldItem, placement: Placement, key: int) -> str:
        """Plex's own guid; an item without any id is one that the agent did not match."""
        unmatched = placement.numbers_only or placement.ids == {}
        return f"local://{key}" if unmatched else make_plex_guid(kind, item.id, item.ids)

    def _find_show(self, item: WorldItem, section: Section, added: int | None) -> Node:
        known = self._shows.get((item.id, section.key))
        if known is not None and known.key in self.catalogue.nodes:
            return known
        placement = next(iter(self.placements.get(item.id, ())), Placement(item=item.id))
        key = self.catalogue.take_key(
            placement.native_id if (item.id, section.key) not in self._shows else None
        )
        guid = _spelled(placement.guid, key) or self._own_guid("show", item, placement, key)
        show = Node(key, "show", section, guid, placement.title or item.title, item.id)
        show.ids = item.ids if placement.ids is None else placement.ids
        show.year = placement.year or item.year
        show.index = 1
        self._finish(show, item, added)
        self._shows[(item.id, section.key)] = show
        return show

    def _find_season(self, show: Node, number: int, item: WorldItem, added: int | None) -> Node:
        for season in reversed(show.children):
            if season.index == number:
                return season
        key = self.catalogue.take_key()
        title = f"Season {number}" if number else "Specials"
        guid = derive_guid(show.guid, {}, number, None) or make_plex_guid(
            "season", f"{show.world}/{number}", {}
        )
        season = Node(key, "season", show.section, guid, title, None)
        season.index = number
        season.parent = show
        self._finish(season, item, added)
        return season

    def _finish(self, node: Node, item: WorldItem, added: int | None) -> None:
        node.added = node.updated = self.when_added(item) if added is None else added
        self.catalogue.put(node)

    def when_added(self, item: WorldItem | None) -> int:
        """When an item of the world came, the start where it does not say."""
        at = None if item is None else to_epoch(item.added_at)
        return int(self._now if at is None else at)

    def _show_of(self, item: WorldItem) -> WorldItem:
        show = self.items.get(item.show or "")
        if show is None or show.type != "show":
            raise ValueError(
                f"episode {item.id!r} names the show {item.show!r}, which the world does not have"
            )
        return show

    def _section(self, placement: Placement, kind: str) -> Section:
        for section in self.catalogue.sections:
            if section.type == kind and placement.library in (None, section.title):
                return section
        wanted = f"named {placement.library!r} " if placement.library else ""
        raise ValueError(f"{placement.item}: the server has no library {wanted}for a {kind}")

    def _note_shared_files(self) -> None:
        """A file of several episodes: one path, and the length of all, for each of them (facts 2.2; length *assumed*)."""
        for placements in self.placements.values():
            for placement in placements:
                first = self.items[placement.item]
                if placement.with_next and first.type == "episode":
                    self._share(first, placement.with_next, placement.file)

    def _share(self, first: WorldItem, more: int, file: str | None) -> None:
        season, episode = first.season or 0, first.episode or 0
        sharing = [self._numbers.get((first.show or "", season, episode + n)) for n in range(more + 1)]
        held = [self.items[item] for item in sharing if item is not None]
        own = first.file or default_file(first, self._show_of(first), season, episode)
        path = file or own.replace(f"E{episode:02d}", f"E{episode:02d}-E{episode + more:02d}")
        length = int(sum(item.duration_s for item in held) * 1000)
        self._shared.update({item.id: (path, length) for item in held})


def choose_items(world: World, spec: WorldServer) -> list[WorldItem]:
    """The items that a server holds, in the world's order; a show's id stands for its episodes."""
    if spec.items == "all":
        return world.items
    wanted = set(spec.items)
    unknown = wanted - {item.id for item in world.items}
    if unknown:
        raise ValueError(f"{spec.name}: the world does not have {', '.join(sorted(unknown)[:5])}")
    return [item for item in world.items if item.id in wanted or item.show in wanted]


def _index_numbers(world: World) -> dict[Numbers, str]:
    return {
        (item.show or "", item.season or 0, item.episode or 0): item.id
        for item in world.items
        if item.type == "episode"
    }


def _spelled(guid: str | None, key: int) -> str | None:
    return f"local://{key}" if guid in ("local", "local://") else guid


def _versions(section: Section, placement: Placement, file: str) -> list[str]:
    file = placement.file or file
    path = file if is_absolute(file) else f"{section.root}/{file}"
    stem, _, ending = path.rpartition(".")
    return [path, *(f"{stem} - version {n}.{ending}" for n in range(2, placement.versions + 1))]


def copy_placement(placement: Placement, **changes: object) -> Placement:
    """A placement with some fields changed."""
    return msgspec.structs.replace(placement, **changes)
