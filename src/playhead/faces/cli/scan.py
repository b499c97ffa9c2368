"""``playhead scan``: have a library, a file or a folder scanned on every server that has it, and wait for the proof."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from playhead.faces.cli.asking import confirm_or_refuse
from playhead.faces.cli.options import ConnectionNames, DryRun, HomeOption, JsonFlag, Verbosity
from playhead.faces.cli.running import choose_connections
from playhead.faces.cli.session import Session
from playhead.faces.job_words import describe_job, is_good
from playhead.flows.empty_trash import empty_trash
from playhead.flows.explain_path import ExplainedPath, explain_path
from playhead.flows.library_lane import Lane
from playhead.flows.request_scan import ScanRequest
from playhead.ports.errors import BackendError, UsageError
from playhead.ports.library_jobs import Job, JobPart, NewJob, PartState
from playhead.runtime.exits import Exit
from playhead.wiring.scan_command import open_desk, open_jobs, open_scanner

_STYLES = {
    PartState.proved: "green",
    PartState.gone: "green",
    PartState.scanned: "green",
    PartState.not_found: "yellow",
    PartState.still_there: "yellow",
    PartState.failed: "red",
}


def scan(
    library: Annotated[
        str | None,
        typer.Argument(metavar="LIBRARY", help="The whole library of this name.", show_default=False),
    ] = None,
    file: Annotated[
        str | None,
        typer.Option("--file", metavar="NAME", help="A bare file name: its place is looked for.", show_default=False),
    ] = None,
    path: Annotated[
        list[str] | None,
        typer.Option(
            "--path", metavar="PATH", help="A file or folder as this machine sees it; may be given again.",
            show_default=False,
        ),
    ] = None,
    gone: Annotated[bool, typer.Option("--gone", help="It was deleted: wait until no item has it.")] = False,
    explain: Annotated[
        str | None,
        typer.Option(
            "--explain", metavar="PATH", help="Say step by step what would happen for a path, and do nothing.",
            show_default=False,
        ),
    ] = None,
    trash: Annotated[
        str | None,
        typer.Option(
            "--empty-trash", metavar="LIBRARY", show_default=False,
            help="Drop for good what servers keep of files that are gone; only with every anchor and folder there.",
        ),
    ] = None,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Stay until the proof is there.")] = True,
    connection: ConnectionNames = None,
    dry_run: DryRun = False,
    home: HomeOption = None,
    json: JsonFlag = False,
    verbose: Verbosity = 0,
) -> None:  # fmt: skip
    """Have a library, a file or a folder scanned on every server that has it, and wait for the proof."""
    session = Session(home, as_json=json, verbose=verbose)
    names = tuple(choose_connections(session, connection) or ())
    if sum(bool(each) for each in (library, file, path, explain, trash)) != 1:
        raise UsageError(
            "Say what is to be scanned: a library, --file NAME or --path PATH; or --explain, --empty-trash.",
            hint="See: playhead scan --help",
        )
    if explain:
        asyncio.run(_explain(session, [_whole(explain)], names, gone=gone))
        return
    if trash:
        asyncio.run(_empty(session, trash, names, dry=dry_run))
        return
    paths = tuple(_whole(each) for each in path or ())
    request = ScanRequest("cli", library or "", file or "", paths, gone, names, hurry=True)
    if dry_run:
        asyncio.run(_pretend(session, request))
        return
    raise typer.Exit(asyncio.run(_scan(session, request, wait=wait)))


def _whole(path: str) -> str:
    """A path from the root on, as typed: links stay, a stroke at its end too. Windows' forms are left alone."""
    if path.startswith("\\\\") or path[1:3] in (":\\", ":/"):
        return path
    return str(Path.cwd() / path) + ("/" if path.endswith("/") else "")


async def _scan(session: Session, request: ScanRequest, *, wait: bool) -> Exit:
    with open_jobs(session.installation) as jobs:
        async with open_scanner(session.installation, jobs, work=wait) as scanner:
            number = await scanner.ask(request)
            if not wait:
                return _tell_stored(session, jobs.load(number))
            job = None
            told: dict[int, tuple[str, str]] = {}
            with session.screen.waiting(
                f"Waiting for the proof; Ctrl-C leaves. Afterwards: {session.command('scans')}"
            ):
                async for job in scanner.watch(number):
                    _tell_progress(session, job, told)
    assert job is not None
    _tell_end(session, job)
    if is_good(job):
        return Exit.done
    return (
        Exit.partly
        if any(part.state in _STYLES and _STYLES[part.state] == "green" for part in job.parts)
        else Exit.failed
    )


def _tell_stored(session: Session, job: Job | None) -> Exit:
    assert job is not None
    session.screen.give(describe_job(job))
    session.screen.say(f"Scan {job.id} is stored. How far it is: {session.command(f'scans {job.id}')}")
    return Exit.done


def _tell_progress(session: Session, job: Job, told: dict[int, tuple[str, str]]) -> None:
    for part in job.parts:
        now = str(part.state), part.message
        if (
            part.is_open
            and told.get(part.id) != now
            and (part.message or part.state is not PartState.waiting)
        ):
            session.screen.note(f"{_name(part)}: {part.state}. {part.message}".rstrip(" ."), style="dim")
        told[part.id] = now


def _tell_end(session: Session, job: Job) -> None:
    session.screen.give(describe_job(job))
    held = [part for part in job.parts if part.state is not PartState.no_library]
    for part in held or job.parts:
        titles = ", ".join(item.title for item in part.items[:3]) + (" ..." if len(part.items) > 3 else "")
        what = part.message or titles or part.path or "all of it"
        session.screen.say(f"{part.state}: {_name(part)}: {what}", style=_STYLES.get(part.state), wrap=False)


def _name(part: JobPart) -> str:
    return f"{part.connection}, {part.library}" if part.library else part.connection


async def _pretend(session: Session, request: ScanRequest) -> None:
    with open_jobs(session.installation) as jobs:
        async with open_desk(session.installation, jobs, request.connections) as desk:
            job: NewJob = await desk.plan(request)
            explained = [
                await explain_path(lane, each.path, gone=each.gone)
                for each in job.arrived
                for lane in desk.lanes
            ]
            where = {title: await _find_holders(desk.lanes, title) for title in job.libraries}
    session.screen.give(
        {"paths": msgspec.to_builtins(explained), "libraries": list(job.libraries), "dry_run": True}
    )
    for title in job.libraries:
        session.screen.say(f"All of {title} would be scanned, on {', '.join(where[title])} (--dry-run).")
    for each in explained:
        _say_places(session, each)


async def _find_holders(lanes: Sequence[Lane], title: str) -> list[str]:
    """The connections that have a library of this name; one that does not answer is told as such."""
    found = []
    for lane in lanes:
        try:
            libraries = await lane.scans.list_scanned()
        except BackendError:
            found.append(f"{lane.connection} (does not answer now)")
            continue
        if any(each.title.casefold() == title.casefold() for each in libraries):
            found.append(lane.connection)
    return found


async def _explain(session: Session, paths: list[str], names: tuple[str, ...], *, gone: bool) -> None:
    with open_jobs(session.installation) as jobs:
        async with open_desk(session.installation, jobs, names) as desk:
            found = [await explain_path(lane, path, gone=gone) for path in paths for lane in desk.lanes]
    session.screen.give(msgspec.to_builtins(found))
    session.screen.say(f"{paths[0]}: {_say_here(found[0].here)}.", wrap=False)
    for each in found:
        session.screen.say(f"\n{each.connection}", style="bold")
        for rule in each.rules:
            session.screen.say(
                f"  mapped by {rule.rule}{'' if rule.taken else ' (another fits better)'}", wrap=False
            )
        if not each.rules:
            session.screen.say("  no mapping fits: the path is taken as it is")
        _say_places(session, each)
        if each.message and not each.places:
            say = session.command(f"connections set {shlex.quote(each.connection)} --path SERVER=HUB")
            session.screen.say(f"  Does it see this folder under another path? {say}", wrap=False)


def _say_here(here: str) -> str:
    return {
        "file": "a file that Playhead sees",
        "folder": "a folder that Playhead sees",
        "empty": "a folder that Playhead sees, with nothing in it",
    }.get(here, "Playhead does not see it")


def _say_places(session: Session, each: ExplainedPath) -> None:
    if each.message:
        session.screen.say(f"  {each.connection}: {each.message}", style="yellow", wrap=False)
    for place in each.places:
        session.screen.say(
            f"  {each.connection} sees {place.server_path}, in {place.library} ({place.folder})", wrap=False
        )
        first, *wider = place.scans
        further = f"; where nothing appears, {', then '.join(wider)}" if wider else ""
        session.screen.say(f"    is asked to scan {first}{further}", wrap=False)
        looked = ", ".join(place.proofs[:3]) + (" ..." if len(place.proofs) > 3 else "")
        session.screen.say(
            f"    then looks for {looked or 'nothing: the end of the scan is all there is'}", wrap=False
        )
        if place.waits:
            session.screen.say(f"    waits: {place.waits}", style="yellow", wrap=False)


async def _empty(session: Session, library: str, names: tuple[str, ...], *, dry: bool) -> None:
    if session.screen.interactive and not dry:
        question = f"Drop for good what the servers keep of files that are gone from {library}?"
        confirm_or_refuse(session.screen, f"{question} There is no way back", yes=False)
    with open_jobs(session.installation) as jobs:
        async with open_desk(session.installation, jobs, names) as desk:
            outcome = await empty_trash(desk.lanes, library, dry=dry)
    session.screen.give([{"connection": name, "outcome": word} for name, word in outcome])
    for name, word in outcome:
        session.screen.say(f"{name}: {word}")
