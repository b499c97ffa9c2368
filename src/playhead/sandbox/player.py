"""Simulated clients: what plays on which device of whom, and a report every ten seconds of the clock.

Knows positions and time; what a report does to a server is the kind's, which hands over ``report``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playhead.sandbox.agenda import Agenda, Entry

REPORT_S = 10.0
DEVICE = "Sandbox player"
ACTS = ("play_start", "play_progress", "pause", "resume", "play_stop")
Report = Callable[[str, float], None]
"""(what: start, progress, pause, resume or stop; the position in seconds)"""


class Play:
    """One item on one device. ``position_s`` is that of the last report."""

    def __init__(self, item: str, duration_s: float, report: Report) -> None:
        self.item = item
        self.duration_s = duration_s
        self.report = report
        self.position_s = 0.0
        self.since = 0.0
        self.paused = False
        self.next: Entry | None = None

    def position(self, elapsed: float) -> float:
        """Where playback is by now."""
        moved = 0.0 if self.paused else elapsed - self.since
        return min(self.position_s + moved, self.duration_s)


class Players:
    """All simulated clients of a server."""

    def __init__(self, agenda: Agenda) -> None:
        self._agenda = agenda
        self._plays: dict[tuple[str, str], Play] = {}

    def start(self, user: str, item: str, args: dict[str, Any], duration_s: float, report: Report) -> None:
        """Begin an item on a device; what played there before is stopped."""
        key = (user, device_of(args))
        if key in self._plays:
            self._end(key, self._plays[key].position(self._agenda.elapsed()))
        play = self._plays[key] = Play(item, duration_s, report)
        self._tell(play, "start", float(args.get("position_s") or 0.0))
        self._arm(key, play)

    def do(self, act: str, user: str, item: str, args: dict[str, Any]) -> None:
        """Go on with what plays. Raises ValueError where nothing does, or another item."""
        key = (user, device_of(args))
        play = self._plays.get(key)
        if play is None or (item and item != play.item):
            raise ValueError(f"{act}: nothing of the kind plays on {key[1]!r}; begin with play_start")
        given = args.get("position_s")
        at = play.position(self._agenda.elapsed()) if given is None else float(given)
        if act == "play_stop":
            self._end(key, at)
        elif act in ("pause", "resume"):
            play.paused = act == "pause"
            self._tell(play, act, at)
        else:
            self._tell(play, "progress", at)

    def _tell(self, play: Play, what: str, position_s: float) -> None:
        play.position_s, play.since = position_s, self._agenda.elapsed()
        play.report(what, position_s)

    def _end(self, key: tuple[str, str], position_s: float) -> None:
        play = self._plays.pop(key)
        if play.next is not None:
            play.next.cancel()
        self._tell(play, "stop", position_s)

    def _arm(self, key: tuple[str, str], play: Play) -> None:
        def go_on() -> None:
            at = play.position(self._agenda.elapsed())
            if at >= play.duration_s:
                self._end(key, at)
                return
            self._tell(play, "progress", at)
            self._arm(key, play)

        play.next = self._agenda.after(REPORT_S, go_on)


def device_of(args: dict[str, Any]) -> str:
    """The name of the device that an act names."""
    return str(args.get("device") or DEVICE)
