"""The key that opens the hub's addresses for scans: made at the first need, kept encrypted, shown on request."""

from __future__ import annotations

import os
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
    """Another key; the old one opens nothing any more, in a hub that runs neither."""
    installation.secrets.drop(f"store:{API_KEY}")
    return find_api_key(installation)


class KeyInForce:
    """The key as it is at this moment: another process may have made another. Never makes one."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._key = find_api_key(installation)
        self._seen: tuple[int, int, int] | None = None

    def read(self) -> str:
        """The key; "" = there is none, and nothing opens. Raises PlayheadError where the store cannot be read."""
        kept = self._installation.secrets
        try:
            there = os.stat(kept.path)
            seen = (there.st_mtime_ns, there.st_ino, there.st_size)
        except OSError:
            self._seen, self._key = None, ""
            return ""
        if seen != self._seen:
            self._key = kept.resolve(f"store:{API_KEY}") if kept.has(API_KEY) else ""
            self._seen = seen
            hide(self._key)
        return self._key
