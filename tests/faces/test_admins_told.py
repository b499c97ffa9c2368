"""A hub that runs tells its admins what needs a person: a login that is refused, and a question. Each once, by a real post."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from playhead.sandbox.run import SandboxHandle, run_world_in_thread
from tests.faces.conftest import Cli
from tests.faces.test_serve import QUIET, Start, start, until
from tests.faces.test_tokens_serving import do
from tests.journeys.journey import movie, seen, server, world
from tests.notices.mailroom import run_receiver

__all__ = ["start"]

FILMS = tuple("abcdefghij")


@pytest.fixture
def house(cli: Cli, home: Path) -> Iterator[SandboxHandle]:
    """Alice has watched ten films on a Jellyfin and an Emby; in agreement, no runs by schedule."""
    watched = [seen(film) for film in FILMS]
    made = world([movie(film) for film in FILMS], server("jellyfin", *watched), server("emby", *watched))
    with run_world_in_thread(made) as running:
        for name in ("jellyfin", "emby"):
            place = ["--url", running.url(name), "--token", running.token(name, "alice"), "--name", name]
            assert cli("connect", name, *place, "--user", "alice", "--person", "alice", "--yes").code == 0
        assert cli("sync").code == 0
        with (home / "playhead.yaml").open("a") as settings:
            settings.write(QUIET)
        yield running


@pytest.fixture
def admins(cli: Cli, house: SandboxHandle) -> Iterator[Any]:
    """What they were told, by a rule of theirs."""
    with run_receiver() as receiver:
        address = f"json://127.0.0.1:{receiver.server_port}"
        assert cli("notify", "add", "admins", "--admin", "--to", address).code == 0
        yield receiver


def titles(receiver: ThreadingHTTPServer) -> list[str]:
    return [str(post["title"]) for post in receiver.posts]  # type: ignore[attr-defined]


def test_a_refused_login_is_told_and_its_end_too(
    house: SandboxHandle, admins: Any, start: Start, cli: Cli
) -> None:
    """With the command that mends it, and without any token."""
    hub = start()
    hub.be_ready()
    until(lambda: hub.ask("/readyz")[1]["listeners"].get("emby") == "open", "the line to Emby")
    old = house.token("emby", "alice")
    for act in ("revoke_token", "cut_sockets"):
        do(house, "emby", "alice", "", act)
    until(lambda: titles(admins), f"a post\n{hub.log}")
    [post] = admins.posts
    assert "token of 'alice' on 'emby'" in post["title"]
    assert "playhead connections set emby" in post["message"]
    new = house.token("emby", "alice")
    assert cli("connections", "set", "emby", "--token", new).code == 0
    until(lambda: len(titles(admins)) > 1, f"the end of it\n{hub.log}")
    assert titles(admins)[1].startswith("Playhead: mended: ")
    assert not [secret for secret in (old, new) if secret in str(admins.posts) + hub.log]


def test_a_question_is_told_once(house: SandboxHandle, admins: Any, start: Start, cli: Cli) -> None:
    """Nine of ten films unmarked at once: held, and the admins know."""
    hub = start()
    hub.be_ready()
    for film in FILMS[1:]:
        do(house, "emby", "alice", film, "unmark")
    cli("sync")
    until(lambda: titles(admins), f"a post\n{hub.log}")
    [post] = admins.posts
    assert "emby no longer has" in post["title"] + post["message"]
    assert "playhead held" in post["message"]
    rows = house.server("jellyfin").state_rows("alice")
    assert sum(bool(row.watched) for row in rows) >= len(FILMS) - 5, "the guard let single ones pass at most"
    assert hub.end() == 0
    again = start()
    again.be_ready()
    number = cli("held", "--json").json[0]["id"]
    assert cli("held", "drop", str(number)).code == 0
    assert cli("sync").code in (0, 3)
    until(lambda: all(r.watched for r in house.server("emby").state_rows("alice")), "marked again on Emby")
    assert len([title for title in titles(admins) if "no longer has" in title]) == 1
