"""What the merge and the delivery need from a store: cases in, decisions and changes out, all in transactions."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

import msgspec

from playhead.domain.reconcile.guards import Question
from playhead.domain.reconcile.model import Agreed, Base, Decision, Slot, Verdict, WantedWrite
from playhead.domain.state.reading import State
from playhead.ports.backend import Entry, Kind, Outcome


class AccountRole(msgspec.Struct, frozen=True):
    """An account with what its connection's settings and backend allow. ``skew_s``: server clock minus hub clock."""

    account_id: int
    person_id: int
    connection_id: int
    person: str
    connection: str
    user: str
    kind: str
    read: bool = True
    write: bool = True
    writes: frozenset[str] = frozenset({"watched", "progress"})
    takes_date: bool = False
    writes_at_once: int = 4
    cheap_looks: bool = False
    skew_s: float = 0.0
    user_id: str = ""  # the server's own id of the login
    other_ids: frozenset[str] = frozenset()  # by which events name it too
    server_id: str = ""


class Case(msgspec.Struct):
    """One person and one item: what is agreed and since when (hub's clock), and every slot but those that are being written
    now: of them nothing is known until the receipt is there. ``siblings`` are other items in files of several."""

    person_id: int
    item_id: int
    agreed: Agreed
    slots: list[Slot]
    decided_at: int | None = None
    siblings: dict[int, tuple[int, ...]] = {}  # ref id -> the other items in that file
    in_flight: bool = False  # a slot is being written: the item is looked at again after it


class Removal(msgspec.Struct, frozen=True):
    """A slot whose reading looks like a removal, from a read that may be believed."""

    person_id: int
    account_id: int
    item_id: int
    ref_id: int
    native_id: str
    media_key: str | None
    read_at: int


class Answer(msgspec.Struct, frozen=True):
    """A person's word on held removals: those of these refs that were read before ``answered_at``."""

    verdict: str  # release, drop
    answered_at: int


class ItemLabel(msgspec.Struct, frozen=True):
    """An item as a person and a machine know it."""

    type: str
    title: str
    year: int | None
    show: str | None
    season: int | None
    episode: int | None
    claims: tuple[str, ...]


class Settlement(msgspec.Struct):
    """What a pass makes of a batch of cases."""

    agreed: list[tuple[int, int, Agreed]] = []  # person, item, value
    bases: dict[tuple[int, int], Base] = {}  # (account, ref)
    base_times: dict[tuple[int, int], int] = {}  # since when, where that is not now
    decisions: list[tuple[int, int, Agreed, Agreed, Decision]] = []  # person, item, before, after
    writes: list[tuple[int, int, WantedWrite]] = []  # person, item
    settled: list[int] = []  # items
    refs: set[tuple[int, int]] = set()  # slots looked at: their open changes are superseded by ``writes``
    went_back: set[int] = set()  # accounts where an item has an older date than it had


class Delivery(msgspec.Struct, frozen=True):
    """All open changes of one slot, leased to be written at once."""

    change_ids: tuple[int, ...]
    account_id: int
    ref_id: int
    item_id: int
    native_id: str
    kind: Kind
    runtime_s: int | None
    facets: frozenset[str]
    target: State
    before: State
    attempts: int
    maybe_written: bool  # a lease ended without a receipt: look before writing
    base: Base | None = None
    written_at: int | None = None  # an earlier write there
    doubts: int = 0  # earlier tries there of which nobody knows whether they took effect: 0, 1, or 2 for more


class Result(msgspec.Struct, frozen=True):
    """How a delivery ended, to be stored. ``base``: the slot's base from now on, where ``after`` is known."""

    delivery: Delivery
    outcome: Outcome
    after: State | None
    message: str
    due_at: int
    base: Base | None = None


class Taken(msgspec.Struct, frozen=True):
    """What single readings brought: how many differ from what was known, and which native ids no read has listed yet."""

    changed: int
    unknown: tuple[str, ...] = ()


class HeldRow(msgspec.Struct, frozen=True):
    """A question for a person, open or answered."""

    id: int
    key: str
    kind: str
    question: str
    connection: str | None
    person: str | None
    asked_at: int
    answer: str | None
    detail: Any


class PendingRow(msgspec.Struct, frozen=True):
    """A change that waits until the target has the item."""

    account_id: int
    item_id: int
    agreed: Agreed


class Ledger(Protocol):
    """Bases, agreed values, the outbox and the questions. Calls between ``session()`` and its end are one unit of work that
    ``commit`` makes durable step by step; a dry session changes nothing in the end."""

    def session(self, *, dry: bool = False) -> AbstractContextManager[None]:
        """Open the unit of work."""

    def commit(self) -> None:
        """Make everything so far durable (nothing in a dry session)."""

    def touch_new_refs(self) -> None:
        """Mark items that new refs joined and that have a state anywhere as touched."""

    def count_touched(self) -> int: ...

    def next_touched(self, after: int, limit: int) -> list[int]: ...

    def find_removals(self, roles: Mapping[int, AccountRole]) -> list[Removal]: ...

    def count_known(self) -> dict[int, int]:
        """For each person: agreed watched items and resume points."""

    def load_cases(
        self,
        items: Sequence[int],
        roles: Mapping[int, AccountRole],
        verdicts: Mapping[tuple[int, int], Verdict],
    ) -> list[Case]: ...

    def load_agreed(self, person_id: int, items: Collection[int]) -> dict[int, Agreed]: ...

    def native_ids(self, refs: Collection[int]) -> dict[int, str]:
        """What the connections call these refs."""

    def record_entries(self, account_id: int, entries: Mapping[int, Entry], now: int) -> None:
        """Store direct readings by ref id; a changed file drops the base."""

    def hear(self, account_id: int, entries: Sequence[Entry], now: int) -> Taken:
        """Store direct readings by native id, and touch the items of those that differ. What no read has listed yet is left
        to the next one."""

    def count_tries(self, account_id: int, native_ids: Collection[str]) -> dict[str, int]:
        """How often each of these was written to, as far as it was; -1 while it is being written. Also outside of a session:
        a reading between two different counts, or beside a write, may be older than that write."""

    def list_watched(self, account_id: int) -> frozenset[str]:
        """The native ids of what the account was last seen to have watched."""

    def count_watched(self, account_id: int) -> int:
        """How many movies and episodes the account was last seen to have watched. Also outside of a session."""

    def count_removed_since(self, since: int) -> dict[tuple[int, int], int]:
        """Items that an account's un-plays made unwatched since then, by (person, account)."""

    def settle(self, settlement: Settlement, now: int) -> int:
        """Store a batch: agreed values, bases, decisions, changes. Returns the number of changes queued."""

    def label(self, items: Collection[int]) -> dict[int, ItemLabel]: ...

    def lease(
        self,
        account_id: int,
        *,
        after_ref: int,
        limit: int,
        due_before: int,
        now: int,
        lease_s: int,
        again: bool = False,
    ) -> list[Delivery]:
        """Take the account's next due changes beyond a ref, in the order of refs, one delivery for each slot.
        ``again``: only what failed in this pass."""

    def list_leased(self) -> set[int]:
        """The accounts to which something is being written, or was when its writer was killed."""

    def list_due(self, now: int) -> set[int]:
        """The accounts to which something is to be written now: not tried yet, or failed and due again."""

    def release_stale_leases(self, account_id: int) -> int:
        """Free the leases of an account to which nobody writes any more; called by whoever has the turn to write there."""

    def count_open(self, account_ids: Collection[int] | None = None) -> int: ...

    def give_up(self, delivery: Delivery, entry: Entry, now: int) -> None:
        """Take a delivery back: the item says something else than when the write was planned. Stores what it says and
        marks the item to be looked at again."""

    def store_results(self, results: Sequence[Result], now: int) -> None: ...

    def count_pending(self, roles: Iterable[AccountRole]) -> int: ...

    def list_pending(self, roles: Iterable[AccountRole], limit: int | None = None) -> list[PendingRow]: ...

    def find_shrunk(self) -> list[Question]: ...

    def find_conflicts(self) -> list[tuple[Question, dict[str, Any]]]: ...

    def ask(self, questions: Sequence[tuple[Question, Any]], kinds: Collection[str], now: int) -> None:
        """Keep the questions of these kinds: new ones are added, those not asked again are closed as gone."""

    def list_held(self, *, all_rows: bool = False) -> list[HeldRow]: ...

    def answer_held(self, held_id: int, answer: str, now: int) -> HeldRow | None: ...

    def decide_conflict(self, conflict_id: int, decision: str, now: int) -> None:
        """Treat two items as the "same" or as "different" from now on."""

    def accept_shrunk(self, account_id: int) -> None:
        """Believe the account's next list even if it is as short as the last one."""

    def find_items(self, words: str, limit: int) -> list[int]:
        """Items by id, claim, or words of their titles; exact titles first."""

    def list_slots(self, item_id: int) -> list[dict[str, Any]]:
        """Every account's place for an item as rows: connection, person, reading, base, file, how it was matched."""

    def list_decisions(
        self, *, item_id: int | None, person_id: int | None, limit: int
    ) -> list[dict[str, Any]]:
        """Changes of agreed values, newest first."""

    def list_changes(self, *, item_id: int | None, person_id: int | None, limit: int) -> list[dict[str, Any]]:
        """Writes to servers, newest first."""

    def list_conflicts(self, item_id: int) -> list[dict[str, Any]]:
        """Contradictions that an item stands in."""

    def list_asked_removals(self) -> set[tuple[int, int]]:
        """What open questions about removals ask, by account and ref."""
        ...

    def note_went_back(self, accounts: Collection[int], now: int) -> None:
        """Dates of these accounts' servers went back."""

    def find_restored(self, accounts: Collection[int], now: int) -> set[int]:
        """Those of the accounts whose servers' dates went back within the last hours."""
        ...

    def removal_answers(self) -> dict[tuple[int, int], Answer]: ...
