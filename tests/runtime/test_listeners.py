"""A listener keeps a line open: what it hears is stored, what breaks is opened again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from unittest.mock import Mock

import msgspec
import pytest

from playhead.ports.errors import TokenRefused, Unauthorized
from playhead.ports.events import Event, Heard
from playhead.ports.inbox import NewEvent
from playhead.runtime.listeners import Listener

MISSED = Event("socket", Heard.missed, "open")
PLAY = Event("socket", Heard.playing, "playing", ("7",))


class Wire:
    """A line that yields what it is given and then does as told."""

    def __init__(self, events: Sequence[Event], end: Exception | None) -> None:
        self.events = events
        self.end = end
        self.closed = False

    async def listen(self) -> AsyncIterator[Event]:
        for event in self.events:
            yield event
        if self.end is not None:
            raise self.end
        await asyncio.Event().wait()

    async def close(self) -> None:
        self.closed = True


class Ear:
    """What a listener stored and noted."""

    def __init__(self, wires: Sequence[Wire]) -> None:
        self.wires = list(wires)
        self.opened: list[Wire] = []
        self.stored: list[NewEvent] = []
        self.noted: list[bool] = []

    def open_line(self) -> Wire:
        self.opened.append(self.wires[len(self.opened)])
        return self.opened[-1]

    async def put(self, events: Sequence[NewEvent]) -> None:
        self.stored += events

    def note(self, _connection: str, is_open: bool) -> None:
        self.noted.append(is_open)


@asynccontextmanager
async def listening(ear: Ear, user_id: str | None = None) -> AsyncIterator[Listener]:
    listener = Listener(
        "Den", 3, ear.open_line, ear.put, ear.note, user_id=user_id, first_wait_s=0.01, look_again_s=0.02
    )
    running = asyncio.create_task(listener.run())
    yield listener
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 - nothing to wait on from outside
            await asyncio.sleep(0.005)


async def test_what_is_heard_is_stored_for_its_connection() -> None:
    """In its order; the state says open."""
    ear = Ear([Wire([MISSED, PLAY], None)])
    async with listening(ear) as listener:
        await until(lambda: len(ear.stored) == 2)
        assert listener.state == "open"
    assert [(new.connection_id, new.event) for new in ear.stored] == [(3, MISSED), (3, PLAY)]
    assert ear.opened[0].closed


async def test_a_broken_line_is_opened_again() -> None:
    """Whatever broke it, a fault of the adapter included; each old one is closed. It is said when the last one was heard."""
    ear = Ear(
        [
            Wire([MISSED, PLAY], Unauthorized("The token is refused.")),
            Wire([], KeyError("oops")),
            Wire([MISSED], None),
        ]
    )
    async with listening(ear) as listener:
        await until(lambda: len(ear.stored) == 3)
        assert listener.state == "open"
        assert ear.noted == [True, False, False, True]
    first, play, again = (new.event for new in ear.stored)
    assert (first, play) == (MISSED, PLAY)
    assert again.at is not None and again == msgspec.structs.replace(MISSED, at=again.at)
    assert all(wire.closed for wire in ear.opened)
    assert ear.noted[-1] is False


async def test_the_state_says_what_is_wrong() -> None:
    """For /readyz and the log."""
    ear = Ear([Wire([], Unauthorized("The token is refused.", hint="Sign in again."))] * 50)
    async with listening(ear) as listener:
        await until(lambda: len(ear.opened) > 1)
        assert listener.state == "The token is refused. Sign in again."
    assert ear.stored == []


async def test_a_refused_token_is_told_once_and_waited_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each try is a look whether there is another token by now; no word of it but the first."""
    log = Mock()
    monkeypatch.setattr("playhead.runtime.listeners.log", log)
    first = TokenRefused("Plex does not take it any more.", hint="Sign in again.")
    known = TokenRefused("Plex does not take it any more.", hint="Sign in again.", told=True)
    ear = Ear([Wire([MISSED], first), *[Wire([], known) for _ in range(3)], Wire([MISSED], None)])
    async with listening(ear) as listener:
        await until(lambda: len(ear.stored) == 2)
        assert listener.state == "open"
    told = "Plex does not take it any more. Sign in again."
    log.warning.assert_called_once_with("not listening", connection="Den", error=told)


async def test_a_line_of_one_login_tells_of_that_login_alone() -> None:
    """What names nobody is about it; what names another login is heard elsewhere."""
    own = Event("socket", Heard.state, "x", ("7",), user_id="bob")
    other = Event("socket", Heard.playing, "x", ("7",), user_id="alice")
    ear = Ear([Wire([MISSED, own, other, MISSED], None)])
    async with listening(ear, "bob"):
        await until(lambda: len(ear.stored) == 3)
    assert [new.event.user_id for new in ear.stored] == ["bob", "bob", "bob"]
    assert Event("socket", Heard.missed, "open", user_id="bob") == ear.stored[0].event
