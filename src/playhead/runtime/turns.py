"""Whose turn it is to reconcile and to write, by lock files in the home folder: a killed process holds none."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from playhead.kit.files import at_once, one_by_one
from playhead.runtime.home import Home


class FileTurns:
    """Meets ``flows.context.Turns``. Who waits longer than ``patience_s`` for an account leaves it to the one who is at it."""

    def __init__(self, home: Home, *, patience_s: float = math.inf) -> None:
        self._home = home
        self._patience_s = patience_s
        self._own = asyncio.Lock()  # tasks of one process wait for each other without looking again and again

    @asynccontextmanager
    async def reconciling(self) -> AsyncIterator[None]:
        """Wait for the turn to reconcile."""
        async with self._own, one_by_one(self._home.delivery_lock):
            yield

    @asynccontextmanager
    async def writing(self, account_id: int) -> AsyncIterator[bool]:
        """Wait for the turn to write to an account."""
        async with one_by_one(self._path(account_id), within_s=self._patience_s) as mine:
            yield mine

    @contextmanager
    def idle(self, account_id: int) -> Iterator[bool]:
        """Whether nobody writes to an account now."""
        with at_once(self._path(account_id)) as mine:
            yield mine

    def _path(self, account_id: int) -> Path:
        self._home.writing.mkdir(exist_ok=True)
        return self._home.writing / f"{account_id}.lock"
