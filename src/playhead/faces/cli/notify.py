"""``playhead notify``: who is told of what is new, and of failures."""

from __future__ import annotations

import asyncio
import shlex
import sys
from typing import Annotated, cast

import msgspec
import typer

from playhead.faces.cli.options import CheckOnly, DryRun, HomeOption, JsonFlag, Verbosity
from playhead.faces.cli.screen import make_table
from playhead.faces.cli.session import Session
from playhead.notice_settings import KINDS, NoticeSettings
from playhead.ports.errors import UsageError
from playhead.runtime.exits import Exit
from playhead.wiring.notices import (
    check_rule,
    find_rule,
    find_unknown_libraries,
    preview,
    remove_rule,
    save_rule,
    send_test,
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="The rule's name.", show_default=False)]
REFERENCES = ("env:", "file:", "store:")


def make_app() -> typer.Typer:
    """``notify`` with its sub-commands."""
    app = typer.Typer(
        help="Who is told of what is new, and of failures; by mail, or by any apprise address.",
        no_args_is_help=True,
    )
    app.callback(
        epilog="Example: playhead notify add family --to 'mailtos://USER:PASSWORD@example.org?to=you@example.org'"
    )(_group)
    app.command(
        "add",
        help="Add a rule. Its address is kept encrypted; given by --to - it stays out of the shell's history.",
        epilog="Example: playhead notify add family --to - --library Movies --library 'TV Shows' --upgrades",
    )(add)
    app.command("list", help="The rules; addresses are not shown.", epilog="Example: playhead notify list")(
        list_rules
    )
    app.command(
        "remove",
        help="Take a rule out and forget its address.",
        epilog="Example: playhead notify remove family",
    )(remove)
    app.command("test", help="Send a made-up notice now.", epilog="Example: playhead notify test family")(
        test
    )
    app.command(
        "preview",
        help="Show what a notice looks like; sends nothing.",
        epilog="Example: playhead notify preview family --html",
    )(show)
    return app


def _group() -> None:
    """Nothing of its own."""


def add(
    name: Name,
    to: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help="An apprise address such as mailtos://USER:PASSWORD@HOST?to=YOU, - = on standard input; env:NAME, file:PATH.",
            show_default=False,
        ),
    ],
    person: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="Only what is on servers where this person has a login.", show_default=False
        ),
    ] = "",
    connection: Annotated[
        list[str] | None,
        typer.Option(
            "--connection",
            "-c",
            metavar="NAME",
            help="Only this one; may be given again.",
            show_default=False,
        ),
    ] = None,
    library: Annotated[
        list[str] | None,
        typer.Option(metavar="TITLE", help="Only this library; may be given again.", show_default=False),
    ] = None,
    kind: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KIND", help="Only movies, episodes or other; may be given again.", show_default=False
        ),
    ] = None,
    upgrades: Annotated[
        bool, typer.Option("--upgrades", help="Tell of better files of known items, too.")
    ] = False,
    admin: Annotated[
        bool, typer.Option("--admin", help="Tell of Playhead's own failures, and of nothing else.")
    ] = False,
    template: Annotated[
        str,
        typer.Option(metavar="NAME", help="standard, plexlib, or a folder in templates of the home folder."),
    ] = "standard",
    quiet_s: Annotated[
        float, typer.Option("--quiet", metavar="SECONDS", help="Wait until nothing more came for so long.")
    ] = 300.0,
    longest_wait_s: Annotated[
        float, typer.Option("--longest-wait", metavar="SECONDS", help="And at most so long.")
    ] = 3600.0,
    most_a_day: Annotated[
        int, typer.Option(metavar="COUNT", help="At most so many notices in 24 hours.")
    ] = 12,
    replace: Annotated[
        bool, typer.Option("--replace", help="In the place of the rule of that name.")
    ] = False,
    dry_run: CheckOnly = False,
    home: HomeOption = None,
    json: JsonFlag = False,
    verbose: Verbosity = 0,
) -> None:
    session = Session(home, as_json=json, verbose=verbose)
    address = None if to.startswith(REFERENCES) else _read_address(to)
    rule = _convert(
        {
            "name": name, "to": to if address is None else "store:new", "person": person, "connections": connection or [],
            "libraries": library or [], "kinds": kind or [], "upgrades": upgrades, "admin": admin, "template": template,
            "quiet_s": quiet_s, "longest_wait_s": longest_wait_s, "most_a_day": most_a_day,
        }
    )  # fmt: skip
    if dry_run:
        check_rule(session.installation, rule, address)
    else:
        rule = save_rule(session.installation, rule, address, replace=replace)
    unknown, there = find_unknown_libraries(session.installation, rule)
    if unknown:
        session.screen.note(
            f"warning: No library is called {', '.join(unknown)} yet. There are: {', '.join(there)}.",
            style="yellow",
        )
    session.screen.give({**msgspec.to_builtins(rule), "dry_run": dry_run})
    if dry_run:
        session.screen.say(f"'{name}' can be saved. Nothing was (--dry-run).")
    else:
        session.screen.say(f"'{name}' is saved. Try it: {session.command(f'notify test {name}')}", wrap=False)
        session.screen.say(
            f"While {session.command('serve')} runs, it tells what comes from now on.", wrap=False
        )


def list_rules(home: HomeOption = None, json: JsonFlag = False, verbose: Verbosity = 0) -> None:
    session = Session(home, as_json=json, verbose=verbose)
    rules = session.settings.notices
    session.screen.give([msgspec.to_builtins(rule) for rule in rules])
    if not rules:
        session.screen.say(f"Nobody is told of anything yet. Start with: {session.command('notify add')}")
        return
    table = make_table("rule", "tells of", "template", "address")
    for rule in rules:
        table.add_row(rule.name, _describe(rule), "trouble" if rule.admin else rule.template, rule.to)
    session.screen.show(table)


def remove(
    name: Name,
    dry_run: DryRun = False,
    home: HomeOption = None,
    json: JsonFlag = False,
    verbose: Verbosity = 0,
) -> None:
    session = Session(home, as_json=json, verbose=verbose)
    found = find_rule(session.installation, name) if dry_run else remove_rule(session.installation, name)
    session.screen.give({"removed": found.name, "dry_run": dry_run})
    session.screen.say(f"'{found.name}' {'would be' if dry_run else 'is'} removed, with its address.")


def test(
    name: Name,
    dry_run: DryRun = False,
    home: HomeOption = None,
    json: JsonFlag = False,
    verbose: Verbosity = 0,
) -> None:
    session = Session(home, as_json=json, verbose=verbose)
    rule = find_rule(session.installation, name)
    if dry_run:
        check_rule(session.installation, rule, None)
        errors: list[str] = []
    else:
        with session.screen.waiting("Sending ..."):
            errors = asyncio.run(send_test(session.installation, rule))
    session.screen.give(
        {"rule": rule.name, "sent": not errors and not dry_run, "errors": errors, "dry_run": dry_run}
    )
    for error in errors:
        session.screen.say(error)
    if errors:
        again = f"notify add {shlex.quote(rule.name)} --replace --to ADDRESS"
        session.screen.say(f"Another address: {session.command(again)}", wrap=False)
        raise typer.Exit(Exit.failed)
    session.screen.say(
        "The address is one. Nothing was sent (--dry-run)."
        if dry_run
        else "It was taken, as a test. Did it arrive?"
    )


def show(
    name: Name,
    html: Annotated[bool, typer.Option("--html", help="The HTML part.")] = False,
    home: HomeOption = None,
    json: JsonFlag = False,
    verbose: Verbosity = 0,
) -> None:
    session = Session(home, as_json=json, verbose=verbose)
    words = preview(session.installation, find_rule(session.installation, name))
    session.screen.give(msgspec.to_builtins(words))
    if html and not words.html:
        raise UsageError("This template has no HTML part.", hint="Add page.html beside its text.txt.")
    session.screen.say(words.html if html else f"Subject: {words.subject}\n\n{words.text}", wrap=False)


def _describe(rule: NoticeSettings) -> str:
    if rule.admin:
        return "failures"
    parts = [", ".join(rule.kinds or ["everything new"])]
    parts += [f"in {', '.join(rule.libraries)}"] if rule.libraries else []
    parts += [f"on {', '.join(rule.connections)}"] if rule.connections else []
    parts += [f"for {rule.person}"] if rule.person else []
    parts += ["and upgrades"] if rule.upgrades else []
    return " ".join(parts)


def _read_address(text: str) -> str:
    if text != "-":
        return text
    if sys.stdin is None or sys.stdin.isatty():
        raise UsageError(
            "No address comes on standard input.",
            hint="Pipe it in: playhead notify add NAME --to - < address.txt",
        )
    return sys.stdin.read().strip()


def _convert(raw: dict[str, object]) -> NoticeSettings:
    if wrong := [kind for kind in cast(list[str], raw["kinds"]) if kind not in KINDS.values()]:
        raise UsageError(f"'{wrong[0]}' is no kind.", hint=f"--kind is one of {', '.join(KINDS.values())}.")
    try:
        return msgspec.convert(raw, NoticeSettings)
    except msgspec.ValidationError as error:
        raise UsageError(f"That is no rule ({error}).", hint="See: playhead notify add --help") from error
