"""``playhead serve``: the process that listens to the servers and keeps them in agreement."""

from __future__ import annotations

import asyncio
import faulthandler
import os
import signal
import sys
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Annotated

import typer

from playhead.faces.cli.options import HomeOption, JsonFlag, Verbosity
from playhead.faces.cli.session import Session
from playhead.kit.address import normalise_url

if TYPE_CHECKING:
    import socket

    from playhead.wiring.serving import Service

SWITCH_THREADS_S = 0.001  # who answers waits no longer than that for the worker's thread


def serve(
    host: Annotated[
        str | None,
        typer.Option(
            metavar="HOST",
            help="Listen there (else the setting, else 127.0.0.1); 0.0.0.0 = everywhere.",
            show_default=False,
        ),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            metavar="PORT",
            min=0,
            max=65535,
            help="And on this port (else the setting, else 7529); 0 = any free one.",
            show_default=False,
        ),
    ] = None,
    base_url: Annotated[
        str | None,
        typer.Option(
            "--base-url",
            metavar="URL",
            help="How servers reach it, for the addresses of webhooks (else the setting).",
            show_default=False,
        ),
    ] = None,
    home: HomeOption = None,
    json: JsonFlag = False,
    verbose: Verbosity = 0,
) -> None:
    """Stay up, listen to the servers, and bring them into agreement at once."""
    session = Session(home, as_json=json, verbose=max(1, verbose))
    settings = session.settings.serve
    base = normalise_url(base_url) if base_url else ""

    from playhead.faces.web.server import open_socket
    from playhead.wiring.serving import open_service
    from playhead.wiring.webhooks import describe_place

    faulthandler.enable()  # a crash of the interpreter leaves word of where, on standard error
    sys.setswitchinterval(SWITCH_THREADS_S)
    with open_service(session.installation) as service:
        place = host or settings.host
        with open_socket(place, settings.port if port is None else port) as listening:
            url = describe_place(place, listening.getsockname()[1])
            asyncio.run(_serve(session, service, listening, url, base))


async def _serve(
    session: Session, service: Service, listening: socket.socket, url: str, base_url: str
) -> None:
    from playhead.faces.web.app import HubApp, make_pages
    from playhead.faces.web.scans import ScanApp
    from playhead.faces.web.server import run_http
    from playhead.faces.webhooks.app import WebhookApp
    from playhead.wiring.serving import say_where

    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    webhooks = WebhookApp(service.reception, service.measures.note_webhook)
    scans = ScanApp(service.find_scans)
    app = HubApp(webhooks, make_pages(service.health, service.measures), scans)

    def tell() -> None:
        say_where(session.installation.home, url, base_url)
        _announce(session, url, base_url)

    try:
        await service.begin(session.installation)
        async with asyncio.TaskGroup() as group:
            group.create_task(_stop_with(service.run(stop), stop))
            group.create_task(_stop_with(run_http(app, listening, stop, tell), stop))
    finally:
        await service.close()
    session.screen.say("Stopped.")


async def _stop_with(part: Coroutine[None, None, None], stop: asyncio.Event) -> None:
    """Run a part of the hub; where it ends, however it ends, the others are told to end as well."""
    try:
        await part
    finally:
        stop.set()


def _announce(session: Session, url: str, base_url: str) -> None:
    session.screen.give({"url": url, "base_url": base_url or url, "pid": os.getpid()})
    session.screen.say(f"Playhead is up at {url}. Stop it with Ctrl-C.")
    if not session.settings.connections:
        session.screen.say(f"Nothing is connected yet: {session.command('connect plex|jellyfin|emby')}")
    else:
        session.screen.say(f"Where your servers can post to: {session.command('webhooks list')}")
