"""The makers' OpenAPI documents accept what the emulator says, each version by its own document."""

from __future__ import annotations

import pytest

from tests.judges.openapi import Tolerance, check
from tests.sandbox.jellyfin.conftest import Run, Talk, make_world
from tests.truth import truth_path

SPECS = ("10.8.13", "10.10.7", "10.11.11", "12.0.0")
MEASURED: tuple[Tolerance, ...] = ()


async def exercise(talk: Talk) -> None:
    """Every documented route that an adapter or a person's client uses, with usual parameters."""
    modern = talk.server.rules.user_data_route
    await exercise_server(talk, modern)
    await exercise_lists(talk)
    await exercise_playback(talk)
    await (exercise_modern if modern else exercise_old)(talk)
    show = talk.id_of("bebop")
    await talk.ask(
        "POST", f"/Items/{show}/Refresh", metadataRefreshMode="Default", imageRefreshMode="Default"
    )
    await talk.ask(
        "POST", "/Library/Media/Updated", json={"Updates": [{"Path": "/media/tv", "UpdateType": "Modified"}]}
    )
    await talk.ask("POST", "/Library/Refresh")
    await talk.ask("POST", "/Users/New", json={"Name": "new", "Password": "x"})
    await talk.ask("GET", "/System/Configuration", token="wrong")
    await talk.ask("POST", "/Sessions/Logout")


async def exercise_server(talk: Talk, modern: bool) -> None:
    """The server itself, its users and its libraries."""
    for path in (
        "/System/Info/Public",
        "/System/Info",
        "/System/Configuration",
        "/System/Ping",
        "/Users",
        "/Users/Me",
    ):
        await talk.ask("GET", path)
    await talk.ask("POST", "/Users/AuthenticateByName", json={"Username": "ann", "Pw": "pw"}, token="")
    for path in ("/Users/Public", f"/Users/{talk.user}", "/QuickConnect/Enabled"):
        await talk.ask("GET", path)
    started = await talk.ask("POST" if modern else "GET", "/QuickConnect/Initiate", token="")
    for _ in range(2):
        await talk.ask("GET", "/QuickConnect/Connect", secret=started.body["Secret"])
        await talk.ask("POST", "/QuickConnect/Authorize", code=started.body["Code"])
    secret = {"Secret": started.body["Secret"]}
    await talk.ask("POST", "/Users/AuthenticateWithQuickConnect", json=secret, token="")
    for path in ("/Auth/Keys", "/Devices", "/Sessions", "/ScheduledTasks", "/System/ActivityLog/Entries"):
        await talk.ask("GET", path)
    for path in ("/Library/VirtualFolders", "/Library/MediaFolders", "/Library/PhysicalPaths"):
        await talk.ask("GET", path)


async def exercise_lists(talk: Talk) -> None:
    """Lists of items in the ways that they are asked for."""
    user, film, show = {"userId": talk.user}, talk.id_of("matrix"), talk.id_of("bebop")
    fields = (
        "ProviderIds,Path,DateCreated,MediaSources,Overview,Genres,SortName,OriginalTitle,ChildCount,ParentId"
    )
    lists = {"recursive": "true", "includeItemTypes": "Movie,Episode,Series,Season", "fields": fields, **user}
    await talk.ask("GET", "/Items", **lists)
    await talk.ask(
        "GET", "/Items", startIndex=1, limit=2, sortBy="DatePlayed", sortOrder="Descending", **lists
    )
    await talk.ask(
        "GET", "/Items", filters="IsPlayed", enableTotalRecordCount="false", enableImages="false", **lists
    )
    await talk.ask("GET", "/Items", **user)
    await talk.ask("GET", "/Items/Counts", **user)
    await talk.ask("GET", f"/Items/{film}/Ancestors", **user)
    for path in ("Episodes", "Seasons"):
        await talk.ask("GET", f"/Shows/{show}/{path}", **user)
    await talk.ask("GET", "/Shows/NextUp", **user)


async def exercise_playback(talk: Talk) -> None:
    """Reports of playback, and the session that they leave."""
    report = {
        "ItemId": talk.id_of("matrix"),
        "PositionTicks": 9_000_000_000,
        "CanSeek": True,
        "PlayMethod": "DirectPlay",
    }
    for tail in ("", "/Progress"):
        await talk.ask("POST", f"/Sessions/Playing{tail}", json=report)
    await talk.ask("GET", "/Sessions")
    await talk.ask("POST", "/Sessions/Playing/Stopped", json=report)
    await talk.ask("POST", "/Sessions/Playing/Ping", playSessionId="p")


async def exercise_modern(talk: Talk) -> None:
    """The routes that name the user in the query, from 10.9 on."""
    user, film = {"userId": talk.user}, talk.id_of("matrix")
    await talk.ask("GET", f"/Items/{film}", **user)
    await talk.ask("GET", f"/Items/{talk.id_of('bebop1')}", **user)
    await talk.ask("GET", f"/Items/{talk.id_of('bebop')}", **user)
    await talk.ask("GET", "/UserViews", **user)
    await talk.ask("GET", "/UserItems/Resume", **user)
    await talk.ask("GET", "/Items/Latest", **user)
    await talk.ask("GET", f"/UserItems/{film}/UserData", **user)
    await talk.ask(
        "POST", f"/UserItems/{film}/UserData", json={"Played": True, "PlayCount": 2, "Rating": 7.5}, **user
    )
    await talk.ask("POST", f"/UserPlayedItems/{film}", datePlayed="2020-01-02T03:04:05Z", **user)
    await talk.ask("DELETE", f"/UserPlayedItems/{film}", **user)
    for method in ("POST", "DELETE"):
        await talk.ask(method, f"/UserFavoriteItems/{film}", **user)
        await talk.ask(method, f"/UserItems/{film}/Rating", **user)
    await talk.ask("POST", f"/UserPlayedItems/{'0' * 31}2", **user)


async def exercise_old(talk: Talk) -> None:
    """The routes of 10.8, with the user in the path."""
    user, film = f"/Users/{talk.user}", talk.id_of("matrix")
    for item in ("matrix", "bebop1", "bebop"):
        await talk.ask("GET", f"{user}/Items/{talk.id_of(item)}")
    for path in ("/Views", "/Items/Resume", "/Items/Latest", "/Items"):
        await talk.ask("GET", f"{user}{path}")
    await talk.ask("POST", f"{user}/PlayedItems/{film}", datePlayed="2020-01-02T03:04:05Z")
    await talk.ask("DELETE", f"{user}/PlayedItems/{film}")
    for method in ("POST", "DELETE"):
        await talk.ask(method, f"{user}/FavoriteItems/{film}")
        await talk.ask(method, f"{user}/Items/{film}/Rating")


@pytest.mark.parametrize("version", SPECS)
async def test_the_makers_document_accepts_every_exchange(run_jellyfin: Run, version: str) -> None:
    """Paths, queries, statuses, content types and bodies fit the document of the version."""
    spec = truth_path("specs", f"jellyfin-openapi-{version}.json")
    async with run_jellyfin(make_world(version)) as talk:
        await exercise(talk)
    wrong = [
        text
        for seen in talk.seen
        for text in check(
            spec, seen.method, seen.url.path, dict(seen.url.query), seen.status, seen.content_type, seen.raw,
            tolerances=MEASURED,
        )
    ]  # fmt: skip
    assert sorted(set(wrong)) == []
    assert len(talk.seen) > 45
