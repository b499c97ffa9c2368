"""What every flow that merges or writes works with; joined together in the wiring."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    asynccontextmanager,
    contextmanager,
)
from dataclasses import dataclass, field
from typing import Protocol

from playhead.domain.reconcile.guards import Limits
from playhead.domain.reconcile.model import Policy
from playhead.ports.backend import Backend
from playhead.ports.callers import Callers
from playhead.ports.errors import PlayheadError, Retry
from playhead.ports.ledger import AccountRole, Ledger

Progress = Callable[[str, int, int], None]
"""Called with a connection's name, what is done and what there is to do."""


def ignore_progress(_connection: str, _done: int, _total: int) -> None:
    """For callers that show nothing."""


class SettingsChanged(PlayheadError):
    """What a pass follows from is said no more; whoever begins anew works with what is said now."""

    code = "settings-changed"
    retry = Retry.later

    def __init__(self) -> None:
        super().__init__(
            "The settings changed meanwhile: whose a login is, or what may be read and written.",
            hint="Nothing is lost; run it again.",
        )


class Turns(Protocol):
    """Whose turn it is, among all processes and tasks that work on one database: one reconciles at a time, and one writes to an
    account at a time. Whoever waits for a turn, or for a server, has no transaction open."""

    def reconciling(self) -> AbstractAsyncContextManager[None]:
        """Wait for the turn to reconcile."""
        ...

    def writing(self, account_id: int) -> AbstractAsyncContextManager[bool]:
        """Wait for the turn to write to an account; False where another has it for too long."""
        ...

    def idle(self, account_id: int) -> AbstractContextManager[bool]:
        """Whether nobody writes to an account; then nobody begins to before the end of this."""
        ...


class NobodyElse:
    """Turns where nobody else works on the database."""

    @asynccontextmanager
    async def reconciling(self) -> AsyncIterator[None]:
        """At once."""
        yield

    @asynccontextmanager
    async def writing(self, _account_id: int) -> AsyncIterator[bool]:
        """At once."""
        yield True

    @contextmanager
    def idle(self, _account_id: int) -> Iterator[bool]:
        """Always."""
        yield True


@dataclass
class Context:
    """``roles`` are all linked accounts; ``backends`` those that can be asked and written now (none for a stored plan).

    ``callers`` knows those who were seen at a proxy. ``now`` gives epoch seconds; ``began`` is when the pass began to read, 0 =
    all that is stored was read in it.

    ``hand_over``: what is queued is delivered by whoever takes these accounts, not waited for. ``look_back``: accounts whose
    line was down are looked at by whoever takes them, with since when. ``still_holds``: False once the settings say something
    else than this was made from; then nothing more is written. A second look at an item waits ``look_within_s`` at most, and
    ``slow`` are accounts that took longer, with until when they are not asked again.
    """

    ledger: Ledger
    roles: Mapping[int, AccountRole]
    now: Callable[[], float]
    backends: Mapping[int, Backend] = field(default_factory=dict)
    policy: Policy = field(default_factory=Policy)
    limits: Limits = field(default_factory=Limits)
    callers: Callers | None = None
    began: float = 0.0
    lease_s: int = 300
    batch: int = 2_000
    lease_at_once: int = 400
    turns: Turns = field(default_factory=NobodyElse)
    hand_over: Callable[[Collection[int]], None] | None = None
    look_back: Callable[[Collection[int], int | None], None] | None = None
    still_holds: Callable[[], bool] = lambda: True
    look_within_s: float | None = None
    slow: dict[int, float] = field(default_factory=dict)
