"""Dates and ticks as both servers write them, and back.

Dates are ISO 8601 with 0 to 7 fractional digits (trailing zeros may be trimmed), Z or an offset, UTC where neither is
given. Source: facts, api-jellyfin-emby.md A1 and B1. Whether a date can be believed is not decided here.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

TICKS_PER_S = 10_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)


def parse_date(text: str | None) -> int | None:
    """Epoch seconds, also before 1970 and in the future; None where there is no date or it cannot be read."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return (moment - _EPOCH) // _SECOND
    except (ValueError, OverflowError):
        return None


def format_iso(epoch_s: int) -> str | None:
    """``2020-01-02T03:04:05Z``; None outside the years 1 to 9999."""
    moment = _moment(epoch_s)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0") if moment else None


def format_compact(epoch_s: int) -> str | None:
    """``20200102030405`` in UTC, the form of ``DatePlayed``; None outside the years 1 to 9999."""
    moment = _moment(epoch_s)
    return moment.strftime("%Y%m%d%H%M%S").rjust(14, "0") if moment else None


def _moment(epoch_s: int) -> datetime | None:
    try:
        return _EPOCH + timedelta(seconds=epoch_s)
    except OverflowError:
        return None
