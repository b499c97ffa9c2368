"""What a file's name alone says, and how names are sorted. Knows no item."""

from __future__ import annotations

import posixpath
import re

_ID_IN_NAME = re.compile(r"[\[{](tmdb|imdb|tvdb)(?:id)?[-=](\w+)[\]}]", re.IGNORECASE)
_NAMES = {"tmdb": "Tmdb", "imdb": "Imdb", "tvdb": "Tvdb"}
_REMOVED = str.maketrans("", "", ",&-{}'")
_REPLACED = str.maketrans(".+%", "   ")


_YEAR_IN_NAME = re.compile(r"\(((?:19|20)\d\d)\)")


def movie_name(path: str) -> tuple[str, int | None, dict[str, str]]:
    """Name, year and ids of a film as far as its folder tells them before anything is read."""
    folder = posixpath.basename(posixpath.dirname(path))
    name = folder or posixpath.splitext(posixpath.basename(path))[0]
    ids = {_NAMES[source.lower()]: value for source, value in _ID_IN_NAME.findall(name)}
    year = _YEAR_IN_NAME.search(name)
    return name, int(year[1]) if year else None, ids


def sort_name(name: str) -> str:
    """The name by which films and shows are sorted: lower case, without leading article and most punctuation."""
    text = name.lower().strip().translate(_REMOVED).translate(_REPLACED)
    for article in ("the ", "a ", "an "):
        if text.startswith(article):
            text = text[len(article) :]
            break
    return text.strip()


def version_name(path: str) -> str:
    """What tells one version of a film from the others: the end of its file name."""
    stem = posixpath.splitext(posixpath.basename(path))[0]
    folder = posixpath.basename(posixpath.dirname(path))
    rest = stem[len(folder) :].lstrip(" -") if stem.startswith(folder) else ""
    return rest or stem
