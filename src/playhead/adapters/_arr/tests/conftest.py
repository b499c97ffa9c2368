"""An emulated Sonarr or Radarr with its net, each test on both."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from playhead.adapters._arr.tests.rig import KINDS, Rig, run_rig


@pytest.fixture(params=KINDS)
async def rig(request: pytest.FixtureRequest) -> AsyncIterator[Rig]:
    async with run_rig(request.param) as rig:
        yield rig
