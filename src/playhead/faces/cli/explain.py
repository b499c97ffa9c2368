"""``playhead explain ITEM``: why an item stands as it does."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import typer

from playhead.faces.cli.options import HomeOption, JsonFlag, Verbosity
from playhead.faces.cli.planning import describe_item, say_item, say_time
from playhead.faces.cli.screen import Screen, make_table
from playhead.faces.cli.session import Session
from playhead.faces.cli.status import is_linked, say_when
from playhead.flows.context import Context
from playhead.flows.explain import Explanation, SharedFile, explain_item, find_items
from playhead.ports.errors import UsageError
from playhead.wiring.hub import open_hub


def explain(
    item: Annotated[
        str,
        typer.Argument(metavar="ITEM", help="Part of a title, an id such as imdb:tt0133093, or a number."),
    ],
    home: HomeOption = None,
    json: JsonFlag = False,
    verbose: Verbosity = 0,
) -> None:
    """Say why an item stands as it does: what each account says, what was agreed and from whom."""
    session = Session(home, as_json=json, verbose=verbose)
    with open_hub(session.installation) as hub:
        ctx = hub.context()
        found = explain_item(ctx, choose_item(ctx, item))
        sources = {account: role.connection for account, role in ctx.roles.items()}
    session.screen.give(_describe(found))
    if not json:
        linked = [slot for slot in found.slots if is_linked(session.settings.connections, slot)]
        _show(session.screen, found, linked, sources)


def _describe(found: Explanation) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(found)
    for told, shared in zip(plain["shared"], found.shared, strict=True):
        told["others"] = [describe_item(label) for label in shared.others]
    return {**plain, "item": describe_item(found.item)}


def choose_item(ctx: Context, words: str) -> int:
    """The one item that is meant. Raises UsageError listing the candidates where there are several."""
    found = find_items(ctx, words)
    exact = [key for key, label in found.items() if label.title.casefold() == words.casefold()]
    if len(found) == 1 or len(exact) == 1:
        return exact[0] if len(exact) == 1 else next(iter(found))
    names = ", ".join(f"{key} = {say_item(label)}" for key, label in list(found.items())[:10])
    raise UsageError(f"Several items match '{words}'.", hint=f"Give one by its number: {names}.")


def _show(screen: Screen, found: Explanation, slots: list[dict[str, Any]], sources: dict[int, str]) -> None:
    screen.say(f"{say_item(found.item)}  [{found.item_id}]", style="bold")
    screen.say(" ".join(found.item.claims) or "known by title or numbers only", style="dim")
    for person, value in found.agreed.items():
        said = "watched" if value.watched else "unwatched"
        if value.position_s:
            said += f", stopped at {say_time(value.position_s)}"
        source = sources.get(value.watched_from or value.position_from or 0)
        when = say_when(value.watched_at or value.position_at)
        screen.say(f"Agreed for {person}: {said}" + (f" (from {source}, {when})" if source else ""))
    _show_slots(screen, found, slots)
    for row in found.conflicts:
        screen.say(f"Ids contradict those of {row['other_title']}: {row['differ']}", style="yellow")
    for shared in found.shared:
        screen.say(_say_shared(shared), style="yellow")
    several = len({slot["person"] for slot in found.slots}) > 1
    for row in sorted([*found.decisions, *found.changes], key=when_of):
        whose = f"{row['person']}: " if several else ""
        screen.say(f"{say_when(when_of(row))}  {whose}{say_row(row)}, because {row['reason']}")


def _show_slots(screen: Screen, found: Explanation, slots: list[dict[str, Any]]) -> None:
    """What each account says; of several persons only those whom the item concerns, the others in a line."""
    persons = list(dict.fromkeys(slot["person"] for slot in slots))
    concerned = {
        slot["person"] for slot in slots if slot["watched"] is not None or slot["b_watched"] is not None
    }
    concerned |= set(found.agreed)
    if len(persons) == 1 or not concerned:
        concerned = set(persons)
    table = make_table("connection", "person", "says", "agreed with it", "read", "matched by")
    for slot in slots:
        if slot["person"] not in concerned:
            continue
        says = _say_slot(slot, "") if slot["watched"] is not None else "unwatched"
        base = _say_slot(slot, "b_") if slot["b_watched"] is not None else "-"
        gone = " (gone)" if slot["gone_at"] else ""
        matched = slot["matched_by"] or "ids"
        table.add_row(
            slot["connection"] + gone, slot["person"], says, base, say_when(slot["read_at"]), matched
        )
    screen.show(table)
    if others := [person for person in persons if person not in concerned]:
        screen.say(f"Unwatched by: {', '.join(others)}", style="dim")


def _say_shared(shared: SharedFile) -> str:
    names = ", ".join(say_item(label) for label in shared.others)
    stays, until = ("watched", "unwatched") if shared.watched else ("unwatched", "watched")
    return (
        f"{shared.connection} has one file and one mark for this and {names}: it stays {stays} there until {names} "
        f"{'is' if len(shared.others) == 1 else 'are'} {until} too."
    )


def _say_slot(slot: dict[str, Any], prefix: str) -> str:
    said = "watched" if slot[f"{prefix}watched"] else "unwatched"
    if slot[f"{prefix}position_s"]:
        said += f", at {say_time(slot[f'{prefix}position_s'])}"
    if slot[f"{prefix}last_played"]:
        said += f", {say_when(slot[f'{prefix}last_played'])}"
    return said


def when_of(row: dict[str, Any]) -> int:
    """When something was decided, or written, or planned."""
    return int(row.get("at") or row.get("ended_at") or row.get("planned_at") or 0)


def say_row(row: dict[str, Any]) -> str:
    """A decision or a write in words: ``agreed: watched``, ``written to Cabin: watched``."""
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
