"""What a proxy before a Plex server noted of requests that change what somebody watched: one JSON object a line. Pure.

Two writers are understood: the configuration that ``playhead proxy nginx`` makes, and Plex Cluster's proxy. Clients put
parameters into the query or the body and use whatever method they like. Source: facts, api-plex.md 3 and predecessors.md 4.2.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec

from playhead.ports.callers import Credential, Proxied
from playhead.ports.events import Event, Heard

from .wire import is_live

IDENTIFIER = "com.plexapp.plugins.library"
MOST_ITEMS = 100
_LONGEST_LINE = 256 * 1024
_LONGEST_TOKEN = 1024

_PATH = re.compile(r"/:/(scrobble|unscrobble|timeline|progress|rate)/?")
_METADATA = re.compile(r"/library/metadata/(\d{1,18})(?:/|$)")
_ATTRIBUTE = re.compile(r'\b(ratingKey|key|state|time)="([^"]{1,200})"')
_HEARD = {"scrobble": Heard.marked, "unscrobble": Heard.marked, "rate": Heard.rated}
_PLAYING = {"playing": Heard.playing, "buffering": Heard.playing}
_REFUSED = frozenset({"400", "401", "403", "404"})  # any other may have taken effect


class Line(msgspec.Struct):
    """One request. ``status`` is the server's answer, or nginx's own 499 where the client did not wait for it."""

    uri: str
    host: str = ""
    body: str = ""
    type: str = ""
    token: str = ""
    client: str = ""
    identifier: str = ""  # what Plex Cluster calls the client
    status: str | int = ""
    at: str | int | float = ""


_LINE = msgspec.json.Decoder(Line, strict=False)


def read_proxied(body: bytes) -> tuple[Proxied, ...]:
    """One event a line, in their order."""
    return tuple(_read_line(line) for line in body.splitlines() if line.strip())


def _read_line(text: bytes) -> Proxied:
    if len(text) > _LONGEST_LINE:
        return Proxied(_ignore("unreadable"), Credential())
    try:
        line = _LINE.decode(text.decode("utf-8", "replace"))
        target = urlsplit(line.uri)
    except (msgspec.DecodeError, RecursionError, ValueError):
        return Proxied(_ignore("unreadable"), Credential())
    parameters = {**_read_body(line), **_read_form(target.query)}
    token = parameters.get("X-Plex-Token") or line.token
    client = parameters.get("X-Plex-Client-Identifier") or line.client or line.identifier
    credential = Credential(token[:_LONGEST_TOKEN], client[:_LONGEST_TOKEN])
    return Proxied(_translate(line, target.path, parameters), credential, line.host[:300])


def _translate(line: Line, path: str, parameters: Mapping[str, str]) -> Event:
    route = _PATH.fullmatch(unquote(path))
    if route is None:
        return _ignore("other")
    name, state = route[1], parameters.get("state", "")
    of_library = parameters.get("identifier", IDENTIFIER) in (IDENTIFIER, "")
    of_library = of_library and not is_live(parameters.get("key"))
    ids = _find_items(parameters)
    if str(line.status) in _REFUSED or not of_library or not ids:
        return _ignore(name)
    return Event(
        source="proxy",
        what=_HEARD.get(name) or _PLAYING.get(state, Heard.stopped),
        name=f"proxy.{name}",
        native_ids=ids,
        at=_read_number(str(line.at).partition(".")[0]),
        position_s=_read_milliseconds(parameters.get("time", ""))
        if name in ("timeline", "progress")
        else None,
    )


def _ignore(name: str) -> Event:
    return Event(source="proxy", what=Heard.other, name=f"proxy.{name}")


def _find_items(parameters: Mapping[str, str]) -> tuple[str, ...]:
    """The rating keys, wherever they stand: ``ratingKey=7``, ``key=7``, ``key=/library/metadata/7``, ``uri=server://.../7``."""
    found: dict[str, None] = {}
    for place in ("ratingKey", "key", "uri"):
        for value in parameters.get(place, "").split(","):
            inner = _METADATA.search(value)
            if inner is not None:
                found[inner[1]] = None
            elif value.isascii() and value.isdecimal() and len(value) <= 18:
                found[value] = None
        if found:
            break
    return tuple(found)[:MOST_ITEMS]


def _read_body(line: Line) -> dict[str, str]:
    """The parameters of a body: a form, JSON, or the XML that players exchange."""
    text = line.body.strip()
    if text.startswith("<"):
        return dict(_ATTRIBUTE.findall(text))
    if text.startswith("{"):
        try:
            told = msgspec.json.decode(text, type=dict[str, str | int | float | None], strict=False)
        except (msgspec.DecodeError, RecursionError):
            return {}
        return {key: str(value) for key, value in told.items() if value is not None}
    return _read_form(text)


def _read_form(text: str) -> dict[str, str]:
    try:
        return dict(parse_qsl(text, max_num_fields=200))
    except ValueError:
        return {}


def _read_milliseconds(text: str) -> int | None:
    number = _read_number(text)
    return number // 1000 if number is not None else None


def _read_number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 15 else None
