"""Who runs nginx: the workers' own account when root starts it, or anybody when nobody is root."""

from __future__ import annotations

import os
import pwd
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from playhead.adapters.plex.proxy.nginx import PlexProxy
from playhead.wiring.proxy import find_group, find_user, make_files, write_files
from tests.proxy.rig import Nginx, needs_nginx, until
from tests.proxy.upstream import Upstream

pytestmark = [
    needs_nginx,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another account"),
]
STRANGER = "nobody"


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every account can reach; pytest's own are for one alone."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    upstream = Upstream()
    yield upstream
    upstream.close()


def test_workers_of_another_account_can_note(upstream: Upstream, open_folder: Path) -> None:
    """The spool of a folder that root writes belongs to them, and to nobody else."""
    nginx = Nginx(open_folder / "proxy", upstream.url, user=STRANGER, group=find_group(STRANGER))
    files = make_files(PlexProxy(), nginx.wish, nginx.folder, "http://127.0.0.1:1/webhooks/x/y")
    write_files(files, nginx.folder, nginx.spool, STRANGER)
    nginx.start()
    try:
        assert requests.get(f"{nginx.url}/:/scrobble?key=1", timeout=10).status_code == 200
        until(lambda: nginx.noted(), "a line")
    finally:
        nginx.stop()
    stranger = pwd.getpwnam(STRANGER).pw_uid
    assert {path.stat().st_uid for path in nginx.spool.iterdir()} == {stranger}
    for path in (nginx.spool, nginx.folder / "hub.url"):
        assert (path.stat().st_uid, path.stat().st_mode & 0o077) == (stranger, 0)
    assert f"User={STRANGER}\n" in files["playhead-proxy.service"]


def test_a_complete_configuration_runs_without_root(upstream: Upstream, open_folder: Path) -> None:
    """Started by an account that owns nothing but the folder, with no word of complaint."""
    nginx = Nginx(open_folder / "proxy", upstream.url, user="")
    for path in (nginx.folder, nginx.spool, nginx.folder / "nginx.conf"):
        os.chown(path, pwd.getpwnam(STRANGER).pw_uid, -1)
    nginx.start(as_user=STRANGER)
    try:
        assert requests.get(f"{nginx.url}/:/scrobble?key=1", timeout=10).status_code == 200
        until(lambda: nginx.noted(), "a line")
        assert [worker.username() for worker in nginx.workers()][0] == STRANGER
    finally:
        nginx.stop()
    assert "[emerg]" not in nginx.read_log() and "[alert]" not in nginx.read_log()


def test_root_starts_workers_of_an_account_that_there_is() -> None:
    """One of the usual ones, if nobody says which."""
    assert find_user("www-proxy") == "www-proxy"
    assert pwd.getpwnam(find_user(None)).pw_uid != 0
