"""``playhead sync``: read all servers, bring them into agreement."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from typing import Annotated

import typer

from playhead.faces.cli.options import DryRun, Full, HomeOption, JsonFlag, Verbosity
from playhead.faces.cli.plan import make_plan
from playhead.faces.cli.planning import say_count, show_plan
from playhead.faces.cli.running import choose_connections, count_reads, judge, show_bars, warn_of_reads
from playhead.faces.cli.session import Session
from playhead.flows.sync import Plan, SyncResult, run_sync
from playhead.ports.store import ReadResult
from playhead.wiring.hub import Hub, open_hub


def sync(
    connection: Annotated[
        list[str] | None,
        typer.Option(
            "--connection",
            "-c",
            metavar="NAME",
            help="Read only this connection, write wherever that leads; may be given again.",
            show_default=False,
        ),
    ] = None,
    full: Full = False,
    dry_run: DryRun = False,
    leave_writing: Annotated[
        bool,
        typer.Option("--leave-writing", help="Queue what is to be written; a `serve` that is up writes it."),
    ] = False,
    home: HomeOption = None,
    json: JsonFlag = False,
    verbose: Verbosity = 0,
) -> None:
    """Read all servers and bring them into agreement."""
    session = Session(home, as_json=json, verbose=verbose)
    session.installation.patient = leave_writing
    names = choose_connections(session, connection)
    with open_hub(session.installation, alone=not dry_run, scratch=dry_run) as hub:
        if dry_run:
            results, made = asyncio.run(make_plan(session, hub, stored=False, full=full, names=names))
            done = pretend(made)
            show_plan(session.screen, hub.context(), made)
        else:
            results, done = asyncio.run(
                read_and_write(session, hub, full=full, names=names, deliver=not leave_writing)
            )
    warn_of_reads(session.screen, results, hub.notes)
    tell(session, results, done, dry_run=dry_run, left=leave_writing)
    raise typer.Exit(judge(results, failed=done.failed, held=done.held))


async def read_and_write(
    session: Session,
    hub: Hub,
    *,
    full: bool = False,
    names: Collection[str] | None = None,
    deliver: bool = True,
) -> tuple[list[ReadResult], SyncResult]:
    """One whole pass with bars; only the named connections are read."""
    async with hub.reach():
        with show_bars(session.screen, "reading") as bars:
            results = await hub.read(names, full=full, progress=bars.move)
        with show_bars(session.screen, "writing") as bars:
            return results, await run_sync(hub.context(), on_progress=bars.move, deliver=deliver)


def pretend(plan: Plan) -> SyncResult:
    """The counts of a plan that is not carried out."""
    return SyncResult(
        planned=len(plan.changes) + plan.waiting,
        written=0,
        failed=0,
        pending=len(plan.pending),
        held=len(plan.held),
    )


def tell(
    session: Session,
    results: Sequence[ReadResult],
    done: SyncResult,
    *,
    dry_run: bool,
    left: bool = False,
) -> None:
    """The counts, and what went wrong."""
    screen = session.screen
    for message in done.messages:
        screen.note(f"warning: {message}", style="yellow")
    counts = {key: getattr(done, key) for key in ("planned", "written", "failed", "pending", "held")}
    screen.give({"read": count_reads(results), **counts})
    if results:
        read = count_reads(results)
        items, changed = (sum(of[key] for of in read.values()) for key in ("items", "changed"))
        screen.say(f"Read {items:,} items on {len(read)} servers, {changed:,} changed.")
    if dry_run:
        screen.say(f"{say_count(done.planned, 'change')} would be written (--dry-run).")
    elif done.planned == 0:
        screen.say("Nothing to write: all accounts agree.")
    elif left:
        screen.say(f"{say_count(done.planned, 'change')} wait for a `serve` that is up (--leave-writing).")
    else:
        screen.say(f"Wrote {done.written:,} of {say_count(done.planned, 'change')}.")
        if done.late:
            screen.say(
                f"{done.late:,} of them had waited from an earlier run, or came up meanwhile.", style="dim"
            )
    if done.failed:
        screen.say(
            f"{done.failed:,} could not be written and are tried again on the next run.", style="yellow"
        )
    if done.pending:
        screen.say(f"{done.pending:,} wait until a server has the item.", style="dim")
    if done.held:
        screen.say(f"{done.held:,} held for you to decide: {session.command('held')}", style="yellow")
