"""``playhead history``: what was decided and written, newest first."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from playhead.faces.cli.explain import choose_item
from playhead.faces.cli.options import HomeOption, JsonFlag, PersonName, Verbosity
from playhead.faces.cli.planning import describe_item, say_item, say_time
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
    table = make_table("when", "item", "what", "why")
    for row in sorted([*decisions, *changes], key=_when, reverse=True)[:limit]:
        table.add_row(say_when(_when(row)), say_item(labels[row["item_id"]]), _say(row), row["reason"])
    session.screen.show(table)
    if not decisions and not changes:
        session.screen.say("Nothing has happened yet." if not failed else "No write failed.")


def _when(row: dict[str, Any]) -> int:
    return int(row.get("at") or row.get("ended_at") or row.get("planned_at") or 0)


def _say(row: dict[str, Any]) -> str:
    value = say_value(row["facet"], row["new"])
    if "state" not in row:
        return f"agreed: {value}"
    outcome = {"done": "written", "queued": "waits", "leased": "is being written"}.get(
        row["state"], row["state"]
    )
    tail = f" ({row['message']})" if row["message"] and row["state"] != "done" else ""
    return f"{outcome} to {row['connection']}: {value}{tail}"


def say_value(facet: str, value: dict[str, Any]) -> str:
    """A stored facet value in words."""
    if facet == "watched":
        return "watched" if value.get("watched") else "unwatched"
    position = value.get("position_s")
    return f"stopped at {say_time(position)}" if position else "no resume point"
