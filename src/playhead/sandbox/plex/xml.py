"""A Plex answer as XML: the same fields as in JSON, other spelling. Source: facts, api-plex.md 2.3. Pure."""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import quoteattr

_BY_TYPE = {
    "movie": "Video",
    "episode": "Video",
    "clip": "Video",
    "show": "Directory",
    "season": "Directory",
    "track": "Track",
    "photo": "Photo",
    "playlist": "Playlist",
}


def to_xml(root: str, body: dict[str, Any]) -> bytes:
    """The document for one root element; lists and objects become child elements, the rest attributes."""
    parts = ['<?xml version="1.0" encoding="UTF-8"?>\n']
    _write(parts, root, body)
    return "".join(parts).encode()


def _write(parts: list[str], name: str, body: dict[str, Any]) -> None:
    parts.append(f"<{name}")
    children: list[tuple[str, dict[str, Any]]] = []
    for key, value in body.items():
        if isinstance(value, dict):
            children.append((key, value))
        elif isinstance(value, list):
            children += [(_element(key, entry), entry) for entry in value]
        elif value is not None:
            parts.append(f" {key}={quoteattr(_text(value))}")
    if not children:
        parts.append("/>\n")
        return
    parts.append(">\n")
    for child, entry in children:
        _write(parts, child, entry)
    parts.append(f"</{name}>\n")


def _element(key: str, entry: dict[str, Any]) -> str:
    return _BY_TYPE.get(str(entry.get("type")), "Video") if key == "Metadata" else key


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    return str(value)
