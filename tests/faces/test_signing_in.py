"""Signing in at the command line: by a code that a person approves elsewhere, and by a password that nobody sees."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from playhead.flows import signing_in
from playhead.sandbox.plex.accounts import make_plextv_token
from playhead.sandbox.run import SandboxHandle
from tests.faces.conftest import Cli
from tests.faces.signing import (
    KINDS,
    WORD,
    Friend,
    approve,
    assert_hidden,
    box,
    kept_secrets,
    plex,
    type_in,
)
from tests.faces.test_terminal import Terminal, terminal

__all__ = ["approve", "box", "terminal"]


def test_plex_is_connected_by_a_code_alone(
    cli: Cli, box: SandboxHandle, home: Path, approve: Callable[[str, str], None]
) -> None:
    """No address and no token is given; both are found, and neither token is shown or kept in clear."""
    approve("Den", "alice")
    ran = cli(*plex(box, "--yes", "-vv"))
    assert ran.code == 0, ran.err
    assert "/auth#?clientID=" in ran.err
    [known] = cli("connections", "--json").json
    assert (known["name"], known["url"], known["user"], known["user_id"]) == (
        "Den",
        box.url("Den"),
        "alice",
        "1",
    )
    assert_hidden(home, ran.out, ran.err, secrets=[box.token("Den", "alice")])
    assert cli("import", "--json").json["read"]["Den"]["items"] == 2


def test_no_secret_of_a_sign_in_is_in_log_arguments_or_files(
    terminal: Callable[..., Terminal], box: SandboxHandle, home: Path
) -> None:
    """Neither the token for plex.tv, nor that for the server, nor Quick Connect's secret, with -vv and while it waits."""
    screens = {
        "Den": terminal(*plex(box, "--yes", "-vv", "--server", "Den")),
        "Jelly": terminal(
            "connect", "jellyfin", "--quick-connect", "--url", box.url("Jelly"), "--yes", "-vv"
        ),
    }
    secrets = [make_plextv_token("bob"), box.token("Den", "bob")]
    for name, screen in screens.items():
        screen.wait_for("The code is in it already: " if name == "Den" else "/web/#/quickconnect")
        Friend(box, home).enter(screen.shown.replace("\r", ""), name, "bob")
        arguments = Path(f"/proc/{screen.process.pid}/cmdline").read_bytes().decode()
        assert screen.end() == 0, screen.shown
        accounts: Any = getattr(box.server("Jelly"), "accounts", None)
        secrets += [secret for secret in (*accounts.pending, *accounts.tokens) if name == "Jelly"]
        assert_hidden(home, screen.shown, arguments, secrets=secrets)
    assert len(secrets) > 3


def test_events_of_a_sign_in_are_json(
    cli: Cli, box: SandboxHandle, approve: Callable[[str, str], None]
) -> None:
    """One object a line: the code, the approval, what was connected."""
    approve("Den", "alice")
    ran = cli(*plex(box, "--yes", "--json"))
    code, approved, connected = ran.lines
    assert code["event"] == "code"
    assert code["code"] in code["where"]
    assert code["expires_in_s"] == 900
    assert approved == {"event": "approved"}
    assert connected["connection"] == "Den"


def test_several_servers_are_listed_where_nobody_can_be_asked(
    cli: Cli, box: SandboxHandle, home: Path, approve: Callable[[str, str], None]
) -> None:
    """Nothing is saved; with --server, or an address, the right one is taken, with the person's own token there."""
    approve("Den", "bob")
    ran = cli(*plex(box, "--yes"))
    assert ran.code == 2
    assert "--server NAME: 'Attic', 'Den'" in ran.err
    ran = cli(*plex(box, "--yes", "--server", "nowhere"))
    assert (ran.code, "has no server 'nowhere'" in ran.err) == (2, True)
    assert not kept_secrets(home)
    assert cli(*plex(box, "--yes", "--server", "attic")).code == 0
    assert cli(*plex(box, "--yes", "--url", box.url("Den"))).code == 0
    known = {each["name"]: each for each in cli("connections", "--json").json}
    assert (known["Attic"]["user_id"], known["Attic"]["user"]) == ("1", "bob")
    guest = next(user for user in box.server("Den").users() if user.name == "bob")
    assert (known["Den"]["user_id"], known["Den"]["user"]) == (guest.id, "bob")
    assert cli("doctor").code == 0


def test_who_signed_in_must_be_who_was_named(
    cli: Cli, box: SandboxHandle, home: Path, approve: Callable[[str, str], None]
) -> None:
    """And may use the server at the address that was given."""
    approve("Den", "alice")
    for more, told in (
        (["--user", "bob"], "'alice' signed in, not 'bob'"),
        (["--url", box.url("Attic")], "may not use the server at"),
        (["--url", box.url("Cabin")], "not a Plex server"),
    ):
        ran = cli(*plex(box, "--yes", *more))
        assert ran.code == 1, ran.err
        assert told in ran.err
    assert not kept_secrets(home)


def test_a_code_that_nobody_approves_ends(
    cli: Cli, box: SandboxHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its own time, and by plex.tv's word that it is void."""
    made = signing_in.CodeShown

    async def give_up(sign_in: Any, shown: Any, tell: Any) -> None:
        await signing_in.wait_for_approval(sign_in, made(shown.code, shown.where, 0.05, 0.01), tell)

    monkeypatch.setattr("playhead.faces.cli.signing_in.wait_for_approval", give_up)
    ran = cli(*plex(box, "--yes"))
    assert (ran.code, "Nobody approved the code in time. Run it again" in ran.err) == (1, True), ran.err

    async def expire(sign_in: Any, shown: Any, tell: Any) -> None:
        box.clock.advance(901)
        await signing_in.wait_for_approval(sign_in, shown, tell)

    monkeypatch.setattr("playhead.faces.cli.signing_in.wait_for_approval", expire)
    ran = cli(*plex(box, "--yes"))
    assert (ran.code, "The code has expired at plex.tv." in ran.err) == (1, True), ran.err


def test_a_server_that_answers_nowhere_is_told(
    cli: Cli, box: SandboxHandle, home: Path, approve: Callable[[str, str], None]
) -> None:
    """With the way round it."""
    approve("Den", "alice")
    box.urls["Den"] = "http://127.0.0.1:9"
    ran = cli(*plex(box, "--yes"))
    assert ran.code == 1
    assert "answers at none of the" in ran.err
    assert "--url URL" in ran.err
    assert not kept_secrets(home)


def test_at_a_terminal_the_server_is_asked_for_and_the_time_is_counted(
    terminal: Callable[..., Terminal], cli: Cli, box: SandboxHandle
) -> None:
    """How to sign in (Enter takes the first way), the link, how long still, which server, its name and person."""
    screen = terminal("connect", "plex", "--plex-tv-url", box.extra_urls["plextv"])
    screen.wait_for("[sign-in/token] (sign-in)")
    screen.type("")
    screen.wait_for("The code is in it already: ")
    Friend(box, Path()).enter(screen.shown, "Den", "bob")
    screen.wait_for("Which server? [Attic/Den]")
    screen.type("den")
    screen.wait_for("What shall this connection be called? (Den)")
    screen.type("")
    screen.wait_for("Which person of the house is 'bob' there? (bob)")
    screen.type("")
    assert screen.end() == 0, screen.shown
    assert box.token("Den", "bob") not in screen.shown
    assert [each["user"] for each in cli("connections", "--json").json] == ["bob"]


def test_ctrl_c_while_waiting_leaves_nothing(
    terminal: Callable[..., Terminal], box: SandboxHandle, home: Path
) -> None:
    """One line, no traceback, nothing saved."""
    screen = terminal(*plex(box))
    screen.wait_for("The code is in it already: ")
    screen.process.send_signal(signal.SIGINT)
    assert screen.end() == 130
    assert "error: Interrupted." in screen.shown
    assert "Traceback" not in screen.shown
    assert not kept_secrets(home)


# --- Quick Connect and passwords


def test_jellyfin_is_connected_by_quick_connect(
    cli: Cli, box: SandboxHandle, home: Path, approve: Callable[[str, str], None]
) -> None:
    """By whoever approves the code, a plain user as well: their own state is read and written."""
    approve("Jelly", "bob")
    ran = cli("connect", "jellyfin", "--quick-connect", "--url", box.url("Jelly"), "--yes")
    assert ran.code == 0, ran.err
    [known] = cli("connections", "--json").json
    assert (known["user"], known["person"]) == ("bob", "bob")
    assert cli("import", "--json").json["read"]["Jelly"]["items"] == 2
    assert cli("doctor").code == 0


def test_quick_connect_that_is_off_says_so(cli: Cli, box: SandboxHandle, home: Path) -> None:
    """And how to go on."""
    box.server("Jelly").act("", "", "quick_connect", at=None, args={"enabled": False})
    ran = cli("connect", "jellyfin", "--quick-connect", "--url", box.url("Jelly"), "--yes")
    assert ran.code == 1
    assert "Quick Connect is switched off on Jellyfin at" in ran.err
    assert "--password -" in ran.err
    assert not kept_secrets(home)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("user", ["alice", "bob"])
def test_a_password_is_used_once_and_kept_nowhere(
    name: str, user: str, cli: Cli, box: SandboxHandle, home: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """From standard input; what is kept is an encrypted token. An administrator's and a plain user's both work."""
    type_in(monkeypatch, tmp_path, WORD + "\n")
    words = [
        "connect",
        KINDS[name],
        "--url",
        box.url(name),
        "--user",
        user,
        "--password",
        "-",
        "--yes",
        "-vv",
    ]
    ran = cli(*words)
    assert ran.code == 0, ran.err
    assert_hidden(home, ran.out, ran.err, secrets=[WORD])
    assert cli("connections", "--json").json[0]["token"].startswith("store:")
    assert cli("import", "--json").json["read"][name]["items"] == 2
    assert cli("doctor").code == 0


@pytest.mark.parametrize("name", KINDS)
def test_a_wrong_password_is_one_line(
    name: str, cli: Cli, box: SandboxHandle, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So are a missing name and a password in the arguments; neither is shown."""
    monkeypatch.setenv("WORD", "not-the-word")
    base = ["connect", KINDS[name], "--url", box.url(name), "--yes"]
    for more, code, told in (
        (["--user", "bob", "--password", "env:WORD"], 1, "name and password"),
        (["--user", "bob", "--password", "not-the-word"], 2, "not given on the command line"),
        (["--password", "env:WORD"], 2, "needs --user"),
        (["--password", "env:WORD", "--user", "bob", "--token", "x"], 2, "Several ways"),
    ):
        ran = cli(*base, *more)
        assert ran.code == code, ran.err
        assert told in ran.err
        assert "not-the-word" not in ran.out + ran.err
    assert not kept_secrets(home)


def test_at_a_terminal_a_password_is_asked_for_and_not_shown(
    terminal: Callable[..., Terminal], cli: Cli, box: SandboxHandle
) -> None:
    """A wrong one is asked again."""
    screen = terminal("connect", "emby", "--url", box.url("Cabin"))
    screen.wait_for("[password/token] (password)")
    screen.type("password")
    screen.wait_for("Your user name on Emby")
    screen.type("bob")
    screen.wait_for("Password of bob (not shown)")
    screen.type("wrong-word")
    screen.wait_for("does not take this name and password")
    screen.wait_for("Your user name on Emby")
    screen.type("bob")
    screen.wait_for("Password of bob (not shown)")
    screen.type(WORD)
    screen.wait_for("What shall this connection be called?")
    screen.type("")
    screen.wait_for("Which person of the house is")
    screen.type("")
    assert screen.end() == 0, screen.shown
    assert WORD not in screen.shown
    assert "wrong-word" not in screen.shown
    assert [each["user"] for each in cli("connections", "--json").json] == ["bob"]


def test_each_backend_offers_its_own_ways_alone(cli: Cli) -> None:
    """What a backend has not is no option of it."""
    flags = ("--sign-in", "--quick-connect", "--password", "--server")
    pages = {kind: cli("connect", kind, "--help").out for kind in ("plex", "jellyfin", "emby")}
    offered = {kind: {flag for flag in flags if flag in page} for kind, page in pages.items()}
    assert offered == {
        "plex": {"--sign-in", "--server"},
        "jellyfin": {"--quick-connect", "--password"},
        "emby": {"--password"},
    }


# --- further logins
