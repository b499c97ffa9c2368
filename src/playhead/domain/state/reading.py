"""What an account says of one item: the values, not where they came from.

Knows nothing of servers, stores or clocks.
"""

from __future__ import annotations

import msgspec


class State(msgspec.Struct, frozen=True, gc=False):
    """The watch state of one item for one account, as far as it is known.

    ``None`` always means *unknown*, never *no*. Clearing is explicit: ``watched=False``,
    ``position_s=0``.

    ``last_played`` is epoch seconds in the clock of the one who said it. ``position_s`` is whole seconds,
    0 = no resume point. ``rating`` is 0 to 10; ``favourite`` a yes or no.
    """

    watched: bool | None = None
    plays: int | None = None
    last_played: int | None = None
    position_s: int | None = None
    rating: float | None = None
    favourite: bool | None = None


BLANK = State(watched=False, plays=0, position_s=0)
