"""What Jellyfin's and Emby's events have in common: which items matter, and how ids and positions are written. Pure."""

from __future__ import annotations

from playhead.adapters._mediabrowser.dates import TICKS_PER_S

# Video: the second version of a film on Jellyfin 10.11, and home videos, which the read leaves out again.
LEAF_TYPES = frozenset({"Movie", "Episode", "Video"})
HOLDER_TYPES = frozenset({"Series", "Season", "Folder", "BoxSet"})


def read_position(ticks: float | None) -> int | None:
    """Seconds from ticks; None where nothing is told."""
    return int(ticks // TICKS_PER_S) if ticks is not None else None


def read_id(text: str | int | None) -> str | None:
    """An id as these servers write theirs: a GUID without dashes and in lower case, anything else as it is; None for ""."""
    if text is None or text == "":
        return None
    plain = str(text).replace("-", "").lower()
    is_guid = len(plain) == 32 and all(letter in "0123456789abcdef" for letter in plain)
    return plain if is_guid else str(text)
