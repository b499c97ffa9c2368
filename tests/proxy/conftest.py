"""What the tests of the proxy stand on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from playhead.faces.cli.demo_world import PLEX, make_demo_world
from playhead.sandbox.run import SandboxHandle, run_world_in_thread
from tests.proxy.rig import Certificate, Nginx, RecordingHub, make_certificate, run_nginx


@pytest.fixture
def hub() -> Iterator[RecordingHub]:
    """A hub that takes everything."""
    hub = RecordingHub()
    hub.open()
    yield hub
    hub.close()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def plex() -> Iterator[SandboxHandle]:
    """One emulated Plex."""
    world = make_demo_world(time.time())
    world.servers = [server for server in world.servers if server.name == PLEX]
    with run_world_in_thread(world) as box:
        yield box


@pytest.fixture
def nginx(plex: SandboxHandle, tmp_path: Path) -> Iterator[Nginx]:
    """A real nginx before it, without TLS."""
    with run_nginx(tmp_path / "proxy", plex.url(PLEX)) as nginx:
        yield nginx
