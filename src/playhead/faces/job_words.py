"""A job in the words of the API and of ``--json``, and in a line for a person."""

from __future__ import annotations

from collections import Counter
from typing import Any

from playhead.ports.library_jobs import OPEN, Job, JobPart, PartState

GOOD = frozenset((PartState.proved, PartState.gone, PartState.scanned))


def describe_job(job: Job) -> dict[str, Any]:
    """All of a job."""
    return {
        "id": job.id,
        "state": str(job.state),
        "ended": job.ended_at is not None,
        "source": job.new.source,
        "name": job.new.name,
        "made_at": round(job.made_at, 3),
        "ended_at": round(job.ended_at, 3) if job.ended_at is not None else None,
        "parts": [describe_part(part) for part in job.parts],
    }


def describe_part(part: JobPart) -> dict[str, Any]:
    """One path on one connection and library."""
    return {
        "connection": part.connection,
        "library": part.library,
        "path": part.path,
        "gone": part.gone,
        "server_path": part.server_path,
        "means": part.means,
        "state": str(part.state),
        "message": part.message,
        "items": [{"id": item.native_id, "title": item.title, "files": item.files} for item in part.items],
    }


def say_job(job: Job) -> str:
    """How far it is, in a few words: "proved 3, waiting 1"."""
    counts = Counter(str(part.state) for part in _telling(job))
    return ", ".join(f"{state} {count}" for state, count in counts.most_common()) or str(job.state)


def is_good(job: Job) -> bool:
    """Whether everything that a library holds came to its proof."""
    telling = _telling(job)
    return bool(telling) and all(part.state in GOOD for part in telling)


def is_waiting(job: Job) -> bool:
    """Whether something of it still goes on."""
    return any(part.state in OPEN for part in job.parts)


def _telling(job: Job) -> list[JobPart]:
    """Its parts without those connections that have no library for it, if others have."""
    held = [part for part in job.parts if part.state is not PartState.no_library]
    return held or list(job.parts)
