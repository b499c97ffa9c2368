"""``playhead demo``: Playhead at work on three emulated servers, in a home folder of its own that is gone afterwards.

Everything goes over HTTP through the same flows as on real servers; only the servers are emulated.
"""

from __future__ import annotations

import asyncio
import shlex
import signal
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from playhead.faces.cli.demo_world import LATER, PERSON, make_demo_world
from playhead.faces.cli.options import Verbosity
from playhead.faces.cli.planning import say_time, show_plan
from playhead.faces.cli.running import show_bars
from playhead.faces.cli.screen import Screen, make_table
from playhead.faces.cli.session import Session, command_line
from playhead.flows.connect import check_connection
from playhead.flows.sync import plan_changes, run_sync
from playhead.ports.backend import Backend
from playhead.sandbox.run import SandboxHandle, run_world
from playhead.sandbox.server import StateRow
from playhead.sandbox.world import World, WorldItem, WorldServer
from playhead.settings import ConnectionSettings
from playhead.wiring.hub import open_hub
from playhead.wiring.installation import find_manifest, make_backend


def demo(
    once: Annotated[
        bool, typer.Option("--once", help="Exit at the end instead of keeping the servers up.")
    ] = False,
    verbose: Verbosity = 0,
) -> None:
    """See Playhead at work on three emulated servers; nothing of yours is touched."""
    with tempfile.TemporaryDirectory(prefix="playhead-demo-") as folder:
        asyncio.run(Demo(Path(folder), verbose).run(once=once))


class Demo:
    """One run of the demo."""

    def __init__(self, home: Path, verbose: int = 0) -> None:
        self.home = home
        self.session = Session(home, verbose=verbose)
        self.screen: Screen = self.session.screen
        self.world: World = make_demo_world(time.time())

    async def run(self, *, once: bool) -> None:
        """All steps, in order."""
        started = time.monotonic()
        async with run_world(self.world) as box:
            self.title("Three emulated servers, and none knows what the others know")
            await self.connect(box)
            self.show_servers(box)
            self.title("The plan: what should change where, and why")
            await self.plan_and_sync()
            self.title(f"Later, {PERSON} ...")
            self.live(box)
            await self.plan_and_sync()
            self.title("The agreement, as the servers themselves now say it")
            self.show_servers(box)
            self.screen.say(f"\nAll of it took {time.monotonic() - started:.1f} s.", style="dim")
            if once:
                self.say_next("demo")
            else:
                await self.stay(box)

    def title(self, text: str) -> None:
        """A heading between two steps."""
        self.screen.say()
        self.screen.say(text, style="bold cyan")

    async def connect(self, box: SandboxHandle) -> None:
        """Connect all servers, checked as ``playhead connect`` does."""
        for spec in self.world.servers:
            await self._connect_one(box, spec)

    async def _connect_one(self, box: SandboxHandle, spec: WorldServer) -> None:
        manifest, token, url = find_manifest(spec.kind), box.token(spec.name, PERSON), box.url(spec.name)
        options = {"plex_tv_url": box.extra_urls["plextv"]} if spec.kind == "plex" else {}

        def make(user_id: str) -> Backend:
            return make_backend(manifest, {"url": url, **options}, token, user_id, client_id="playhead-demo")

        checked = await check_connection(make, kind=spec.kind, title=manifest.title, user=None)
        connection = ConnectionSettings(
            kind=spec.kind,
            url=url,
            user=checked.user.name,
            user_id=checked.user.id,
            person=PERSON,
            token="store:",
            server_id=checked.server.server_id,
            options=options,
        )
        self.session.installation.save_connection(spec.name, connection, secret=token)

    async def plan_and_sync(self) -> None:
        """Read, show the plan, write it with a bar."""
        with open_hub(self.session.installation, alone=True) as hub:
            async with hub.reach():
                results = await hub.read(None, full=False, progress=lambda *_: None)
                items, changed = (sum(getattr(r, key) for r in results) for key in ("items", "changed"))
                self.screen.say(
                    f"Read {items} items on {len(results)} servers, {changed} of them news.\n", style="dim"
                )
                ctx = hub.context()
                show_plan(self.screen, ctx, await plan_changes(ctx))
                self.screen.say()
                with show_bars(self.screen, "writing to", keep=True) as bars:
                    done = await run_sync(ctx, on_progress=bars.move)
                self.screen.say(f"Wrote {done.written} of {done.planned} changes.", style="green")

    def live(self, box: SandboxHandle) -> None:
        """What the person does between two syncs."""
        for deed in LATER:
            box.server(deed.server).act(PERSON, deed.item, deed.act, at=None, args=dict(deed.args))
            self.screen.say(f"  {deed.told}")

    def show_servers(self, box: SandboxHandle) -> None:
        """A row for each item, a column for each server, as the servers say it."""
        names = [spec.name for spec in self.world.servers]
        rows = {name: {row.item: row for row in box.server(name).state_rows(PERSON)} for name in names}
        shows = {item.id: item.title for item in self.world.items if item.type == "show"}
        table = make_table("", *names, "")
        agreeing = 0
        things = [item for item in self.world.items if item.type != "show"]
        for item in things:
            cells = [_say_state(rows[name].get(item.id)) for name in names]
            agree = len({cell for cell in cells if cell != _ABSENT}) == 1
            agreeing += agree
            mark = Text("agree", style="green") if agree else Text("differ", style="yellow")
            table.add_row(_say_title(item, shows), *(_colour(cell) for cell in cells), mark)
        self.screen.show(table)
        self.screen.say(
            f"{agreeing} of {len(things)} agree.", style="green" if agreeing == len(things) else "yellow"
        )

    def say_next(self, *first: str) -> None:
        """What to type next."""
        self.title("Next")
        for command, what in (
            *((name, "the same, and the servers stay up to play with") for name in first),
            ("connect plex", "your own servers: also connect jellyfin, connect emby"),
            ("plan", "what would change, with reasons; writes nothing"),
            ("sync", "bring them into agreement"),
            ("--help", "everything else"),
        ):
            self.screen.say(f"  {command_line(command):<22} {what}")

    async def stay(self, box: SandboxHandle) -> None:
        """Keep the servers up until Ctrl-C."""
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        self.title("The servers stay up until Ctrl-C. Play with them")
        table = make_table("server", "address", "token of " + PERSON)
        for spec in self.world.servers:
            table.add_row(spec.name, box.url(spec.name), box.token(spec.name, PERSON))
        self.screen.show(table)
        self.screen.say("\nFrom another terminal:")
        deed = f'{{"server":"Emby","user":"{PERSON}","item":"paddington","act":"unmark"}}'
        for line in (
            f"curl -d {shlex.quote(deed)} {box.control_url}/_sandbox/act",
            *(
                command_line(text, self.home)
                for text in ("plan", "sync", "explain 'Paddington 2'", "items", "history")
            ),
        ):
            self.screen.say(f"  {line}", wrap=False)
        self.say_next()
        await stop.wait()
        self.screen.note("\nThe servers are gone, and so is the demo's home folder.")


_ABSENT = "not there"


def _say_state(row: StateRow | None) -> str:
    if row is None:
        return _ABSENT
    if row.position_s:
        return ("watched, " if row.watched else "") + f"at {say_time(int(row.position_s))}"
    return "watched" if row.watched else "-"


def _colour(cell: str) -> Text:
    style = "dim" if cell in ("-", _ABSENT) else "green" if cell == "watched" else "cyan"
    return Text(cell, style=style)


def _say_title(item: WorldItem, shows: dict[str, str]) -> str:
    if item.type == "episode":
        return f"{shows[item.show or '']} S{item.season:02d}E{item.episode:02d}"
    return f"{item.title} ({item.year})"
