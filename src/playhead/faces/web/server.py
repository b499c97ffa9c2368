"""HTTP on a socket that is open already, until told to stop. The process's signals are the caller's."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn

from playhead.faces.web.app import HubApp
from playhead.faces.web.protocol import PatientProtocol
from playhead.ports.errors import PlayheadError

MOST_CONNECTIONS = 512
BACKLOG = 1024
END_WITHIN_S = 5


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, on_up: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_up = on_up

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer, and say so."""
        await super().startup(sockets)
        self._on_up()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave them alone."""
        yield


def open_socket(host: str, port: int) -> socket.socket:
    """Listen; port 0 = any free one. Raises PlayheadError."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except (OSError, OverflowError) as error:
        raise PlayheadError(
            f"Port {port} on {host} cannot be opened ({error}).",
            hint="Does something else use it? Choose another with --port, or --host.",
        ) from error


async def run_http(
    app: HubApp, listening: socket.socket, stop: asyncio.Event, on_up: Callable[[], None]
) -> None:
    """Answer until ``stop`` is set, and then what was begun. ``on_up`` is called as soon as requests are answered."""
    config = uvicorn.Config(
        app,
        http=PatientProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_graceful_shutdown=END_WITHIN_S,
    )
    server = _Server(config, on_up)
    serving = asyncio.create_task(server.serve([listening]))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait([serving, stopping], return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    server.should_exit = True
    await serving
