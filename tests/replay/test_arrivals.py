"""All posts of a real Sonarr and Radarr are read, with the right folder and files."""

from __future__ import annotations

from tests.replay.arrivals import replay
from tests.truth import truth_path


def test_every_recorded_post_is_read_rightly() -> None:
    """None is unknown, none names another folder or file than its body does."""
    told = replay(truth_path("recorded", "sonarr").parent)
    assert [f"{each.kind}: {each.wrong}" for each in told if each.wrong] == []
    assert len(told) == 181


def test_the_two_posts_of_one_import_have_one_key() -> None:
    """Two imports were posted both as a file and as the whole (Import Complete)."""
    told = [each for each in replay(truth_path("recorded", "sonarr").parent) if each.source == "sonarr"]
    whole = [each.post.arrivals[0].key for each in told if "Import Complete" in each.kind]
    single = [each.post.arrivals[0].key for each in told if each.kind in ("Download", "Download (upgrade)")]
    assert len(set(whole) & set(single)) >= 2
    assert len(set(single)) == len(single)
