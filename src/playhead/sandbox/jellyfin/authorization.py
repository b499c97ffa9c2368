"""Which token a request carries, in every form that a version takes. Facts: api-jellyfin-emby A1. Knows no route."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import unquote

from playhead.sandbox.jellyfin.accounts import Client

_PART = re.compile(r'\s*([^=,\s]+)\s*=\s*(?:"([^"]*)"|([^,]*))\s*(?:,|\Z)')


def parse_authorization(header: str, *, legacy: bool) -> dict[str, str]:
    """The values of ``MediaBrowser Client="x", Token="y"``; empty for another scheme. Keys keep their case."""
    scheme, _, rest = header.strip().partition(" ")
    schemes = ("mediabrowser", "emby") if legacy else ("mediabrowser",)
    if scheme.lower() not in schemes:
        return {}
    found = {}
    for match in _PART.finditer(rest):
        quoted, bare = match[2], match[3]
        found[match[1]] = unquote(quoted if quoted is not None else (bare or "").strip())
    return found


def read_authorization(
    headers: Mapping[str, str], query: Mapping[str, str], *, legacy: bool
) -> tuple[str | None, Client]:
    """The token of a request, if any, and what it says of its client. ``query`` has its names in lower case."""
    header = headers.get("Authorization")
    if not header and legacy:
        header = headers.get("X-Emby-Authorization")
    values = parse_authorization(header, legacy=legacy) if header else {}
    token = values.get("Token") or None
    if token is None and legacy:
        token = headers.get("X-Emby-Token") or headers.get("X-MediaBrowser-Token") or None
    if token is None:
        token = query.get("apikey") or None
    if token is None and legacy:
        token = query.get("api_key") or None
    client = Client(
        app=values.get("Client", ""),
        device=values.get("Device", ""),
        device_id=values.get("DeviceId", ""),
        version=values.get("Version", ""),
    )
    return token, client
