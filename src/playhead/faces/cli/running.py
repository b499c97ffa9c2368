"""What the commands that read and write share: bars, warnings, and the exit code that follows from what happened."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from playhead.faces.cli.screen import Screen
from playhead.faces.cli.session import Session
from playhead.ports.store import ReadResult
from playhead.runtime.exits import Exit

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class Bars:
    """One bar for each connection, where there is a screen for them."""

    def __init__(self, progress: Progress | None, verb: str) -> None:
        self._progress = progress
        self._verb = verb
        self._tasks: dict[str, TaskID] = {}

    def move(self, connection: str, done: int, total: int | None) -> None:
        """Called by the flows."""
        if self._progress is None:
            return
        if connection not in self._tasks:
            self._tasks[connection] = self._progress.add_task(f"{self._verb} {connection}", total=total)
        self._progress.update(self._tasks[connection], completed=done, total=total)


@contextmanager
def show_bars(screen: Screen, verb: str, *, keep: bool = False) -> Iterator[Bars]:
    """Bars on stderr while something runs, where a person sits at a terminal."""
    with screen.progress(keep=keep) or nullcontext() as progress:
        yield Bars(progress, verb)


def choose_connections(session: Session, names: Collection[str] | None) -> list[str] | None:
    """The connections' own spelling of what was given; None = all. Raises UsageError for an unknown one."""
    if not names:
        return None
    return [session.installation.connection(name)[0] for name in names]


def warn_of_reads(
    screen: Screen, results: Sequence[ReadResult], notes: Mapping[str, str] = MappingProxyType({})
) -> None:
    """A line on stderr for each read that was not whole, and for each note on a connection."""
    for name, note in notes.items():
        screen.note(f"warning: {name}: {note}", style="yellow")
    for result in results:
        for note in result.notes:
            screen.note(f"warning: {name_read(result, results)}: {note}", style="yellow")
        if result.status != "complete":
            screen.note(f"warning: {name_read(result, results)}: {_say(result)}", style="yellow")


def _say(result: ReadResult) -> str:
    message = result.message or "It could not be read."
    if result.status == "partial":
        return f"read only in part. {message}"
    return message


def name_read(result: ReadResult, results: Sequence[ReadResult]) -> str:
    """The connection that was read, with the login where several of it were."""
    several = sum(other.connection == result.connection for other in results) > 1
    return f"{result.connection} ({result.user})" if several else result.connection


def count_reads(results: Sequence[ReadResult]) -> dict[str, Any]:
    """The ``read`` part of the JSON: ``items`` are what a connection holds, as its login that sees most lists them."""
    read: dict[str, dict[str, int]] = {}
    for result in results:
        of = read.setdefault(result.connection, {"items": 0, "changed": 0})
        of["items"] = max(of["items"], result.items)
        of["changed"] += result.changed
    return read


def judge(results: Sequence[ReadResult], *, failed: int = 0, held: int = 0) -> Exit:
    """The exit code: nothing worked, a person is asked, or some of it did not work."""
    bad = [result for result in results if result.status in ("failed", "partial")]
    if results and all(result.status == "failed" for result in results):
        return Exit.failed
    if held or any(result.status == "shrunk" for result in results):
        return Exit.held
    if bad or failed:
        return Exit.partly
    return Exit.done
