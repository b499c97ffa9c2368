"""``playhead plan``: what a sync would change on which server, and why; changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Annotated

import typer

from playhead.faces.cli.options import Full, HomeOption, JsonFlag, PersonName, Verbosity
from playhead.faces.cli.planning import describe_plan, say_count, show_plan
from playhead.faces.cli.running import judge, show_bars, warn_of_reads
from playhead.faces.cli.session import Session
from playhead.flows.sync import Plan, plan_changes
from playhead.ports.store import ReadResult
from playhead.wiring.hub import Hub, open_hub


def plan(
    stored: Annotated[
        bool, typer.Option("--stored", help="From what was read before; ask no server.")
    ] = False,
    person: PersonName = None,
    full: Full = False,
    home: HomeOption = None,
    json: JsonFlag = False,
    verbose: Verbosity = 0,
) -> None:
    """Show what a sync would change on which server, and why; change nothing."""
    session = Session(home, as_json=json, verbose=verbose)
    who = session.person(person) if person is not None else None
    with open_hub(session.installation, alone=True) as hub:
        results, made = asyncio.run(make_plan(session, hub, stored=stored, full=full))
        if who is not None:
            made = only_person(made, who)
        ctx = hub.context()
        warn_of_reads(session.screen, results, hub.notes)
        session.screen.give(describe_plan(ctx, made))
        show_plan(session.screen, ctx, made)
    if made.changes:
        session.screen.say(
            f"\n{say_count(len(made.changes), 'change')}. To carry it out: {session.command('sync')}"
        )
    if made.held:
        session.screen.say(f"Answer what is held with: {session.command('held')}")
    raise typer.Exit(judge(results, held=len(made.held)))


async def make_plan(
    session: Session, hub: Hub, *, stored: bool, full: bool = False, names: Collection[str] | None = None
) -> tuple[list[ReadResult], Plan]:
    """Read everything that may be read, or the named connections, then plan; ``stored`` asks no server."""
    if stored:
        return [], await plan_changes(hub.context())
    async with hub.reach():
        with show_bars(session.screen, "reading") as bars:
            results = await hub.read(names, full=full, progress=bars.move)
        return results, await plan_changes(hub.context())


def only_person(plan: Plan, person: str) -> Plan:
    """The part of a plan that is one person's."""
    return Plan(
        changes=[change for change in plan.changes if change.person == person],
        pending=[pending for pending in plan.pending if pending.person == person],
        held=[row for row in plan.held if row.person is None or row.person == person],
        waiting=plan.waiting,
    )
