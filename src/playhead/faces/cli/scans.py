"""``playhead scans``: what was asked to be scanned lately, and how far it is."""

from __future__ import annotations

from typing import Annotated

import typer

from playhead.faces.cli.options import HomeOption, JsonFlag, Verbosity
from playhead.faces.cli.screen import make_table
from playhead.faces.cli.session import Session
from playhead.faces.cli.status import say_when
from playhead.faces.job_words import describe_job, say_job
from playhead.ports.errors import UsageError
from playhead.ports.library_jobs import Job
from playhead.wiring.scan_command import open_jobs


def scans(
    number: Annotated[
        int | None,
        typer.Argument(metavar="NUMBER", help="One scan with all its parts.", show_default=False),
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=1, max=10_000, help="So many of the newest.")
    ] = 20,
    home: HomeOption = None,
    json: JsonFlag = False,
    verbose: Verbosity = 0,
) -> None:
    """What was asked to be scanned lately, and how far it is."""
    session = Session(home, as_json=json, verbose=verbose)
    with open_jobs(session.installation) as jobs:
        if number is not None:
            job = jobs.load(number)
            if job is None:
                raise UsageError(f"There is no scan {number}.", hint="See: playhead scans")
            _show(session, job)
            return
        found = jobs.list_newest(limit)
    session.screen.give([describe_job(job) for job in found])
    if not found:
        session.screen.say(f"Nothing was scanned yet. Try: {session.command('scan LIBRARY')}")
        return
    table = make_table("number", "asked", "by", "what", "how far", numbers=("number",))
    for job in found:
        table.add_row(str(job.id), say_when(int(job.made_at)), job.new.source, job.new.name, say_job(job))
    session.screen.show(table)


def _show(session: Session, job: Job) -> None:
    session.screen.give(describe_job(job))
    session.screen.say(f"{job.new.name}: {job.state}", style="bold")
    table = make_table("connection", "library", "path", "state", "what")
    for part in job.parts:
        what = part.message or ", ".join(item.title for item in part.items)
        table.add_row(part.connection, part.library, part.path, str(part.state), what)
    session.screen.show(table)
