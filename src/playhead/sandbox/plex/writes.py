"""The routes of an emulated Plex that change watch state, and what they answer. Source: facts, api-plex.md 3.

The rules themselves are ``watchstate``'s. GET does what PUT and POST do, and a form's arguments count as
the query's.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from playhead.sandbox.plex.answers import ACCOUNT, Refusal, answer, arguments, empty, read_form, told
from playhead.sandbox.plex.catalogue import Node
from playhead.sandbox.plex.core import PlexCore
from playhead.sandbox.plex.notifications import PROCESSED
from playhead.sandbox.plex.webhooks import Device

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_STATES = ("stopped", "buffering", "playing", "paused")


class StateWrites:
    """Handlers below ``/:/`` that write."""

    def __init__(self, core: PlexCore) -> None:
        self._core = core

    def routes(self) -> list[web.RouteDef]:
        handlers: dict[str, Handler] = {
            "/:/scrobble": self.scrobble,
            "/:/unscrobble": self.unscrobble,
            "/:/progress": self.progress,
            "/:/timeline": self.timeline,
            "/:/rate": self.rate,
        }
        found = [
            web.route(method, path, _take_forms(handler))
            for path, handler in handlers.items()
            for method in ("GET", "PUT", "POST")
        ]
        return [*found, web.put("/actions/removeFromContinueWatching", self.remove_from_continue_watching)]

    def _node(self, request: web.Request, key: str | None) -> Node:
        node = self._core.catalogue.find(key or "")
        if node is None:
            raise Refusal(404)
        if not request[ACCOUNT].may_see(node):
            raise Refusal(403)
        return node

    def _named(self, request: web.Request) -> Node:
        """The item that ``key`` or ``uri`` names. 400 without them or without ``identifier``."""
        query = arguments(request)
        key = query.get("key") or query.get("uri", "").rpartition("/")[2]
        if not key or "identifier" not in query:
            raise Refusal(400)
        return self._node(request, key.rpartition("/")[2])

    async def scrobble(self, request: web.Request) -> web.Response:
        node = self._named(request)
        self._core.state.scrobble(request[ACCOUNT].id, node, self._core.now())
        self._core.notifications.items([node], PROCESSED)
        return empty()

    async def unscrobble(self, request: web.Request) -> web.Response:
        node = self._named(request)
        self._core.state.unscrobble(request[ACCOUNT].id, node)
        self._core.notifications.items([node], PROCESSED)
        return empty()

    async def progress(self, request: web.Request) -> web.Response:
        """Not in the maker's document, and still there; time 0 has no effect."""
        node, offset = self._named(request), _integer(request, "time")
        if offset is None:
            raise Refusal(400)
        stopped = arguments(request).get("state", "stopped") == "stopped"
        client = told(request, "X-Plex-Client-Identifier") or ""
        self._core.state.report(
            request[ACCOUNT].id, node, offset, self._core.now(), client=client, stopped=stopped
        )
        self._core.notifications.items([node], PROCESSED)
        return empty()

    async def timeline(self, request: web.Request) -> web.Response:
        """A player's report. ``offline`` with ``updated`` tells when it was (that it becomes the date is *assumed*)."""
        query = arguments(request)
        state, offset = query.get("state"), _integer(request, "time")
        client = told(request, "X-Plex-Client-Identifier")
        if not client or offset is None or state not in _STATES:
            raise Refusal(400)
        node = self._node(request, query.get("ratingKey") or query.get("key", "").rpartition("/")[2])
        at = _integer(request, "updated") if query.get("offline") == "1" else None
        session = told(request, "X-Plex-Session-Identifier") or client
        self._core.playback.report(
            request[ACCOUNT],
            node,
            state,
            offset,
            at or self._core.now(),
            name=session,
            device=_device(request, client),
        )
        setting = self._core.setting(request[ACCOUNT], node)
        body = {
            "playbackState": "progress",
            "size": 0,
            "skipCount": setting.skip_count if setting else 0,
            "viewCount": setting.view_count if setting else 0,
            "viewOffset": setting.view_offset if setting else 0,
        }
        return answer(request, body)

    async def rate(self, request: web.Request) -> web.Response:
        """0 to 10; -1 clears; a ``ratedAt`` in the future is refused."""
        if "rating" not in arguments(request):
            raise Refusal(400)
        node, now = self._named(request), self._core.now()
        try:
            rating = float(arguments(request)["rating"])
            at = int(arguments(request).get("ratedAt", now))
        except ValueError:
            raise Refusal(400) from None
        if at > now or (rating != -1 and not 0 <= rating <= 10):
            raise Refusal(400)
        account, client = request[ACCOUNT], told(request, "X-Plex-Client-Identifier") or ""
        self._core.state.rate(account.id, node, None if rating == -1 else rating, at)
        self._core.webhooks.media("media.rate", account, node, _device(request, client), rating=rating)
        self._core.notifications.items([node], PROCESSED)
        return empty()

    async def remove_from_continue_watching(self, request: web.Request) -> web.Response:
        """Hides an item; that its state stays is *assumed*."""
        self._node(request, arguments(request).get("ratingKey"))
        return empty()


def _take_forms(handler: Handler) -> Handler:
    """The same for arguments in a form."""

    async def take(request: web.Request) -> web.StreamResponse:
        await read_form(request)
        return await handler(request)

    return take


def _device(request: web.Request, client: str) -> Device:
    """The player that asks."""
    return Device(
        client_id=client,
        title=told(request, "X-Plex-Device-Name") or told(request, "X-Plex-Device") or "Player",
        product=told(request, "X-Plex-Product") or "Plex Web",
        platform=told(request, "X-Plex-Platform") or "Linux",
        address=request.remote or "127.0.0.1",
    )


def _integer(request: web.Request, name: str) -> int | None:
    text = arguments(request).get(name, "")
    return int(float(text)) if text.replace(".", "", 1).isdigit() else None
