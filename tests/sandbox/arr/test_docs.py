"""What docs/reference/sandbox.md says of the emulated Sonarr and Radarr runs, and nothing is missing."""

from __future__ import annotations

import re
from pathlib import Path

import aiohttp
import msgspec
import pytest

import playhead.sandbox.arr as package
from playhead.sandbox.run import run_world
from playhead.sandbox.world import World

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "sandbox.md"
SECTION = PAGE.read_text().partition("## The emulated Sonarr and Radarr")[2].partition("\n## ")[0]
WORLD, ACT = (re.findall(rf"```json {word}\n(.*?)```", SECTION, re.DOTALL)[0] for word in ("arr", "arract"))


async def test_the_example_runs() -> None:
    """The world starts, and the act is taken by the control side."""
    async with run_world(msgspec.json.decode(WORLD, type=World)) as box, aiohttp.ClientSession() as http:
        async with http.post(f"{box.control_url}/_sandbox/act", data=ACT) as answer:
            assert answer.status == 200, await answer.text()
        async with http.get(f"{box.control_url}/_sandbox/world") as answer:
            told = (await answer.json())["servers"]
        assert [(each["kind"], each["users"]) for each in told] == [("sonarr", []), ("radarr", [])]
        headers = {"X-Api-Key": told[0]["admin_token"]}
        async with http.get(f"{told[0]['url']}/api/v3/series/1", headers=headers) as answer:
            assert (await answer.json())["statistics"]["episodeFileCount"] == 2


def test_the_page_lists_every_act_and_argument() -> None:
    """As a row, or named in one."""
    source = (Path(package.__path__[0]) / "orders.py").read_text()
    known = set(re.findall(r'^            "(\w+)": self\._\w+,$', source, re.MULTILINE))
    used = set(re.findall(r'args(?:\.get\(|\[)"(\w+)"', source)) | set(re.findall(r'"(\w+)" in args', source))
    rows = re.findall(r"^\| (`.*?) \|", SECTION, re.MULTILINE)
    assert {act for names in rows for act in re.findall(r"`(\w+)`", names)} == known
    assert len(known) == 15
    missing = {name for name in used if f"`{name}`" not in SECTION}
    assert not missing


@pytest.mark.parametrize("change", [{"quirks": {"nonsense": True}}, {"delays": {"nonsense_s": 1}}])
async def test_a_quirk_or_delay_that_nobody_knows_is_refused(change: dict[str, object]) -> None:
    """With those that there are."""
    world = msgspec.json.decode(WORLD, type=World)
    for name, value in change.items():
        setattr(world.servers[0], name, value)
    with pytest.raises(ValueError, match="nonsense.*(no_files|command_s)"):
        async with run_world(world):
            pass
