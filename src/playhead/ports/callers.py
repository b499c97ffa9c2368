"""Who asked for something at a proxy: requests carry a token, and whose it is tells which account's item to read.

A token never goes into an event, an inbox or a log. What stands for it is a keyed hash, the ``caller``; the token itself is kept
in memory for as long as somebody may have to be asked whose it is. Who cannot be told is nobody: then the item is read through
every account of the connection, each for itself, so that not knowing costs a reading and mixes nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

import msgspec

from playhead.ports.backend import RemoteUser
from playhead.ports.events import Event


class Credential(msgspec.Struct, frozen=True):
    """What a request showed of its caller; "" = nothing. ``client`` is the identifier of the app's installation."""

    token: str = ""
    client: str = ""


class Proxied(msgspec.Struct, frozen=True):
    """One request that passed a proxy. ``host`` is the name by which the client called the proxy, with its port."""

    event: Event
    credential: Credential
    host: str = ""


class ReadsProxied(Protocol):
    """An adapter's ``proxied`` module. Pure."""

    def __call__(self, body: bytes) -> tuple[Proxied, ...]:
        """The requests in lines of JSON, one each; what no proxy of this backend writes is an event ``other``, for one bad line
        must not hold up those behind it."""
        ...


class Named(msgspec.Struct, frozen=True):
    """Whose a credential is. ``passing``: told by who plays on the app just now; somebody else may a minute later."""

    user: RemoteUser
    passing: bool = False


@runtime_checkable
class NamesCallers(Protocol):
    """A backend whose account may know who calls its server: the owner, on Plex."""

    async def name_caller(self, credential: Credential) -> Named | None:
        """The login to which a credential belongs, with the id by which accounts are known; None where nobody tells. Raises
        BackendError where who could tell cannot be asked now."""
        ...


class Callers(Protocol):
    """Who is who among the callers."""

    async def find(self, wanted: Mapping[str, int]) -> Mapping[str, RemoteUser]:
        """The logins of callers, each given with its connection's id; those that nobody can tell now are left out."""
        ...


class KnownCaller(msgspec.Struct, frozen=True):
    """Whose a caller is, until when that is believed (epoch seconds)."""

    user: RemoteUser
    until: float


class KeepsCallers(Protocol):
    """Where that outlives a restart, unreadable for others."""

    def load(self) -> Mapping[str, KnownCaller]:
        """All that is kept; nothing where it cannot be read any more."""
        ...

    def save(self, callers: Mapping[str, KnownCaller]) -> None:
        """Keep these and no others."""
        ...
