"""Times as the server keeps them: whole ticks of 100 ns since the year 1, UTC; how they are read and printed."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

PER_SECOND = 10_000_000
UNIX_EPOCH = 621_355_968_000_000_000
NEVER = "0001-01-01T00:00:00.0000000Z"

_ISO = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ](\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,7})\d*)?)?\s*(Z|z|[+-]\d{2}:?\d{2})?)?\Z"
)
_COMPACT = re.compile(r"\d{14}\Z")
_START = datetime(1, 1, 1, tzinfo=UTC)


def from_unix(seconds: float) -> int:
    """Ticks at a time in epoch seconds."""
    return UNIX_EPOCH + round(seconds * PER_SECOND)


def to_unix(ticks: int) -> float:
    """Epoch seconds of a time in ticks."""
    return (ticks - UNIX_EPOCH) / PER_SECOND


def from_world(value: int | str | float) -> int:
    """Ticks of a world's time: epoch seconds or ISO text. Raises ValueError for other text."""
    if isinstance(value, str):
        ticks = parse(value)
        if ticks is None:
            raise ValueError(f"{value!r} is no time: use epoch seconds or ISO 8601.")
        return ticks
    return from_unix(value)


def parse(text: str) -> int | None:
    """Ticks of an ISO date with or without time and zone (none means UTC); None where it is no date."""
    match = _ISO.match(text.strip())
    if not match:
        return None
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    try:
        moment = datetime(
            int(year),
            int(month),
            int(day),
            int(hour or 0),
            int(minute or 0),
            int(second or 0),
            tzinfo=_zone(zone),
        )
        whole = moment.astimezone(UTC) - _START
    except (ValueError, OverflowError):
        return None
    ticks = (whole.days * 86_400 + whole.seconds) * PER_SECOND
    return ticks + int((fraction or "").ljust(7, "0"))


def parse_query(text: str) -> int | None:
    """As ``parse``, and the compact ``yyyyMMddHHmmss`` that query parameters take."""
    if _COMPACT.match(text):
        text = f"{text[:4]}-{text[4:6]}-{text[6:8]}T{text[8:10]}:{text[10:12]}:{text[12:]}"
    return parse(text)


def show(ticks: int) -> str:
    """A time as the server prints it: seven decimals, trailing zeros cut off unless all of them are zero."""
    seconds, fraction = divmod(ticks, PER_SECOND)
    moment = _START + timedelta(seconds=seconds)
    digits = f"{fraction:07d}"
    if fraction:
        digits = digits.rstrip("0")
    return f"{moment.year:04d}-{moment:%m-%dT%H:%M:%S}.{digits}Z"


def _zone(text: str | None) -> timezone:
    if not text or text in "Zz":
        return UTC
    sign = -1 if text[0] == "-" else 1
    return timezone(sign * timedelta(hours=int(text[1:3]), minutes=int(text[-2:])))
