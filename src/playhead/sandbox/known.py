"""Which item a file is, by what its name says: one of the world's, or one that is made of the name alone.

An item made of a name has the name as its id, the same on every server (``Some Film (2020)``, ``Some Show S01E02``), and
no ids but those that stand in the name. Knows names and items, no server.
"""

from __future__ import annotations

import re

from playhead.sandbox.filenames import Named, read_episode, read_movie
from playhead.sandbox.world import WorldItem

_ODD = re.compile(r"[^0-9a-z]+")


class KnownItems:
    """The items of a world, and those that files brought. ``items`` is by id and grows."""

    def __init__(self, items: dict[str, WorldItem]) -> None:
        self.items = items
        self._by_file: dict[str, WorldItem] = {}
        self._by_id: dict[tuple[str, str, str], WorldItem] = {}
        self._by_title: dict[tuple[str, str], list[WorldItem]] = {}
        self._episodes: dict[tuple[str, int, int], WorldItem] = {}
        for item in items.values():
            self._note(item)

    def items_in(self, below: str, kind: str) -> list[WorldItem]:
        """The items in a file of a library of that kind (``movies`` or ``shows``); several episodes in one file are told in
        order. Empty where the name of a file says nothing that a server understands."""
        if kind == "movies":
            return [self._by_file.get(below) or self._find("movie", read_movie(below))]
        named = read_episode(below)
        if named is None or named.season is None:
            return []
        show = self._find("show", named)
        return [self._episode(show, named, number) for number in named.episodes]

    def find_episode(self, show: str, season: int, episode: int) -> WorldItem | None:
        """The episode of these numbers."""
        return self._episodes.get((show, season, episode))

    def _note(self, item: WorldItem) -> None:
        self.items[item.id] = item
        if item.type == "episode":
            self._episodes[item.show or "", item.season or 0, item.episode or 0] = item
            return
        if item.file and item.type == "movie":
            self._by_file[item.file] = item
        for source, value in item.ids.items():
            self._by_id[item.type, source, value] = item
        self._by_title.setdefault((item.type, _plain(item.title)), []).append(item)

    def _find(self, kind: str, named: Named) -> WorldItem:
        for source, value in named.ids.items():
            if (kind, source, value) in self._by_id:
                return self._by_id[kind, source, value]
        for item in self._by_title.get((kind, _plain(named.title)), ()):
            if None in (item.year, named.year) or item.year == named.year:
                return item
        name = f"{named.title} ({named.year})" if named.year else named.title
        made = WorldItem(
            id=_free(name, self.items),
            type="movie" if kind == "movie" else "show",
            title=named.title,
            year=named.year,
            ids=dict(named.ids),
        )
        self._note(made)
        return made

    def _episode(self, show: WorldItem, named: Named, number: int) -> WorldItem:
        season = named.season or 0
        known = self._episodes.get((show.id, season, number))
        if known is None:
            known = WorldItem(
                id=f"{show.id} S{season:02d}E{number:02d}",
                type="episode",
                title=named.episode_title or f"Episode {number}",
                show=show.id,
                season=season,
                episode=number,
            )
            self._note(known)
        return known


def _plain(title: str) -> str:
    return _ODD.sub("", title.casefold()) or title


def _free(name: str, taken: dict[str, WorldItem]) -> str:
    number, wanted = 1, name
    while wanted in taken:
        number += 1
        wanted = f"{name} [{number}]"
    return wanted
