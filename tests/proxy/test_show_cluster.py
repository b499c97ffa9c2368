"""Plex Cluster's example holds, from an empty folder to the last step."""

from __future__ import annotations

from pathlib import Path

from tests.proxy.rig import needs_nginx
from tests.proxy.show_cluster import PERSONS, SERVERS, play


@needs_nginx
def test_two_persons_stop_at_one_server_and_go_on_at_the_other(tmp_path: Path) -> None:
    """By the proxies alone; it ends the program where a step is never shown, or shown for the other person."""
    steps = play(tmp_path)
    assert [step.person for step in steps] == [person for person in PERSONS for _ in range(3)]
    assert {(step.at, step.seen_at) for step in steps} == {SERVERS, tuple(reversed(SERVERS))}
