"""What taking over another tool's connections shares: check each server, make its connection, and say what became of it."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from playhead.faces.cli.screen import as_typed, make_table
from playhead.faces.cli.session import Session
from playhead.flows.adopt import Adopted, Adoption, LeftBehind
from playhead.flows.connect import Checked, check_connection
from playhead.library_settings import LibraryChoice
from playhead.ports.backend import Backend
from playhead.ports.errors import PlayheadError, UsageError
from playhead.settings import ConnectionSettings
from playhead.wiring.installation import check_options, find_manifest, make_backend, read_url

Outcome = tuple[Adopted, Checked | None, str]
Taken = tuple[ConnectionSettings, Adopted, str]
"""A connection, what it was made from, and why it could not be checked ("" = it was)."""


def adopt_all(
    session: Session, adoption: Adoption, person: str | None, *, dry_run: bool
) -> tuple[list[Taken], list[LeftBehind]]:
    """Check and save what can be taken over; the rest with its reasons."""
    with session.screen.waiting("Asking the servers ..."):
        outcomes = asyncio.run(_check_all(session, adoption))
    owner = person or _first_person(session, outcomes)
    taken, left = list[Taken](), list(adoption.left_behind)
    for server, checked, trouble in outcomes:
        try:
            taken.append((_prepare(session, server, checked, owner), server, trouble))
        except PlayheadError as error:
            left.append(LeftBehind(server.name, f"{error.message} {error.hint}".strip()))
    if not dry_run:
        for connection, server, _ in taken:
            session.installation.save_connection(server.name, connection, secret=server.token)
    return taken, left


def give_options(adoption: Adoption, options: dict[str, str]) -> Adoption:
    """The same with a backend's own settings for every server. Raises UsageError where one is wrong."""
    servers = [
        msgspec.structs.replace(
            each, options=check_options(find_manifest(each.kind), each.url, {**each.options, **options})
        )
        for each in adoption.servers
    ]
    return msgspec.structs.replace(adoption, servers=tuple(servers))


async def _check_all(session: Session, adoption: Adoption) -> list[Outcome]:
    return list(await asyncio.gather(*(_check(session, server) for server in adoption.servers)))


async def _check(session: Session, server: Adopted) -> Outcome:
    manifest = find_manifest(server.kind)

    def make(user_id: str) -> Backend:
        options = {"url": read_url(find_manifest(server.kind), server.url), **server.options}
        return make_backend(
            manifest, options, server.token, user_id, client_id=session.installation.home.client_id()
        )

    try:
        user = server.user_id or None
        return server, await check_connection(make, kind=server.kind, title=manifest.title, user=user), ""
    except PlayheadError as error:
        return server, None, error.message


def _prepare(session: Session, server: Adopted, checked: Checked | None, person: str) -> ConnectionSettings:
    for name, known in session.settings.connections.items():
        if name.casefold() == server.name.casefold():
            raise UsageError(f"'{name}' is connected already.")
        if (
            checked
            and known.server_id == checked.server.server_id
            and any(login.user_id == checked.user.id for login in known.logins())
        ):
            raise UsageError(f"the same user on the same server is connected already, as '{name}'.")
    if checked is None and not server.user_id:
        raise UsageError(
            "its user is not in the file and the server could not be asked.",
            hint=f"Use: playhead connect {server.kind}",
        )
    return ConnectionSettings(
        kind=server.kind,
        url=read_url(find_manifest(server.kind), server.url),
        user=checked.user.name if checked else server.user_id,
        user_id=checked.user.id if checked else server.user_id,
        person=session.settings.find_person(person) or person,
        token="store:",
        server_id=checked.server.server_id if checked else server.server_id,
        read=server.read,
        write=server.write,
        libraries=LibraryChoice(exclude=list(server.exclude)),
        proxy_host=server.proxy_host,
        options=server.options,
    )


def _first_person(session: Session, outcomes: list[Outcome]) -> str:
    names = [checked.user.name for _, checked, _ in outcomes if checked]
    return session.settings.first_person() or (names[0] if names else "me")


def tell(session: Session, taken: list[Taken], left: list[LeftBehind], *, dry_run: bool, **more: Any) -> None:
    """What became connections and what did not; ``more`` goes with it for scripts."""
    session.screen.give(
        {
            "dry_run": dry_run,
            "connections": [_describe(connection, server, trouble) for connection, server, trouble in taken],
            "left_behind": [{"place": item.place, "reason": item.reason} for item in left],
            **more,
        }
    )
    behind = any(connection.proxy_host for connection, _, _ in taken)
    columns = ("connection", "kind", "address", "user", "person", "read", "write", "without", "checked")
    table = make_table(*columns, *(["proxy"] if behind else []))
    for connection, server, trouble in taken:
        yes_no = ["yes" if switch else "no" for switch in (connection.read, connection.write)]
        shown = (server.name, connection.kind, connection.url, connection.user, connection.person, *yes_no)
        without = ", ".join(connection.libraries.exclude) or "-"
        table.add_row(*shown, without, trouble or "works", *([connection.proxy_host] if behind else []))
    if taken:
        session.screen.show(table)
    for item in left:
        session.screen.say(as_typed(f"Not taken over: {item.place}: {item.reason}"))
    if any(trouble for _, _, trouble in taken):
        session.screen.say(f"Some could not be checked; look again later: {session.command('doctor')}")


def tell_next(session: Session, *, dry_run: bool) -> None:
    """What a person does after it."""
    session.screen.say("Nothing was saved (--dry-run)." if dry_run else f"Next: {session.command('import')}")


def _describe(connection: ConnectionSettings, server: Adopted, trouble: str) -> dict[str, Any]:
    return {
        "name": server.name,
        "kind": connection.kind,
        "url": connection.url,
        "user": connection.user,
        "person": connection.person,
        "read": connection.read,
        "write": connection.write,
        "exclude": connection.libraries.exclude,
        "warning": trouble or None,
        **({"proxy_host": connection.proxy_host} if connection.proxy_host else {}),
    }
