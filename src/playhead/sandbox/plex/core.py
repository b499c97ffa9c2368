"""What one emulated Plex knows: its accounts, catalogue, watch state and clock; shared by routes and acts. No HTTP."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import msgspec

from playhead.sandbox.clock import SkewedClock
from playhead.sandbox.plex.accounts import Account, find_account, make_accounts, renew_token
from playhead.sandbox.plex.answers import EVERYTHING
from playhead.sandbox.plex.building import Builder
from playhead.sandbox.plex.catalogue import Catalogue, Node
from playhead.sandbox.plex.guids import make_hex
from playhead.sandbox.plex.notifications import Notifications
from playhead.sandbox.plex.pins import Pins
from playhead.sandbox.plex.playback import Playback
from playhead.sandbox.plex.render import Renderer
from playhead.sandbox.plex.scanning import Scans
from playhead.sandbox.plex.watchstate import Setting, WatchState
from playhead.sandbox.plex.webhooks import Webhooks
from playhead.sandbox.plex.wording import check_language
from playhead.sandbox.quirks import check_quirks, read_delays
from playhead.sandbox.times import to_epoch
from playhead.sandbox.world import World, WorldServer, WorldUser

DEFAULT_VERSION = "1.43.3"
QUIRKS = frozenset(
    {"rich", "date_filters", "no_initial_history", "misses_new_folder", "empties_trash", "language"}
)
DELAYS = MappingProxyType({"playing_s": 10.0, "scan_s": 2.0, "metadata_s": 1.0})


class PlexCore:
    """One server. Raises ValueError where the world does not fit together."""

    def __init__(self, world: World, spec: WorldServer, clock: SkewedClock) -> None:
        check_quirks(spec, QUIRKS)
        self.name = spec.name
        self.version = spec.version or DEFAULT_VERSION
        self.machine_id = spec.server_id or make_hex("plex", spec.name, length=40)
        self.clock = clock
        self.agenda = clock.agenda
        self.date_filters = bool(spec.quirks.get("date_filters"))
        self.accounts = make_accounts(spec)
        self.catalogue = Catalogue(self.machine_id, first_key=1000 + int(self.machine_id[:3], 16))
        self.builder = Builder(world, spec, self.catalogue, self.now())
        self.language = str(spec.quirks.get("language", "en"))
        check_language(self.language)
        self.scans = Scans(self, read_delays(spec, DELAYS), spec.quirks)
        self.scans.read_all()
        self.state = WatchState()
        self.renderer = Renderer(rich=bool(spec.quirks.get("rich")))
        history = not spec.quirks.get("no_initial_history")
        for account, user in zip(self.accounts, spec.users, strict=False):
            self._load_state(account, user, history)
        self.notifications = Notifications(self)
        self.webhooks = Webhooks(self, {self.accounts[0].name: list(spec.webhooks)})
        self.pins: Pins | None = None  # plex.tv's, once there is one
        self.addresses: list[dict[str, Any]] = []  # further ones that plex.tv tells of this server
        self.playback = Playback(self, read_delays(spec, DELAYS)["playing_s"])

    def now(self) -> int:
        return int(self.clock.now())

    def account(self, user: str) -> Account:
        return find_account(self.accounts, user)

    def by_token(self, token: str) -> Account | None:
        return next((account for account in self.accounts if account.token == token), None)

    def delete_account(self, account: Account, again: Account | None = None) -> None:
        """An account goes, with what it said; ``again`` takes its place. Raises ValueError for the owner."""
        if account.owner:
            raise ValueError("the owner of a Plex server cannot be deleted")
        place = self.accounts.index(account)
        self.accounts[place : place + 1] = [again] if again else []
        self.state.settings.pop(account.id, None)
        self.playback.forget(account)

    def revoke_token(self, account: Account) -> None:
        """The login's token is refused from now on; plex.tv has another for it."""
        self.accounts[self.accounts.index(account)] = renew_token(account)

    def setting(self, account: Account, node: Node) -> Setting | None:
        return self.state.of(account.id).get(node.guid)

    def describe(self, account: Account, node: Node) -> dict[str, Any]:
        """An item as somebody sees it, with its ids and its section."""
        watched = self.watched_leaves(account, node) if node.children else None
        setting = self.setting(account, node)
        entry = self.renderer.render(
            node, setting, EVERYTHING, guids=True, section=True, watched_leaves=watched
        )
        return dict(msgspec.json.decode(entry))

    def watched_leaves(self, account: Account, node: Node) -> int:
        settings = self.state.of(account.id)
        return sum(1 for leaf in node.leaves() if (found := settings.get(leaf.guid)) and found.view_count)

    def _load_state(self, account: Account, user: WorldUser, history: bool) -> None:
        """State from before the start. On Plex whatever is watched has a date; one that is missing becomes now."""
        for told in user.state:
            nodes = self.catalogue.by_world.get(told.item)
            if not nodes:
                continue
            node, last = nodes[0], to_epoch(told.last_played)
            setting = self.state.touch(account.id, node.guid)
            setting.view_count = (told.plays or 1) if told.watched else 0
            setting.view_offset = int(told.position_s * 1000)
            if setting.view_count or setting.view_offset:
                setting.last_viewed = int(last) if last is not None else self.now()
            setting.rating = told.rating
            setting.last_rated = setting.last_viewed if told.rating is not None else 0
            if history and told.watched:
                self.state.add_view(account.id, node, setting.last_viewed)
