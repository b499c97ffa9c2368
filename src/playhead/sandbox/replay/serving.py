"""Serves a set of recordings: which recording answers which request.

A request is answered by, in this order: the list whose key stands where the library id belongs, if it begins
where asked; the recording of a
request to the same path that chooses the same entries (parameters that only say how they are shown may differ), the one
most alike first, and one recorded with the same token before others; synthetic glue; 404. Every answer says in
``X-Replay`` what it is, so that a test can tell.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

from aiohttp import web

from playhead.sandbox.replay.recordings import JSON, Recording, RecordingSet, rewrite_xml

START_PARAMETERS = ("startindex", "x-plex-container-start")
LIBRARY_PARAMETERS = ("parentid",)
TOKEN_HEADERS = ("Authorization", "X-Emby-Token", "X-Plex-Token")
TOKEN_IN_HEADER = re.compile(r'Token="?([^",]+)"?')
SECRET = frozenset({"x-plex-token", "api_key", "apikey"})
FROM_THE_START = frozenset({("startindex", "0"), ("x-plex-container-start", "0")})
SHOWN = frozenset(
    {
        "fields",
        "enableimages",
        "enabletotalrecordcount",
        "sortby",
        "sortorder",
        "sort",
        "includeguids",
        "includemeta",
    }
    | {"excludeelements", "excludefields", "x-plex-container-size", "includehidden", "includeexternalcontent"}
    | {"excludelocationtypes", "collapseboxsetitems", "groupitemsintocollections"}
)
"""Parameters that say how entries are shown or ordered, or leave out what no recorded library holds."""
MISSING: web.AppKey[list[str]] = web.AppKey("missing", list)
"""Where the application keeps the requests that no recording answers."""

Pairs = frozenset[tuple[str, str]]


def make_replay(recorded: RecordingSet, *, in_turn: bool = False) -> web.Application:
    """An application that answers with the recordings of a set.

    ``in_turn``: a request that was recorded several times gets the first answer, then the second ..., the last one from
    there on; else always the same one.
    """
    app = web.Application()
    app[MISSING] = []
    turns = Turns(recorded) if in_turn else None
    app.router.add_route("*", "/{tail:.*}", _make_handler(recorded, app[MISSING], turns))
    return app


class Turns:
    """Which answer of a request that was recorded several times comes next."""

    def __init__(self, recorded: RecordingSet) -> None:
        self._recorded = recorded
        self._served: dict[object, int] = {}

    def take(self, found: Recording) -> Recording:
        """The next answer that was recorded for the same request with the same token."""
        same = [entry for entry in self._recorded.recordings if _request_of(entry) == _request_of(found)]
        turn = self._served.get(_request_of(found), 0)
        self._served[_request_of(found)] = turn + 1
        return same[min(turn, len(same) - 1)] if same else found


def _request_of(entry: Recording) -> tuple[object, ...]:
    return entry.method, _plain(entry.path), entry.query, entry.token


def _make_handler(
    recorded: RecordingSet, missing: list[str], turns: Turns | None
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(request: web.Request) -> web.StreamResponse:
        found = find_answer(
            recorded,
            request.method,
            request.path,
            frozenset((name.lower(), value) for name, value in request.query.items()),
            _token_of(request),
        )
        if found is None:
            missing.append(f"{request.method} {request.path_qs}")
            text = f"{request.method} {request.path} was not recorded in {recorded.name}"
            return web.Response(status=404, text=text, headers={"X-Replay": "missing"})
        found = turns.take(found) if turns is not None else found
        return _write(found, accepts_json="json" in request.headers.get("Accept", ""))

    return handle


def find_answer(
    recorded: RecordingSet, method: str, path: str, query: Pairs, token: str | None
) -> Recording | None:
    """The recording that answers a request."""
    path = _plain(path)
    if method == "GET":
        keyed = _find_by_key(recorded, path, dict(query))
        if keyed is not None:
            return keyed
    there = [entry for entry in recorded.recordings if entry.method == method and _plain(entry.path) == path]
    fitting = [entry for entry in there if _fits(entry, query)]
    if fitting:
        return max(fitting, key=lambda entry: _closeness(entry, query, token))
    glue = (entry for entry in recorded.glue if _plain(entry.path) == path and query.issuperset(entry.query))
    return next(glue, None) if method == "GET" else None


def _fits(entry: Recording, asked: Pairs) -> bool:
    """Whether both choose the same entries. A recording without a limit answers any limit, but no limit of 0."""
    recorded = frozenset(entry.query)
    names = {name for name, _ in recorded}
    wanted = _choosing(asked)
    if "limit" not in names:
        wanted = frozenset(pair for pair in wanted if pair[0] != "limit" or pair[1] == "0")
    return _choosing(recorded) == wanted


def _choosing(query: Pairs) -> Pairs:
    """The part of a query that chooses entries."""
    return frozenset(
        (name, value)
        for name, value in query
        if name not in SHOWN and name not in SECRET and (name, value) not in FROM_THE_START
    )


def _closeness(entry: Recording, asked: Pairs, token: str | None) -> tuple[int, bool, bool, int]:
    return len(asked & frozenset(entry.query)), entry.token == token, entry.status == 200, entry.size


def _find_by_key(recorded: RecordingSet, path: str, query: dict[str, str]) -> Recording | None:
    section = re.fullmatch(r"/library/sections/([^/]+)/all", path)
    wanted = section[1] if section else next((query[n] for n in LIBRARY_PARAMETERS if n in query), None)
    if wanted is None:
        return None
    start = next((query[n] for n in START_PARAMETERS if n in query), "0")
    found = (entry for entry in recorded.lists if entry.key.lower() == wanted.lower())
    return next((entry for entry in found if str(entry.start) == start), None)


def _plain(path: str) -> str:
    lowered = path.rstrip("/").lower()
    return lowered.removeprefix("/emby") or "/"


def _token_of(request: web.Request) -> str | None:
    for header in TOKEN_HEADERS:
        value = request.headers.get(header)
        if value:
            inside = TOKEN_IN_HEADER.search(value)
            return inside[1] if inside else value
    return None


def _write(found: Recording, *, accepts_json: bool) -> web.Response:
    headers = {"X-Replay": f"{found.form}; {found.source}"}
    body, content_type = found.body, found.content_type
    if found.form == "rewritten" and accepts_json:
        body, content_type = rewrite_xml(body), JSON
    elif found.form == "rewritten":
        headers["X-Replay"] = f"file; {found.source}"
    if content_type:
        headers["Content-Type"] = content_type
    return web.Response(status=found.status, body=body or None, headers=headers)
