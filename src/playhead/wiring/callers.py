"""Who is who at the proxies of an installation: the book of callers, and the backends that it may ask."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from contextlib import suppress

import msgspec

from playhead.ports.backend import RemoteUser
from playhead.ports.callers import Credential, Named, NamesCallers
from playhead.ports.errors import PlayheadError
from playhead.runtime.callers import CallerBook
from playhead.runtime.home import Home
from playhead.store.callers import CallersFile
from playhead.store.secrets import SecretStore
from playhead.wiring.hub import Hub
from playhead.wiring.installation import Installation, find_manifest

_KEY = "caller-key"


def open_callers(home: Home) -> CallerBook:
    """The book of a home folder, with what is kept of earlier runs."""
    store = SecretStore(home.path)
    key = store.keep_at_need(_KEY, lambda: secrets.token_urlsafe(32))
    return CallerBook(key.encode(), CallersFile(home.callers, store))


def list_own(
    installation: Installation, connection_ids: Mapping[str, int]
) -> dict[tuple[int, str], RemoteUser]:
    """The hub's own logins by connection and token, where a proxy can stand; nobody has to be asked for them."""
    own = dict[tuple[int, str], RemoteUser]()
    for name, connection in installation.settings.connections.items():
        if name not in connection_ids or not find_manifest(connection.kind).proxied:
            continue
        for login in connection.logins():
            with suppress(PlayheadError):  # a token that cannot be had is told where the login is used
                token = installation.secrets.resolve(login.token)
                own.setdefault((connection_ids[name], token), RemoteUser(login.user_id, login.user))
    return own


class HubCallers(msgspec.Struct, frozen=True):
    """The book with the servers that a hub has reached. Meets ``ports.callers.Callers``."""

    book: CallerBook
    hub: Hub

    async def find(self, wanted: Mapping[str, int]) -> Mapping[str, RemoteUser]:
        """The logins of callers, each given with its connection's id; those that nobody can tell now are left out."""
        return await self.book.find(wanted, self._ask)

    async def _ask(self, connection_id: int, credential: Credential) -> Named | None:
        backend = self.hub.find_own_backend(connection_id)
        return await backend.name_caller(credential) if isinstance(backend, NamesCallers) else None
