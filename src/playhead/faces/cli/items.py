"""``playhead items``: every movie and episode with what each account says and what was agreed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

import typer

from playhead.faces.cli.options import HomeOption, JsonFlag, PersonName, Verbosity
from playhead.faces.cli.planning import say_item, say_time
from playhead.faces.cli.screen import make_table, write_json
from playhead.faces.cli.session import Session
from playhead.ports.ledger import ItemLabel
from playhead.wiring.hub import open_hub


def items(
    words: Annotated[
        str | None, typer.Argument(metavar="[WORDS]", help="Part of a title or an id.", show_default=False)
    ] = None,
    person: PersonName = None,
    disagreeing: Annotated[
        bool, typer.Option("--disagreeing", help="Only items on which accounts differ.")
    ] = False,
    limit: Annotated[int, typer.Option(min=0, help="At most so many; 0 = all (always with --json).")] = 100,
    home: HomeOption = None,
    json: JsonFlag = False,
    verbose: Verbosity = 0,
) -> None:
    """List every movie and episode with what each account says; --json gives one JSON object a line."""
    session = Session(home, as_json=json, verbose=verbose)
    with open_hub(session.installation) as hub:
        who = session.person(person) if person is not None else None
        found = _choose(hub.overview.iterate_items(), words, who, disagreeing)
        if json:
            for item in found:
                write_json(item)
            return
        connections = list(session.settings.connections)
        table = make_table("id", "item", *connections, "agreed", numbers=("id",))
        shown = 0
        for item in found:
            if limit and shown == limit:
                session.screen.note(f"Only the first {limit}; more with --limit, all with --limit 0.")
                break
            table.add_row(str(item["id"]), say_item(make_label(item)), *_cells(item, connections))
            shown += 1
    session.screen.show(table)
    if not shown:
        session.screen.say("No such items are stored.")


def _choose(
    rows: Iterable[dict[str, Any]], words: str | None, person: str | None, disagreeing: bool
) -> Iterable[dict[str, Any]]:
    wanted = (words or "").casefold().split()
    for item in rows:
        if person is not None:
            item["accounts"] = [part for part in item["accounts"] if part["person"] == person]
        named = (item["title"], item["show"] or "", *item["also_titles"], *item["claims"])
        text = " ".join(named).casefold()
        if all(word in text for word in wanted) and (not disagreeing or _differs(item)):
            yield item


def _differs(item: dict[str, Any]) -> bool:
    by_person: dict[str, set[tuple[Any, Any]]] = {}
    for part in item["accounts"]:
        says = part["says"]
        by_person.setdefault(part["person"], set()).add((bool(says["watched"]), says["position_s"] or 0))
    return any(len(values) > 1 for values in by_person.values())


def make_label(item: dict[str, Any]) -> ItemLabel:
    """The item's name from a row."""
    return ItemLabel(
        item["type"], item["title"], item["year"], item["show"], item["season"], item["episode"], ()
    )


def _cells(item: dict[str, Any], connections: list[str]) -> list[str]:
    by_connection = {part["connection"]: part for part in item["accounts"]}
    cells = [say_state(by_connection[name]["says"]) if name in by_connection else "" for name in connections]
    agreed = {say_state(part["agreed"]) for part in item["accounts"] if part["agreed"]}
    return [*cells, ", ".join(sorted(agreed)) or "-"]


def say_state(says: dict[str, Any]) -> str:
    """``watched``, ``at 47:00``, ``watched, at 3:10`` or a dash."""
    parts = ["watched"] if says["watched"] else []
    if says["position_s"]:
        parts.append(f"at {say_time(says['position_s'])}")
    return ", ".join(parts) or "-"
