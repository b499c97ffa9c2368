"""``adopt watchstate``: another tool's servers.yaml becomes connections, and nothing of it is lost silently."""

from __future__ import annotations

from pathlib import Path

import pytest

from playhead.faces.cli.demo_world import EMBY, PERSON
from playhead.flows.adopt import read_watchstate
from playhead.ports.errors import UsageError
from playhead.sandbox.run import SandboxHandle
from tests.faces.conftest import Cli

KINDS = {"plex", "jellyfin", "emby"}


def write(tmp_path: Path, text: str) -> str:
    path = tmp_path / "servers.yaml"
    path.write_text(text)
    return str(path)


def servers_yaml(box: SandboxHandle) -> str:
    return f"""\
cabin:
    type: emby
    url: '{box.url(EMBY)}'
    token: {box.token(EMBY, PERSON)}
    user: {next(user.id for user in box.server(EMBY).users())}
    import: {{enabled: true, lastSync: 1700000000}}
    export: {{enabled: false, lastSync: null}}
    webhook: {{match: {{user: true}}}}
    options: {{ignore: '5, Home videos', timeout: 120}}
attic:
    type: jellyfin
    url: http://127.0.0.1:9
    token: its-secret-token
    user: 0123456789abcdef0123456789abcdef
    import: {{enabled: true}}
    export: {{enabled: true}}
nameless:
    type: jellyfin
    url: http://127.0.0.1:9
    token: another-secret-token
trakt:
    type: trakt
    url: https://trakt.tv
    token: x
"""


def test_connections_tokens_and_switches_are_taken_over(
    cli: Cli, tmp_path: Path, only_emby: SandboxHandle
) -> None:
    """Reachable servers are checked, others taken over with a warning, the rest named with a reason."""
    ran = cli("adopt", "watchstate", write(tmp_path, servers_yaml(only_emby)), "--json")
    assert ran.code == 0, ran.err
    taken = {c["name"]: c for c in ran.json["connections"]}
    assert set(taken) == {"cabin", "attic"}
    cabin = taken["cabin"]
    assert (cabin["user"], cabin["person"], cabin["read"], cabin["write"]) == (PERSON, PERSON, True, False)
    assert cabin["exclude"] == ["5", "Home videos"]
    assert cabin["warning"] is None
    assert "does not answer" in taken["attic"]["warning"]
    left = {item["place"]: item["reason"] for item in ran.json["left_behind"]}
    assert {"cabin.webhook", "cabin.import.lastSync", "nameless", "trakt"} <= set(left)
    assert all(left.values())
    known = {c["name"]: c for c in cli("connections", "--json").json}
    assert known["cabin"]["options"] == {"timeout_s": 120.0}
    assert known["attic"]["token"] == "store:attic"
    assert "its-secret-token" not in ran.out + ran.err


def test_an_adopted_server_is_read_when_it_answers(
    cli: Cli, tmp_path: Path, only_emby: SandboxHandle
) -> None:
    """The excluded library stays out; the server that is down is told."""
    cli("adopt", "watchstate", write(tmp_path, servers_yaml(only_emby)))
    ran = cli("import", "--json")
    assert ran.code == 4
    assert ran.json["read"]["cabin"]["items"] == 10
    assert ran.json["read"]["attic"]["status"] == "failed"


def test_a_dry_run_saves_nothing(cli: Cli, home: Path, tmp_path: Path, only_emby: SandboxHandle) -> None:
    """It shows the same."""
    ran = cli("adopt", "watchstate", write(tmp_path, servers_yaml(only_emby)), "--dry-run", "--json")
    assert len(ran.json["connections"]) == 2
    assert not home.exists()


def test_adopting_twice_doubles_nothing(cli: Cli, tmp_path: Path, only_emby: SandboxHandle) -> None:
    """What is connected already is named."""
    file = write(tmp_path, servers_yaml(only_emby))
    cli("adopt", "watchstate", file)
    ran = cli("adopt", "watchstate", file, "--json")
    assert ran.code == 1
    assert ran.json["connections"] == []
    assert any("connected already" in item["reason"] for item in ran.json["left_behind"])
    assert len(cli("connections", "--json").json) == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a: [", "line 1, column"), ("just text", "not a servers.yaml"), ("", "not a servers.yaml")],
)
def test_another_file_is_refused(cli: Cli, tmp_path: Path, text: str, expected: str) -> None:
    """One line, exit 2."""
    ran = cli("adopt", "watchstate", write(tmp_path, text))
    assert ran.code == 2
    assert expected in ran.err
    assert cli("adopt", "watchstate", str(tmp_path / "none.yaml")).code == 2


def test_every_key_is_taken_or_reported() -> None:
    """Later versions of the file have more keys than early ones."""
    entry = {
        "type": "plex",
        "url": "http://p",
        "token": "t",
        "user": 1,
        "uuid": "abc",
        "import": {"enabled": True, "later": 1},
        "export": {"enabled": True},
        "options": {"client": {"timeout": 30, "verify": False}, "LIBRARY_SEGMENT": 1000},
        "unheard": {"of": 1},
    }
    adoption = read_watchstate({"a": entry}, KINDS)
    server = adoption.servers[0]
    assert (server.user_id, server.server_id, server.options) == ("1", "abc", {"timeout_s": 30.0})
    assert {item.place for item in adoption.left_behind} == {
        "a.import.later",
        "a.options.client.verify",
        "a.options.LIBRARY_SEGMENT",
        "a.unheard",
    }


def test_what_is_no_such_file_is_refused() -> None:
    """A list, a text, an empty file."""
    for raw in ([], "x", None, {}, {"a": 1}):
        with pytest.raises(UsageError):
            read_watchstate(raw, KINDS)
