"""Where the recorded answers and the makers' documents lie; a test that needs them is skipped where they are absent."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def truth_path(*parts: str) -> Path:
    """A file or folder of the truth, or a skip that says how to get it."""
    told = os.environ.get("PLAYHEAD_TRUTH")
    root = Path(told) if told else Path(__file__).resolve().parents[1].parent / "shared" / "truth"
    path = root.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"{path} is not there: set PLAYHEAD_TRUTH to the folder of the recorded answers")
    return path
