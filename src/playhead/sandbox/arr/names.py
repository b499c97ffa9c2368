"""Names of files and folders: how they are made, and what they say of season, episodes and quality. Pure text.

Only the parts of the maker's naming that its default formats use; source: facts, library-updates-and-links.md 0.
"""

from __future__ import annotations

import re
from typing import Any

_EPISODES = re.compile(r"[Ss](\d{1,4})[ ._-]*((?:-?[ ._]?[Ee]\d{1,4})+)")
_SOURCES = (
    (re.compile(r"web[ ._-]?dl|\bweb\b", re.IGNORECASE), "WEBDL", "web", "webdl"),
    (re.compile(r"webrip", re.IGNORECASE), "WEBRip", "webRip", "webrip"),
    (re.compile(r"blu[ ._-]?ray|bdrip", re.IGNORECASE), "Bluray", "bluray", "bluray"),
    (re.compile(r"hdtv|sdtv|pdtv", re.IGNORECASE), "HDTV", "television", "tv"),
)
_IDS = {
    "SDTV": 1,
    "HDTV-720p": 4,
    "HDTV-1080p": 9,
    "WEBDL-480p": 8,
    "WEBDL-720p": 5,
    "WEBDL-1080p": 3,
    "WEBDL-2160p": 18,
}
_IDS |= {
    "Bluray-480p": 13,
    "Bluray-720p": 6,
    "Bluray-1080p": 7,
    "Bluray-2160p": 19,
    "HDTV-2160p": 16,
    "Unknown": 0,
}
RANKS = ("SDTV", "HDTV", "WEBRip", "WEBDL", "Bluray")


def read_episodes(name: str) -> tuple[int, tuple[int, ...]] | None:
    """Season and episodes of ``SxxEyy`` in a file name; nothing else counts (facts 0.4)."""
    match = _EPISODES.search(name)
    if match is None:
        return None
    numbers = [int(text) for text in re.findall(r"\d+", match[2])]
    return int(match[1]), tuple(range(numbers[0], numbers[-1] + 1)) if len(numbers) > 1 else tuple(numbers)


def read_quality(name: str) -> str:
    """``WEBDL-1080p`` and the like; SDTV where the name says nothing."""
    height = re.search(r"(2160|1080|720|480)[pi]", name)
    source = next((title for pattern, title, _, _ in _SOURCES if pattern.search(name)), None)
    if source is None and height is None:
        return "SDTV"
    if source in (None, "HDTV"):
        return f"HDTV-{height[1]}p" if height and height[1] != "480" else "SDTV"
    return f"{source}-{height[1] if height else '480'}p"


def rank_quality(quality: str) -> tuple[int, int]:
    """Which of two is better: resolution before source."""
    source, _, height = quality.partition("-")
    return int(height.rstrip("p") or 480) if height else 480, RANKS.index(source) if source in RANKS else 0


def write_quality(quality: str, *, movie: bool) -> dict[str, Any]:
    """The object that both programs write."""
    source, _, height = quality.partition("-")
    told = next((each for each in _SOURCES if each[1] == source), _SOURCES[3])
    shown: dict[str, Any] = {
        "id": _IDS.get(quality, 20 if movie else 0),
        "name": quality,
        "source": told[3] if movie else told[2],
        "resolution": int(height.rstrip("p")) if height else 480,
    }
    if movie:
        shown["modifier"] = "none"
    return {"quality": shown, "revision": {"version": 1, "real": 0, "isRepack": False}}


def read_group(name: str) -> str | None:
    """The release group at the end of a release's name."""
    match = re.search(r"-([A-Za-z0-9]+)$", name)
    return match[1] if match and not re.fullmatch(r"\d+[pi]", match[1]) else None


def clean_name(text: str) -> str:
    """A title as it stands in file names."""
    text = re.sub(r":\s", " - ", text).replace(":", "-")
    for old, new in (("?", "!"), ("*", "-"), ("/", "+"), ("\\", "+")):
        text = text.replace(old, new)
    return re.sub(r"\s+", " ", re.sub(r'["<>|]', "", text)).strip()


def fill_format(pattern: str, words: dict[str, Any]) -> str:
    """A format with its tokens replaced; ``{season:00}`` pads. Unknown tokens become nothing."""

    def replace(match: re.Match[str]) -> str:
        name, _, zeros = match[1].partition(":")
        value = words.get(name, "")
        return f"{value:0{len(zeros)}d}" if zeros and isinstance(value, int) else str(value)

    return re.sub(r"\s+", " ", re.sub(r"\{([^{}]*)\}", replace, pattern)).strip()


def reduce_title(title: str) -> str:
    """A title without what differs between spellings: how releases are matched."""
    return re.sub(r"\b(?:a|an|the|and|or|of)\b|[^a-z0-9]", "", title.lower())


def sort_title(title: str) -> str:
    """A title as lists are sorted."""
    return re.sub(r"[^a-z0-9 ]", "", re.sub(r"^(?:a|an|the)\s", "", title.lower())).strip()


def slug(title: str) -> str:
    """A title as it stands in addresses."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
