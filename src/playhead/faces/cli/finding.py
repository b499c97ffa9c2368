"""What ``connect`` has to know before it can save: where the server is, a token for it, and whose it is.

At a terminal what lacks is asked, and what was wrong is asked again; in a script it is an error.
"""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from playhead.faces.cli.asking import ask_choice, ask_secret, ask_text, read_stdin_secret
from playhead.faces.cli.screen import print_error
from playhead.faces.cli.session import Session
from playhead.faces.cli.signing_in import refuse_two_ways, sign_in_by_code, sign_in_with_password
from playhead.flows.connect import Checked, UserNeeded, check_connection
from playhead.flows.signing_in import settle_user
from playhead.ports.backend import Manifest
from playhead.ports.errors import BadAnswer, Unauthorized, Unreachable, UsageError, WrongServer
from playhead.ports.signing_in import Granted
from playhead.wiring.installation import example_of, make_backend, read_url

BY_TOKEN = "token"
BY_PASSWORD = "password"


class Wish(msgspec.Struct):
    """What was given on the command line, or answered."""

    name: str | None
    url: str | None
    token: str | None
    user: str | None
    person: str | None
    libraries: str | None
    read: bool
    write: bool
    yes: bool
    dry_run: bool
    options: dict[str, Any]
    by_code: bool = False
    password: str | None = None
    server: str | None = None


def choose_way(session: Session, manifest: Manifest, wish: Wish, interactive: bool) -> None:
    """See that there is one way to a token; at a terminal ask which where there are several. Raises UsageError."""
    refuse_two_ways(wish.token, wish.by_code, wish.password)
    if wish.server is not None and not wish.by_code:
        flag = manifest.by_code.flag if manifest.by_code else ""
        raise UsageError("--server goes with a sign-in by code.", hint=f"Add {flag}, or give --url instead.")
    by_code = [manifest.by_code.flag.lstrip("-")] if manifest.by_code else []
    choices = [*by_code, *([BY_PASSWORD] if manifest.by_password else []), BY_TOKEN]
    if wish.token or wish.by_code or wish.password is not None or not interactive or len(choices) == 1:
        return
    question = f"How do you want to sign in to {manifest.title}?"
    about = {choice: _describe_way(manifest, choice) for choice in choices}
    chosen = ask_choice(session.screen, question, choices, default=choices[0], about=about)
    wish.by_code = chosen in by_code
    wish.password = "-" if chosen == BY_PASSWORD else None


def _describe_way(manifest: Manifest, choice: str) -> str:
    if choice == BY_PASSWORD:
        return "name and password, used once and not kept"
    if choice != BY_TOKEN:
        text = manifest.by_code.help if manifest.by_code else ""
        return text[:1].lower() + text[1:].rstrip(".")
    return (
        "a token that you have already; it acts for whoever it belongs to"
        if manifest.token_decides
        else "an API key from the server's dashboard; one serves everybody in the house"
    )


def find_server(
    session: Session, manifest: Manifest, wish: Wish, interactive: bool
) -> tuple[str | None, str, Checked]:
    """Token reference, token and what the checks found; at a terminal what was typed wrong is asked again."""
    if not interactive:
        _refuse_missing(manifest, wish)
    ask_url = not wish.url
    ask_token = not wish.token and not wish.by_code and wish.password in (None, "-")
    ask_user = wish.password == "-" and not wish.user
    while True:
        _gather(session, manifest, wish)
        try:
            reference, secret, granted = _get_token(session, manifest, wish)
            return (
                reference,
                secret,
                asyncio.run(_check(session, manifest, wish, secret, granted, interactive)),
            )
        except (Unreachable, WrongServer, BadAnswer) as error:
            if not (interactive and ask_url) or wish.by_code:
                raise
            print_error(error, as_json=False)
            wish.url = None
        except Unauthorized as error:
            if not (interactive and ask_token):
                raise
            print_error(error, as_json=False)
            wish.token = None
            wish.user = None if ask_user else wish.user


def _finds_url(manifest: Manifest, wish: Wish) -> bool:
    return wish.by_code and manifest.by_code is not None and manifest.by_code.finds_servers


def _refuse_missing(manifest: Manifest, wish: Wish) -> None:
    no_token = not wish.token and not wish.by_code and wish.password is None
    lacks = {
        "--url": not wish.url and not _finds_url(manifest, wish),
        "--token": no_token,
        "--user": wish.password is not None and not wish.user,
    }
    missing = [flag for flag, is_missing in lacks.items() if is_missing]
    if missing:
        raise UsageError(
            f"connect {manifest.name} needs {' and '.join(missing)}.",
            hint="Give them, or run it at a terminal without --yes to be asked.",
        )


def _gather(session: Session, manifest: Manifest, wish: Wish) -> None:
    example = example_of(manifest, "url")
    while not wish.url and not _finds_url(manifest, wish):
        try:
            typed = ask_text(session.screen, f"Address of {manifest.title}, such as {example}")
            wish.url = read_url(manifest, typed)
        except UsageError as error:
            print_error(error, as_json=False)
    wish.url = read_url(manifest, wish.url) if wish.url else None
    if wish.password is not None and not wish.user:
        wish.user = ask_text(session.screen, f"Your user name on {manifest.title}")
    if not wish.token and not wish.by_code and wish.password is None:
        what = "Token" if manifest.token_decides else "Token or API key"
        wish.token = ask_secret(session.screen, f"{what} (not shown; env:NAME and file:PATH work too)")


def _get_token(session: Session, manifest: Manifest, wish: Wish) -> tuple[str | None, str, Granted | None]:
    """The reference (None = it has to be stored), the secret itself, and what a sign-in told."""
    if wish.by_code:
        signed = sign_in_by_code(
            session, manifest, url=wish.url, options=wish.options, server=wish.server, user=wish.user
        )
        wish.url = read_url(manifest, signed.url)
        return None, signed.granted.token, signed.granted
    if wish.password is not None:
        granted = sign_in_with_password(
            session, manifest, url=wish.url or "", options=wish.options, user=wish.user or "", given=wish.password,
        )  # fmt: skip
        return None, granted.token, granted
    return *take_token(session, wish.token or ""), None


def take_token(session: Session, given: str) -> tuple[str | None, str]:
    """The reference (None = it has to be stored) and the secret itself."""
    if given == "-":
        return None, read_stdin_secret()
    if given.startswith(("env:", "file:")):
        return given, session.installation.secrets.resolve(given)
    return None, given.strip()


async def _check(
    session: Session,
    manifest: Manifest,
    wish: Wish,
    secret: str,
    granted: Granted | None,
    interactive: bool,
) -> Checked:
    def make(user_id: str) -> Any:
        options = {"url": wish.url, **wish.options}
        return make_backend(
            manifest, options, secret, user_id, client_id=session.installation.home.client_id()
        )

    with session.screen.waiting(f"Asking {wish.url} ..."):
        try:
            user = granted.user.id if granted else wish.user
            checked = await check_connection(make, kind=manifest.name, title=manifest.title, user=user)
            if granted is None:
                return checked
            return msgspec.structs.replace(checked, user=settle_user(checked.user, granted))
        except UserNeeded as needed:
            if not interactive or not needed.users:
                raise
            users = needed.users
    wish.user = ask_choice(
        session.screen,
        "Whose watch state shall this connection start with? Others are linked later",
        [user.name for user in users],
    )
    return await check_connection(make, kind=manifest.name, title=manifest.title, user=wish.user)
