"""How a person gets a connection its token without ever handling one: by a code that is approved elsewhere, or by name and
password.

Knows no backend. A password is used once and kept nowhere; a token is given to the caller, who alone keeps it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from playhead.ports.backend import RemoteUser


class CodeShown(msgspec.Struct, frozen=True):
    """What a person is told: ``code``, and ``where`` it is approved (an address that may hold the code already, or words)."""

    code: str
    where: str
    expires_in_s: float
    ask_every_s: float = 1.0


class OfferedServer(msgspec.Struct, frozen=True):
    """A server that whoever signed in may use."""

    server_id: str
    name: str
    owned: bool = True


class Granted(msgspec.Struct, frozen=True):
    """What a sign-in gave: a server's token, and whose it is there."""

    token: str
    user: RemoteUser


class SignsInByCode(Protocol):
    """One sign-in by code, from its beginning to the token. Each step raises BackendError."""

    async def begin(self) -> CodeShown:
        """Ask for a code. Raises Refused where the server does not offer it, RateLimited."""

    async def is_approved(self) -> bool:
        """Whether the person is through with it. Raises Refused where the code is void."""

    async def list_servers(self) -> Sequence[OfferedServer]:
        """The servers of the one who signed in; one's own where the code is a server's."""

    async def fetch_token(self, server_id: str) -> Granted:
        """The token for one of these servers."""

    async def find_url(self, server_id: str) -> str:
        """An address at which that very server answers. Raises Unreachable where none does."""

    async def close(self) -> None:
        """Release the connections."""


class SignsInByPassword(Protocol):
    """Sign-in by name and password."""

    async def sign_in(self, user: str, password: str) -> Granted:
        """A token for the login. Raises Unauthorized where name or password is wrong."""

    async def close(self) -> None:
        """Release the connections."""
