"""Watch state of an emulated Plex, kept by account and guid, and what each kind of write does to it.

Source: facts, api-plex.md 2.2, 3 and 4; what is not recorded is marked *assumed*. Knows no HTTP. Times are epoch
seconds, offsets milliseconds; 0 and None mean absent.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from playhead.sandbox.plex.catalogue import Node

MINIMUM_PROGRESS_MS = 60_000
WATCHED_SHARE = 0.9


class Setting(msgspec.Struct, gc=False):
    """One account's state of one guid."""

    view_count: int = 0
    view_offset: int = 0
    last_viewed: int = 0
    rating: float | None = None
    last_rated: int = 0
    skip_count: int = 0


class View(msgspec.Struct, gc=False, frozen=True):
    """A row of the history: one play to the end. Manual marks leave none."""

    id: int
    account: int
    node: Node
    viewed_at: int
    device: int = 1


class WatchState:
    """All accounts' settings and the history of plays. ``revisions`` moves with each change of an account."""

    def __init__(self) -> None:
        self.settings: dict[int, dict[str, Setting]] = {}
        self.revisions: dict[int, int] = {}
        self.views: list[View] = []
        self._past_mark: set[tuple[int, str, str]] = set()
        self._last_view = 0

    def of(self, account: int) -> dict[str, Setting]:
        """The account's settings by guid, for reading."""
        return self.settings.setdefault(account, {})

    def touch(self, account: int, guid: str) -> Setting:
        """The account's setting for a guid, about to be changed."""
        self.revisions[account] = self.revisions.get(account, 0) + 1
        return self.of(account).setdefault(guid, Setting())

    def scrobble(self, account: int, node: Node, now: int) -> None:
        """Mark as played: counts one more each time, clears the offset, stamps now; a show marks its leaves."""
        for guid in _guids(node):
            setting = self.touch(account, guid)
            setting.view_count += 1
            setting.view_offset = 0
            setting.last_viewed = now

    def unscrobble(self, account: int, node: Node) -> None:
        """Mark as unplayed: count, offset and date vanish; a rating stays. Containers lose their own row as well."""
        for guid in {*_guids(node), node.guid}:
            setting = self.touch(account, guid)
            setting.view_count = setting.view_offset = setting.last_viewed = 0

    def report(
        self, account: int, node: Node, offset: int, now: int, *, client: str = "", stopped: bool = True
    ) -> bool:
        """A position from a player. Under a minute nothing is kept; past 90 % it is a play, counted once a session.

        Tells whether a play was counted.
        """
        session = (account, node.guid, client)
        counted = False
        if node.duration and offset >= node.duration * WATCHED_SHARE:
            if session not in self._past_mark:
                self._past_mark.add(session)
                self.play(account, node, now)
                counted = True
        elif offset >= MINIMUM_PROGRESS_MS:
            self._past_mark.discard(session)
            setting = self.touch(account, node.guid)
            setting.view_offset = offset
            setting.last_viewed = now
        if stopped:
            self._past_mark.discard(session)
        return counted

    def play(self, account: int, node: Node, at: int) -> None:
        """Played to the end: counts, and leaves a row in the history; season and show count a play of their own."""
        setting = self.touch(account, node.guid)
        setting.view_count += 1
        setting.view_offset = 0
        setting.last_viewed = max(at, setting.last_viewed)
        for holder in (node.parent, node.show) if node.kind == "episode" else ():
            if holder is not None:
                above = self.touch(account, holder.guid)
                above.view_count += 1
                above.last_viewed = max(at, above.last_viewed)
        self.add_view(account, node, at)

    def add_view(self, account: int, node: Node, at: int) -> None:
        self._last_view += 1
        self.views.append(View(id=self._last_view, account=account, node=node, viewed_at=at))

    def rate(self, account: int, node: Node, rating: float | None, at: int) -> None:
        """Rate, or clear with None."""
        setting = self.touch(account, node.guid)
        setting.rating = rating
        setting.last_rated = at if rating is not None else 0

    def forget_guid(self, guid: str) -> None:
        """All accounts lose what they said of a guid that will never come back (``local://``)."""
        for account, settings in self.settings.items():
            if settings.pop(guid, None) is not None:
                self.revisions[account] = self.revisions.get(account, 0) + 1


def _guids(node: Node) -> Iterable[str]:
    return dict.fromkeys(leaf.guid for leaf in node.leaves())
