"""Decides when a file that came is whole and what became of one that went. Pure: it is handed changes, looks and the time.

A file is whole when its size and time have not moved for a while, sooner when who wrote it has closed it. One that went and one
that came with the same inode shortly before or after are one file that was renamed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Literal

import msgspec

from playhead.ports.arrivals import Arrival
from playhead.ports.file_index import FileChange

SOURCE = "watch"
CLOSED_FOR_S = 0.3  # some close and open again at once
RENAMED_WITHIN_S = 1.0

Look = tuple[int, int]  # size in bytes, time of the last change in nanoseconds
What = Literal["arrived", "upgraded", "renamed"]


class _Pending(msgspec.Struct):
    what: What
    inode: int
    since: float
    before: str = ""
    look: Look | None = None
    closed: bool = False


class _Gone(msgspec.Struct):
    path: str
    at: float
    pending: dict[str, _Pending]  # of which nobody was told yet: itself, or what is in it


class Settling:
    """The files of one watch that are not told yet. All times are seconds of one clock."""

    def __init__(self, settle_s: float) -> None:
        self._settle_s = settle_s
        self._pending: dict[str, _Pending] = {}
        self._gone: dict[tuple[int, bool], _Gone] = {}

    def expect(self, paths: Collection[str], now: float) -> None:
        """Files of which nobody was told before a restart."""
        for path in paths:
            self._pending.setdefault(path, _Pending("arrived", 0, now))

    def take(self, changes: Sequence[FileChange], now: float) -> list[str]:
        """Take in what a look at the folders found; gives the files that came with a renamed folder and need no telling."""
        for change in changes:
            if change.what == "went":
                self._take_gone(change, now)
        moved: dict[str, _Gone] = {}
        for change in changes:
            if change.is_folder and change.what == "came":
                gone = self._gone.pop((change.inode, True), None)
                if gone is not None:
                    moved[change.path] = gone
        known = [each.path for each in changes if self._take_file(each, moved, now)]
        for path, gone in moved.items():
            if not any(path.startswith(other + "/") for other in moved):
                self._pending[path] = _Pending("renamed", 0, now, gone.path, closed=True)
        return known

    def _take_gone(self, change: FileChange, now: float) -> None:
        path, inside = change.path, change.path + "/"
        pending = {
            each: self._pending[each] for each in self._pending if each == path or each.startswith(inside)
        }
        for each in pending:
            del self._pending[each]
        same = [each for each, other in self._pending.items() if other.inode == change.inode]
        if same and not pending and not change.is_folder:  # its new name was seen first
            self._pending[same[0]].what, self._pending[same[0]].before = "renamed", path
        else:
            self._gone[change.inode, change.is_folder] = _Gone(path, now, pending)

    def _take_file(self, change: FileChange, moved: Mapping[str, _Gone], now: float) -> bool:
        """Whether a file that came is known already, under the old name of its folder."""
        if change.is_folder or change.what == "went":
            return False
        holder = next((path for path in moved if change.path.startswith(path + "/")), None)
        if holder is not None:
            before = moved[holder].path + change.path[len(holder) :]
            if (pending := moved[holder].pending.get(before)) is None:
                return True
            self._pending[change.path] = pending
            return False
        gone = self._gone.pop((change.inode, False), None)
        if gone is None:
            what: What = "upgraded" if change.what == "replaced" else "arrived"
            self._pending[change.path] = _Pending(what, change.inode, now)
        elif gone.path in gone.pending:
            self._pending[change.path] = gone.pending[gone.path]
        else:
            self._pending[change.path] = _Pending("renamed", change.inode, now, gone.path)
        return False

    def note_closed(self, path: str, now: float) -> None:
        """Who wrote a file has closed it, or it was moved there as a whole."""
        pending = self._pending.setdefault(path, _Pending("upgraded", 0, now))
        pending.closed = True

    def list_pending(self) -> list[str]:
        """The files to look at now."""
        return list(self._pending)

    def is_idle(self) -> bool:
        """Whether nothing waits for time to pass."""
        return not self._pending and not self._gone

    def tell(self, looks: Mapping[str, Look | None], now: float) -> list[Arrival]:
        """What can be told by now, after looks at the pending files; a file that is not there waits for the next change."""
        ready: list[tuple[What, str, str]] = []
        for path, pending in list(self._pending.items()):
            look = looks.get(path)
            if look is None:
                continue  # that it went, a look at its folder tells
            if look != pending.look:
                pending.closed = pending.closed and pending.look is None
                pending.look, pending.since = look, now
            if now - pending.since >= (CLOSED_FOR_S if pending.closed and look[0] else self._settle_s):
                ready.append((pending.what, path, pending.before))
                del self._pending[path]
        return [*_group(ready), *self._tell_gone(now)]

    def _tell_gone(self, now: float) -> Iterator[Arrival]:
        for key, gone in list(self._gone.items()):
            if now - gone.at >= RENAMED_WITHIN_S:
                del self._gone[key]
                own = gone.pending.get(gone.path)
                if own is None or own.what == "upgraded":
                    yield _make("deleted", [gone.path])
                elif own.what == "renamed":
                    yield _make("deleted", [own.before])


def _group(ready: Sequence[tuple[What, str, str]]) -> Iterator[Arrival]:
    """What became of the files of one folder is one arrival."""
    for (what, _), found in groupby(sorted(ready), key=lambda each: (each[0], each[1].rpartition("/")[0])):
        couples = list(found)
        yield _make(what, [path for _, path, _ in couples], [before for _, _, before in couples if before])


def _make(
    what: Literal["arrived", "upgraded", "renamed", "deleted"],
    paths: Sequence[str],
    before: Sequence[str] = (),
) -> Arrival:
    """A path that is no text cannot be told: its folder is."""
    told = dict.fromkeys(path if _is_text(path) else path.rpartition("/")[0] for path in paths)
    gone = tuple(path for path in before if _is_text(path))
    return Arrival(what, tuple(told), paths[0].rpartition("/")[0], "", SOURCE, what, before=gone)


def _is_text(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True
