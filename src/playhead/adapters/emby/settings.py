"""What a person can set for an Emby connection. The form, the flags and the docs are drawn from these fields.

The token is no setting: it lies in the secret store.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from playhead.kit.server_settings import PageSize, TimeoutS, VerifyTls


class EmbySettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of one Emby connection."""

    url: Annotated[
        str,
        Meta(
            pattern=r"^https?://[^\s/]+",
            extra={
                "label": "Address",
                "help": "Where the hub reaches the server, with the base path where one is set.",
                "example": "http://10.0.0.5:8096",
                "secret": False,
            },
        ),
    ]
    verify_tls: VerifyTls = True
    timeout_s: TimeoutS = 60.0
    page_size: PageSize = 1000
