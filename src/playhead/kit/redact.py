"""Takes secrets out of whatever is written down: logs, messages, traces.

Knows the places in which backends put tokens (headers, queries, JSON members), not any token's value. Rather too much
is taken out than too little.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

HIDDEN = "***"

# Header names whose whole value is a secret, lower case.
_SECRET_HEADERS = frozenset(
    {
        "authorization",
        "cookie",
        "proxy-authorization",
        "set-cookie",
        "x-api-key",
        "x-emby-authorization",
        "x-emby-token",
        "x-mediabrowser-token",
        "x-plex-token",
    }
)
_NAMES = (
    r"(?:x[-_](?:plex|emby|mediabrowser)[-_]token|x[-_]api[-_]key|access[-_]?token|auth(?:entication)?[-_]?token|admin[-_]?token"
    r"|api[-_]?key|client[-_]?secret|password|secret|token|pw|pin)"
)
_PATTERNS = (
    # scheme://user:password@host
    (re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://)[^/@\s:]*:[^/@\s]*@"), rf"\1{HIDDEN}@"),
    # Authorization: MediaBrowser Token="...", Client="..." and Bearer/Basic values
    (re.compile(r"(?i)\b(authorization[\"']?\s*[:=]\s*)[^\r\n]+"), rf"\1{HIDDEN}"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[a-z0-9._~+/=-]{6,}"), rf"\1 {HIDDEN}"),
    # name=value, name: value, "name": "value"
    (
        re.compile(rf"(?i)((?<![a-z0-9]){_NAMES}[\"']?\s*[=:]\s*)([\"']?)[^\s&\"',;}}\]<>]+\2"),
        rf"\1\2{HIDDEN}\2",
    ),
)


def redact(text: str) -> str:
    """The text with the values of tokens, keys and passwords replaced by ``***``."""
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


def redact_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers with secret values replaced; other values are redacted as text."""
    return {
        name: HIDDEN if name.lower() in _SECRET_HEADERS else redact(value) for name, value in headers.items()
    }
