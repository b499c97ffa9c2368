"""Senders in ``playhead.yaml``: mistakes named with their place, comments kept by edits."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from playhead.adapters import find_manifests
from playhead.ports.errors import UsageError
from playhead.runtime.home import Home
from playhead.runtime.settings_file import SettingsFile, put_sender
from playhead.sender_settings import SenderSettings
from playhead.wiring.installation import list_sender_kinds

GOOD = """\
senders:
  # the one in the attic
  Sonarr:
    kind: sonarr
    url: http://10.0.0.5:8989
    key: store:sonarr  # from its settings
  Films: {kind: radarr, url: 'http://10.0.0.5:7878', key: env:KEY, look_every_s: 30}
"""


@pytest.fixture
def file(tmp_path: Path) -> SettingsFile:
    home = Home(tmp_path / "home")
    home.prepare()
    home.settings.write_text(GOOD)
    return SettingsFile(home, find_manifests, list_sender_kinds)


def test_a_sender_is_asked_every_minute_and_swept_each_hour(file: SettingsFile) -> None:
    """Where nothing else is said."""
    senders = file.load().senders
    assert (senders["Sonarr"].look_every_s, senders["Sonarr"].sweep_every_s) == (60, 3600)
    assert senders["Films"].look_every_s == 30


@pytest.mark.parametrize(
    ("right", "wrong", "expected"),
    [
        (
            "kind: sonarr",
            "kind: lidarr",
            "line 4: senders.Sonarr.kind is 'lidarr'. Allowed: one of radarr, sonarr",
        ),
        ("store:sonarr", "0123456789abcdef", "never the key itself"),
        ("url: http://10", "url: 10", "line 5: senders.Sonarr.url is wrong"),
        ("look_every_s: 30", "look_every_s: -1", "senders.Films.look_every_s is wrong"),
        ("look_every_s: 30", "person: sam", "senders.Films.person is not known"),
        ("Films:", "sonarr:", "line 7: senders.sonarr has the name of another entry"),
        (
            "look_every_s: 30",
            "paths: [{server: '(', hub: /tv, expression: server}]",
            "senders.Films.paths[0] is no expression",
        ),
        (GOOD, "senders: [Sonarr]\n", "line 1: senders is not a mapping"),
    ],
)
def test_a_mistake_is_named_with_its_place(file: SettingsFile, right: str, wrong: str, expected: str) -> None:
    """And with what is allowed."""
    file.path.write_text(GOOD.replace(right, wrong))
    with pytest.raises(UsageError) as caught:
        file.load()
    assert expected in str(caught.value)


def test_an_edit_keeps_place_and_comments(file: SettingsFile) -> None:
    """A sender that is renamed stays where it stood; the section goes with the last of them."""
    sender = msgspec.structs.replace(file.load().senders["Sonarr"], look_every_s=10)
    file.edit(lambda document: put_sender(document, "Attic", sender, "Sonarr"))
    assert list(file.load().senders) == ["Attic", "Films"]
    assert file.load().senders["Attic"] == sender
    assert "# from its settings" in file.path.read_text()
    new = SenderSettings(kind="radarr", url="http://10.0.0.6:7878", key="env:OTHER")
    file.edit(lambda document: put_sender(document, "More", new, None))
    assert file.load().senders["More"] == new
    for name in ("Attic", "Films", "More"):
        file.edit(lambda document, name=name: put_sender(document, name, None, name))
    assert "senders" not in file.path.read_text()
