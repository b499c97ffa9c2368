"""Logins of all servers joined with the settings that say whose they are: listing, linking and what waits of strangers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec

from playhead.flows.people import Place, find_user
from playhead.ports.backend import Backend, GivesTokens, RemoteUser
from playhead.ports.errors import NotFound, PlayheadError, Unauthorized, UsageError
from playhead.ports.signing_in import Granted
from playhead.settings import AccountSettings, ConnectionSettings, Login, Settings, same_login
from playhead.store.accounts import retire_person, take_over
from playhead.store.database import open_database
from playhead.store.inbox import Unmatched, read_unmatched
from playhead.wiring.hub import open_hub
from playhead.wiring.installation import Installation, find_manifest
from playhead.wiring.proving import prove_login, prove_served, prove_server


class Found(msgspec.Struct, frozen=True):
    """A login that can be linked. ``secret`` is a token to keep, ``reference`` one that lies elsewhere; neither: the
    connection's own serves it, or nothing was asked for. ``own``: it is the connection's own login."""

    user: RemoteUser
    own: bool = False
    secret: str | None = None
    reference: str | None = None


class Stranger(msgspec.Struct, frozen=True):
    """Kept events of a login that nobody is linked to."""

    connection: str
    events: Unmatched


async def list_places(installation: Installation) -> tuple[list[Place], dict[str, PlayheadError]]:
    """Every login of every server once, and the connections that could not be asked."""
    known = installation.settings.connections
    names = list(known)
    answers = await asyncio.gather(*(_list_users(installation, known[name]) for name in names))
    places: dict[tuple[str, str, str], Place] = {}
    failed: dict[str, PlayheadError] = {}
    for name, answer in zip(names, answers, strict=True):
        if isinstance(answer, PlayheadError):
            failed[name] = answer
            continue
        connection = known[name]
        for user in answer:
            person = find_owner(installation.settings, connection, user.id)
            key = (connection.kind, connection.server_id, user.id)
            places.setdefault(key, Place(name, connection.kind, connection.server_id, user, person))
    return list(places.values()), failed


async def _list_users(
    installation: Installation, connection: ConnectionSettings
) -> list[RemoteUser] | PlayheadError:
    try:
        backend = installation.make_backend(connection)
    except PlayheadError as error:
        return error
    try:
        await prove_server(backend, connection)
        return await backend.list_users()
    except PlayheadError as error:
        return error
    finally:
        await backend.close()


def find_owner(settings: Settings, connection: ConnectionSettings, user_id: str) -> str | None:
    """Whose a login of that server is, by whatever connection it is linked."""
    for other in settings.connections.values():
        if (other.kind, other.server_id) == (connection.kind, connection.server_id):
            for login in other.linked():
                if same_login(login.user_id, user_id):
                    return login.person
    return None


def list_owners(settings: Settings, connection: ConnectionSettings) -> dict[tuple[str, str], str]:
    """Who has which login (connection, native id) of that server."""
    return {
        (name, login.user_id): login.person
        for name, other in settings.connections.items()
        if (other.kind, other.server_id) == (connection.kind, connection.server_id)
        for login in other.linked()
    }


async def find_login(
    installation: Installation,
    name: str,
    wanted: str,
    *,
    token: str | None = None,
    reference: str | None = None,
    pin: str | None = None,
    dry_run: bool = False,
    granted: Granted | None = None,
) -> Found:
    """The login that is meant, proved to work: with the ``token`` given (``reference``: where it lies; ``granted``: what its
    sign-in told), else with the one that it has, else with one that the connection's own login may get. A dry run gets none.
    Raises PlayheadError."""
    connection = installation.settings.connections[name]
    if not connection.server_id:
        raise UsageError(
            f"'{name}' has not answered yet.", hint=f"Read it first: playhead import -c '{name}'"
        )
    own = installation.make_backend(connection)
    try:
        await prove_server(own, connection)
        user = await _find_user(installation, connection, own, name, wanted, token, granted)
        if same_login(user.id, connection.user_id):
            return Found(user, own=True)
        if token is not None:
            await prove_login(installation, connection, own, user, token)
            return Found(user, secret=None if reference else token, reference=reference)
        known = next((each for each in connection.accounts if same_login(each.user_id, user.id)), None)
        if known is not None:
            return Found(user, reference=known.token)
        if not find_manifest(connection.kind).token_decides:
            await prove_served(installation, connection, own, name, user)
            return Found(user)
        if not isinstance(own, GivesTokens):
            raise NotFound(f"'{user.name}' needs a token of their own.", hint="Give it: --token -")
        if dry_run:
            return Found(user)
        secret = await own.fetch_token(user, pin)
        await prove_login(installation, connection, own, user, secret)
        return Found(user, secret=secret)
    finally:
        await own.close()


async def _find_user(
    installation: Installation,
    connection: ConnectionSettings,
    own: Backend,
    name: str,
    wanted: str,
    token: str | None,
    granted: Granted | None,
) -> RemoteUser:
    """The login that is meant, of those that the connection's own may see, else the token's."""
    try:
        return find_user(await own.list_users(), wanted, name)
    except (NotFound, Unauthorized):
        if granted is not None:
            return granted.user
        if token is None:
            raise
    backend = installation.make_backend(connection, token=token, login=Login("", "", "", connection.token))
    try:
        return find_user([await backend.check_account()], wanted, name)
    finally:
        await backend.close()


def link(installation: Installation, name: str, person: str, found: Found, *, shared: bool = False) -> None:
    """Save whose the login is. What it showed for another person before is not this one's. A ``shared`` one is this person's
    beside others: read for each of them, never written. Raises UsageError where it is somebody's alone."""
    if shared:
        _refuse_somebodys_own(installation, name, found.user)
    elif found.own:
        installation.give_own_login(name, person)
        return
    account = AccountSettings(
        user=found.user.name, user_id=found.user.id, person=person, token=found.reference, shared=shared
    )
    installation.add_account(name, account, secret=found.secret)


def _refuse_somebodys_own(installation: Installation, name: str, user: RemoteUser) -> None:
    for login in installation.settings.connections[name].linked():
        if same_login(login.user_id, user.id) and not login.shared:
            raise UsageError(
                f"'{user.name}' on '{name}' is {login.person}'s alone.",
                hint=f"Take it out first, then share it: playhead people unlink '{name}' '{user.name}'",
            )


def take_history(installation: Installation, name: str, user_id: str) -> None:
    """What a login that was another person's shows is its new person's own."""
    with open_hub(installation) as hub:
        for linked in hub.linked:
            if linked.link.connection == name and same_login(hub.login(linked).user_id, user_id):
                take_over(hub.database, linked.key.account_id)


def remove_person(installation: Installation, person: str, logins: Sequence[tuple[str, Login]]) -> None:
    """Take somebody's logins, each with its connection, and name out of the settings. What was read stays theirs: whoever has
    that name later and none of these logins is somebody else. Wherever this is cut off, that holds or they are still there."""
    _retire(installation, person)
    for name, login in logins:
        installation.remove_account(name, login)
    people = installation.settings.people
    installation.save_people([each for each in people if each.casefold() != person.casefold()])
    _retire(installation, person)  # a process that still had the old settings may have brought them back


def _retire(installation: Installation, person: str) -> None:
    if not installation.home.database.exists():
        return
    database = open_database(installation.home.path)
    try:
        retire_person(database, person)
    finally:
        database.close()


def list_strangers(installation: Installation) -> Sequence[Stranger]:
    """Logins that servers told of and that nobody is linked to, most events first."""
    kept = read_unmatched(installation.home.inbox)
    if not kept:
        return []
    with open_hub(installation) as hub:
        names = {linked.key.connection_id: linked.link.connection for linked in hub.linked}
        ids = {(one.key.connection_id, hub.login(one).user_id.casefold()) for one in hub.linked}
        users = {(one.key.connection_id, one.link.user.casefold()) for one in hub.linked}
    found = [
        Stranger(names[events.connection_id], events)
        for events in kept
        if events.connection_id in names
        and not (
            (events.connection_id, events.user_id.casefold()) in ids
            if events.user_id is not None
            else (events.connection_id, (events.user_name or "").casefold()) in users
        )
    ]
    return sorted(found, key=lambda one: (-one.events.count, one.connection, one.events.user_name or ""))
