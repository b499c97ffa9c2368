"""What the hub does follows from the settings as they were looked at, and nothing is done when they are others."""

from __future__ import annotations

import os
from pathlib import Path

from playhead.runtime.stamp import Stamp


def test_nothing_holds_before_the_settings_were_looked_at(tmp_path: Path) -> None:
    assert not Stamp(tmp_path / "none.yaml").holds()


def test_a_change_is_seen_at_once(tmp_path: Path) -> None:
    """Also one to a file of the same length and time, for it is another file, and one that is gone."""
    path, other = tmp_path / "a.yaml", tmp_path / "b.yaml"
    path.write_text("person: alice")
    stamp = Stamp(path)
    stamp.accept(stamp.read())
    assert stamp.holds()
    other.write_text("person: betty")
    found = path.stat()
    os.utime(other, ns=(found.st_atime_ns, found.st_mtime_ns))
    other.replace(path)
    assert not stamp.holds()
    stamp.accept(stamp.read())
    assert stamp.holds()
    path.unlink()
    assert not stamp.holds()
