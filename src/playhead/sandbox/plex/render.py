"""Items of an emulated Plex as JSON, in pieces that are joined: what never changes is rendered once.

An item's text is its fragment (open at the end), its ``Guid`` list where asked, its section where lists mix sections, and
its state. Fields and their types are those of the recorded field inventory; absent means none. Lean bodies hold what
clients of watch state read; rich ones are as large as a real server's.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

import msgspec

from playhead.sandbox.folders import shown
from playhead.sandbox.plex.answers import Trim
from playhead.sandbox.plex.catalogue import Node
from playhead.sandbox.plex.guids import has_guid_list, list_external
from playhead.sandbox.plex.watchstate import Setting

_NO_GUIDS = b""
_LATE_FIELDS = (
    "ratingKey",
    "viewOffset",
    "viewCount",
    "lastViewedAt",
    "userRating",
    "lastRatedAt",
    "skipCount",
    "viewedLeafCount",
    "librarySectionID",
    "librarySectionKey",
    "librarySectionTitle",
)
"""Fields that are not part of a kept fragment."""
_SUMMARY = (
    "When an old promise comes due, a small town finds that nobody remembers it the same way. What begins as a quiet "
    "search for the truth turns into a long journey through places that should not be on any map, and everyone who "
    "sets out has a reason of their own to come back late. "
)
_PEOPLE = (
    "Ada Brook",
    "Ben Castle",
    "Cleo Dane",
    "Dirk Elms",
    "Edda Frost",
    "Finn Gale",
    "Gwen Holt",
    "Hugo Ives",
)
_GENRES = ("Comedy", "Drama", "Mystery", "Adventure", "Documentary")


class Renderer:
    """Makes the pieces and keeps them; whole rich bodies are not kept, since they would fill the memory."""

    def __init__(self, rich: bool) -> None:
        self._rich = rich

    def render(
        self,
        node: Node,
        setting: Setting | None,
        trim: Trim,
        *,
        guids: bool,
        section: bool,
        watched_leaves: int | None = None,
    ) -> bytes:
        """One entry of a list. ``watched_leaves`` is what the account watched below a show or season."""
        kept = node.fragments.get(trim.key)
        parts = [kept if kept is not None else self._make_fragment(node, trim)]
        if guids:
            parts.append(node.guid_fragment if node.guid_fragment is not None else _make_guids(node))
        if section:
            parts.append(_render_section(node))
        if watched_leaves is not None:
            parts.append(b',"viewedLeafCount":%d' % watched_leaves)
        if setting is not None:
            parts.append(_render_setting(setting))
        parts.append(b"}")
        entry = b"".join(parts)
        if not trim.needed or (trim.keeps("Guid", True) and all(map(trim.keeps, _LATE_FIELDS))):
            return entry
        return msgspec.json.encode(trim.apply(msgspec.json.decode(entry)))

    def _make_fragment(self, node: Node, trim: Trim) -> bytes:
        fields = _describe(node)
        if self._rich:
            _enrich(node, fields)
        # What identifies an entry stays here, so that the text never is an empty object; ``render`` trims it as well.
        fields = {"ratingKey": fields.pop("ratingKey")} | trim.apply(fields)
        fragment = msgspec.json.encode(fields)[:-1]
        if node.kind in ("movie", "episode") and (trim.needed or not self._rich):
            node.fragments[trim.key] = fragment
        return fragment


def _make_guids(node: Node) -> bytes:
    external = list_external(node.ids) if has_guid_list(node.guid) else []
    text = b',"Guid":' + msgspec.json.encode(external) if external else _NO_GUIDS
    node.guid_fragment = text
    return text


def _render_section(node: Node) -> bytes:
    section = node.section
    fields = {
        "librarySectionID": section.key,
        "librarySectionKey": f"/library/sections/{section.key}",
        "librarySectionTitle": section.title,
    }
    return b"," + msgspec.json.encode(fields)[1:-1]


def _render_setting(setting: Setting) -> bytes:
    text = b""
    if setting.view_offset:
        text += b',"viewOffset":%d' % setting.view_offset
    if setting.view_count:
        text += b',"viewCount":%d' % setting.view_count
    if setting.last_viewed:
        text += b',"lastViewedAt":%d' % setting.last_viewed
    if setting.rating is not None:
        text += b',"userRating":' + msgspec.json.encode(_plain_number(setting.rating))
        if setting.last_rated:
            text += b',"lastRatedAt":%d' % setting.last_rated
    if setting.skip_count:
        text += b',"skipCount":%d' % setting.skip_count
    return text


def _plain_number(value: float) -> int | float:
    return int(value) if value == int(value) else value


def _describe(node: Node) -> dict[str, Any]:
    key = f"/library/metadata/{node.key}"
    holder = node.kind in ("show", "season")
    fields: dict[str, Any] = {"ratingKey": str(node.key), "key": f"{key}/children" if holder else key}
    if node.kind == "season" and node.parent is not None:
        fields |= _describe_parent(node.parent)
    if node.kind == "episode" and node.parent is not None and node.parent.parent is not None:
        fields |= _describe_parent(node.parent) | _describe_grandparent(node.parent.parent)
    fields |= {"guid": node.guid, "type": node.kind, "title": node.title, "summary": ""}
    if node.index is not None and node.kind != "movie":
        fields["index"] = node.index
    if node.year is not None:
        fields["year"] = node.year
        fields["originallyAvailableAt"] = f"{node.year}-{node.key % 12 + 1:02d}-{node.key % 28 + 1:02d}"
    fields["thumb"] = f"{key}/thumb/{node.updated}"
    fields["art"] = f"/library/metadata/{(node.show or node).key}/art/{node.updated}"
    if node.kind == "show":
        fields["childCount"] = len(node.children)
    if holder:
        fields["leafCount"] = sum(1 for _ in node.leaves())
    else:
        fields["duration"] = node.duration
    fields |= {"addedAt": node.added, "updatedAt": node.updated}
    if node.deleted:
        fields["deletedAt"] = node.deleted
    if node.files:
        fields["Media"] = [_describe_media(node, file, place) for place, file in enumerate(node.files)]
    return fields


def _describe_parent(parent: Node) -> dict[str, Any]:
    return {
        "parentRatingKey": str(parent.key),
        "parentKey": f"/library/metadata/{parent.key}",
        "parentGuid": parent.guid,
        "parentTitle": parent.title,
        "parentIndex": parent.index,
    }


def _describe_grandparent(show: Node) -> dict[str, Any]:
    return {
        "grandparentRatingKey": str(show.key),
        "grandparentKey": f"/library/metadata/{show.key}",
        "grandparentGuid": show.guid,
        "grandparentTitle": show.title,
    }


def part_id(node: Node, place: int) -> int:
    """The id of a version's media and part: it changes with the file, as a replaced file gets new rows."""
    stamp = hashlib.sha1(node.files[place].encode(), usedforsecurity=False).digest()
    return node.key * 1000 + int.from_bytes(stamp[:2], "big") % 1000


def _describe_media(node: Node, file: str, place: int) -> dict[str, Any]:
    number, container = part_id(node, place), file.rpartition(".")[2]
    part = {
        "id": number,
        "key": f"/library/parts/{number}/{node.added}/file.{container}",
        "duration": node.duration,
        "file": shown(file),
        "size": node.duration * 700 + number,
        "container": container,
    }
    resolution = "4k" if place else "1080"
    return {
        "id": number,
        "duration": node.duration,
        "videoResolution": resolution,
        "container": container,
        "Part": [part],
    }


def _enrich(node: Node, fields: dict[str, Any]) -> None:
    """Add what a real server says besides."""
    pick = node.key
    fields["summary"] = _SUMMARY * (1 + pick % 2)
    images = (("coverPoster", fields["thumb"]), ("background", fields["art"]))
    fields["Image"] = [{"alt": node.title, "type": kind, "url": url} for kind, url in images]
    colours = hashlib.md5(str(pick).encode(), usedforsecurity=False).hexdigest()
    corners = ("topLeft", "topRight", "bottomRight", "bottomLeft")
    fields["UltraBlurColors"] = {corner: colours[n * 6 : n * 6 + 6] for n, corner in enumerate(corners)}
    if node.kind == "season":
        return
    fields |= {"contentRating": "TV-14", "audienceRating": pick % 50 / 10 + 5.0}
    fields["audienceRatingImage"] = "themoviedb://image.rating"
    people = [_PEOPLE[(pick + n) % len(_PEOPLE)] for n in range(6)]
    fields["Role"] = [{"tag": name} for name in people[:4]]
    if node.kind != "show":
        fields["Director"], fields["Writer"] = [{"tag": people[4]}], [{"tag": people[5]}]
    if node.kind in ("movie", "show"):
        fields["Genre"] = [{"tag": _GENRES[(pick + n) % len(_GENRES)]} for n in range(2)]
        fields["Country"] = [{"tag": "United States of America"}]
        fields |= {"studio": f"{people[0]} Pictures", "tagline": "Nobody comes back on time."}
        fields["slug"] = node.title.lower().replace(" ", "-")
    if node.kind == "episode" and node.show is not None:
        fields["grandparentThumb"] = f"/library/metadata/{node.show.key}/thumb/{node.show.updated}"
        fields["grandparentArt"] = fields["art"]
        fields["grandparentSlug"] = node.show.title.lower().replace(" ", "-")
    for media in fields.get("Media", ()):
        _enrich_media(media)


def _enrich_media(media: dict[str, Any]) -> None:
    media |= {
        "bitrate": 5600,
        "width": 1920,
        "height": 1080,
        "aspectRatio": 1.78,
        "audioChannels": 6,
        "audioCodec": "eac3",
        "videoCodec": "h264",
        "videoFrameRate": "24p",
        "audioProfile": "lc",
        "videoProfile": "high",
        "hasVoiceActivity": False,
    }
    for part in media["Part"]:
        part |= {"indexes": "sd", "videoProfile": "high", "audioProfile": "lc"}


def format_moment(at: float) -> str:
    """An ISO time as plex.tv writes it."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
