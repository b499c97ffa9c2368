"""What a Sonarr posts by webhook. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from playhead.adapters._arr.posts import read_post
from playhead.adapters._arr.products import SONARR
from playhead.ports.arrivals import ArrivalPost


def read_webhook(body: bytes, headers: Mapping[str, str]) -> ArrivalPost:
    """What one post says. Raises BadAnswer where it is none of Sonarr's."""
    return read_post(body, SONARR)
