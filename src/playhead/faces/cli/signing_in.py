"""Signing in at the command line: a code to approve with the time that is left, or a password that nobody sees."""

from __future__ import annotations

import asyncio
import getpass
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from playhead.faces.cli.asking import ask_choice
from playhead.faces.cli.screen import Screen
from playhead.faces.cli.session import Session
from playhead.flows.signing_in import (
    ServerNeeded,
    SignedIn,
    ask_for_code,
    choose_server,
    refuse_another,
    wait_for_approval,
)
from playhead.ports.backend import Manifest
from playhead.ports.errors import PlayheadError, UsageError, WrongServer
from playhead.ports.signing_in import CodeShown, Granted, OfferedServer, SignsInByCode
from playhead.runtime.log import hide
from playhead.settings import ConnectionSettings, same_login
from playhead.wiring.installation import find_manifest, make_backend
from playhead.wiring.signing_in import list_code_flags, make_code_sign_in, sign_in_by_password

PASSWORD_HELP = "Used once and not kept: - asks for it or reads it from standard input; env:NAME, file:PATH."
ByCode = Annotated[
    bool,
    typer.Option(
        *list_code_flags(),
        help="Sign in by a code that is approved elsewhere: at plex.tv, or by Quick Connect.",
        show_default=False,
    ),
]
Password = Annotated[
    str | None, typer.Option("--password", metavar="FROM", help=PASSWORD_HELP, show_default=False)
]


def refuse_two_ways(token: str | None, by_code: bool, password: str | None) -> None:
    """One way to a token is enough. Raises UsageError."""
    if (token is not None) + by_code + (password is not None) > 1:
        raise UsageError("Several ways to sign in were given.", hint="Give one: a token, a code or a password.")  # fmt: skip


def sign_in_by_code(
    session: Session,
    manifest: Manifest,
    *,
    url: str | None,
    options: Mapping[str, Any],
    server: str | None = None,
    user: str | None = None,
) -> SignedIn:
    """Show a code, wait until it is approved, and fetch the token of the server that is meant: the one at ``url``, else of the
    name or id ``server``, else the only one. ``user`` must be who signed in. Raises PlayheadError."""
    sign_in = make_code_sign_in(session.installation, manifest, url, options)

    async def run() -> SignedIn:
        try:
            at_url = await _ask_id(session, manifest, url, options) if url else None
            with session.screen.waiting("Asking for a code ..."):
                shown = await ask_for_code(sign_in)
            _show_code(session.screen, manifest, shown)
            with _counting_down(session.screen) as tell:
                await wait_for_approval(sign_in, shown, tell)
            session.screen.give({"event": "approved"})
            with session.screen.waiting("Signing in ..."):
                servers = list(await sign_in.list_servers())
            chosen = _choose(session.screen, servers, at_url or server, url=url)
            with session.screen.waiting("Looking for the server ..."):
                return await _finish(sign_in, chosen, url, user)
        finally:
            await sign_in.close()

    return asyncio.run(run())


async def _finish(
    sign_in: SignsInByCode, chosen: OfferedServer, url: str | None, user: str | None
) -> SignedIn:
    granted = await sign_in.fetch_token(chosen.server_id)
    hide(granted.token)
    refuse_another(granted, user)
    return SignedIn(url or await sign_in.find_url(chosen.server_id), granted)


async def _ask_id(session: Session, manifest: Manifest, url: str, options: Mapping[str, Any]) -> str:
    """Which server answers at the address; needs no token."""
    client_id = session.installation.home.client_id()
    backend = make_backend(manifest, {"url": url, **options}, "", "", client_id=client_id)
    try:
        return (await backend.probe()).server_id
    finally:
        await backend.close()


def _choose(
    screen: Screen, servers: list[OfferedServer], wanted: str | None, *, url: str | None
) -> OfferedServer:
    try:
        return choose_server(servers, wanted)
    except ServerNeeded as needed:
        if not screen.interactive:
            raise
        name = ask_choice(screen, "Which server?", [server.name for server in needed.servers])
        return next(server for server in needed.servers if server.name.casefold() == name.casefold())
    except UsageError as error:
        if url is None:
            raise
        raise PlayheadError(
            f"Who signed in may not use the server at {url}.",
            hint=f"Sign in as somebody who may, or choose another server. {error.hint}",
        ) from error


def _show_code(screen: Screen, manifest: Manifest, shown: CodeShown) -> None:
    screen.give(
        {"event": "code", "where": shown.where, "code": shown.code, "expires_in_s": shown.expires_in_s}
    )
    if screen.as_json:
        return
    finds = manifest.by_code is not None and manifest.by_code.finds_servers
    screen.note("Open this in any browser and sign in:" if finds else "Approve this code where you are signed in:")  # fmt: skip
    if finds:
        screen.note(f"\n  {shown.where}\n\nThe code is in it already: {shown.code}")
    else:
        screen.note(f"\n  {shown.code}\n\nat {shown.where}")
    if not screen.err.is_terminal:
        screen.note(f"Waiting for that, {shown.expires_in_s / 60:.0f} minutes at most ...")


@contextmanager
def _counting_down(screen: Screen) -> Iterator[Callable[[float], None]]:
    """Says how long there is still, to a person at a terminal."""
    if screen.as_json or not screen.err.is_terminal:
        yield lambda left_s: None
        return
    with screen.err.status("Waiting for you to sign in ...") as status:

        def tell(left_s: float) -> None:
            minutes, seconds = divmod(int(left_s), 60)
            status.update(f"Waiting for you to sign in, {minutes}:{seconds:02d} left; Ctrl-C gives up ...")

        yield tell


def sign_in_login(
    session: Session,
    connection: ConnectionSettings,
    user: str | None,
    *,
    by_code: bool,
    password: str | None,
) -> Granted | None:
    """Sign a login in on a connection's server, in the way that was given; None where none was. ``user``, where it is named, must
    be who signs in. Raises PlayheadError."""
    if not by_code and password is None:
        return None
    manifest = find_manifest(connection.kind)
    url, options = connection.url, connection.options
    server_id = asyncio.run(_ask_id(session, manifest, url, options))
    if connection.server_id and server_id != connection.server_id:
        raise WrongServer(
            f"Another server answers at {url} than the one that was connected.",
            hint="Give the right address: playhead connections set NAME --url URL",
        )
    if by_code:
        return sign_in_by_code(session, manifest, url=url, options=options, user=user).granted
    if user is None:
        raise UsageError("Whose password is that?", hint="Name the login as well.")
    given = password or ""
    return sign_in_with_password(session, manifest, url=url, options=options, user=user, given=given)


def sign_in_again(
    session: Session, name: str, connection: ConnectionSettings, *, by_code: bool, password: str | None
) -> str | None:
    """A new token for the connection's own login; None where no way was given. It must be that very login, and go on to serve
    those that have no token of their own. Raises PlayheadError."""
    user = connection.user if password is not None else None
    granted = sign_in_login(session, connection, user, by_code=by_code, password=password)
    if granted is None:
        return None
    same_name = granted.user.name.casefold() == connection.user.casefold()
    if same_name and not same_login(granted.user.id, connection.user_id):
        raise UsageError(
            f"Nobody can tell whether that is the login of '{name}': it was connected under the id '{connection.user_id}'.",
            hint=f"Connect it anew: playhead connections remove {name!r}, then sign in with: playhead connect {connection.kind}",
        )
    if not same_login(granted.user.id, connection.user_id):
        raise UsageError(
            f"'{granted.user.name}' signed in, and '{name}' is {connection.user}'s.",
            hint=f"Sign in as '{connection.user}'. Another login is linked with: playhead people link PERSON {name!r} USER",
        )
    served = [each.user for each in connection.accounts if each.token is None]
    if served and not granted.user.admin:
        raise UsageError(
            f"The token of '{connection.user}' cannot serve {', '.join(served)} as well: it is no administrator's.",
            hint="Give an API key with --token -, or let them sign in first: playhead people link PERSON NAME USER --password -",
        )
    return granted.token


def sign_in_with_password(
    session: Session, manifest: Manifest, *, url: str, options: Mapping[str, Any], user: str, given: str
) -> Granted:
    """Read the password from where ``given`` says, and use it once. Raises PlayheadError."""
    password = read_password(session, given, user)
    with session.screen.waiting(f"Asking {url} ..."):
        return asyncio.run(sign_in_by_password(session.installation, manifest, url, options, user, password))


def read_password(session: Session, given: str, user: str) -> str:
    """``-`` asks for it at a terminal, else reads a line of standard input; ``env:NAME`` and ``file:PATH`` read it there. As it
    is written it is refused: whoever lists the processes would see it. Raises UsageError."""
    if given.startswith(("env:", "file:")):
        return session.installation.secrets.resolve(given)
    if given != "-":
        raise UsageError(
            "A password is not given on the command line, where others can read it.",
            hint="Give --password - to be asked for it, or to pipe it in; or env:NAME, file:PATH.",
        )
    if sys.stdin is not None and sys.stdin.isatty():
        return getpass.getpass(f"Password of {user} (not shown): ", stream=sys.stderr)
    line = sys.stdin.readline()
    if not line:
        raise UsageError(
            "No password came on standard input.", hint="Pipe it in, one line: ... --password - < FILE"
        )
    return line.rstrip("\r\n")
