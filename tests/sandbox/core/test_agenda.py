"""What is to happen later happens when the clock has let that much time pass."""

from __future__ import annotations

import asyncio
import threading

import pytest

from playhead.sandbox.clock import Clock


async def test_advance_carries_out_what_is_due_in_order() -> None:
    """Each at its own time, whatever the clock was moved by at once; what they order in turn as well."""
    clock, seen = Clock(), []
    clock.freeze(1_000)

    def again() -> None:
        seen.append(("again", clock.now()))
        clock.agenda.after(10, again)

    clock.agenda.after(5, lambda: seen.append(("late", clock.now())))
    clock.agenda.after(1, again)
    clock.advance(22)
    assert [name for name, _ in seen] == ["again", "late", "again", "again"]
    assert [at for _, at in seen] == pytest.approx([1_001, 1_005, 1_011, 1_021])
    assert clock.now() == 1_022


async def test_a_clock_that_stands_holds_everything_but_what_is_due_now() -> None:
    clock, seen = Clock(), []
    clock.freeze(1_000)
    clock.agenda.after(0.01, lambda: seen.append("later"))
    clock.agenda.after(0, lambda: seen.append("now"))
    await asyncio.sleep(0.05)
    assert seen == ["now"]


async def test_a_jump_to_a_date_lets_nothing_pass() -> None:
    """Or a reminder every ten seconds would come millions of times."""
    clock, seen = Clock(), []
    clock.freeze(1_000)
    clock.agenda.after(10, lambda: seen.append("due"))
    clock.freeze(2_000_000_000)
    assert not seen
    clock.advance(10)
    assert seen == ["due"]


async def test_a_running_clock_comes_to_it_by_itself() -> None:
    clock, seen = Clock(), asyncio.Event()
    clock.agenda.after(0.02, seen.set)
    taken_back = clock.agenda.after(0.0, lambda: pytest.fail("was taken back"))
    taken_back.cancel()
    await asyncio.wait_for(seen.wait(), 5)


async def test_an_entry_that_fails_does_not_stop_the_others() -> None:
    clock, seen = Clock(), []
    clock.freeze(1_000)

    def fail() -> None:
        raise RuntimeError("no")

    clock.agenda.after(1, fail)
    clock.agenda.after(2, lambda: seen.append("next"))
    with pytest.raises(RuntimeError):
        clock.advance(1)
    clock.advance(1)
    assert seen == ["next"]


async def test_entries_run_in_the_thread_of_their_loop() -> None:
    """Whichever thread moves the clock."""
    clock, seen = Clock(), asyncio.get_running_loop().create_future()
    clock.freeze(1_000)
    clock.agenda.after(60, lambda: seen.set_result(threading.current_thread()))
    other = threading.Thread(target=lambda: clock.advance(60))
    other.start()
    assert await asyncio.wait_for(seen, 5) is threading.main_thread()
    other.join()
