"""``playhead webhooks``: the addresses to which servers can post what happens."""

from __future__ import annotations

import asyncio
from typing import Annotated

import msgspec
import typer

from playhead.faces.cli.options import DryRun, HomeOption, JsonFlag, Verbosity
from playhead.faces.cli.screen import make_table
from playhead.faces.cli.session import Session
from playhead.ports.errors import UsageError
from playhead.runtime.exits import Exit
from playhead.wiring.senders import find_sender
from playhead.wiring.webhooks import (
    SetUp,
    WebhookAddress,
    find_base_url,
    is_out_of_reach,
    list_addresses,
    set_up,
)

BaseUrl = Annotated[
    str | None,
    typer.Option(
        "--base-url",
        metavar="URL",
        help="How servers reach the hub (else the setting, else where serve listens).",
        show_default=False,
    ),
]

Names = Annotated[
    list[str] | None,
    typer.Argument(metavar="CONNECTION", help="Which connections; all that are read.", show_default=False),
]


def make_app() -> typer.Typer:
    """``webhooks`` with its sub-commands."""
    app = typer.Typer(help="The addresses to which servers can post what happens.", no_args_is_help=True)
    app.callback(epilog="Example: playhead webhooks list")(_group)
    app.command(
        "list",
        help="One address for each connection that is read, and each sender. Whoever knows it can send: treat it as a password.",
        epilog="Example: playhead webhooks list --base-url http://10.0.0.2:7529",
    )(list_webhooks)
    app.command(
        "register",
        help="Tell servers where to post. Where a server cannot be told, the steps to do it by hand are printed.",
        epilog="Example: playhead webhooks register Plex --base-url http://10.0.0.2:7529",
    )(register)
    app.command(
        "remove",
        help="Tell servers not to post any more.",
        epilog="Example: playhead webhooks remove Plex",
    )(remove)
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
        _say_nothing_connected(session)
        return
    table = make_table("connection", "url")
    for each in addresses:
        table.add_row(each.connection, each.url)
    session.screen.show(table)
    session.screen.say("Whoever knows such an address can post to it: treat it as a password.", style="dim")


def _say_nothing_connected(session: Session) -> None:
    session.screen.say(
        f"No connection takes webhooks yet. Start with: {session.command('connect plex|jellyfin|emby')}"
    )


def register(
    names: Names = None,
    base_url: BaseUrl = None,
    dry_run: DryRun = False,
    home: HomeOption = None,
    json: JsonFlag = False,
    verbose: Verbosity = 0,
) -> None:
    _set_up(Session(home, as_json=json, verbose=verbose), names, base_url, remove=False, dry=dry_run)


def remove(
    names: Names = None,
    base_url: BaseUrl = None,
    dry_run: DryRun = False,
    home: HomeOption = None,
    json: JsonFlag = False,
    verbose: Verbosity = 0,
) -> None:
    _set_up(Session(home, as_json=json, verbose=verbose), names, base_url, remove=True, dry=dry_run)


def _set_up(session: Session, names: list[str] | None, given: str | None, *, remove: bool, dry: bool) -> None:
    """All addresses or those of the named connections, one server after another."""
    installation = session.installation
    base_url = find_base_url(installation, given)
    wanted = None if not names else [_find_name(session, name) for name in names]
    addresses = [
        each for each in list_addresses(installation, base_url) if wanted is None or each.connection in wanted
    ]
    if missing := [name for name in wanted or () if name not in {each.connection for each in addresses}]:
        raise UsageError(f"'{missing[0]}' takes no webhooks: it is not read, or its servers send none.")
    if not addresses:
        session.screen.give([])
        _say_nothing_connected(session)
        return
    done = asyncio.run(_each(session, addresses, base_url, remove=remove, dry=dry))
    session.screen.give([msgspec.to_builtins(each) for each in done])
    for each in done:
        session.screen.say(
            " ".join(part for part in (f"{each.connection}: {each.state}.", each.message) if part)
        )
        if each.steps:
            session.screen.say(f"  {each.steps}")
        if each.state == "by hand" and not remove:
            url = next(address.url for address in addresses if address.connection == each.connection)
            session.screen.say(f"  Its address: {url}")
    if any(each.state in ("by hand", "failed") for each in done):
        raise typer.Exit(Exit.partly)


def _find_name(session: Session, name: str) -> str:
    sender = find_sender(session.installation, name)
    return sender[0] if sender else session.installation.connection(name)[0]


async def _each(
    session: Session, addresses: list[WebhookAddress], base_url: str, *, remove: bool, dry: bool
) -> list[SetUp]:
    done: list[SetUp] = []
    for address in addresses:
        sender = session.settings.senders.get(address.connection)
        server = (sender or session.settings.connections[address.connection]).url
        if not remove and is_out_of_reach(base_url, server):
            message = f"Its server is on another machine and cannot reach {base_url}."
            done.append(
                SetUp(address.connection, "failed", message, "Say how it reaches the hub: --base-url URL")
            )
            continue
        done.append(await set_up(session.installation, address, remove=remove, dry=dry))
    return done
