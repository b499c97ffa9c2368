"""Another project's recordings of a 12.1.0 server: what stands there for an item is what the emulator says, and no more."""

from __future__ import annotations

import json
from typing import Any

from tests.sandbox.jellyfin.conftest import Run, make_world
from tests.truth import truth_path


def recorded(name: str) -> Any:
    return json.loads(truth_path("recorded", "jellyfin", f"12.1.0-{name}.json").read_bytes())


async def test_public_information(run_jellyfin: Run) -> None:
    """The same keys and types."""
    async with run_jellyfin(make_world("12.1.0")) as talk:
        said = (await talk.ask("GET", "/System/Info/Public")).body
    told = recorded("system_info_public")
    assert {key: type(value) for key, value in said.items()} == {
        key: type(value) for key, value in told.items()
    }


async def test_a_lean_list(run_jellyfin: Run) -> None:
    """Asked without images an entry has no image tags but empty hashes, and whole user data."""
    film = recorded("items_userdata")["Items"][0]
    async with run_jellyfin(make_world("12.1.0")) as talk:
        lists = {
            "userId": talk.user,
            "recursive": "true",
            "includeItemTypes": "Movie",
            "enableImages": "false",
        }
        items = (await talk.ask("GET", "/Items", isPlayed="true", **lists)).body["Items"]
    said = next(item for item in items if item["Name"] == "La Luna")
    known_of_identified = {"PremiereDate"}
    assert set(said) - known_of_identified == set(film)
    assert set(said["UserData"]) - {"Likes", "Rating"} == set(film["UserData"])
