"""Proofs before anything is trusted: that a server is the one that was connected, and that a token is a certain login's."""

from __future__ import annotations

from playhead.ports.backend import Backend, NamesTokens, RemoteUser
from playhead.ports.errors import NotFound, Unauthorized, UsageError, WrongServer
from playhead.settings import ConnectionSettings, Login, same_login
from playhead.wiring.installation import Installation, find_manifest
from playhead.wiring.signing_in import list_ways


async def prove_server(backend: Backend, connection: ConnectionSettings) -> None:
    """Raises WrongServer where another one answers."""
    info = await backend.probe()
    if connection.server_id and info.server_id != connection.server_id:
        raise WrongServer(
            f"Another server answers at {connection.url} than the one that was connected ({info.name}).",
            hint="Give the right address: playhead connections set NAME --url URL",
        )


async def prove_served(
    installation: Installation, connection: ConnectionSettings, own: Backend, name: str, user: RemoteUser
) -> None:
    """The connection's own token serves this login as well: an API key, or an administrator's. Raises PlayheadError."""
    try:
        await prove_login(installation, connection, own, user, None)
    except Unauthorized as error:
        way = next(iter(list_ways(find_manifest(connection.kind))))
        raise Unauthorized(
            f"The token of '{name}' may not act for '{user.name}': it is {connection.user}'s own, and not an administrator's.",
            hint=f"Let them sign in: playhead people link PERSON {name!r} {user.name!r} {way}; or give '{name}' an API key.",
        ) from error


async def prove_login(
    installation: Installation,
    connection: ConnectionSettings,
    own: Backend,
    user: RemoteUser,
    secret: str | None,
) -> None:
    """The login can be read, and with a token of its own that token is this login's. Raises PlayheadError."""
    login = Login(user.name, user.id, "", connection.token)
    backend = installation.make_backend(connection, token=secret, login=login)
    try:
        found = await backend.check_account()
        await backend.list_libraries()
    except NotFound as error:
        if secret is None:
            raise
        raise UsageError(f"That token is not of '{user.name}'. {error.message}", hint=error.hint) from error
    finally:
        await backend.close()
    name = found.name if not same_login(found.id, user.id) else user.name
    if same_login(name, user.id):  # nobody tells whose token it is: the owner may know
        told = await own.name_token(secret) if secret and isinstance(own, NamesTokens) else None
        name = told or user.name
    if name.casefold() not in (user.name.casefold(), (user.mail or "").casefold()):
        raise UsageError(
            f"That token belongs to '{name}', not to '{user.name}'.", hint=f"Give the token of '{user.name}'."
        )
