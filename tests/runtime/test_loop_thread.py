"""A part of the hub in a thread of its own: it is told when it breaks, begins anew, and ends when it is told to."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from playhead.runtime import loop_thread
from playhead.runtime.loop_thread import WORKING, LoopThread

LONGEST_S = 30.0


class Part(LoopThread):
    """Breaks as often as it is told to, then works until it is cut off."""

    def __init__(self, breaks: int) -> None:
        super().__init__("part")
        self.breaks = breaks
        self.at_work = threading.Event()

    async def work(self) -> None:
        if self.breaks:
            self.breaks -= 1
            raise OSError("the disk is gone")
        self.state = WORKING
        self.at_work.set()
        await asyncio.Event().wait()


@pytest.fixture
def part(monkeypatch: pytest.MonkeyPatch) -> Iterator[Part]:
    monkeypatch.setattr(loop_thread, "BROKEN_WAIT_S", 0.0)
    part = Part(breaks=2)
    yield part
    part.stopping.set()
    part.cut_off()
    assert part.join(LONGEST_S)


def test_work_that_breaks_begins_anew(part: Part) -> None:
    """Twice the disk is gone; then it works."""
    part.start()
    assert part.at_work.wait(LONGEST_S)
    assert (part.state, part.breaks) == (WORKING, 0)


def test_what_breaks_it_stands_in_its_state(part: Part, monkeypatch: pytest.MonkeyPatch) -> None:
    """For ``/readyz``; while it rests it can be told to end."""
    monkeypatch.setattr(loop_thread, "BROKEN_WAIT_S", LONGEST_S)
    part.start()
    while part.state == "starting":
        assert not part.join(0.01)
    assert part.state == "OSError: the disk is gone"
    part.stopping.set()
    assert part.join(LONGEST_S)


def test_it_can_be_called_while_it_works_and_not_after(part: Part) -> None:
    """A call from any thread arrives in its own; once it has ended a call is nothing."""
    part.call(pytest.fail, "it has not begun")
    part.start()
    assert part.at_work.wait(LONGEST_S)
    called: list[str] = []
    arrived = threading.Event()
    part.call(called.append, "x")
    part.call(arrived.set)
    assert arrived.wait(LONGEST_S) and called == ["x"]
    part.stopping.set()
    part.cut_off()
    assert part.join(LONGEST_S)
    part.call(pytest.fail, "it has ended")
    assert part.loop is None


def test_one_that_never_began_has_ended() -> None:
    """So that whoever takes it down need not know."""
    assert Part(0).join(LONGEST_S)
