"""The tapes of a real Sonarr and Radarr, step by step: whatever differs is declared, with its reason."""

from __future__ import annotations

import re
from collections import Counter

import aiohttp
import pytest

from playhead.sandbox.run import run_world
from tests.sandbox.arr.differences import LOOSE, NOT_THERE, PLAYED, SKIPPED, STATE
from tests.sandbox.arr.tape import Player, Step, load_steps, make_world
from tests.sandbox.ear import listen

FILE = "El Camino A Breaking Bad Movie (2019) WEBDL-1080p.mkv"
LEAST = {"sonarr": 100, "radarr": 45}


@pytest.mark.parametrize("kind", PLAYED)
async def test_every_step_of_the_tapes_is_answered_alike(kind: str) -> None:
    """Status, content type, members and types; no declaration without need."""
    wrong: list[str] = []
    used: Counter[object] = Counter()
    alike = 0
    async with listen() as ear, run_world(make_world(kind)) as box, aiohttp.ClientSession() as http:
        if kind == "radarr":  # lay there when the tape began
            box.server(kind).act("", "m1", "put", at=None, args={"file": FILE})
        player = Player(http, box, kind, ear)
        for number in PLAYED[kind]:
            for index, step in enumerate(load_steps(kind, number)):
                if "request" not in step or index in SKIPPED.get((kind, number), ()):
                    continue
                found = [each for each in await player.play(step) if not is_loose(each, used)]
                alike += not found
                if found and not is_declared((kind, number, index), step, used):
                    wrong.append(f"{number} {index} {step['request']['path']}: {found}")
    assert wrong == []
    assert alike > LEAST[kind]
    unused = {key for key in STATE if key[0] == kind} - set(used)
    assert not unused, f"no longer needed: {unused}"


def is_loose(difference: str, used: Counter[object]) -> bool:
    """Whether it is of a kind that is declared for all steps."""
    for pattern in LOOSE:
        if re.fullmatch(pattern, difference):
            used[pattern] += 1
            return True
    return False


def is_declared(place: tuple[str, str, int], step: Step, used: Counter[object]) -> bool:
    """Whether this step, or its route, is declared."""
    asked = f"{step['request']['method']} {step['request']['path']}"
    if any(re.fullmatch(pattern, asked) for pattern in NOT_THERE):
        return True
    used[place] += 1
    return place in STATE
