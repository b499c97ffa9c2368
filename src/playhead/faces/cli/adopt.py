"""``playhead adopt watchstate FILE``: take over another tool's connections."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from playhead.adapters import find_manifests
from playhead.faces.cli.options import DryRun, HomeOption, JsonFlag, Verbosity
from playhead.faces.cli.screen import make_table
from playhead.faces.cli.session import Session
from playhead.flows.adopt import Adopted, Adoption, LeftBehind, read_watchstate
from playhead.flows.connect import Checked, check_connection
from playhead.ports.backend import Backend
from playhead.ports.errors import PlayheadError, UsageError
from playhead.runtime.exits import Exit
from playhead.runtime.settings_file import load_plain_yaml
from playhead.settings import ConnectionSettings, LibraryChoice
from playhead.wiring.installation import find_manifest, make_backend, read_url


def make_app() -> typer.Typer:
    """``adopt`` with a sub-command for each tool."""
    app = typer.Typer(no_args_is_help=True, help="Take over the connections of another tool.")
    app.callback()(_about)
    app.command(
        "watchstate",
        help="Take over a WatchState servers.yaml: connections, tokens, switches and ignored libraries. "
        "A server that does not answer now is taken over too; nothing is written to any server before a sync.",
        epilog="Example: playhead adopt watchstate servers.yaml --dry-run",
    )(adopt_watchstate)
    return app


def _about() -> None:
    """Keeps ``adopt`` a group although it has one command."""


def adopt_watchstate(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="WatchState's servers.yaml.", show_default=False)
    ],
    person: Annotated[
        str | None,
        typer.Option(
            "--person",
            metavar="NAME",
            help="Whose watch state it is; else the first person.",
            show_default=False,
        ),
    ] = None,
    dry_run: DryRun = False,
    home: HomeOption = None,
    json: JsonFlag = False,
    verbose: Verbosity = 0,
) -> None:
    session = Session(home, as_json=json, verbose=verbose)
    adoption = read_watchstate(load_plain_yaml(file), set(find_manifests()))
    with session.screen.waiting("Asking the servers ..."):
        outcomes = asyncio.run(_check_all(session, adoption))
    taken, left = [], list(adoption.left_behind)
    for server, checked, trouble in outcomes:
        try:
            taken.append(
                (
                    _prepare(session, server, checked, person or _first_person(session, outcomes)),
                    server,
                    trouble,
                )
            )
        except PlayheadError as error:
            left.append(LeftBehind(server.name, f"{error.message} {error.hint}".strip()))
    if not dry_run:
        for connection, server, _ in taken:
            session.installation.save_connection(server.name, connection, secret=server.token)
    _tell(session, taken, left, dry_run=dry_run)
    if not taken:
        raise typer.Exit(Exit.failed)


Outcome = tuple[Adopted, Checked | None, str]


async def _check_all(session: Session, adoption: Adoption) -> list[Outcome]:
    return list(await asyncio.gather(*(_check(session, server) for server in adoption.servers)))


async def _check(session: Session, server: Adopted) -> Outcome:
    manifest = find_manifest(server.kind)

    def make(user_id: str) -> Backend:
        options = {"url": read_url(find_manifest(server.kind), server.url), **_options(server)}
        return make_backend(
            manifest, options, server.token, user_id, client_id=session.installation.home.client_id()
        )

    try:
        user = server.user_id or None
        return server, await check_connection(make, kind=server.kind, title=manifest.title, user=user), ""
    except PlayheadError as error:
        return server, None, error.message


def _prepare(session: Session, server: Adopted, checked: Checked | None, person: str) -> ConnectionSettings:
    for name, known in session.settings.connections.items():
        if name.casefold() == server.name.casefold():
            raise UsageError(f"'{name}' is connected already.")
        if (
            checked
            and known.server_id == checked.server.server_id
            and any(login.user_id == checked.user.id for login in known.logins())
        ):
            raise UsageError(f"the same user on the same server is connected already, as '{name}'.")
    if checked is None and not server.user_id:
        raise UsageError(
            "its user is not in the file and the server could not be asked.",
            hint=f"Use: playhead connect {server.kind}",
        )
    return ConnectionSettings(
        kind=server.kind,
        url=read_url(find_manifest(server.kind), server.url),
        user=checked.user.name if checked else server.user_id,
        user_id=checked.user.id if checked else server.user_id,
        person=session.settings.find_person(person) or person,
        token="store:",
        server_id=checked.server.server_id if checked else server.server_id,
        read=server.read,
        write=server.write,
        libraries=LibraryChoice(exclude=list(server.exclude)),
        options=_options(server),
    )


def _options(server: Adopted) -> dict[str, float]:
    return {} if server.timeout_s is None else {"timeout_s": server.timeout_s}


def _first_person(session: Session, outcomes: list[Outcome]) -> str:
    names = [checked.user.name for _, checked, _ in outcomes if checked]
    return session.settings.first_person() or (names[0] if names else "me")


def _tell(
    session: Session,
    taken: list[tuple[ConnectionSettings, Adopted, str]],
    left: list[LeftBehind],
    *,
    dry_run: bool,
) -> None:
    session.screen.give(
        {
            "dry_run": dry_run,
            "connections": [
                {
                    "name": server.name,
                    "kind": connection.kind,
                    "url": connection.url,
                    "user": connection.user,
                    "person": connection.person,
                    "read": connection.read,
                    "write": connection.write,
                    "exclude": connection.libraries.exclude,
                    "warning": trouble or None,
                }
                for connection, server, trouble in taken
            ],
            "left_behind": [{"place": item.place, "reason": item.reason} for item in left],
        }
    )
    table = make_table(
        "connection", "kind", "address", "user", "person", "read", "write", "without", "checked"
    )
    for connection, server, trouble in taken:
        yes_no = ["yes" if switch else "no" for switch in (connection.read, connection.write)]
        shown = (server.name, connection.kind, connection.url, connection.user, connection.person, *yes_no)
        table.add_row(*shown, ", ".join(connection.libraries.exclude) or "-", trouble or "works")
    session.screen.show(table)
    for item in left:
        session.screen.say(f"Not taken over: {item.place}: {item.reason}")
    if any(trouble for _, _, trouble in taken):
        session.screen.say(f"Some could not be checked; look again later: {session.command('doctor')}")
    session.screen.say("Nothing was saved (--dry-run)." if dry_run else f"Next: {session.command('import')}")
