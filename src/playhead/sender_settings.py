"""What a person can set about a Sonarr or Radarr that tells which files arrived, as typed values. A part of the settings."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from playhead.library_settings import PathMapping


class SenderSettings(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """One sender. It holds no watch state and is no connection. ``key`` refers to its API key; ``paths`` are folders as it sees
    them; times in seconds, 0 = never."""

    kind: Annotated[str, Meta(min_length=1)]
    url: Annotated[str, Meta(pattern=r"^https?://[^\s/]+")]
    key: Annotated[str, Meta(pattern=r"^(store|env|file):.+")]
    paths: list[PathMapping] = []
    look_every_s: Annotated[int, Meta(ge=0)] = 60
    sweep_every_s: Annotated[int, Meta(ge=0)] = 3600
    verify_tls: bool = True


SENDERS_ALLOWED: dict[str, Any] = {
    "senders": "names of senders, each with 'kind', 'url' and 'key'",
    "key": "a reference: store:NAME, env:NAME or file:PATH, never the key itself",
    "sweep_every_s": "a number of seconds, 0 for never",
    "verify_tls": "true or false",
}
