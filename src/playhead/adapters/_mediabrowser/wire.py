"""Shapes that Jellyfin and Emby both answer with, under their own names; only the members that are needed.

Every member may be absent or null: absent means that the server did not say. Sources: the makers' OpenAPI documents
(BaseItemDto, UserItemDataDto, UserDto, VirtualFolderInfo) and recorded answers of Jellyfin 10.11, 12 and Emby 4.9.
"""

from __future__ import annotations

import msgspec


class UserData(msgspec.Struct, gc=False):
    """UserItemDataDto. ``Likes`` is derived from ``Rating`` on Jellyfin (true from 6.5 on) and absent on Emby."""

    Played: bool | None = None
    PlayCount: int | None = None
    LastPlayedDate: str | None = None
    PlaybackPositionTicks: int | None = None
    IsFavorite: bool | None = None
    Rating: float | None = None


class Item(msgspec.Struct, gc=False):
    """BaseItemDto of a list or of a single item: a movie, an episode or a series."""

    Id: str
    Type: str | None = None
    Name: str | None = None
    ProductionYear: int | None = None
    SeriesId: str | None = None
    SeriesName: str | None = None
    ParentIndexNumber: int | None = None
    IndexNumber: int | None = None
    IndexNumberEnd: int | None = None
    RunTimeTicks: int | None = None
    ProviderIds: dict[str, str | int | None] | None = None
    Path: str | None = None
    DateCreated: str | None = None
    LocationType: str | None = None
    UserData: UserData | None = None


class LeanItem(msgspec.Struct, gc=False):
    """BaseItemDto where nothing but the state is wanted."""

    Id: str
    Type: str | None = None
    RunTimeTicks: int | None = None
    LocationType: str | None = None
    UserData: UserData | None = None


class Page(msgspec.Struct):
    """QueryResult of BaseItemDto."""

    Items: list[Item]
    TotalRecordCount: int | None = None


class LeanPage(msgspec.Struct):
    """QueryResult of BaseItemDto, read for the state alone."""

    Items: list[LeanItem]
    TotalRecordCount: int | None = None


class RawItems(msgspec.Struct):
    """QueryResult with entries not yet decoded, for a page on which one of them is bad."""

    Items: list[msgspec.Raw]
    TotalRecordCount: int | None = None


class View(msgspec.Struct):
    """A library as a user sees it: BaseItemDto of type CollectionFolder or UserView."""

    Id: str
    Name: str | None = None
    Type: str | None = None
    CollectionType: str | None = None


class Views(msgspec.Struct):
    """QueryResult of views."""

    Items: list[View]


class Policy(msgspec.Struct):
    """UserPolicy."""

    IsAdministrator: bool | None = None
    IsDisabled: bool | None = None


class User(msgspec.Struct):
    """UserDto."""

    Id: str
    Name: str | None = None
    ConnectUserName: str | None = None  # Emby: the login at Emby Connect, often a mail address
    Policy: Policy | None = None


class VirtualFolder(msgspec.Struct):
    """VirtualFolderInfo: a library as the administrator sees it, with its folders. ``RefreshStatus``: Active or Idle."""

    ItemId: str | None = None
    Name: str | None = None
    CollectionType: str | None = None
    Locations: list[str] | None = None
    RefreshStatus: str | None = None


class MediaSource(msgspec.Struct, gc=False):
    """One version of an item."""

    Path: str | None = None


class ShelvedItem(Item, gc=False):
    """An item of any type, or a folder, as a scan is judged by it."""

    MediaSources: list[MediaSource] | None = None


class TaskResult(msgspec.Struct):
    """How a task ended last. ``Status``: Completed, Failed, Cancelled, Aborted."""

    EndTimeUtc: str | None = None
    Status: str | None = None


class TaskInfo(msgspec.Struct):
    """A scheduled task. ``Key`` is the same in every language; ``State``: Idle, Running, Cancelling."""

    Key: str | None = None
    State: str | None = None
    LastExecutionResult: TaskResult | None = None
