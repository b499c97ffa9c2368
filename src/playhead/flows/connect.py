"""Checks a connection before anything of it is saved: is it that kind of server, does the token work, for whom.

Knows ports only; saving is the caller's. A failure leaves nothing behind.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from playhead.ports.backend import Backend, Library, NamesTokens, RemoteUser, ServerInfo
from playhead.ports.errors import BackendError, NotFound, PlayheadError, Unauthorized, UsageError, WrongServer

MakeBackend = Callable[[str], Backend]
"""A backend for a native user id; empty = whoever the token belongs to."""


class Checked(msgspec.Struct, frozen=True):
    """What was found: who answers, for whom the token works, and the libraries that this user sees."""

    server: ServerInfo
    user: RemoteUser
    libraries: tuple[Library, ...]


class UserNeeded(UsageError):
    """The token does not tell whose watch state is meant. ``users`` may be chosen from."""

    code = "user-needed"

    def __init__(self, title: str, users: Sequence[RemoteUser]) -> None:
        names = ", ".join(user.name for user in users) or "none that this token may see"
        super().__init__(
            f"The token for {title} does not tell for which user it is.",
            hint=f"Give --user; users there: {names}.",
        )
        self.users = tuple(users)


async def check_connection(make_backend: MakeBackend, *, kind: str, title: str, user: str | None) -> Checked:
    """Check server, token, user and libraries, in this order. ``user`` is a name or native id, None = the token's own.

    Raises BackendError, UserNeeded, or PlayheadError where the token is somebody else's.
    """
    backend = make_backend(user or "")
    try:
        server = await backend.probe()
        if server.kind != kind:
            raise WrongServer(
                f"{server.name} is a {server.kind} server, not {title}.",
                hint=f"Use: playhead connect {server.kind}",
            )
        found = await _check_user(backend, title, user)
        return Checked(server=server, user=found, libraries=tuple(await backend.list_libraries()))
    finally:
        await backend.close()


async def find_name(backends: Sequence[Backend], token: str) -> str | None:
    """The name of the account that a token is for, from other accounts of the same server that may know; None where none
    does. Closes the backends."""
    found: str | None = None
    for backend in backends:
        try:
            if found is None and isinstance(backend, NamesTokens):
                found = await backend.name_token(token)
        except BackendError:
            continue  # the name is a nicety; that server's own connection says what is wrong
        finally:
            await backend.close()
    return found


async def _check_user(backend: Backend, title: str, wanted: str | None) -> RemoteUser:
    try:
        user = await backend.check_account()
    except NotFound as error:
        if wanted is not None:
            raise
        raise UserNeeded(title, await _users(backend)) from error
    if wanted is not None and not _is(user, wanted):
        raise PlayheadError(
            f"The token for {title} belongs to '{user.name}', not to '{wanted}'.",
            hint=f"Give the token of '{wanted}', or leave --user out.",
        )
    return user


async def _users(backend: Backend) -> list[RemoteUser]:
    try:
        return await backend.list_users()
    except (Unauthorized, NotFound):
        return []  # a plain user may not list the others


def _is(user: RemoteUser, wanted: str) -> bool:
    plain = wanted.strip().casefold()
    return plain in (user.id.casefold(), user.name.casefold()) or plain.replace("-", "") == user.id.casefold()


def choose_libraries(libraries: Sequence[Library], wanted: Sequence[str]) -> list[str]:
    """What a person named, titles as the server writes them, native ids as they are. Raises UsageError naming those
    that exist."""
    names: list[str] = []
    for name in wanted:
        match = next((library for library in libraries if library.is_named(name)), None)
        if match is None:
            raise UsageError(f"There is no library '{name}'.", hint=list_titles(libraries))
        names.append(name if name == match.id else match.title)
    return names


def list_titles(libraries: Sequence[Library]) -> str:
    """``Libraries there: Movies, Shows.``"""
    known = ", ".join(library.title for library in libraries) or "none with movies or shows"
    return f"Libraries there: {known}."
