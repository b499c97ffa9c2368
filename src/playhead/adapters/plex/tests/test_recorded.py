"""What real servers sent: counts and states of the recordings, taken from the files by other means, come out the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from playhead.adapters.plex.translate import read_page, translate_entries, translate_shows
from tests.truth import truth_path


def _lists(folder: Path) -> list[tuple[str, list[dict[str, Any]]]]:
    """(file, items) of every recorded list of a folder."""
    found = []
    for path in sorted(folder.rglob("*.json")):
        recorded = json.loads(path.read_text())
        if not isinstance(recorded, dict):
            continue
        answer = recorded.get("response", recorded)
        container = answer.get("MediaContainer") if isinstance(answer, dict) else None
        if isinstance(container, dict) and isinstance(container.get("Metadata"), list):
            items = [item for item in container["Metadata"] if "type" in item]  # posters and arts have none
            found.append((path.name, items))
    return found


def _files_of(item: dict[str, Any]) -> set[str]:
    parts = (part for media in item.get("Media", ()) for part in media.get("Part", ()))
    return {part["file"] for part in parts if "file" in part}


@pytest.mark.parametrize("folder", ["pms-1.25-1.31", "pms-1.40"])
def test_every_recorded_item_is_read(folder: str) -> None:
    """Nothing is dropped, and item, watched and date counts agree with plain counting in the JSON."""
    items = 0
    for name, raw in _lists(truth_path("recorded", "plex", folder)):
        page = read_page(json.dumps({"MediaContainer": {"Metadata": raw}}).encode())
        entries = translate_entries(page.items, page.dropped)
        shows = translate_shows(page.items, page.dropped)
        leaves = [item for item in raw if item.get("type") in ("movie", "episode")]
        assert page.dropped == [], name
        assert [entry.native_id for entry in entries] == [item["ratingKey"] for item in leaves], name
        assert len(shows) == sum(item.get("type") == "show" for item in raw), name
        assert [entry.watched for entry in entries] == ["viewCount" in item for item in leaves], name
        assert [entry.last_played for entry in entries] == [item.get("lastViewedAt") for item in leaves], name
        assert [set(entry.files) for entry in entries] == [_files_of(item) for item in leaves], name
        items += len(leaves) + len(shows)
    assert items > 20


def test_items_of_new_agents_have_claims_of_their_own() -> None:
    """A recorded list with includeGuids: each plex:// item has its Plex id and those of its Guid list."""
    checked = 0
    for _, raw in _lists(truth_path("recorded", "plex")):
        for item in raw:
            if item.get("type") not in ("movie", "episode") or not item.get("Guid"):
                continue
            page = read_page(json.dumps({"MediaContainer": {"Metadata": [item]}}).encode())
            (entry,) = translate_entries(page.items, page.dropped)
            assert len(entry.claims) >= len({guid["id"].partition(":")[0] for guid in item["Guid"]})
            checked += 1
    assert checked > 20


def test_four_recorded_states_of_one_film() -> None:
    """Stopped, stopped further, watched, unscrobbled: only the last has the form of an un-play."""
    states = []
    for step in (1, 2, 3, 4):
        path = truth_path(
            "recorded", "plex", "pms-1.25-1.31", "mocks", "timeline", f"metadata_182_{step}.json"
        )
        page = read_page(path.read_bytes())
        (entry,) = translate_entries(page.items, page.dropped)
        states.append((entry.watched, entry.plays, entry.position_s, entry.last_played, entry.unplayed))
    assert states == [
        (False, 0, 70, 1683736823, False),
        (False, 0, 75, 1683746136, False),
        (True, 1, 0, 1683761882, False),
        (False, 0, 0, None, True),
    ]
