"""The Emby adapter on an emulated Emby server, for the contract suite: one API key, the user named."""

from __future__ import annotations

from typing import Any

from playhead.adapters.emby.adapter import EmbyBackend
from playhead.adapters.emby.settings import EmbySettings
from playhead.sandbox.run import SandboxHandle

KIND = "emby"
VERSIONS = ("4.9.5.0", "4.8.11.0")

SETS_UP_WEBHOOKS = True  # on the emulated server, with this token
SCANS = True
REAL_FOLDERS = True
LOOKS = True
LISTS_SAVED = True

# A plausible post: the field of its form, and what stands in it.
WEBHOOK: tuple[str, dict[str, Any]] = (
    "data",
    {
        "Event": "playback.stop",
        "Date": "2026-04-17T04:17:33.3548468Z",
        "User": {"Name": "anna", "Id": "6ebbd48035ba48a1bf645470b6bdea30"},
        "Item": {"Id": "12", "Type": "Movie"},
        "Server": {"Id": "abc", "Version": "4.8.8.0"},
        "PlaybackInfo": {"PositionTicks": 610000000},
    },
)


def make_settings(box: SandboxHandle, server: str, **settings: Any) -> EmbySettings:
    """Where ``server`` is."""
    return EmbySettings(url=box.url(server), timeout_s=5, **settings)


def make(
    box: SandboxHandle, server: str, user: str, *, token: str | None = None, **settings: Any
) -> EmbyBackend:
    """A backend for ``user`` of ``server``."""
    chosen = make_settings(box, server, **settings)
    right = token if token is not None else box.server(server).admin_token
    return EmbyBackend(chosen, right, user, client_id="contract-suite")
