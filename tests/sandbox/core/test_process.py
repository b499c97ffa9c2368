"""The sandbox as a process of its own: the start line, the guide for people, mistakes, the end."""

from __future__ import annotations

import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import msgspec

from playhead.sandbox.world import World, WorldItem, WorldServer, WorldUser

START = [sys.executable, "-m", "playhead.sandbox"]


def stop(process: subprocess.Popen[bytes]) -> bytes:
    """End it as a person or a script does; what was left on stdout."""
    process.send_signal(signal.SIGTERM)
    rest, _ = process.communicate(timeout=60)
    return rest


def start(*args: str) -> tuple[subprocess.Popen[bytes], bytes]:
    process = subprocess.Popen([*START, *args], stdout=subprocess.PIPE)
    assert process.stdout is not None
    return process, process.stdout.readline()


def fetch(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=10) as response:
        return msgspec.json.decode(response.read())


def test_the_first_line_says_where_everything_is() -> None:
    """Exactly the keys promised, and plex.tv; then nothing more on stdout, and SIGTERM ends it with 0."""
    process, line = start("--items", "40", "--servers", "plex,plex", "--json")
    try:
        told = msgspec.json.decode(line)
        assert set(told) == {"control", "servers", "plextv"}
        assert [(s["name"], s["kind"], s["version"]) for s in told["servers"]] == [
            ("plex", "plex", "1.43.3"),
            ("plex2", "plex", "1.43.3"),
        ]
        assert set(told["servers"][0]) == {"name", "kind", "version", "url", "admin_token", "users"}
        assert [set(user) for user in told["servers"][0]["users"]] == [{"name", "id", "token"}] * 2
        rows = fetch(f"{told['control']}/_sandbox/state?server=plex&user=bob")
        assert set(rows[0]) == {
            "item",
            "watched",
            "plays",
            "last_played",
            "position_s",
            "rating",
            "favourite",
        }
        assert fetch(f"{told['control']}/_sandbox/world")["servers"] == told["servers"]
    finally:
        rest = stop(process)
    assert (process.returncode, rest) == (0, b"")


def test_a_world_from_a_file_and_a_guide_for_people(tmp_path: Path) -> None:
    """Without --json a table with names and tokens, and what to try."""
    world = World(
        items=[WorldItem(id="m1", type="movie", title="One")],
        servers=[WorldServer(name="attic", kind="plex", users=[WorldUser(name="ann", token="ann-token")])],
    )
    file = tmp_path / "world.json"
    file.write_bytes(msgspec.json.encode(world))
    process, line = start("--world", str(file))
    assert process.stdout is not None
    seen = line
    while b"Ctrl-C" not in seen:
        more = process.stdout.readline()
        assert more, seen
        seen += more
    stop(process)
    assert process.returncode == 0
    for word in (b"attic", b"ann-token", b"_sandbox/state?server=attic&user=ann"):
        assert word in seen


def run(*args: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([*START, *args], capture_output=True, timeout=30, check=False)


def test_mistakes_end_with_2_and_one_line(tmp_path: Path) -> None:
    """A broken world names the place of the mistake; wrong options say what is allowed."""
    broken = tmp_path / "broken.json"
    broken.write_text('{"items": [{"id": "m1", "type": "film", "title": "One"}], "servers": []}')
    ended = run("--world", str(broken))
    assert (ended.returncode, ended.stdout) == (2, b"")
    assert b"$.items[0].type" in ended.stderr
    assert ended.stderr.count(b"\n") == 1
    assert run("--world", str(tmp_path / "none.json")).returncode == 2
    assert b"plex, jellyfin, emby" in run("--items", "5", "--servers", "kodi").stderr
    assert run().returncode == 2
