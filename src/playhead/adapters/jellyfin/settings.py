"""What a person can set for a Jellyfin connection. The form, the flags and the docs are drawn from these fields.

The token is no setting: it lies in the secret store.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta


class JellyfinSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of one Jellyfin connection."""

    url: Annotated[
        str,
        Meta(
            pattern=r"^https?://[^\s/@]+(/|$)",  # a name and password would need the header that Jellyfin's token is in
            extra={
                "label": "Address",
                "help": "Where the hub reaches the server, with the base path where one is set.",
                "example": "http://10.0.0.5:8096",
                "secret": False,
            },
        ),
    ]
    verify_tls: Annotated[
        bool,
        Meta(
            extra={
                "label": "Check the certificate",
                "help": "Switch off only for an https address whose certificate is not for its name.",
                "example": "true",
                "secret": False,
            }
        ),
    ] = True
    timeout_s: Annotated[
        float,
        Meta(
            ge=1,
            le=600,
            extra={
                "label": "Patience",
                "help": "Seconds to wait for one answer; raise it where the server's disks sleep.",
                "example": "60",
                "secret": False,
            },
        ),
    ] = 60.0
    page_size: Annotated[
        int,
        Meta(
            ge=1,
            le=10_000,
            extra={
                "label": "Items a page",
                "help": "How many items are asked for at once; lower it where the server is short of memory.",
                "example": "2500",
                "secret": False,
            },
        ),
    ] = 2500
