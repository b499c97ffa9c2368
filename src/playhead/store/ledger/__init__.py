"""The ledger on SQL: cases and their settlement, the outbox, the questions for a person."""

from __future__ import annotations

from playhead.store.ledger.cases import Cases
from playhead.store.ledger.hearing import Hearing
from playhead.store.ledger.outbox import Outbox
from playhead.store.ledger.questions import Questions
from playhead.store.ledger.record import Record


class SqlLedger(Cases, Hearing, Outbox, Questions, Record):
    """Meets ``ports.ledger.Ledger`` on a ``Database``."""


__all__ = ["SqlLedger"]
