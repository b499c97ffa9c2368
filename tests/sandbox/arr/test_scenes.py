"""Imports, renames and losses as the tapes tell them: after each of them the same posts, in the same order, of the same files.

The real ones looked into the files, which were tiny: their qualities are told by the names here, and left out of the comparison.
"""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

import aiohttp

from playhead.sandbox.run import run_world
from tests.sandbox.arr.conftest import Talk
from tests.sandbox.arr.tape import Step, load_steps, make_world
from tests.sandbox.ear import Ear, listen, wait_until

_QUALITY = re.compile(r" (?:SDTV|(?:HDTV|WEBDL|Bluray)-\d+p)(?=\.)")


class Scene(NamedTuple):
    """A step of a tape; before it ``put`` files lie on the disk, and ``lost`` are gone."""

    step: int
    put: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()


DOWN = "/srv/downloads"
SONARR = (
    Scene(5, (f"{DOWN}/Breaking.Bad.S01E05.720p.HDTV.x264-GRP/Breaking.Bad.S01E05.720p.HDTV.x264-GRP.mkv",)),
    Scene(
        9, (f"{DOWN}/Breaking.Bad.S01E05.720p.WEB-DL.x264-NEW/Breaking.Bad.S01E05.720p.WEB-DL.x264-NEW.mkv",)
    ),
    Scene(13, (f"{DOWN}/Breaking.Bad.S01E05.480p.SDTV-OLD/Breaking.Bad.S01E05.480p.SDTV-OLD.mkv",)),
    Scene(
        18, (f"{DOWN}/Breaking.Bad.S01E06-E07.1080p.WEB-DL-GRP/Breaking.Bad.S01E06-E07.1080p.WEB-DL-GRP.mkv",)
    ),
    Scene(
        22,
        tuple(
            f"{DOWN}/Breaking.Bad.S01.720p.WEB-DL-PACK/Breaking.Bad.S01E0{n}.720p.WEB-DL-PACK.mkv"
            for n in (1, 2)
        ),
    ),
    Scene(26, (f"{DOWN}/Unknown.Show.S01E01.720p.WEB-DL-X/Unknown.Show.S01E01.720p.WEB-DL-X.mkv",)),
)
RELOADED = "/srv/movies/The Matrix Reloaded (2003)/The Matrix Reloaded (2003)"
RADARR = (
    Scene(36),
    Scene(40),
    *(
        Scene(step, (f"{DOWN}/rad/{name}/{name}.mkv",))
        for step, name in (
            (49, "The.Matrix.Reloaded.2003.720p.HDTV.x264-A"),
            (54, "The.Matrix.Reloaded.2003.1080p.BluRay.x264-B"),
            (60, "The.Matrix.Reloaded.2003.480p.DVD.x264-C"),
            (64, "El.Camino.A.Breaking.Bad.Movie.2019.2160p.BluRay.x265-BIG"),
        )
    ),
    Scene(71),
    Scene(76, lost=(f"{RELOADED} Bluray-1080p.mkv",)),
    Scene(86),
    Scene(88),
)
AT_FIRST = {
    "sonarr": {
        "s1": (
            "Season 1/Breaking Bad - S01E01 - Pilot SDTV.mkv",
            "Season 1/Breaking Bad - S01E02 - Cat's in the Bag SDTV.mkv",
        )
    },
    "radarr": {
        "m1": ("El Camino A Breaking Bad Movie (2019) WEBDL-1080p.mkv",),
        "m2": ("Cowboy Bebop The Movie (2001) Bluray-1080p.mkv",),
        "m3": ("The.Matrix.1999.1080p.BluRay.x264-GRP.mkv",),
    },
}


def summary(body: dict[str, Any]) -> list[Any]:
    """What a post says: kind, reason, files without their qualities."""
    file = body.get("episodeFile") or body.get("movieFile") or {}
    gone = body.get("deletedFiles")
    renamed = body.get("renamedEpisodeFiles") or body.get("renamedMovieFiles") or []
    return [
        body["eventType"],
        body.get("deleteReason"),
        body.get("isUpgrade"),
        file.get("path"),
        file.get("sourcePath"),
        [each["path"] for each in gone] if isinstance(gone, list) else gone,
        [(each["previousPath"], each["path"]) for each in renamed],
        [(each["seasonNumber"], each["episodeNumber"]) for each in body.get("episodes", [])],
    ]


def plain(told: list[Any]) -> Any:
    return json.loads(_QUALITY.sub("", json.dumps(told)))


def posts_after(steps: list[Step], index: int) -> list[dict[str, Any]]:
    """What the tape caught between a step that changes something and the next of those."""
    found: list[dict[str, Any]] = []
    for step in steps[index + 1 :]:
        if "request" in step and step["request"]["method"] != "GET":
            break
        found += [caught["body"] for caught in step.get("webhooks", ())]
    return found


async def play(kind: str, number: str, scenes: tuple[Scene, ...]) -> list[str]:
    """The scenes whose posts differ."""
    steps, wrong = load_steps(kind, number), []
    async with listen() as ear, aiohttp.ClientSession() as http:
        world = make_world(kind)
        world.servers[0].webhooks = [f"{ear.url}/hook"]
        async with run_world(world) as box:
            talk = Talk(http, box, kind)
            if kind == "radarr":  # its folder was there before Radarr was
                talk.act("move_folder", "m1", to="/srv/movies/El Camino A Breaking Bad Movie (2019)")
            for item, files in AT_FIRST[kind].items():
                for file in files:
                    talk.act("put", item, file=file)
                talk.act("rescan", item)
            for scene in scenes:
                wrong += await play_scene(talk, ear, steps, scene)
    return wrong


async def play_scene(talk: Talk, ear: Ear, steps: list[Step], scene: Scene) -> list[str]:
    disk = talk.server.library.disk
    for path in scene.put:
        disk.put(path, 1000)
    for path in scene.lost:
        assert disk.exists(path)
        disk.remove(path)
    request, wanted = steps[scene.step]["request"], posts_after(steps, scene.step)
    if request["path"].endswith("/command"):
        body = dict(request["body"])
        told = await talk.command(body.pop("name"), **body)
        recorded = steps[scene.step + 1]["response"]["body"]
        assert (told["status"], told["result"]) == (recorded["status"], recorded["result"]), scene
    else:
        path = request["path"].removeprefix("/api/v3")
        answer = await talk.ask(request["method"], path, **request.get("query") or {})
        assert answer.status == 200
    await wait_until(lambda: talk.posts.waiting == 0)
    got = [plain(summary(post.json())) for post in ear.posts]
    ear.posts.clear()
    expected = [plain(summary(body)) for body in wanted]
    return [] if got == expected else [f"step {scene.step}: {got}, not {expected}"]


async def test_imports_of_a_real_sonarr_come_out_alike() -> None:
    """A new file, an upgrade, a worse one, a double episode, a pack, an unknown series."""
    assert await play("sonarr", "09", SONARR) == []


async def test_the_life_of_movies_comes_out_alike() -> None:
    """Renamed by one command and the other, imported, upgraded, a worse one, deleted, lost, taken off with and without files."""
    assert await play("radarr", "03", RADARR) == []
