"""A Jellyfin that answers by a script, and an adapter that asks it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playhead.adapters._mediabrowser.tests.scripted import Script, run_script
from playhead.adapters.jellyfin.adapter import JellyfinBackend
from playhead.adapters.jellyfin.settings import JellyfinSettings
from playhead.domain.state.reading import BLANK, State
from playhead.ports.backend import Write

USER = "6ebbd48035ba48a1bf645470b6bdea30"
ITEM = "0c19a6f54d50d8bbbba00f8f4325de45"
OTHER = "1289d925129050e99d98d54bb793e532"
INFO = {
    "Id": "fb",
    "ServerName": "lab",
    "Version": "12.0.0",
    "ProductName": "Jellyfin Server",
    "StartupWizardCompleted": True,
}
DATA = f"/UserItems/{ITEM}/UserData"
PLAYED = {
    "Played": True,
    "PlayCount": 1,
    "PlaybackPositionTicks": 0,
    "LastPlayedDate": "2020-01-02T03:04:05Z",
}
UNPLAYED = {"Played": False, "PlayCount": 0, "PlaybackPositionTicks": 0, "IsFavorite": False}
AT = 1577934245  # 2020-01-02T03:04:05Z


@asynccontextmanager
async def connect(user: str = USER, version: str = "12.0.0") -> AsyncIterator[tuple[Script, JellyfinBackend]]:
    """A backend and the script of its server."""
    async with run_script() as script:
        script.answer("GET /System/Info/Public", {**INFO, "Version": version})
        backend = JellyfinBackend(JellyfinSettings(url=script.url), "s3cret", user, client_id="hub-1")
        backend._client.http._read_attempts = 1  # a script does not get better by asking again
        try:
            yield script, backend
        finally:
            await backend.close()


def make_write(facets: str, target: State, before: State = BLANK) -> Write:
    """A write to ITEM."""
    return Write(ITEM, "movie", frozenset(facets.split()), target, before)
