"""The Jellyfin adapter on an emulated Jellyfin server, for the contract suite: one API key, the user named."""

from __future__ import annotations

from typing import Any

from playhead.adapters.jellyfin.adapter import JellyfinBackend
from playhead.adapters.jellyfin.settings import JellyfinSettings
from playhead.sandbox.run import SandboxHandle

KIND = "jellyfin"
VERSIONS = ("12.0.0", "10.11.11")

SETS_UP_WEBHOOKS = True  # on the emulated server, with this token
SCANS = True
REAL_FOLDERS = True
LOOKS = True
LISTS_SAVED = True

# A plausible post: the field of its form, and what stands in it.
WEBHOOK: tuple[str, dict[str, Any]] = (
    "data",
    {
        "NotificationType": "UserDataSaved",
        "SaveReason": "TogglePlayed",
        "UserId": "6ebbd48035ba48a1bf645470b6bdea30",
        "NotificationUsername": "watcher",
        "ItemId": "27657e067b46664f6b18c7606bf935e7",
        "ItemType": "Movie",
        "PlaybackPositionTicks": 610000000,
        "UtcTimestamp": "2026-11-21T08:59:02.305627Z",
    },
)


def make_settings(box: SandboxHandle, server: str, **settings: Any) -> JellyfinSettings:
    """Where ``server`` is."""
    return JellyfinSettings(url=box.url(server), timeout_s=5, **settings)


def make(
    box: SandboxHandle, server: str, user: str, *, token: str | None = None, **settings: Any
) -> JellyfinBackend:
    """A backend for ``user`` of ``server``."""
    chosen = make_settings(box, server, **settings)
    right = token if token is not None else box.server(server).admin_token
    return JellyfinBackend(chosen, right, user, client_id="contract-suite")
