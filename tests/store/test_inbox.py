"""The inbox: what was put is there after a kill, in order, until it is ended; counted once, and forgotten in the end."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from playhead.ports.errors import PlayheadError
from playhead.ports.events import Event, Heard
from playhead.ports.inbox import Ended, Fate, NewEvent
from playhead.store.database import StoreError
from playhead.store.inbox import KEEP_ENDED_S, KEPT_UNMATCHED, SqlInbox, read_unmatched

NOW = 1_700_000_000.0

PUT_FOR_EVER = """
import sys
from pathlib import Path
from playhead.ports.events import Event, Heard
from playhead.ports.inbox import NewEvent
from playhead.store.inbox import SqlInbox
inbox = SqlInbox(Path(sys.argv[1]))
n = 0
while True:
    pair = [NewEvent(1, Event("webhook", Heard.marked, "e", (str(n + i),)), 0.0) for i in (0, 1)]
    inbox.put(pair)
    n += 2
    print(n, flush=True)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "inbox.db"


@pytest.fixture
def inbox(path: Path) -> Iterator[SqlInbox]:
    inbox = SqlInbox(path)
    yield inbox
    inbox.close()


def heard(item: str, *, user: str | None = None, connection: int = 1, name: str = "play") -> NewEvent:
    event = Event("webhook", Heard.marked, name, (item,), user_name=user, at=5, position_s=7)
    return NewEvent(connection, event, NOW)


def items(inbox: SqlInbox, *, now: float = NOW) -> list[str]:
    return [waiting.event.native_ids[0] for waiting in inbox.take(1_000_000, now)]


def test_an_event_comes_out_as_it_went_in(inbox: SqlInbox) -> None:
    """Every member of it."""
    new = heard("7", user="ann", connection=3)
    inbox.put([new])
    [waiting] = inbox.take(10, NOW)
    assert (waiting.connection_id, waiting.event, waiting.received_at) == (3, new.event, NOW)
    assert waiting.attempts == 0


def test_events_come_in_their_order_until_they_are_ended(inbox: SqlInbox) -> None:
    """The oldest first, no more than asked for, the same again."""
    inbox.put([heard("a"), heard("b")])
    inbox.put([heard("c")])
    assert [w.event.native_ids[0] for w in inbox.take(2, NOW)] == ["a", "b"]
    first, second = inbox.take(2, NOW)
    inbox.end([Ended(first.id, Fate.done)], NOW)
    assert items(inbox) == ["b", "c"]
    assert inbox.count_waiting() == 2
    assert second.event.native_ids == ("b",)


def test_what_was_told_as_stored_survives_kill_9(path: Path) -> None:
    """A process that is killed between two puts, or in one, loses nothing that returned and leaves no half of one."""
    for _ in range(3):
        path.unlink(missing_ok=True)
        command = [sys.executable, "-c", PUT_FOR_EVER, str(path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            for _ in range(40):
                told = int(child.stdout.readline())
            os.kill(child.pid, signal.SIGKILL)
            told = max([told, *(int(line) for line in child.stdout.read().split())])
        inbox = SqlInbox(path)
        found = items(inbox)
        assert found == [str(n) for n in range(len(found))]
        assert told <= len(found) <= told + 2
        assert len(found) % 2 == 0
        inbox.close()
        for rest in path.parent.glob("inbox.db-*"):
            rest.unlink()


def test_a_failed_event_is_due_again_later(inbox: SqlInbox) -> None:
    """It does not keep the others waiting, those never tried go first, its tries are counted, and it counts as one event when
    it is over."""
    inbox.put([heard("a"), heard("b")])
    first = inbox.take(1, NOW)[0]
    inbox.end([Ended(first.id, Fate.failed, "down", NOW + 30)], NOW)
    assert items(inbox) == ["b"]
    assert items(inbox, now=NOW + 30) == ["a", "b"]
    assert inbox.take(1, NOW + 30)[0].event.native_ids == ("b",)
    assert inbox.take(2, NOW + 30)[0].attempts == 1
    assert inbox.count_fates() == {}
    assert inbox.next_due() == 0.0
    inbox.end([Ended(first.id + 1, Fate.done)], NOW)
    assert inbox.next_due() == NOW + 30
    inbox.end([Ended(first.id, Fate.done)], NOW + 30)
    assert inbox.count_fates() == {("webhook", "play", "done"): 2}
    assert inbox.next_due() is None


def test_an_event_is_counted_once_however_often_it_is_ended(inbox: SqlInbox, path: Path) -> None:
    """By source, the server's own name, and fate; also after a restart."""
    inbox.put([heard("a"), heard("b", name="stop")])
    a, b = inbox.take(2, NOW)
    inbox.end([Ended(a.id, Fate.nothing), Ended(b.id, Fate.failed)], NOW)
    inbox.end([Ended(a.id, Fate.done)], NOW)
    inbox.close()
    again = SqlInbox(path)
    assert again.count_fates() == {("webhook", "play", "nothing"): 1, ("webhook", "stop", "failed"): 1}
    assert again.count_waiting() == 0


def test_what_is_over_is_forgotten_after_a_week(inbox: SqlInbox, path: Path) -> None:
    """Its count stays."""
    inbox.put([heard("old"), heard("new"), heard("waits")])
    old, new, _ = inbox.take(3, NOW)
    inbox.end([Ended(old.id, Fate.done)], NOW)
    inbox.end([Ended(new.id, Fate.done)], NOW + KEEP_ENDED_S + 1)
    assert stored(path) == ["new", "waits"]
    assert inbox.count_fates() == {("webhook", "play", "done"): 2}


def test_unmatched_events_are_kept_the_newest_of_each_login(inbox: SqlInbox, path: Path) -> None:
    """One who plays much does not push out another, and neither fills the disk."""
    many = [heard(str(n), user="busy") for n in range(KEPT_UNMATCHED + 5)]
    inbox.put([heard("once", user="rare"), *many])
    waiting = inbox.take(1_000, NOW)
    inbox.end([Ended(each.id, Fate.unmatched) for each in waiting], NOW)
    inbox.end([], NOW + 10 * KEEP_ENDED_S)
    assert stored(path) == ["once", *(str(n) for n in range(5, KEPT_UNMATCHED + 5))]


def stored(path: Path) -> list[str]:
    import msgspec

    with sqlite3.connect(path) as connection:
        bodies = connection.execute("SELECT body FROM event ORDER BY id").fetchall()
    return [msgspec.msgpack.decode(body, type=Event).native_ids[0] for (body,) in bodies]


def test_threads_put_take_and_end_at_once(inbox: SqlInbox) -> None:
    """Nothing is lost, doubled or out of order while one puts and another ends."""
    total, seen = 400, []

    def put() -> None:
        for n in range(total):
            inbox.put([heard(str(n))])

    putting = threading.Thread(target=put)
    putting.start()
    while len(seen) < total:
        waiting = inbox.take(50, NOW)
        seen += [each.event.native_ids[0] for each in waiting]
        inbox.end([Ended(each.id, Fate.done) for each in waiting], NOW)
    putting.join()
    assert seen == [str(n) for n in range(total)]


def test_a_failed_put_stores_nothing_and_says_so(inbox: SqlInbox, path: Path) -> None:
    """The caller may not say that it was stored; the next put works again."""
    with sqlite3.connect(path) as other:
        other.execute(
            "CREATE TRIGGER full BEFORE INSERT ON event WHEN new.name = 'bad' BEGIN SELECT raise(FAIL, 'full'); END"
        )
    with pytest.raises(StoreError, match="full"):
        inbox.put([heard("a"), heard("b", name="bad")])
    inbox.put([heard("c")])
    assert items(inbox) == ["c"]


def test_a_check_writes_and_leaves_nothing(inbox: SqlInbox, path: Path) -> None:
    """Readiness means that the file takes a write; a read-only one is told."""
    inbox.check_writable()
    assert inbox.count_fates() == {}
    with sqlite3.connect(path) as other:
        other.execute("CREATE TRIGGER full BEFORE INSERT ON tally BEGIN SELECT raise(FAIL, 'no room'); END")
    with pytest.raises(StoreError, match="no room"):
        inbox.check_writable()


def test_a_newer_inbox_is_left_alone(inbox: SqlInbox, path: Path) -> None:
    """Its tables may mean something else."""
    with sqlite3.connect(path) as other:
        other.execute("PRAGMA user_version=99")
    with pytest.raises(PlayheadError, match="another version"):
        SqlInbox(path)


def test_what_is_kept_of_unknown_logins_can_be_counted_beside_the_process_that_uses_it(
    inbox: SqlInbox, path: Path
) -> None:
    """By connection and login, with the names of the newest; nothing of what waits or ended otherwise, nor without a file."""
    logins = [("7", "sam"), ("7", "sammy"), (None, "kim"), ("8", None)]
    for n, (user_id, user_name) in enumerate(logins):
        event = Event("webhook", Heard.marked, f"e{n}", ("1",), user_id, user_name)
        inbox.put([NewEvent(2 if n == 3 else 1, event, NOW + n)])
    waiting = inbox.take(100, NOW + 99)
    inbox.put([heard("waits")])
    inbox.end([Ended(each.id, Fate.unmatched) for each in waiting], NOW)
    inbox.put([heard("done")])
    inbox.end([Ended(each.id, Fate.done) for each in inbox.take(100, NOW)], NOW)
    found = {
        (one.connection_id, one.user_id, one.user_name, one.count, one.last_at, one.name)
        for one in read_unmatched(path)
    }
    assert found == {
        (1, "7", "sammy", 2, NOW + 1, "e1"),
        (1, None, "kim", 1, NOW + 2, "e2"),
        (2, "8", None, 1, NOW + 3, "e3"),
    }
    assert read_unmatched(path.with_name("none.db")) == []
    assert not path.with_name("none.db").exists()


def test_an_event_whose_caller_became_known_is_kept_under_that_login(tmp_path: Path) -> None:
    """So that strangers at a proxy can be shown by name."""
    inbox = SqlInbox(tmp_path / "inbox.db")
    event = Event("proxy", Heard.marked, "proxy.scrobble", ("7",), caller="c1")
    inbox.put([NewEvent(1, event, 1.0)])
    [waiting] = inbox.take(1, 2.0)
    named = msgspec.structs.replace(event, user_id="77", user_name="guest")
    inbox.end([Ended(waiting.id, Fate.unmatched, event=named)], 3.0)
    inbox.close()
    [kept] = read_unmatched(tmp_path / "inbox.db")
    assert (kept.user_id, kept.user_name, kept.count) == ("77", "guest", 1)


def test_kept_events_of_a_login_that_is_somebodys_now_wait_again(inbox: SqlInbox) -> None:
    """The oldest first, of that connection and login alone, counted by what becomes of them in the end, and only once."""
    inbox.put([heard("a", user="bob"), heard("b", user="eve"), heard("c", user="bob")])
    inbox.put([heard("d", user="bob", connection=2)])
    inbox.end([Ended(each.id, Fate.unmatched) for each in inbox.take(9, NOW)], NOW)
    assert inbox.take_up(1, lambda event: "bob" in (event.user_id, event.user_name)) == 2
    assert items(inbox) == ["a", "c"]
    assert inbox.count_fates() == {("webhook", "play", "unmatched"): 2}
    inbox.end([Ended(each.id, Fate.done) for each in inbox.take(9, NOW)], NOW)
    assert inbox.take_up(1, lambda event: "bob" in (event.user_id, event.user_name)) == 0
    assert inbox.count_fates() == {("webhook", "play", "unmatched"): 2, ("webhook", "play", "done"): 2}
