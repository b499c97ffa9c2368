"""The codes of the emulated plex.tv: made for a device, entered by a person on plex.tv's page, void after a while.

Knows no HTTP. Source: facts, api-plex.md 7; that an expired code is not found (1020) is *assumed*.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playhead.sandbox.plex.accounts import make_plextv_token
from playhead.sandbox.plex.guids import make_hex
from playhead.sandbox.plex.render import format_moment

LIFE_S = 900


class Pins:
    """All codes that were asked for. ``now`` is plex.tv's clock."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._pins: dict[int, dict[str, Any]] = {}
        self._ends: dict[int, float] = {}

    def make(self, *, strong: bool, product: str, client: str) -> dict[str, Any]:
        """A new code; a strong one is too long to be typed and stands in a link."""
        number = 100_000_000 + len(self._pins) + 1
        now = self._now()
        self._ends[number] = now + LIFE_S
        self._pins[number] = {
            "id": number,
            "code": make_hex("pin", client, number, length=25 if strong else 4).upper(),
            "product": product or "0",
            "trusted": False,
            "clientIdentifier": client,
            "expiresIn": LIFE_S,
            "createdAt": format_moment(now),
            "expiresAt": format_moment(now + LIFE_S),
            "authToken": None,
            "newRegistration": None,
        }
        return self._pins[number]

    def get(self, number: str) -> dict[str, Any]:
        """A code as its device sees it. Raises KeyError where there is none, or none any more."""
        key = int(number) if number.isdigit() else 0
        if key not in self._pins or self._now() >= self._ends[key]:
            raise KeyError(f"no code {number}, or it has expired")
        return self._pins[key] | {"expiresIn": max(1, int(self._ends[key] - self._now()))}

    def enter(self, code: str, name: str) -> None:
        """A person who is signed in on plex.tv's page enters a code. Raises KeyError where it is none."""
        for key, pin in self._pins.items():
            if pin["code"] == code.strip().upper() and self._now() < self._ends[key]:
                pin |= {"authToken": make_plextv_token(name), "newRegistration": False}
                return
        raise KeyError(f"no code {code!r}, or it has expired")
