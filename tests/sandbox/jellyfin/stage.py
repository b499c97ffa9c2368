"""A server over two real folders in which files come and go, for the tests of scans."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from playhead.sandbox.world import World, WorldItem, WorldLibrary, WorldServer, WorldState, WorldUser
from tests.judges.openapi import check
from tests.sandbox.jellyfin.conftest import Run, Talk
from tests.truth import truth_path

SHOW = "Breaking Bad (2008)"
FIRST = f"{SHOW}/Season 02/Breaking Bad - S02E01 - Seven Thirty-Seven.mkv"
ITEMS = [
    WorldItem(id="bad", type="show", title="Breaking Bad", year=2008, ids={"tvdb": "81189"}),
    *(
        WorldItem(
            id=f"s2e{n}", type="episode", title=f"Two {n}", show="bad", season=2, episode=n, ids={"tvdb": f"90{n}"}
        )
        for n in range(1, 6)
    ),
    WorldItem(id="matrix", type="movie", title="The Matrix", year=1999, ids={"tmdb": "603"}),
    WorldItem(id="sintel", type="movie", title="Sintel", year=2010, ids={"tmdb": "45745"}),
]  # fmt: skip
ALL = {"recursive": "true", "includeItemTypes": "Movie,Episode", "fields": "Path,ProviderIds"}
QUICK = {"monitor_s": 0.0, "scan_s": 0.0}


def put(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


class Stage:
    """A server that sees ``films`` as /media/movies and ``shows`` as /media/tv."""

    def __init__(self, talk: Talk, films: Path, shows: Path) -> None:
        self.talk = talk
        self.films = films
        self.shows = shows

    def local(self, path: str) -> Path:
        """Where a path of the server lies on this machine."""
        root, folder = (
            ("/media/tv", self.shows) if path.startswith("/media/tv") else ("/media/movies", self.films)
        )
        return folder / path[len(root) :].strip("/")

    async def items(self) -> dict[str, dict[str, Any]]:
        listed = (await self.talk.ask("GET", "/Items", userId=self.talk.user, **ALL)).body["Items"]
        return {each["Path"]: each for each in listed}

    async def report(self, *paths: str) -> None:
        body = {"Updates": [{"Path": path, "UpdateType": "Modified"} for path in paths]}
        assert (await self.talk.ask("POST", "/Library/Media/Updated", json=body)).status == 204

    async def task(self) -> dict[str, Any]:
        tasks = (await self.talk.ask("GET", "/ScheduledTasks")).body
        return next(dict(each) for each in tasks if each["Key"] == "RefreshLibrary")

    def act(self, what: str, **args: Any) -> None:
        self.talk.server.act("", "", what, at=None, args=args)


@asynccontextmanager
async def stage(
    run_jellyfin: Run,
    tmp_path: Path,
    version: str = "12.0.0",
    *,
    delays: dict[str, float] | None = None,
    tv: str = "/media/tv",
    webhooks: tuple[str, ...] = (),
) -> AsyncIterator[Stage]:
    films, shows = tmp_path / "films", tmp_path / "shows"
    put(films, "The Matrix (1999)/The Matrix (1999).mkv")
    put(shows, FIRST)
    server = WorldServer(
        name="jelly",
        kind="jellyfin",
        version=version,
        users=[WorldUser(name="ann", admin=True, state=[WorldState(item="matrix", watched=True)])],
        libraries=[
            WorldLibrary(title="Movies", kind="movies", folder=str(films), root="/media/movies"),
            WorldLibrary(title="Shows", kind="shows", folder=str(shows), root=tv),
        ],
        delays=QUICK if delays is None else delays,
        webhooks=list(webhooks),
    )
    async with run_jellyfin(World(items=ITEMS, servers=[server])) as talk:
        yield Stage(talk, films, shows)
        judge(talk, version)


def judge(talk: Talk, version: str) -> None:
    """Every exchange goes by the makers' document of that version, where the truth is there."""
    try:
        spec = truth_path("specs", f"jellyfin-openapi-{version}.json")
    except pytest.skip.Exception:
        return
    for seen in talk.seen:
        query = dict(seen.url.query)
        wrong = check(spec, seen.method, seen.url.path, query, seen.status, seen.content_type, seen.raw)
        assert [text for text in wrong if "status " not in text] == []
