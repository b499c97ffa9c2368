"""``playhead held``: questions that a guard asks, and a person's answers."""

from __future__ import annotations

from typing import Annotated

import typer

from playhead.faces.cli.asking import confirm_or_refuse
from playhead.faces.cli.options import DryRun, HomeOption, JsonFlag, Verbosity, Yes
from playhead.faces.cli.planning import describe_held, describe_item, say_item
from playhead.faces.cli.screen import make_table
from playhead.faces.cli.session import Session
from playhead.faces.cli.status import say_when
from playhead.flows.held import Verb, answer_held, label_held, list_held
from playhead.ports.errors import UsageError
from playhead.ports.ledger import HeldRow
from playhead.wiring.hub import open_hub

Number = Annotated[int, typer.Argument(metavar="NUMBER", help="The question's number.", show_default=False)]


def make_app() -> typer.Typer:
    """``held`` with its sub-commands; by itself it lists."""
    app = typer.Typer(help="Questions that wait for you: show and answer them.")
    app.callback(invoke_without_command=True, epilog="Example: playhead held release 3")(_list)
    app.command("list", help="Open questions.")(list_questions)
    app.command(
        "show", help="One question with the items it is about.", epilog="Example: playhead held show 3"
    )(show)
    app.command(
        "release",
        help="Yes: let what was held happen on the next sync.",
        epilog="Example: playhead held release 3",
    )(release)
    app.command(
        "drop", help="No: it was a mistake; things stay as they were.", epilog="Example: playhead held drop 3"
    )(drop)
    return app


def _list(
    context: typer.Context, home: HomeOption = None, json: JsonFlag = False, verbose: Verbosity = 0
) -> None:
    if context.invoked_subcommand is None:
        list_questions(home=home, json=json, verbose=verbose)


def list_questions(
    everything: Annotated[bool, typer.Option("--all", help="Answered ones too.")] = False,
    home: HomeOption = None,
    json: JsonFlag = False,
    verbose: Verbosity = 0,
) -> None:
    session = Session(home, as_json=json, verbose=verbose)
    with open_hub(session.installation) as hub:
        rows = list_held(hub.context(), all_rows=everything)
    session.screen.give([describe_held(row) for row in rows])
    if not rows:
        session.screen.say("Nothing is held.")
        return
    table = make_table(
        "number", "asked", "about", "question", *(["answer"] if everything else []), numbers=("number",)
    )
    for row in rows:
        answer = [row.answer or "open"] if everything else []
        table.add_row(str(row.id), say_when(row.asked_at), row.connection or row.kind, row.question, *answer)
    session.screen.show(table)
    session.screen.say(
        f"\nAnswer with: {session.command('held release NUMBER')} or {session.command('held drop NUMBER')}"
    )


def show(number: Number, home: HomeOption = None, json: JsonFlag = False, verbose: Verbosity = 0) -> None:
    session = Session(home, as_json=json, verbose=verbose)
    with open_hub(session.installation) as hub:
        ctx = hub.context()
        row = _find(list_held(ctx, all_rows=True), number)
        labels = label_held(ctx, row)
    session.screen.give({**describe_held(row), "items": [describe_item(label) for label in labels]})
    session.screen.say(row.question, style="bold")
    for label in labels:
        session.screen.say(f"  {say_item(label)}")


def release(
    number: Number,
    yes: Yes = False,
    dry_run: DryRun = False,
    home: HomeOption = None,
    json: JsonFlag = False,
    verbose: Verbosity = 0,
) -> None:
    _answer(Session(home, as_json=json, verbose=verbose), number, "release", yes=yes or dry_run, dry=dry_run)


def drop(
    number: Number,
    dry_run: DryRun = False,
    home: HomeOption = None,
    json: JsonFlag = False,
    verbose: Verbosity = 0,
) -> None:
    _answer(Session(home, as_json=json, verbose=verbose), number, "drop", yes=True, dry=dry_run)


def _answer(session: Session, number: int, verb: Verb, *, yes: bool, dry: bool) -> None:
    with open_hub(session.installation, alone=True) as hub:
        ctx = hub.context()
        if session.screen.interactive and not yes:
            row = _find(list_held(ctx), number)
            confirm_or_refuse(session.screen, f"{row.question} {verb.capitalize()}?", yes=False)
        row, following = answer_held(ctx, number, verb, dry=dry)
    session.screen.give({**describe_held(row), "next": following, "dry_run": dry})
    session.screen.say(following)
    if dry:
        session.screen.say("Nothing was answered (--dry-run).")


def _find(rows: list[HeldRow], number: int) -> HeldRow:
    for row in rows:
        if row.id == number:
            return row
    raise UsageError(f"There is no question {number}.", hint="See: playhead held")
