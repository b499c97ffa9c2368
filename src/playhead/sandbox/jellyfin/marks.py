"""What a mark, a write of user data and a report of playback do to a state. Facts: api-jellyfin-emby A4 and A8."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from playhead.sandbox.jellyfin.accounts import User
from playhead.sandbox.jellyfin.catalogue import Catalogue
from playhead.sandbox.jellyfin.items import Item
from playhead.sandbox.jellyfin.rules import Rules
from playhead.sandbox.jellyfin.userdata import RatingRefused, State, UserDataStore

MIN_RESUME_PCT = 5
MAX_RESUME_PCT = 90
MIN_RESUME_TICKS = 300 * 10_000_000
LIKE, DISLIKE = 10.0, 1.0


def _ignore(user: User, item: Item, reason: str) -> None:
    """Nobody listens."""


class Marks:
    """Changes of state, for one server. ``on_saved`` is told of each with the reason that the server gives it."""

    def __init__(self, rules: Rules, catalogue: Catalogue, store: UserDataStore) -> None:
        self.rules = rules
        self.catalogue = catalogue
        self.store = store
        self.on_saved: Callable[[User, Item, str], None] = _ignore

    # --- marks

    def mark(self, user: User, item: Item, date: int | None, now: int) -> None:
        """Mark played; a folder marks every leaf below it."""
        for leaf in self._leaves(item):
            state = self.store.edit(user, leaf)
            if date is not None:
                state.plays += 1
                state.last_played = date
            else:
                state.plays = max(state.plays, 1)
                if state.last_played is None or not self.rules.keeps_old_date:
                    state.last_played = now
            state.played, state.position = True, 0
            self._save(user, leaf, state, "TogglePlayed")
            self._pass_on(user, leaf, played=True)

    def unmark(self, user: User, item: Item) -> None:
        """Mark unplayed: count, position and date go."""
        for leaf in self._leaves(item):
            state = self.store.edit(user, leaf)
            state.played, state.plays, state.position, state.last_played = False, 0, 0, None
            self._save(user, leaf, state, "TogglePlayed")
            self._pass_on(user, leaf, played=False)

    def favourite(self, user: User, item: Item, on: bool) -> None:
        """Set or clear the favourite."""
        state = self.store.edit(user, item)
        state.favourite = on
        self._save(user, item, state, "UpdateUserRating")

    def like(self, user: User, item: Item, likes: bool | None) -> None:
        """A thumb up or down is a rating of 10 or 1; None clears it."""
        state = self.store.edit(user, item)
        state.rating = None if likes is None else LIKE if likes else DISLIKE
        self._save(user, item, state, "UpdateUserRating")

    def write(self, user: User, item: Item, members: dict[str, Any]) -> None:
        """Apply the members that are not null, one by one. Raises RatingRefused; 10.11 then shows the rest all the same."""
        state = self.store.edit(user, item)
        if members.get("PlaybackPositionTicks") is not None:
            state.position = members["PlaybackPositionTicks"]
        if members.get("PlayCount") is not None:
            state.plays = members["PlayCount"]
        if members.get("IsFavorite") is not None:
            state.favourite = members["IsFavorite"]
        if members.get("Likes") is not None:
            state.rating = LIKE if members["Likes"] else DISLIKE
        if members.get("Played") is not None:
            state.played = members["Played"]
        if members.get("LastPlayedDate") is not None:
            state.last_played = members["LastPlayedDate"]
        rating = members.get("Rating")
        if rating is not None:
            self._rate(user, item, state, rating)
        self._save(user, item, state, "UpdateUserData")

    def _save(self, user: User, item: Item, state: State, reason: str) -> None:
        self.store.save(user, item, state)
        self.on_saved(user, item, reason)

    def _rate(self, user: User, item: Item, state: State, rating: float) -> None:
        if rating < 0 or rating > 10:
            self.store.spoil(user, item, state)
            raise RatingRefused
        state.rating = rating

    def _leaves(self, item: Item) -> Iterable[Item]:
        if not item.is_folder:
            return [item]
        return sorted(
            self.catalogue.leaves_below(item), key=lambda leaf: (leaf.season or 0, leaf.episode or 0)
        )

    def _pass_on(self, user: User, item: Item, *, played: bool, reason: str = "TogglePlayed") -> None:
        """12: the other versions of a film become played or unplayed with it, without count and date."""
        if not self.rules.linked_versions or not (item.versions or item.primary):
            return
        primary = item.primary or item
        for other in (primary, *primary.versions):
            state = self.store.edit(user, other)
            if other is not item and state.played != played:
                state.played = played
                if not played:
                    state.plays, state.position, state.last_played = 0, 0, None
                self._save(user, other, state, reason)

    # --- playback

    def start(self, user: User, item: Item, now: int) -> None:
        """Playback began: counted and dated at once; before 12 the item is unplayed by it."""
        state = self.store.edit(user, item)
        state.plays += 1
        state.last_played = now
        if self.rules.start_unplays:
            state.played = False
        self._save(user, item, state, "PlaybackStart")

    def progress(
        self, user: User, item: Item, position: int | None, reason: str = "PlaybackProgress"
    ) -> None:
        """A report in between."""
        if position is None:
            return
        state = self.store.edit(user, item)
        ended = self._play_state(item, state, position)
        self._save(user, item, state, reason)
        if ended:
            self._pass_on(user, item, played=True, reason=reason)

    def stop(self, user: User, item: Item, position: int | None) -> None:
        """Playback ended; without a position it counts as seen to the end."""
        if position is not None:
            self.progress(user, item, position, "PlaybackFinished")
            return
        state = self.store.edit(user, item)
        state.plays += 1
        state.played, state.position = True, 0
        self._save(user, item, state, "PlaybackFinished")
        self._pass_on(user, item, played=True, reason="PlaybackFinished")

    def _play_state(self, item: Item, state: State, position: int) -> bool:
        """Apply a position by the server's thresholds; True where it makes the item played."""
        runtime = item.runtime or 0
        if not runtime:
            state.played, state.position = True, 0
            return True
        percent = position * 100 / runtime
        if percent < MIN_RESUME_PCT:
            state.position = 0
            return False
        ended = percent > MAX_RESUME_PCT or position >= runtime - 10_000_000
        if ended or runtime < MIN_RESUME_TICKS:
            state.played, state.position = True, 0
            return True
        state.position = position
        return False
