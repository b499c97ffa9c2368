"""``playhead webhooks``: the addresses to which servers can post what happens."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer

from playhead.faces.cli.options import HomeOption, JsonFlag, Verbosity
from playhead.faces.cli.screen import make_table
from playhead.faces.cli.session import Session
from playhead.wiring.webhooks import find_base_url, list_addresses

BaseUrl = Annotated[
    str | None,
    typer.Option(
        "--base-url",
        metavar="URL",
        help="How servers reach the hub (else the setting, else where serve listens).",
        show_default=False,
    ),
]


def make_app() -> typer.Typer:
    """``webhooks`` with its sub-commands."""
    app = typer.Typer(help="The addresses to which servers can post what happens.", no_args_is_help=True)
    app.callback(epilog="Example: playhead webhooks list")(_group)
    app.command(
        "list",
        help="One address for each connection that is read. Whoever knows it can send: treat it as a password.",
        epilog="Example: playhead webhooks list --base-url http://10.0.0.2:7529",
    )(list_webhooks)
    return app


def _group() -> None:
    """Nothing of its own."""


def list_webhooks(
    base_url: BaseUrl = None, home: HomeOption = None, json: JsonFlag = False, verbose: Verbosity = 0
) -> None:
    session = Session(home, as_json=json, verbose=verbose)
    addresses = list_addresses(session.installation, find_base_url(session.installation, base_url))
    session.screen.give([msgspec.to_builtins(each) for each in addresses])
    if not addresses:
        session.screen.say(
            f"No connection takes webhooks yet. Start with: {session.command('connect plex|jellyfin|emby')}"
        )
        return
    table = make_table("connection", "url")
    for each in addresses:
        table.add_row(each.connection, each.url)
    session.screen.show(table)
