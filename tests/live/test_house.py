"""The whole thing as processes: a storm with kills loses, doubles and mixes nothing, and each source of events is enough."""

from __future__ import annotations

from pathlib import Path

import pytest
from bench import sources_bench, storm_bench
from rich.console import Console

from tests.proxy.rig import needs_nginx

EVENTS = 200
QUIET = Console(quiet=True)


@needs_nginx
def test_a_storm_with_kills_loses_doubles_and_mixes_nothing(tmp_path: Path) -> None:
    """Hub, servers and nginx are killed; two persons on three servers, a third who is nobody's."""
    figures = storm_bench.run_storm(tmp_path, EVENTS, QUIET)
    assert {name: figures[name] for name in ("lost", "doubled", "wrong_person")} == {
        "lost": 0,
        "doubled": 0,
        "wrong_person": 0,
    }
    assert figures["hub_killed"] == figures["servers_killed"] == 3


@needs_nginx
@pytest.mark.parametrize("source", ["webhooks", "sockets", "proxy"])
def test_each_source_is_enough_alone(tmp_path: Path, source: str) -> None:
    """What two persons stop and watch on a server is on the others, with all other sources switched off."""
    seen = sources_bench.measure(tmp_path, source, QUIET)
    servers = {"plex"} if source == "proxy" else set(storm_bench.SERVERS)
    assert {(each.server, each.what) for each in seen} == {(s, w) for s in servers for w in ("stop", "watch")}


@needs_nginx
@pytest.mark.long
def test_reads_by_schedule_are_enough_alone(tmp_path: Path) -> None:
    """Each minute, without any event."""
    assert len(sources_bench.measure(tmp_path, "polling", QUIET)) == 6
