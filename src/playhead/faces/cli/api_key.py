"""``playhead api-key``: the key with which other programs ask for scans."""

from __future__ import annotations

import typer

from playhead.faces.cli.options import DryRun, HomeOption, JsonFlag, Verbosity
from playhead.faces.cli.session import Session
from playhead.wiring.api_key import find_api_key, renew_api_key


def make_app() -> typer.Typer:
    """``api-key`` with its sub-commands."""
    app = typer.Typer(help="The key with which other programs ask for scans.", no_args_is_help=True)
    app.command(
        "show", help="Print the key; it is made at the first time.", epilog="Example: playhead api-key show"
    )(show)
    app.command(
        "new", help="Make another key; the old one opens nothing any more.",
        epilog="Example: playhead api-key new",
    )(new)  # fmt: skip
    return app


def show(home: HomeOption = None, json: JsonFlag = False, verbose: Verbosity = 0) -> None:
    session = Session(home, as_json=json, verbose=verbose)
    _tell(session, find_api_key(session.installation))


def new(
    dry_run: DryRun = False, home: HomeOption = None, json: JsonFlag = False, verbose: Verbosity = 0
) -> None:
    session = Session(home, as_json=json, verbose=verbose)
    if dry_run:
        session.screen.give({"dry_run": True})
        session.screen.say("Another key would be made (--dry-run).")
        return
    _tell(session, renew_api_key(session.installation))
    session.screen.note(
        "The old one opens nothing any more: tell it to all who post, and to Sonarr and Radarr by "
        "playhead webhooks register.",
        style="dim",
    )


def _tell(session: Session, key: str) -> None:
    session.screen.give({"key": key})
    session.screen.say(key, wrap=False)
