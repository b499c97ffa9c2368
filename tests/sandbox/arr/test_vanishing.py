"""Folders and disks that vanish and come back, as tape 06 of a real Sonarr tells it: its posts and its files at each point."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from playhead.sandbox.run import run_world
from tests.sandbox.arr.conftest import Talk
from tests.sandbox.arr.tape import Step, load_steps, make_world
from tests.sandbox.arr.test_scenes import posts_after
from tests.sandbox.ear import Ear, listen, wait_until

FOLDER, OTHER = "/srv/tv/Breaking Bad", "/srv/tv/Cowboy Bebop/x.mkv"


class Tape:
    """The tape beside an emulated Sonarr that knows the same files."""

    def __init__(self, talk: Talk, ear: Ear, steps: list[Step]) -> None:
        self.talk, self.ear, self.steps = talk, ear, steps
        self.disk: Any = talk.server.library.disk
        self.known = self.listed(4)

    def listed(self, step: int) -> list[str]:
        return [each["relativePath"] for each in self.steps[step]["response"]["body"]]

    def take(self, files: list[str]) -> None:
        for file in files:
            self.disk.remove(f"{FOLDER}/{file}")

    def put(self, files: list[str]) -> None:
        for file in files:
            self.disk.put(f"{FOLDER}/{file}", 13_103_738)

    async def rescan(self, command: int, files: int) -> None:
        """The command at a step: its end, its posts, and the files that are listed afterwards, are the tape's."""
        told = await self.talk.command("RescanSeries", seriesId=1)
        recorded = self.steps[command + 1]["response"]["body"]
        names = ("status", "result", "message")
        assert [told.get(name) for name in names] == [recorded.get(name) for name in names]
        await wait_until(lambda: self.talk.posts.waiting == 0)
        posts = [post.json() for post in self.ear.posts]
        self.ear.posts.clear()
        wanted = posts_after(self.steps, command)
        assert [_told(body) for body in posts] == [_told(body) for body in wanted]
        ours = [each["relativePath"] for each in await self.talk.get("/episodefile", seriesId="1")]
        assert set(ours) == set(self.listed(files))


def _told(body: dict[str, Any]) -> tuple[str, str, str]:
    return body["eventType"], body["deleteReason"], body["episodeFile"]["path"]


@pytest.fixture
async def tape() -> AsyncIterator[Tape]:
    """Its files are known in the order of the tape."""
    steps, world = load_steps("sonarr", "06"), make_world("sonarr")
    async with listen() as ear, aiohttp.ClientSession() as http:
        world.servers[0].webhooks = [f"{ear.url}/hook"]
        async with run_world(world) as box:
            tape = Tape(Talk(http, box, "sonarr"), ear, steps)
            for file in tape.known:
                tape.put([file])
                tape.talk.act("rescan", "s1")
            yield tape


async def test_what_vanishes_and_comes_back(tape: Tape) -> None:
    """A season's folder, the series' folder in a root that is empty and in one that is not, the root itself."""
    season = [file for file in tape.known if file.startswith("Season 0/")]
    tape.take(season)
    await tape.rescan(5, 9)
    tape.put(season)
    await tape.rescan(10, 14)
    tape.take(tape.known)
    await tape.rescan(15, 19)  # the root is empty: nothing is believed
    tape.disk.put(OTHER, 1)
    await tape.rescan(20, 24)  # it is not: a post for each file
    tape.put(tape.known)
    await tape.rescan(31, 35)  # all back, and not a word
    tape.disk.offline.add("/srv/tv")
    await tape.rescan(42, 46)
    assert (await tape.talk.get("/rootfolder"))[0] == tape.steps[47]["response"]["body"][0]
    tape.disk.offline.clear()
    await tape.rescan(56, 60)
