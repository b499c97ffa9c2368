"""An adapter on its emulated server, ready for a contract test, with the handles to look at both sides.

Knows how an adapter's harness is found, and no adapter by name.
"""

from __future__ import annotations

import importlib.util
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from aiohttp import web

from playhead.domain.state.reading import State
from playhead.ports.backend import Backend, Entry, Listing, Manifest, RawPage, Write
from playhead.sandbox import run
from playhead.sandbox.server import StateRow
from playhead.sandbox.world import World

from .world import ANNA, SERVER, claim_of, make_world


def folder_of(manifest: Manifest) -> Path:
    """The adapter's folder, wherever it was dropped in."""
    spec = importlib.util.find_spec(manifest.settings.partition(":")[0].rpartition(".")[0])
    assert spec is not None and spec.origin is not None
    named = importlib.util.find_spec(f"playhead.adapters.{manifest.name}")
    assert named is not None and named.origin is not None, (
        f"{manifest.name}: folder and manifest differ in name"
    )
    return Path(named.origin).parent


def find_versions(manifest: Manifest) -> tuple[str | None, ...]:
    """``VERSIONS`` of the harness: the server versions on which the suite runs; None = the emulator's own choice."""
    if not (folder_of(manifest) / "tests" / "harness.py").is_file():
        return (None,)
    return tuple(getattr(load_harness(manifest), "VERSIONS", (None,)))


def load_harness(manifest: Manifest) -> ModuleType:
    """``tests/harness.py`` of the adapter: ``KIND`` names the emulator, ``make(box, server, user, token=None)`` a backend."""
    path = folder_of(manifest) / "tests" / "harness.py"
    if not path.is_file():
        pytest.fail(f"{manifest.name} has no tests/harness.py; write make() there", pytrace=False)
    spec = importlib.util.spec_from_file_location(f"harness_of_{manifest.name}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Rig:
    """A running world, a way to make backends on it, and what was asked of the server."""

    def __init__(
        self, manifest: Manifest, harness: ModuleType, box: run.SandboxHandle, asked: list[str]
    ) -> None:
        self.manifest = manifest
        self.box = box
        self.asked = asked  # "METHOD /path?query" of every request to the server, in order
        self._harness = harness
        self._made: list[Backend] = []

    def connect(self, user: str = ANNA, **changes: Any) -> Backend:
        """A backend for the user. ``token`` replaces the right one, ``server`` the usual one."""
        server = changes.pop("server", SERVER)
        backend: Backend = self._harness.make(self.box, server, user, **changes)
        self._made.append(backend)
        return backend

    def act(self, act: str, item: str, user: str = ANNA, at: float | None = None, **args: Any) -> None:
        """Do what a person would do at the server."""
        self.box.server(SERVER).act(user, item, act, at=at, args=args)

    def row(self, item: str, user: str = ANNA) -> StateRow:
        """What the server keeps."""
        (row,) = [row for row in self.box.server(SERVER).state_rows(user) if row.item == item]
        return row

    async def close(self) -> None:
        for backend in self._made:
            await backend.close()


@asynccontextmanager
async def open_rig(manifest: Manifest, world: World | None = None, **about: Any) -> AsyncIterator[Rig]:
    """Start the world (the usual one if none is given) and close everything after."""
    harness = load_harness(manifest)
    asked: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "find_make_server", _recording(run.find_make_server, asked))
        async with run.run_world(world or make_world(harness.KIND, **about)) as box:
            rig = Rig(manifest, harness, box, asked)
            try:
                yield rig
            finally:
                await rig.close()


def _recording(find: Callable[[str], Any], asked: list[str]) -> Callable[[str], Any]:
    """The emulators as they are, with a middleware that writes down what they are asked."""

    @web.middleware
    async def record(request: web.Request, handler: Any) -> web.StreamResponse:
        asked.append(f"{request.method} {request.raw_path}")
        answer: web.StreamResponse = await handler(request)
        return answer

    def find_recorded(kind: str) -> Any:
        make = find(kind)

        def make_server(*args: Any) -> Any:
            server = make(*args)
            make_app = server.make_app

            def make_recorded_app() -> web.Application:
                app: web.Application = make_app()
                app.middlewares.insert(0, record)
                return app

            server.make_app = make_recorded_app
            return server

        return make_server

    return find_recorded


async def read_pages(backend: Backend, listing: Listing, size: int) -> list[RawPage]:
    """All pages of a list, as an import asks for them."""
    pages, start, total = [], 0, None
    while total is None or start < total:
        page = await backend.fetch_page(listing, start, size)
        content = backend.decode_page(page)
        pages.append(page)
        total = (
            content.total if content.total is not None else page.total if page.total is not None else total
        )
        if content.returned == 0 or (total is None and content.returned < size):
            break
        start += content.returned
        assert len(pages) < 500, "the list never ends"
    return pages


async def read_entries(backend: Backend, size: int = 100, *, lean: bool = False) -> list[Entry]:
    """All leaf items of all libraries."""
    entries: list[Entry] = []
    for library in await backend.list_libraries():
        for listing in backend.plan_listings(library, lean=lean):
            if listing.what == "leaf":
                for page in await read_pages(backend, listing, size):
                    entries.extend(backend.decode_page(page).entries)
    return entries


async def find_entry(backend: Backend, item: str) -> Entry:
    """The entry of one item of the world, as the list shows it."""
    (entry,) = [entry for entry in await read_entries(backend) if claim_of(item) in entry.claims]
    return entry


async def look_closely(backend: Backend, entry: Entry) -> Entry:
    """The same item by the source that does not lie."""
    (found,) = await backend.fetch_entries([entry.native_id])
    return found


def state_of(entry: Entry) -> State:
    """The state part of an entry."""
    return State(
        entry.watched, entry.plays, entry.last_played, entry.position_s, entry.rating, entry.favourite
    )


def wish(entry: Entry, *facets: str, **target: Any) -> Write:
    """A write that changes ``facets`` of the entry to ``target`` and wishes the rest as it is."""
    before = state_of(entry)
    fields = {name: getattr(before, name) for name in before.__struct_fields__}
    return Write(
        native_id=entry.native_id,
        kind=entry.kind,
        facets=frozenset(facets),
        target=State(**{**fields, **target}),
        before=before,
        runtime_s=entry.runtime_s,
    )
