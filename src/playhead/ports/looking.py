"""A quick look at what happened last on an account, and at how much is watched there: what its line cannot tell."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import msgspec

Play = tuple[str, int]
"""A native id, and when it was played last: epoch seconds on the server's clock."""


class Recent(msgspec.Struct, frozen=True):
    """The newest plays of an account, newest first, and how many of its movies and episodes are watched. ``told_back_to``: older
    plays than that were cut off; None = there are none."""

    plays: tuple[Play, ...]
    watched: int
    told_back_to: int | None = None


@runtime_checkable
class TellsRecent(Protocol):
    """A backend that can be looked at quickly: a few requests, however much its server holds, and one for each
    thousand watched items where it is to be known which."""

    async def fetch_recent(self, most: int) -> Recent:
        """The newest ``most`` plays of each library, or more, and the count. Raises BackendError."""
        ...

    async def fetch_watched(self) -> frozenset[str]:
        """The native ids of all that ``Recent.watched`` counts, page after page. Raises BackendError, also where they are not
        as many as the server says."""
        ...
