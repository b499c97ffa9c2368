"""Recorded posts and answers judge the emulators': the same members of the same types."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.sandbox.arr.conftest import Talk
from tests.sandbox.ear import Ear, wait_until
from tests.truth import truth_path

FOLDERS = {"sonarr": "v5-develop-49df353-real", "radarr": "6.0-1b9662d-real"}
# Members that a recorded thing has, or lacks, because of what it is: names, groups and pictures of that very file or show.
BY_CHANCE = {
    "releaseGroup",
    "sceneName",
    "imdbId",
    "downloadId",
    "downloadClient",
    "downloadClientType",
    "sourcePath",
}


def shape(value: Any, place: str = "") -> set[str]:
    """Every member with its type; of lists the members of all entries."""
    if isinstance(value, dict):
        inner = {
            each
            for name, part in value.items()
            if name not in BY_CHANCE
            for each in shape(part, f"{place}.{name}")
        }
        return inner or {f"{place} object"}
    if isinstance(value, list):
        return {each for part in value for each in shape(part, f"{place}[]")}
    kind = (
        "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__
    )
    return {f"{place} {kind}"}


def kind_of(body: dict[str, Any]) -> str:
    more = "episodeFiles" in body, body.get("isUpgrade"), body.get("deleteReason")
    return f"{body['eventType']} {more}"


async def run_through(talk: Talk) -> None:
    """Each kind of post once, of a show or movie with a tag."""
    word = "series" if talk.name == "sonarr" else "movie"
    await talk.ask("POST", "/tag", {"label": "linked"})
    await talk.ask("PUT", f"/{word}/editor", {f"{word}Ids": [1] if word == "series" else [1, 2], "tags": [1]})
    talk.act("grab", "e11" if talk.name == "sonarr" else "alien")
    talk.act("import", "e23" if talk.name == "sonarr" else "moon", download="bh_1")
    talk.act("import", "e12" if talk.name == "sonarr" else "arrival", quality="2160p.BluRay")
    talk.act("rename", "e13" if talk.name == "sonarr" else "alien", to="Season 1/new.mkv")
    talk.act("lose", "e11" if talk.name == "sonarr" else "alien")
    await talk.command("RescanSeries" if talk.name == "sonarr" else "RescanMovie")
    talk.act("delete_file", "e21" if talk.name == "sonarr" else "moon")
    talk.act("health")
    talk.act("restored")
    await talk.ask("POST", "/notification/testall", {})
    talk.act("delete", "show" if talk.name == "sonarr" else "moon", files=True)
    talk.act("add", "show" if talk.name == "sonarr" else "moon")


@pytest.mark.parametrize("name", FOLDERS)
async def test_every_kind_of_post_has_the_recorded_members(
    name: str, sonarr: Talk, radarr: Talk, ear: Ear
) -> None:
    """No member more or less than the recorded posts of that kind have."""
    path = truth_path("recorded", name, FOLDERS[name], "webhooks-all.json")
    recorded: dict[str, set[str]] = {}
    for capture in json.loads(path.read_bytes())["captures"]:
        recorded.setdefault(kind_of(capture["body"]), set()).update(shape(capture["body"]))
    talk = {"sonarr": sonarr, "radarr": radarr}[name]
    await run_through(talk)
    await wait_until(lambda: talk.posts.waiting == 0)
    ours: dict[str, set[str]] = {}
    for post in ear.posts:
        ours.setdefault(kind_of(post.json()), set()).update(shape(post.json()))
    unasked = {"ManualInteractionRequired (False, None, None)"}
    if name == "radarr":  # not among its recorded posts of this file
        unasked |= set(ours) & {"Health (False, None, None)", "HealthRestored (False, None, None)"}
        ours = {kind: told for kind, told in ours.items() if kind in recorded}
    assert set(recorded) - set(ours) <= unasked
    loose = (".images", "Ids[]", ".tags[]", ".finaleType")  # as many as that very show has
    pictures = {
        each
        for told in [*recorded.values(), *ours.values()]
        for each in told
        if any(w in each for w in loose)
    }
    wrong = {
        kind: sorted((told ^ recorded[kind]) - pictures)
        for kind, told in ours.items()
        if kind in recorded and (told ^ recorded[kind]) - pictures
    }
    assert wrong == {}
