"""The address of a server as a person types it, in one form."""

from __future__ import annotations

import re

from playhead.ports.errors import UsageError


def normalise_url(text: str, *, default_port: int | None = None) -> str:
    """The address of a server as a URL: scheme added, blanks, trailing slash and /web taken off.

    ``default_port`` is added where neither scheme nor port was given. Raises UsageError.
    """
    url = re.split(r"[?#]|/web(?:/|$)", text.strip())[0].rstrip(
        "/"
    )  # as copied out of the browser's address line
    bare = "://" not in url
    if bare:
        url = "http://" + url
    match = re.fullmatch(
        r"(?P<scheme>https?)://(?P<host>\[[0-9a-fA-F:.]+\]|[^\s/:?#@]+)(?P<port>:\d{1,5})?(?P<path>/[^\s?#]*)?",
        url,
    )
    if not match:
        raise UsageError(
            f"'{text}' is not the address of a server.",
            hint="Give one such as http://10.0.0.5:32400 or nas.local:8096.",
        )
    port = match["port"] or ""
    if port and not 0 < int(port[1:]) < 65536:
        raise UsageError(f"'{text}' names a port that cannot be.", hint="Ports go from 1 to 65535.")
    if bare and not port and not match["path"] and default_port:
        port = f":{default_port}"
    return f"{match['scheme']}://{match['host'].lower()}{port}{match['path'] or ''}"
