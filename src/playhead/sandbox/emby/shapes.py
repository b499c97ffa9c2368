"""The JSON that an emulated Emby writes for its items: which members, in which order, and which only when asked for.

Members and order follow recorded/emby/4.9.5.0 and facts B2: lists have a short form, everything else needs ``Fields``;
the item route gives all. Knows no HTTP and changes nothing.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from typing import Any

from playhead.sandbox.emby.accounts import User
from playhead.sandbox.emby.catalogue import VIEWS_ROOT_ID, Catalogue, Node, Shelf, digest
from playhead.sandbox.emby.userdata import iso_date, show_folder, show_leaf
from playhead.sandbox.folders import shown

Getter = Callable[[Node], Any]
BITRATE = 4_000_000
NO_DATE = "0001-01-01T00:00:00.0000000Z"
LOCAL_STREAM = {
    "IsForced": False,
    "IsHearingImpaired": False,
    "IsExternal": False,
    "IsTextSubtitleStream": False,
    "SupportsExternalStream": False,
    "Protocol": "File",
    "ExtendedVideoType": "None",
    "ExtendedVideoSubType": "None",
    "ExtendedVideoSubTypeDescription": "None",
    "AttachmentSize": 0,
}
VIDEO_STREAM = {
    "Codec": "h264",
    "CodecTag": "avc1",
    "Language": "und",
    "TimeBase": "1/16384",
    "VideoRange": "SDR",
    "DisplayTitle": "1080p H264",
    "NalLengthSize": "4",
    "IsInterlaced": False,
    "BitRate": BITRATE,
    "BitDepth": 8,
    "RefFrames": 1,
    "IsDefault": True,
    "Height": 1080,
    "Width": 1920,
    "AverageFrameRate": 24,
    "RealFrameRate": 24,
    "Profile": "High",
    "Type": "Video",
    "AspectRatio": "16:9",
    "Index": 0,
    "PixelFormat": "yuv420p",
    "Level": 40,
    "IsAnamorphic": False,
    **LOCAL_STREAM,
}
AUDIO_STREAM = {
    "Codec": "aac",
    "CodecTag": "mp4a",
    "Language": "und",
    "TimeBase": "1/48000",
    "DisplayTitle": "AAC stereo (Default)",
    "IsInterlaced": False,
    "ChannelLayout": "stereo",
    "BitRate": 128_000,
    "Channels": 2,
    "SampleRate": 48_000,
    "IsDefault": True,
    "Profile": "LC",
    "Type": "Audio",
    "Index": 1,
    **LOCAL_STREAM,
}
CHAPTERS = [{"StartPositionTicks": 0, "Name": "Chapter 1", "MarkerType": "Chapter", "ChapterIndex": 0}]
ALWAYS = frozenset(
    {
        "name",
        "serverid",
        "id",
        "runtimeticks",
        "indexnumber",
        "indexnumberend",
        "parentindexnumber",
        "isfolder",
        "type",
    }
    | {"seriesname", "seriesid", "seasonid", "seasonname", "imagetags", "backdropimagetags", "mediatype"}
)
IMAGES = frozenset({"imagetags", "backdropimagetags"})


def _leaf(getter: Getter) -> Getter:
    return lambda node: None if node.is_folder else getter(node)


def _folder(getter: Getter) -> Getter:
    return lambda node: getter(node) if node.is_folder else None


class Presenter:
    """Writes items of one server. 4.8 lacks ``DateModified`` and the chapters of a source (the makers' 4.8 file)."""

    def __init__(self, catalogue: Catalogue, server_id: str, *, modern: bool) -> None:
        self.catalogue = catalogue
        self.server_id = server_id
        self.modern = modern
        self._members = self._table()

    def select(self, fields: frozenset[str], *, images: bool = True) -> list[tuple[str, Getter]]:
        """The members of a list entry for these (lower case) fields."""
        wanted = (ALWAYS if images else ALWAYS - IMAGES) | fields
        return [(key, get) for key, get in self._members if key.lower() in wanted]

    def listed(
        self,
        nodes: list[Node],
        user: User | None,
        fields: frozenset[str],
        *,
        user_data: bool = True,
        images: bool = True,
    ) -> list[dict[str, Any]]:
        """Entries of a list."""
        members = self.select(fields, images=images)
        count, date = "userdataplaycount" in fields, "userdatalastplayeddate" in fields
        shown = []
        for node in nodes:
            entry: dict[str, Any] = {}
            for key, get in members:
                value = get(node)
                if value is not None:
                    entry[key] = value
                if key == "Type" and user is not None and user_data:
                    entry["UserData"] = self.user_data(node, user, with_count=count, with_date=date)
            shown.append(entry)
        return shown

    def detail(self, node: Node, user: User) -> dict[str, Any]:
        """The item route's answer: every member, and user data complete."""
        entry: dict[str, Any] = {}
        for key, get in self._members:
            value = get(node)
            if value is not None:
                entry[key] = value
            if key == "LocalTrailerCount":
                entry["UserData"] = self.user_data(node, user)
        return entry

    def user_data(
        self, node: Node, user: User, *, with_count: bool = True, with_date: bool = True
    ) -> dict[str, Any]:
        """UserItemDataDto of a node."""
        data = user.get(node.state_key)
        if node.is_folder:
            episodes = self.catalogue.episodes(node)
            return show_folder(data, sum(not user.get(child.state_key).played for child in episodes))
        return show_leaf(data, node.runtime_ticks, with_count=with_count, with_date=with_date)

    def view(self, shelf: Shelf) -> dict[str, Any]:
        """A library as an item: views have no play count and no count of what is unplayed."""
        return {
            "Name": shelf.title,
            "ServerId": self.server_id,
            "Id": shelf.view_id,
            "Guid": shelf.guid,
            "Etag": digest("etag", shelf.guid, shelf.title),
            "DateCreated": iso_date(shelf.created),
            **({"DateModified": NO_DATE} if self.modern else {}),
            "CanDelete": False,
            "CanDownload": False,
            "PresentationUniqueKey": shelf.guid,
            "SortName": shelf.title,
            "ForcedSortName": shelf.title,
            "ExternalUrls": [],
            "Taglines": [],
            "RemoteTrailers": [],
            "ProviderIds": {},
            "IsFolder": True,
            "ParentId": VIEWS_ROOT_ID,
            "Type": "CollectionFolder",
            "UserData": {"PlaybackPositionTicks": 0, "IsFavorite": False, "Played": False},
            "DisplayPreferencesId": shelf.guid,
            "CollectionType": shelf.collection_type,
            "ImageTags": {},
            "BackdropImageTags": [],
            "LockedFields": [],
            "LockData": False,
        }

    def virtual_folder(self, shelf: Shelf) -> dict[str, Any]:
        """VirtualFolderInfo."""
        return {
            "Name": shelf.title,
            "Locations": [*map(shown, shelf.roots)],
            "CollectionType": shelf.collection_type,
            "LibraryOptions": {
                "EnableRealtimeMonitor": True,
                "PathInfos": [{"Path": shown(root)} for root in shelf.roots],
                "ContentType": shelf.collection_type,
            },
            "ItemId": shelf.view_id,
            "Id": shelf.view_id,
            "Guid": shelf.guid,
        }

    def source(self, node: Node, number: int, path: str) -> dict[str, Any]:
        """MediaSourceInfo of one file."""
        name = posixpath.splitext(posixpath.basename(path))[0]
        return {
            **({"Chapters": CHAPTERS} if self.modern else {}),
            "Protocol": "File",
            "Id": f"mediasource_{node.id}" + (f"_{number}" if number else ""),
            "Path": shown(path),
            "Type": "Default",
            "Container": _container(path),
            "Size": node.size,
            "Name": name,
            "IsRemote": False,
            "HasMixedProtocols": False,
            "RunTimeTicks": node.runtime_ticks,
            "SupportsTranscoding": True,
            "SupportsDirectStream": True,
            "SupportsDirectPlay": True,
            "IsInfiniteStream": False,
            "RequiresOpening": False,
            "RequiresClosing": False,
            "RequiresLooping": False,
            "SupportsProbing": True,
            "MediaStreams": [VIDEO_STREAM, AUDIO_STREAM],
            "Formats": [],
            "Bitrate": BITRATE,
            "RequiredHttpHeaders": {},
            "AddApiKeyToDirectStreamUrl": False,
            "ReadAtNativeFramerate": False,
            "DefaultAudioStreamIndex": 1,
            "ItemId": node.id,
        }

    def sources(self, node: Node) -> list[dict[str, Any]]:
        """All versions of a leaf."""
        return [self.source(node, n, path) for n, path in enumerate((node.path, *node.versions))]

    def _table(self) -> list[tuple[str, Getter]]:
        return [*self._head(), *self._middle(), *self._tail()]

    def _head(self) -> list[tuple[str, Getter]]:
        modified: list[tuple[str, Getter]] = (
            [("DateModified", lambda n: iso_date(n.modified))] if self.modern else []
        )
        return [
            ("Name", lambda n: n.name),
            ("ServerId", lambda n: self.server_id),
            ("Id", lambda n: n.id),
            ("Guid", _folder(lambda n: digest("guid", n.path))),
            ("Etag", lambda n: digest("etag", n.id, n.modified, n.path)),
            ("DateCreated", lambda n: iso_date(n.created)),
            *modified,
            ("CanDelete", lambda n: False),
            ("CanDownload", lambda n: not n.is_folder),
            ("PresentationUniqueKey", lambda n: digest("key", n.state_key)),
            ("SupportsSync", lambda n: True),
            ("Container", _leaf(lambda n: _container(n.path))),
            ("SortName", lambda n: n.sort_name),
            ("ForcedSortName", lambda n: n.sort_name),
            ("PremiereDate", lambda n: f"{n.year:04d}-01-01T00:00:00.0000000Z" if n.year else None),
            ("ExternalUrls", lambda n: []),
            ("MediaSources", _leaf(self.sources)),
            ("ProductionLocations", lambda n: []),
            ("Path", lambda n: shown(n.path)),
        ]

    def _middle(self) -> list[tuple[str, Getter]]:
        return [
            ("Taglines", lambda n: []),
            ("Genres", lambda n: []),
            ("RunTimeTicks", lambda n: n.runtime_ticks),
            ("Size", _leaf(lambda n: n.size)),
            ("FileName", lambda n: posixpath.basename(n.path)),
            ("Bitrate", _leaf(lambda n: BITRATE)),
            ("ProductionYear", lambda n: n.year),
            ("IndexNumber", lambda n: n.index),
            ("IndexNumberEnd", lambda n: n.index_end),
            ("ParentIndexNumber", lambda n: n.parent_index),
            ("RemoteTrailers", lambda n: []),
            ("ProviderIds", lambda n: n.provider_ids),
            ("IsFolder", lambda n: n.is_folder),
            ("ParentId", lambda n: n.parent_id),
            ("Type", lambda n: n.type),
            ("People", lambda n: []),
            ("Studios", lambda n: []),
            ("GenreItems", lambda n: []),
            ("TagItems", lambda n: []),
            ("LocalTrailerCount", lambda n: 0),
        ]

    def _tail(self) -> list[tuple[str, Getter]]:
        return [
            ("RecursiveItemCount", _folder(lambda n: len(self.catalogue.episodes(n)))),
            ("ChildCount", _folder(lambda n: sum(child.parent_id == n.id for child in n.children))),
            ("SeriesName", lambda n: n.series.name if n.series else None),
            ("SeriesId", lambda n: n.series.id if n.series else None),
            ("SeasonId", lambda n: n.season.id if n.season else None),
            ("SeasonName", lambda n: n.season.name if n.season else None),
            ("DisplayPreferencesId", lambda n: digest("display", n.type)),
            ("MediaStreams", _leaf(lambda n: [VIDEO_STREAM, AUDIO_STREAM])),
            ("PartCount", _leaf(lambda n: 1)),
            ("ImageTags", lambda n: {}),
            ("BackdropImageTags", lambda n: []),
            ("Chapters", _leaf(lambda n: CHAPTERS)),
            ("MediaType", _leaf(lambda n: "Video")),
            ("LockedFields", lambda n: []),
            ("LockData", lambda n: False),
            ("Width", _leaf(lambda n: 1920)),
            ("Height", _leaf(lambda n: 1080)),
        ]


def _container(path: str) -> str:
    return posixpath.splitext(path)[1].lstrip(".").lower() or "mkv"
