"""Looks at a whole pass before it runs and says which part a person must see first.

Removals are the only thing that can hurt; additions are never held. Counts come in, questions go out.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import msgspec


class Limits(msgspec.Struct, frozen=True):
    """Settable: a pass may take ``max_removal_share`` of what a person has watched, and always
    ``max_removals_without_question`` items, without asking."""

    max_removal_share: float = 0.2
    max_removals_without_question: int = 5


class Question(msgspec.Struct, frozen=True):
    """What a person is asked. The same ``key`` is the same question."""

    key: str
    kind: str
    text: str
    person_id: int | None = None
    account_id: int | None = None


def ask_about_removals(
    removals: Mapping[tuple[int, int], int],
    watched: Mapping[int, int],
    names: Mapping[int, str],
    limits: Limits,
    *,
    asked: Collection[int] = (),
    restored: Collection[int] = (),
) -> list[Question]:
    """One question for each account whose removals, together with its person's others, are too many; for each that was asked
    about before (``asked``) and was not answered, however few are left; and for each on a server whose dates went back
    (``restored``).

    ``removals`` counts items by (person, account), ``watched`` the person's agreed watched items and resume points,
    ``names`` are the accounts' connections.
    """
    questions: list[Question] = []
    for person in sorted({p for p, _ in removals}):
        own = {account: n for (p, account), n in removals.items() if p == person}
        total, known = sum(own.values()), watched.get(person, 0)
        few = total <= limits.max_removals_without_question or total <= limits.max_removal_share * known
        for account, count in sorted(own.items()):
            if few and account not in asked and account not in restored:
                continue
            back = ", and dates there went back, as when a backup was restored" if account in restored else ""
            text = (
                f"{names.get(account, 'A connection')} no longer has {count} of {known} watched or started items{back}. "
                "Did you unmark them? Release to unmark them everywhere, drop to mark them again there."
            )
            questions.append(Question(f"removals:{person}:{account}", "removals", text, person, account))
    return questions


def is_too_short(known: int, read: int, *, max_shrink_share: float, few: int = 5) -> bool:
    """Whether a list that calls itself complete is too short to be believed."""
    missing = known - read
    if known and not read:
        return True
    return missing > few and missing > max_shrink_share * known


def describe_shrunk(connection: str, found: str) -> str:
    """The question for a list that is too short; ``found`` says what it lacks."""
    return (
        f"{connection}: {found} Were these items removed there? Release to take what the list lacks as removed from that "
        "server (nothing is unmarked anywhere because of it), drop to leave the list without effect."
    )


def describe_conflict(titles: Sequence[str], agree: str, differ: str) -> str:
    """The question for two items whose ids both agree and contradict."""
    first, second = titles
    return (
        f"“{first}” and “{second}” share {agree} but differ in {differ}. "
        "Are they the same? Release to treat them as one, drop to keep them apart."
    )
