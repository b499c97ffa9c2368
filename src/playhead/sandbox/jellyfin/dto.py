"""Items and user data as the API shows them: whole items, list entries with the fields asked for, as JSON fragments.

A list entry is kept as bytes on its item; only user data is put in anew. Knows no HTTP and changes nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from playhead.sandbox.folders import shown
from playhead.sandbox.jellyfin import media
from playhead.sandbox.jellyfin.accounts import User
from playhead.sandbox.jellyfin.catalogue import Catalogue
from playhead.sandbox.jellyfin.ids import dashed, item_guid, md5_guid
from playhead.sandbox.jellyfin.items import Item
from playhead.sandbox.jellyfin.newer import trim
from playhead.sandbox.jellyfin.rules import Rules
from playhead.sandbox.jellyfin.ticks import show
from playhead.sandbox.jellyfin.userdata import EMPTY, State, UserDataStore

ALWAYS = frozenset(
    (
        "AirDays", "BackdropImageTags", "ChannelId", "CollectionType", "Container", "EndDate", "Id",
        "ImageBlurHashes", "ImageTags", "IndexNumber", "IndexNumberEnd", "IsFolder", "LocationType", "MediaType",
        "Name", "ParentIndexNumber", "PremiereDate", "ProductionYear", "RunTimeTicks", "SeasonId", "SeasonName",
        "SeriesId", "SeriesName", "ServerId", "Status", "Type", "VideoType",
    )
)  # fmt: skip
_IMAGES = frozenset(("ImageTags", "BackdropImageTags"))  # absent with enableImages=false; the hashes stay
_FIELDS: dict[str, tuple[str, ...]] = {
    "genres": ("Genres", "GenreItems"),
    "settings": ("LockedFields", "LockData"),
    "specialfeaturecount": ("SpecialFeatureCount",),
    "datelastsaved": (),
    "seasonuserdata": (),
}
_KNOWN = (
    "CanDelete CanDownload ChildCount Chapters DateCreated DateLastMediaAdded DisplayPreferencesId Etag ExternalUrls "
    "Height LocalTrailerCount MediaSourceCount MediaSources MediaStreams OriginalTitle Overview ParentId Path People "
    "PlayAccess ProductionLocations ProviderIds RecursiveItemCount RemoteTrailers SortName Studios Taglines Tags "
    "Trickplay Width SeriesStudio EnableMediaSourceDisplay"
)
_FIELDS.update({name.lower(): (name,) for name in _KNOWN.split()})

Fields = frozenset[str]
_OUTER = item_guid("AggregateFolder", "root")
_encode = msgspec.json.Encoder().encode
_KEPT_FRAGMENTS = 2  # lists are asked for in few ways; each kept one costs memory for every item


def parse_fields(names: Iterable[str]) -> Fields:
    """The keys of the fields asked for; unknown names are dropped."""
    return frozenset(key for name in names for key in _FIELDS.get(name.lower(), ()))


def plain(number: float) -> float | int:
    """A number as .NET prints it: without a fraction where it is whole."""
    return int(number) if isinstance(number, float) and number.is_integer() else number


_SERVERS_OWN = ("CollectionFolder", "UserRootFolder", "ManualPlaylistsFolder")
_MEMBERS: dict[str, Callable[[Item], Any]] = {
    "Etag": lambda item: md5_guid(f"{item.id}{item.stamp}"),
    "DateCreated": lambda item: show(item.created),
    "CanDelete": lambda item: item.type not in _SERVERS_OWN,
    "CanDownload": lambda item: not item.is_folder,
    "SortName": lambda item: item.sort_name,
    "Path": lambda item: shown(item.path),
    "EnableMediaSourceDisplay": lambda item: True,
    "ProviderIds": lambda item: item.ids,
    "ParentId": lambda item: (
        item.parent.id if item.parent else _OUTER if item.type == "ManualPlaylistsFolder" else None
    ),
    "LocalTrailerCount": lambda item: 0,
    "SpecialFeatureCount": lambda item: 0,
    "DisplayPreferencesId": lambda item: item.display_id,
    "LockData": lambda item: False,
}
_MEMBERS.update(
    {
        name: lambda item: []
        for name in (
            "Taglines",
            "Genres",
            "RemoteTrailers",
            "People",
            "Studios",
            "GenreItems",
            "Tags",
            "LockedFields",
        )
    }
)


class Describer:
    """Makes the API's view of items for one server."""

    def __init__(self, rules: Rules, catalogue: Catalogue, store: UserDataStore, server_id: str) -> None:
        self.rules = rules
        self.catalogue = catalogue
        self.store = store
        self.server_id = server_id

    # --- user data

    def user_data(
        self, user: User, item: Item, state: State, *, listed: bool = False, counted: bool = False
    ) -> dict[str, Any]:
        """``UserItemDataDto``; a folder's is computed from what is below it.

        ``counted``: the answer has RecursiveItemCount, from which 10.11 then makes a folder's percentage.
        """
        shown: dict[str, Any] = {}
        if state.rating is not None:
            if math.isnan(state.rating):
                raise ValueError("NaN")
            shown["Rating"] = plain(state.rating)
        played = state.played
        if item.is_folder:
            if item.type in ("Season", "Series", "Folder"):
                played = self._count_below(user, item, shown, counted)
            elif item.type in ("CollectionFolder", "UserRootFolder"):
                played = False
        elif item.runtime and state.position > 0:
            shown["PlayedPercentage"] = plain(100.0 * (state.position / item.runtime))
        shown["PlaybackPositionTicks"] = state.position
        shown["PlayCount"] = state.plays
        shown["IsFavorite"] = state.favourite
        if state.rating is not None:
            shown["Likes"] = state.likes
        date = self._last_played(user, item, state)
        if date is not None:
            shown["LastPlayedDate"] = show(date)
        shown["Played"] = played
        shown["Key"] = self._key(user, item, listed)
        shown["ItemId"] = item.id
        return shown

    def _count_below(self, user: User, item: Item, shown: dict[str, Any], counted: bool) -> bool:
        total = item.known_leaves()
        played = min(total, self.store.played_below[user.id][item.id])
        if self.rules.folder_percentage and total:
            shown["PlayedPercentage"] = plain(played / total * 100)
        elif counted and total and item.type != "Folder":
            shown["PlayedPercentage"] = plain(100 - (total - played) / total * 100)
        shown["UnplayedItemCount"] = total - played
        return total == played

    def _last_played(self, user: User, item: Item, state: State) -> int | None:
        if not (self.rules.linked_versions and item.versions):
            return state.last_played
        others = (self.store.stored(user, each) for each in item.versions)
        dates = [
            state.last_played,
            *(other.last_played for other in others if other.played or other.position),
        ]
        return max((date for date in dates if date is not None), default=None)

    def _key(self, user: User, item: Item, listed: bool) -> str:
        """Not stable on real servers: the item's GUID once something was written (12: in lists only)."""
        if (listed or self.rules.live_cache) and self.store.has_row(user, item):
            return dashed(item.id)
        return item.keys[0]

    def user_data_bytes(self, user: User, item: Item, *, counted: bool = False) -> bytes:
        """A list's user data of an item, encoded."""
        state = self.store.peek_listed(user, item)
        if state is EMPTY and not item.is_folder and not item.versions:
            made = item.fragments.get("empty")
            if made is None:
                made = item.fragments["empty"] = _encode(self.user_data(user, item, EMPTY))
            return made
        return _encode(self.user_data(user, item, state, listed=True, counted=counted))

    # --- list entries

    def list_entry(self, item: Item, user: User | None, fields: Fields, *, images: bool = True) -> bytes:
        """One entry of a list as JSON; with user data where there is a user."""
        key = (fields, images)
        made = item.fragments.get(key)
        if made is None:
            wanted = (ALWAYS | fields) if images else (ALWAYS | fields) - _IMAGES
            entry = self.whole(item, wanted)
            body = _encode({name: value for name, value in entry.items() if name in wanted})
            made = body[:-1]
            if len(item.fragments) > _KEPT_FRAGMENTS:
                item.fragments.clear()
            item.fragments[key] = made
        if user is None:
            return made + b"}"
        data = self.user_data_bytes(user, item, counted="RecursiveItemCount" in fields)
        access = b',"PlayAccess":"Full"' if "PlayAccess" in fields else b""
        return made + access + b',"UserData":' + data + b"}"

    # --- whole items

    def detail(self, item: Item, user: User | None) -> dict[str, Any]:
        """An item with all that the server says of it."""
        entry = self.whole(item, None)
        if user is not None:
            entry["PlayAccess"] = "Full"
            entry["UserData"] = self.user_data(user, item, self.store.listed(user, item), counted=True)
        return entry

    def whole(self, item: Item, wanted: frozenset[str] | None) -> dict[str, Any]:
        """All members of an item but user data; those beyond the usual only where ``wanted`` names them (None: all)."""
        entry = self._usual(item)
        for name in _MEMBERS if wanted is None else wanted & _MEMBERS.keys():
            entry[name] = _MEMBERS[name](item)
        if wanted is None or "ExternalUrls" in wanted:
            entry["ExternalUrls"] = _urls(self.rules, item)
        if item.identified and (wanted is None or "Overview" in wanted):
            entry["Overview"] = f"Plot of {item.name}."
        if not item.is_folder or self.rules.generation >= (12, 0):
            entry["Chapters"] = []
        if item.is_folder:
            self._add_folder(item, entry)
        else:
            self._add_video(item, entry, wanted)
        if item.type in ("Episode", "Season") and item.series is not None:
            entry["SeriesName"], entry["SeriesId"] = item.series.name, item.series.id
            entry["SeriesStudio"] = ""
        if item.type == "Episode" and item.parent is not None:
            entry["SeasonId"], entry["SeasonName"] = item.parent.id, item.parent.name
        if item.collection is not None:
            entry["CollectionType"] = item.collection
        return trim(self.rules, entry)

    def _usual(self, item: Item) -> dict[str, Any]:
        entry: dict[str, Any] = {
            "Name": item.name,
            "ServerId": self.server_id,
            "Id": item.id,
            "ChannelId": None,
            "IsFolder": item.is_folder,
            "Type": item.type,
            "ImageTags": {},
            "BackdropImageTags": [],
            "ImageBlurHashes": {},
            "LocationType": "FileSystem",
            "MediaType": "Unknown" if item.is_folder else "Video",
        }
        if item.identified:
            entry["PremiereDate"] = f"{item.year or 2000:04d}-01-01T00:00:00.0000000Z"
        if item.year is not None:
            entry["ProductionYear"] = item.year
        return entry

    def _add_folder(self, item: Item, entry: dict[str, Any]) -> None:
        if item.type in ("Season", "Series"):
            entry["ChildCount"] = len(item.children)
            entry["RecursiveItemCount"] = item.leaf_count
            dates = (
                [leaf.created for leaf in self.catalogue.leaves_below(item)] if item.type == "Series" else []
            )
            entry["DateLastMediaAdded"] = show(max(dates, default=0))
        elif item.type != "ManualPlaylistsFolder":
            entry["ChildCount"] = len(item.children)
            if item.type != "UserRootFolder" or self.rules.generation < (12, 0):
                entry["DateLastMediaAdded"] = show(0)
        if item.type == "Season":
            entry["IndexNumber"] = item.season
        if item.type == "Series":
            entry.update({"Status": "Ended", "AirDays": []})

    def _add_video(self, item: Item, entry: dict[str, Any], wanted: frozenset[str] | None) -> None:
        entry["VideoType"] = "VideoFile"
        entry["Trickplay"] = {}
        if item.type == "Video" and item.primary is not None:
            entry["ParentId"] = None
            entry["ImageTags"] = {"Primary": md5_guid(item.path)}
            entry["PrimaryImageAspectRatio"] = 0
        if item.type == "Movie":
            entry["ProductionLocations"] = []
            if item.identified:
                entry["OriginalTitle"] = item.name
        if item.type in ("Movie", "Video") and item.identified:
            entry["Genres"] = ["Drama"]
            entry["GenreItems"] = [{"Name": "Drama", "Id": item_guid("Genre", "Drama")}]
        if item.ready:
            entry["Container"] = media.container(item)
            entry["RunTimeTicks"] = item.runtime
            entry["Width"], entry["Height"] = media.WIDTH, media.HEIGHT
        for name, value in (
            ("IndexNumber", item.episode),
            ("IndexNumberEnd", item.episode_end),
            ("ParentIndexNumber", item.season),
        ):
            if value is not None:
                entry[name] = value
        if wanted is None or "MediaSources" in wanted:
            entry["MediaSources"] = media.sources(self.rules, item)
        if wanted is None or "MediaStreams" in wanted:
            entry["MediaStreams"] = media.streams(self.rules, item)
        linked = item.versions or (item.primary is not None and self.rules.linked_versions)
        if linked:
            entry["MediaSourceCount"] = 1 + len((item.primary or item).versions)


def _urls(rules: Rules, item: Item) -> list[dict[str, str]]:
    imdb = item.ids.get("Imdb")
    if (
        rules.generation >= (12, 0)
        and item.type == "Season"
        and item.series is not None
        and "Imdb" in item.series.ids
    ):
        imdb = f"{item.series.ids['Imdb']}/episodes/?season={item.season}"
    return [{"Name": "IMDb", "Url": f"https://www.imdb.com/title/{imdb}"}] if imdb else []
