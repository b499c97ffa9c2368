"""The filter under Debian's procmail, by the recipe of the how-to page."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from playhead.biff import read_script
from tests.biff.hub import KEY, RecordingHub
from tests.biff.mailbox import CASES, Case, write_mail

PROCMAIL = shutil.which("procmail")
PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "hear-of-downloads.md"
pytestmark = pytest.mark.skipif(
    PROCMAIL is None, reason="procmail is not here (Debian: apt install procmail)"
)


@pytest.fixture
def inbox(tmp_path: Path, hub: RecordingHub) -> Path:
    """A mailbox behind the page's recipe, its addresses those of the test."""
    (tmp_path / "biff.py").write_text(read_script())
    (tmp_path / "biff.ini").write_text(
        f"[biff]\nurl = {hub.url}\nkey = {KEY}\nspool = {tmp_path / 'spool'}\ntimeout_s = 2\n"
    )
    recipe = re.search(r"```procmail\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert recipe is not None
    command = f"| {sys.executable} {tmp_path / 'biff.py'} --echo --config {tmp_path / 'biff.ini'}"
    text, count = re.subn(r"(?m)^\| .*$", command, recipe[1])
    assert count == 1
    (tmp_path / "procmailrc").write_text(
        f"SHELL=/bin/sh\nDEFAULT={tmp_path / 'inbox'}/\nLOGFILE={tmp_path / 'log'}\n{text}"
    )
    return tmp_path / "inbox"


def receive(mail: bytes, inbox: Path) -> bytes:
    """What procmail stores in a maildir."""
    subprocess.run(
        [str(PROCMAIL), "-m", str(inbox.with_name("procmailrc"))],
        input=mail,
        check=True,
        env={"HOME": str(inbox.parent), "PATH": "/usr/bin:/bin"},
    )
    (stored,) = (inbox / "new").iterdir()
    content = stored.read_bytes()
    stored.unlink()
    return content


def test_a_download_mail_is_posted_and_arrives_with_the_result(inbox: Path, hub: RecordingHub) -> None:
    """Every program's mail that names a download."""
    for case in CASES.values():
        if case.downloads:
            mail = write_mail(case)
            assert receive(mail, inbox).startswith(mail.rstrip(b"\n") + b"\n")
    assert hub.names == [download.name for case in CASES.values() for download in case.downloads]


def test_other_mails_arrive_as_they_were(inbox: Path, hub: RecordingHub) -> None:
    """The filter is not even asked for a person's mail."""
    mail = write_mail(Case("Dinner?", "Tonight at eight.\n", "", []))
    assert receive(mail, inbox) == mail
    assert not hub.paths


def test_a_mail_survives_a_filter_that_breaks(inbox: Path) -> None:
    """procmail takes the mail as it was."""
    inbox.with_name("biff.py").write_text("import sys; sys.stdin.read(100); sys.exit(3)\n")
    mail = write_mail(CASES["synology"])
    assert receive(mail, inbox) == mail


def test_a_hub_that_is_away_delays_no_mail_for_long_and_hears_it_later(
    inbox: Path, hub: RecordingHub, tmp_path: Path
) -> None:
    """The name waits in the spool and goes with the next mail."""
    config = (tmp_path / "biff.ini").read_text()
    (tmp_path / "biff.ini").write_text(config.replace(hub.url, "http://127.0.0.1:9"))
    assert b"it is sent later" in receive(write_mail(CASES["synology"]), inbox)
    (tmp_path / "biff.ini").write_text(config)
    assert b"(from earlier): taken" in receive(write_mail(CASES["transmission"]), inbox)
    assert sorted(hub.names) == sorted(
        download.name for name in ("synology", "transmission") for download in CASES[name].downloads
    )
