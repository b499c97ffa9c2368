"""Dates as the servers write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playhead.adapters._mediabrowser.dates import format_compact, format_iso, parse_date


@pytest.mark.parametrize(
    ("text", "epoch_s"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2020-02-03T04:05:06Z", 1580702706),
        ("2020-02-03T04:05:06.0000000Z", 1580702706),
        ("2020-02-03T04:05:06.1234567Z", 1580702706),
        ("2020-02-03T04:05:06.1Z", 1580702706),
        ("2020-02-03T04:05:06.21017Z", 1580702706),
        ("2020-02-03T04:05:06.571Z", 1580702706),
        ("2020-02-03T06:05:06+02:00", 1580702706),
        ("2020-02-03T04:05:06", 1580702706),
        ("0001-01-01T00:00:00.0000000Z", -62135596800),
        ("2099-01-01T00:00:00Z", 4070908800),
    ],
)
def test_every_recorded_form_of_a_date_is_read(text: str, epoch_s: int) -> None:
    """0 to 7 fractional digits, Z, an offset or neither; the distant past and the future pass through."""
    assert parse_date(text) == epoch_s


@pytest.mark.parametrize("text", [None, "", "garbage", "2020-13-01T00:00:00Z", "1650000000000", "NaN"])
def test_what_is_no_date_is_unknown(text: str | None) -> None:
    """An unreadable date says nothing; it is never an error."""
    assert parse_date(text) is None


@given(st.integers(min_value=-62135596800, max_value=253402300799))
def test_a_written_date_is_read_back(epoch_s: int) -> None:
    """Both written forms hold the second, from the year 1 to 9999."""
    text = format_iso(epoch_s)
    assert parse_date(text) == epoch_s
    compact = format_compact(epoch_s)
    assert text is not None and compact == text.translate({ord(c): None for c in "-T:Z"})
    assert len(compact) == 14


def test_a_date_that_no_calendar_has_is_not_written() -> None:
    """Beyond the year 9999 there is no form to write."""
    assert format_iso(10**15) is None
    assert format_compact(-(10**15)) is None
