"""The commands that read and write, on the demo's three servers over HTTP."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from playhead.faces.cli.demo_world import EMBY, JELLYFIN, PERSON, PLEX
from playhead.kit.files import only_one
from playhead.sandbox.run import SandboxHandle
from tests.faces.acting import act, ask, states
from tests.faces.conftest import Cli, Ran

CHANGE_KEYS = {"id", "connection", "account", "person", "item", "facet", "from", "to", "reason"}
ITEM_KEYS = {"type", "title", "year", "show", "season", "episode", "claims"}
SYNC_KEYS = {"read", "planned", "written", "failed", "pending", "held"}


def test_the_plan_has_the_promised_shape_and_changes_nothing(cli: Cli, box: SandboxHandle) -> None:
    """Every key of the issue, for changes, pending and held; no server is written."""
    before = {name: states(box, name) for name in (PLEX, JELLYFIN, EMBY)}
    ran = cli("plan", "--json")
    assert ran.code == 0, ran.err
    plan = ran.json
    assert set(plan) == {"changes", "pending", "held"}
    assert len(plan["changes"]) == 21
    for change in plan["changes"]:
        assert set(change) == CHANGE_KEYS
        assert set(change["item"]) == ITEM_KEYS
        assert change["reason"]
    matrix = [c for c in plan["changes"] if c["item"]["title"] == "The Matrix"]
    assert {(c["connection"], c["facet"], c["from"], c["to"]) for c in matrix} == {
        (JELLYFIN, "watched", False, True),
        (EMBY, "watched", False, True),
    }
    amelie = [c for c in plan["changes"] if c["item"]["title"] == "Amélie"]
    assert {(c["connection"], c["facet"], c["from"], c["to"]) for c in amelie} == {
        (PLEX, "progress", 0, 47 * 60),
        (JELLYFIN, "progress", 0, 47 * 60),
    }
    assert [(p["connection"], p["item"]["title"], p["facet"]) for p in plan["pending"]] == [
        (JELLYFIN, "Parasite", "watched")
    ]
    assert {name: states(box, name) for name in (PLEX, JELLYFIN, EMBY)} == before


def test_ids_of_a_plan_stay_the_same(cli: Cli, box: SandboxHandle) -> None:
    """Two plans of the same state name the same changes, each once."""
    first = [change["id"] for change in cli("plan", "--json").json["changes"]]
    second = [change["id"] for change in cli("plan", "--json", "--stored").json["changes"]]
    assert sorted(first) == sorted(second)
    assert len(set(first)) == len(first)


def test_sync_brings_agreement_and_then_has_nothing_to_do(cli: Cli, box: SandboxHandle) -> None:
    """The counts have the promised shape; the servers themselves say the same afterwards."""
    ran = cli("sync", "--json")
    assert ran.code == 0, ran.err
    assert set(ran.json) == SYNC_KEYS
    assert ran.json["read"] == {
        PLEX: {"items": 19, "changed": 8},
        JELLYFIN: {"items": 18, "changed": 5},
        EMBY: {"items": 17, "changed": 4},
    }
    assert (ran.json["planned"], ran.json["written"], ran.json["failed"]) == (21, 21, 0)
    assert (ran.json["pending"], ran.json["held"]) == (1, 0)
    plex, jellyfin, emby = (states(box, name) for name in (PLEX, JELLYFIN, EMBY))
    for item, value in plex.items():
        assert jellyfin.get(item, value) == value, item
        assert emby.get(item, value) == value, item
    again = cli("sync", "--json").json
    assert (again["planned"], again["written"]) == (0, 0)


def test_a_persons_unwatch_reaches_the_others(cli: Cli, box: SandboxHandle) -> None:
    """Also of an item that the hub itself had marked there."""
    cli("sync")
    act(box, JELLYFIN, "matrix", "unmark")
    ran = cli("sync", "--json")
    assert ran.code == 0, ran.err
    assert ran.json["written"] == 2
    assert [states(box, name)["matrix"][0] for name in (PLEX, JELLYFIN, EMBY)] == [False] * 3


def test_what_waited_is_written_when_the_item_appears(cli: Cli, box: SandboxHandle) -> None:
    """Pending, then done."""
    cli("sync")
    act(box, JELLYFIN, "parasite", "add")
    ran = cli("sync", "--json")
    assert (ran.json["written"], ran.json["pending"]) == (1, 0), ran.out
    assert states(box, JELLYFIN)["parasite"] == (True, 0)


def test_dry_runs_write_nowhere(cli: Cli, box: SandboxHandle, home: Path) -> None:
    """Neither to a server nor, for an import, to the database."""
    before = {name: states(box, name) for name in (PLEX, JELLYFIN, EMBY)}
    ran = cli("import", "--dry-run", "--json")
    assert ran.json["read"][PLEX]["items"] == 19
    assert cli("status", "--json").json["items"] == 0
    assert cli("sync", "--dry-run", "--json").json["planned"] == 21
    assert cli("sync", "--dry-run", "--json").json["written"] == 0
    cli("import")
    assert cli("export", "--dry-run", "--json").json["planned"] == 21
    assert {name: states(box, name) for name in (PLEX, JELLYFIN, EMBY)} == before


def test_import_and_export_can_be_narrowed(cli: Cli, box: SandboxHandle) -> None:
    """Only the named connections are read, and only the named ones written."""
    assert set(cli("import", "--connection", "plex", "--json").json["read"]) == {PLEX}
    cli("import")
    ran = cli("export", "-c", EMBY, "--json")
    assert (ran.code, ran.json["written"]) == (0, 9), ran.err
    assert ran.json["read"] == {}
    assert states(box, EMBY)["matrix"][0] is True
    assert states(box, JELLYFIN)["matrix"][0] is False
    unknown = cli("import", "--connection", "Trakt")
    assert unknown.code == 2
    assert all(name in unknown.err for name in (PLEX, JELLYFIN, EMBY))


def test_a_connection_that_is_not_read_or_not_written_is_left_alone(cli: Cli, box: SandboxHandle) -> None:
    """--no-read gives no news, --no-write gets none."""
    cli("connections", "set", PLEX, "--no-read")
    cli("connections", "set", EMBY, "--no-write")
    plan = cli("plan", "--json").json
    assert EMBY not in {change["connection"] for change in plan["changes"]}
    assert "The Matrix" not in {change["item"]["title"] for change in plan["changes"]}


def test_libraries_that_are_left_out_take_no_part(cli: Cli, box: SandboxHandle) -> None:
    """Neither read nor written."""
    cli("connections", "set", PLEX, "--exclude", "Shows")
    ran = cli("sync", "--json").json
    assert ran["read"][PLEX]["items"] == 12
    assert states(box, PLEX)["expanse1"] == (False, 0)


def test_items_are_json_lines_with_what_each_account_says(cli: Cli, box: SandboxHandle) -> None:
    """And with what was agreed."""
    cli("sync")
    lines = cli("items", "--json").lines
    assert len(lines) == 19
    amelie = next(line for line in lines if line["title"] == "Amélie")
    assert "imdb:movie:tt0211915" in amelie["claims"]
    assert {part["connection"] for part in amelie["accounts"]} == {PLEX, JELLYFIN, EMBY}
    for part in amelie["accounts"]:
        assert part["says"]["position_s"] == part["agreed"]["position_s"] == 47 * 60
        assert part["person"] == PERSON
    assert [line["title"] for line in cli("items", "paris texas", "--json").lines] == ["Paris, Texas"]
    assert cli("items", "--disagreeing", "--json").lines == []


def test_explain_and_history_tell_why(cli: Cli, box: SandboxHandle) -> None:
    """Where it was watched, when, and what was written because of it."""
    cli("sync")
    said = cli("explain", "matrix").out
    assert "watched on Plex" in said
    assert "imdb:movie:tt0133093" in said
    record = cli("explain", "imdb:tt0133093", "--json").json
    assert record["item"]["title"] == "The Matrix"
    assert len(record["changes"]) == 2
    history = cli("history", "--json", "--limit", "1000").json
    assert len(history["changes"]) == 21
    assert "The Matrix (1999)" in cli("history", "matrix").out
    several = cli("explain", "dark")
    assert several.code == 2
    assert "Dark S01E02" in several.err
    assert cli("explain", "no such thing").code == 2


def test_status_counts_what_is_agreed(cli: Cli, box: SandboxHandle) -> None:
    """From what is stored."""
    assert cli("status", "--json").json["accounts"][0]["last_read"] is None
    cli("sync")
    status = cli("status", "--json").json
    assert (status["items"], status["watched"], status["started"], status["queued"]) == (19, 11, 2, 0)
    assert {row["last_read"]["status"] for row in status["accounts"]} == {"complete"}
    assert "complete" in cli("status").out


def test_a_server_that_is_down_is_told_and_the_rest_goes_on(cli: Cli, box: SandboxHandle) -> None:
    """Exit 4; the next run heals it."""
    ask(box, "/_sandbox/faults", {"server": JELLYFIN, "route": "*", "kind": "reset"})
    ran = cli("sync", "--json")
    assert ran.code == 4, ran.err
    assert ran.json["read"][JELLYFIN] == {"items": 0, "changed": 0}
    assert f"warning: {JELLYFIN}:" in ran.err
    assert states(box, EMBY)["matrix"][0] is True
    request = urllib.request.Request(box.control_url + "/_sandbox/faults", method="DELETE")
    urllib.request.urlopen(request).close()
    assert cli("sync").code == 0
    assert states(box, JELLYFIN)["matrix"][0] is True
    assert states(box, PLEX)["arrival"][0] is True


def test_a_clock_that_is_far_off_is_told(cli: Cli, box: SandboxHandle) -> None:
    """And the run goes on."""
    ask(box, "/_sandbox/clock", {"server": EMBY, "skew_s": -7200})
    ran = cli("sync", "--json")
    assert ran.code == 0, ran.err
    assert f"warning: {EMBY}: Its clock is 7200 s behind" in ran.err.replace("7199", "7200").replace(
        "7201", "7200"
    )
    clocks = [
        f for f in cli("doctor", "--json").json["findings"] if f["check"] == "clock" and f["result"] == "warn"
    ]
    assert [f["subject"] for f in clocks] == [EMBY]


def test_a_person_is_known_whatever_the_case(cli: Cli, box: SandboxHandle) -> None:
    """An unknown one is answered with those that are."""
    assert cli("connections", "set", EMBY, "--person", PERSON.upper(), "--json").json["person"] == PERSON
    assert len(cli("plan", "--person", PERSON.upper(), "--json").json["changes"]) == 21
    for command in (["plan"], ["items"], ["history"]):
        ran = cli(*command, "--person", "nobody")
        assert ran.code == 2
        assert PERSON in ran.err


def test_home_may_stand_before_or_after_the_command(cli: Cli, box: SandboxHandle, tmp_path: Path) -> None:
    """And what to type next carries it."""
    for arguments in (["--home", str(tmp_path), "connections"], ["connections", "--home", str(tmp_path)]):
        ran = cli(*arguments)
        assert "Nothing is connected yet" in ran.out
        assert f"--home {tmp_path}" in ran.out
    assert EMBY in cli("connections").out


def test_another_server_at_the_address_is_not_read(cli: Cli, box: SandboxHandle) -> None:
    """It is named, and nothing of it is believed."""
    cli("sync")
    cli("connections", "set", PLEX, "--url", box.url(EMBY))
    ran = cli("sync", "--json")
    assert ran.code == 4
    assert f"warning: {PLEX}:" in ran.err
    assert ran.json["planned"] == 0


def test_two_runs_at_once_are_not_let_in(cli: Cli, box: SandboxHandle, home: Path) -> None:
    """The second says so and ends."""
    with only_one(home / ".run.lock", "A run"):
        ran = cli("sync")
    assert ran.code == 1
    assert "already going on" in ran.err


def test_the_doctor_finds_all_well_and_names_what_is_not(cli: Cli, box: SandboxHandle, home: Path) -> None:
    """Exit 0 and 1; every finding has a result, every failure a next step."""
    cli("sync")
    well = cli("doctor", "--json")
    assert (well.code, well.json["ok"]) == (0, True), well.out
    (home / "secret.key").chmod(0o644)
    cli("connections", "set", EMBY, "--token", "0" * 32)
    cli("connections", "set", PLEX, "--url", box.url(JELLYFIN))
    ill = cli("doctor", "--json")
    assert ill.code == 1
    failed = {(f["check"], f["subject"]) for f in ill.json["findings"] if f["result"] == "fail"}
    assert ("token", EMBY) in failed
    assert ("reachable", PLEX) in failed
    assert ("key", str(home / "secret.key")) in failed
    assert all(f["hint"] for f in ill.json["findings"] if f["result"] == "fail")
    assert "FAILS" in cli("doctor").out


def test_a_renamed_connection_keeps_its_history(cli: Cli, box: SandboxHandle) -> None:
    """It is the same server and user, so nothing is new."""
    cli("sync")
    cli("import")
    cli("connections", "set", PLEX, "--rename", "Den")
    ran = cli("sync", "--json").json
    assert ran["read"]["Den"] == {"items": 19, "changed": 0}
    assert ran["planned"] == 0


def test_a_removed_and_reconnected_server_keeps_its_history(
    cli: Cli, box: SandboxHandle, connect: Callable[..., Ran]
) -> None:
    """Under whatever name."""
    cli("sync")
    cli("connections", "remove", EMBY, "--yes")
    assert EMBY not in cli("sync", "--json").json["read"]
    assert connect(box, EMBY).code == 0
    assert cli("sync", "--json").json["planned"] == 0


def test_json_is_alone_on_stdout_and_logs_go_to_stderr(cli: Cli, box: SandboxHandle) -> None:
    """Also when everything is told."""
    token = box.token(EMBY, PERSON)
    for arguments in (
        ["sync", "--json", "-vv"],
        ["plan", "--json", "-v"],
        ["status", "--json"],
        ["doctor", "--json"],
    ):
        ran = cli(*arguments)
        json.loads(ran.out)
        assert token not in ran.out + ran.err


def test_without_connections_the_commands_say_how_to_begin(cli: Cli, home: Path) -> None:
    """Exit 2, and no database is made."""
    started = time.monotonic()
    for command in (
        ["import"],
        ["plan"],
        ["sync"],
        ["export"],
        ["status"],
        ["items"],
        ["held"],
        ["history"],
        ["explain", "x"],
    ):
        ran = cli(*command)
        assert ran.code == 2
        assert "connect plex|jellyfin|emby" in ran.err
    assert not home.exists()
    assert time.monotonic() - started < 30


def test_one_connection_can_be_read_alone(cli: Cli, box: SandboxHandle) -> None:
    """Its news goes everywhere; what happened elsewhere waits for the next read there."""
    assert cli("sync").code == 0
    unwatched = [item for item, (watched, _) in states(box, EMBY).items() if not watched]
    shared = [item for item in unwatched if item in states(box, PLEX) and item in states(box, JELLYFIN)]
    there, elsewhere = shared[:2]
    act(box, EMBY, there, "mark")
    act(box, JELLYFIN, elsewhere, "mark")
    ran = cli("sync", "--connection", EMBY.lower(), "--json")
    assert ran.code == 0, ran.err
    assert list(ran.json["read"]) == [EMBY]
    assert states(box, PLEX)[there][0] is True
    assert states(box, PLEX)[elsewhere][0] is False
    assert cli("sync").code == 0
    assert states(box, PLEX)[elsewhere][0] is True


def test_the_doctor_tells_what_is_well_in_a_row_for_each_server(
    cli: Cli, box: SandboxHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each check by itself with -v, and always where it is not well."""
    monkeypatch.setenv("COLUMNS", "300")
    short = [
        line for line in cli("doctor").out.splitlines() if line.startswith("ok") and PLEX in line.split()
    ]
    assert len(short) == 1
    assert "server, version, clock, token, libraries: well" in short[0]
    every = cli("doctor", "-v").out.splitlines()
    assert len([line for line in every if line.startswith("ok") and PLEX in line.split()]) >= 6
    ask(box, "/_sandbox/faults", {"server": PLEX, "route": "*", "kind": "reset"})
    ill = cli("doctor").out
    assert "FAILS" in ill and f"reachable  {PLEX}" in ill


def test_a_changed_address_or_token_that_does_not_work_is_told(cli: Cli, box: SandboxHandle) -> None:
    """It is saved all the same, for the server may merely be down."""
    ran = cli("connections", "set", PLEX, "--token", "not-the-token")
    assert ran.code == 0
    assert "warning: It does not work now: " in ran.err and "refused the token" in ran.err
    ran = cli("connections", "set", EMBY, "--url", "http://127.0.0.1:9")
    assert ran.code == 0
    assert "does not answer" in ran.err
    ran = cli("connections", "set", EMBY, "--url", box.url(EMBY))
    assert (ran.code, ran.err) == (0, "")
