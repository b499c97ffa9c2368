"""A Sonarr and a Radarr are connected, shown, changed, told where to post, examined and forgotten by the command line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from playhead.runtime.exits import Exit
from playhead.runtime.home import Home
from playhead.sandbox.faults import FaultOrder
from playhead.sandbox.run import SandboxHandle, run_world_in_thread
from playhead.sandbox.world import World, WorldServer
from playhead.sender_settings import SenderSettings
from playhead.wiring.installation import Installation
from playhead.wiring.senders import make_trigger_url, save_sender, set_up_sender
from tests.faces.conftest import Cli, Ran
from tests.sandbox.ear import Ear, listen

HUB = "http://127.0.0.1:7529"
KINDS = ("sonarr", "radarr")


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def arrs(monkeypatch: pytest.MonkeyPatch) -> Iterator[SandboxHandle]:
    servers: list[Any] = [WorldServer(name=kind, kind=kind) for kind in KINDS]  # type: ignore[arg-type]
    with run_world_in_thread(World(items=[], servers=servers)) as box:
        for kind in KINDS:
            monkeypatch.setenv(f"{kind.upper()}_KEY", box.server(kind).admin_token)
        yield box


def join(cli: Cli, box: SandboxHandle, kind: str, *more: str) -> Ran:
    return cli("connect", kind, "--url", box.url(kind), "--key", f"env:{kind.upper()}_KEY", "--yes", *more)


def test_it_is_checked_saved_and_shown(kind: str, arrs: SandboxHandle, cli: Cli, home: Path) -> None:
    """A key that was given as it is lies encrypted; lists show no key."""
    key = arrs.server(kind).admin_token
    told = cli(
        "connect", kind, "--url", arrs.url(kind), "--key", key, "--path", "/tv=/srv/tv", "--yes", "--json"
    )
    assert told.code == 0, told.err
    name = kind.title()
    assert (told.json["sender"], told.json["kind"], told.json["saved"]) == (name, kind, True)
    assert told.json["version"] and told.json["paths"][0]["hub"] == "/srv/tv"
    [listed] = cli("connections", "--json").json
    assert (listed["name"], listed["sender"], listed["key"]) == (name, True, f"store:{kind}")
    assert name in cli("connections").out
    assert "sweep_every_s" in cli("connections", "show", name.upper()).out
    assert all(key not in path.read_text(errors="replace") for path in home.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"--key": "0" * 32}, "Settings, General"),
        ({"--url": "http://127.0.0.1:1"}, "127.0.0.1:1"),
        ({"--path": "/tv"}, "SERVER=HUB"),
        ({"--key": ""}, "needs --key"),
        ({"--key": "env:NOBODY"}, "NOBODY"),
    ],
)
def test_what_is_wrong_is_told_and_nothing_saved(
    wrong: dict[str, str], expected: str, kind: str, arrs: SandboxHandle, cli: Cli
) -> None:
    """With the next thing to try."""
    given = {"--url": arrs.url(kind), "--key": f"env:{kind.upper()}_KEY"} | wrong
    ran = cli("connect", kind, *(word for couple in given.items() for word in couple), "--yes")
    assert ran.code in (Exit.failed, Exit.usage)
    assert expected in " ".join(ran.err.split())
    assert cli("connections", "--json").json == []


def test_it_stands_once_and_under_a_name_of_its_own(kind: str, arrs: SandboxHandle, cli: Cli) -> None:
    """A second time it is updated, with a yes; what else was set stays. A dry run saves nothing."""
    assert join(cli, arrs, kind, "--dry-run").code == 0
    assert cli("connections", "--json").json == []
    assert join(cli, arrs, kind, "--path", "/a=/b").code == 0
    assert cli("connections", "set", kind, "--look-every", "30").code == 0
    assert join(cli, arrs, kind, "--name", "Attic").code == 0
    [listed] = cli("connections", "--json").json
    assert (listed["name"], listed["look_every_s"], listed["paths"][0]["hub"]) == ("Attic", 30, "/b")
    other = "radarr" if kind == "sonarr" else "sonarr"
    refused = join(cli, arrs, other, "--name", "attic")
    assert refused.code == Exit.usage and "another connection" in refused.err


def test_it_is_changed_and_removed_as_connections_are(kind: str, arrs: SandboxHandle, cli: Cli) -> None:
    """What only connections have is refused."""
    assert join(cli, arrs, kind).code == 0
    name = kind.title()
    changed = cli(
        "connections", "set", name, "--rename", "New", "--path", "/tv=/x", "--sweep-every", "0", "--json"
    )
    assert changed.code == 0, changed.err
    assert (changed.json["name"], changed.json["sweep_every_s"]) == ("New", 0)
    for word, option in (
        ("read", ["--no-read"]),
        ("libraries", ["--libraries", "A"]),
        ("person", ["--person", "sam"]),
    ):
        ran = cli("connections", "set", "New", *option)
        assert ran.code == Exit.usage and f"it has no --{word}." in ran.err
    assert cli("connections", "set", "New").code == Exit.usage
    assert cli("connections", "set", "New", "--token", "wrong").code == Exit.failed
    assert cli("connections", "remove", "New", "--dry-run").code == 0
    assert len(cli("connections", "--json").json) == 1
    assert cli("connections", "remove", "new", "--yes").code == 0
    assert cli("connections", "--json").json == []


@pytest.fixture
async def ear() -> Any:
    async with listen() as ear:
        yield ear


def test_the_other_program_is_not_taken_for_it(kind: str, arrs: SandboxHandle, cli: Cli) -> None:
    """Its address was mistaken."""
    other = "radarr" if kind == "sonarr" else "sonarr"
    ran = cli("connect", kind, "--url", arrs.url(other), "--key", f"env:{other.upper()}_KEY", "--yes")
    assert ran.code == Exit.failed and f"is {other.title()}, not {kind.title()}" in " ".join(ran.err.split())


def test_the_doctor_looks_at_it(kind: str, arrs: SandboxHandle, cli: Cli) -> None:
    """Reachable, disks, whether it posts to the hub; a disk that is away and a key that is refused are told."""
    assert join(cli, arrs, kind).code == 0
    assert examine(cli) == {"reachable": "ok", "clock": "ok", "folders": "ok", "webhook": "warn"}
    server: Any = arrs.server(kind)
    server.act("", "", "offline", at=None, args={})
    assert examine(cli)["folders"] == "warn"
    arrs.faults.add(FaultOrder(kind="unauthorized", server=kind, count=None))
    assert examine(cli) == {"key": "fail"}


def examine(cli: Cli) -> dict[str, str]:
    findings = cli("doctor", "--json").json["findings"]
    return {each["check"]: each["result"] for each in findings if each["subject"].lower() in KINDS}


def test_an_address_stands_in_the_list_and_what_fails_is_told(
    kind: str, arrs: SandboxHandle, cli: Cli
) -> None:
    """Nobody listens there: the program refuses to save it."""
    assert join(cli, arrs, kind).code == 0
    [listed] = cli("webhooks", "list", "--base-url", HUB, "--json").json
    assert listed["url"].startswith(f"{HUB}/triggers/{kind}?sender={kind.title()}&apikey=")
    ran = cli("webhooks", "register", kind, "--base-url", "http://127.0.0.1:1", "-vv")
    key = listed["url"].rpartition("=")[2]
    assert ran.code == Exit.partly and "by hand" in ran.out
    assert key not in ran.err


async def test_it_is_told_where_to_post_and_told_off(
    kind: str, arrs: SandboxHandle, ear: Ear, tmp_path: Path
) -> None:
    """Once; an older address of the same sender gives way."""
    installation = Installation(Home(tmp_path / "home"))
    save_sender(
        installation,
        "Den",
        SenderSettings(kind=kind, url=arrs.url(kind), key=f"env:{kind.upper()}_KEY"),
        secret=None,
    )
    old, new = (f"{ear.url}/triggers/{kind}?sender=Den&apikey={key}" for key in ("old", "new"))
    server: Any = arrs.server(kind)
    assert make_trigger_url(installation, ear.url, "Den", kind).startswith(
        f"{ear.url}/triggers/{kind}?sender=Den&apikey="
    )
    assert await set_up_sender(installation, "Den", old, remove=False, dry=True) == "would register"
    assert await set_up_sender(installation, "Den", old, remove=False, dry=False) == "registered"
    assert await set_up_sender(installation, "Den", old, remove=False, dry=False) == "there already"
    assert await set_up_sender(installation, "Den", new, remove=False, dry=False) == "registered"
    assert len(server.connections.all) == 1
    assert await set_up_sender(installation, "Den", new, remove=True, dry=False) == "removed"
    assert await set_up_sender(installation, "Den", new, remove=True, dry=False) == "not there"
