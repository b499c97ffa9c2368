"""The merge's table as a page of the reference, made from ``resolve.RULES``: ``python -m playhead.domain.reconcile.table``.

Decides nothing; a test holds the page in the docs against it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from playhead.domain.reconcile.resolve import RULES, Rule

_HEAD = """# What wins: the table of the merge

*Made by `python -m playhead.domain.reconcile.table`. Do not edit.*

A reading that equals its base is silence, as is whatever cannot be known. What is left is news, and every piece of news falls
under one row. Newest wins where both sides have a trustworthy time; else what loses least.

| rule | when | then | a person reads |
|---|---|---|---|
"""


def print_table(rules: Sequence[Rule] = RULES) -> str:
    """The page as Markdown."""
    return _HEAD + "".join(f"| `{r.name}` | {r.when} | {r.then} | {r.reason} |\n" for r in rules)


if __name__ == "__main__":
    sys.stdout.write(print_table())
