"""``POST /webhooks/CONNECTION/SECRET``, WatchState's ``POST /?type=KIND&apikey=SECRET``, Plex Cluster's ``POST /?token=SECRET``.

The first takes what servers post and, as ``application/x-ndjson``, what a proxy before one noted. PUT is as good as POST:
Tautulli sends with what a person chose, and WatchState's guide says PUT.

The secret is looked at before the body: who does not know it can send nothing. The answer is 202 when the events are on disk.
What is wrong gets 4xx, which never says whether the connection or its secret was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from time import perf_counter
from urllib.parse import parse_qs, unquote

from playhead.faces.webhooks.bodies import Receive, Refusal, Scope, Send, read_body, send_json
from playhead.kit.log import Log
from playhead.ports.errors import BadAnswer, NotFound, PlayheadError
from playhead.ports.events import Event
from playhead.runtime.group_commit import RETRY_AFTER_S, InboxFull
from playhead.runtime.reception import Receiver, Reception

log = Log(__name__)

Measure = Callable[[str, int, float], None]
"""Called with the connection ("" = not known), the status and the seconds of each answer."""

PREFIX = b"/webhooks/"
LINES = "application/x-ndjson"
LARGEST_BODY = 2 * 1024 * 1024
BODY_WITHIN_S = 15.0
STORE_FAILED_RETRY_S = 30


class WebhookApp:
    """The ASGI application. ``largest_body`` bytes, ``body_within_s`` seconds for the whole of it."""

    def __init__(
        self,
        reception: Reception,
        measure: Measure,
        *,
        largest_body: int = LARGEST_BODY,
        body_within_s: float = BODY_WITHIN_S,
    ) -> None:
        self._reception = reception
        self._measure = measure
        self._largest_body = largest_body
        self._body_within_s = body_within_s

    @staticmethod
    def takes(scope: Scope) -> bool:
        """Whether a request is meant for this application."""
        if scope["type"] != "http":
            return False
        return bool(
            scope["raw_path"].startswith(PREFIX)
            or (scope["path"] == "/" and any(word in scope["query_string"] for word in (b"type=", b"token=")))
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take in one webhook."""
        began = perf_counter()
        receivers: list[Receiver] = []
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        try:
            receivers, proxied = self._find(scope, headers)
            if scope["method"] not in ("POST", "PUT"):
                raise Refusal(405, "Only POST and PUT.", {b"allow": b"POST, PUT"})
            body = await read_body(receive, headers, largest=self._largest_body, within_s=self._body_within_s)
            events = await self._take_in(receivers, body, None if proxied else headers)
            log.debug("webhook", connection=receivers[0].connection, events=[event.name for event in events])
            status = await send_json(send, 202)
        except Refusal as refusal:
            status = await send_json(send, refusal.status, {"error": refusal.text}, refusal.headers)
        self._measure(receivers[0].connection if receivers else "", status, perf_counter() - began)

    def _find(self, scope: Scope, headers: Mapping[str, str]) -> tuple[list[Receiver], bool]:
        """Whom an address means, and whether what comes there is a proxy's."""
        if scope["raw_path"].startswith(PREFIX):
            parts = scope["raw_path"].removeprefix(PREFIX).rstrip(b"/").decode("ascii", "replace").split("/")
            found = self._reception.find(unquote(parts[0]), unquote(parts[1])) if len(parts) == 2 else None
            if found is None:
                raise Refusal(404, "There is nothing here.")
            proxied = headers.get("content-type", "").startswith(LINES)
            if proxied and found.read_proxied is None:
                raise Refusal(415, f"There is no proxy for {found.kind}.")
            return [found], proxied
        query = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        if "token" in query and "type" not in query:
            behind = self._reception.find_cluster(query["token"][0])
            if not behind:
                raise Refusal(403, "No such token.")
            return behind, True
        key = query.get("apikey", [headers.get("x-apikey", "")])[0]
        found = self._reception.find_by_key(query.get("type", [""])[0], key)
        if found is None:
            raise Refusal(401, "No such type and key.")
        return [found], False

    async def _take_in(
        self, receivers: Sequence[Receiver], body: bytes, headers: Mapping[str, str] | None
    ) -> tuple[Event, ...]:
        """``headers`` None: what a proxy noted."""
        first = receivers[0]
        try:
            if headers is None:
                return await self._reception.take_in_proxied(receivers, body)
            return await self._reception.take_in(first, body, headers)
        except NotFound as error:
            raise Refusal(404, error.message) from error
        except (BadAnswer, ValueError, RecursionError) as error:
            log.info("unreadable webhook", connection=first.connection, why=str(error)[:200])
            raise Refusal(400, f"This is no webhook of {first.kind}.") from error
        except InboxFull as error:
            raise Refusal(503, error.message, _wait(RETRY_AFTER_S)) from error
        except PlayheadError as error:
            raise Refusal(503, "It could not be stored.", _wait(STORE_FAILED_RETRY_S)) from error


def _wait(seconds: int) -> dict[bytes, bytes]:
    return {b"retry-after": str(seconds).encode()}
