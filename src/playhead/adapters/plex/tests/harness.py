"""The Plex adapter on an emulated Plex server, for the contract suite."""

from __future__ import annotations

from typing import Any

from playhead.adapters.plex.adapter import PlexBackend
from playhead.adapters.plex.settings import PlexSettings
from playhead.sandbox.run import SandboxHandle

KIND = "plex"

SETS_UP_WEBHOOKS = True  # on the emulated server, with this token
SCANS = True
REAL_FOLDERS = True
LOOKS = True

# A plausible post: the field of its form, and what stands in it.
WEBHOOK: tuple[str, dict[str, Any]] = (
    "payload",
    {
        "event": "media.stop",
        "owner": True,
        "Account": {"id": 1, "title": "elan"},
        "Server": {"uuid": "abc", "title": "Office"},
        "Player": {"uuid": "p"},
        "Metadata": {"type": "movie", "ratingKey": "12", "viewOffset": 61000},
    },
)


def make_settings(box: SandboxHandle, server: str, **settings: Any) -> PlexSettings:
    """Where ``server`` is."""
    return PlexSettings(
        url=box.url(server), plex_tv_url=box.extra_urls.get("plextv", ""), timeout_s=5, **settings
    )


def make(
    box: SandboxHandle, server: str, user: str, *, token: str | None = None, **settings: Any
) -> PlexBackend:
    """A backend for ``user`` of ``server``; plex.tv is the sandbox's own."""
    chosen = make_settings(box, server, **settings)
    right = token if token is not None else box.token(server, user)
    return PlexBackend(chosen, right, user, client_id="contract-suite")
