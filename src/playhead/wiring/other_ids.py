"""Under which other ids servers and those around them name the logins of a hub; learnt once a server was reached.

A Plex server calls its owner 1, its webhooks and Tautulli by the id of plex.tv: by that they are known also after a rename.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

import msgspec

from playhead.ports.backend import HasOtherIds
from playhead.ports.errors import PlayheadError
from playhead.ports.ledger import AccountRole
from playhead.wiring.hub import Hub


class OtherIds:
    """By connection and the server's own id of the login."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], frozenset[str]] = {}

    async def learn(self, hub: Hub, name: str) -> None:
        """Ask for those of a connection's logins that are not known yet; who cannot be asked now is asked the next time."""
        for linked in hub.linked:
            if linked.link.connection != name:
                continue
            login = hub.login(linked)
            backend = hub.backends.get((name, login.key))
            if isinstance(backend, HasOtherIds) and (name, login.user_id) not in self._known:
                with suppress(PlayheadError):
                    if ids := await backend.list_other_ids():
                        self._known[name, login.user_id] = ids

    def add_to(self, roles: Mapping[int, AccountRole]) -> dict[int, AccountRole]:
        """The same roles with what is known."""
        return {
            account: msgspec.structs.replace(role, other_ids=found) if (found := self._find(role)) else role
            for account, role in roles.items()
        }

    def _find(self, role: AccountRole) -> frozenset[str] | None:
        return self._known.get((role.connection, role.user_id))
