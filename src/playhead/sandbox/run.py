"""Starts a world: every emulated server, what stands beside them and the control side, in one event loop.

Knows sockets and threads; what a server answers is the emulators', what the control side does is ``control``'s.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import Any

from aiohttp import web

from playhead.sandbox.checking import check_world
from playhead.sandbox.clock import Clock, SkewedClock
from playhead.sandbox.control import make_control_app
from playhead.sandbox.counters import RequestCounter
from playhead.sandbox.faults import FaultBook
from playhead.sandbox.misbehave import Misbehaviour, Surrounded
from playhead.sandbox.registry import MakeServer, find_extra_apps, find_make_server
from playhead.sandbox.server import EmulatedServer
from playhead.sandbox.times import to_epoch
from playhead.sandbox.world import World

HOST = "127.0.0.1"
REOPEN_EVERY_S = 0.1


class SandboxHandle:
    """A running world. ``urls`` and ``extra_urls`` are complete once it is started."""

    def __init__(self, world: World, factories: Mapping[str, MakeServer] | None = None) -> None:
        check_world(world)
        self.world = world
        self.clock = Clock(to_epoch(world.now))
        self.faults = FaultBook()
        self.counters: dict[str, RequestCounter] = {}
        self.clocks: dict[str, SkewedClock] = {}
        self.servers: dict[str, EmulatedServer] = {}
        self.urls: dict[str, str] = {}
        self.extra_urls: dict[str, str] = {}
        self.control_url = ""
        self._sites: dict[str, Site] = {}
        for spec in world.servers:
            make = (factories or {}).get(spec.kind) or find_make_server(spec.kind)
            self.clocks[spec.name] = SkewedClock(self.clock, spec.clock_skew_s)
            self.counters[spec.name] = RequestCounter()
            self.servers[spec.name] = make(world, spec, self.clocks[spec.name])
        self._builtin_kinds = [
            kind for kind in dict.fromkeys(s.kind for s in world.servers) if kind not in (factories or {})
        ]

    def server(self, name: str) -> EmulatedServer:
        """The server of that name. Raises KeyError naming those that exist."""
        try:
            return self.servers[name]
        except KeyError:
            raise KeyError(f"no server {name!r}; there are: {', '.join(self.servers)}") from None

    def url(self, name: str) -> str:
        """Where the server listens."""
        return self.urls[self.server(name).name]

    def token(self, name: str, user: str) -> str:
        """The token of a user (name or id) on a server."""
        for login in self.server(name).users():
            if user in (login.name, login.id):
                return login.token
        raise KeyError(f"no user {user!r} on {name!r}")

    def start_line(self) -> dict[str, Any]:
        """What ``--json`` prints first: where everything is and how to sign in."""
        servers = []
        for server in self.servers.values():
            users = [{"name": user.name, "id": user.id, "token": user.token} for user in server.users()]
            servers.append(
                {
                    "name": server.name,
                    "kind": server.kind,
                    "version": server.version,
                    "url": self.urls[server.name],
                    "admin_token": server.admin_token,
                    "users": users,
                }
            )
        return {"control": self.control_url, "servers": servers, **self.extra_urls}

    async def start(self, stack: AsyncExitStack, host: str) -> None:
        """Listen everywhere; ``stack`` closes what was opened."""
        for spec in self.world.servers:
            server = self.servers[spec.name]
            app = server.make_app()
            Misbehaviour(server, self.faults, self.counters[spec.name], self.clocks[spec.name]).wrap(app)
            self._sites[spec.name] = await _open_site(stack, app, host, spec.port)
            self.urls[spec.name] = self._sites[spec.name].url
        for kind in self._builtin_kinds:
            make = find_extra_apps(kind)
            same = {name: server for name, server in self.servers.items() if server.kind == kind}
            for name, app in (make(self.world, same, self.urls) if make else {}).items():
                self.counters[name] = RequestCounter()
                clock = self.clocks[name] = SkewedClock(self.clock)
                Misbehaviour(Surrounded(name), self.faults, self.counters[name], clock).wrap(app)
                self._sites[name] = await _open_site(stack, app, host, 0)
                self.extra_urls[name] = self._sites[name].url
        self.control_url = (await _open_site(stack, make_control_app(self), host, 0)).url

    async def kill(self, name: str, down_s: float) -> None:
        """End a server, or what stands beside the servers, as ``kill -9`` does; it is up again after ``down_s`` real seconds,
        with what it had stored. Returns when it is down. Raises KeyError."""
        if name not in self._sites:
            self.server(name)
        await self._sites[name].cut()
        if name in self.servers:
            self.servers[name].crash()
        self._sites[name].open_again(down_s)


@asynccontextmanager
async def run_world(
    world: World, *, host: str = HOST, factories: Mapping[str, MakeServer] | None = None
) -> AsyncIterator[SandboxHandle]:
    """Run a world in this event loop. ``factories`` replaces emulators by kind. Raises ValueError for a bad world."""
    box = SandboxHandle(world, factories)
    async with AsyncExitStack() as stack:
        await box.start(stack, host)
        yield box


@contextmanager
def run_world_in_thread(
    world: World, *, host: str = HOST, factories: Mapping[str, MakeServer] | None = None
) -> Iterator[SandboxHandle]:
    """Run a world in a thread of its own, for clients that block. Act on it through its control side only."""
    box = SandboxHandle(world, factories)
    ready = threading.Event()
    failed: list[BaseException] = []
    handles: dict[str, Any] = {}

    async def serve() -> None:
        handles["loop"], handles["stop"] = asyncio.get_running_loop(), asyncio.Event()
        async with AsyncExitStack() as stack:
            await box.start(stack, host)
            ready.set()
            await handles["stop"].wait()

    def run() -> None:
        try:
            asyncio.run(serve())
        except BaseException as error:  # noqa: BLE001 - handed to the starting thread
            failed.append(error)
        finally:
            ready.set()

    thread = threading.Thread(target=run, name="sandbox", daemon=True)
    thread.start()
    ready.wait()
    if failed:
        raise failed[0]
    try:
        yield box
    finally:
        handles["loop"].call_soon_threadsafe(handles["stop"].set)
        thread.join()
        if failed:
            raise failed[0]


class Site:
    """Where one application listens."""

    def __init__(self, runner: web.AppRunner, host: str, port: int) -> None:
        self._runner = runner
        self._host = host
        self._port = port
        self._site: web.TCPSite | None = None
        self._again: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """Where clients of this machine reach it."""
        shown = HOST if self._host in ("0.0.0.0", "::") else self._host
        return f"http://{shown}:{self._port}"

    async def open(self) -> None:
        """Listen; port 0 is any that is free, and the same from then on."""
        site = web.TCPSite(self._runner, self._host, self._port, backlog=512, reuse_address=True)
        await site.start()
        self._site = site
        self._port = self._runner.addresses[0][1]

    async def cut(self) -> None:
        """Listen no more, and end every connection without a word."""
        if self._site is None:
            return
        site, self._site = self._site, None
        await site.stop()
        for connection in self._runner.server.connections if self._runner.server else ():
            if connection.transport is not None:
                connection.transport.abort()

    def open_again(self, after_s: float) -> None:
        """Listen again on the same port, unless that is under way."""
        if self._again is None or self._again.done():
            self._again = asyncio.get_running_loop().create_task(self._open_later(after_s))

    async def _open_later(self, after_s: float) -> None:
        await asyncio.sleep(after_s)
        while self._site is None:
            try:
                await self.open()
            except OSError:  # a connection that goes out has the port for a moment
                await asyncio.sleep(REOPEN_EVERY_S)

    async def close(self) -> None:
        """Done with it."""
        if self._again is not None:
            self._again.cancel()
        await self._runner.cleanup()


async def _open_site(stack: AsyncExitStack, app: web.Application, host: str, port: int) -> Site:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2, handler_cancellation=False)
    await runner.setup()
    site = Site(runner, host, port)
    stack.push_async_callback(site.close)
    await site.open()
    return site
