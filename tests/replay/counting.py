"""Counts items and state in a recorded file by plain walking: ``json`` and ``minidom``, no code of the adapters or of the
replay server. Makes of every file the same small rows, so that they can be held against what the adapters say."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, NamedTuple
from xml.dom import minidom

PLACE = re.compile(r"\[(\d+)\]|([A-Za-z]+)")


class Row(NamedTuple):
    """A movie or episode as the file has it."""

    id: str
    watched: bool | None
    in_progress: bool | None
    rated: bool
    favourite: bool | None


class Counted(NamedTuple):
    """A file's or list's content."""

    leaves: list[Row]
    shows: list[str]
    others: int
    named: frozenset[str] = frozenset()  # shows that episodes name as theirs
    total: int | None = None  # of the whole list, as it says itself
    returned: int = 0


def count(path: Path, place: str) -> Counted:
    """What stands at a place (``steps[8].response.body``; empty = everything) of a file."""
    if path.name.endswith(".txt"):
        return _count_xml(path)
    body = look_up(path, place)
    return _count_plex(body) if "MediaContainer" in body else _count_items(body)


def look_up(path: Path, place: str) -> Any:
    """What stands at a place of a JSON file."""
    body = json.loads(path.read_text(encoding="utf-8"))
    for number, key in PLACE.findall(place):
        body = body[int(number)] if number else body[key]
    return body


def _count_plex(body: dict[str, Any]) -> Counted:
    leaves, shows, others = [], [], 0
    for entry in body["MediaContainer"]["Metadata"]:
        if entry["type"] in ("movie", "episode"):
            watched, moved = int(entry.get("viewCount", 0)) > 0, int(entry.get("viewOffset", 0)) > 0
            leaves.append(Row(str(entry["ratingKey"]), watched, moved, "userRating" in entry, None))
        elif entry["type"] == "show":
            shows.append(str(entry["ratingKey"]))
        else:
            others += 1
    named = (entry.get("grandparentRatingKey") for entry in body["MediaContainer"]["Metadata"])
    total, returned = body["MediaContainer"].get("totalSize"), len(body["MediaContainer"]["Metadata"])
    return Counted(leaves, shows, others, frozenset(str(show) for show in named if show), total, returned)


def _count_xml(path: Path) -> Counted:
    """The lists of 1.43.3 were asked for with ``unwatched=0``: the server itself calls everything on them watched."""
    root = minidom.parse(str(path)).documentElement
    assert root is not None
    leaves = [
        Row(
            video.getAttribute("ratingKey"),
            True,
            int(video.getAttribute("viewOffset") or 0) > 0,
            video.hasAttribute("userRating"),
            None,
        )
        for video in root.getElementsByTagName("Video")
    ]
    return Counted(
        leaves, [show.getAttribute("ratingKey") for show in root.getElementsByTagName("Directory")], 0
    )


def _count_items(body: dict[str, Any]) -> Counted:
    leaves, shows, others = [], [], 0
    for entry in body.get("Items", [body]):
        data = entry.get("UserData")
        if entry["Type"] in ("Movie", "Episode"):
            told = data or {}
            moved = told["PlaybackPositionTicks"] > 0 if data else None
            leaves.append(
                Row(
                    entry["Id"],
                    told.get("Played"),
                    moved,
                    told.get("Rating") is not None,
                    told.get("IsFavorite"),
                )
            )
        elif entry["Type"] == "Series":
            shows.append(entry["Id"])
        else:
            others += 1
    named = frozenset(
        e["SeriesId"] for e in body.get("Items", [body]) if e["Type"] == "Episode" and "SeriesId" in e
    )
    returned = len(body.get("Items", [body]))
    return Counted(leaves, shows, others, named, body.get("TotalRecordCount"), returned)
