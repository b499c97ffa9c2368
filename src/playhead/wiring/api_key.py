"""The key that opens the hub's addresses for scans: made at the first need, kept encrypted, shown on request."""

from __future__ import annotations

import secrets

from playhead.runtime.log import hide
from playhead.wiring.installation import Installation

API_KEY = "api-key"  # where the secret store keeps it


def find_api_key(installation: Installation) -> str:
    """The key; made where there is none yet."""
    installation.home.prepare()
    key = installation.secrets.keep_at_need(API_KEY, lambda: secrets.token_urlsafe(24))
    hide(key)
    return key


def renew_api_key(installation: Installation) -> str:
    """Another key; the old one opens nothing from the next start of ``serve`` on."""
    installation.secrets.drop(f"store:{API_KEY}")
    return find_api_key(installation)
