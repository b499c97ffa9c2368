"""``playhead status``: how each account stands, and what waits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from playhead.faces.cli.options import HomeOption, JsonFlag, Verbosity
from playhead.faces.cli.screen import as_typed, make_table
from playhead.faces.cli.session import Session
from playhead.settings import ConnectionSettings
from playhead.wiring.hub import open_hub
from playhead.wiring.renewing import list_refused


def status(home: HomeOption = None, json: JsonFlag = False, verbose: Verbosity = 0) -> None:
    """Show how each account stands and what waits, from what is stored; asks no server."""
    session = Session(home, as_json=json, verbose=verbose)
    with open_hub(session.installation) as hub:
        known = session.settings.connections
        accounts = [row for row in hub.overview.list_accounts() if is_linked(known, row)]
        waiting = hub.overview.count_waiting()
    unread = [name for name in known if name not in {row["connection"] for row in accounts}]
    refused = list_refused(session.installation)
    told = [msgspec.to_builtins(each) for each in refused]
    session.screen.give({"accounts": accounts, "never_read": unread, "refused": told, **waiting})
    _show_accounts(session, accounts, unread)
    session.screen.say(
        f"\nAgreed: {waiting['watched']:,} watched and {waiting['started']:,} started of {waiting['items']:,} items."
    )
    for each in refused:
        session.screen.say(as_typed(f"{each.message} {each.hint}"), style="yellow")
    if waiting["held"]:
        session.screen.say(
            f"{waiting['held']} held for you to decide: {session.command('held')}", style="yellow"
        )
    if waiting["conflicts"]:
        session.screen.say(
            f"{waiting['conflicts']} items have ids that contradict each other.", style="yellow"
        )


def _show_accounts(session: Session, accounts: Sequence[Mapping[str, Any]], unread: Sequence[str]) -> None:
    known = session.settings.connections
    several = {(row["connection"], row["person"]) for row in accounts if _is_further(accounts, row)}
    table = make_table(
        "connection",
        "person",
        "items",
        "watched",
        "started",
        "to write",
        "last read",
        numbers=("items", "watched", "started", "to write"),
    )
    for row in accounts:
        numbers = [f"{row[key]:,}" for key in ("items", "watched", "started", "waiting")]
        person = row["person"]
        if (row["connection"], person) in several:
            person += f" (as {row['account']})"
        table.add_row(row["connection"], person, *numbers, say_run(row["last_read"]))
    for name in unread:
        table.add_row(name, known[name].person or "-", "-", "-", "-", "-", "never")
    session.screen.show(table)


def is_linked(known: Mapping[str, ConnectionSettings], row: Mapping[str, Any]) -> bool:
    """Whether the settings still have the account; what was read of others is kept, but stands still."""
    of = known.get(row["connection"])
    who = row["account"], row["person"]
    return of is not None and any((login.user, login.person) == who for login in of.linked())


def _is_further(accounts: Sequence[Mapping[str, Any]], row: Mapping[str, Any]) -> bool:
    """Whether its person has another login on the same connection, so that the login's name has to be told."""
    return any(
        other["account"] != row["account"]
        for other in accounts
        if (other["connection"], other["person"]) == (row["connection"], row["person"])
    )


def say_run(run: dict[str, Any] | None) -> str:
    """``2026-11-21 10:00, complete``."""
    if run is None:
        return "never"
    return f"{say_when(run['ended_at'] or run['started_at'])}, {run['status']}"


def say_when(at: int | None) -> str:
    """A moment on this machine's clock; a dash where it is not known."""
    return datetime.fromtimestamp(at).strftime("%Y-%m-%d %H:%M") if at else "-"
