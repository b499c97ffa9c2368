"""What a recording is, and how its bytes are taken out of each form of file without being written anew.

The forms, and what *byte for byte* means in each:

- ``file``: the file is the body. Its bytes are served.
- ``slice``: the body stands as JSON within a larger JSON document (a tape's step, an envelope). The very bytes between
  the body's first and last sign in the file are served; they were never parsed and written again here. Whoever recorded
  them had parsed them: white space and escapes are the recording's, members, order and values the server's.
- ``text``: the body was no JSON and stands as a JSON string; the string's text is served in UTF-8.
- ``rewritten``: an XML recording, as JSON: attributes become members (numbers stay text), children become lists, comments
  are lost. Not byte for byte. Served only to a client that accepts JSON alone; others get the file.
- ``synthetic``: not recorded at all; see ``glue``.

Knows files and bytes; knows no routes of any server.
"""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qsl

import msgspec

Form = Literal["file", "slice", "text", "rewritten", "synthetic"]
JSON = "application/json; charset=utf-8"


class Recording(msgspec.Struct, frozen=True, kw_only=True):
    """One answer and the request that it was recorded from.

    ``key`` names it within its set and stands as library id where a client asks for this very list. ``file`` and
    ``place`` say where it lies (``steps[8].response.body``; empty = the whole file). ``query`` has names in lower case.
    ``derived`` says how the route is known where the recording does not tell it. ``start`` and ``listed`` are for lists:
    the offset of the first entry, the entries' kind.
    """

    key: str
    form: Form
    file: Path | None = None
    place: str = ""
    method: str = "GET"
    path: str
    query: tuple[tuple[str, str], ...] = ()
    token: str | None = None
    status: int = 200
    content_type: str | None = JSON
    body: bytes = b""
    derived: str = ""
    listed: str | None = None
    start: int = 0
    size: int = 0

    @property
    def source(self) -> str:
        """File and place for people; why it was made up, for what was not recorded."""
        return self.derived if self.file is None else f"{self.file.name} {self.place}".strip()


class RecordingSet(msgspec.Struct, frozen=True, kw_only=True):
    """The recordings that are served as one server, and what had to be invented around them."""

    name: str
    kind: Literal["plex", "jellyfin", "emby"]
    version: str
    user_id: str
    token: str
    recordings: tuple[Recording, ...]
    glue: tuple[Recording, ...] = ()

    @property
    def lists(self) -> tuple[Recording, ...]:
        """The recordings that are lists of items."""
        return tuple(entry for entry in self.recordings if entry.listed)


class TapeRequest(msgspec.Struct):
    """The request of a tape's step or of an envelope."""

    method: str
    path: str
    query: str | None = None
    headers: dict[str, Any] = {}


class TapeResponse(msgspec.Struct, rename={"content_type": "contentType"}):
    """The answer; ``body`` are the bytes in the file."""

    status: int | None = None
    headers: dict[str, Any] = {}
    body: msgspec.Raw = msgspec.Raw(b"")
    content_type: str | None = None


class Step(msgspec.Struct):
    """One step of a tape."""

    request: TapeRequest | None = None
    response: TapeResponse | None = None


class Tape(msgspec.Struct):
    """A file with steps."""

    steps: list[Step] = []


class Wrapped(msgspec.Struct):
    """A file with one body under ``response``."""

    response: msgspec.Raw


def read_tape(path: Path) -> list[Step]:
    """The steps of a tape."""
    return msgspec.json.decode(path.read_bytes(), type=Tape).steps


def read_step(path: Path) -> Step:
    """The only step of an envelope."""
    return msgspec.json.decode(path.read_bytes(), type=Step)


def read_wrapped(path: Path) -> bytes:
    """The bytes under ``response``."""
    return bytes(msgspec.json.decode(path.read_bytes(), type=Wrapped).response)


def split_query(text: str | None) -> tuple[tuple[str, str], ...]:
    """Pairs of a query, names in lower case, in one order."""
    return tuple(
        sorted((name.lower(), value) for name, value in parse_qsl(text or "", keep_blank_values=True))
    )


def take_body(raw: bytes, content_type: str | None) -> tuple[bytes, Form]:
    """The bytes to serve for a recorded body. A string under a content type that is not JSON is the text itself."""
    if raw[:1] == b'"' and "json" not in (content_type or ""):
        return msgspec.json.decode(raw, type=str).encode(), "text"
    return raw, "slice"


LISTS_IN_XML = {"Video": "Metadata", "Directory": "Metadata", "Track": "Metadata"}


def rewrite_xml(content: bytes) -> bytes:
    """The JSON that carries what an XML answer of Plex says."""
    root = ElementTree.fromstring(content)
    return msgspec.json.encode({root.tag: _members(root)})


def _members(element: ElementTree.Element) -> dict[str, Any]:
    members: dict[str, Any] = dict(element.attrib)
    for child in element:
        members.setdefault(LISTS_IN_XML.get(child.tag, child.tag), []).append(_members(child))
    return members
