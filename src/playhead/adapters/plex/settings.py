"""What a person can set for a Plex connection. The form, the flags and the docs are drawn from these fields.

The token is no setting: it lies in the secret store.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from playhead.kit.server_settings import PageSize, TimeoutS, VerifyTls


class PlexSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of one Plex connection."""

    url: Annotated[
        str,
        Meta(
            pattern=r"^https?://[^\s/]+",
            extra={
                "label": "Address",
                "help": "Where the hub reaches the server.",
                "example": "http://10.0.0.5:32400",
                "secret": False,
            },
        ),
    ]
    verify_tls: VerifyTls = True
    timeout_s: TimeoutS = 60.0
    page_size: PageSize = 1000
    plex_tv_url: Annotated[
        str,
        Meta(
            pattern=r"^(https?://[^\s/]+.*)?$",
            extra={
                "label": "plex.tv",
                "help": "Asked whose token it is where the server cannot tell; empty = never asked.",
                "example": "https://plex.tv",
                "secret": False,
            },
        ),
    ] = "https://plex.tv"
