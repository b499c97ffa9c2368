"""The hub's pages for machines: ``/healthz``, ``/readyz`` and ``/metrics``, with the webhooks in front of them."""

from __future__ import annotations

from typing import Any

from litestar import Litestar, MediaType, Response, get

from playhead.faces.webhooks.app import Receive, Scope, Send, WebhookApp
from playhead.runtime.health import Health
from playhead.runtime.measures import CONTENT_TYPE, Measures


class HubApp:
    """The whole ASGI application: webhooks go straight to theirs, the rest to Litestar."""

    def __init__(self, webhooks: WebhookApp, pages: Litestar) -> None:
        self._webhooks = webhooks
        self._pages: Any = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        await (self._webhooks if self._webhooks.takes(scope) else self._pages)(scope, receive, send)


def make_pages(health: Health, measures: Measures) -> Litestar:
    """The pages, without their own documentation."""

    @get("/healthz", media_type=MediaType.JSON, sync_to_thread=False)
    def healthz() -> dict[str, str]:
        return {"status": "alive"}

    @get("/readyz", media_type=MediaType.JSON)
    async def readyz() -> Response[dict[str, Any]]:
        report = await health.look()
        return Response(report, status_code=200 if report["ready"] else 503)

    @get("/metrics", sync_to_thread=True)
    def metrics() -> Response[bytes]:
        return Response(measures.render(), media_type=CONTENT_TYPE)

    return Litestar([healthz, readyz, metrics], openapi_config=None, logging_config=None)
