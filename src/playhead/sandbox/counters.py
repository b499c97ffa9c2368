"""Counts requests by route: what a client really asked for. Knows no API; ids in paths are told by their shape."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

_ID = re.compile(
    r"[0-9]+(?:,[0-9]+)*|[0-9a-fA-F]{24,40}|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
)


def name_route(method: str, path: str) -> str:
    """``GET /library/metadata/{id}`` for any item: segments that look like ids become ``{id}``."""
    parts = [("{id}" if _ID.fullmatch(part) else part) for part in path.split("/")]
    return f"{method} {'/'.join(parts)}"


class RequestCounter:
    """Requests of one server since the last reset. ``peak`` is the most that were in flight at one moment."""

    def __init__(self) -> None:
        self.routes: Counter[str] = Counter()
        self.statuses: Counter[str] = Counter()
        self.in_flight = 0
        self.peak = 0

    def enter(self, method: str, path: str, *, stays: bool = False) -> None:
        """``stays``: a line that remains open, which is no request in flight."""
        self.routes[name_route(method, path)] += 1
        self.in_flight += not stays
        self.peak = max(self.peak, self.in_flight)

    def leave(self, status: int | None, *, stays: bool = False) -> None:
        """``status`` None: nothing was answered."""
        self.in_flight -= not stays
        self.statuses["none" if status is None else str(status)] += 1

    def reset(self) -> None:
        self.routes.clear()
        self.statuses.clear()
        self.peak = self.in_flight

    def report(self) -> dict[str, Any]:
        return {
            "total": self.routes.total(),
            "routes": dict(sorted(self.routes.items())),
            "statuses": dict(sorted(self.statuses.items())),
            "peak_at_once": self.peak,
        }
