"""``adopt plex-cluster``: a manager's YAML becomes connections behind proxies that can stay as they are."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from playhead.faces.cli.demo_world import PERSON, PLEX
from playhead.flows.adopt_cluster import read_plex_cluster
from playhead.ports.errors import UsageError
from playhead.runtime.home import Home
from playhead.sandbox.run import SandboxHandle, run_world_in_thread
from playhead.settings import read_settings
from playhead.wiring.installation import Installation
from playhead.wiring.webhooks import find_cluster_token
from tests.faces.conftest import Cli
from tests.faces.test_serve import Hub, until

SECRET = "shared-by-manager-and-proxies"


@pytest.fixture
def only_plex() -> Iterator[SandboxHandle]:
    import time

    from playhead.faces.cli.demo_world import make_demo_world

    made = make_demo_world(time.time())
    made.servers = [server for server in made.servers if server.name == PLEX]
    with run_world_in_thread(made) as box:
        yield box


def write(tmp_path: Path, box: SandboxHandle) -> str:
    path = tmp_path / "plex-cluster-manager.yml"
    path.write_text(
        f"""\
hosts:
  - host: Plex.example.org
    port: 32402
    token: {box.token(PLEX, PERSON)}
    log: /var/log/nginx/plex.log
  - host: 127.0.0.1
    port: 9
    token: its-secret-token
  - host: tokenless.example.org
"""
    )
    return str(path)


def adopt(cli: Cli, tmp_path: Path, box: SandboxHandle, *more: str) -> Any:
    arguments = ["--url", f"plex.example.org:32402={box.url(PLEX)}", "--token", SECRET]
    option = f"plex_tv_url={box.extra_urls['plextv']}"
    return cli("adopt", "plex-cluster", write(tmp_path, box), *arguments, "--option", option, "--json", *more)


def test_hosts_become_connections_behind_their_proxies(
    cli: Cli, home: Path, tmp_path: Path, only_plex: SandboxHandle
) -> None:
    """The server behind a host is read at its own address, the proxy's name stays known, and the rest is told."""
    ran = adopt(cli, tmp_path, only_plex)
    assert ran.code == 0, ran.err
    [taken] = ran.json["connections"]
    assert (taken["name"], taken["url"]) == ("Plex.example.org", only_plex.url(PLEX))
    assert (taken["proxy_host"], taken["person"], taken["warning"]) == (
        "plex.example.org:32402",
        PERSON,
        None,
    )
    left = {item["place"]: item["reason"] for item in ran.json["left_behind"]}
    assert set(left) == {"Plex.example.org.log", "127.0.0.1", "tokenless.example.org"}
    assert "playhead connect plex" in left["127.0.0.1"]
    assert left["tokenless.example.org"] == "has no token"
    [known] = cli("connections", "--json").json
    assert known["proxy_host"] == "plex.example.org:32402"
    assert known["token"].startswith("store:")
    assert find_cluster_token(Installation(Home(home))) == SECRET
    kept = "".join(path.read_text() for path in home.iterdir() if path.is_file())
    assert SECRET not in kept and only_plex.token(PLEX, PERSON) not in kept + ran.out + ran.err


def test_a_dry_run_saves_nothing(cli: Cli, home: Path, tmp_path: Path, only_plex: SandboxHandle) -> None:
    """It shows the same."""
    ran = adopt(cli, tmp_path, only_plex, "--dry-run", "--full-sync", "0 2 * * *")
    assert len(ran.json["connections"]) == 1
    assert not home.exists()


def test_the_managers_environment_is_understood(
    cli: Cli, home: Path, tmp_path: Path, only_plex: SandboxHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Secret, schedule and start; false is no. Comments in the settings stay."""
    for name, value in {"FULL_SYNC_SCHEDULE": "0 2 * * *", "UPDATE_ON_START": "false"}.items():
        monkeypatch.setenv(name, value)
    home.mkdir()
    settings = home / "playhead.yaml"
    settings.write_text("schedule:\n  sync: '*/7 * * * *'  # often\n")
    assert adopt(cli, tmp_path, only_plex).code == 0
    from ruamel.yaml import YAML

    schedule = read_settings(YAML(typ="safe", pure=True).load(settings.read_text())).schedule
    assert (schedule.sync, schedule.full, schedule.at_start) == ("*/7 * * * *", "0 2 * * *", False)
    assert "# often" in settings.read_text()
    monkeypatch.setenv("FULL_SYNC_SCHEDULE", "0 0 2 * * *")
    assert "is no schedule" in adopt(cli, tmp_path, only_plex).err


def test_a_new_secret_takes_the_place_of_the_old(
    cli: Cli, home: Path, tmp_path: Path, only_plex: SandboxHandle
) -> None:
    """Also when the servers are connected already."""
    adopt(cli, tmp_path, only_plex)
    ran = adopt(cli, tmp_path, only_plex, "--token", "another-secret")
    assert any("connected already" in item["reason"] for item in ran.json["left_behind"])
    assert find_cluster_token(Installation(Home(home))) == "another-secret"


def test_an_old_proxys_line_reaches_the_hub(
    cli: Cli, home: Path, tmp_path: Path, only_plex: SandboxHandle
) -> None:
    """As its delivery script posts it: found by the proxy's name, taken with the shared secret, refused with another."""
    assert adopt(cli, tmp_path, only_plex, "--not-at-start").code == 0
    hub = Hub(home)
    try:
        hub.be_ready()
        line = {
            "remote_addr": "10.0.0.9",
            "host": "plex.example.org:32402",
            "method": "GET",
            "uri": "/:/scrobble?key=1&identifier=com.plexapp.plugins.library",
            "token": only_plex.token(PLEX, PERSON),
            "identifier": "a-player",
            "status": "200",
        }
        assert post(f"{hub.url}/?token={SECRET}", line) == 202
        assert post(f"{hub.url}/?token=wrong", line) == 403
        until(lambda: 'source="proxy"' in metrics(hub), "it is counted")
    finally:
        hub.end()


def post(url: str, line: dict[str, str]) -> int:
    request = urllib.request.Request(
        url, data=json.dumps(line).encode(), headers={"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def metrics(hub: Hub) -> str:
    with urllib.request.urlopen(hub.url + "/metrics") as answer:
        return "\n".join(re.findall(r"^playhead_events_total.*$", answer.read().decode(), re.MULTILINE))


@pytest.mark.parametrize("raw", [None, [], {}, {"hosts": []}, {"hosts": ["x"]}, {"a": 1}, "x"])
def test_what_is_no_such_file_is_refused(raw: object) -> None:
    """An empty file, a list, another tool's."""
    with pytest.raises(UsageError, match="Plex Cluster"):
        read_plex_cluster(raw, {})


def test_an_address_for_a_host_that_is_not_there_is_refused() -> None:
    """A slip of the keys must not go by unseen."""
    raw = {"hosts": [{"host": "a", "token": "t"}]}
    with pytest.raises(UsageError, match="'b' is no host"):
        read_plex_cluster(raw, {"b": "http://x"})


def test_hosts_with_one_name_are_told_apart_by_their_ports() -> None:
    """And without a port it is that of https."""
    raw = {
        "hosts": [
            {"host": "a", "port": 1, "token": "t"},
            {"host": "A", "port": "2", "token": "t"},
            {"host": "b", "token": "t"},
        ]
    }
    servers = read_plex_cluster(raw, {"a:2": "http://10.0.0.5:32400"}).servers
    assert [(each.name, each.url, each.proxy_host) for each in servers] == [
        ("a:1", "https://a:1", "a:1"),
        ("a:2", "http://10.0.0.5:32400", "a:2"),
        ("b", "https://b:443", "b:443"),
    ]
