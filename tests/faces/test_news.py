"""A hub that runs tells what comes: a file lands on two emulated servers with real folders, and one mail says so."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from playhead.faces.cli.demo_world import PLEX
from playhead.sandbox.run import SandboxHandle
from tests.faces.conftest import Cli
from tests.faces.test_scan import NEW, joined, media, put, shelves
from tests.faces.test_serve import Hub, until
from tests.notices.mailroom import Inbox, run_mail_server, run_receiver

__all__ = ["joined", "media", "shelves"]


@pytest.fixture
def mails(cli: Cli, joined: SandboxHandle) -> Iterator[Inbox]:
    with run_mail_server() as (inbox, port):
        address = f"mailto://127.0.0.1:{port}?from=hub@example.org&to=robin@example.org"
        assert cli("notify", "add", "family", "--to", address, "--quiet", "1").code == 0
        yield inbox


def subjects(inbox: Inbox) -> list[str]:
    return [str(mail["subject"]) for _, mail in inbox.mails]


def test_what_comes_to_two_servers_is_one_mail(mails: Inbox, cli: Cli, media: Path, home: Path) -> None:
    """Nothing of what was there; a whole season is one line; after a restart nothing comes twice."""
    hub = Hub(home)
    try:
        hub.be_ready()
        until(lambda: count_shelves(home) == 4, "four libraries seen")
        for number in (1, 2, 3, 5):
            put(media / f"tv/My Fancy Show/Season 07/My Fancy Show - S07E{number:02}.mkv")
        assert cli("scan", "--path", str(media / "tv/My Fancy Show"), "--json").code == 0
        until(lambda: subjects(mails) == ["New: My Fancy Show S07E01-E03, E05"], "one mail")
    finally:
        hub.end()
    hub = Hub(home)
    try:
        put(media / NEW)
        assert cli("scan", "--file", Path(NEW).name, "--json").code == 0
        until(lambda: len(mails.mails) == 2, "a second mail")
        assert subjects(mails)[1] == "New: My Fancy Show S07E22"
    finally:
        hub.end()
    text = mails.mails[0][1].get_body(("plain",))
    assert text is not None and text.get_content().splitlines()[0] == "Serien"


def count_shelves(home: Path) -> int:
    """Libraries whose first sight is over."""
    if not (home / "news.db").exists():
        return 0
    connection = sqlite3.connect(home / "news.db")
    try:
        return int(connection.execute("SELECT count(*) FROM shelf WHERE complete").fetchone()[0])
    except sqlite3.OperationalError:
        return 0
    finally:
        connection.close()


def test_a_scan_that_fails_is_told_to_the_admins_once(
    joined: SandboxHandle, cli: Cli, media: Path, home: Path
) -> None:
    """By a rule that tells failures alone."""
    with (home / "playhead.yaml").open("a") as settings:
        settings.write("scans:\n  look_for_s: 1\n  appear_within_s: 1\n")
    with run_receiver() as receiver:
        assert (
            cli("notify", "add", "admins", "--admin", "--to", f"json://127.0.0.1:{receiver.server_port}").code
            == 0
        )
        ran = cli(
            "scan", "--path", str(media / "tv/Nobody/Nobody S01E01.mkv"), "--connection", PLEX, "--json"
        )
        assert ran.code != 0
        hub = Hub(home)
        try:
            until(lambda: bool(receiver.posts), "a post")
            assert "Library update" in receiver.posts[0]["title"]
        finally:
            hub.end()
    assert len(receiver.posts) == 1
