"""``playhead export``: write what is stored and agreed to the servers, without reading them first."""

from __future__ import annotations

import asyncio

import typer

from playhead.faces.cli.options import ConnectionNames, DryRun, HomeOption, JsonFlag, Verbosity
from playhead.faces.cli.planning import show_plan
from playhead.faces.cli.running import choose_connections, judge, show_bars
from playhead.faces.cli.session import Session
from playhead.faces.cli.sync import pretend, tell
from playhead.flows.sync import Plan, SyncResult, plan_changes, run_sync
from playhead.ports.errors import PlayheadError
from playhead.wiring.hub import Hub, open_hub


def export(
    connection: ConnectionNames = None,
    dry_run: DryRun = False,
    home: HomeOption = None,
    json: JsonFlag = False,
    verbose: Verbosity = 0,
) -> None:
    """Write what is stored and agreed to the servers, without reading them first."""
    session = Session(home, as_json=json, verbose=verbose)
    names = choose_connections(session, connection)
    with open_hub(session.installation, alone=True) as hub:
        if dry_run:
            made = asyncio.run(plan_changes(hub.context()))
            made = _only(made, names)
            show_plan(session.screen, hub.context(), made)
            done = pretend(made)
        else:
            done = asyncio.run(_write(session, hub, names))
        unreached, silent = hub.unreached(), len(hub.errors)
    for name, error in unreached.items():
        session.screen.note(f"warning: {name}: {error}", style="yellow")
    tell(session, [], done, dry_run=dry_run)
    if silent and silent == len(names or session.settings.connections):
        raise PlayheadError(
            "No server could be reached.", hint="Nothing was lost; run it again when they are up."
        )
    raise typer.Exit(judge([], failed=done.failed + len(unreached), held=done.held))


async def _write(session: Session, hub: Hub, names: list[str] | None) -> SyncResult:
    async with hub.reach(names):
        with show_bars(session.screen, "writing") as bars:
            chosen = set(names) if names else None
            return await run_sync(hub.context(), connections=chosen, on_progress=bars.move)


def _only(plan: Plan, names: list[str] | None) -> Plan:
    if names is None:
        return plan
    return Plan(
        changes=[change for change in plan.changes if change.connection in names],
        pending=[pending for pending in plan.pending if pending.connection in names],
        held=plan.held,
        waiting=plan.waiting,
    )
