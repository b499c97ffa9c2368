"""Settings that every server's adapter has, as types: what may stand there, and how forms, flags and docs speak of it.

An adapter's own struct takes those that fit and gives each its default; a server's address is its own to describe.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

VerifyTls = Annotated[
    bool,
    Meta(
        extra={
            "label": "Check the certificate",
            "help": "Switch off only for an https address whose certificate is not for its name.",
            "example": "true",
            "secret": False,
        }
    ),
]
TimeoutS = Annotated[
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
]
PageSize = Annotated[
    int,
    Meta(
        ge=1,
        le=10_000,
        extra={
            "label": "Items a page",
            "help": "How many items are asked for at once; lower it where the server is short of memory.",
            "example": "1000",
            "secret": False,
        },
    ),
]
