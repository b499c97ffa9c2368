"""Shapes that only Jellyfin answers with or takes, under its own names. The shared ones stand in ``_mediabrowser.wire``.

Sources: jellyfin-openapi 10.8.13 to 12.0.0 (UpdateUserItemDataDto, VirtualFolderInfo); tapes 05 and 06.
"""

from __future__ import annotations

import msgspec


class UserDataUpdate(msgspec.Struct, omit_defaults=True):
    """UpdateUserItemDataDto: absent members stay as they are on the server, null cannot clear one."""

    Played: bool | None = None
    PlayCount: int | None = None
    LastPlayedDate: str | None = None
    PlaybackPositionTicks: int | None = None
    IsFavorite: bool | None = None
    Rating: float | None = None


class Plugin(msgspec.Struct):
    """PluginInfo."""

    Id: str
    Name: str | None = None
