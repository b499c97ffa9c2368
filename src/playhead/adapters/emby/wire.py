"""Shapes that only Emby answers with or takes, under its own names. The shared ones stand in ``_mediabrowser.wire``.

Sources: emby-openapi 4.8.11 and 4.9.0.41 (QueryResult_UserDto, VirtualFolderInfo, UserItemDataDto).
"""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")


class Rows(msgspec.Struct, Generic[T]):
    """QueryResult, as ``/Users/Query`` and ``/Library/VirtualFolders/Query`` answer."""

    Items: list[T]


class UserDataUpdate(msgspec.Struct, omit_defaults=True, kw_only=True):
    """UserItemDataDto as it is sent. ``Played`` is never left out: Emby takes its absence for false (B3).

    ``IsFavorite`` is of the same plain yes-or-no type in Emby's document, so it is sent as well wherever it is known
    (*assumed*: its absence may be taken for false too).
    """

    Played: bool
    PlaybackPositionTicks: int | None = None
    PlayCount: int | None = None
    LastPlayedDate: str | None = None
    IsFavorite: bool | None = None
    Rating: float | None = None
