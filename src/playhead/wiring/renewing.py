"""What happens when a login's token is refused: another one is looked for once, else a person is told how to sign in again, and
the login is asked again only now and then. The other logins go on.

Joins settings, tokens and backends; sends nothing by itself but what proves a new token.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import cast

import msgspec

from playhead.kit.log import Log
from playhead.kit.wrap.renewing import make_renewing
from playhead.ports.backend import Backend, GivesTokens, RemoteUser
from playhead.ports.errors import PlayheadError, TokenRefused
from playhead.ports.events import Event
from playhead.runtime.listeners import Line
from playhead.settings import ConnectionSettings, Login
from playhead.wiring.installation import Installation, find_manifest
from playhead.wiring.proving import prove_login
from playhead.wiring.signing_in import say_sign_in_again

log = Log(__name__)


class RefusedLogin(msgspec.Struct, frozen=True):
    """A login whose token was refused, and what a person does about it. ``since`` is epoch seconds."""

    connection: str
    user: str
    since: float
    again_at: float
    message: str
    hint: str


def open_backend(
    installation: Installation, name: str, connection: ConnectionSettings, login: Login, secret: str
) -> Backend:
    """A login's backend that renews its token by itself where that is possible, and else does not ask with it again and again."""
    door = _LoginDoor(installation, name, connection, login, secret)
    return make_renewing(door.make_backend(secret), door)


def say_refused(name: str, login: Login, kind: str, *, told: bool) -> TokenRefused:
    """The one message for it, with the exact command; ``told``: it was said before."""
    manifest = find_manifest(kind)
    return TokenRefused(
        f"{manifest.title} does not take the token of '{login.user}' on '{name}' any more.",
        hint=f"Sign in again: {say_sign_in_again(name, login, manifest)}",
        told=told,
    )


def check_token(installation: Installation, name: str, login: Login, kind: str, secret: str) -> None:
    """Raise TokenRefused while the token is not to be tried. A command that a person gives tries it once."""
    before = None if installation.patient else installation.began
    if not installation.refusals.may_ask(name, secret, time.time(), before=before):
        raise say_refused(name, login, kind, told=True)


class CheckedLine:
    """A line to hear on that notes where its token is refused."""

    def __init__(self, inner: Line, refuse: Callable[[], TokenRefused]) -> None:
        self._inner = inner
        self._refuse = refuse

    async def listen(self) -> AsyncIterator[Event]:
        """What the line tells; a refusal in words for a person."""
        try:
            async with aclosing(self._inner.listen()) as events:  # type: ignore[type-var]
                async for event in events:
                    yield event
        except TokenRefused as error:
            raise self._refuse() from error

    async def close(self) -> None:
        await self._inner.close()


def open_line(
    installation: Installation, name: str, connection: ConnectionSettings, login: Login | None
) -> Line:
    """A line for a login, None = the connection's own. Raises TokenRefused while its token is not to be tried."""
    own = login or connection.logins()[0]
    secret = installation.secrets.resolve(own.token)
    door = _LoginDoor(installation, name, connection, own, secret)
    door.check()
    return CheckedLine(cast(Line, door.make_backend(secret)), door.refuse)


def list_refused(installation: Installation) -> list[RefusedLogin]:
    """The logins whose tokens were refused and did not work since; a token that cannot be looked up is told elsewhere."""
    found = []
    for name, connection in installation.settings.connections.items():
        for login in connection.logins():
            try:
                secret = installation.secrets.resolve(login.token)
            except PlayheadError:
                continue
            refusal = installation.refusals.find(name, secret)
            if refusal is None or (login.place is not None and login.token == connection.token):
                continue  # what the connection's own token serves is told with that
            told = say_refused(name, login, connection.kind, told=True)
            found.append(
                RefusedLogin(name, login.user, refusal.since, refusal.again_at, told.message, told.hint)
            )
    return found


class _LoginDoor:
    """One login and the token in use."""

    def __init__(
        self,
        installation: Installation,
        name: str,
        connection: ConnectionSettings,
        login: Login,
        secret: str,
    ) -> None:
        self._installation = installation
        self._name = name
        self._connection = connection
        self._login = login
        self._secret = secret
        self._fetched: set[str] = set()

    def make_backend(self, secret: str) -> Backend:
        return self._installation.make_backend(self._connection, token=secret, login=self._login)

    def check(self) -> None:
        """A look at what is noted; no request."""
        check_token(self._installation, self._name, self._login, self._connection.kind, self._secret)

    def note_answer(self) -> None:
        """What was noted of it is over."""
        self._installation.refusals.clear(self._name, self._secret)

    async def renew(self, error: TokenRefused) -> Backend:
        """A token that was put in its place meanwhile, else one that the owner's gets; each proved to be this login's."""
        try:
            secret = await self._find_newer() or await self._fetch_new()
        except PlayheadError as failed:
            log.info("no other token", connection=self._name, user=self._login.user, error=failed.message)
            secret = None
        if secret is None:
            raise self.refuse(tell=True) from error
        self._secret = secret
        log.info("signed in again", connection=self._name, user=self._login.user)
        return self.make_backend(secret)

    def refuse(self, *, tell: bool = False) -> TokenRefused:
        """Note it, and say what to do. ``tell``: the log as well, the first time."""
        known = self._installation.refusals.find(self._name, self._secret) is not None
        told = say_refused(self._name, self._login, self._connection.kind, told=known)
        self._installation.refusals.note(self._name, self._secret, time.time())
        if tell and not known:
            log.warning("sign in again", connection=self._name, user=self._login.user, how=told.hint)
        return told

    async def _find_newer(self) -> str | None:
        """Another process, or a person, may have put another token where this one lay."""
        secret = self._installation.secrets.resolve(self._login.token)
        if secret == self._secret:
            return None
        backend = self.make_backend(secret)
        try:
            await backend.check_account()
        finally:
            await backend.close()
        return secret

    async def _fetch_new(self) -> str | None:
        """The connection's own login gets one for a further login whose token is kept here; not for those whom a PIN protects.
        A token that it gave is not asked for again when it is refused in turn."""
        login, connection = self._login, self._connection
        own_token = login.place is not None and login.token not in (connection.token, None)
        if not own_token or not login.token.startswith("store:") or self._secret in self._fetched:
            return None
        own = self._installation.make_backend(connection)
        try:
            if not isinstance(own, GivesTokens):
                return None
            user = RemoteUser(login.user_id, login.user)
            secret = await own.fetch_token(user, None)
            if secret == self._secret:
                return None
            await prove_login(self._installation, connection, own, user, secret)
        finally:
            await own.close()
        self._installation.secrets.replace(login.token, secret)
        self._installation.refusals.clear(self._name, self._secret)
        self._fetched.add(secret)
        return secret
