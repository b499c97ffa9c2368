"""What the programs that fetch files tell: Sonarr, Radarr, Lidarr, Readarr. A file arrived, was renamed, was deleted.

They hold no watch state and are no ``Backend``. All paths are the sender's own words: whoever asks has mapped them. What is
told here starts a scan and proves nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Protocol

import msgspec

What = Literal["arrived", "upgraded", "renamed", "deleted"]


class Arrival(msgspec.Struct, frozen=True):
    """One thing that happened to files.

    ``paths`` are the files that are there now, of a deletion those that are gone; a folder where no file is named. ``before``
    are files that gave way to them: old names, what an upgrade replaced. ``folder`` is the folder of the series, movie, artist
    or author. ``name`` is the sender's own word. ``claims`` are the show's or movie's, and the episodes' where the files hold
    just those. ``key`` is the same however one and the same thing is told, by two posts or by the history; what happens
    again later may have it, too, so that it folds what is told within minutes. ``half``: half of an
    upgrade, the new file is still to be told. ``missing``: the sender merely no longer sees it or no longer minds it, so that
    the files may well be there (a disk that is offline, a series taken off the list).
    """

    what: What
    paths: tuple[str, ...]
    folder: str
    title: str
    source: str
    name: str
    claims: tuple[str, ...] = ()
    half: bool = False
    key: str = ""
    before: tuple[str, ...] = ()
    missing: bool = False


class ArrivalPost(msgspec.Struct, frozen=True):
    """One post. ``name`` is its kind in the sender's words; a kind that is not ``known`` is counted. ``test``: somebody tries
    whether it arrives. ``instance`` is what the sender calls itself, "" = not told."""

    name: str
    arrivals: tuple[Arrival, ...] = ()
    known: bool = True
    test: bool = False
    instance: str = ""


class ReadsArrivals(Protocol):
    """An adapter's ``webhook`` module. Pure."""

    def __call__(self, body: bytes, headers: Mapping[str, str]) -> ArrivalPost:
        """What one post says. Header names are lower case. Raises BadAnswer where it is none of this sender's posts."""
        ...


class ArrInfo(msgspec.Struct, frozen=True):
    """Who answered. ``clock_skew_s`` is its clock minus the hub's."""

    product: str
    instance: str
    version: str
    clock_skew_s: float | None = None


class Caught(msgspec.Struct, frozen=True):
    """What happened since ``memory`` was returned, oldest first.

    ``memory`` is kept as it is and handed to the next look, once the arrivals are safe; where nothing happened it is the same
    bytes. ``offline`` are root folders that the sender cannot reach: what is missing below them was not told as deleted, and
    will be only if it is still gone once they are back.
    """

    arrivals: tuple[Arrival, ...]
    memory: bytes
    offline: tuple[str, ...] = ()


class CatchesUp(Protocol):
    """The net under the webhooks: a failed post is never sent again, and some things are not posted at all."""

    async def probe(self) -> ArrInfo:
        """Prove that address and key are right. Raises Unreachable, WrongServer, Unauthorized, BadAnswer."""
        ...

    async def catch_up(self, memory: bytes | None, *, now: float, sweep: bool) -> Caught:
        """Look at the history; with ``sweep`` also compare all series or movies and the files of those that changed. ``memory``
        None = the first look, which only remembers. ``now`` is epoch seconds. Raises BackendError, and then nothing is lost."""
        ...

    async def find_offline(self) -> tuple[str, ...]:
        """The root folders that the sender cannot reach now. Raises BackendError."""
        ...

    async def close(self) -> None:
        """Release the connection."""
        ...


class ArrManifest(msgspec.Struct, frozen=True):
    """What the folder of such an adapter declares in its ``__init__``; importing it loads nothing heavy.

    ``webhook`` is ``"module:function"``, a ``ReadsArrivals``; ``net`` ``"module:Class"``, a ``CatchesUp`` with a constructor
    ``(settings, key)``, None = only webhooks; ``settings`` ``"module:Struct"``.
    """

    name: str
    title: str
    webhook: str
    settings: str | None = None
    net: str | None = None
    tested: tuple[str, ...] = ()  # beginnings of the versions it was tried with; () = not told
