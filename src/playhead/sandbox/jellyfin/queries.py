"""``/Items``: which items a query means, in which order. Facts: api-jellyfin-emby A3. Encodes nothing.

Lists without user data in them are kept until the catalogue changes, so that a page costs only its own entries.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator

import msgspec

from playhead.sandbox.jellyfin.accounts import User
from playhead.sandbox.jellyfin.answers import text_failure
from playhead.sandbox.jellyfin.call import Call
from playhead.sandbox.jellyfin.catalogue import Catalogue
from playhead.sandbox.jellyfin.ids import EMPTY_GUID, PLACEHOLDER_GUID
from playhead.sandbox.jellyfin.items import Item
from playhead.sandbox.jellyfin.rules import Rules
from playhead.sandbox.jellyfin.userdata import UserDataStore

KINDS = (
    "AggregateFolder Audio AudioBook BasePluginFolder Book BoxSet Channel ChannelFolderItem CollectionFolder Episode "
    "Folder Genre ManualPlaylistsFolder Movie LiveTvChannel LiveTvProgram MusicAlbum MusicArtist MusicGenre "
    "MusicVideo Person Photo PhotoAlbum Playlist PlaylistsFolder Program Recording Season Series Studio Trailer "
    "TvChannel TvProgram UserRootFolder UserView Video Year"
)
_KIND_BY_NAME = {kind.lower(): kind for kind in KINDS.split()}
_USER_FILTERS = frozenset(
    ("isplayed", "isunplayed", "isresumable", "isfavorite", "isfavoriteorlikes", "likes", "dislikes")
)
_USER_SORTS = frozenset(("dateplayed", "playcount", "isplayed", "isunplayed", "isfavoriteorliked"))
_KEPT_LISTS = 24

Test = Callable[[Item], bool]


class ItemQuery(msgspec.Struct):
    """The parameters of a list that choose items; everything unknown was dropped."""

    user: User | None
    parent: str | None
    recursive: bool
    kinds: frozenset[str]
    without: frozenset[str]
    ids: list[str] | None
    excluded: frozenset[str]
    filters: frozenset[str]
    played: bool | None
    favourite: bool | None
    folder: bool | None
    has: dict[str, bool]
    years: frozenset[int]
    media: frozenset[str]
    search: str | None
    prefix: str | None
    saved_since: int | None
    sort: tuple[tuple[str, bool], ...]


def parse_query(call: Call, user: User | None) -> ItemQuery:
    """Read a query; values of the wrong type are errors, unknown names and words are dropped."""
    ids = call.guids("ids")
    return ItemQuery(
        user=user,
        parent=call.guid("parentId"),
        recursive=call.flag("recursive") or False,
        kinds=_kinds(call.words("includeItemTypes")),
        without=_kinds(call.words("excludeItemTypes")),
        ids=ids or None,
        excluded=frozenset(call.guids("excludeItemIds")),
        filters=frozenset(word.lower() for word in call.words("filters")),
        played=call.flag("isPlayed"),
        favourite=call.flag("isFavorite"),
        folder=call.flag("isFolder"),
        has=_has(call),
        years=frozenset(int(year) for year in call.words("years") if year.isdigit()),
        media=frozenset(word.lower() for word in call.words("mediaTypes")),
        search=call.text("searchTerm"),
        prefix=call.text("nameStartsWith"),
        saved_since=_latest(call.date("minDateLastSaved"), call.date("minDateLastSavedForUser")),
        sort=parse_sort(call),
    )


def parse_sort(call: Call) -> tuple[tuple[str, bool], ...]:
    """Keys and whether each is descending; the last order given holds for the rest."""
    orders = [word.lower() == "descending" for word in call.words("sortOrder") if word.lower() in _ORDERS]
    keys = [word.lower() for word in call.words("sortBy")]
    found = []
    for at, key in enumerate(keys):
        if key in SORT_KEYS:
            found.append((key, orders[min(at, len(orders) - 1)] if orders else False))
    return tuple(found)


_ORDERS = {"ascending", "descending"}


def _kinds(words: list[str]) -> frozenset[str]:
    return frozenset(_KIND_BY_NAME[word.lower()] for word in words if word.lower() in _KIND_BY_NAME)


def _has(call: Call) -> dict[str, bool]:
    asked = {name: call.flag(f"has{name}Id") for name in ("Imdb", "Tmdb", "Tvdb")}
    return {name: value for name, value in asked.items() if value is not None}


def _latest(*dates: int | None) -> int | None:
    return max((date for date in dates if date is not None), default=None)


SORT_KEYS = frozenset(
    (
        "sortname", "name", "dateplayed", "datecreated", "datelastcontentadded", "playcount", "productionyear",
        "premieredate", "parentindexnumber", "indexnumber", "runtime", "isfolder", "isplayed", "isunplayed",
        "isfavoriteorliked", "seriessortname", "random", "default",
    )
)  # fmt: skip


class Finder:
    """Runs queries on one server's catalogue."""

    def __init__(
        self, rules: Rules, catalogue: Catalogue, store: UserDataStore, users: Callable[[], Iterable[User]]
    ) -> None:
        self.rules = rules
        self.catalogue = catalogue
        self.store = store
        self._users = users
        self._kept: OrderedDict[object, list[Item]] = OrderedDict()
        self._revision = -1

    def find(self, query: ItemQuery) -> list[Item]:
        """All items that a query means, sorted. Fails as the server does."""
        if query.user is None and (
            query.filters & _USER_FILTERS or query.played is not None or query.favourite is not None
        ):
            raise text_failure(500)
        if query.user is None and self.rules.live_cache and any(key in _USER_SORTS for key, _ in query.sort):
            raise text_failure(500)
        if query.ids is not None:
            items = self._by_ids(query, query.ids)
            return self._sort(items, query) if query.sort else items
        base = self._base(query)
        tests = list(self._tests(query))
        found = [item for item in base if all(test(item) for test in tests)] if tests else base
        return self._sort(found, query)

    # --- where to look

    def _by_ids(self, query: ItemQuery, ids: list[str]) -> list[Item]:
        if self.rules.placeholder_row and PLACEHOLDER_GUID in ids:
            raise text_failure(500)
        found = [self.catalogue.items[guid] for guid in dict.fromkeys(ids) if guid in self.catalogue.items]
        tests = [*self._tests(query)]
        return [
            item for item in found if self.visible(query.user, item) and all(test(item) for test in tests)
        ]

    def visible(self, user: User | None, item: Item) -> bool:
        """Whether the user may see an item."""
        return user is None or item.library is None or user.may_see(item.library.folder.id)

    def _base(self, query: ItemQuery) -> list[Item]:
        if self._revision != self.catalogue.revision:
            self._kept.clear()
            self._revision = self.catalogue.revision
        seen = (
            None
            if query.user is None
            else (bool(query.user.policy["EnableAllFolders"]), *query.user.policy["EnabledFolders"])
        )
        searching = query.search is not None
        key = (query.parent, query.recursive or searching, query.kinds, query.without, seen)
        kept = self._kept.get(key)
        if kept is None:
            found = self._collect(query, query.recursive or searching)
            kept = sorted(found, key=lambda item: item.order)
            kept.sort(key=lambda item: (item is self.catalogue.playlists, item.sort_name))
            self._kept[key] = kept
            if len(self._kept) > _KEPT_LISTS:
                self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(key)
        return kept

    def _collect(self, query: ItemQuery, recursive: bool) -> Iterator[Item]:
        for item in self._within(query, recursive):
            if query.kinds and item.type not in query.kinds:
                continue
            if item.type not in query.without and self.visible(query.user, item):
                yield item

    def _within(self, query: ItemQuery, recursive: bool) -> Iterable[Item]:
        parent = self._parent(query)
        if parent is self.catalogue.root:
            if recursive:
                outside = ("CollectionFolder", "UserRootFolder", "ManualPlaylistsFolder")
                return [
                    item
                    for item in self.catalogue.items.values()
                    if item.type not in outside and item.primary is None
                ]
            return [*self.catalogue.root.children.values(), self.catalogue.playlists]
        if parent.type == "CollectionFolder":
            roots = parent.children.values()
            return [
                item
                for root in roots
                for item in (self._below(root) if recursive else root.children.values())
            ]
        return list(self._found_below(parent)) if recursive else list(parent.inside().values())

    def _parent(self, query: ItemQuery) -> Item:
        if query.parent is None or query.parent == EMPTY_GUID:
            return self.catalogue.root
        if self.rules.placeholder_row and query.parent == PLACEHOLDER_GUID:
            raise text_failure(500)
        parent = self.catalogue.items.get(query.parent)
        if parent is None:
            raise text_failure(400)
        return parent

    def _found_below(self, folder: Item) -> Iterator[Item]:
        for child in folder.inside().values():
            yield child
            if child.is_folder:
                yield from self._found_below(child)

    def _below(self, folder: Item) -> Iterator[Item]:
        for child in folder.children.values():
            yield child
            if child.is_folder:
                yield from self._below(child)

    # --- which of them

    def _tests(self, query: ItemQuery) -> Iterator[Test]:
        if query.user is not None:
            yield from self._user_tests(query, query.user)
        if query.ids is not None and query.kinds:
            yield lambda item: item.type in query.kinds
        if query.excluded:
            yield lambda item: item.id not in query.excluded
        if "isfolder" in query.filters or query.folder:
            yield lambda item: item.is_folder
        if "isnotfolder" in query.filters or query.folder is False:
            yield lambda item: not item.is_folder
        for name, wanted in query.has.items():
            yield lambda item, name=name, wanted=wanted: (name in item.ids) == wanted  # type: ignore[misc]
        if query.years:
            yield lambda item: item.year in query.years
        if query.media:
            yield lambda item: ("unknown" if item.is_folder else "video") in query.media
        if query.search is not None:
            search = query.search.lower()
            yield lambda item: search in item.name.lower()
        if query.prefix is not None:
            prefix = query.prefix.lower()
            yield lambda item: item.sort_name.lower().startswith(prefix)
        if query.saved_since is not None:
            since = query.saved_since
            yield lambda item: (item.file.created if item.file else item.created) >= since

    def _user_tests(self, query: ItemQuery, user: User) -> Iterator[Test]:
        state = self.store.filtered
        played = query.played
        if "isplayed" in query.filters:
            played = True
        if "isunplayed" in query.filters:
            played = False
        if played is not None:
            wanted = played
            yield lambda item: self.is_played(user, item) == wanted
        if "isresumable" in query.filters:
            yield lambda item: state(user, item).position > 0
        favourite = True if "isfavorite" in query.filters else query.favourite
        if favourite is not None:
            yield lambda item: state(user, item).favourite == favourite
        if "isfavoriteorlikes" in query.filters:
            yield lambda item: state(user, item).favourite or state(user, item).likes is True
        if "likes" in query.filters or ("dislikes" in query.filters and self.rules.dislikes_are_likes):
            yield lambda item: state(user, item).likes is True
        elif "dislikes" in query.filters:
            yield lambda item: state(user, item).likes is not True

    def is_played(self, user: User, item: Item) -> bool:
        """Whether the row says played; a folder is when everything below it is."""
        if item.is_folder:
            total = item.known_leaves()
            return total > 0 and self.store.played_below[user.id][item.id] == total
        return self.store.filtered(user, item).played

    # --- in which order

    def _sort(self, items: list[Item], query: ItemQuery) -> list[Item]:
        keys = [(key, down) for key, down in query.sort if key not in ("default", "random")]
        if not keys or keys[0] == ("sortname", False):
            return items
        found = list(items)
        if self.rules.live_cache and keys[-1][0] == "dateplayed":
            found.sort(key=lambda item: item.id)  # 10.11: no second order for what has no date [13 6]
        for key, down in reversed(keys):
            found.sort(key=self._sort_key(key, query.user), reverse=down)
        return found

    def _sort_key(self, key: str, user: User | None) -> Callable[[Item], tuple[bool, object]]:
        value = self._value(key, user)

        def sort_key(item: Item) -> tuple[bool, object]:
            found = value(item)
            return (False, 0) if found is None else (True, found)

        return sort_key

    def _value(self, key: str, user: User | None) -> Callable[[Item], object]:
        store = self.store
        by_item: dict[str, Callable[[Item], object]] = {
            "sortname": lambda item: item.sort_name,
            "name": lambda item: item.name,
            "datecreated": lambda item: item.created,
            "datelastcontentadded": lambda item: None,
            "productionyear": lambda item: item.year,
            "premieredate": lambda item: item.year if item.identified else None,
            "parentindexnumber": lambda item: item.season if item.type == "Episode" else None,
            "indexnumber": lambda item: item.season if item.type == "Season" else item.episode,
            "runtime": lambda item: item.runtime,
            "isfolder": lambda item: item.is_folder,
            "seriessortname": lambda item: item.series.sort_name if item.series else None,
        }
        if key in by_item:
            return by_item[key]
        if user is None:
            return lambda item: (
                max((self.of_user(key, each, item) or 0 for each in self._users()), default=0) or None
            )
        if key == "dateplayed":
            return lambda item: store.stored(user, item).last_played
        return lambda item: self.of_user(key, user, item)

    def of_user(self, key: str, user: User, item: Item) -> int | None:
        """What a sort key of user data is for one user."""
        state = self.store.stored(user, item)
        if key == "dateplayed":
            return state.last_played
        if key == "playcount":
            return state.plays if self.store.has_row(user, item) else None
        if key == "isfavoriteorliked":
            return int(state.favourite or state.likes is True)
        return int(self.is_played(user, item) == (key == "isplayed"))
