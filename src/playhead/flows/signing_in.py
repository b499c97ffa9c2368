"""What comes between a code that is shown and the token: waiting until a person has approved it, and which server is meant.

Knows ports only. Nothing is kept here.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

import msgspec

from playhead.ports.backend import RemoteUser
from playhead.ports.errors import BackendError, PlayheadError, RateLimited, Refused, Retry, UsageError
from playhead.ports.signing_in import CodeShown, Granted, OfferedServer, SignsInByCode

BEGIN_ATTEMPTS = 4
LONGEST_PAUSE_S = 30.0
SLOW_DOWN_S = 5.0  # where a request to slow down does not say for how long

Tell = Callable[[float], None]
"""Called before each question with the seconds that are left."""


class SignedIn(msgspec.Struct, frozen=True):
    """A token, whose it is, and where its server answers."""

    url: str
    granted: Granted


class ServerNeeded(UsageError):
    """Several servers could be meant. ``servers`` may be chosen from."""

    code = "server-needed"

    def __init__(self, servers: Sequence[OfferedServer]) -> None:
        names = ", ".join(f"'{server.name}'" for server in servers)
        super().__init__(
            f"{len(servers)} servers could be meant.", hint=f"Say which with --server NAME: {names}."
        )
        self.servers = tuple(servers)


async def ask_for_code(sign_in: SignsInByCode) -> CodeShown:
    """Begin; a request to slow down is obeyed a few times. Raises BackendError."""
    for _ in range(BEGIN_ATTEMPTS - 1):
        try:
            return await sign_in.begin()
        except RateLimited as error:
            await asyncio.sleep(min(error.retry_after_s or SLOW_DOWN_S, LONGEST_PAUSE_S))
    return await sign_in.begin()


async def wait_for_approval(sign_in: SignsInByCode, shown: CodeShown, tell: Tell) -> None:
    """Ask until the person is through with it; a blip of the network or a request to slow down only delays that. Raises
    Refused where the time is over."""
    ends = time.monotonic() + shown.expires_in_s
    while (left := ends - time.monotonic()) > 0:
        tell(left)
        wait = shown.ask_every_s
        try:
            if await sign_in.is_approved():
                return
        except RateLimited as error:
            wait = max(wait, error.retry_after_s or SLOW_DOWN_S)
        except BackendError as error:
            if error.retry is Retry.never:
                raise
        await asyncio.sleep(min(wait, max(0.0, ends - time.monotonic())))
    raise Refused("Nobody approved the code in time.", hint="Run it again for a new code.")


def choose_server(servers: Sequence[OfferedServer], wanted: str | None) -> OfferedServer:
    """The server that is meant, by name or id; the only one where none was named. Raises PlayheadError where there is none,
    ServerNeeded where there are several."""
    if not servers:
        raise PlayheadError(
            "This account has no server and none is shared with it.",
            hint="Sign in as somebody who has one, or ask its owner to invite this account.",
        )
    found = list(servers)
    if wanted is not None:
        key = wanted.strip().casefold()
        found = [each for each in servers if key in (each.server_id.casefold(), each.name.casefold())]
        if not found:
            names = ", ".join(f"'{server.name}'" for server in servers)
            raise UsageError(f"This account has no server '{wanted}'.", hint=f"It has: {names}.")
    if len(found) > 1:
        raise ServerNeeded(found)
    return found[0]


def refuse_another(granted: Granted, wanted: str | None) -> None:
    """Who signed in must be who was named: by name, id or mail address. Raises PlayheadError."""
    user = granted.user
    known = {name.casefold() for name in (user.id, user.name, user.mail, user.world_id) if name}
    if wanted is not None and wanted.strip().casefold() not in known:
        raise PlayheadError(
            f"'{user.name}' signed in, not '{wanted}'.",
            hint=f"Run it again and sign in as '{wanted}', or leave the user out.",
        )


def settle_user(found: RemoteUser, granted: Granted) -> RemoteUser:
    """The login as the server tells it; as the sign-in told it where the server does not tell whose the token is."""
    return found if found.id == granted.user.id else granted.user
