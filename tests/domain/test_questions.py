"""What a person is asked says what each answer does."""

from __future__ import annotations

import pytest

from playhead.domain.reconcile.guards import Limits, ask_about_removals, describe_conflict, describe_shrunk

QUESTIONS = {
    "removals": ask_about_removals({(1, 2): 30}, {1: 60}, {2: "Emby"}, Limits())[0].text,
    "shrunk": describe_shrunk("Emby", "The library “Films” lists 3 entries where 60 were known."),
    "conflict": describe_conflict(("Up", "Up 2"), "imdb", "tmdb"),
}


@pytest.mark.parametrize("kind", QUESTIONS)
def test_each_question_asks_and_says_what_release_and_drop_do(kind: str) -> None:
    """A question, then both answers by the names that the command line has for them."""
    asked, _, answers = QUESTIONS[kind].partition("?")
    assert asked and answers.startswith(" Release to ")
    assert ", drop to " in answers
