"""What an emulated Sonarr imports into a real folder, emulated media servers on the same folder find by a scan."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import aiohttp

from playhead.sandbox.run import SandboxHandle, run_world
from playhead.sandbox.world import World, WorldItem, WorldLibrary, WorldServer, WorldUser

FILE = "/media/tv/Severance/Season 1/Severance - S01E01 - Part 1 WEBDL-1080p.mkv"


def make_world(folder: Path) -> World:
    """One folder, four servers, each with its own path to it."""
    items = [WorldItem(id="show", type="show", title="Severance", year=2022, ids={"tvdb": "371980"})]
    items.append(WorldItem(id="e1", type="episode", title="Part 1", show="show", season=1, episode=1))
    tv = WorldLibrary(title="TV", kind="shows", root="D:\\TV", folder=str(folder))
    shows = WorldLibrary(title="Shows", kind="shows", root="/media/tv", folder=str(folder))
    anna = WorldUser(name="anna", admin=True)
    return World(
        items=items,
        servers=[
            WorldServer(name="sonarr", kind="sonarr", items=[], libraries=[tv]),
            WorldServer(name="jellyfin", kind="jellyfin", libraries=[shows], users=[anna]),
            WorldServer(name="plex", kind="plex", libraries=[shows], users=[anna]),
        ],
    )


async def test_one_folder_many_servers(tmp_path: Path) -> None:
    """Sonarr on Windows puts it there, Jellyfin and Plex show it under their own path."""
    async with run_world(make_world(tmp_path)) as box, aiohttp.ClientSession() as http:
        box.server("sonarr").act("", "e1", "import", at=None, args={})
        key = {"Authorization": f'MediaBrowser Token="{box.server("jellyfin").admin_token}"'}
        async with http.post(f"{box.url('jellyfin')}/Library/Refresh", headers=key) as answer:
            assert answer.status == 204
        found = await wait_for(
            http, box, "/Items?Recursive=true&IncludeItemTypes=Episode&Fields=Path", "jellyfin", key
        )
        assert [each["Path"] for each in found["Items"]] == [FILE]
        key = {"X-Plex-Token": box.server("plex").admin_token, "Accept": "application/json"}
        async with http.get(f"{box.url('plex')}/library/sections/1/refresh", headers=key) as answer:
            assert answer.status == 200
        found = await wait_for(http, box, "/library/sections/1/all?type=4", "plex", key)
        [episode] = found["MediaContainer"]["Metadata"]
        assert episode["Media"][0]["Part"][0]["file"] == FILE


async def wait_for(
    http: aiohttp.ClientSession, box: SandboxHandle, path: str, name: str, key: dict[str, str]
) -> Any:
    """The list, once something is in it."""
    async with asyncio.timeout(20):
        while True:
            async with http.get(f"{box.url(name)}{path}", headers=key) as answer:
                body = await answer.json()
            if body.get("Items") or body.get("MediaContainer", {}).get("Metadata"):
                return body
            box.clock.advance(5)
