"""What came, and how it is told in few lines: the episodes of a show in one, with their gaps. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from playhead.domain.news.judging import What


class Addition(msgspec.Struct, frozen=True, kw_only=True):
    """One item that came, or got a better file; named as the server that showed it first does."""

    id: int
    what: What
    kind: Literal["movie", "episode", "other"]
    connection: str
    library_id: str
    library: str
    native_id: str
    found_at: float
    title: str = ""
    year: int | None = None
    show_title: str | None = None
    season: int | None = None
    episode: int | None = None
    episode_end: int | None = None
    poster: str = ""


class Line(msgspec.Struct, frozen=True):
    """One line of a notice: a movie, the episodes of a show, something else. ``text`` is all of it."""

    text: str
    title: str
    numbers: str
    what: What
    kind: Literal["movie", "episode", "other"]
    library: str
    additions: tuple[Addition, ...]


def group(additions: Sequence[Addition]) -> list[Line]:
    """The lines, by library and title as a person would sort them; songs of one artist, or pictures, are one with their count."""
    groups: dict[tuple[str, ...], list[Addition]] = defaultdict(list)
    for each in additions:
        groups[_key(each)].append(each)
    return sorted(
        map(_make_line, groups.values()), key=lambda line: (_natural(line.library), _natural(line.text))
    )


def _key(addition: Addition) -> tuple[str, ...]:
    if addition.kind == "episode" and addition.show_title:
        return addition.library, addition.what, "show", addition.show_title.casefold()
    if addition.kind == "other":
        return addition.library, addition.what, "other", (addition.show_title or "").casefold()
    return addition.library, addition.what, "item", str(addition.id)


def _make_line(additions: list[Addition]) -> Line:
    first = additions[0]
    if first.kind == "episode" and first.show_title:
        title, numbers = first.show_title, number_episodes(additions)
        if not numbers and len(additions) == 1 and first.title:
            numbers = f"- {first.title}"
    else:
        title = f"{first.title} ({first.year})" if first.year and first.kind == "movie" else first.title
        numbers = ""
        if first.kind == "other" and len(additions) > 1:
            title = f"{first.show_title or first.title + ' …'} ({len(additions)})"
        elif first.kind == "other" and first.show_title:
            title = f"{first.show_title} - {title}"
    ordered = sorted(additions, key=lambda each: (each.season or 0, each.episode or 0, _natural(each.title)))
    text = " ".join(filter(None, (title or first.native_id, numbers)))
    return Line(text, title, numbers, first.what, first.kind, first.library, tuple(ordered))


def number_episodes(additions: Iterable[Addition]) -> str:
    """``S02E01-E03, E05, S03E01``; "" where none has numbers."""
    seasons: dict[int, set[int]] = defaultdict(set)
    for each in additions:
        if each.season is not None and each.episode is not None:
            last = max(each.episode, min(each.episode_end or 0, each.episode + 100))
            seasons[each.season].update(range(each.episode, last + 1))
    return ", ".join(f"S{season:02}" + _join_runs(seasons[season]) for season in sorted(seasons))


def _join_runs(numbers: set[int]) -> str:
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and runs[-1][1] == number - 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ", ".join(f"E{first:02}" if first == last else f"E{first:02}-E{last:02}" for first, last in runs)


def _natural(text: str) -> list[tuple[int, str]]:
    """Numbers by what they count: 2 before 10."""
    return [
        (int(part), "") if part.isdecimal() else (-1, part)
        for part in re.split(r"(\d+)", text.casefold())
        if part
    ]
