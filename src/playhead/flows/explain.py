"""Why an item stands as it does: what every account says, what was agreed and from whom, what waits, what was done."""

from __future__ import annotations

from typing import Any

import msgspec

from playhead.domain.reconcile.model import Agreed
from playhead.flows.context import Context
from playhead.ports.errors import UsageError
from playhead.ports.ledger import ItemLabel

FIND_AT_MOST = 20


class SharedFile(msgspec.Struct, frozen=True):
    """A file on a connection that holds other items too, by which the connection says something else than was agreed.
    ``others`` are those that were agreed otherwise."""

    connection: str
    person: str
    watched: bool  # what the connection says of the file
    others: list[ItemLabel]


class Explanation(msgspec.Struct, frozen=True):
    """Everything known of one item, newest first where there is an order."""

    item_id: int
    item: ItemLabel
    agreed: dict[str, Agreed]  # by person
    slots: list[dict[str, Any]]
    decisions: list[dict[str, Any]]
    changes: list[dict[str, Any]]
    conflicts: list[dict[str, Any]]
    shared: list[SharedFile] = []


def find_items(ctx: Context, words: str) -> dict[int, ItemLabel]:
    """Items that a person may mean. Raises UsageError where there is none."""
    with ctx.ledger.session(dry=True):
        found = ctx.ledger.find_items(words, FIND_AT_MOST)
        labels = ctx.ledger.label(found)
    if not found:
        raise UsageError(
            f"No item matches “{words}”.", hint="Try a part of the title, or an id such as imdb:tt0133093."
        )
    return {item: labels[item] for item in found}


def explain_item(ctx: Context, item_id: int) -> Explanation:
    """Collect the record of one item for every person."""
    persons = {role.person_id: role.person for role in ctx.roles.values()}
    with ctx.ledger.session(dry=True):
        agreed = {
            name: value
            for person, name in persons.items()
            if (value := ctx.ledger.load_agreed(person, [item_id]).get(item_id)) is not None
        }
        return Explanation(
            item_id=item_id,
            item=ctx.ledger.label([item_id])[item_id],
            agreed=agreed,
            slots=ctx.ledger.list_slots(item_id),
            decisions=ctx.ledger.list_decisions(item_id=item_id, person_id=None, limit=50),
            changes=ctx.ledger.list_changes(item_id=item_id, person_id=None, limit=50),
            conflicts=ctx.ledger.list_conflicts(item_id),
            shared=_find_shared(ctx, item_id),
        )


def _find_shared(ctx: Context, item_id: int) -> list[SharedFile]:
    """Files of several items whose one state cannot be what was agreed of this item."""
    found: list[SharedFile] = []
    for case in ctx.ledger.load_cases([item_id], ctx.roles, {}):
        for slot in case.slots:
            said = bool(slot.reading.watched)
            others = case.siblings.get(slot.ref_id, ())
            if not others or said == case.agreed.watched:
                continue
            agreed = ctx.ledger.load_agreed(case.person_id, others)
            apart = [o for o in others if agreed.get(o, Agreed()).watched != case.agreed.watched]
            labels = ctx.ledger.label(apart)
            role = ctx.roles[slot.account_id]
            if apart:
                found.append(SharedFile(role.connection, role.person, said, [labels[o] for o in apart]))
    return found


def list_history(
    ctx: Context, *, item_id: int | None = None, person: str | None = None, limit: int = 50
) -> dict[str, Any]:
    """Decisions and writes, newest first. Raises UsageError for an unknown person."""
    person_id = None
    if person is not None:
        found = {role.person: role.person_id for role in ctx.roles.values()}
        if person not in found:
            raise UsageError(
                f"There is no person “{person}”.", hint=f"Known: {', '.join(sorted(found)) or 'none yet'}."
            )
        person_id = found[person]
    with ctx.ledger.session(dry=True):
        decisions = ctx.ledger.list_decisions(item_id=item_id, person_id=person_id, limit=limit)
        changes = ctx.ledger.list_changes(item_id=item_id, person_id=person_id, limit=limit)
        labels = ctx.ledger.label({row["item_id"] for row in (*decisions, *changes)})
    return {"decisions": decisions, "changes": changes, "items": labels}
