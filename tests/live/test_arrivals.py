"""The whole thing as processes: files arrive while a server is away and the hub is killed, and none is lost."""

from __future__ import annotations

from pathlib import Path

from bench import arrivals_bench


def test_arrivals_are_not_lost_while_a_server_is_away_and_the_hub_is_killed(tmp_path: Path) -> None:
    """Each file is an item on every server in the end, after far fewer scans than files."""
    figures = arrivals_bench.run_arrivals(tmp_path, 160, 5.0, ("plex", "jellyfin"), plex_scan_s=0.05)
    assert figures["files"] == figures["jobs"] == 160
    assert (figures["plex_lost"], figures["jellyfin_lost"]) == (0, 0)
    assert figures["plex_scans"] <= 120 and figures["jellyfin_scans"] <= 120
