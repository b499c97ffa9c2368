"""``playhead proxy``: what a person gets, and what is refused."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from playhead.adapters.plex.proxy import deliver
from playhead.faces.cli.demo_world import EMBY, PLEX
from playhead.runtime.exits import Exit
from playhead.sandbox.run import SandboxHandle
from playhead.wiring.proxy import name_spool
from tests.faces.conftest import Cli, Ran
from tests.proxy.rig import NGINX, RecordingHub, needs_nginx


@pytest.fixture
def connected(world: SandboxHandle, connect: Callable[..., Ran]) -> SandboxHandle:
    for name in (PLEX, EMBY):
        assert connect(world, name).code == 0
    return world


@pytest.mark.usefixtures("connected")
def test_the_configuration_goes_to_stdout(cli: Cli) -> None:
    """Nothing else does, so that it can be sent where it belongs."""
    ran = cli("proxy", "nginx", "plex", "--listen", "8400", "--nginx-version", "1.26.2")
    assert ran.code == 0
    assert ran.out.startswith("# Made by: playhead proxy nginx.")
    assert "  listen 8400;" in ran.out
    assert cli("proxy", "nginx", "plex", "--listen", "8400", "--json").json["nginx"].startswith("# Made by")


@pytest.mark.usefixtures("connected")
def test_plex_clusters_environment_is_understood(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that described a proxy there describes the same one here."""
    for name, value in {
        "PLEX_IP": "10.0.0.5",
        "PLEX_PORT": "32401",
        "HTTPS_HOST": "plex.example.org",
        "HTTPS_PORT": "8443",
        "RESOLVERS": "9.9.9.9 1.1.1.1",
        "SSL_CERTIFICATE": "/etc/ssl/plex.pem",
        "SSL_CERTIFICATE_KEY": "/etc/ssl/plex.key",
    }.items():
        monkeypatch.setenv(name, value)
    ran = cli("proxy", "nginx", PLEX, "--nginx-version", "1.22.1")
    assert ran.code == 0, ran.err
    for words in (
        "server 10.0.0.5:32401;",
        "proxy_pass https://",
        "listen 8443 ssl http2;",
        "server_name plex.example.org;",
        "resolver 9.9.9.9 1.1.1.1 ",
        'ssl_certificate "/etc/ssl/plex.pem";',
        'ssl_certificate_key "/etc/ssl/plex.key";',
    ):
        assert words in ran.out, words


def test_a_folder_gets_all_that_the_proxys_machine_needs(
    cli: Cli, connected: SandboxHandle, tmp_path: Path
) -> None:
    """The deliverer, its service, the address with its secret for one reader, a spool for nobody else, and what to do."""
    place = tmp_path / "proxy"
    arguments = (
        "proxy",
        "nginx",
        PLEX,
        "--folder",
        place,
        "--base-url",
        "http://10.0.0.2:7529",
        "--complete",
    )
    trial = cli(*arguments, "--dry-run", "--json")
    assert trial.json["dry_run"] and not place.exists()
    ran = cli(*arguments)
    assert ran.code == 0, ran.err
    names = {"nginx.conf", "hub.url", "deliver.py", "playhead-proxy.service", "README.md"}
    assert {path.name for path in place.iterdir() if path.is_file()} == names == set(trial.json["files"])
    [hook] = [
        each["url"]
        for each in cli("webhooks", "list", "--json", "--base-url", "http://10.0.0.2:7529").json
        if each["connection"] == PLEX
    ]
    assert (place / "hub.url").read_text().strip() == hook
    assert hook not in ran.out + ran.err
    assert "of this machine alone" not in ran.err
    assert "--base-url URL" in cli("proxy", "nginx", PLEX, "--folder", place).err
    assert cli(*arguments).code == 0
    assert (place / "hub.url").stat().st_mode & 0o077 == 0
    assert (place / "spool").stat().st_mode & 0o077 == 0
    assert (place / "deliver.py").read_text() == Path(deliver.__file__).read_text()
    assert str(place) in (place / "playhead-proxy.service").read_text()
    steps = (place / "README.md").read_text()
    assert len(steps.splitlines()) <= 22
    assert f"--url-file '{place}/hub.url'" in steps
    assert "To undo it, stop nginx" in steps
    assert connected.url(PLEX).removeprefix("http://") in (place / "nginx.conf").read_text()


@pytest.mark.usefixtures("connected")
def test_a_printed_configuration_comes_with_what_it_needs(cli: Cli) -> None:
    """Beside it, so that it can go into a file."""
    ran = cli("proxy", "nginx", PLEX, "--listen", "8400")
    assert ran.out.rstrip().endswith("}")
    assert "-m 700 /var/spool/playhead/plex" in ran.err
    assert "playhead proxy deliver --spool /var/spool/playhead/plex" in ran.err


@pytest.mark.usefixtures("connected")
def test_a_file_gets_the_configuration_alone(cli: Cli, tmp_path: Path) -> None:
    """The spool is made where nginx runs; a complete one has its own beside it."""
    place = tmp_path / "conf.d"
    assert cli("proxy", "nginx", PLEX, "--output", place / "plex.conf").code == 0
    assert [path.name for path in place.iterdir()] == ["plex.conf"]
    assert '"/var/spool/playhead/plex/spool.$' in (place / "plex.conf").read_text()
    whole = tmp_path / "whole"
    assert cli("proxy", "nginx", PLEX, "--output", whole / "plex.conf", "--complete").code == 0
    assert {path.name for path in whole.iterdir()} == {"plex.conf", "spool"}
    assert f'"{whole}/spool/spool.$' in (whole / "plex.conf").read_text()


@pytest.mark.usefixtures("connected")
@pytest.mark.parametrize(
    "arguments", [["--folder", "taken/proxy"], ["--folder", "proxy", "--user", "nobody-of-that-name"]]
)
def test_files_that_cannot_be_written_are_told(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    """On one line with the next thing to try."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "taken").write_text("a file")
    if "--user" in arguments and os.geteuid() != 0:
        pytest.skip("only root gives files to other accounts")
    ran = cli("proxy", "nginx", PLEX, *arguments)
    assert ran.code == Exit.failed
    assert "could not be written" in ran.err and "--folder" in ran.err


@pytest.mark.usefixtures("connected")
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["Nonsense"], "There is no connection 'Nonsense'"),
        ([EMBY], "There is no proxy for Emby"),
        ([PLEX, "--complete"], "needs a place for its files"),
        ([PLEX, "--certificate", "/c.pem"], "needs its key"),
        ([PLEX, "--server-name", "a;b"], "cannot be a server name"),
        ([PLEX, "--nginx-version", "new"], "is no version of nginx"),
        ([PLEX, "--plex-url", "http://a.b:80", "--server-name", "a.b"], "is the proxy itself"),
    ],
)
def test_what_cannot_be_is_refused(cli: Cli, arguments: list[str], told: str) -> None:
    """On one line with the next thing to try."""
    ran = cli("proxy", "nginx", *arguments)
    assert ran.code == Exit.usage
    assert told in ran.err
    assert ran.out == ""


@pytest.mark.usefixtures("connected")
def test_a_connection_through_its_own_proxy_needs_the_servers_address(cli: Cli, world: SandboxHandle) -> None:
    """Else the proxy would ask itself for ever."""
    host = world.url(PLEX).removeprefix("http://")
    assert cli("connections", "set", PLEX, "--proxy-host", host).code == 0
    assert "is the proxy itself" in cli("proxy", "nginx", PLEX).err
    assert cli("proxy", "nginx", PLEX, "--plex-url", "http://10.0.0.5:32400").code == 0


@needs_nginx
@pytest.mark.usefixtures("connected")
@pytest.mark.parametrize("name", ["Plex " + "very " * 20 + "long", "a" * 24, "a" * 25, "Küche", "日本"])
def test_any_name_of_a_connection_is_fit_for_nginx(cli: Cli, tmp_path: Path, name: str) -> None:
    """Names that look alike when they are made plain stay apart."""
    assert cli("connections", "set", PLEX, "--rename", name).code == 0
    place = tmp_path / "proxy"
    ran = cli("proxy", "nginx", name, "--listen", "18400", "--complete", "--folder", place)
    assert ran.code == 0, ran.err
    command = [str(NGINX), "-t", "-q", "-e", "stderr", "-c", str(place / "nginx.conf")]
    judged = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (judged.returncode, judged.stderr) == (0, "")


def test_names_that_look_alike_stay_apart() -> None:
    names = ["Den", "Den 2", "Küche", "Kuche", "K che", "日本", "中国", "a" * 40, "a" * 41, "K-che", "k_che"]
    assert len({name_spool(name) for name in names}) == len(names) - 1  # "K che" and "K-che" are one


def test_the_script_is_printed_as_it_is(cli: Cli) -> None:
    """Without a home folder: it is for another machine."""
    assert cli("proxy", "script").out == Path(deliver.__file__).read_text()


def test_deliver_empties_a_spool(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By an address from a file, or as Plex Cluster's proxies have it; a wrong one is told."""
    hub = RecordingHub()
    hub.open()
    spool = tmp_path / "spool"
    spool.mkdir()
    (spool / "spool.1.ndjson").write_text('{"v":1,"uri":"/:/rate?key=1"}\n')
    (tmp_path / "url").write_text(hub.url)
    assert cli("proxy", "deliver", "--spool", spool, "--url-file", tmp_path / "url", "--once").code == 0
    (spool / "spool.2.ndjson").write_text('{"v":1,"uri":"/:/rate?key=2"}\n')
    monkeypatch.setenv("CLUSTER_MANAGER", hub.url.partition("/webhooks")[0])
    monkeypatch.setenv("CLUSTER_MANAGER_TOKEN", "shared")
    assert cli("proxy", "deliver", "--spool", spool, "--once").code == 0
    hub.close()
    assert hub.keys() == ["1", "2"]
    assert hub.headers[1]["path"] == "/?token=shared"
    monkeypatch.delenv("CLUSTER_MANAGER")
    ran = cli("proxy", "deliver", "--spool", spool, "--once")
    assert ran.code == Exit.usage and "no address" in ran.err
    assert os.environ.get("PLAYHEAD_PROXY_URL") is None
