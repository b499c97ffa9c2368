"""A recording hub, a spool, and a run of the filter on a mail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import pytest

from playhead.biff import posting, script
from tests.biff.hub import KEY, RecordingHub, run_hub


class Filtered(NamedTuple):
    """What came out on standard output, and the exit code."""

    out: bytes
    code: int


Filter = Callable[..., Filtered]


@pytest.fixture
def hub() -> Iterator[RecordingHub]:
    with run_hub() as hub:
        yield hub


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    return tmp_path / "kept" / "biff.ndjson"


@pytest.fixture
def run(hub: RecordingHub, spool: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Filter:
    """``run(mail, "--echo")`` with the hub's address and key in the environment and no wait between two tries."""
    monkeypatch.setenv("PLAYHEAD_URL", hub.url)
    monkeypatch.setenv("PLAYHEAD_API_KEY", KEY)
    monkeypatch.setenv("PLAYHEAD_BIFF_SPOOL", str(spool))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(posting.time, "sleep", lambda _: None)

    def run(mail: bytes, *flags: str) -> Filtered:
        out = BytesIO()
        code = script.main(list(flags), BytesIO(mail), out)
        return Filtered(out.getvalue(), code)

    return run
