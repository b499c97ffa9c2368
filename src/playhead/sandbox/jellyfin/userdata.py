"""Watch state per user and item: rows, what caches make of them, and how they follow an item through removal and rename.

Decides nothing about marks and playback (``marks``). Facts: api-jellyfin-emby A3 (ids are path hashes) and A8, 4 to 6.
The real table has a row for each key of an item (provider ids, its own GUID). A write fills all of them; after a rename
some come from elsewhere and may differ. Views: ``stored`` is the row with the lowest key, ``filtered`` what a filter
finds, ``read`` what the UserData route says, ``listed`` what lists say.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable

from playhead.sandbox.jellyfin.accounts import User
from playhead.sandbox.jellyfin.catalogue import Catalogue
from playhead.sandbox.jellyfin.items import Item
from playhead.sandbox.jellyfin.rules import Rules


class State:
    """One user's state of one item. Position and date in ticks."""

    __slots__ = ("favourite", "last_played", "played", "plays", "position", "rating")

    def __init__(self) -> None:
        self.played = False
        self.plays = 0
        self.position = 0
        self.last_played: int | None = None
        self.favourite = False
        self.rating: float | None = None

    def copy(self) -> State:
        other = State()
        other.played, other.plays, other.position = self.played, self.plays, self.position
        other.last_played, other.favourite, other.rating = self.last_played, self.favourite, self.rating
        return other

    @property
    def likes(self) -> bool | None:
        """A rating from 6.5 on is a like."""
        return None if self.rating is None else self.rating >= 6.5


EMPTY = State()  # shared; never changed


class RatingRefused(Exception):
    """A rating outside 0 to 10, or none that can be printed and stored (``unprintable``)."""

    def __init__(self, *, unprintable: bool = False) -> None:
        super().__init__("rating")
        self.unprintable = unprintable


class UserDataStore:
    """The state of all users. Every change of a row goes through ``save``, attach or detach, so that counts stay right."""

    def __init__(self, rules: Rules, catalogue: Catalogue, users: Callable[[], Iterable[User]]) -> None:
        self.rules = rules
        self.rows: dict[str, dict[str, State]] = defaultdict(dict)
        self.played_below: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        self._users = users
        self._apart: dict[
            tuple[str, str], dict[str, State]
        ] = {}  # by user and item: rows by key, where not all are alike
        self._kept: dict[str, dict[str, State]] = {}  # by key, then user: rows of removed items
        self._cached: dict[int, dict[str, State]] = defaultdict(dict)  # where it differs from the row
        self._seen: dict[int, set[str]] = defaultdict(set)
        catalogue.on_added = self.on_added
        catalogue.on_removed = self.on_removed
        catalogue.on_settled = self.on_settled

    # --- reading

    def stored(self, user: User, item: Item) -> State:
        """The row in the database."""
        return self.rows[user.id].get(item.id, EMPTY)

    def filtered(self, user: User, item: Item) -> State:
        """What a filter finds: of rows that differ the least one (measured: 10.11, 20c)."""
        apart = self._apart.get((user.id, item.id))
        if apart is None:
            return self.stored(user, item)
        least = self.stored(user, item).copy()
        least.played = all(state.played for state in apart.values())
        least.favourite = all(state.favourite for state in apart.values())
        least.position = min(state.position for state in apart.values())
        return least

    def read(self, user: User, item: Item) -> State:
        """What the UserData route says."""
        if self.rules.live_cache:
            return self.listed(user, item)
        return self.stored(user, item)

    def listed(self, user: User, item: Item) -> State:
        """What a list says; what was shown once may be kept."""
        self._seen[user.number].add(item.id)
        return self.peek_listed(user, item)

    def peek_listed(self, user: User, item: Item) -> State:
        """What a list would say, without leaving a trace."""
        cached = self._cached[user.number].get(item.id)
        return cached if cached is not None else self.stored(user, item)

    def note_listed(self, user: User, ids: Iterable[str]) -> None:
        """A page with these items was shown to the user."""
        self._seen[user.number].update(ids)

    def has_row(self, user: User, item: Item) -> bool:
        return item.id in self.rows[user.id]

    # --- writing

    def edit(self, user: User, item: Item) -> State:
        """A state to change and then to ``save``: what the write path sees, as a copy."""
        return self.read(user, item).copy()

    def save(self, user: User, item: Item, state: State) -> None:
        """Store a state under all keys. Raises RatingRefused for a rating that the database cannot hold."""
        if state.rating is not None and math.isnan(state.rating):
            self.spoil(user, item, state)
            raise RatingRefused(unprintable=True)
        self._apart.pop((user.id, item.id), None)
        self._set_row(user.id, item, state)
        self._cached[user.number].pop(item.id, None)
        if self.rules.live_cache:
            self._seen[user.number].add(item.id)
        else:
            self._seen[user.number].discard(item.id)

    def spoil(self, user: User, item: Item, state: State) -> None:
        """A write failed after it had changed the live object: reads show it, the row stays (10.11)."""
        if self.rules.live_cache:
            self._cached[user.number][item.id] = state

    def forget_user(self, user: User) -> None:
        """A user was deleted. What is cached under the internal number stays (10.11: the next user inherits it)."""
        for item_id, state in self.rows.pop(user.id, {}).items():
            if self.rules.live_cache:
                self._cached[user.number].setdefault(item_id, state)
        self.played_below.pop(user.id, None)
        for key in [key for key in self._apart if key[0] == user.id]:
            del self._apart[key]
        for rows in self._kept.values():
            rows.pop(user.id, None)
        if not self.rules.live_cache:
            self._cached.pop(user.number, None)
            self._seen.pop(user.number, None)

    def restart(self) -> None:
        """The server was restarted: caches are empty."""
        self._cached.clear()
        self._seen.clear()

    # --- items come and go

    def on_added(self, item: Item) -> None:
        """An item was found; 12 looks for its rows at once, 10.11 once it was read."""
        if not self.rules.live_cache:
            self._attach(item)

    def on_settled(self, item: Item) -> None:
        """An item was read: its keys are known now."""
        self._attach(item)

    def on_removed(self, item: Item) -> None:
        """An item goes: its rows are kept under their keys."""
        for user in self._users():
            self._remember(user, item)
            row = self.rows[user.id].pop(item.id, None)
            if row is not None:
                self._count(user.id, item, row, -1)
                for key, state in self._by_key(user.id, item, row).items():
                    self._kept.setdefault(key, {})[user.id] = state.copy()
                self._apart.pop((user.id, item.id), None)
            if not self.rules.live_cache:
                self._cached[user.number].pop(item.id, None)
                self._seen[user.number].discard(item.id)

    def _by_key(self, user_id: str, item: Item, row: State) -> dict[str, State]:
        return self._apart.get((user_id, item.id)) or dict.fromkeys(item.keys, row)

    def _attach(self, item: Item) -> None:
        if not self._kept:
            return
        found: dict[str, dict[str, State]] = {}
        for key in item.keys:
            for user_id, state in self._kept.pop(key, {}).items():
                found.setdefault(user_id, {})[key] = state
        for user in self._users():
            if user.id not in found:
                continue
            self._remember(user, item)
            row = self.rows[user.id].get(item.id)
            rows = found[user.id] | (self._by_key(user.id, item, row) if row is not None else {})
            self._apart[user.id, item.id] = rows
            self._set_row(user.id, item, rows[min(rows)])

    def _remember(self, user: User, item: Item) -> None:
        if item.id in self._seen[user.number]:
            self._cached[user.number].setdefault(item.id, self.stored(user, item))

    def _set_row(self, user_id: str, item: Item, state: State) -> None:
        old = self.rows[user_id].get(item.id)
        if old is not None:
            self._count(user_id, item, old, -1)
        self.rows[user_id][item.id] = state
        self._count(user_id, item, state, 1)

    def _count(self, user_id: str, item: Item, state: State, by: int) -> None:
        if state.played and not item.is_folder and item.primary is None:
            counts = self.played_below[user_id]
            for folder in item.above():
                counts[folder.id] += by
