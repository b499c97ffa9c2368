"""What every flow that merges or writes works with; joined together in the wiring."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from playhead.domain.reconcile.guards import Limits
from playhead.domain.reconcile.model import Policy
from playhead.ports.backend import Backend
from playhead.ports.ledger import AccountRole, Ledger

Progress = Callable[[str, int, int], None]
"""Called with a connection's name, what is done and what there is to do."""


def ignore_progress(_connection: str, _done: int, _total: int) -> None:
    """For callers that show nothing."""


@dataclass
class Context:
    """``roles`` are all linked accounts; ``backends`` those that can be asked and written now (none for a stored plan).

    ``now`` gives epoch seconds; ``began`` is when the pass began to read, 0 = all that is stored was read in it.
    """

    ledger: Ledger
    roles: Mapping[int, AccountRole]
    now: Callable[[], float]
    backends: Mapping[int, Backend] = field(default_factory=dict)
    policy: Policy = field(default_factory=Policy)
    limits: Limits = field(default_factory=Limits)
    began: float = 0.0
    lease_s: int = 300
    batch: int = 2_000
