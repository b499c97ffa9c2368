"""The guids that Plex's agents give: new, legacy, HAMA, NFO, local; and external ids as ``Guid`` entries.

Pure text. A legacy or NFO show decides the form of its seasons' and episodes' guids.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

_LEGACY = re.compile(r"(com\.plexapp\.agents\.\w+://[^/?]+)(?:[^?]*)(\?.*)?\Z")
_NFO_SHOW = "tv.plex.agents.nfo.series://show/"
_EXTERNAL = ("imdb", "tmdb", "tvdb")


def make_hex(*parts: object, length: int = 24) -> str:
    """A stable hexadecimal id for a name."""
    return hashlib.sha1("\x1f".join(map(str, parts)).encode(), usedforsecurity=False).hexdigest()[:length]


def make_plex_guid(kind: str, world_id: str, ids: Mapping[str, str]) -> str:
    """``plex://movie/<24 hex>``: the same on every server, as Plex's own catalogue gives it."""
    return f"plex://{kind}/{ids.get('plex') or make_hex(kind, world_id)}"


def derive_guid(show_guid: str, ids: Mapping[str, str], season: int, episode: int | None) -> str | None:
    """What the agent of a show's guid gives a season or episode; None where that is not told by the show's guid."""
    if match := _LEGACY.match(show_guid):
        numbers = f"{season}" if episode is None else f"{season}/{episode}"
        return f"{match[1]}/{numbers}{match[2] or ''}"
    if show_guid.startswith(_NFO_SHOW):
        known = next(((source, ids[source]) for source in ("tvdb", "tmdb", "imdb") if source in ids), None)
        kind = "season" if episode is None else "episode"
        return f"tv.plex.agents.nfo.series://{kind}/{known[0]}_{known[1]}" if known else None
    return None


def has_guid_list(guid: str) -> bool:
    """Only Plex's new agents fill ``Guid``; legacy, NFO and local items have none."""
    return guid.startswith("plex://")


def list_external(ids: Mapping[str, str]) -> list[dict[str, str]]:
    """The entries of ``Guid``."""
    return [{"id": f"{source}://{ids[source]}"} for source in _EXTERNAL if source in ids]
