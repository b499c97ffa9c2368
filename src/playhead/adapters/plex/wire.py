"""Plex's own shapes, its own names, only the fields that are needed; nothing is converted here.

Source: facts, api-plex.md 1, 2, 2.2, 2.3 (recorded answers of PMS 1.25 to 1.43) and the maker's specification 1.2.0.
Numbers may come as text (decode with ``strict=False``). A field that is *absent* is UNSET and means none; one that is
*null* is None and means unknown: no recorded server sends null, so it says nothing.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

# A number outside these bounds makes the item unreadable instead of making every reader below it check.
Whole = Annotated[int, Meta(ge=0, le=2**53)]
Real = Annotated[float, Meta(ge=0, le=2.0**53)]
Small = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]


class ExternalId(msgspec.Struct, gc=False):
    """One external id, ``imdb://tt0133093``; in lists only with ``includeGuids=1``."""

    id: str | None = None


class FilePart(msgspec.Struct, gc=False):
    """One file. Many parts in a medium are stacked discs."""

    file: str | None = None
    size: Whole | Real | None = None
    duration: Whole | Real | None = None


class Version(msgspec.Struct, gc=False):
    """One version of an item."""

    Part: list[FilePart] | None = None


class Item(msgspec.Struct, gc=False):
    """A movie, show or episode of a list or of ``/library/metadata/{id}``."""

    ratingKey: str | int | None = None
    type: str | None = None
    guid: str | None = None
    title: str | None = None
    year: Small | None = None
    duration: Whole | Real | None = None
    grandparentRatingKey: str | int | None = None
    grandparentTitle: str | None = None
    parentIndex: Small | None = None
    index: Small | None = None
    viewCount: Whole | Real | None | UnsetType = UNSET
    viewOffset: Whole | Real | None | UnsetType = UNSET
    lastViewedAt: Whole | Real | None | UnsetType = UNSET
    userRating: Real | None | UnsetType = UNSET
    Guid: list[ExternalId] | None = None
    Media: list[Version] | None = None


class ShelvedItem(Item, gc=False):
    """An item with what a scan is judged by. ``deletedAt``: its files are gone, and the trash was not emptied yet."""

    addedAt: Whole | None = None
    deletedAt: Whole | None = None
    thumb: str | None = None
    grandparentThumb: str | None = None


class Container(msgspec.Struct, gc=False):
    """The envelope of a list. ``size`` is what is in it; ``totalSize`` and ``offset`` stand only in paged answers."""

    size: Small | None = None
    totalSize: Small | None = None
    offset: Small | None = None
    Metadata: list[Item] | None = None


class Page(msgspec.Struct, gc=False):
    MediaContainer: Container


class RawContainer(msgspec.Struct, gc=False):
    """The same envelope with the items undecoded: for pages on which one item is unreadable."""

    size: Small | None = None
    totalSize: Small | None = None
    offset: Small | None = None
    Metadata: list[msgspec.Raw] | None = None


class RawPage(msgspec.Struct, gc=False):
    MediaContainer: RawContainer


class Identity(msgspec.Struct):
    """``/identity`` (no token) and ``/`` (with it): who the server is."""

    machineIdentifier: str | None = None
    version: str | None = None
    friendlyName: str | None = None
    myPlexUsername: str | None = None


class IdentityPage(msgspec.Struct):
    MediaContainer: Identity


class LocalAccount(msgspec.Struct):
    """``/accounts``: id 0 is nameless, 1 the owner, others are plex.tv ids."""

    id: int = 0
    name: str | None = None


class AccountContainer(msgspec.Struct):
    Account: list[LocalAccount] | None = None


class AccountPage(msgspec.Struct):
    MediaContainer: AccountContainer


class Folder(msgspec.Struct):
    path: str | None = None


class Section(msgspec.Struct):
    """``/library/sections``: one library."""

    key: str | int
    type: str | None = None
    title: str | None = None
    agent: str | None = None
    Location: list[Folder] | None = None
    refreshing: bool | None = None
    scannedAt: Whole | None = None


class SectionContainer(msgspec.Struct):
    Directory: list[Section] | None = None


class SectionPage(msgspec.Struct):
    MediaContainer: SectionContainer


class CloudUser(msgspec.Struct):
    """``https://plex.tv/api/v2/user``: whose token it is."""

    id: int | None = None
    uuid: str | None = None
    username: str | None = None
    title: str | None = None
    email: str | None = None
    friendlyName: str | None = None


class PublicInfo(msgspec.Struct):
    """``/System/Info/Public`` of Jellyfin and Emby, asked only to name what answers instead of Plex."""

    ServerName: str | None = None
    ProductName: str | None = None
    Version: str | None = None


def is_key(key: str | int | None) -> bool:
    """Whether a ``ratingKey`` is one of a server's own: those of plex.tv and of live television are none."""
    return str(key).isascii() and str(key).isdecimal()


def is_live(key: str | None) -> bool:
    """Whether a ``key`` is that of live television: its ``ratingKey`` is a number all the same."""
    return (key or "").startswith("/livetv/")


class Playing(msgspec.Struct):
    """PlaySessionStateNotification: one player's state, repeated about every ten seconds. No user, no type of item."""

    sessionKey: str | int | None = None
    ratingKey: str | int | None = None
    key: str | None = None
    state: str | None = None
    viewOffset: float | None = None


class TimelineEntry(msgspec.Struct):
    """A step of an item's life: ``state`` 0 created, 1 to 4 in work, 5 done, 9 deleted; ``type`` -1 stands for a library."""

    itemID: str | int | None = None
    identifier: str | None = None
    type: Small | None = None
    state: Small | None = None
    metadataState: str | None = None
    mediaState: str | None = None
    updatedAt: float | None = None


class ActivityContext(msgspec.Struct):
    librarySectionID: str | int | None = None


class Activity(msgspec.Struct):
    """What the server is busy with. ``type`` is the same in every language, titles are not."""

    type: str | None = None
    Context: ActivityContext | None = None


class ActivityStep(msgspec.Struct):
    """ActivityNotification: ``event`` is started, updated or ended."""

    event: str | None = None
    Activity: Activity | None = None


class Notification(msgspec.Struct):
    """One frame of ``/:/websockets/notifications``; of the bodies only the one that ``type`` names is there."""

    type: str | None = None
    PlaySessionStateNotification: list[Playing] = []
    TimelineEntry: list[TimelineEntry] = []
    ActivityNotification: list[ActivityStep] = []
    unreadable: bool = False  # ours: an entry was left out


class NotificationFrame(msgspec.Struct):
    NotificationContainer: Notification


class RawNotificationFrame(msgspec.Struct):
    """The same with the entries undecoded: for a frame on which one is unreadable."""

    NotificationContainer: dict[str, msgspec.Raw]


class Webhook(msgspec.Struct):
    """One of an account's webhooks at plex.tv."""

    url: str


class SessionUser(msgspec.Struct):
    """Who watches: id 1 is the owner, others are plex.tv ids."""

    id: str | int | None = None
    title: str | None = None


class SessionPlayer(msgspec.Struct):
    """The app on which it plays; ``machineIdentifier`` is what its requests call X-Plex-Client-Identifier."""

    machineIdentifier: str | None = None


class PlayerSession(msgspec.Struct):
    """One row of ``/status/sessions``."""

    sessionKey: str | int | None = None
    type: str | None = None
    User: SessionUser | None = None
    Player: SessionPlayer | None = None


class PlayerSessions(msgspec.Struct):
    Metadata: list[PlayerSession] = []


class PlayerSessionsPage(msgspec.Struct):
    MediaContainer: PlayerSessions
