"""What every journey starts from."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from playhead.sandbox.run import run_world_in_thread
from playhead.sandbox.world import World
from tests.faces.conftest import Cli, cli, home
from tests.journeys.journey import Journey

__all__ = ["cli", "home"]

Travel = Callable[[World], Journey]


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """``later(600)``: ten minutes pass for the servers and for the hub, which both look at this process's clock."""
    real, passed = time.time, [0.0]
    monkeypatch.setattr(time, "time", lambda: real() + passed[0])

    def let_pass(seconds: float) -> None:
        passed[0] += seconds

    return let_pass


@pytest.fixture
def travel(cli: Cli, later: Callable[[float], None]) -> Iterator[Travel]:
    """``travel(world)``: start the servers; nothing is connected yet."""
    with ExitStack() as stack:
        yield lambda world: Journey(cli, stack.enter_context(run_world_in_thread(world)), later)
