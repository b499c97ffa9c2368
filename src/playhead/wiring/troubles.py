"""What of Playhead fails now, in words for its admins. Each is told once, and its end once."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from playhead.ports.errors import PlayheadError
from playhead.ports.ledger import HeldRow
from playhead.ports.library_jobs import Job, PartState
from playhead.ports.notices import ONCE, Trouble
from playhead.runtime.exits import Exit
from playhead.store.database import Database
from playhead.store.ledger import SqlLedger
from playhead.wiring.installation import Installation
from playhead.wiring.renewing import list_refused

DOWN_FOR_S = 900.0
DISK_AT_LEAST = 200_000_000
DAY_S = 86_400.0
_FAILED = (PartState.failed, PartState.not_found, PartState.still_there)
_NO_FAILURE = (Exit.done, Exit.held, Exit.partly, Exit.interrupted, -2, -15)


def list_down(
    installation: Installation, lines: Mapping[str, str], looks: Mapping[str, str]
) -> list[Trouble]:
    """Connections that are away, by what their lines and the looks for news say; and logins that are refused, which are told
    at once and not as away."""
    refused = list_refused(installation)
    troubles = [
        Trouble(f"refused {each.connection}\n{each.user}", each.message, each.hint) for each in refused
    ]
    broken = {name: why for name, why in lines.items() if why not in ("open", "closed")} | dict(looks)
    away: dict[str, str] = {}
    for line, why in broken.items():
        name = next(
            (
                known
                for known in installation.settings.connections
                if line in (known, *_with_login(known, line))
            ),
            line,
        )
        if name not in {each.connection for each in refused}:
            away.setdefault(name, why)
    hint = "Is it on? See: playhead doctor"
    return troubles + [
        Trouble(f"down {name}", f"{name} is away: {why}", hint, DOWN_FOR_S) for name, why in away.items()
    ]


def list_failed_runs(runs: Mapping[str, Any]) -> list[Trouble]:
    """A sync that failed, until one does not."""
    last = runs.get("last")
    if not last or last["exit"] in _NO_FAILURE:
        return []
    return [
        Trouble(
            "run", f"The last sync failed (exit code {last['exit']}).", "See the log, or run: playhead sync"
        )
    ]


def list_failed_jobs(jobs: list[Job], now: float) -> list[Trouble]:
    """Library updates that ended without their proof, of the last day; each merely happened."""
    return [
        Trouble(
            f"{ONCE}job {job.id}",
            f"Library update {job.id} {job.state}: {job.new.name}",
            f"See: playhead scans {job.id}",
        )
        for job in jobs
        if job.ended_at is not None and now - job.ended_at < DAY_S and job.state in _FAILED
    ]


def list_questions(database: Database) -> list[Trouble]:
    """Questions that wait for a person."""
    ledger = SqlLedger(database)
    with ledger.session(dry=True):
        rows: list[HeldRow] = ledger.list_held()
    return [Trouble(f"{ONCE}held {row.id}", row.question, "Answer: playhead held") for row in rows]


def list_own(home: Path, checks: Mapping[str, str]) -> list[Trouble]:
    """What of the hub itself does not work, and a disk that is nearly full."""
    troubles = [
        Trouble(f"hub {name}", f"The hub's {name}: {word}", "See the log.", 60.0)
        for name, word in checks.items()
        if word != "ok"
    ]
    try:
        free = shutil.disk_usage(home).free
    except OSError as error:
        raise PlayheadError(f"The home folder cannot be looked at ({error.strerror}).") from error
    if free < DISK_AT_LEAST:
        left = f"The disk of the home folder is nearly full ({free // 1_000_000} MB left)."
        troubles.append(Trouble("disk", left, "Make room: nothing can be stored on a full disk."))
    return troubles


def _with_login(connection: str, line: str) -> tuple[str, ...]:
    return (line,) if line.startswith(f"{connection} (") else ()
