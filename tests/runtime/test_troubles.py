"""What of Playhead fails, in words for its admins."""

from __future__ import annotations

from pathlib import Path

import pytest

from playhead.ports.library_jobs import Job, JobPart, NewJob, PartState
from playhead.ports.notices import ONCE
from playhead.runtime.home import Home
from playhead.wiring.installation import Installation
from playhead.wiring.troubles import list_down, list_failed_jobs, list_failed_runs, list_own

SETTINGS = """\
version: 1
connections:
  Plex:
    {kind: plex, url: "http://127.0.0.1:9", user: alice, user_id: "1", person: alice, token: "env:NOT_THERE"}
"""


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    (tmp_path / "playhead.yaml").write_text(SETTINGS)
    return Installation(Home(tmp_path))


def test_a_connection_that_is_away_is_one_trouble(installation: Installation) -> None:
    """However many lines it has; one that is open is none."""
    lines = {"Plex": "No answer.", "Plex (alice)": "No answer.", "Emby": "open", "Jellyfin": "closed"}
    [trouble] = list_down(installation, lines, {"Plex": "No answer."})
    assert trouble.key == "down Plex" and trouble.after_s > 60


@pytest.mark.parametrize(("code", "count"), [(0, 0), (1, 1), (2, 1), (3, 0), (4, 0), (-15, 0), (-9, 1)])
def test_a_run_failed_by_its_exit_code(code: int, count: int) -> None:
    """Held and partly done are told elsewhere."""
    assert len(list_failed_runs({"last": {"exit": code}})) == count


def test_before_the_first_run_nothing_failed() -> None:
    """There is none to tell of."""
    assert list_failed_runs({"last": None}) == []


def test_a_failed_job_merely_happened() -> None:
    """No end of it is told; old ones and those that go well are not."""

    def job(number: int, state: PartState, ended_at: float | None) -> Job:
        return Job(
            number,
            NewJob("api", "A film"),
            0.0,
            ended_at,
            (JobPart(number, "Plex", "/x", 0, 0, state=state),),
        )

    jobs = [
        job(1, PartState.not_found, 90_000), job(2, PartState.proved, 90_000), job(3, PartState.failed, 1),
        job(4, PartState.waiting, None),
    ]  # fmt: skip
    [trouble] = list_failed_jobs(jobs, 100_000)
    assert trouble.key == f"{ONCE}job 1" and "A film" in trouble.text


def test_the_hub_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A check that fails, and a disk that is nearly full."""
    assert list_own(tmp_path, {"inbox": "ok"}) == []
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 1_000_000})())
    assert [each.key for each in list_own(tmp_path, {"inbox": "It cannot be written."})] == [
        "hub inbox",
        "disk",
    ]
