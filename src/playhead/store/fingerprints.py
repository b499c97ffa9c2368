"""Fingerprints of what a server says: 64 bits that differ when it says something else. 0 never comes out (= stale)."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.msgpack import Encoder
from xxhash import xxh3_64_intdigest

from playhead.ports.backend import Entry, ShowEntry

_encode = Encoder().encode
_HALF = 1 << 63


def fingerprint(said: Sequence[object]) -> int:
    """Of any values."""
    return (xxh3_64_intdigest(_encode(said)) - _HALF) or 1


def fingerprint_state(entry: Entry) -> int:
    """Of what the account says of the entry."""
    said = (
        entry.watched,
        entry.plays,
        entry.last_played,
        entry.position_s,
        entry.rating,
        entry.favourite,
        entry.unplayed,
    )
    return fingerprint_said(said)


def fingerprint_said(said: tuple[object, ...]) -> int:
    """Of a reading: watched, plays, last played, position, rating, favourite, un-played."""
    return fingerprint(said)


def fingerprint_entry(entry: Entry) -> int:
    """Of everything else in a full listing."""
    said = (
        entry.title,
        entry.year,
        entry.show_id,
        entry.season,
        entry.episode,
        entry.episode_end,
        entry.runtime_s,
        entry.claims,
        entry.files,
        entry.state_key,
        entry.media_key,
    )
    return fingerprint(said)


def fingerprint_show(show: ShowEntry) -> int:
    """Of a show's title, year and claims."""
    return fingerprint((show.title, show.year, show.claims))


def is_blank(entry: Entry) -> bool:
    """Whether the account says nothing of the entry that is worth a row."""
    return not (
        entry.watched or entry.plays or entry.position_s or entry.rating is not None or entry.favourite
    )


def is_blank_said(said: Sequence[object]) -> bool:
    """The same of a reading: watched, plays, last played, position, rating, favourite, un-played."""
    return not (said[0] or said[1] or said[3] or said[4] is not None or said[5])
