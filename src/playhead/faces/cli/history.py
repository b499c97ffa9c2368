"""``playhead history``: what was decided and written, newest first."""

from __future__ import annotations

from typing import Annotated

import typer

from playhead.faces.cli.explain import choose_item, say_row, when_of
from playhead.faces.cli.options import HomeOption, JsonFlag, PersonName, Verbosity
from playhead.faces.cli.planning import describe_item, say_item
from playhead.faces.cli.screen import make_table
from playhead.faces.cli.session import Session
from playhead.faces.cli.status import say_when
from playhead.flows.explain import list_history
from playhead.wiring.hub import open_hub


def history(
    item: Annotated[
        str | None,
        typer.Argument(metavar="[ITEM]", help="Only this item: a title, an id.", show_default=False),
    ] = None,
    person: PersonName = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many of each.")] = 50,
    failed: Annotated[bool, typer.Option("--failed", help="Only writes that did not succeed.")] = False,
    home: HomeOption = None,
    json: JsonFlag = False,
    verbose: Verbosity = 0,
) -> None:
    """Show what was decided and written, by whom and why, newest first."""
    session = Session(home, as_json=json, verbose=verbose)
    with open_hub(session.installation) as hub:
        ctx = hub.context()
        item_id = choose_item(ctx, item) if item else None
        who = session.person(person) if person is not None else None
        found = list_history(ctx, item_id=item_id, person=who, limit=limit)
    labels = found["items"]
    changes = [row for row in found["changes"] if not failed or row["state"] not in ("done", "superseded")]
    decisions = [] if failed else found["decisions"]
    session.screen.give(
        {
            "decisions": [{**row, "item": describe_item(labels[row["item_id"]])} for row in decisions],
            "changes": [{**row, "item": describe_item(labels[row["item_id"]])} for row in changes],
        }
    )
    several = len(session.settings.persons()) > 1
    table = make_table("when", "item", *(["person"] if several else []), "what", "why")
    for row in sorted([*decisions, *changes], key=when_of, reverse=True)[:limit]:
        whose = [row["person"]] if several else []
        what = say_item(labels[row["item_id"]])
        table.add_row(say_when(when_of(row)), what, *whose, say_row(row), row["reason"])
    if decisions or changes:
        session.screen.show(table)
    else:
        session.screen.say("Nothing has happened yet." if not failed else "No write failed.")
