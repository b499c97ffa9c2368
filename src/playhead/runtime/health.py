"""Whether the hub can do its work: what ``/readyz`` says. Alive is less: ``/healthz`` only needs an answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from playhead.kit.log import Log
from playhead.ports.errors import PlayheadError

log = Log(__name__)

Check = Callable[[], None]
"""Looks at one thing, in a thread. Raises PlayheadError where it cannot be used."""


class Health:
    """``checks`` make the hub ready or not; ``states`` are told with them and decide nothing: a server that is down is no
    fault of the hub's."""

    def __init__(self, checks: Mapping[str, Check], states: Mapping[str, Callable[[], Any]]) -> None:
        self.checks = checks
        self._states = states

    async def look(self) -> dict[str, Any]:
        """``{"ready": bool, CHECK: "ok" or what is wrong, STATE: ...}``."""
        names = list(self.checks)
        found = await asyncio.gather(*(asyncio.to_thread(_try, self.checks[name]) for name in names))
        report: dict[str, Any] = {"ready": all(word == "ok" for word in found)}
        report |= dict(zip(names, found, strict=True))
        return report | {name: state() for name, state in self._states.items()}


def _try(check: Check) -> str:
    try:
        check()
    except PlayheadError as error:
        log.warning("not ready", error=error.message)
        return error.message
    return "ok"
