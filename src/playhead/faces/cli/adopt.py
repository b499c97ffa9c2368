"""``playhead adopt watchstate FILE`` and ``playhead adopt plex-cluster FILE``: take over another tool's connections."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from playhead.adapters import find_manifests
from playhead.faces.cli.adopting import adopt_all, give_options, tell, tell_next
from playhead.faces.cli.asking import read_stdin_secret
from playhead.faces.cli.options import DryRun, HomeOption, JsonFlag, Verbosity
from playhead.faces.cli.session import Session
from playhead.flows.adopt import read_watchstate
from playhead.flows.adopt_cluster import read_plex_cluster
from playhead.kit.address import normalise_url
from playhead.ports.errors import UsageError
from playhead.runtime.exits import Exit
from playhead.runtime.settings_file import load_plain_yaml
from playhead.settings import CRON
from playhead.wiring.webhooks import find_base_url, keep_cluster_token

Person = Annotated[
    str | None,
    typer.Option(
        "--person",
        metavar="NAME",
        help="Whose watch state it is; else the first person.",
        show_default=False,
    ),
]


def make_app() -> typer.Typer:
    """``adopt`` with a sub-command for each tool."""
    app = typer.Typer(no_args_is_help=True, help="Take over the connections of another tool.")
    app.command(
        "watchstate",
        help="Take over a WatchState servers.yaml: connections, tokens, switches and ignored libraries. "
        "A server that does not answer now is taken over too; nothing is written to any server before a sync.",
        epilog="Example: playhead adopt watchstate servers.yaml --dry-run",
    )(adopt_watchstate)
    app.command(
        "plex-cluster",
        help="Take over a Plex Cluster manager's YAML: its hosts, their tokens, the secret of its proxies. They can stay as "
        "they are and post to the hub. A server that does not answer now is left out; run it again.",
        epilog="Example: playhead adopt plex-cluster plex-cluster-manager.yml --token env:CLUSTER_MANAGER_TOKEN --dry-run",
    )(adopt_plex_cluster)
    return app


def adopt_watchstate(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="WatchState's servers.yaml.", show_default=False)
    ],
    person: Person = None,
    dry_run: DryRun = False,
    home: HomeOption = None,
    json: JsonFlag = False,
    verbose: Verbosity = 0,
) -> None:
    session = Session(home, as_json=json, verbose=verbose)
    adoption = read_watchstate(load_plain_yaml(file), set(find_manifests()))
    taken, left = adopt_all(session, adoption, person, dry_run=dry_run)
    tell(session, taken, left, dry_run=dry_run)
    tell_next(session, dry_run=dry_run)
    if not taken:
        raise typer.Exit(Exit.failed)


def adopt_plex_cluster(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="The manager's plex-cluster-manager.yml.", show_default=False),
    ],
    token: Annotated[
        str | None,
        typer.Option(
            metavar="TOKEN",
            help="The secret of manager and proxies; - reads it from standard input.",
            envvar="CLUSTER_MANAGER_TOKEN",
            show_default=False,
        ),
    ] = None,
    url: Annotated[
        list[str] | None,
        typer.Option(
            metavar="HOST=URL",
            help="Where the server behind a host itself answers; else it is read through its proxy.",
            show_default=False,
        ),
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=VALUE", help="One of Plex's own settings, for all of them.", show_default=False
        ),
    ] = None,
    full_sync: Annotated[
        str | None,
        typer.Option(
            metavar="CRON",
            help="When everything is read.",
            envvar="FULL_SYNC_SCHEDULE",
            show_default=False,
        ),
    ] = None,
    at_start: Annotated[
        bool | None,
        typer.Option(
            "--at-start/--not-at-start",
            help="Whether serve syncs when it starts.",
            envvar="UPDATE_ON_START",
            show_default=False,
        ),
    ] = None,
    person: Person = None,
    dry_run: DryRun = False,
    home: HomeOption = None,
    json: JsonFlag = False,
    verbose: Verbosity = 0,
) -> None:
    session = Session(home, as_json=json, verbose=verbose)
    if full_sync and not re.fullmatch(CRON, full_sync.strip()):
        raise UsageError(
            f"'{full_sync}' is no schedule.", hint="Give cron's five fields such as '0 2 * * *'."
        )
    adoption = read_plex_cluster(load_plain_yaml(file), _read_urls(url or []))
    adoption = give_options(adoption, dict(_read_pair(each) for each in option or []))
    secret = _read_secret(session, token)
    taken, left = adopt_all(session, adoption, person, dry_run=dry_run)
    if not dry_run:
        session.installation.save_schedule(full=full_sync, at_start=at_start)
        if secret:
            keep_cluster_token(session.installation, secret)
    schedule = {"full": full_sync, "at_start": at_start}
    tell(session, taken, left, dry_run=dry_run, schedule=schedule, takes_proxies=bool(secret))
    for connection, _, _ in taken:
        if connection.proxy_host in connection.url:
            session.screen.say(
                f"{connection.proxy_host} is read through its own proxy. Quicker: --url {connection.proxy_host}=URL"
            )
    base_url = find_base_url(session.installation, None)
    if secret:
        session.screen.say(f"The proxies can stay: set their CLUSTER_MANAGER to {base_url}.")
    else:
        session.screen.say("Without --token the hub takes nothing from Plex Cluster's own proxies.")
    tell_next(session, dry_run=dry_run)
    if not taken:
        raise typer.Exit(Exit.failed)


def _read_secret(session: Session, given: str | None) -> str:
    if given == "-":
        return read_stdin_secret()
    if given is not None and given.startswith(("env:", "file:")):
        return session.installation.secrets.resolve(given)
    return (given or "").strip()


def _read_urls(given: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for each in given:
        host, url = _read_pair(each)
        found[host.casefold()] = normalise_url(url, default_port=32400)
    return found


def _read_pair(text: str) -> tuple[str, str]:
    name, equals, value = (part.strip() for part in text.partition("="))
    if not equals or not name:
        raise UsageError(f"'{text}' has no '='.", hint="Give --url HOST:PORT=URL and --option KEY=VALUE.")
    return name, value
