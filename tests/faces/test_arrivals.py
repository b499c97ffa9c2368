"""A running hub hears of a file by a watched folder and by a mail, and proves on each server that it became an item."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from playhead.biff import read_script
from playhead.faces.cli.demo_world import EMBY, PLEX
from playhead.sandbox.run import SandboxHandle
from tests.biff.mailbox import CASES, write_mail
from tests.faces.conftest import Cli
from tests.faces.test_scan import NEW, joined, media, shelves, states
from tests.faces.test_serve import Hub, Start, start, until

__all__ = ["joined", "media", "shelves", "start"]


@pytest.fixture
def watched(joined: SandboxHandle, media: Path, home: Path) -> Path:
    with (home / "playhead.yaml").open("a") as settings:
        settings.write(
            f"watch:\n  - folder: {media / 'tv'}\n  - folder: {media / 'movies'}\n    polling: 1\n    settle_s: 0.3\n"
        )
    return media


def be_watching(hub: Hub) -> None:
    """Wait until every watched folder is followed."""
    until(
        lambda: all(_follows(state) for state in hub.be_ready()["watches"].values()), f"watching\n{hub.log}"
    )


def _follows(state: str) -> bool:
    return state == "watching" or state.startswith("looking every")


def last_job(cli: Cli) -> dict[str, Any]:
    jobs = cli("scans", "--json").json
    return dict(jobs[0]) if jobs else {"parts": []}


def write(path: Path) -> None:
    """As a copy does: another name first, then the right one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_bytes(b"film")
    part.rename(path)


@pytest.mark.parametrize("file", [NEW, "movies/Dune (2021)/Dune (2021).mkv"], ids=["by events", "by polling"])
def test_a_file_in_a_watched_folder_becomes_an_item_everywhere(
    file: str, watched: Path, start: Start, cli: Cli
) -> None:
    """By itself: nobody asked for a scan. What was there before the hub started is not scanned."""
    hub = start()
    be_watching(hub)
    assert cli("scans", "--json").json == []
    write(watched / file)
    until(lambda: states(last_job(cli)) == {PLEX: "proved", EMBY: "proved"}, f"proved\n{hub.log}")
    job = last_job(cli)
    assert job["source"] == "watch"
    assert len(cli("scans", "--json").json) == 1
    (watched / file).unlink()
    until(lambda: states(last_job(cli)) == {PLEX: "gone", EMBY: "gone"}, f"gone\n{hub.log}")


def test_what_arrived_while_the_hub_was_killed_is_scanned_at_its_next_start(
    watched: Path, start: Start, cli: Cli
) -> None:
    """The index tells the difference."""
    hub = start()
    be_watching(hub)
    hub.end(9)
    write(watched / NEW)
    hub = start()
    until(lambda: states(last_job(cli)) == {PLEX: "proved", EMBY: "proved"}, f"proved\n{hub.log}")


def test_a_mail_leads_to_the_proof(
    joined: SandboxHandle, media: Path, start: Start, cli: Cli, tmp_path: Path
) -> None:
    """Download Station's, through the script as it runs on a machine without Playhead."""
    hub = start()
    hub.be_ready()
    write(media / NEW)
    (tmp_path / "biff.py").write_text(read_script())
    key = cli("api-key", "show", "--json").json["key"]
    mail = write_mail(CASES["synology"])
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(tmp_path / "biff.py"), "--echo", "--strict"],
        input=mail,
        capture_output=True,
        env={"PLAYHEAD_URL": hub.url, "PLAYHEAD_API_KEY": key, "HOME": str(tmp_path)},
        check=False,
    )
    assert done.returncode == 0, done
    assert done.stdout.startswith(mail)
    told = done.stdout[len(mail) :].decode()
    assert told.startswith(f"Playhead: {os.path.basename(NEW)}: taken, see {hub.url}/api/v1/scans/"), told
    until(lambda: states(last_job(cli)) == {PLEX: "proved", EMBY: "proved"}, f"proved\n{hub.log}")
    assert json.dumps(key) not in hub.log


def test_a_mail_about_a_file_that_is_nowhere_is_told_where_it_was_looked_for(
    joined: SandboxHandle, media: Path, start: Start, cli: Cli, tmp_path: Path
) -> None:
    """The hub's own words stand below the mail."""
    hub = start()
    hub.be_ready()
    key = cli("api-key", "show", "--json").json["key"]
    done = subprocess.run(
        [sys.executable, "-m", "playhead", "biff", "--strict"],
        input=b"Subject: done\n\nTR_TORRENT_NAME=Some Strange Thing\n",
        capture_output=True,
        env={**os.environ, "PLAYHEAD_URL": hub.url, "PLAYHEAD_API_KEY": key, "HOME": str(tmp_path)},
        check=False,
    )
    assert done.returncode == 1, done
    assert b"Some Strange Thing: 404: " in done.stdout
    assert str(media / "tv").encode() in done.stdout
