"""Files and locks: nothing half written, nobody twice at once."""

from __future__ import annotations

import asyncio
from pathlib import Path

from playhead.kit.files import one_by_one


async def test_turns_are_taken_one_by_one(tmp_path: Path) -> None:
    """Whoever waits for the lock does not keep the event loop, and nobody is in at the same time."""
    inside, most, turns = 0, 0, 0

    async def take_a_turn() -> None:
        nonlocal inside, most, turns
        async with one_by_one(tmp_path / "lock", look_every_s=0.001):
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside, turns = inside - 1, turns + 1

    await asyncio.gather(*(take_a_turn() for _ in range(20)))
    assert (most, turns) == (1, 20)
