"""The deliverer: every line reaches the hub, in order, whatever the hub, the disk or a SIGKILL does meanwhile."""

from __future__ import annotations

import ast
import json
import os
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from playhead.adapters.plex.proxy import deliver
from playhead.adapters.plex.proxy.deliver import (
    Line,
    Spool,
    find_url,
    read_line,
    read_lines,
)
from tests.proxy.rig import (
    Certificate,
    DelivererProcess,
    RecordingHub,
    make_certificate,
    run_deliverer,
    until,
)


def line(number: int) -> bytes:
    """As nginx writes it."""
    told = {"v": 1, "at": 1_700_000_000.0 + number, "uri": f"/:/scrobble?key={number}&x=1", "status": 200}
    return json.dumps(told, separators=(",", ":")).encode() + b"\n"


def write(spool: Path, numbers: Iterator[int] | range, hour: str = "2026-01-01T10") -> Path:
    spool.mkdir(mode=0o700, exist_ok=True)
    path = spool / f"spool.{hour}.ndjson"
    with path.open("ab") as out:
        for number in numbers:
            out.write(line(number))
    return path


def in_order(*ranges: range) -> list[str]:
    return [str(number) for numbers in ranges for number in numbers]


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    folder = tmp_path / "proxy" / "spool"
    folder.mkdir(parents=True)
    return folder


def test_it_is_one_file_for_python_3_9_that_needs_nothing_else() -> None:
    """Its syntax is that of 3.9, and it imports the standard library alone."""
    source = Path(deliver.__file__).read_text()
    tree = ast.parse(source, feature_version=(3, 9))
    names = {
        name.partition(".")[0]
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert names <= sys.stdlib_module_names | {"__future__"}


def test_lines_are_posted_in_order_and_in_bodies_of_bounded_size(spool: Path, hub: RecordingHub) -> None:
    """With the type and the mark that tell the hub what they are."""
    write(spool, range(1200))
    write(spool, range(1200, 1210), "2026-01-01T11")
    with run_deliverer(spool, hub.url, "--once") as deliverer:
        assert deliverer.wait() == 0
    assert hub.keys() == in_order(range(1210))
    assert max(map(len, hub.bodies)) == deliver.LINES_A_BODY
    told = hub.headers[0]
    assert (told["content-type"], told["x-playhead-proxy"]) == ("application/x-ndjson", "1")
    assert told["path"] == "/webhooks/Den/its-secret"


def test_what_was_delivered_is_not_sent_again(spool: Path, hub: RecordingHub) -> None:
    """The next one goes on where the first ended."""
    for numbers in (range(5), range(5, 7), range(0)):
        write(spool, numbers)
        with run_deliverer(spool, hub.url, "--once") as deliverer:
            assert deliverer.wait() == 0
    assert hub.keys() == in_order(range(7))


def test_while_the_hub_is_away_nothing_is_lost_and_the_order_stays(spool: Path, hub: RecordingHub) -> None:
    """It says so once, and that it goes on."""
    hub.close()
    write(spool, range(10))
    with run_deliverer(spool, hub.url) as deliverer:
        until(lambda: "takes no lines now" in deliverer.log, "the trouble is told")
        write(spool, range(10, 20))
        write(spool, range(20, 30), "2026-01-01T11")
        hub.open()
        until(lambda: len(hub.lines) >= 30, "everything arrives")
        until(lambda: "takes lines again" in deliverer.log, "the end of it is told")
    assert hub.keys() == in_order(range(30))
    assert "its-secret" not in deliverer.log


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_a_hub_in_trouble_is_asked_again_with_the_same(spool: Path, hub: RecordingHub, status: int) -> None:
    """The lines go once more as they were."""
    seen: list[list[bytes]] = []

    def answer(lines: list[bytes]) -> int:
        seen.append(lines)
        return status if len(seen) < 3 else 202

    hub.answer = answer
    hub.more = {"Retry-After": "0"}
    write(spool, range(4))
    with run_deliverer(spool, hub.url, "--once") as deliverer:
        assert deliverer.wait() == 0
    assert len(seen) == 3 and seen[0] == seen[1] == seen[2]
    assert hub.keys() == in_order(range(4))


@pytest.mark.parametrize("status", [301, 401, 403, 404, 405, 415])
def test_a_wrong_address_is_told_once_and_the_spool_is_kept(
    spool: Path, hub: RecordingHub, status: int
) -> None:
    """A person has to act; what was noted waits for it."""
    hub.answer = lambda lines: status
    path = write(spool, range(4))
    with run_deliverer(spool, hub.url) as deliverer:
        until(lambda: "is wrong" in deliverer.log, "the trouble is told")
    assert deliverer.log.count("is wrong") == 1
    assert path.read_bytes().count(b"\n") == 4
    assert not (spool / "refused.ndjson").exists()
    hub.answer = lambda lines: 202
    with run_deliverer(spool, hub.url, "--once") as deliverer:
        assert deliverer.wait() == 0
    assert hub.keys() == in_order(range(4))


@pytest.mark.parametrize("status", [400, 413])
def test_a_refused_line_is_set_aside_and_the_others_go_on(
    spool: Path, hub: RecordingHub, status: int
) -> None:
    """By halves, until it stands alone; it is kept and counted."""
    bad = {line(number).strip() for number in (3, 700)}
    hub.answer = lambda lines: status if bad & set(lines) else 202
    write(spool, range(1000))
    with run_deliverer(spool, hub.url, "--once") as deliverer:
        assert deliverer.wait() == 0
    assert hub.keys() == [key for key in in_order(range(1000)) if key not in ("3", "700")]
    assert set((spool / "refused.ndjson").read_bytes().splitlines()) == bad
    assert Spool(spool, 1).describe()["refused_lines"] == 2


def test_a_line_that_is_being_written_is_waited_for(spool: Path, hub: RecordingHub) -> None:
    """Its first half alone is not sent."""
    path = write(spool, range(2))
    whole = line(2)
    with path.open("ab", buffering=0) as out:
        out.write(whole[:30])
        with run_deliverer(spool, hub.url):
            until(lambda: len(hub.lines) == 2, "the whole ones arrive")
            out.write(whole[30:])
            until(lambda: len(hub.lines) == 3, "it arrives when it is whole")
    assert hub.keys() == in_order(range(3))


def test_torn_lines_never_stop_the_queue(spool: Path, hub: RecordingHub) -> None:
    """Of a torn line with a whole one behind it the whole one goes; what is no line is set aside; a torn end of an old file
    is given up when a newer file is there."""
    path = write(spool, range(1))
    with path.open("ab") as out:
        out.write(line(1)[:40] + line(2) + b"\x00\x00not a line\n" + b"\n" + line(3) + line(4)[:25])
    os.utime(path, (1, 1))
    write(spool, range(5, 6), "2026-01-01T11")
    with run_deliverer(spool, hub.url, "--once") as deliverer:
        assert deliverer.wait() == 0
    assert hub.keys() == ["0", "2", "3", "5"]
    assert Spool(spool, 1).describe()["refused_lines"] == 2


def test_bytes_that_are_no_text_reach_the_hub_as_text() -> None:
    """A body may hold anything."""
    text = read_line(b'{"v":1,"body":"\xff\xfe","status":200}\n', 0).text
    assert text is not None
    assert json.loads(text)["body"] == "\ufffd\ufffd"


def test_a_line_longer_than_a_body_goes_alone(tmp_path: Path) -> None:
    """The hub then says whether it takes it."""
    path = tmp_path / "spool.x.ndjson"
    long = b'{"v":1,"body":"' + b"x" * deliver.BODY_BYTES + b'"}\n'
    path.write_bytes(line(1) + long + line(2))
    first = read_lines(path, 0, torn_too=False)
    assert [each.raw for each in first] == [line(1)]
    second = read_lines(path, first[-1].end, torn_too=False)
    assert [each.raw for each in second] == [long]
    assert [each.raw for each in read_lines(path, second[-1].end, torn_too=False)] == [line(2)]


def test_files_go_when_they_are_delivered_and_nobody_writes_them(spool: Path) -> None:
    """The newest stays, and so does one that was written a moment ago."""
    now = time.time()
    paths = [write(spool, range(2), f"2026-01-01T{hour}") for hour in (10, 11, 12, 13)]
    for path, age_s in zip(paths, (3600, 3600, 10, 3600), strict=True):
        os.utime(path, (now - age_s, now - age_s))
    kept = Spool(spool, 10**9)
    for file in kept.files():
        if file.path != paths[1]:
            kept.move_on(file, [Line(None, b"", file.size)])
    kept.tidy(now)
    assert [file.path for file in kept.files()] == paths[1:]


def test_a_file_that_comes_again_under_its_old_name_is_read_from_its_start(spool: Path) -> None:
    """An hour that the clock has twice; also one that was cut."""
    path = write(spool, range(3))
    kept = Spool(spool, 10**9)
    kept.move_on(kept.files()[0], [Line(None, b"", path.stat().st_size)])
    assert kept.take(time.time()) is None
    path.write_bytes(line(7))
    assert kept.take(time.time()) is not None
    path.rename(spool / "elsewhere")
    write(spool, range(3))
    taken = kept.take(time.time())
    assert taken is not None and len(taken[1]) == 3


def test_the_spool_is_bounded_and_what_is_lost_is_told(
    spool: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The oldest goes first; a file that is being written is begun anew, and none of its lines is skipped."""
    for hour in (10, 11, 12):
        write(spool, range(100), f"2026-01-01T{hour}")
    size = (spool / "spool.2026-01-01T12.ndjson").stat().st_size
    kept = Spool(spool, int(size * 2.5))
    kept.tidy(time.time())
    names = [file.path.name for file in kept.files()]
    assert names == ["spool.2026-01-01T11.ndjson", "spool.2026-01-01T12.0000.ndjson"]
    assert "The spool is full: spool.2026-01-01T10.ndjson" in capsys.readouterr().err
    assert kept.describe()["dropped_files"] == 1
    write(spool, range(100, 110), "2026-01-01T12")
    assert [file.path.name for file in kept.files()][-2:] == [
        "spool.2026-01-01T12.0000.ndjson",
        "spool.2026-01-01T12.ndjson",
    ]
    assert kept.take(time.time()) is not None


def test_what_began_is_told_only_where_no_end_was_noted(spool: Path, hub: RecordingHub) -> None:
    """nginx notes each request twice; the first note counts where it was killed before the second, also after a restart of
    the deliverer in between."""

    def note(number: int, status: int) -> bytes:
        told = {"v": 1, "uri": f"/:/rate?key={number}", "status": status, "id": f"id{number}"}
        return json.dumps(told).encode() + b"\n"

    path = write(spool, range(0))
    path.write_bytes(note(1, 0) + note(2, 0) + note(2, 200) + note(3, 0))
    with run_deliverer(spool, hub.url) as deliverer:
        until(lambda: Spool(spool, 1).where(Spool(spool, 1).files()[0]) == path.stat().st_size, "all is read")
        assert hub.keys() == ["2"]
        deliverer.kill()
    with path.open("ab") as out:
        out.write(note(1, 404))
    with run_deliverer(spool, hub.url, "--once") as deliverer:
        assert deliverer.wait() == 0
    assert [(line["id"], line["status"]) for line in hub.lines] == [("id2", 200), ("id1", 404), ("id3", 0)]
    with run_deliverer(spool, hub.url, "--once") as deliverer:
        assert deliverer.wait() == 0
    assert len(hub.lines) == 3


def test_a_second_deliverer_of_a_spool_says_so_and_ends(spool: Path, hub: RecordingHub) -> None:
    """Two would send everything twice."""
    with run_deliverer(spool, hub.url) as first:
        write(spool, range(1))
        until(lambda: hub.lines, "the first works")
        second = DelivererProcess(spool, hub.url)
        second.start()
        assert second.wait() == 1
        assert "Another deliverer follows" in first.log


def test_killed_at_any_moment_it_loses_nothing(spool: Path, hub: RecordingHub) -> None:
    """SIGKILL again and again while lines come: all arrive, in order where repeats are left out."""
    dice = random.Random(5)
    sent = 0
    for _ in range(25):
        deliverer = DelivererProcess(spool, hub.url)
        deliverer.start()
        before = hub.asked
        for _ in range(dice.randint(1, 8)):
            count = dice.randint(1, 60)
            write(spool, range(sent, sent + count), f"2026-01-01T{10 + sent // 800}")
            sent += count
        until(lambda before=before: hub.asked > before, "it is in the middle of it")
        deliverer.kill()
    with run_deliverer(spool, hub.url, "--once") as deliverer:
        assert deliverer.wait() == 0
    assert list(dict.fromkeys(hub.keys())) == in_order(range(sent))


def test_the_certificate_of_a_hub_is_checked(
    spool: Path, hub: RecordingHub, certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By what the machine trusts, and by ``SSL_CERT_FILE``: what is posted holds tokens."""
    hub.close()
    hub.certificate = certificate
    hub.open()
    write(spool, range(3))
    monkeypatch.setenv("SSL_CERT_FILE", str(make_certificate(spool.parent).path))
    with run_deliverer(spool, hub.url) as deliverer:
        until(lambda: "SSLCertVerificationError" in deliverer.log, "it is refused")
    assert hub.bodies == []
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.path))
    with run_deliverer(spool, hub.url, "--once") as deliverer:
        assert deliverer.wait() == 0
    assert hub.keys() == in_order(range(3))


def test_nobody_else_can_read_the_spool(spool: Path, hub: RecordingHub) -> None:
    """It holds tokens."""
    spool.chmod(0o755)
    with run_deliverer(spool, hub.url, "--once") as deliverer:
        assert deliverer.wait() == 0
    assert spool.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("environment", "url"),
    [
        ({"PLAYHEAD_PROXY_URL": "http://h/webhooks/a/b"}, "http://h/webhooks/a/b"),
        ({"CLUSTER_MANAGER": "http://h:3400", "CLUSTER_MANAGER_TOKEN": "a&b"}, "http://h:3400/?token=a%26b"),
        ({"CLUSTER_MANAGER": "h:3400", "CLUSTER_MANAGER_TOKEN": "t"}, "http://h:3400/?token=t"),
    ],
)
def test_the_address_comes_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], url: str
) -> None:
    """Also as Plex Cluster's proxies have it."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert find_url(None, None) == url


def test_no_address_is_told(spool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PLAYHEAD_PROXY_URL", "CLUSTER_MANAGER"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ValueError, match="no address"):
        find_url(None, None)
