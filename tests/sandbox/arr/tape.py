"""Reads the tapes of a real Sonarr and Radarr, makes a world of what they held, and plays their steps on the emulators.

Compared are status, content type, and every member with its type; values only where the tape's state is ours too.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp

from playhead.sandbox.run import SandboxHandle
from playhead.sandbox.world import World, WorldItem, WorldLibrary, WorldServer
from tests.sandbox.ear import Ear
from tests.truth import truth_path

FOLDERS = {"sonarr": "v5-develop-49df353-real", "radarr": "6.0-1b9662d-real"}
WHERE_CAUGHT = {"sonarr": "http://127.0.0.1:8991", "radarr": "http://127.0.0.1:8992"}
Step = dict[str, Any]


def load_steps(kind: str, number: str) -> list[Step]:
    """The steps of the file that begins with a number such as ``02``."""
    folder = truth_path("recorded", kind, FOLDERS[kind])
    path = next(Path(folder).glob(f"{number}-*.json"))
    return list(json.loads(path.read_bytes())["steps"])


def make_world(kind: str) -> World:
    """What the server of the tapes held, without files: its numbers come out the same."""
    items = _shows() if kind == "sonarr" else _movies()
    root = "/srv/tv" if kind == "sonarr" else "/srv/movies"
    library = WorldLibrary(title="Root", kind="shows" if kind == "sonarr" else "movies", root=root)
    server = WorldServer(name=kind, kind=kind, libraries=[library], quirks={"no_files": True})  # type: ignore[arg-type]
    return World(items=items, servers=[server])


def _shows() -> list[WorldItem]:
    steps = load_steps("sonarr", "03")
    items = []
    for series in steps[11]["response"]["body"]:
        if isinstance(series, dict):
            items.append(_item(f"s{series['id']}", "show", series, ("tvdb", "tmdb", "imdb", "tvmaze")))
    for index in (17, 23):
        for episode in steps[index]["response"]["body"]:
            if isinstance(episode, dict):
                item = _item(f"e{episode['id']}", "episode", episode, ("tvdb",))
                item.show, item.season = f"s{episode['seriesId']}", episode["seasonNumber"]
                item.episode = episode["episodeNumber"]
                items.append(item)
    known = {item.id for item in items}
    return [item for item in items if item.type == "show" or item.show in known]


def _movies() -> list[WorldItem]:
    steps = [step for number in ("02", "03") for step in load_steps("radarr", number) if "request" in step]
    added = [step["response"] for step in steps if step["request"]["method"] == "POST"]
    rows = [answer["body"] for answer in added if answer["status"] == 201 and "tmdbId" in answer["body"]]
    return [_item(f"m{row['id']}", "movie", row, ("tmdb", "imdb")) for row in rows]


def _item(name: str, kind: Any, row: Step, sources: tuple[str, ...]) -> WorldItem:
    written = {source: "tvMazeId" if source == "tvmaze" else f"{source}Id" for source in sources}
    ids = {source: str(row[name]) for source, name in written.items() if row.get(name)}
    return WorldItem(id=name, type=kind, title=row["title"], year=row.get("year"), ids=ids)


class Played(NamedTuple):
    """One step that was played, and in what the answers differ."""

    name: str
    differences: list[str]


class Player:
    """Plays steps on one server; what the tape caught of posts comes to ``ear``."""

    def __init__(self, http: aiohttp.ClientSession, box: SandboxHandle, kind: str, ear: Ear) -> None:
        self._http, self._box, self._kind, self._ear = http, box, kind, ear
        self._key = box.server(kind).admin_token
        self._commands: dict[str, str] = {}

    async def play(self, step: Step) -> list[str]:
        """In what our answer differs."""
        request, expected = step["request"], step["response"]
        body, headers = request.get("body"), self._own_headers(request)
        told = re.search(r"/status/(\d{3})", str(body))
        self._ear.status = int(told[1]) if told else 200
        data = (
            None if body is None else self._own(body if isinstance(body, str) else json.dumps(body)).encode()
        )
        query = [
            (name, self._own(str(each)))
            for name, value in (request.get("query") or {}).items()
            for each in (value if isinstance(value, list) else [value])
        ]
        url = self._box.url(self._kind) + self._own_path(request["path"])
        if "Content-Type" not in headers and data is not None and not isinstance(body, str):
            headers["Content-Type"] = "application/json"
        async with self._http.request(
            request["method"],
            url,
            data=data,
            headers=headers,
            params=query,
            skip_auto_headers=["Content-Type"],
        ) as answer:
            raw = await answer.read()
            kind = answer.headers.get("Content-Type")
        found = []
        if answer.status != expected["status"]:
            return [f"status {answer.status}, not {expected['status']}"]
        wanted = (expected.get("headers") or {}).get("Content-Type")
        if kind != wanted:
            found.append(f"content type {kind}, not {wanted}")
        ours = json.loads(raw) if raw and "json" in (kind or "") else None
        theirs = expected.get("body") if isinstance(expected.get("body"), dict | list) else None
        if request["path"].endswith("/command") and isinstance(theirs, dict) and "id" in theirs and ours:
            self._commands[str(theirs["id"])] = str(ours["id"])
        if ours is not None and theirs is not None:
            missing, extra = shape(theirs) - shape(ours), shape(ours) - shape(theirs)
            found += sorted({f"lacks {each}" for each in missing} | {f"has {each}" for each in extra})
        return found

    def _own_path(self, path: str) -> str:
        """Commands have other numbers here."""
        head, _, number = path.rpartition("/command/")
        return f"{head}/command/{self._commands.get(number, number)}" if head else path

    def _own_headers(self, request: Step) -> dict[str, str]:
        return {name: self._own(value) for name, value in (request.get("headers") or {}).items()}

    def _own(self, text: str) -> str:
        return text.replace("APIKEY", self._key).replace(WHERE_CAUGHT[self._kind], self._ear.url)


def shape(value: Any, place: str = "") -> set[str]:
    """Every member with its type; of lists the members of all entries."""
    if isinstance(value, dict):
        return {each for name, part in value.items() for each in shape(part, f"{place}.{name}")} or {
            f"{place} {{}}"
        }
    if isinstance(value, list):
        parts = [part for part in value if not (isinstance(part, str) and "cut by the recorder" in part)]
        return {each for part in parts for each in shape(part, f"{place}[]")}
    kind = (
        "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__
    )
    return {f"{place} {kind}"}
