"""A mass of removals is held, asked about and answered."""

from __future__ import annotations

import pytest

from playhead.faces.cli.demo_world import EMBY, PLEX
from playhead.sandbox.run import SandboxHandle
from tests.faces.acting import act, states
from tests.faces.conftest import Cli


@pytest.fixture
def emptied(cli: Cli, box: SandboxHandle) -> list[str]:
    """After a sync somebody, or something, unmarked all that was watched on Emby."""
    cli("sync")
    watched = [item for item, (seen, _) in states(box, EMBY).items() if seen]
    for item in watched:
        act(box, EMBY, item, "unmark")
    return watched


def test_a_mass_unwatch_is_held_with_a_question(cli: Cli, box: SandboxHandle, emptied: list[str]) -> None:
    """Exit 3, a question with a number, and nothing is unmarked elsewhere."""
    ran = cli("sync", "--json")
    assert (ran.code, ran.json["held"]) == (3, 1), ran.out
    assert states(box, PLEX)["matrix"][0] is True
    question = cli("held", "--json").json[0]
    assert EMBY in question["question"]
    assert len(cli("plan", "--json").json["held"]) == 1
    shown = cli("held", "show", str(question["id"]), "--json").json
    assert len(shown["items"]) == len(emptied)
    assert cli("held", "drop", "999").code == 2


@pytest.mark.usefixtures("emptied")
@pytest.mark.parametrize("verb", ["release", "drop"])
def test_an_answer_can_be_tried(cli: Cli, verb: str) -> None:
    """It says what would follow, and the question stays open."""
    cli("sync")
    [question] = cli("held", "--json").json
    ran = cli("held", verb, str(question["id"]), "--dry-run")
    assert ran.code == 0
    assert "The next sync" in ran.out and "--dry-run" in ran.out
    assert cli("held", "--json").json == [question]
    assert cli("sync").code == 3


def test_a_dropped_question_puts_it_right(cli: Cli, box: SandboxHandle, emptied: list[str]) -> None:
    """What was unmarked by mistake is marked again."""
    cli("sync")
    assert cli("held", "drop", str(cli("held", "--json").json[0]["id"])).code == 0
    assert cli("sync").code == 0
    assert all(states(box, EMBY)[item][0] for item in emptied)


def test_a_released_question_lets_it_happen(cli: Cli, box: SandboxHandle, emptied: list[str]) -> None:
    """The others follow."""
    cli("sync")
    assert cli("held", "release", str(cli("held", "--json").json[0]["id"])).code == 0
    assert cli("sync").code == 0
    assert not any(states(box, PLEX)[item][0] for item in emptied)
