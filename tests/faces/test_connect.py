"""``connect`` checks everything before it saves anything."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from bench.ports import find_port

from playhead.faces.cli.demo_world import EMBY, JELLYFIN, PERSON, PLEX
from playhead.sandbox.run import SandboxHandle
from tests.faces.conftest import Cli, Ran

KINDS = {PLEX: "plex", JELLYFIN: "jellyfin", EMBY: "emby"}


def nothing_saved(home: Path) -> bool:
    return not home.exists() or not [path for path in home.rglob("*") if path.is_file()]


def one_error_line(ran: Ran) -> str:
    lines = ran.err.strip().splitlines()
    assert len(lines) == 1, ran.err
    assert lines[0].startswith("error: ")
    assert "Traceback" not in ran.err
    return lines[0]


def test_a_server_is_connected_and_its_token_hidden(
    connect: Callable[..., Ran], cli: Cli, home: Path, only_emby: SandboxHandle
) -> None:
    """Name, user, person and libraries are told; the token is in no file and on no screen."""
    ran = connect(only_emby, EMBY, "--json")
    assert ran.code == 0, ran.err
    assert ran.json["connection"] == EMBY
    assert ran.json["user"]["name"] == ran.json["person"] == PERSON
    assert ran.json["libraries"] == ["Movies", "Shows"]
    token = only_emby.token(EMBY, PERSON)
    shown = ran.out + ran.err + cli("connections", "show", EMBY).out + cli("connections", "--json").out
    assert token not in shown
    assert all(token.encode() not in path.read_bytes() for path in home.rglob("*") if path.is_file())
    assert cli("connections", "--json").json[0]["token"] == "store:emby"


def test_a_dry_run_checks_and_saves_nothing(
    connect: Callable[..., Ran], home: Path, only_emby: SandboxHandle
) -> None:
    """It tells what would be saved."""
    ran = connect(only_emby, EMBY, "--dry-run")
    assert ran.code == 0, ran.err
    assert "Nothing was saved" in ran.out
    assert nothing_saved(home)


def test_the_same_user_on_the_same_server_is_not_connected_twice(
    connect: Callable[..., Ran], cli: Cli, only_emby: SandboxHandle
) -> None:
    """Without --yes it is refused; with it the connection is updated, not doubled."""
    connect(only_emby, EMBY)
    url, token = only_emby.url(EMBY), only_emby.token(EMBY, PERSON)
    ran = cli("connect", "emby", "--url", url, "--token", token)
    assert ran.code == 2
    assert "connected already, as 'Emby'" in one_error_line(ran)
    assert cli("connect", "emby", "--url", url, "--token", token, "--yes", "--no-write").code == 0
    known = cli("connections", "--json").json
    assert [(c["name"], c["write"]) for c in known] == [(EMBY, False)]


def test_the_token_may_stay_where_it_lies(
    cli: Cli, home: Path, only_emby: SandboxHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """env:NAME is stored as a reference."""
    monkeypatch.setenv("EMBY_TOKEN", only_emby.token(EMBY, PERSON))
    ran = cli("connect", "emby", "--url", only_emby.url(EMBY), "--token", "env:EMBY_TOKEN", "--yes")
    assert ran.code == 0, ran.err
    assert cli("connections", "--json").json[0]["token"] == "env:EMBY_TOKEN"
    assert not (home / "secrets.json").exists()


def test_the_token_may_come_on_standard_input(
    cli: Cli, only_emby: SandboxHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """--token - keeps it out of the shell's history."""
    reading, writing = os.pipe()
    os.write(writing, only_emby.token(EMBY, PERSON).encode() + b"\n")
    os.close(writing)
    with os.fdopen(reading) as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        ran = cli("connect", "emby", "--url", only_emby.url(EMBY), "--token", "-", "--yes")
    assert ran.code == 0, ran.err


def test_what_is_missing_is_named_and_never_asked_in_a_script(cli: Cli, home: Path) -> None:
    """Exit 2 with the missing flags."""
    ran = cli("connect", "jellyfin", "--yes")
    assert ran.code == 2
    assert "--url and --token" in one_error_line(ran)
    assert nothing_saved(home)


def test_wrong_input_is_one_line_and_saves_nothing(cli: Cli, home: Path, only_emby: SandboxHandle) -> None:
    """Unreachable, wrong token, wrong user, another kind of server, no such library, no address."""
    url, token = only_emby.url(EMBY), only_emby.token(EMBY, PERSON)
    table = [
        ("emby", [f"http://127.0.0.1:{find_port()}", token], 1, "does not answer"),
        ("emby", [url, "0" * 32], 1, "refused the token"),
        ("emby", [url, token, "--user", "nobody"], 1, "nobody"),
        ("jellyfin", [url, token], 1, "Emby"),
        ("plex", [url, token], 1, "Plex"),
        ("emby", [only_emby.control_url, token], 1, "Emby"),
        ("emby", [url, token, "--libraries", "Movies,Opera"], 2, "There is no library 'Opera'"),
        ("emby", ["ftp://x", token], 2, "is not the address of a server"),
        ("emby", [url, "env:NOT_SET_ANYWHERE"], 1, "NOT_SET_ANYWHERE"),
        ("emby", [url, token, "--page-size", "0"], 2, "page_size"),
    ]
    for kind, (address, secret, *more), code, expected in table:
        ran = cli("connect", kind, "--url", address, "--token", secret, *more, "--yes")
        line = one_error_line(ran)
        assert expected in line, line
        assert ran.code == code, line
        assert token not in line
        assert nothing_saved(home), line


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_server_refuses_wrong_input_in_one_line(
    name: str, cli: Cli, home: Path, world: SandboxHandle
) -> None:
    """Another product at the address, a wrong token, somebody else's name; then the right ones work."""
    kind, url, token = KINDS[name], world.url(name), world.token(name, PERSON)
    more = ["--plex-tv-url", world.extra_urls["plextv"]] if kind == "plex" else []
    others = [other for other in KINDS if other != name]
    wrong = [
        *([world.url(other), token, []] for other in others),
        [url, "f" * len(token), []],
        [url, token, ["--user", "nobody"]],
        [url + "/nowhere", token, []],
    ]
    for address, secret, user in wrong:
        ran = cli("connect", kind, "--url", address, "--token", secret, "--yes", *user, *more)
        line = one_error_line(ran)
        assert ran.code == 1, line
        assert token not in line
        assert nothing_saved(home), line
    ran = cli("connect", kind, "--url", url + "/", "--token", token, "--yes", "--user", PERSON.upper(), *more)
    assert ran.code == 0, ran.err


def test_a_broken_settings_file_is_named_by_line_and_left_alone(
    cli: Cli, home: Path, only_emby: SandboxHandle
) -> None:
    """Every command says where; none overwrites it."""
    home.mkdir()
    broken = "version: 1\nconnections:\n  Plex: [\n"
    (home / "playhead.yaml").write_text(broken)
    for arguments in (
        ["connections"],
        ["connect", "emby", "--url", only_emby.url(EMBY), "--token", only_emby.token(EMBY, PERSON), "--yes"],
    ):
        ran = cli(*arguments)
        assert ran.code == 2
        assert "playhead.yaml, line 4, column 1" in one_error_line(ran)
    assert (home / "playhead.yaml").read_text() == broken
    assert [path.name for path in home.iterdir()] == ["playhead.yaml"]


def test_an_error_with_json_is_json_on_stdout(cli: Cli) -> None:
    """And the line for people stays on stderr."""
    ran = cli("connections", "show", "nothing", "--json")
    assert ran.code == 2
    assert ran.json["error"]["code"] == "usage"
    assert ran.json["error"]["hint"]
    one_error_line(ran)
