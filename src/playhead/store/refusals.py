"""Which tokens were refused, since when, and when they are to be tried again: one small file in the home folder.

A token is told by a fingerprint, so that another one in its place is tried at once. Knows neither settings nor servers.
"""

from __future__ import annotations

import hashlib
from contextlib import AbstractContextManager
from pathlib import Path

import msgspec

from playhead.kit.files import only_one, write_atomically

FIRST_WAIT_S = 300.0
LONGEST_WAIT_S = 6 * 3600.0

_Kept = dict[str, dict[str, "Refusal"]]  # by connection, then by fingerprint


class Refusal(msgspec.Struct, frozen=True):
    """A token that was refused ``times`` times, each later than the one before. Times are epoch seconds."""

    since: float
    last: float
    times: int

    @property
    def again_at(self) -> float:
        """Not to be tried before."""
        return self.last + min(FIRST_WAIT_S * 2.0 ** (self.times - 1), LONGEST_WAIT_S)


class Refusals:
    """The refusals of one home folder; the file is looked at anew when it changed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._kept: _Kept = {}
        self._stamp: tuple[int, int] | None = None

    def find(self, connection: str, secret: str) -> Refusal | None:
        """What is known of a token; None where it was not refused."""
        return self._load().get(connection, {}).get(_fingerprint(secret))

    def may_ask(self, connection: str, secret: str, now: float, *, before: float | None = None) -> bool:
        """Whether it is to be tried now. ``before``: what was refused before that moment does not count, for a person asks."""
        refusal = self.find(connection, secret)
        if refusal is None or now >= refusal.again_at:
            return True
        return before is not None and refusal.last < before

    def note(self, connection: str, secret: str, now: float) -> Refusal:
        """It was refused just now. Refusals at the same time are one."""
        with self._alone():
            kept, key = self._load(), _fingerprint(secret)
            known = kept.get(connection, {}).get(key)
            since, times = (known.since, known.times) if known else (now, 0)
            known = Refusal(since, now, times + (known is None or now >= known.again_at))
            kept[connection] = {**kept.get(connection, {}), key: known}
            self._save(kept)
        return known

    def clear(self, connection: str, secret: str) -> None:
        """It works, or is not there any more."""
        if self.find(connection, secret) is None:
            return
        with self._alone():
            kept = self._load()
            kept.get(connection, {}).pop(_fingerprint(secret), None)
            self._save({name: rows for name, rows in kept.items() if rows})

    def _alone(self) -> AbstractContextManager[None]:
        return only_one(self._path.parent, "Another note of a refused token", wait=True)

    def _load(self) -> _Kept:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            self._stamp = None
            self._kept = {}
            return {}
        stamp = (found.st_mtime_ns, found.st_ino)
        if stamp != self._stamp:
            try:
                self._kept = msgspec.json.decode(self._path.read_bytes(), type=dict[str, dict[str, Refusal]])
            except (msgspec.DecodeError, OSError):
                self._kept = {}  # notes alone: each token is tried once more
            self._stamp = stamp
        return dict(self._kept)

    def _save(self, kept: _Kept) -> None:
        write_atomically(self._path, msgspec.json.encode(kept) + b"\n", mode=0o600)


def _fingerprint(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()[:16]
