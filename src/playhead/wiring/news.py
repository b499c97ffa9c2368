"""What is new, and who is told: in a thread and an event loop of its own beside the hub, while there are rules.

A thread, because it waits for servers and mail servers while senders of webhooks want their answer.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, cast

import msgspec

from playhead.domain.library.mapping import PathMap
from playhead.flows.find_additions import NewsLane
from playhead.flows.notify import NoticeDesk, list_refusals, turn
from playhead.kit.log import Log
from playhead.ports.errors import PlayheadError
from playhead.ports.library_jobs import LibraryJobs
from playhead.ports.notices import Picture, Trouble
from playhead.ports.scans import FileItem
from playhead.runtime.log import redact
from playhead.runtime.loop_thread import WORKING, LoopThread
from playhead.runtime.news_worker import NewsWorker
from playhead.store.additions import SqlAdditions
from playhead.store.own_file import OwnFile
from playhead.wiring.installation import Installation, find_manifest, load_named
from playhead.wiring.lanes import Reached
from playhead.wiring.notices import forget_old, make_desk, open_news

log = Log(__name__)

END_WITHIN_S = 10.0
TROUBLES_EVERY_S = 30.0

FindTroubles = Callable[[dict[str, str]], Awaitable[list[Trouble]]]
"""What fails now, given the connections that could not be looked at."""


class NewsReached(Reached):
    """Meets ``ListsSaved`` and ``ShowsPosters``, too."""

    async def list_saved_since(
        self, library_id: str, since: int, count: int, start: int = 0
    ) -> list[FileItem]:
        """As the backend does."""
        return cast(list[FileItem], await self._call("list_saved_since", library_id, since, count, start))

    async def fetch_poster(self, path: str) -> Picture | None:
        """As the backend does."""
        return cast(Picture | None, await self._call("fetch_poster", path))


class NewsThread(LoopThread):
    """Begins at ``start``; does nothing where there is no rule. ``state`` is "working" or what keeps it from that."""

    def __init__(self, installation: Installation, jobs: LibraryJobs, find_troubles: FindTroubles) -> None:
        super().__init__("news")
        self._installation = installation
        self._jobs = jobs
        self._find_troubles = find_troubles
        self._rules = installation.settings.notices
        self.state = "starting" if self._rules else "no rules"
        self._worker: NewsWorker | None = None
        self._troubles_at = float("-inf")

    def start(self) -> None:
        """Begin."""
        try:
            forget_old(self._installation)
        except PlayheadError as error:
            log.warning("what rules heard that are gone is not forgotten", why=error.message)
        if self._rules:
            super().start()

    def end(self) -> None:
        """Cut it off; what was stored goes on the next time."""
        self.stopping.set()
        self.cut_off()
        self.join(END_WITHIN_S)

    def ask(self, connection: str) -> None:
        """Something came or went on a connection; from any thread."""
        if (worker := self._worker) is not None:
            self.call(worker.ask, connection)

    def describe(self) -> dict[str, Any]:
        """For ``/readyz``: whether it works, and the connections that could not be looked at."""
        return {"state": self.state, **(self._worker.errors if self._worker else {})}

    async def work(self) -> None:
        """Look at the servers and tell people, with the file of the news."""
        file = await asyncio.to_thread(open_news, self._installation)
        tells = any(not rule.admin for rule in self._rules)
        servers = {name: NewsReached(self._installation, name) for name in list_news(self._installation)}
        try:
            desk = make_desk(self._installation, file, _make_fetch(servers))
            lanes = (
                [make_lane(self._installation, name, each, file) for name, each in servers.items()]
                if tells
                else []
            )
            self._worker = NewsWorker(lanes, self._jobs, lambda: self._tell(desk))
            self.state = WORKING
            if not self.stopping.is_set():
                await self._worker.run()
        finally:
            self._worker = None
            for server in servers.values():
                await server.close()
            file.close()

    async def _tell(self, desk: NoticeDesk) -> None:
        admins = [rule.name for rule in desk.rules if rule.admin]
        if admins and time.monotonic() - self._troubles_at >= TROUBLES_EVERY_S:
            self._troubles_at = time.monotonic()
            troubles = await self._find_troubles(dict(self._worker.errors) if self._worker else {})
            told = [_hide(each) for each in (*troubles, *list_refusals(desk))]
            desk.book.tell_troubles(admins, told, desk.now())
        await turn(desk)


def _hide(trouble: Trouble) -> Trouble:
    """Without secrets, as everything that leaves the hub."""
    return msgspec.structs.replace(trouble, text=redact(trouble.text), hint=redact(trouble.hint))


def list_news(installation: Installation) -> list[str]:
    """The connections whose servers tell what is new."""
    return [
        name
        for name, connection in installation.settings.connections.items()
        if hasattr(load_named(find_manifest(connection.kind).backend), "list_newest")
    ]


def make_lane(installation: Installation, name: str, server: NewsReached, file: OwnFile) -> NewsLane:
    """A connection as far as its news are concerned; nothing is asked of its server yet."""
    connection = installation.settings.connections[name]
    saved = hasattr(load_named(find_manifest(connection.kind).backend), "list_saved_since")
    paths = PathMap(mapping.folder for mapping in connection.paths)
    return NewsLane(
        name,
        server,
        SqlAdditions(file),
        time.time,
        paths,
        server if saved else None,
        connection.libraries.takes,
    )


def _make_fetch(servers: dict[str, NewsReached]) -> Callable[[str, str], Awaitable[Picture | None]]:
    async def fetch(connection: str, path: str) -> Picture | None:
        return await servers[connection].fetch_poster(path) if connection in servers else None

    return fetch
