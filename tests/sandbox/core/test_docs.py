"""Every example of docs/reference/sandbox.md runs."""

from __future__ import annotations

import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from playhead.sandbox.clock import Clock, SkewedClock
from playhead.sandbox.emby.emulator import DELAYS as EMBY_DELAYS
from playhead.sandbox.emby.emulator import QUIRKS as EMBY_QUIRKS
from playhead.sandbox.emby.emulator import EmbyServer
from playhead.sandbox.faults import AROUND, INSTEAD
from playhead.sandbox.jellyfin.emulator import DELAYS as JELLYFIN_DELAYS
from playhead.sandbox.jellyfin.emulator import QUIRKS as JELLYFIN_QUIRKS
from playhead.sandbox.jellyfin.emulator import JellyfinServer
from playhead.sandbox.plex.acts import Acts as PlexActs
from playhead.sandbox.plex.core import DELAYS as PLEX_DELAYS
from playhead.sandbox.plex.core import QUIRKS as PLEX_QUIRKS
from playhead.sandbox.plex.core import PlexCore
from playhead.sandbox.run import run_world
from playhead.sandbox.world import Placement, World, WorldServer

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "sandbox.md"
TEXT = PAGE.read_text()
PACKAGE = PAGE.parents[2] / "src" / "playhead" / "sandbox"
KNOWN_QUIRKS = {"plex": PLEX_QUIRKS, "jellyfin": JELLYFIN_QUIRKS, "emby": EMBY_QUIRKS}
KNOWN_DELAYS = {"plex": PLEX_DELAYS, "jellyfin": JELLYFIN_DELAYS, "emby": EMBY_DELAYS}
_BLOCK = re.compile(r"^```(\w+)(?: ([\w ]+))?\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(language: str, what: str) -> Iterator[tuple[list[str], str]]:
    """(further words of the fence, text) of each block of a kind, in order."""
    for found, words, text in _BLOCK.findall(TEXT):
        first, *rest = words.split() or [""]
        if (found, first) == (language, what):
            yield rest, text


def load_example() -> World:
    [(_, text)] = blocks("json", "world")
    return msgspec.json.decode(text, type=World)


async def post(http: aiohttp.ClientSession, url: str, body: str) -> Any:
    async with http.post(url, data=body) as response:
        answer = await response.json()
        assert response.status in (200, 201), answer
        return answer


async def get(http: aiohttp.ClientSession, url: str) -> Any:
    async with http.get(url) as response:
        return await response.json()


async def test_acts_clock_and_faults_of_the_page_are_taken(http: aiohttp.ClientSession) -> None:
    """In the order of the page, on the world of the page."""
    async with run_world(load_example()) as box:
        control = f"{box.control_url}/_sandbox"
        [(_, row)] = blocks("json", "row")
        rows = await get(http, f"{control}/state?server=plex&user=alice&item=matrix")
        assert rows == [msgspec.json.decode(row)]
        for what, route in (("act", "act"), ("clock", "clock"), ("fault", "faults")):
            for _, text in blocks("json", what):
                await post(http, f"{control}/{route}", text)
        told = await get(http, f"{control}/faults")
        assert len(told["faults"]) == len(list(blocks("json", "fault")))
        rows = await get(http, f"{control}/state?server=jellyfin&user=alice&item=e1")
        assert rows[0]["position_s"] == 900
        rows = await get(http, f"{control}/state?server=emby&user=alice&item=matrix")
        assert rows[0]["watched"] is True


async def test_the_start_line_has_the_keys_of_the_page() -> None:
    """All levels of it."""
    [(_, text)] = blocks("json", "startline")
    shown = msgspec.json.decode(text)
    async with run_world(load_example()) as box:
        line = box.start_line()
    assert list(line) == list(shown)
    assert list(line["servers"][0]) == list(shown["servers"][0])
    assert list(line["servers"][0]["users"][0]) == list(shown["servers"][0]["users"][0])


@pytest.mark.parametrize(
    ("kind", "text"), [(kind, text) for kinds, text in blocks("json", "placement") for kind in kinds]
)
async def test_each_placement_is_taken_by_its_servers(kind: str, text: str) -> None:
    """A server of that kind starts with it and still holds the item."""
    world, placement = load_example(), msgspec.json.decode(text, type=Placement)
    server = next(server for server in world.servers if server.kind == kind)
    server.placements, server.items, world.servers = [placement], "all", [server]
    async with run_world(world) as box:
        held = {row.item for row in box.server(kind).state_rows("alice")}
    assert (placement.item if placement.item != "show" else "e1") in held


@pytest.mark.parametrize(("kinds", "text"), list(blocks("json", "server")))
async def test_each_change_of_a_server_is_taken(kinds: list[str], text: str) -> None:
    """A server starts with the quirks, webhooks and delays of the page."""
    world, change = load_example(), msgspec.json.decode(text)
    server = next(server for server in world.servers if server.kind == kinds[0])
    world.servers = [msgspec.convert({**msgspec.to_builtins(server), **change}, WorldServer)]
    async with run_world(world) as box:
        assert box.server(kinds[0]).users()


def test_the_page_lists_every_fault_and_quirk() -> None:
    """Nothing that can be ordered is missing, nothing is listed that cannot."""
    faults = TEXT.partition("### Faults")[2].partition("## The emulated")[0]
    listed = set(re.findall(r"`(\w+)`", " ".join(re.findall(r"^\| (`.*?) \|", faults, re.MULTILINE))))
    assert listed == INSTEAD | AROUND
    quirks = TEXT.partition("### Quirks")[2].partition("### Webhooks")[0]
    for kind, known in KNOWN_QUIRKS.items():
        assert set(re.findall(rf"^\| {kind} \| `(\w+)`", quirks, re.MULTILINE)) == known


def test_the_page_lists_every_delay() -> None:
    """With the seconds that it has as real."""
    rows = re.findall(r"^\| ([\w, ]+) \| `(\w+_s)` \| .*? \| ([\d.]+) \|$", TEXT, re.MULTILINE)
    listed = {(kind, name): float(seconds) for kinds, name, seconds in rows for kind in kinds.split(", ")}
    known = {(kind, name): told for kind, delays in KNOWN_DELAYS.items() for name, told in delays.items()}
    assert listed == known


def test_a_delay_that_nobody_knows_is_refused() -> None:
    clock = SkewedClock(Clock(0))
    for place, make in enumerate((PlexCore, JellyfinServer, EmbyServer)):
        for delays, reason in (({"nonsense_s": 1.0}, "no delay nonsense_s"), ({"playing_s": -1.0}, "delay")):
            world = load_example()
            world.servers[place].delays = delays
            with pytest.raises(ValueError, match=reason):
                make(world, world.servers[place], clock)


def test_the_page_lists_every_act() -> None:
    """Those that a kind of server lacks say so."""
    acts = TEXT.partition("### Acts")[2].partition("### Clock")[0]
    rows = re.findall(r"^\| (`.*?) \| (.*) \|$", acts, re.MULTILINE)
    listed = {act: text for names, text in rows for act in re.findall(r"`(\w+)`", names)}
    world = load_example()
    clock = SkewedClock(Clock(0))
    known = {
        "plex": set(PlexActs(PlexCore(world, world.servers[0], clock)).known),
        "jellyfin": set(JellyfinServer(world, world.servers[1], clock).acts.known),
        "emby": set(EmbyServer(world, world.servers[2], clock).acts.known),
    }
    assert set(listed) == set().union(*known.values())
    for act, text in listed.items():
        lacking = {kind for kind, acts_known in known.items() if act not in acts_known}
        said = {"not on Plex": {"plex"}, "not on Emby": {"emby"}, "Jellyfin only": {"plex", "emby"}}
        said |= {"Plex only": {"jellyfin", "emby"}}
        told = next((kinds for words, kinds in said.items() if text.startswith(words)), set())
        assert lacking == told, act


def test_the_page_names_every_argument_of_an_act() -> None:
    """Whatever the emulators look at; other spellings of ``title`` are for the control side alone."""
    acts = TEXT.partition("### Acts")[2].partition("### Clock")[0]
    used: set[str] = set()
    for path in (
        PACKAGE / "player.py",
        PACKAGE / "library_args.py",
        *PACKAGE.glob("*/*acts.py"),
    ):
        source = path.read_text()
        used |= set(
            re.findall(r'args(?:\.get\(|\[)"(\w+)"', source) + re.findall(r'"(\w+)" (?:not )?in args', source)
        )
    missing = {name for name in used - {"to", "name"} if f"`{name}`" not in acts}
    assert len(used) > 10
    assert not missing


def test_a_quirk_that_nobody_knows_is_refused() -> None:
    """On each kind of server, with those that there are."""
    clock = SkewedClock(Clock(0))
    for place, make in enumerate((PlexCore, JellyfinServer, EmbyServer)):
        world = load_example()
        world.servers[place].quirks = {"nonsense": True}
        with pytest.raises(ValueError, match="no quirk nonsense"):
            make(world, world.servers[place], clock)


@pytest.mark.parametrize("command", [line for _, text in blocks("sh", "") for line in text.splitlines()])
def test_each_command_of_the_page_starts(command: str, tmp_path: Path) -> None:
    """And ends with 0 when told to."""
    world = tmp_path / "world.json"
    world.write_bytes(msgspec.json.encode(load_example()))
    program, name, *args = shlex.split(command.replace("WORLD.json", str(world)))
    assert (program, name) == ("playhead", "sandbox")
    started = [sys.executable, "-m", "playhead.sandbox", *args, *([] if "--json" in args else ["--json"])]
    process = subprocess.Popen(started, stdout=subprocess.PIPE)
    assert process.stdout is not None
    line = msgspec.json.decode(process.stdout.readline())
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert (process.returncode, [server["kind"] for server in line["servers"]]) == (
        0,
        ["plex", "jellyfin", "emby"],
    )
