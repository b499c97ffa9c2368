"""Reads a tape of a real Jellyfin server: its steps, its library as a world, and the state from which a file starts."""

from __future__ import annotations

import json
import posixpath
import re
from pathlib import Path
from typing import Any

from playhead.sandbox.world import Placement, World, WorldItem, WorldLibrary, WorldServer, WorldUser
from tests.truth import truth_path

VERSIONS = ("12.0.0", "10.11.11")
TOKENS = {"TOKEN-ADMIN": "admin", "TOKEN-WATCHER": "watcher", "TOKEN-KID": "kid"}
PASSWORDS = {"admin": "admin-pw", "watcher": "watcher-pw", "kid": "kid-pw"}
_DATE = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")
_AHEAD = re.compile(r'"DateAdded": "[^"]*"')
Step = dict[str, Any]


class Tape:
    """One file of a version's tapes."""

    def __init__(self, version: str, name: str) -> None:
        self.version = version
        self.name = name
        data = json.loads(_path(version, name).read_bytes())
        self.steps: list[Step] = data["steps"]

    def answer(self, index: int) -> Any:
        """The recorded body of a step."""
        return self.steps[index]["response"].get("body")


def file_names(version: str) -> list[str]:
    """The names of a version's files, in order."""
    return sorted(path.stem for path in truth_path("recorded", "jellyfin", f"{version}-real").glob("*.json"))


def find_name(version: str, number: str) -> str:
    """The file that begins with a number such as ``05``."""
    return next(name for name in file_names(version) if name.split("-")[0] == number)


def _path(version: str, name: str) -> Path:
    return truth_path("recorded", "jellyfin", f"{version}-real", f"{name}.json")


def build_world(version: str) -> World:
    """The library and the users of a tape as a world: what file 04 lists, with the second version of one film."""
    libraries = Tape(version, find_name(version, "04"))
    items: list[dict[str, Any]] = libraries.answer(8)["Items"]
    folders = {each["CollectionType"]: each for each in libraries.answer(0)}
    users = {each["Name"]: each for each in _users(version)}
    roots = {kind: each["Locations"][0] for kind, each in folders.items()}
    shows = {each["Id"]: each for each in items if each["Type"] == "Series"}
    world_items = [_show(each) for each in shows.values()]
    placements = []
    for each in items:
        if each["Type"] in ("Movie", "Episode"):
            kind = "movies" if each["Type"] == "Movie" else "tvshows"
            world_items.append(_leaf(each, roots[kind]))
            placements += _placements(each, roots[kind])
            world_items += _following(each)
    server = WorldServer(
        name="jellyfin-lab",
        kind="jellyfin",
        version=version,
        server_id=items[0]["ServerId"],
        users=[_user(users[name]) for name in ("admin", "kid", "watcher")],
        libraries=[
            WorldLibrary(title=folders["movies"]["Name"], kind="movies", root=roots["movies"]),
            WorldLibrary(title=folders["tvshows"]["Name"], kind="shows", root=roots["tvshows"]),
        ],
        placements=placements,
        delays={"monitor_s": 0, "scan_s": 0},
    )
    return World(items=world_items, servers=[server])


def _users(version: str) -> list[dict[str, Any]]:
    tape = Tape(version, find_name(version, "01"))
    asked = [step for step in tape.steps if "request" in step and step["request"]["path"] == "/Users"]
    return next(list(step["response"]["body"]) for step in asked if step["response"].get("body"))


def _user(user: dict[str, Any]) -> WorldUser:
    name = user["Name"]
    return WorldUser(
        name=name,
        id=user["Id"],
        password=PASSWORDS[name],
        admin=name == "admin",
        libraries=["Movies"] if name == "kid" else None,
    )


def _show(item: dict[str, Any]) -> WorldItem:
    ids = {source.lower(): value for source, value in item["ProviderIds"].items()}
    return WorldItem(id=item["Id"], type="show", title=item["Name"], year=item.get("ProductionYear"), ids=ids)


def _leaf(item: dict[str, Any], root: str) -> WorldItem:
    return WorldItem(
        id=item["Id"],
        type="movie" if item["Type"] == "Movie" else "episode",
        title=item["Name"],
        year=item.get("ProductionYear"),
        ids={source.lower(): value for source, value in item["ProviderIds"].items()},
        show=item.get("SeriesId"),
        season=item.get("ParentIndexNumber"),
        episode=item.get("IndexNumber"),
        duration_s=item["RunTimeTicks"] / 10_000_000,
        file=posixpath.relpath(item["Path"], root),
        added_at=item["DateCreated"],
    )


def _placements(item: dict[str, Any], root: str) -> list[Placement]:
    if "IndexNumberEnd" in item:
        return [Placement(item=item["Id"], with_next=item["IndexNumberEnd"] - item["IndexNumber"])]
    if len(item["MediaSources"]) > 1:
        return [Placement(item=item["Id"], versions=len(item["MediaSources"]))]
    return []


def _following(item: dict[str, Any]) -> list[WorldItem]:
    """The other episodes of a file that holds several: they have no entry of their own."""
    if "IndexNumberEnd" not in item:
        return []
    numbers = range(item["IndexNumber"] + 1, item["IndexNumberEnd"] + 1)
    return [
        WorldItem(
            id=f"{item['Id']}/{number}",
            type="episode",
            title=f"Part {number}",
            show=item["SeriesId"],
            season=item["ParentIndexNumber"],
            episode=number,
        )
        for number in numbers
    ]


def other_versions(version: str) -> list[dict[str, Any]]:
    """The media sources of the films with several versions."""
    steps = Tape(version, find_name(version, "04")).answer(8)["Items"]
    return [
        source for item in steps if len(item.get("MediaSources", ())) > 1 for source in item["MediaSources"]
    ]


def dates_of(body: Any) -> list[str]:
    """All dates in a body, but not quick connect's, which lie ahead."""
    return _DATE.findall(_AHEAD.sub("", json.dumps(body)))


def first_states(
    tape: Tape, users: set[str], watcher: str, folders: set[str]
) -> dict[tuple[str, str], dict[str, Any]]:
    """For each user and item what the file's first sight of it says of the state before.

    A read says all of it; the answer to a write only what the write did not touch.
    """
    found: dict[tuple[str, str], dict[str, Any]] = {}
    reported: set[str] = set()
    swept = False
    for step in tape.steps:
        if "request" not in step:
            for data in _user_data(step.get("seen")):  # a list that watcher read
                found.setdefault((watcher, data["ItemId"]), {"LastPlayedDate": None, "Rating": None, **data})
            continue
        request = step["request"]
        user = _user_of(request, users)
        path, body = request["path"], request.get("body")
        for data in _user_data(step["response"].get("body")):
            key = (user or "", data["ItemId"])
            if user is not None and key not in found:
                found[key] = _before(request, data, swept or data["ItemId"] in reported)
        if "Playing" in path and isinstance(body, dict):
            reported |= {str(body.get("ItemId")), str(body.get("MediaSourceId"))}
        elif "PlayingItems" in path:
            reported.add(path.split("/")[-1])
        elif "PlayedItems" in path and path.split("/")[-1] in folders:
            swept = True  # what is below the folder is not what it was
    return found


def _user_of(request: dict[str, Any], users: set[str]) -> str | None:
    text = f"{request['path']}?{request.get('query') or ''}"
    return next((user for user in users if user in text), None)


def _user_data(body: Any) -> list[dict[str, Any]]:
    if isinstance(body, list):
        return [data for each in body for data in _user_data(each)]
    if not isinstance(body, dict):
        return []
    if "ItemId" in body and "Played" in body:
        return [body]
    if "UserData" in body:
        return [body["UserData"]]
    return [data for each in body.get("Items", []) for data in _user_data(each)]


def _before(request: dict[str, Any], data: dict[str, Any], reported: bool) -> dict[str, Any]:
    kept = {"LastPlayedDate": None, "Rating": None, **data}
    touched: set[str] = set()
    path, method = request["path"], request["method"]
    if method == "POST" and path.endswith("/UserData") and isinstance(request.get("body"), dict):
        touched = set(request["body"])
    elif "PlayedItems" in path:
        touched = {"Played", "PlayCount", "LastPlayedDate", "PlaybackPositionTicks"}
        if method == "POST" and "datePlayed" in (request.get("query") or ""):
            kept["PlayCount"] -= 1
            touched.discard("PlayCount")
    elif method != "GET":
        touched = {"IsFavorite", "Likes", "Rating"}
    if reported:
        touched |= {"Played", "PlayCount", "LastPlayedDate", "PlaybackPositionTicks"}
    if touched & {"Likes", "Rating"}:
        touched |= {"Likes", "Rating"}
    return {name: value for name, value in kept.items() if name not in touched}
