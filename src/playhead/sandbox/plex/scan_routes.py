"""The routes of an emulated Plex that scan, refresh and empty the trash, and what is under way. Source: facts, api-plex.md 6."""

from __future__ import annotations

import uuid

from aiohttp import web

from playhead.sandbox.folders import taken
from playhead.sandbox.plex.answers import ACCOUNT, Refusal, answer, empty
from playhead.sandbox.plex.catalogue import Section
from playhead.sandbox.plex.core import PlexCore
from playhead.sandbox.plex.notifications import PROCESSED
from playhead.sandbox.plex.wording import say

_GET_ALONE_FROM = (1, 32, 7)


class ScanRoutes:
    """Handlers; the owner's alone (403 *assumed*)."""

    def __init__(self, core: PlexCore) -> None:
        self._core = core

    def routes(self) -> list[web.RouteDef]:
        refresh = "/library/sections/{section}/refresh"
        others = [] if _version(self._core.version) >= _GET_ALONE_FROM else [web.post, web.put]
        return [
            web.get(refresh, self.refresh),
            web.delete(refresh, self.cancel),
            *(add(refresh, self.refresh) for add in others),
            *(add(refresh, self.missing) for add in (web.post, web.put) if not others),
            web.put("/library/sections/{section}/emptyTrash", self.empty_trash),
            web.get("/activities", self.activities),
            web.delete("/activities/{id}", self.cancel_activity),
            web.get("/library/metadata/{ids}/refresh", self.refresh_item),
            web.put("/library/metadata/{ids}/refresh", self.refresh_item),
        ]

    def _sections(self, request: web.Request) -> list[Section]:
        if not request[ACCOUNT].owner:
            raise Refusal(403)
        key, catalogue = request.match_info["section"], self._core.catalogue
        if key == "all":
            return catalogue.present_sections()
        section = catalogue.find_section(key)
        if section is None:
            raise Refusal(404)
        return [section]

    async def refresh(self, request: web.Request) -> web.Response:
        """Accepted whatever ``path`` says; ``force`` makes no difference to what a scan finds."""
        path = taken(request.query.get("path", "")).rstrip("/")
        for section in self._sections(request):
            self._core.scans.start(section, path or None)
        return empty()

    async def cancel(self, request: web.Request) -> web.Response:
        for section in self._sections(request):
            self._core.scans.cancel(section)
        return empty()

    async def missing(self, request: web.Request) -> web.Response:
        """From 1.32.7 on other methods than GET are gone."""
        raise Refusal(404)

    async def empty_trash(self, request: web.Request) -> web.Response:
        for section in self._sections(request):
            self._core.scans.empty_trash(section)
        return empty()

    async def activities(self, request: web.Request) -> web.Response:
        """The owner sees what the server does."""
        running = self._core.scans.activities() if request[ACCOUNT].owner else []
        return answer(request, {"size": len(running), **({"Activity": running} if running else {})})

    async def cancel_activity(self, request: web.Request) -> web.Response:
        if not self._core.scans.cancel_activity(request.match_info["id"]):
            raise Refusal(404)
        return empty()

    async def refresh_item(self, request: web.Request) -> web.Response:
        """The metadata of an item are read again: it is told as processed, and is no new item."""
        core, now = self._core, self._core.now()
        node = core.catalogue.find(request.match_info["ids"])
        if node is None:
            raise Refusal(404)
        if not request[ACCOUNT].may_see(node):
            raise Refusal(403)
        number = str(uuid.uuid4())
        activity = {
            "uuid": number,
            "type": "library.update.item.metadata",
            "cancellable": False,
            "userID": 1,
            "title": say(core.language, "refresh", node.title),
            "subtitle": node.title,
            "progress": 100,
            "Context": {"key": f"/library/metadata/{node.key}"},
        }
        core.notifications.announce("activity", {"event": "ended", "uuid": number, "Activity": activity})
        node.updated = now
        node.forget_text()
        core.notifications.items([node], PROCESSED)
        return empty()


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".")[:3] if part.isdigit())
