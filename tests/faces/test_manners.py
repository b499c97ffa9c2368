"""How the command line behaves towards terminals, pipes and scripts."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from sqlalchemy.exc import OperationalError

from playhead import __version__
from playhead.faces.cli.app import COMMANDS, make_app
from playhead.faces.cli.demo_world import EMBY
from playhead.ports.errors import UsageError
from playhead.sandbox.run import SandboxHandle
from tests.faces.conftest import Cli, Ran


def start(home: Path, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    """The command line as a process of its own, without a terminal."""
    plain = {
        key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "COLUMNS", "FORCE_COLOR")
    }
    return subprocess.Popen(
        [sys.executable, "-m", "playhead", *arguments],
        env=plain | {"PLAYHEAD_HOME": str(home), **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_the_version_is_told(cli: Cli) -> None:
    """And nothing else."""
    ran = cli("--version")
    assert (ran.code, ran.out) == (0, f"playhead {__version__}\n")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(cli: Cli, command: str) -> None:
    """Groups have it on their sub-commands as well."""
    ran = cli(command, "--help")
    assert ran.code == 0
    assert "Usage: playhead" in ran.out
    if COMMANDS[command].example:
        assert "Example: playhead" in ran.out


ONLY_LOOK = {
    "preview",
    "plan",
    "status",
    "items",
    "explain",
    "history",
    "doctor",
    "demo",
    "sandbox",
    "list",
    "show",
    "unmatched",
    "script",
    "scans",
}
STAYS_UP = {"serve", "deliver"}  # what it would do is what plan shows


def test_every_command_that_writes_can_be_tried_first() -> None:
    """``--dry-run`` stands on each command that changes a server, the settings or the database."""

    def walk(command: Any, name: str) -> Iterator[tuple[str, Any]]:
        inner = getattr(command, "commands", None)
        if inner is None:
            yield name, command
        for word, part in (inner or {}).items():
            yield from walk(part, f"{name} {word}".strip())

    lacking = {
        name
        for name, command in walk(typer.main.get_command(make_app()), "")
        if name.split()[-1] not in ONLY_LOOK | STAYS_UP
        and not any("--dry-run" in parameter.opts for parameter in command.params)
    }
    assert lacking == set()


@pytest.mark.parametrize(
    "arguments",
    [["frobnicate"], ["plan", "--frobnicate"], ["connect", "trakt"], ["explain"], ["held", "show", "x"], []],
)
def test_wrong_usage_is_exit_2_and_one_line(cli: Cli, arguments: list[str]) -> None:
    """With the place where the right usage stands."""
    ran = cli(*arguments)
    assert ran.code == 2
    if arguments:
        assert ran.err.startswith("error: ")
        assert ran.err.count("\n") == 1
        assert "--help" in ran.err


def test_the_demo_ends_by_itself_and_in_agreement(tmp_path: Path) -> None:
    """Everything it shows, in the order of the story; nothing in the home folder of the person."""
    process = start(tmp_path / "home", "demo", "--once", PLAYHEAD_COMMAND="bin/run")
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    story = [
        "7 of 19 agree.",
        "because",
        "Wrote 21 of 21 changes.",
        "marks The Matrix as unwatched on Jellyfin",
        "Wrote 6 of 6 changes.",
        "19 of 19 agree.",
        "bin/run connect plex",
    ]
    places = [out.index(text) for text in story]
    assert places == sorted(places)
    assert "\x1b[" not in out
    assert not (tmp_path / "home").exists()


def test_colours_are_left_out_where_they_are_not_wanted(tmp_path: Path) -> None:
    """NO_COLOR holds even where colour is forced."""
    for environment, coloured in (
        ({"FORCE_COLOR": "1"}, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    ):
        process = start(tmp_path, "connections", "show", "x", **environment)
        _, err = process.communicate(timeout=60)
        assert ("\x1b[1;31m" in err) is coloured


def test_the_demo_that_stays_up_is_told_to_go_and_cleans_up(tmp_path: Path) -> None:
    """Ctrl-C is its proper end: exit 0, and the home folder is gone."""
    process = start(tmp_path, "demo", TMPDIR=str(tmp_path))
    assert process.stdout is not None
    for line in process.stdout:
        if "stay up until Ctrl-C" in line:
            break
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert not list(tmp_path.glob("playhead-demo-*"))


def test_a_closed_pipe_is_no_error_message(tmp_path: Path) -> None:
    """``playhead items | head`` stays quiet."""
    process = start(tmp_path, "demo", "--once")
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr is not None
    err = process.stderr.read()
    process.wait(timeout=60)
    assert "Traceback" not in err
    assert "error" not in err.lower()


@pytest.mark.parametrize("arguments", ["items --json", "items --limit 0", "--help", "status", "connections"])
def test_output_that_nobody_reads_ends_the_command_quietly(
    cli: Cli, connect: Callable[..., Ran], only_emby: SandboxHandle, home: Path, arguments: str
) -> None:
    """Whether the pipe was closed before the first line or amid: 141, as a shell calls it, and not a word."""
    assert connect(only_emby, EMBY).code == 0
    assert cli("import").code == 0
    process = start(home, *arguments.split())
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    err = process.stderr.read()
    assert (process.wait(timeout=60), err) == (141, "")


def test_a_bug_is_told_in_one_line(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """No traceback without -vv, and never a silent success."""

    def broken(*_: object) -> None:
        raise ZeroDivisionError("oh")

    monkeypatch.setattr("playhead.runtime.settings_file.SettingsFile.load", broken)
    ran = cli("connections")
    assert ran.code == 1
    assert "ZeroDivisionError: oh" in ran.err
    assert "Traceback" not in ran.err
    assert "Traceback" in cli("connections", "-vv").err


def test_an_error_out_of_parallel_work_is_told_as_itself(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not as a group of errors."""

    def broken(*_: object) -> None:
        raise ExceptionGroup("several", [UsageError("This is wrong.", hint="Do it so.")])

    monkeypatch.setattr("playhead.runtime.settings_file.SettingsFile.load", broken)
    ran = cli("connections")
    assert (ran.code, ran.err) == (2, "error: This is wrong. Do it so.\n")


def test_a_full_disk_or_locked_database_is_told_in_its_own_words(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the statement that met it."""

    def broken(*_: object) -> None:
        raise OperationalError(
            "INSERT INTO secret_table", {}, sqlite3.OperationalError("database or disk is full")
        )

    monkeypatch.setattr("playhead.runtime.settings_file.SettingsFile.load", broken)
    ran = cli("connections")
    assert ran.code == 1
    assert "database or disk is full" in ran.err
    assert "INSERT" not in ran.err


def test_commands_in_hints_and_examples_are_told_as_they_were_typed(tmp_path: Path) -> None:
    """Whoever started it by a path, with a home folder of their own, can paste what they are told."""
    process = start(
        tmp_path / "a home", "status", "--home", str(tmp_path / "a home"), PLAYHEAD_COMMAND="bin/run"
    )
    _, told = process.communicate(timeout=60)
    assert f"Start with: bin/run --home '{tmp_path / 'a home'}' connect plex|jellyfin|emby" in told
    process = start(tmp_path, "people", "link", "--help", PLAYHEAD_COMMAND="bin/run")
    shown, _ = process.communicate(timeout=60)
    assert "Usage: bin/run people link" in shown
    assert "Example: bin/run people link sam Plex sammy" in shown
    process = start(tmp_path, "people", "--nonsense", PLAYHEAD_COMMAND="bin/run")
    _, told = process.communicate(timeout=60)
    assert "See: bin/run people --help" in told


def test_a_title_in_letters_that_the_terminal_lacks_is_no_reason_to_fail(
    cli: Cli, box: SandboxHandle, home: Path
) -> None:
    """They are shown as question marks; JSON has them in its own escapes."""
    assert cli("import").code == 0
    shown, _ = start(home, "items", PYTHONIOENCODING="ascii").communicate(timeout=60)
    assert "Am?lie (2001)" in shown
    lines, _ = start(home, "items", "--json", PYTHONIOENCODING="ascii").communicate(timeout=60)
    assert "Amélie" in {json.loads(line)["title"] for line in lines.splitlines()}


def test_help_shows_the_commands_in_the_order_in_which_they_are_needed(cli: Cli) -> None:
    """Trying comes first, then connecting; what is of one kind stands together."""
    shown = cli("--help").out
    order = ["demo", "connect ", "plan", "sync", "serve", "scan ", "scans", "status", "doctor"]
    places = [shown.index(f"│ {name}") for name in order]
    assert places == sorted(places)
