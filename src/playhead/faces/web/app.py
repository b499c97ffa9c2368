"""The hub's pages for machines: ``/healthz``, ``/readyz`` and ``/metrics``, with the webhooks in front of them."""

from __future__ import annotations

from typing import Any

from litestar import Litestar, MediaType, Response, get

from playhead.faces.web.scans import ScanApp
from playhead.faces.webhooks.app import WebhookApp
from playhead.faces.webhooks.bodies import Receive, Scope, Send
from playhead.runtime.health import Health
from playhead.runtime.measures import CONTENT_TYPE, Measures

FRONT = """Playhead is up. It has no pages for a browser yet; use its commands.

/healthz  whether it answers
/readyz   how its parts are, and what they wait for
/metrics  for Prometheus

Servers post to the addresses that are told by: playhead webhooks list
Other programs ask for scans with the key that is told by: playhead api-key show
"""


class HubApp:
    """The whole ASGI application: webhooks and scans go straight to theirs, the rest to Litestar."""

    def __init__(self, webhooks: WebhookApp, pages: Litestar, scans: ScanApp | None = None) -> None:
        self._webhooks = webhooks
        self._scans = scans
        self._pages: Any = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if self._webhooks.takes(scope):
            await self._webhooks(scope, receive, send)
        elif self._scans is not None and self._scans.takes(scope):
            await self._scans(scope, receive, send)
        else:
            await self._pages(scope, receive, send)


def make_pages(health: Health, measures: Measures) -> Litestar:
    """The pages, without their own documentation."""

    @get("/", media_type=MediaType.TEXT, sync_to_thread=False)
    def front() -> str:
        return FRONT

    @get(["/healthz", "/health"], media_type=MediaType.JSON, sync_to_thread=False)
    def healthz() -> dict[str, str]:
        return {"status": "alive"}

    @get("/readyz", media_type=MediaType.JSON)
    async def readyz() -> Response[dict[str, Any]]:
        report = await health.look()
        return Response(report, status_code=200 if report["ready"] else 503)

    @get("/metrics", sync_to_thread=True)
    def metrics() -> Response[bytes]:
        return Response(measures.render(), media_type=CONTENT_TYPE)

    return Litestar([front, healthz, readyz, metrics], openapi_config=None, logging_config=None)
