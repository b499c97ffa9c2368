"""Times as a world writes them (epoch seconds or ISO 8601 text) made into epoch seconds. Knows no clock."""

from __future__ import annotations

from datetime import UTC, datetime


def to_epoch(value: float | int | str | None) -> float | None:
    """Epoch seconds of a time; text without a zone is UTC. Raises ValueError for text that is no time."""
    if value is None or isinstance(value, int | float):
        return value
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise ValueError(f"{value!r} is no time: write epoch seconds or 2026-01-31T20:15:00Z") from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
