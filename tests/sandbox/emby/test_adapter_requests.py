"""What the real adapter asks of Emby fits the maker's documents: it does not live on what the emulator alone forgives."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from playhead.adapters.emby.adapter import EmbyBackend
from playhead.adapters.emby.settings import EmbySettings
from playhead.domain.state.reading import BLANK, State
from playhead.ports.backend import Outcome, Write
from playhead.sandbox.clock import Clock
from playhead.sandbox.emby.emulator import EmbyServer, make_server
from tests.judges.openapi import check
from tests.sandbox.emby.conftest import ANNA, NOW, Exchange, make_world
from tests.sandbox.emby.test_openapi import MEASURED, SPECS
from tests.truth import truth_path

BESIDE_THE_DOCUMENT = {
    "GET /Users/{UserId}/Views: query IncludeExternalContent is required and missing": (
        "recorded/emby/4.9.5.0/users-views.json was answered without it"
    ),
    "GET /Users/{UserId}/Items: query ExcludeLocationTypes is not in the document": (
        "Emby ignores parameters that it does not know (facts B2); it does nothing there"
    ),
}
"""What the adapter asks otherwise than the documents say, each with the reason why it may."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def overheard(version: str) -> AsyncIterator[tuple[EmbyServer, EmbyBackend, list[Exchange]]]:
    """An emulated server, the adapter for it, and everything that passes between them."""
    world = make_world(version)
    clock = Clock()
    clock.freeze(NOW)
    server, seen = make_server(world, world.servers[0], clock), []

    @web.middleware
    async def listen(request: web.Request, handler: Handler) -> web.StreamResponse:
        answer = await handler(request)
        assert isinstance(answer, web.Response)
        raw = bytes(answer.body or b"")  # type: ignore[arg-type]
        kind = answer.headers.get("Content-Type") if raw else None
        path = request.path.removeprefix("/emby")
        seen.append(Exchange(request.method, path, dict(request.query), answer.status, kind, raw))
        return answer

    app = server.make_app()
    app.middlewares.append(listen)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    settings = EmbySettings(url=f"http://127.0.0.1:{runner.addresses[0][1]}")
    backend = EmbyBackend(settings, server.admin_token, ANNA, client_id="judge")
    try:
        yield server, backend, seen
    finally:
        await backend.close()
        await runner.cleanup()


async def use_everything(server: EmbyServer, backend: EmbyBackend) -> None:
    """Connect, read all lists and single items, and write in every way."""
    await backend.probe()
    await backend.check_account()
    await backend.list_users()
    for library in await backend.list_libraries():
        for listing in backend.plan_listings(library, lean=False):
            backend.decode_page(await backend.fetch_page(listing, 0, 100))
    item = server.catalogue.by_world["matrix"][0].id
    await backend.fetch_entries([item])
    both, states = frozenset({"watched", "progress"}), [
        State(watched=True, last_played=NOW - 500, plays=1, position_s=0),
        State(watched=True, last_played=NOW - 500, plays=2, position_s=600),
        State(watched=False, plays=0, position_s=0),
        State(watched=False, plays=0, position_s=900),
    ]  # fmt: skip
    before = BLANK
    for target in states:
        receipt = await backend.apply(Write(item, "movie", both, target, before, 3600))
        assert receipt.outcome is Outcome.done
        before = receipt.after or before


@pytest.mark.parametrize("version", list(SPECS))
async def test_the_adapters_requests_fit_the_makers_document(version: str) -> None:
    """Every request and answer of connecting, importing and writing."""
    spec = truth_path("specs", SPECS[version])
    async with overheard(version) as (server, backend, seen):
        await use_everything(server, backend)
    wrong = {
        text
        for each in seen
        for text in check(
            spec,
            each.method,
            each.path,
            each.query,
            each.status,
            each.content_type,
            each.raw,
            tolerances=MEASURED,
        )
    }
    assert wrong <= set(BESIDE_THE_DOCUMENT)
    assert {each.method for each in seen} == {"GET", "POST", "DELETE"}
