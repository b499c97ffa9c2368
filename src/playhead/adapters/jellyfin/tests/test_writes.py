"""Every kind of write on every kind of earlier state, on the emulated Jellyfin."""

from __future__ import annotations

import pytest

from playhead.adapters._mediabrowser.tests.matrix import BEFORE, WRITES, check_write, make_world
from playhead.adapters.jellyfin.adapter import JellyfinBackend
from playhead.adapters.jellyfin.settings import JellyfinSettings
from playhead.sandbox.run import run_world


@pytest.mark.parametrize("version", ["10.11.11", "12.0.0"])
@pytest.mark.parametrize("before", BEFORE)
@pytest.mark.parametrize("name", WRITES)
async def test_a_write_does_what_is_wished_and_tells_the_truth(name: str, before: str, version: str) -> None:
    """The wish is fulfilled, the rest is kept, the receipt equals a fresh read, and twice is once."""
    async with run_world(make_world("jellyfin", version, before)) as box:
        settings = JellyfinSettings(url=box.url("home"))
        backend = JellyfinBackend(settings, box.server("home").admin_token, "anna", client_id="matrix")
        try:
            await check_write(box, backend, before, name)
        finally:
            await backend.close()
