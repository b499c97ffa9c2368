"""``playhead items``: every movie and episode with what each account says and what was agreed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Any

import typer

from playhead.faces.cli.options import HomeOption, JsonFlag, PersonName, Verbosity
from playhead.faces.cli.planning import say_item, say_time
from playhead.faces.cli.screen import make_table, write_json
from playhead.faces.cli.session import Session
from playhead.faces.cli.status import is_linked
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
        shared = _list_shared(session)
        found = _choose(hub.overview.iterate_items(), words, who, disagreeing, shared)
        if json:
            for item in found:
                write_json(item)
            return
        connections = list(session.settings.connections)
        several = who is None and len(session.settings.persons()) > 1
        person_column = ["person"] if several else []
        table = make_table("id", "item", *person_column, *connections, "agreed", numbers=("id",))
        shown = 0
        for item in found:
            if limit and shown == limit:
                session.screen.note(f"Only the first {limit}; more with --limit, all with --limit 0.")
                break
            _keep_linked(session, item)
            for cells in _rows(item, connections, several=several):
                table.add_row(str(item["id"]), say_item(make_label(item)), *cells)
            shown += 1
    if shown:
        session.screen.show(table)
    else:
        session.screen.say("No such items are stored.")


def _list_shared(session: Session) -> set[tuple[str, str]]:
    """Connection and user of each login that several persons share: it is never written, so that it may differ."""
    return {
        (name, login.user)
        for name, connection in session.settings.connections.items()
        for login in connection.linked()
        if login.shared
    }


def _keep_linked(session: Session, item: dict[str, Any]) -> None:
    """Leave what was read of logins that are somebody else's by now, or nobody's, out of the item."""
    known = session.settings.connections
    item["accounts"] = [part for part in item["accounts"] if is_linked(known, part)]


def _choose(
    rows: Iterable[dict[str, Any]],
    words: str | None,
    person: str | None,
    disagreeing: bool,
    shared: set[tuple[str, str]],
) -> Iterable[dict[str, Any]]:
    wanted = (words or "").casefold().split()
    for item in rows:
        if person is not None:
            item["accounts"] = [part for part in item["accounts"] if part["person"] == person]
        named = (item["title"], item["show"] or "", *item["also_titles"], *item["claims"])
        text = " ".join(named).casefold()
        if all(word in text for word in wanted) and (not disagreeing or _differs(item, shared)):
            yield item


def _differs(item: dict[str, Any], shared: set[tuple[str, str]]) -> bool:
    by_person: dict[str, set[tuple[Any, Any]]] = {}
    for part in item["accounts"]:
        if (part["connection"], part["account"]) in shared:
            continue
        says = part["says"]
        by_person.setdefault(part["person"], set()).add((bool(says["watched"]), says["position_s"] or 0))
    return any(len(values) > 1 for values in by_person.values())


def make_label(item: dict[str, Any]) -> ItemLabel:
    """The item's name from a row."""
    return ItemLabel(
        item["type"], item["title"], item["year"], item["show"], item["season"], item["episode"], ()
    )


def _rows(item: dict[str, Any], connections: list[str], *, several: bool) -> Iterator[list[str]]:
    """The cells behind the item: of several persons a row for each whom it concerns, else one for all."""
    by_person: dict[str, list[dict[str, Any]]] = {}
    for part in item["accounts"]:
        by_person.setdefault(part["person"], []).append(part)
    if not several:
        yield _cells(item["accounts"], connections)
        return
    concerned = {
        person: parts
        for person, parts in by_person.items()
        if any(part["agreed"] or say_state(part["says"]) != "-" for part in parts)
    }
    for person, parts in concerned.items():
        yield [person, *_cells(parts, connections)]
    if not concerned:
        yield ["-", *_cells(item["accounts"], connections)]


def _cells(parts: list[dict[str, Any]], connections: list[str]) -> list[str]:
    """What each connection says, of several logins there each, and what was agreed."""
    cells = []
    for name in connections:
        said = [say_state(part["says"]) for part in parts if part["connection"] == name]
        cells.append(", ".join(dict.fromkeys(each for each in said if each != "-")) or ("-" if said else ""))
    agreed = {say_state(part["agreed"]) for part in parts if part["agreed"]}
    return [*cells, ", ".join(sorted(agreed)) or "-"]


def say_state(says: dict[str, Any]) -> str:
    """``watched``, ``at 47:00``, ``watched, at 3:10`` or a dash."""
    parts = ["watched"] if says["watched"] else []
    if says["position_s"]:
        parts.append(f"at {say_time(says['position_s'])}")
    return ", ".join(parts) or "-"
