"""``connections``: what is connected can be seen, changed and removed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from playhead.faces.cli.demo_world import EMBY
from playhead.sandbox.run import SandboxHandle
from tests.faces.conftest import Cli, Ran


@pytest.fixture
def connected(connect: Callable[..., Ran], only_emby: SandboxHandle) -> None:
    assert connect(only_emby, EMBY).code == 0


def test_without_connections_the_list_says_how_to_begin(cli: Cli) -> None:
    """And is an empty list for a script."""
    assert "connect plex|jellyfin|emby" in cli("connections").out
    assert cli("connections", "--json").json == []


@pytest.mark.usefixtures("connected")
def test_each_setting_can_be_changed_by_itself(cli: Cli) -> None:
    """What is not given stays."""
    steps = [
        (["--no-write"], "write", False),
        (["--exclude", "Shows"], "libraries", {"include": [], "exclude": ["Shows"]}),
        (["--libraries", "Movies"], "libraries", {"include": ["Movies"], "exclude": ["Shows"]}),
        (["--path", "/mnt/share=/nas"], "paths", [{"server": "/mnt/share", "hub": "/nas"}]),
        (["--option", "timeout_s=120"], "options", {"timeout_s": 120.0}),
        (["--person", "sam"], "person", "sam"),
        (["--url", "nas"], "url", "http://nas:8096"),
        (["--token", "another-token"], "token", "store:emby-2"),
    ]
    for arguments, key, expected in steps:
        ran = cli("connections", "set", EMBY.upper(), *arguments, "--json")
        assert ran.code == 0, ran.err
        assert ran.json[key] == expected
    shown = cli("connections", "show", EMBY, "--json").json
    assert shown["write"] is False
    assert shown["libraries"]["exclude"] == ["Shows"]


@pytest.mark.usefixtures("connected")
def test_renaming_keeps_the_rest(cli: Cli) -> None:
    """The token too."""
    assert cli("connections", "set", EMBY, "--rename", "Cabin").code == 0
    known = cli("connections", "--json").json
    assert [(c["name"], c["token"]) for c in known] == [("Cabin", "store:emby")]


@pytest.mark.usefixtures("connected")
@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], "Nothing to change"),
        (["--path", "nonsense"], "SERVER=HUB"),
        (["--option", "colour=blue"], "colour"),
        (["--option", "timeout_s=soon"], "timeout_s"),
        (["--url", "ftp://x"], "not the address"),
    ],
)
def test_a_wrong_change_changes_nothing(cli: Cli, home: Path, arguments: list[str], expected: str) -> None:
    """Exit 2, and the file is as it was."""
    before = (home / "playhead.yaml").read_text()
    ran = cli("connections", "set", EMBY, *arguments)
    assert ran.code == 2
    assert expected in ran.err
    assert (home / "playhead.yaml").read_text() == before


@pytest.mark.usefixtures("connected")
def test_removing_needs_a_yes(cli: Cli, home: Path) -> None:
    """And forgets the token."""
    assert cli("connections", "remove", EMBY).code == 2
    assert len(cli("connections", "--json").json) == 1
    assert cli("connections", "remove", EMBY, "--yes").code == 0
    assert cli("connections", "--json").json == []
    assert "emby" not in (home / "secrets.json").read_text()


@pytest.mark.usefixtures("connected")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["set", EMBY, "--no-write", "--token", "another", "--rename", "Cabin"], "Nothing was saved"),
        (["remove", EMBY], "would be forgotten"),
    ],
)
def test_a_dry_run_leaves_the_home_as_it_was(cli: Cli, home: Path, arguments: list[str], said: str) -> None:
    """Settings, tokens and all; it needs no yes, and a script gets what would be."""

    def look() -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in home.iterdir() if path.is_file()}

    before = look()
    ran = cli("connections", *arguments, "--dry-run")
    assert ran.code == 0
    assert said in ran.out
    ran = cli("connections", *arguments, "--dry-run", "--json")
    assert ran.json.get("name", "Cabin") == "Cabin"
    assert look() == before


@pytest.mark.usefixtures("connected")
def test_an_unknown_connection_is_answered_with_the_known_ones(cli: Cli) -> None:
    """Exit 2."""
    ran = cli("connections", "show", "Plex")
    assert ran.code == 2
    assert EMBY in ran.err


@pytest.mark.usefixtures("connected")
@pytest.mark.parametrize(
    "command", [["status"], ["sync"], ["items"], ["connections"], ["connections", "set", EMBY]]
)
def test_a_mistyped_kind_is_named_with_its_line(cli: Cli, home: Path, command: list[str]) -> None:
    """By every command alike, before anything is done in the name of a server that is none."""
    settings = home / "playhead.yaml"
    settings.write_text(settings.read_text().replace("kind: emby", "kind: embi"))
    ran = cli(*command)
    assert ran.code == 2
    assert f"connections.{EMBY}.kind is 'embi'. Allowed: one of emby, jellyfin, plex." in ran.err
    assert ", line " in ran.err
    assert not (home / "playhead.db").exists()
