"""A stream of marks through a real nginx while the hub is away, or while nginx and the deliverer are killed."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import requests

from tests.proxy.rig import (
    DelivererProcess,
    Nginx,
    RecordingHub,
    needs_nginx,
    run_deliverer,
    run_nginx,
    until,
)
from tests.proxy.upstream import Upstream

pytestmark = needs_nginx
KILLS = 30


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    upstream = Upstream()
    yield upstream
    upstream.close()


def mark(session: requests.Session, nginx: Nginx, number: int) -> int:
    """A client's mark and the status that it gets."""
    return session.get(f"{nginx.url}/:/scrobble?key={number}", timeout=20).status_code


def seen(upstream: Upstream) -> list[str]:
    """The marks that the server got, in order."""
    uris = [head.split(b" ", 2)[1].decode() for head in list(upstream.requests)]
    return [uri.partition("key=")[2] for uri in uris if uri.startswith("/:/scrobble")]


@pytest.mark.parametrize("trouble", ["silent", "down", "failing"])
def test_clients_do_not_notice_that_the_hub_is_away(
    upstream: Upstream, tmp_path: Path, hub: RecordingHub, trouble: str
) -> None:
    """Every client is answered while nothing at all reaches the hub; later all of it does, in order."""
    if trouble == "down":
        hub.close()
    else:
        hub.answer = lambda lines: None if trouble == "silent" else 503
    with (
        run_nginx(tmp_path / "proxy", upstream.url) as nginx,
        run_deliverer(nginx.spool, hub.url) as deliverer,
    ):
        until(lambda: deliverer.process, "it runs")
        with requests.Session() as session:
            assert {mark(session, nginx, number) for number in range(150)} == {200}
        assert hub.bodies == []
        if trouble != "down":
            until(lambda: hub.asked, "the hub was asked")
            hub.close()
        hub.answer = lambda lines: 202
        hub.open()
        until(lambda: len(hub.lines) >= 150, "all of it arrives")
    assert seen(upstream) == [str(number) for number in range(150)]
    assert hub.keys() == seen(upstream)


class Client(threading.Thread):
    """Marks one item after the other, and marks again what got no answer, as players do."""

    def __init__(self, nginx: Nginx) -> None:
        super().__init__(daemon=True)
        self.nginx = nginx
        self.done = 0
        self.enough = threading.Event()

    def run(self) -> None:
        with requests.Session() as session:
            while not self.enough.is_set():
                with suppress(requests.RequestException):
                    if mark(session, self.nginx, self.done) == 200:
                        self.done += 1


@contextmanager
def marking(nginx: Nginx) -> Iterator[Client]:
    client = Client(nginx)
    client.start()
    yield client
    client.enough.set()
    client.join()


def test_sigkill_of_nginx_and_of_the_deliverer_loses_no_mark(
    upstream: Upstream, tmp_path: Path, hub: RecordingHub
) -> None:
    """Each mark that the server got reaches the hub, also where nginx was killed between the two."""
    dice = random.Random(7)
    with run_nginx(tmp_path / "proxy", upstream.url) as nginx:
        deliverer = DelivererProcess(nginx.spool, hub.url)
        deliverer.start()
        with marking(nginx) as client:
            for turn in range(KILLS):
                goal = client.done + dice.randint(1, 12)
                until(lambda goal=goal: client.done >= goal, "marks go on")
                if turn % 3:
                    nginx.kill()
                    nginx.start()
                else:
                    deliverer.kill()
                    deliverer.start()
        deliverer.kill()
        with run_deliverer(nginx.spool, hub.url, "--once") as last:
            assert last.wait() == 0
    assert set(seen(upstream)) <= set(hub.keys())
    assert len(set(seen(upstream))) >= client.done > KILLS
    ended = [line["uri"] for line in hub.lines if line["status"] == 200]
    assert list(dict.fromkeys(ended)) == sorted(set(ended), key=lambda uri: int(uri.partition("key=")[2]))
