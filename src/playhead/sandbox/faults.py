"""Faults: which answers are to go wrong, how, and how often. Holds the orders; ``misbehave`` carries them out.

Knows methods and paths, nothing of an API.
"""

from __future__ import annotations

import re
from fnmatch import translate
from typing import Any

import msgspec

from playhead.sandbox.listbody import LIST_FAULTS

INSTEAD = frozenset(
    {
        "timeout",
        "reset",
        "unauthorized",
        "forbidden",
        "rate_limited",
        "server_error",
        "html",
        "invalid_json",
        "missing",
    }
)
"""Answered in place of the server: the request has no effect, unless ``params`` says ``"effect": true``."""
AROUND = frozenset({"delay", "reset_after", "truncated", "stale_page"}) | LIST_FAULTS
KINDS = INSTEAD | AROUND


class FaultOrder(msgspec.Struct, forbid_unknown_fields=True):
    """What ``POST /_sandbox/faults`` takes. ``server`` None or ``*`` = each one; ``count`` None = until cleared.

    ``route``: a glob over ``METHOD /path`` (``*`` also crosses slashes; without a method any), or ``~regex`` that is
    searched in ``METHOD /path?query``. Both ignore case. The first ``after`` matching requests pass unharmed.
    """

    kind: str
    server: str | None = None
    route: str = "*"
    count: int | None = None
    after: int = 0
    params: dict[str, Any] = {}


class Fault:
    """An order with what came of it: ``seen`` requests matched, ``hits`` answers went wrong."""

    def __init__(self, number: int, order: FaultOrder) -> None:
        if order.kind not in KINDS:
            raise ValueError(f"unknown fault {order.kind!r}; there are: {', '.join(sorted(KINDS))}")
        self.number = number
        self.order = order
        self.seen = 0
        self.hits = 0
        self._query = order.route.startswith("~")
        self._pattern = _compile_route(order.route)

    @property
    def spent(self) -> bool:
        return self.order.count is not None and self.hits >= self.order.count

    def matches(self, server: str, method: str, path: str, path_qs: str) -> bool:
        if self.spent or self.order.server not in (None, "*", server):
            return False
        text = f"{method} {path_qs if self._query else path}"
        return (self._pattern.search if self._query else self._pattern.match)(text) is not None

    def report(self) -> dict[str, Any]:
        return {"id": self.number, **msgspec.to_builtins(self.order), "seen": self.seen, "hits": self.hits}


class FaultBook:
    """All faults of a sandbox. Of several that match, the oldest that is neither spent nor still waiting is taken."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self._last = 0

    def add(self, order: FaultOrder) -> Fault:
        """Take an order. Raises ValueError for an unknown kind or a broken pattern."""
        fault = Fault(self._last + 1, order)
        self._last += 1
        self.faults.append(fault)
        return fault

    def clear(self, number: int | None = None) -> int:
        """Forget all faults, or one; returns how many."""
        before = len(self.faults)
        self.faults = [] if number is None else [fault for fault in self.faults if fault.number != number]
        return before - len(self.faults)

    def pick(self, server: str, method: str, path: str, path_qs: str) -> Fault | None:
        """The fault for this request. It counts as a hit; ``take_back`` where it could not be carried out."""
        for fault in self.faults:
            if fault.matches(server, method, path, path_qs):
                fault.seen += 1
                if fault.seen > fault.order.after:
                    fault.hits += 1
                    return fault
        return None

    def take_back(self, fault: Fault) -> None:
        fault.hits -= 1


def _compile_route(route: str) -> re.Pattern[str]:
    if route.startswith("~"):
        try:
            return re.compile(route[1:], re.IGNORECASE)
        except re.error as error:
            raise ValueError(f"route {route!r} is no regular expression: {error}") from error
    glob = route if " " in route or route == "*" else f"* {route}"
    return re.compile(translate(glob), re.IGNORECASE)
