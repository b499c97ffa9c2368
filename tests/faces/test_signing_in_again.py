"""Further logins sign in by themselves, and those whose tokens no longer work sign in again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from playhead.sandbox.run import SandboxHandle
from tests.faces.conftest import Cli
from tests.faces.signing import (
    KINDS,
    WORD,
    approve,
    assert_hidden,
    box,
    make_order,
    plex,
    type_in,
)
from tests.faces.test_terminal import terminal

__all__ = ["approve", "box", "terminal"]


@pytest.fixture
def connected(cli: Cli, box: SandboxHandle) -> None:
    """Alice's logins: Den by her token, Jelly and Cabin by API keys."""
    for name, kind in (("Den", "plex"), ("Jelly", "jellyfin"), ("Cabin", "emby")):
        more = ["--plex-tv-url", box.extra_urls["plextv"]] if kind == "plex" else ["--user", "alice"]
        token = box.server(name).admin_token
        ran = cli("connect", kind, "--name", name, "--url", box.url(name), "--token", token, "--yes", *more)
        assert ran.code == 0, ran.err
    assert cli("people", "add", "kid").code == 0


def linked(cli: Cli) -> set[tuple[str, str, str]]:
    found = cli("people", "list", "--json").json
    return {
        (each["person"], login["connection"], login["user"]) for each in found for login in each["logins"]
    }


@pytest.mark.usefixtures("connected")
def test_a_member_of_the_home_with_a_pin_signs_in(
    cli: Cli, box: SandboxHandle, home: Path, approve: Callable[[str, str], None]
) -> None:
    """Nobody handles a token or tells the PIN to anybody; the login is the one that signed in, and it is read."""
    refused = cli("people", "link", "kid", "Den", "kid")
    assert (refused.code, "A PIN protects 'kid'" in refused.err) == (1, True)
    approve("Den", "kid")
    ran = cli("people", "link", "kid", "Den", "--sign-in")
    assert ran.code == 0, ran.err
    assert ("kid", "Den", "kid") in linked(cli)
    box.server("Den").act("kid", "b", "play", at=None, args={})
    assert cli("import", "-c", "Den").code == 0
    rows = {
        row["person"]: row for row in cli("status", "--json").json["accounts"] if row["connection"] == "Den"
    }
    assert rows["kid"]["watched"] == 1
    assert_hidden(home, ran.out, ran.err, secrets=[box.token("Den", "kid")])


@pytest.mark.usefixtures("connected")
def test_a_pin_need_not_stand_in_the_arguments(
    cli: Cli, box: SandboxHandle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the environment, or from standard input; a wrong one is refused."""
    monkeypatch.setenv("PIN", "9999")
    assert cli("people", "link", "kid", "Den", "kid", "--pin", "env:PIN").code == 1
    type_in(monkeypatch, tmp_path, "1234\n")
    ran = cli("people", "link", "kid", "Den", "kid", "--pin", "-")
    assert ran.code == 0, ran.err
    assert ("kid", "Den", "kid") in linked(cli)


@pytest.mark.usefixtures("connected")
def test_another_than_the_named_login_is_refused(
    cli: Cli, box: SandboxHandle, approve: Callable[[str, str], None]
) -> None:
    """Bob cannot sign in as kid; and nobody who may not use the server."""
    approve("Den", "bob")
    before = linked(cli)
    ran = cli("people", "link", "kid", "Den", "kid", "--sign-in")
    assert (ran.code, "'bob' signed in, not 'kid'" in ran.err) == (1, True)
    assert linked(cli) == before


@pytest.mark.usefixtures("connected")
@pytest.mark.parametrize("way", ["password", "quick-connect"])
def test_a_further_login_of_jellyfin_signs_in(
    way: str, cli: Cli, box: SandboxHandle, home: Path, monkeypatch: pytest.MonkeyPatch,
    approve: Callable[[str, str], None],
) -> None:  # fmt: skip
    """It has a token of its own then."""
    monkeypatch.setenv("WORD", WORD)
    approve("Jelly", "kid")
    more = ["kid", "--password", "env:WORD"] if way == "password" else ["--quick-connect"]
    ran = cli("people", "link", "kid", "Jelly", *more)
    assert ran.code == 0, ran.err
    [login] = cli("connections", "show", "Jelly", "--json").json["accounts"]
    assert (login["user"], login["token"]) == ("kid", "store:jelly-kid")
    assert_hidden(home, ran.out, ran.err, secrets=[WORD])
    assert cli("import", "-c", "Jelly").code == 0


@pytest.mark.parametrize("name", KINDS)
def test_a_plain_users_token_serves_nobody_else_and_says_so(
    name: str, cli: Cli, box: SandboxHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the command by which the other signs in, which works."""
    monkeypatch.setenv("WORD", WORD)
    words = ["--url", box.url(name), "--user", "bob", "--password", "env:WORD", "--name", name, "--yes"]
    assert cli("connect", KINDS[name], *words).code == 0
    assert cli("people", "add", "kid").code == 0
    ran = cli("people", "link", "kid", name, "kid")
    assert ran.code == 1
    assert ("may not act for 'kid'" in ran.err) or ("has no login 'kid'" in ran.err), ran.err
    ran = cli("people", "link", "kid", name, "kid", "--password", "env:WORD")
    assert ran.code == 0, ran.err
    assert cli("people", "propose", "--json").code == 0


# --- again


@pytest.mark.usefixtures("connected")
def test_signing_in_again_keeps_all_settings(
    cli: Cli, box: SandboxHandle, approve: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the token is another one; another login is refused."""
    monkeypatch.setenv("WORD", WORD)
    for name in ("Den", "Jelly", "Cabin"):
        assert cli("connections", "set", name, "--no-write", "--exclude", "Shows").code == 0
        box.server(name).act("alice" if name == "Den" else "", "", "revoke_token", at=None, args={})
    assert cli("doctor").code == 1
    before = cli("connections", "--json").json
    approve("Den", "bob")
    ran = cli("connections", "set", "Den", "--sign-in")
    assert (ran.code, "'bob' signed in, and 'Den' is alice's" in ran.err) == (2, True), ran.err
    approve("Den", "alice")
    assert cli("connections", "set", "Den", "--sign-in").code == 0
    approve("Jelly", "alice")
    assert cli("connections", "set", "Jelly", "--quick-connect").code == 0
    assert cli("connections", "set", "Cabin", "--password", "env:WORD").code == 0
    after = cli("connections", "--json").json
    for old, new in zip(before, after, strict=True):
        assert {**old, "token": ""} == {**new, "token": ""}
    assert cli("doctor").code == 0


@pytest.mark.usefixtures("connected")
def test_a_users_token_does_not_take_the_place_of_a_key_that_serves_others(
    cli: Cli, box: SandboxHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who has no token of their own would be cut off; an administrator's token serves them too."""
    monkeypatch.setenv("WORD", WORD)
    assert cli("people", "link", "kid", "Cabin", "kid").code == 0
    assert cli("connections", "set", "Cabin", "--password", "env:WORD").code == 0
    assert cli("import", "-c", "Cabin").code == 0
    assert cli("connections", "set", "Cabin", "--quick-connect").code == 2


def test_a_request_to_slow_down_before_the_code_is_obeyed(
    cli: Cli, box: SandboxHandle, approve: Callable[[str, str], None]
) -> None:
    """It is asked for again after the wait."""
    approve("Den", "alice")
    order = {"kind": "rate_limited", "server": "plextv", "route": "POST /api/v2/pins", "count": 1}
    box.faults.add(make_order({**order, "params": {"retry_after": 1}}))
    assert cli(*plex(box, "--yes")).code == 0
    assert box.faults.faults[0].hits == 1


def test_a_request_to_slow_down_is_obeyed(
    cli: Cli, box: SandboxHandle, approve: Callable[[str, str], None]
) -> None:
    """plex.tv's 429 while the code is polled only delays it."""
    approve("Den", "alice")
    order = {"kind": "rate_limited", "server": "plextv", "route": "GET /api/v2/pins/*", "count": 2}
    box.faults.add(make_order({**order, "params": {"retry_after": 1}}))
    ran = cli(*plex(box, "--yes"))
    assert ran.code == 0, ran.err
    assert box.faults.faults[0].hits == 2
