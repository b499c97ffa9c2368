"""A file is told of by a name in a form: one folder scan on each server, the proof, and one mail."""

from __future__ import annotations

from pathlib import Path

from tests.live import show_triggers


def test_a_name_in_plexlibs_form_is_one_scan_on_each_server_and_one_mail(tmp_path: Path) -> None:
    """Three servers, each with its own path to the folder; PlexLib's own words in the mail."""
    [shown] = show_triggers.run(tmp_path, ["PlexLib's form"])
    assert shown.scans == {"plex": 1, "jellyfin": 1, "emby": 1}
    assert shown.mails == ["- My Fancy Show - s07e22 - Awesome Episode"]
