"""Every recorded webhook and frame gives events of the right user and items, or is counted as not ours."""

from __future__ import annotations

from tests.replay.heard import OURS, list_files, replay
from tests.truth import truth_path

PLEX_TYPES = "webhooks/plex/field-types/payload-analysis.json"  # a table of types, no payload


def test_every_recorded_message_is_read_and_none_wrongly() -> None:
    """No file of them is left out, and most of what persons did is among them."""
    truth = truth_path("webhooks").parent
    messages = replay(truth)
    assert [f"{message.place}: {message.wrong}" for message in messages if message.wrong] == []
    unread = list_files(truth) - {message.place for message in messages}
    assert unread <= {PLEX_TYPES}
    told = [event for message in messages for event in message.events if event.what in OURS]
    assert len(told) > 300
    assert all(event.native_ids for event in told)
