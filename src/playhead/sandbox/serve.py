"""The sandbox as a process: announces itself, runs until it is told to stop, ends cleanly.

Holds what a person or a script sees on stdout; knows nothing of the command line's options.
"""

from __future__ import annotations

import asyncio
import gc
import signal
import sys

import msgspec
from rich.console import Console
from rich.table import Table

from playhead.sandbox.run import SandboxHandle, run_world
from playhead.sandbox.world import World


async def serve(world: World, *, host: str, as_json: bool) -> None:
    """Run the world until SIGTERM or SIGINT. With ``as_json`` stdout gets the start line and nothing else."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with run_world(world, host=host) as box:
        gc.freeze()  # a large world stays: looking through it again and again would cost more than all requests
        gc.enable()
        if as_json:
            sys.stdout.buffer.write(msgspec.json.encode(box.start_line()) + b"\n")
            sys.stdout.buffer.flush()
        else:
            print_guide(box, Console())
        await stop.wait()


def print_guide(box: SandboxHandle, console: Console) -> None:
    """The servers, their users and tokens, and what to try."""
    table = Table(title=f"Sandbox: {len(box.world.items)} items in the world", title_justify="left")
    for heading in ("server", "kind", "version", "url", "user", "user id", "token"):
        table.add_column(heading, overflow="fold")
    for server in box.servers.values():
        shown = (server.name, server.kind, server.version, box.urls[server.name])
        for user in server.users():
            table.add_row(*shown, user.name, user.id, user.token)
            shown = ("", "", "", "")
    console.print(table)
    for name, url in box.extra_urls.items():
        console.print(f"{name}: {url}")
    console.print(f"control: {box.control_url}/_sandbox/world")
    first = next(iter(box.servers.values()), None)
    if first is not None and first.users():
        console.print("Try:")
        console.print(
            f"  curl '{box.control_url}/_sandbox/state?server={first.name}&user={first.users()[0].name}'",
            soft_wrap=True,
        )
        console.print(f"  curl '{box.control_url}/_sandbox/requests'", soft_wrap=True)
    console.print("Stop with Ctrl-C.")
