"""At a terminal: questions where something lacks or was typed wrong, and Ctrl-C at any moment."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from playhead.faces.cli.demo_world import EMBY, PERSON
from playhead.faces.cli.screen import print_error
from playhead.ports.errors import UsageError
from playhead.sandbox.run import SandboxHandle
from tests.faces.conftest import Cli, Ran


class Terminal:
    """The command line in a pseudo-terminal."""

    def __init__(self, home: Path, *arguments: str) -> None:
        self.master, slave = pty.openpty()
        self.shown = ""
        self._seen = 0
        self.process = subprocess.Popen(
            [sys.executable, "-m", "playhead", *arguments],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=os.environ | {"PLAYHEAD_HOME": str(home), "TERM": "dumb", "COLUMNS": "300"},
            start_new_session=True,
        )
        os.close(slave)

    def wait_for(self, text: str) -> None:
        """Read until the text is shown, after what was waited for before."""
        while text not in self.shown[self._seen :]:
            try:
                part = os.read(self.master, 4096)
            except OSError:  # the process has closed its end
                part = b""
            assert part, f"{text!r} is not shown in: {self.shown}"
            self.shown += part.decode(errors="replace")
        self._seen = self.shown.index(text, self._seen) + len(text)

    def type(self, text: str) -> None:
        """Type a line."""
        os.write(self.master, text.encode() + b"\n")

    def end(self) -> int:
        """Wait for the end, reading what is still shown."""
        try:
            while part := os.read(self.master, 4096):
                self.shown += part.decode(errors="replace")
        except OSError:
            self.shown += ""
        return self.process.wait(timeout=60)


Open = Callable[..., Terminal]


@pytest.fixture
def terminal(home: Path) -> Iterator[Open]:
    opened: list[Terminal] = []

    def start(*arguments: str) -> Terminal:
        opened.append(Terminal(home, *arguments))
        return opened[-1]

    yield start
    for one in opened:
        one.process.kill()
        one.process.wait()
        os.close(one.master)


def test_connect_asks_for_what_it_lacks_and_again_for_what_was_wrong(
    terminal: Open, cli: Cli, only_emby: SandboxHandle
) -> None:
    """Address, token, user, name, person; the token is never shown."""
    screen = terminal("connect", "emby")
    screen.wait_for("How do you want to sign in to Emby?")
    screen.type("token")
    screen.wait_for("Address of Emby")
    screen.type("ftp://nonsense")
    screen.wait_for("is not the address of a server")
    screen.wait_for("Address of Emby")
    screen.type(only_emby.url(EMBY).removeprefix("http://") + "/web/index.html#!/home")
    screen.wait_for("Token")
    screen.type("not-the-token")
    screen.wait_for("refused the token")
    screen.wait_for("Token")
    secret = only_emby.server(EMBY).admin_token
    screen.type(secret)
    screen.wait_for("What shall this connection be called? (Emby)")
    screen.type("Cabin")
    screen.wait_for(f"Which person of the house is '{PERSON}' there? ({PERSON})")
    screen.type("")
    assert screen.end() == 0, screen.shown
    assert "Connected." in screen.shown
    assert secret not in screen.shown
    known = cli("connections", "--json").json
    assert [(c["name"], c["user"], c["person"]) for c in known] == [("Cabin", PERSON, PERSON)]


def test_nothing_is_asked_with_yes(terminal: Open) -> None:
    """Exit 2 with the missing flags, also at a terminal."""
    screen = terminal("connect", "emby", "--yes")
    assert screen.end() == 2
    assert "needs --url and --token" in screen.shown


def test_a_no_changes_nothing(
    terminal: Open, cli: Cli, connect: Callable[..., Ran], only_emby: SandboxHandle
) -> None:
    """Removing asks first."""
    connect(only_emby, EMBY)
    screen = terminal("connections", "remove", EMBY)
    screen.wait_for("Forget the connection")
    screen.type("n")
    assert screen.end() == 2
    assert "Nothing was changed" in screen.shown
    assert len(cli("connections", "--json").json) == 1


def test_ctrl_c_while_reading_ends_with_130_and_the_next_run_goes_on(
    terminal: Open, cli: Cli, connect: Callable[..., Ran], only_emby: SandboxHandle
) -> None:
    """One line, no traceback, and the home folder is free again."""
    connect(only_emby, EMBY)
    order = {"kind": "delay", "route": "*Items*", "params": {"seconds": 30}}
    url = only_emby.control_url + "/_sandbox/faults"
    urllib.request.urlopen(urllib.request.Request(url, data=json.dumps(order).encode())).close()
    screen = terminal("import", "-v")
    while not json.load(urllib.request.urlopen(url))["faults"][0]["hits"]:
        assert screen.process.poll() is None, screen.shown
    screen.process.send_signal(signal.SIGINT)
    assert screen.end() == 130
    assert "error: Interrupted." in screen.shown
    assert "Traceback" not in screen.shown
    urllib.request.urlopen(urllib.request.Request(url, method="DELETE")).close()
    ran = cli("import", "--json")
    assert (ran.code, ran.json["read"][EMBY]["items"]) == (0, 17), ran.err


def test_at_a_narrow_terminal_no_word_of_an_error_is_broken(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next step stands on a line of its own; a command in it stays whole, to be pasted."""
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    command = "playhead connections set 'Living room' --path SERVER=HUB"
    print_error(
        UsageError("No library of Living room holds what was named.", hint=f"Say it: {command}"),
        as_json=False,
    )
    shown = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().err)
    assert shown.splitlines() == [
        "error: No library of Living room holds",
        "what was named.",
        f"Say it: {command}",
    ]
