"""What is held until a person looks at it, and what follows from the answer."""

from __future__ import annotations

from typing import Literal

from playhead.flows.context import Context
from playhead.ports.errors import UsageError
from playhead.ports.ledger import HeldRow, ItemLabel

Verb = Literal["release", "drop"]

_NEXT = {
    ("removals", "release"): "The next sync unmarks these items everywhere.",
    ("removals", "drop"): "The next sync marks these items again where they were unmarked.",
    (
        "shrunk",
        "release",
    ): "The next read believes the short list: what it lacks waits until that server has it again.",
    ("shrunk", "drop"): "The short list stays without effect; if it comes again, you are asked again.",
    ("conflict", "release"): "The two are one item from now on; the next sync brings them into agreement.",
    ("conflict", "drop"): "The two stay apart, and you are not asked again.",
}


def list_held(ctx: Context, *, all_rows: bool = False) -> list[HeldRow]:
    """Open questions, or all that were ever asked."""
    with ctx.ledger.session(dry=True):
        return ctx.ledger.list_held(all_rows=all_rows)


def label_held(ctx: Context, row: HeldRow) -> list[ItemLabel]:
    """The items that a question is about, as a person knows them."""
    with ctx.ledger.session(dry=True):
        labels = ctx.ledger.label(row.detail.get("items", []))
    return [labels[key] for key in sorted(labels)]


def answer_held(ctx: Context, held_id: int, answer: Verb, *, dry: bool = False) -> tuple[HeldRow, str]:
    """Store a person's answer and say what happens next; ``dry`` only says it. Raises UsageError where no such question is
    open."""
    now = int(ctx.now())
    with ctx.ledger.session(dry=dry):
        row = ctx.ledger.answer_held(held_id, answer, now)
        if row is None:
            raise UsageError(f"No open question has the number {held_id}.", hint="See `playhead held`.")
        if row.kind == "conflict":
            decision = "same" if answer == "release" else "different"
            ctx.ledger.decide_conflict(row.detail["conflict"], decision, now)
        elif row.kind == "shrunk" and answer == "release":
            ctx.ledger.accept_shrunk(int(row.key.partition(":")[2]))
        ctx.ledger.commit()
    return row, _NEXT[row.kind, answer]
