"""Plans as tables and as JSON: what would change where, why, what waits and what is held."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from playhead.domain.state.reading import State
from playhead.faces.cli.screen import Screen, make_table
from playhead.flows.context import Context
from playhead.flows.reconcile import PlannedChange
from playhead.flows.sync import Plan, PlannedPending
from playhead.ports.ledger import HeldRow, ItemLabel

MOST_ROWS = 200


def describe_plan(ctx: Context, plan: Plan) -> dict[str, Any]:
    """The plan for a script."""
    labels = _label_pending(ctx, plan)
    return {
        "changes": [_describe_change(change) for change in plan.changes],
        "pending": [part for pending in plan.pending for part in _describe_pending(pending, labels)],
        "held": [describe_held(row) for row in plan.held],
    }


def _label_pending(ctx: Context, plan: Plan) -> dict[int, ItemLabel]:
    with ctx.ledger.session(dry=True):
        return ctx.ledger.label({pending.row.item_id for pending in plan.pending})


def _describe_change(change: PlannedChange) -> dict[str, Any]:
    facet = change.write.facet
    return {
        "id": change.id,
        "connection": change.connection,
        "account": change.account,
        "person": change.person,
        "item": describe_item(change.item),
        "facet": facet,
        "from": facet_value(change.write.old, facet),
        "to": facet_value(change.write.new, facet),
        "reason": change.write.reason,
    }


def _describe_pending(pending: PlannedPending, labels: dict[int, ItemLabel]) -> list[dict[str, Any]]:
    agreed = pending.row.agreed
    parts: list[tuple[str, Any]] = [("watched", True)] if agreed.watched else []
    if agreed.position_s:
        parts.append(("progress", agreed.position_s))
    return [
        {
            "connection": pending.connection,
            "account": pending.account,
            "person": pending.person,
            "item": describe_item(labels[pending.row.item_id]),
            "facet": facet,
            "to": value,
            "reason": f"{pending.connection} does not have it; it is written when it appears there",
        }
        for facet, value in parts
    ]


def describe_item(label: ItemLabel) -> dict[str, Any]:
    """An item for a script."""
    return msgspec.to_builtins(label)  # type: ignore[no-any-return]


def describe_held(row: HeldRow) -> dict[str, Any]:
    """A question for a script."""
    return {
        "id": row.id,
        "kind": row.kind,
        "question": row.question,
        "connection": row.connection,
        "person": row.person,
        "asked_at": row.asked_at,
        "answer": row.answer,
    }


def facet_value(state: State, facet: str) -> Any:
    """A facet's value as a script sees it: watched true or false, progress in seconds."""
    return state.watched if facet == "watched" else (state.position_s or 0)


def say_count(number: int, noun: str) -> str:
    """``1 change``, ``1,200 changes``."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def say_item(label: ItemLabel) -> str:
    """``The Matrix (1999)``, ``Dark S01E02``."""
    if label.type == "episode" and label.show:
        season = f"{label.season:02d}" if label.season is not None else "??"
        episode = f"{label.episode:02d}" if label.episode is not None else "??"
        return f"{label.show} S{season}E{episode}"
    return f"{label.title} ({label.year})" if label.year else label.title


def say_time(seconds: int | None) -> str:
    """``47:05``, ``1:02:00``."""
    minutes, rest = divmod(int(seconds or 0), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def say_facet(state: State, facet: str) -> str:
    """A facet's value in words."""
    if facet == "watched":
        return "watched" if state.watched else "unwatched"
    return f"at {say_time(state.position_s)}" if state.position_s else "no resume point"


def show_plan(screen: Screen, ctx: Context, plan: Plan) -> None:
    """The plan for a person: changes with reasons, then what waits and what is held."""
    if plan.changes:
        show_changes(screen, plan.changes)
    elif not plan.waiting:
        screen.say("Nothing to change: all accounts agree.")
    if plan.waiting:
        left = say_count(plan.waiting, "change")
        screen.say(f"{left} planned by an earlier run and not written yet: the next sync tries again.")
    labels = _label_pending(ctx, plan)
    for pending in plan.pending[:10]:
        screen.say(
            f"Waits until {pending.connection} has it: {say_item(labels[pending.row.item_id])}", style="dim"
        )
    if len(plan.pending) > 10:
        screen.say(f"... and {len(plan.pending) - 10:,} more items that a server lacks", style="dim")
    show_held(screen, plan.held)


def say_change(change: PlannedChange) -> str:
    """What a change makes of the facet, in words."""
    write = change.write
    if write.facet == "watched" and write.old.watched and write.new.watched:
        return "watched again"
    return say_facet(write.new, write.facet)


def show_changes(screen: Screen, changes: Sequence[PlannedChange]) -> None:
    """A row for each thing that changes, with the servers on which it does."""
    rows: dict[tuple[int, str, str, str, str], list[str]] = {}
    for change in changes:
        becomes = say_change(change)
        key = (change.item_id, say_item(change.item), change.person, becomes, change.write.reason)
        rows.setdefault(key, []).append(change.connection)
    several = len({change.person for change in changes}) > 1
    table = make_table("item", *(["person"] if several else []), "becomes", "on", "because")
    for (_, item, person, becomes, reason), connections in list(rows.items())[:MOST_ROWS]:
        table.add_row(item, *([person] if several else []), becomes, ", ".join(connections), reason)
    screen.show(table)
    if len(rows) > MOST_ROWS:
        screen.say(f"... and {len(rows) - MOST_ROWS:,} more; all of them with --json")


def show_held(screen: Screen, rows: list[HeldRow]) -> None:
    """The questions, each with its number."""
    for row in rows:
        screen.say(f"Held, question {row.id}: {row.question}", style="yellow")
