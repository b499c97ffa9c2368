"""Stories as text files, run on the real flows: servers, steps, and after each ``plan`` the plan that must come out.

A line is ``server KIND``, ``play|stop|mark|unmark PERSON SERVER [MINUTES]``, ``add|remove|rename SERVER``, ``wait HOURS``,
``sync`` or ``plan``; indented lines below ``plan`` are the plan. One film, persons anna and kid.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.properties.servers import KINDS
from tests.properties.town import Town
from tests.properties.world import ModelServer

FILES = sorted(Path(__file__).parent.glob("*.txt"))
FILM = "1"


def read_story(path: Path) -> tuple[list[str], list[tuple[list[str], list[str]]]]:
    """Kinds of servers, and the steps with their indented lines."""
    kinds: list[str] = []
    steps: list[tuple[list[str], list[str]]] = []
    for line in path.read_text().splitlines():
        if line.startswith("    "):
            steps[-1][1].append(line.strip())
        elif line.startswith("server "):
            kinds.append(line.split()[1])
        elif line.strip() and not line.startswith("#"):
            steps.append((line.split(), []))
    return kinds, steps


def show_plan(town: Town) -> list[str]:
    """The plan, one line a change."""
    town.read()
    return [
        f"{c.connection} {c.person}: {c.write.facet} "
        f"{c.write.old.watched}/{c.write.old.position_s} -> {c.write.new.watched}/{c.write.new.position_s} ({c.write.rule})"
        for c in town.plan().changes
    ]


def do(town: Town, words: list[str]) -> None:
    what, *rest = words
    servers: dict[str, ModelServer] = {server.name: server for server in town.servers}
    if what == "wait":
        town.wait(int(float(rest[0]) * 3_600))
    elif what == "sync":
        town.settle()
    elif what == "add":
        servers[rest[0]].add(FILM)
    elif what == "remove":
        del servers[rest[0]].ids[FILM]
    elif what == "rename":
        servers[rest[0]].add(FILM)
        servers[rest[0]].lying.add(FILM)
    else:
        minutes = int(rest[2]) if len(rest) > 2 else 0
        assert town.act(what, rest[0], servers[rest[1]], FILM, minutes * 60)


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_a_story_has_the_plan_that_it_tells(path: Path) -> None:
    """The plan is what the file says, and after a sync there is none."""
    kinds, steps = read_story(path)
    town = Town([KINDS[kind] for kind in kinds], ("anna", "kid"), (FILM,))
    try:
        for words, expected in steps:
            if words[0] == "plan":
                assert show_plan(town) == [line for line in expected if line != "nothing"]
            else:
                do(town, words)
        town.settle()
        assert show_plan(town) == []
        for server in town.servers:
            assert not any(user == "kid" for user, _ in server.writes), "the kid's account was touched"
    finally:
        town.close()
