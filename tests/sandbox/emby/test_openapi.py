"""The maker's own documents, 4.8.11.0 and 4.9.0.41, judge requests and answers of every route that they know."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.judges.openapi import TOLERANCES, Tolerance, check, covers
from tests.sandbox.emby.conftest import ANNA, Exchange, Run, Talk, make_world
from tests.truth import truth_path

SPECS = {"4.8.11.0": "emby-openapi_v3-4.8.11.0.json", "4.9.5.0": "emby-openapi_v3-4.9.0.41-beta.json"}
MEASURED = (
    *TOLERANCES,
    Tolerance(
        "Emby",
        r"(POST|DELETE) .*",
        r"status 204 is not in the document",
        "writes without an answer are 204 (measured)",
    ),
    Tolerance("Emby", r".*", r"status \d+ has no body in the document", "the document leaves the answer out"),
)
UNKNOWN_TO_THE_DOCUMENT = {
    "/Users": "4.1's route, still answered (clients use it)",
}
NEWER_MEMBERS = {"DateModified": "recorded on 4.9.5.0; the 4.9.0.41 document is older"}


async def exercise(talk: Talk) -> None:
    """Every route once, the way that clients use it."""
    user, movie, series, episode = (
        f"/Users/{ANNA}", talk.id_of("matrix"), talk.id_of("bebop"), talk.id_of("bebop1"),
    )  # fmt: skip
    for path in (
        "/System/Info/Public",
        "/System/Info",
        "/System/Ping",
        "/Users",
        "/Users/Public",
        f"/Users/{ANNA}",
    ):
        await talk.ask("GET", path)
    await talk.ask("GET", "/Users/Query", StartIndex="0", Limit="10")
    await talk.ask(
        "POST",
        "/Users/AuthenticateByName",
        json={"Username": "anna", "Pw": "secret"},
        headers={"X-Emby-Authorization": 'Emby Client="c", Device="d", DeviceId="1", Version="1"'},
    )
    await talk.ask("GET", "/Library/VirtualFolders/Query")
    await talk.ask("GET", "/Library/SelectableMediaFolders")
    await talk.ask("GET", f"{user}/Views", IncludeExternalContent="false")
    every = ",".join(f"{key}" for key in await talk.get(f"{user}/Items/{movie}"))
    listed = {
        "Recursive": "true",
        "IncludeItemTypes": "Movie,Series,Season,Episode",
        "SortBy": "DatePlayed,SortName",
    }
    await talk.ask(
        "GET", f"{user}/Items", **listed, Fields=f"{every},UserDataPlayCount,UserDataLastPlayedDate"
    )
    await talk.ask("GET", "/Items", **listed, UserId=ANNA, Filters="IsPlayed", Limit="2", StartIndex="0")
    for item in (movie, series, episode, talk.server.catalogue.find_shelf("Movies").view_id):
        await talk.ask("GET", f"{user}/Items/{item}")
    await talk.ask("GET", f"/Shows/{series}/Episodes", UserId=ANNA)
    await talk.ask("GET", f"/Shows/{series}/Seasons", UserId=ANNA)
    await talk.ask("GET", "/Items/Counts", UserId=ANNA)
    await talk.ask("GET", f"{user}/Items/Latest", Limit="3", IsPlayed="false")
    await write(talk, user, movie, series)
    await talk.ask("GET", f"{user}/Items/Resume", MediaTypes="Video")
    await talk.ask("GET", "/Sessions")


async def write(talk: Talk, user: str, movie: str, series: str) -> None:
    """Every writing route once."""
    await talk.ask("POST", f"{user}/PlayedItems/{movie}", DatePlayed="20240101000000")
    await talk.ask("DELETE", f"{user}/PlayedItems/{series}")
    await talk.ask("POST", f"{user}/PlayedItems/{movie}/Delete")
    body = {
        "Played": True,
        "PlayCount": 2,
        "PlaybackPositionTicks": 5,
        "LastPlayedDate": "2024-01-01T00:00:00Z",
    }
    await talk.ask("POST", f"{user}/Items/{movie}/UserData", json=body | {"Rating": 7.5, "IsFavorite": True})
    for method, tail in (("POST", ""), ("DELETE", ""), ("POST", "/Delete")):
        await talk.ask(method, f"{user}/FavoriteItems/{movie}{tail}")
    await talk.ask("POST", f"{user}/Items/{movie}/Rating", Likes="true")
    await talk.ask("DELETE", f"{user}/Items/{movie}/Rating")
    await talk.ask("POST", f"{user}/Items/{movie}/HideFromResume", Hide="false")
    report = {
        "ItemId": movie,
        "PositionTicks": 9_000_000_000,
        "EventName": "TimeUpdate",
        "PlaySessionId": "p",
    }
    for tail in ("", "/Progress", "/Ping", "/Stopped"):
        await talk.ask("POST", f"/Sessions/Playing{tail}", json=report)
    await talk.ask("POST", f"{user}/PlayingItems/{movie}", MediaSourceId="m")
    await talk.ask(
        "POST", f"{user}/PlayingItems/{movie}/Progress", MediaSourceId="m", PositionTicks="9000000000"
    )
    await talk.ask("DELETE", f"{user}/PlayingItems/{movie}", MediaSourceId="m", NextMediaType="Video")


@pytest.fixture(params=list(SPECS))
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def test_the_makers_document_accepts_every_exchange(run_emby: Run, version: str) -> None:
    """Requests and answers of both versions, against the document of that version."""
    spec = truth_path("specs", SPECS[version])
    async with run_emby(make_world(version)) as talk:
        await exercise(talk)
    wrong = [text for seen in talk.seen for text in violations(spec, seen)]
    assert wrong == []
    assert len(talk.seen) > 40


def violations(spec: Path, seen: Exchange) -> list[str]:
    if seen.path in UNKNOWN_TO_THE_DOCUMENT:
        assert not covers(spec, seen.method, seen.path)
        return []
    return check(
        spec,
        seen.method,
        seen.path,
        seen.query,
        seen.status,
        seen.content_type,
        seen.raw,
        tolerances=MEASURED,
    )


SHAPES = {
    "Played": "UserItemDataDto",
    "IsFolder": "BaseItemDto",
    "Policy": "UserDto",
    "Locations": "VirtualFolderInfo",
    "RequiresOpening": "MediaSourceInfo",
    "PlayState": "Session.SessionInfo",
    "SubFolders": "Library.MediaFolder",
    "WebSocketPortNumber": "SystemInfo",
}
"""By which member an object of an answer is told, and its name in the document."""


async def test_no_member_is_invented(run_emby: Run, version: str) -> None:
    """Every member of items, user data, users, libraries and sessions stands in the maker's document."""
    content = msgspec.json.decode(truth_path("specs", SPECS[version]).read_bytes())
    async with run_emby(make_world(version)) as talk:
        await exercise(talk)
    told = [seen.body for seen in talk.seen if seen.content_type and "json" in seen.content_type]
    shapes = {name: content["components"]["schemas"][name]["properties"] for name in SHAPES.values()}
    met = [(shape, key) for shape, entry in objects(told) for key in entry]
    assert {shape for shape, _ in met} == set(SHAPES.values())
    allowed = set(NEWER_MEMBERS) if version == "4.9.5.0" else set()
    assert {key for shape, key in met if key not in shapes[shape]} == allowed


def objects(value: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """All objects whose shape is told by a member."""
    if isinstance(value, list):
        for entry in value:
            yield from objects(entry)
    elif isinstance(value, dict):
        for mark in SHAPES.keys() & value.keys():
            yield SHAPES[mark], value
        for inner in value.values():
            yield from objects(inner)
