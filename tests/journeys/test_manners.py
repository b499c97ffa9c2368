"""What a new user meets: wrong input, dry runs, two runs at once, Ctrl-C, pipes, narrow terminals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from playhead.faces.cli.session import Session
from playhead.faces.cli.sync import tell
from playhead.flows.context import Context
from playhead.flows.deliver import Delivered
from playhead.flows.sync import conclude
from playhead.sandbox.world import WorldUser
from tests.faces.conftest import Cli, Ran
from tests.journeys.conftest import Travel
from tests.journeys.journey import Journey, movie, seen, server, world

COMMANDS = [
    ["connections"],
    ["import"],
    ["plan"],
    ["plan", "--stored"],
    ["sync", "--dry-run"],
    ["export", "--dry-run"],
    ["status"],
    ["items"],
    ["history"],
    ["explain", "a"],
    ["held"],
    ["doctor"],
]


@pytest.fixture
def router() -> Iterator[str]:
    """Something that answers everything with a web page."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<html><title>Router</title></html>")

        do_POST = do_GET

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    made = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{made.server_port}"
    made.shutdown()
    thread.join()


def trio(travel: Travel, count: int = 1) -> Journey:
    films = ["a", *(f"m{number}" for number in range(count - 1))]
    return travel(
        world(
            [movie(film) for film in films],
            server("plex", *map(seen, films)),
            server("jellyfin"),
            server("emby"),
        )
    )


def is_one_line(ran: Ran) -> bool:
    return ran.err.startswith("error: ") and ran.err.count("\n") == 1 and "Traceback" not in ran.err


def test_wrong_input_is_told_in_one_line_and_leaves_nothing(travel: Travel, router: str, home: Path) -> None:
    """With --json the same stands on stdout as JSON, and each names what to try."""
    trip = trio(travel)
    url, token = trip.box.url, trip.box.token
    plex, jellyfin, emby = (url(name) for name in ("plex", "jellyfin", "emby"))
    cases = [
        ("jellyfin", "http://127.0.0.1:1", "x", "does not answer"),
        ("jellyfin", jellyfin, "wrong", "refused the token"),
        ("emby", emby, "wrong", "refused the token"),
        ("plex", plex, "wrong", "refused the token"),
        ("jellyfin", emby, token("emby", "alice"), "playhead connect emby"),
        ("emby", jellyfin, token("jellyfin", "alice"), "playhead connect jellyfin"),
        ("plex", emby, "x", "playhead connect emby"),
        ("emby", plex, "x", "playhead connect plex"),
        ("jellyfin", router, "x", "not Jellyfin"),
        ("emby", router, "x", "not Emby"),
        ("plex", router, "x", "not a Plex server"),
        ("jellyfin", jellyfin.replace("http", "https"), "x", "http://"),
        ("emby", "not a url", "x", "not the address"),
        ("plex", "http://127.0.0.1:99999", "x", "port"),
    ]
    for kind, where, secret, expected in cases:
        ran = trip.cli("connect", kind, "--url", where, "--token", secret, "--yes", "--json")
        assert ran.code in (1, 2), (kind, where)
        assert is_one_line(ran) and expected in ran.err, ran.err
        assert ran.json["error"]["message"] and ran.json["error"]["hint"]
    key = trip.box.server("jellyfin").admin_token
    ran = trip.cli("connect", "jellyfin", "--url", jellyfin, "--token", key, "--user", "nobody", "--yes")
    assert ran.code == 1 and is_one_line(ran) and "alice" in ran.err
    assert not home.exists() or not [path for path in home.iterdir() if path.name == "playhead.yaml"]
    assert trip.cli("connections", "--json").json == []


def test_an_address_as_copied_from_the_browser(travel: Travel) -> None:
    """With /web/index.html, without a scheme, with a slash at the end."""
    trip = trio(travel)
    for kind, text in (
        ("jellyfin", "{}/web/index.html#!/home"),
        ("emby", "{}/"),
        ("plex", "{}/web/index.html"),
    ):
        address = text.format(trip.box.url(kind).removeprefix("http://" if kind == "emby" else ""))
        ran = trip.cli(
            "connect", kind, "--url", address, "--token", trip.box.token(kind, "alice"), "--yes", "--json"
        )
        assert ran.code == 0, ran.err
        assert ran.json["url"] == trip.box.url(kind)


@pytest.mark.parametrize("verbose", [(), ("-v",), ("-vv",)])
def test_stdout_is_nothing_but_json(travel: Travel, verbose: tuple[str, ...]) -> None:
    """Before anything is connected, afterwards, and where things fail."""
    trip = trio(travel)
    for connected in (False, True):
        if connected:
            trip.connect_all().sync()
        for command in COMMANDS:
            ran = trip.cli(*command, "--json", *verbose)
            parsed = [json.loads(line) for line in ran.out.splitlines()]
            assert parsed, command
    trip.fault("jellyfin", "html")
    for command in (["sync"], ["plan"], ["import"], ["doctor"]):
        ran = trip.cli(*command, "--json", *verbose)
        assert ran.code in (1, 4), command
        json.loads(ran.out)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text + "\n  x: [\n",
        lambda text: text.replace("read: true", "read: maybe"),
        lambda text: text + "\nfoo: 1\n",
        lambda text: "- a\n",
        lambda text: text + "\tguards: 3\n",
        lambda text: text + "guards:\n  max_removal_share: 7\n",
        lambda text: text.replace("version: 1", "version: 9"),
    ],
)
def test_broken_settings_are_one_line_and_stay_as_they_are(
    travel: Travel, home: Path, change: object
) -> None:
    """The file is named with the line, and nothing is written over it."""
    trip = trio(travel)
    trip.connect("emby")
    settings = home / "playhead.yaml"
    broken = change(settings.read_text())  # type: ignore[operator]
    settings.write_text(broken)
    for command in (["status"], ["sync"], ["connections", "set", "emby", "--no-write"]):
        ran = trip.cli(*command)
        assert ran.code == 2 and is_one_line(ran) and "playhead.yaml" in ran.err
    assert settings.read_text() == broken


def test_dry_runs_change_nothing_anywhere(travel: Travel, home: Path) -> None:
    """No server's state, and no file of the home but an empty lock."""
    trip = trio(travel, 3).connect_all()
    trip.cli("status")

    def look() -> dict[str, bytes]:
        return {p.name: p.read_bytes() for p in home.iterdir() if p.is_file() and p.stat().st_size}

    before, states = look(), trip.everything()
    for command in (["import"], ["sync"], ["sync", "--full"], ["export"]):
        ran = trip.cli(*command, "--dry-run", "--json")
        assert ran.code == 0, ran.err
        assert look() == before, command
        assert trip.everything() == states, command
    trip.settle()
    for film in ("a", "m0", "m1"):
        trip.all_say(film, True)


def start(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "playhead", *arguments],
        env={key: value for key, value in os.environ.items() if key not in ("COLUMNS", "FORCE_COLOR")},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_two_runs_at_once_and_ctrl_c(travel: Travel) -> None:
    """The second says so; the first, interrupted, leaves nothing behind that the next does not finish."""
    trip = trio(travel, 160).connect_all()
    trip.cli("import")
    trip.fault("jellyfin", "delay", "POST *", params={"seconds": 0.5})
    first = start("sync", "--json")
    while not any(row["watched"] for row in trip.ask("/_sandbox/state?server=jellyfin&user=alice")):
        assert first.poll() is None, first.communicate()
    second = trip.cli("sync", "--json")
    assert second.code == 1 and is_one_line(second) and second.json["error"]["hint"]
    first.send_signal(signal.SIGINT)
    out, err = first.communicate(timeout=30)
    assert first.returncode == 130 and json.loads(out)["error"] and "Traceback" not in err
    trip.heal()
    trip.settle()
    rows = trip.ask("/_sandbox/state?server=jellyfin&user=alice")
    assert {row["plays"] for row in rows} == {1} and all(row["watched"] for row in rows)


def test_a_pipe_that_closes_early_is_no_error(travel: Travel) -> None:
    """``playhead items --json | head -1``."""
    trip = trio(travel, 60).connect_all()
    trip.sync()
    process = start("items", "--json")
    assert process.stdout is not None and process.stderr is not None
    json.loads(process.stdout.readline())
    process.stdout.close()
    err = process.stderr.read()
    process.wait(timeout=30)
    assert err == ""


def test_no_color_is_heeded(cli: Cli, travel: Travel, monkeypatch: pytest.MonkeyPatch) -> None:
    """No colours where NO_COLOR is set, also where colours are forced otherwise."""
    trip = trio(travel, 3).connect_all()
    trip.sync()
    monkeypatch.setenv("NO_COLOR", "1")
    for command in (["items"], ["history"], ["plan"]):
        assert "\x1b[3" not in cli(*command).out, command


def test_a_shared_plex_account_is_called_by_its_name(travel: Travel) -> None:
    """plex.tv tells it to the owner, once that one is connected; before, nobody does. Its id stays the same."""
    users = [WorldUser(name="alice"), WorldUser(name="bob")]
    trip = travel(world([movie("a")], server("plex", users=users)))

    def connect_bob() -> tuple[str, str]:
        trip.connect("plex", "--person", "bob", user="bob", called="of bob")
        shown = trip.cli("connections", "show", "of bob", "--json").json
        return shown["user"], shown["user_id"]

    before, user_id = connect_bob()
    assert before == "account of the token"
    trip.connect("plex", "--person", "alice")
    assert connect_bob() == ("bob", user_id)
    trip.fault("plextv", "reset")
    assert connect_bob() == ("bob", user_id)


def test_a_change_left_over_from_an_earlier_run_is_told_as_such(travel: Travel) -> None:
    """The plan does not say that all agree, and the sync that writes it counts it."""
    trip = travel(world([movie("a")], server("plex"), server("emby"))).connect_all()
    trip.settle()
    trip.act("plex", "play", "a")
    trip.fault("emby", "reset")
    assert trip.sync(code=4)["failed"] == 1
    trip.heal()
    shown = trip.cli("plan").out
    assert "1 change planned by an earlier run and not written yet" in shown
    assert "agree" not in shown
    shown = trip.cli("sync").out
    assert "Wrote 1 of 1 change." in shown
    assert trip.row("emby", "a")["watched"] is True


@pytest.mark.parametrize(("planned", "late"), [(0, 1), (1, 0)])
def test_what_was_not_foreseen_when_the_writing_began_is_counted_and_told(
    cli: Cli, capfd: pytest.CaptureFixture[str], planned: int, late: int
) -> None:
    """Never ``Wrote 1 of 0``, nor ``Nothing to write`` beside something written."""

    class Quiet:
        def count_pending(self, _roles: object) -> int:
            return 0

        def list_held(self) -> list[object]:
            return []

    context: Any = Context(ledger=Quiet(), roles={}, now=lambda: 0)  # type: ignore[arg-type]
    done = conclude(context, planned, Delivered(written=1))
    assert (done.planned, done.late) == (1, late)
    tell(Session(None), [], done, dry_run=False)
    shown = capfd.readouterr().out
    assert "Wrote 1 of 1 change." in shown
    assert ("1 of them had waited" in shown) == bool(late)
