"""A running sandbox of two tiny servers."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest

from playhead.sandbox.run import SandboxHandle, run_world
from playhead.sandbox.world import World, WorldItem, WorldServer
from tests.sandbox.core.tiny import TinyServer


@pytest.fixture
def world() -> World:
    return World(
        items=[WorldItem(id="m1", type="movie", title="One")],
        servers=[WorldServer(name="a", kind="emby"), WorldServer(name="b", kind="emby", clock_skew_s=3600)],
        now=1_700_000_000,
    )


@pytest.fixture
async def box(world: World) -> AsyncIterator[SandboxHandle]:
    async with run_world(world, factories={"emby": TinyServer}) as running:
        yield running


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session
