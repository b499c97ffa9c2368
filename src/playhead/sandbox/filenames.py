"""What the name of a video file says, as servers read it: title, year, ids, season, episodes. Pure text.

Paths are below the library's folder, with slashes. Knows no item of the world and no server.
"""

from __future__ import annotations

import posixpath
import re

import msgspec

_ENDINGS = "avi iso m2ts m4v mkv mov mp4 mpeg mpg mts ogm ogv strm ts webm wmv"
VIDEO_ENDINGS = frozenset(_ENDINGS.split())
_ID = re.compile(r"[\[{](imdb|tmdb|tvdb|tvmaze|anidb)(?:id)?[-=](\w+)[\]}]", re.IGNORECASE)
_BRACKETS = re.compile(r"\[[^\]]*\]|\{[^}]*\}")
_YEAR = re.compile(r"[ ._(]((?:19|20)\d\d)(?=[ ._)]|$)")
_NOISE = re.compile(
    r"[ ._-](?:2160p|1080[pi]|720p|480p|4k|uhd|web(?:-?dl|rip)?|blu-?ray|bdrip|hdtv|remux|x26[45]|hevc)\b.*",
    re.IGNORECASE,
)
_EPISODE = re.compile(
    r"(?<![a-z0-9])s(\d{1,4})[ ._-]*e(\d{1,4})(-\d{1,4}(?![\dp])|(?:[ ._]?-?[ ._]?e\d{1,4})*)(?!\d)",
    re.IGNORECASE,
)
_CROSS = re.compile(r"(?<![a-z0-9])(\d{1,2})x(\d{2,3})((?:-\d{2,3})?)(?!\d)", re.IGNORECASE)


class Named(msgspec.Struct, frozen=True):
    """What a name says. For an episode ``title``, ``year`` and ``ids`` are the show's; a file may hold several episodes."""

    title: str
    year: int | None = None
    ids: dict[str, str] = {}
    season: int | None = None
    episodes: tuple[int, ...] = ()
    episode_title: str = ""


def is_video(name: str) -> bool:
    """Whether servers take a file for a video: by its ending, unless it is hidden or a sample (the latter *assumed*)."""
    stem, ending = posixpath.splitext(name)
    if name.startswith(".") or stem.lower() == "sample" or stem.lower().endswith(("-sample", ".sample")):
        return False
    return ending.lstrip(".").lower() in VIDEO_ENDINGS


def read_movie(path: str) -> Named:
    """A movie: its folder tells where that has a year or ids, else the file's own name."""
    folder, name = posixpath.split(path)
    own, above = _read(posixpath.splitext(name)[0]), _read(posixpath.basename(folder))
    told = above if above.title and (above.year or above.ids) else own
    return msgspec.structs.replace(told, ids={**own.ids, **above.ids}, year=told.year or own.year)


def read_episode(path: str) -> Named | None:
    """One or several episodes: the first folder names the show; None where the name tells no numbers."""
    stem = posixpath.splitext(posixpath.basename(path))[0]
    match = _EPISODE.search(stem) or _CROSS.search(stem)
    if match is None:
        return None
    first, *more = (int(text) for text in re.findall(r"\d+", match[2] + match[3]))
    show = _read(path.split("/")[0] if "/" in path else stem[: match.start()])
    title = _clean(_NOISE.sub("", stem[match.end() :]))
    return msgspec.structs.replace(
        show,
        season=int(match[1]),
        episodes=tuple(range(first, max([first, *more]) + 1)),
        episode_title=title,
    )


def _read(name: str) -> Named:
    ids = {source.lower(): value for source, value in _ID.findall(name)}
    text = _BRACKETS.sub("", name)
    years = list(_YEAR.finditer(text))
    if not years:
        return Named(title=_clean(_NOISE.sub("", text)), ids=ids)
    last = years[-1]  # a title may hold a year itself
    return Named(title=_clean(text[: last.start()]), year=int(last[1]), ids=ids)


def _clean(text: str) -> str:
    """Dots and underscores are blanks where nothing else is."""
    text = _BRACKETS.sub("", text)
    if " " not in text.strip():
        text = text.replace(".", " ")
    return re.sub(r"\s+", " ", text.replace("_", " ")).strip(" -.")
