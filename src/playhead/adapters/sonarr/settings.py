"""What a person can set for a Sonarr. The key is no setting: it lies in the secret store."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from playhead.kit.server_settings import TimeoutS, VerifyTls


class SonarrSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of one Sonarr."""

    url: Annotated[
        str,
        Meta(
            pattern=r"^https?://[^\s/]+",
            extra={
                "label": "Address",
                "help": "Where the hub reaches it, with the URL base where one is set.",
                "example": "http://10.0.0.5:8989",
                "secret": False,
            },
        ),
    ]
    verify_tls: VerifyTls = True
    timeout_s: TimeoutS = 60.0
