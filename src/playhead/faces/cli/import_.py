"""``playhead import``: read what the servers say and store it; nothing is written to any server."""

from __future__ import annotations

import asyncio

import typer

from playhead.faces.cli.options import ConnectionNames, DryRun, Full, HomeOption, JsonFlag, Verbosity
from playhead.faces.cli.running import choose_connections, judge, name_read, show_bars, warn_of_reads
from playhead.faces.cli.screen import Screen, make_table
from playhead.faces.cli.session import Session
from playhead.ports.store import ReadResult
from playhead.wiring.hub import Hub, open_hub


def import_(
    connection: ConnectionNames = None,
    full: Full = False,
    dry_run: DryRun = False,
    home: HomeOption = None,
    json: JsonFlag = False,
    verbose: Verbosity = 0,
) -> None:
    """Read what the servers say and store it; nothing is written to any server."""
    session = Session(home, as_json=json, verbose=verbose)
    names = choose_connections(session, connection)
    with open_hub(session.installation, alone=not dry_run, scratch=dry_run) as hub:
        results = asyncio.run(read(session.screen, hub, names, full=full))
    warn_of_reads(session.screen, results, hub.notes)
    session.screen.give({"read": {name_read(result, results): _describe(result) for result in results}})
    show_reads(session.screen, results)
    session.screen.say("Nothing was stored (--dry-run)." if dry_run else f"Next: {session.command('plan')}")
    raise typer.Exit(judge(results))


async def read(screen: Screen, hub: Hub, names: list[str] | None, *, full: bool) -> list[ReadResult]:
    """Reach and read the connections, with a bar for each."""
    async with hub.reach(names):
        with show_bars(screen, "reading") as bars:
            return await hub.read(names, full=full, progress=bars.move)


def show_reads(screen: Screen, results: list[ReadResult]) -> None:
    """What each server gave."""
    table = make_table("connection", "read", "items", "changed", numbers=("items", "changed"))
    for result in results:
        table.add_row(name_read(result, results), result.status, f"{result.items:,}", f"{result.changed:,}")
    screen.show(table)


def _describe(result: ReadResult) -> dict[str, object]:
    return {
        "items": result.items,
        "changed": result.changed,
        "status": result.status,
        "message": result.message or None,
    }
