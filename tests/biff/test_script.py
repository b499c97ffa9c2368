"""The filter as a whole: the mail passes byte for byte, the hub is asked, and what it did not take waits."""

from __future__ import annotations

import ast
import json
import os
import stat
import subprocess
import sys
import tempfile
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from playhead.biff import posting, read_script, script
from tests.biff.conftest import Filter
from tests.biff.hub import KEY, RecordingHub
from tests.biff.mailbox import CASES, write_mail
from tests.faces.conftest import Cli, cli, home

__all__ = ["cli", "home"]

MAIL = write_mail(CASES["synology"])
SEVERAL = write_mail(CASES["synology, several"])
NAME = "My Fancy Show S07E22 Awesome Episode.mp4"


def waiting(spool: Path) -> list[str]:
    return [json.loads(line)["body"]["name"] for line in spool.read_text().splitlines()]


def test_the_name_is_posted_with_the_key_and_told_below_the_mail(run: Filter, hub: RecordingHub) -> None:
    """To the hub's own address for scans; the result names where to follow it."""
    ran = run(MAIL, "--echo")
    assert ran.code == 0
    assert ran.out == MAIL + f"Playhead: {NAME}: taken, see {hub.url}/api/v1/scans/1\n".encode()
    assert (hub.bodies, hub.paths, hub.keys) == ([{"name": NAME}], ["/api/v1/scans"], [KEY])


def test_each_file_of_a_mail_is_posted(run: Filter, hub: RecordingHub) -> None:
    """In the mail's order."""
    run(SEVERAL)
    assert hub.names == ["Severance S02E01.mkv", "Severance S02E02.mkv", "The Matrix (1999)"]


def test_a_location_can_be_asked_for(run: Filter, hub: RecordingHub) -> None:
    """What lies elsewhere is left alone, and said so."""
    ran = run(SEVERAL, "--location", "movies$")
    assert hub.names == ["The Matrix (1999)"]
    assert b"Severance S02E01.mkv: left alone, it lies in 'Video/TV'" in ran.out


@pytest.mark.parametrize(
    ("case", "body"),
    [
        ("transmission", {"paths": ["/srv/downloads/Shogun.S01E01.mkv"]}),
        ("qbittorrent, French", {"paths": ["D:\\Films\\Amélie.2001.mkv"]}),
        ("synology", {"name": NAME}),
    ],
)
def test_whole_paths_go_where_they_are_known(
    case: str, body: dict[str, object], run: Filter, hub: RecordingHub
) -> None:
    """With --paths; a folder that is no whole path leaves the bare name."""
    run(write_mail(CASES[case]), "--paths")
    assert hub.bodies == [body]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(
    st.binary(max_size=5000) | st.sampled_from([MAIL, SEVERAL]).map(lambda mail: mail.replace(b"\n", b"\r\n"))
)
def test_every_mail_is_passed_on_byte_for_byte(run: Filter, mail: bytes) -> None:
    """Whatever it is; the result stands below it."""
    ran = run(mail, "-e")
    assert ran.code == 0
    assert ran.out.startswith(mail)
    rest = ran.out[len(mail) :]
    assert not rest or rest.lstrip(b"\n").startswith(b"Playhead: ")


def test_a_mail_longer_than_is_read_is_passed_on_whole(run: Filter, hub: RecordingHub) -> None:
    """Its beginning is looked at, no more."""
    mail = MAIL + os.urandom(3 * 1024 * 1024) + b"\n"
    assert run(mail, "-e").out.startswith(mail)
    assert hub.names == [NAME]


def test_a_result_begins_on_a_line_of_its_own(run: Filter) -> None:
    """Also where the mail ends without one."""
    ran = run(MAIL.rstrip(b"\n"), "-e")
    assert b"Synology DiskStation\nPlayhead: " in ran.out


def test_nothing_is_written_into_an_encoded_body(run: Filter, capsys: pytest.CaptureFixture[str]) -> None:
    """A mail that is base64 as a whole stays what it was; the result goes to the mail program's log."""
    mail = write_mail(CASES["synology"], "base64")
    assert run(mail, "-e").out == mail
    assert f"Playhead: {NAME}: taken" in capsys.readouterr().err


@pytest.mark.parametrize(
    "flags",
    [
        ("--no-such-flag", "--echo"),
        ("-qe", "--pattern", "("),
        ("-e", "--pattern", "no group"),
        ("-e", "--config", "nowhere.ini"),
        ("-e", "--url", "ftp://hub"),
        ("-e", "--timeout", "soon"),
        ("-e", "--ca-file", "nowhere.pem", "--url", "https://127.0.0.1:9"),
    ],
)
def test_a_mistake_in_the_settings_loses_no_mail(
    flags: tuple[str, ...], run: Filter, hub: RecordingHub
) -> None:
    """It is passed on, the mistake is told below it, and the mail program hears no failure unless it wants to."""
    ran = run(MAIL, *flags)
    assert ran.out.startswith(MAIL)
    assert ran.code == 0
    assert not hub.bodies
    if "-qe" not in flags:
        assert b"Playhead: " in ran.out[len(MAIL) :]
    assert run(MAIL, *flags, "--strict").code in (1, 2)


def test_a_fault_of_its_own_loses_no_mail(run: Filter, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever breaks while the mail is looked at."""

    def break_down(*_: object) -> None:
        raise RecursionError("boxes in boxes")

    monkeypatch.setattr(script, "find_downloads", break_down)
    ran = run(MAIL, "-e")
    assert ran.out == MAIL + b"Playhead: nothing was posted: RecursionError: boxes in boxes\n"
    assert ran.code == 0


def test_a_mail_that_did_not_go_out_whole_is_told_by_the_exit_code(run: Filter) -> None:
    """procmail then keeps the mail as it was before the filter."""

    class Full(BytesIO):
        def write(self, *_: object) -> int:
            raise OSError("disk full")

    assert script.main(["-e"], BytesIO(MAIL), Full()) == script.NOT_PASSED_ON


@pytest.mark.parametrize("status", [401, 403, 408, 429, 500, 503])
def test_what_the_hub_does_not_take_waits_for_the_next_mail(
    status: int, run: Filter, hub: RecordingHub, spool: Path
) -> None:
    """Tried three times, then kept; delivered once the hub takes things again."""
    for _ in range(3):
        hub.refuse(status, {"message": "not now"})
    assert b"not now; it is sent later" in run(MAIL).out
    assert len(hub.paths) == 3
    assert waiting(spool) == [NAME]
    ran = run(write_mail(CASES["transmission"]))
    assert hub.names == ["Shogun.S01E01.mkv", NAME]
    assert f"{NAME} (from earlier): taken".encode() in ran.out
    assert not waiting(spool)


def test_a_short_fault_is_not_noticed(run: Filter, hub: RecordingHub, spool: Path) -> None:
    """The second try is taken."""
    hub.refuse(503)
    assert b": taken, see" in run(MAIL).out
    assert not spool.exists() or not waiting(spool)


def test_a_hub_that_is_away_keeps_a_mail_with_many_names_only_once(run: Filter, spool: Path) -> None:
    """After the first name that finds nobody the others wait with it; the same mail again adds nothing."""
    for _ in range(2):
        assert b"it is sent later" in run(SEVERAL, "--url", "http://127.0.0.1:9").out
        assert waiting(spool) == ["Severance S02E01.mkv", "Severance S02E02.mkv", "The Matrix (1999)"]
    assert b"(from earlier): taken" in run(b"", "--deliver").out
    assert not waiting(spool)


@pytest.mark.parametrize("status", [400, 404, 409, 413, 422])
def test_what_the_hub_refuses_for_good_is_told_and_not_kept(
    status: int, run: Filter, hub: RecordingHub, spool: Path
) -> None:
    """With the hub's own words, without what could steer a terminal."""
    hub.refuse(status, {"message": "looked in \x1b[31m/srv/tv"})
    ran = run(MAIL, "--strict")
    assert f"{NAME}: {status}: looked in  [31m/srv/tv".encode() in ran.out
    assert ran.code == 1
    assert len(hub.paths) == 1
    assert not spool.exists()


def test_the_key_follows_no_redirect(run: Filter, hub: RecordingHub) -> None:
    """A hub that points elsewhere is told, not followed."""
    hub.refuse(302, b"", Location="/elsewhere")
    assert b": 302: " in run(MAIL).out
    assert hub.paths == ["/api/v1/scans"]


@pytest.mark.parametrize("answer", [b"<html>", b"[1]", b"\xff", b'{"url": 3}', b""])
def test_an_odd_answer_is_taken_at_its_status(answer: bytes, run: Filter, hub: RecordingHub) -> None:
    """A hub behind some proxy."""
    hub.refuse(202, answer)
    assert b": taken" in run(MAIL).out


def test_the_spool_is_private_and_bounded_and_forgets_what_is_a_week_old(
    run: Filter, hub: RecordingHub, spool: Path
) -> None:
    """Also a torn line stops nothing."""
    run(MAIL, "--url", "http://127.0.0.1:9")
    assert stat.S_IMODE(spool.stat().st_mode) == 0o600
    bodies = [{"name": f"{number}.mkv"} for number in range(posting.KEPT_LINES + 5)]
    posting.change_spool(spool, add=bodies)
    assert len(waiting(spool)) == posting.KEPT_LINES
    spool.write_text('{"torn\n' + json.dumps({"at": 0, "body": {"name": "old.mkv"}}) + "\n")
    out = run(b"", "--deliver").out
    assert b"old.mkv (from earlier): given up after a week" in out
    assert not hub.bodies
    assert not spool.read_text()


def test_delivering_says_so_where_nothing_waits(run: Filter) -> None:
    """And is no failure."""
    assert run(b"", "--deliver", "--strict") == (b"Playhead: nothing waits that the hub takes now\n", 0)


def test_without_a_spool_a_loss_is_told(run: Filter, spool: Path) -> None:
    """For who wants none."""
    ran = run(MAIL, "--spool", "none", "--url", "http://127.0.0.1:9")
    assert b"it is lost, for there is no spool" in ran.out
    assert not spool.exists()


def test_a_dry_run_posts_nothing(run: Filter, hub: RecordingHub) -> None:
    """It says what it would post and where."""
    ran = run(MAIL, "--dry-run")
    assert ran.out == f"Playhead: {NAME}: would be posted to {hub.url}\n".encode()
    assert not hub.paths


def test_a_dry_run_needs_no_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pattern is tried out before anything is set up."""
    for variable in (*script.VARIABLES.values(), "PLAYHEAD_BIFF_CONFIG"):
        monkeypatch.delenv(variable, raising=False)
    out = BytesIO()
    assert script.main(["--dry-run"], BytesIO(MAIL), out) == 0
    assert out.getvalue() == f"Playhead: {NAME}: would be posted to the hub\n".encode()


def test_a_mail_without_a_download_says_so(run: Filter, hub: RecordingHub) -> None:
    """And is a failure only where one asks for it."""
    ran = run(b"Subject: Dinner?\n\nTonight.\n", "--strict")
    assert ran.out == b"Playhead: no finished download is named here\n"
    assert ran.code == 1
    assert not hub.paths


def test_settings_come_from_a_file_below_environment_and_flags(
    run: Filter, hub: RecordingHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key may have a file of its own; patterns stand one on a line."""
    (tmp_path / "key").write_text(KEY + "\n")
    config = tmp_path / "biff.ini"
    config.write_text(
        f"[biff]\nurl = {hub.url}\nkey_file = {tmp_path / 'key'}\npaths = yes\n"
        "pattern =\n    ^got (?P<name>.+)$\n    ^(?P<name>.+) is 100% here$\n"
    )
    monkeypatch.delenv("PLAYHEAD_API_KEY")
    monkeypatch.delenv("PLAYHEAD_URL")
    run(b"Subject: x\n\ngot One.mkv\nTwo.mkv is 100% here\n", "--config", str(config))
    assert hub.names == ["One.mkv", "Two.mkv"]
    assert set(hub.keys) == {KEY}
    monkeypatch.setenv("PLAYHEAD_URL", "http://127.0.0.1:9")
    assert b"it is sent later" in run(MAIL, "--config", str(config)).out
    config.write_text("[biff]\nurl = x\npasword = secret\n")
    assert b"the settings file has pasword; known are key, url" in run(MAIL, "--config", str(config)).out


def test_the_key_is_never_told(run: Filter, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even one that is no key, such as a file of several lines."""
    monkeypatch.setenv("PLAYHEAD_API_KEY", "first-secret\nsecond-secret")
    out = run(MAIL, "-e").out
    assert b"secret" not in out
    assert b"the key holds what no key can hold" in out


def test_the_script_is_one_file_for_python_3_9_that_needs_nothing_else() -> None:
    """Its syntax is that of 3.9, and it imports the standard library alone."""
    tree = ast.parse(read_script(), feature_version=(3, 9))
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").partition(".")[0])
    assert names <= sys.stdlib_module_names


def test_the_printed_script_does_the_same_by_itself(cli: Cli, hub: RecordingHub, tmp_path: Path) -> None:
    """Run by a bare interpreter that sees neither Playhead nor its packages."""
    printed = tmp_path / "biff.py"
    ran = cli("biff", "--print-script")
    assert ran.code == 0
    printed.write_text(ran.out)
    for case in CASES.values():
        mail = write_mail(case)
        done = subprocess.run(
            [sys.executable, "-I", "-S", str(printed), "-e"],
            input=mail,
            capture_output=True,
            check=True,
            env={"PLAYHEAD_URL": hub.url, "PLAYHEAD_API_KEY": KEY, "HOME": str(tmp_path)},
            cwd=tempfile.gettempdir(),
        )
        assert done.stdout.startswith(mail)
        assert not done.stderr
    assert hub.names == [download.name for case in CASES.values() for download in case.downloads]


def test_the_command_is_the_script(hub: RecordingHub, tmp_path: Path) -> None:
    """``playhead biff`` takes the same flags and reads standard input."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "playhead",
            "biff",
            "-e",
            "--url",
            hub.url,
            "--spool",
            str(tmp_path / "spool"),
        ],
        input=MAIL,
        capture_output=True,
        check=True,
        env={**os.environ, "PLAYHEAD_API_KEY": KEY, "HOME": str(tmp_path)},
    )
    assert done.stdout.startswith(MAIL + b"Playhead: ")
    assert hub.names == [NAME]
